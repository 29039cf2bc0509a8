"""Training end to end, environment steps a second with learning, against other libraries.

Run `python -m benchmarks.speed.training [--quick] [--peer purejaxrl=PATH] [--peer rejax]
[--peer sb3[=PYTHON]] [GROUP ...]`: `purejaxrl` is a checkout of luchris429/purejaxrl, `sb3` an
interpreter that has Stable-Baselines3 (this one by default). Named groups are run alone, and their
file takes the place of the one before.

PPO and DQN train on CartPole, SAC on Pendulum, with the numbers of `settings`. Each contender has a
process of its own; their rounds take turns, compilation lies before them. Ratios are taken between
neighbouring rounds.

In the same turns one core multiplies matrices. What it does in a second, over the operations that
`operations` counts for a step, is the ceiling, and each contender's rate in processor time a share
of it: once of products of 1024 x 1024, and once of the batch and the hidden layer of that task.
"""

import argparse
import functools
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

from benchmarks import peers, record
from benchmarks.peers import OURS, PUREJAXRL, SB3
from benchmarks.record import Goal, Row
from benchmarks.speed import ceiling_worker, settings
from benchmarks.speed.rounds import Report, Spread, interleave, rates, ratios, spread
from benchmarks.speed.worker import Worker

WITHOUT_SAC = (PUREJAXRL,)
GROUPS = (
    *settings.tasks(quick=False),
    settings.MELODY_PPO,
    settings.MELODY_DQN,
    settings.LEVEL_PPO,
    settings.EXPERIMENT,
)
CEILINGS = {
    ceiling_worker.SQUARE: "products of 1024 x 1024",
    ceiling_worker.OWN: "products of its own shape",
}
PCGRL_JAX = 46_499.0
"""Steps/s that smearle/pcgrl-jax publishes (`n_envs_to_fps.md`) for its binary domain of 16 x 16
tiles and 600 environments, with random actions, on hardware that it does not name. Two cores are no
match for it: on a CPU our rate is a row, and no goal."""
SOLVED = 475.0
"""The mean return at which Gymnasium counts CartPole-v1 as solved; 500 is the most there is."""


class Findings:
    """What a run of the benchmark found, group after group.

    Attributes:
      rows: the figures.
      ratios: how many times as fast as a peer, by group and peer.
      returns: at the end of our PPO, by seed.
      level_rate: steps/s of `level-ppo-600`; None where not measured, or on a CPU.
      cost: share of time that keeping a run takes; None where not measured.
      device: that we trained on.
      versions: of the peers' packages.
    """

    def __init__(self):
        self.rows: list[Row] = []
        self.ratios: dict[tuple[str, str], float] = {}
        self.returns: Spread | None = None
        self.level_rate: float | None = None
        self.cost: float | None = None
        self.device = "cpu"
        self.versions: dict[str, str] = {}

    def race(
        self,
        group: str,
        contenders: Mapping[str, "Contender"],
        num_rounds: int,
        ceiling: "Ceiling | None" = None,
    ) -> None:
        """Train the contenders of a group in turns; ours is the one called `creative_rl`."""
        with ExitStack() as stack:
            workers = {
                name: stack.enter_context(contender.start())
                for name, contender in contenders.items()
            }
            turns = {
                name: functools.partial(worker.run, "train") for name, worker in workers.items()
            }
            if workers[OURS].about["device"] != "cpu":
                ceiling = None  # it is one core's; `benchmarks.speed.machine` has an accelerator's
            if ceiling is not None:
                products = stack.enter_context(ceiling.start())
                turns |= {shape: functools.partial(products.run, shape) for shape in CEILINGS}
            reports = interleave(turns, num_rounds)
            for name, worker in workers.items():
                self._add(group, name, worker, reports[name])
            if ceiling is not None:
                self._add_ceiling(group, contenders, reports, products.about["per_step"])
        for name in list(contenders)[1:]:
            times = ratios(reports[OURS], reports[name])
            self.ratios[group, name] = times.value
            label = f"{group}, {OURS} over {name}"
            self.rows.append(times.row(label, "ratio"))
            processor = ratios(reports[OURS], reports[name], "cpu_seconds")
            self.rows.append(processor.row(label, "ratio of processor time"))
            print(f"{label}: {times.value:.2f}", file=sys.stderr)

    def _add_ceiling(
        self,
        group: str,
        names: Iterable[str],
        reports: Mapping[str, Sequence[Report]],
        per_step: float,
    ) -> None:
        """What the machine could do, and which share of it each of the names does."""
        label = f"{group}, ceiling"
        self.rows.append(Row(label, "operations a step", per_step))
        for shape, what in CEILINGS.items():
            steps = spread(rates(reports[shape], "cpu_seconds"))
            self.rows.append(steps.row(label, f"steps/s of one core, {what}"))
            giga = Spread(*(per_step * rate / 1e9 for rate in steps[:3]), steps.count)
            self.rows.append(giga.row(label, f"GFLOP/s of one core, {what}"))
            for name in names:
                share = ratios(reports[name], reports[shape], "cpu_seconds")
                row = share.row(f"{group}, {name}", f"share of the ceiling, {what}", name)
                self.rows.append(row)

    def weigh_experiment(self, worker: Worker, num_rounds: int) -> None:
        """What `creative_rl.train` costs beside the compiled loop that it runs."""
        units = (settings.BARE, settings.KEPT)
        turns = {unit: functools.partial(worker.run, unit) for unit in units}
        reports = interleave(turns, num_rounds)
        slower = ratios(reports[settings.BARE], reports[settings.KEPT])
        cost = Spread(*(100 * (times - 1) for times in slower[:3]), slower.count)
        self.cost = cost.value
        self.device = worker.about["device"]
        self.versions |= worker.about.get("versions", {})
        name = "creative_rl.train with logs and checkpoints over the compiled loop"
        self.rows.append(cost.row(name, "% more time"))

    def _add(self, group: str, name: str, worker: Worker, reports: Sequence[Report]) -> None:
        label, about = f"{group}, {name}", worker.about
        self.rows.append(spread(rates(reports)).row(label, "steps/s", name))
        processor = spread(rates(reports, "cpu_seconds"))
        self.rows.append(processor.row(label, "steps/s of processor time", name))
        for what, seconds in about.get("build", {}).items():
            self.rows.append(Row(label, f"{what} s", seconds, source=name))
        self.rows.append(Row(label, "peak memory MiB", worker.stop()["peak_mib"], source=name))
        self.versions |= about.get("versions", {})
        if name == OURS:
            self.device = about["device"]
            if group == settings.LEVEL_PPO and self.device != "cpu":
                self.level_rate = spread(rates(reports)).value
        if group == settings.NARROW and "return" in reports[0]:
            returns = spread([report["return"] for report in reports])
            steps = reports[0]["steps"]
            self.rows.append(returns.row(label, f"mean return after {steps} steps", name))
            if name == OURS and steps >= 0.99 * settings.LEARNING_STEPS:
                self.returns = returns


class Contender:
    """A library, how to start it, and for which task."""

    def __init__(self, name: str, group: str, quick: bool, place: str | None = None):
        """`place` is purejaxrl's checkout or the interpreter of Stable-Baselines3."""
        module = "ours" if name == OURS else name
        self.module = f"benchmarks.speed.contenders.{module}"
        self.arguments = [group, "quick" if quick else "whole"]
        self.python = sys.executable
        if name == PUREJAXRL:
            self.arguments.append(place)
        elif name == SB3 and place is not None:
            self.python = place

    def start(self) -> Worker:
        return Worker(self.module, self.arguments, self.python)


class Ceiling:
    """Products of matrices on one core, for which task."""

    def __init__(self, group: str, quick: bool):
        self.arguments = [group, "quick" if quick else "whole"]

    def start(self) -> Worker:
        module = "benchmarks.speed.ceiling_worker"
        one_core = {"NPROC": "1", "JAX_PLATFORMS": "cpu"}
        return Worker(module, self.arguments, sys.executable, one_core)


def main(argv: Sequence[str] | None = None) -> None:
    arguments, session = record.start(__doc__, __spec__, argv, peers.add_argument, _add_groups)
    quick, findings = arguments.quick, Findings()
    tasks, places = settings.tasks(quick), {OURS: None, **dict(arguments.peer)}
    groups = chosen(arguments.groups, quick)
    num_rounds = 2 if quick else 5
    for group in groups:
        if group == settings.EXPERIMENT:
            with Contender(OURS, group, quick).start() as worker:
                findings.weigh_experiment(worker, num_rounds)
            continue
        if group not in tasks:  # which are ours alone
            findings.race(group, {OURS: Contender(OURS, group, quick)}, num_rounds)
            continue
        absent = WITHOUT_SAC if isinstance(tasks[group], settings.SACTask) else ()
        contenders = {
            name: Contender(name, group, quick, place)
            for name, place in places.items()
            if name not in absent
        }
        findings.race(group, contenders, num_rounds, Ceiling(group, quick))
    part = "+".join(arguments.groups)
    session.finish(findings.rows, goals(findings), findings.device, findings.versions, part)


def chosen(asked: Sequence[str], quick: bool) -> tuple[str, ...]:
    """The groups to run, in the order of `GROUPS`: those asked for, or all there are.

    Raises:
      SystemExit: one asked for has no quick form.
    """
    tasks = settings.tasks(quick)
    absent = set(settings.tasks(quick=False)) - set(tasks)
    if lacking := absent.intersection(asked):
        raise SystemExit(
            f"--quick has the tasks {', '.join(tasks)}; got {', '.join(sorted(lacking))}: "
            "leave --quick out"
        )
    everything = tasks if quick else GROUPS
    return tuple(group for group in GROUPS if group in (asked or everything))


def goals(findings: Findings) -> list[Goal]:
    """What was asked."""
    asked = [
        (settings.NARROW, PUREJAXRL, 1.2),
        (settings.NARROW, SB3, 24.0),
        (settings.DQN, PUREJAXRL, 1.3),
        (settings.DQN, SB3, 6.0),
        (settings.SAC, SB3, 4.0),
    ]
    times = [
        Goal(f"{group}, times {peer}", bound, findings.ratios.get((group, peer)))
        for group, peer, bound in asked
    ]
    returns = None if findings.returns is None else findings.returns.value
    return [
        *times,
        Goal("creative_rl.train over the compiled loop, % more time", 5.0, findings.cost, True),
        Goal(f"{settings.NARROW}, mean return after 5e5 steps", SOLVED, returns),
        Goal(
            f"{settings.LEVEL_PPO} on an accelerator, steps/s, against pcgrl-jax's published",
            PCGRL_JAX,
            findings.level_rate,
        ),
    ]


def _add_groups(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "groups",
        nargs="*",
        type=_group,
        metavar="GROUP",
        help=f"of {', '.join(GROUPS)}; by default all, with --quick its tasks",
    )


def _group(name: str) -> str:
    if name not in GROUPS:  # `choices` would refuse that there is none
        raise argparse.ArgumentTypeError(f"groups are {', '.join(GROUPS)}; got {name!r}")
    return name


if __name__ == "__main__":
    main()

"""The arguments of `creative-rl train`: some of its own, the rest from config and environment.

`creative-rl plan` takes the same, and some more.
"""

import argparse
import dataclasses
import itertools
import os
from collections.abc import Sequence
from typing import Any

from creative_rl import registry
from creative_rl.experiment import device_flags, log
from creative_rl.experiment.flags import class_flags, number, whole
from creative_rl.experiment.parser import Parser, UsageError, as_usage, at_least
from creative_rl.experiment.spec import RunSpec, config_from_dict
from creative_rl.registry import unknown_name

DEFAULT_STEPS = 500_000
PROFILED_UPDATES = 3
"""Enough to see what repeats; of a long trace readers show a part."""
EPILOG = (
    "With --learner NAME, --help also lists the fields of its config; with ID, those of the "
    "environment."
)


@dataclasses.dataclass(frozen=True)
class TrainArguments:
    """What was asked for.

    Attributes:
      spec: the run, but for its length.
      total_steps: environment steps of a seed.
      given: fields of the config that were on the command line.
      out: the directory, None for the default one.
      loggers: for `train`.
      profile: updates to trace, for `train`.
      where: the devices.
      others: values of the flags that another command adds.
    """

    spec: RunSpec
    total_steps: int
    given: tuple[str, ...]
    out: str | None
    loggers: list[str] | None
    profile: int | None
    where: device_flags.Where
    others: dict[str, Any]


def parse(argv: Sequence[str], parser: Parser | None = None) -> TrainArguments:
    """Read a command line.

    Args:
      argv: the arguments.
      parser: of another command, with flags of its own; None for that of `train`.

    Raises:
      UsageError: something in it is unknown, missing or out of range.
    """
    parser = parser or Parser(
        "train", "Train a learner in an environment, in a new run directory.", epilog=EPILOG
    )
    own = [action.dest for action in parser._actions if action.dest != "help"]
    _add_own(parser)
    learner, environment = _peek_learner(argv), _peek_environment(argv)
    fields: list[str] = []
    if learner is not None:
        entry = as_usage(registry.learner_entry, learner)
        fields = _add_flags(parser, f"config of {learner}", entry.config)
    if "target" not in fields:  # of dqn, whose targets are another thing
        parser.add_argument(
            "--target", metavar="SOURCE", dest="pictures",
            help="pictures of a drawing, short for --env-targets: an image, a folder, digits, ...",
        )  # fmt: skip
    if environment is not None:
        _add_flags(parser, f"sizes of {environment}", _target(environment), "env-")
    arguments = vars(parser.parse_all(argv))
    given = {name: arguments[name] for name in fields if name in arguments}
    at_least("--steps", arguments["steps"])
    at_least("--profile", arguments["profile"])
    loggers = parse_loggers(arguments["log"])
    where = device_flags.read(arguments)
    spec = as_usage(_spec, arguments, given)
    return TrainArguments(
        spec=spec,
        total_steps=arguments["steps"],
        given=tuple(given),
        out=arguments["out"],
        loggers=loggers,
        profile=arguments["profile"],
        where=where,
        others={name: arguments[name] for name in own},
    )


def parse_loggers(names: str | None) -> list[str] | None:
    """`--log`: names with commas between; `none` is no name and None leaves the choice."""
    if names is None:
        return None
    chosen, known = [name.strip() for name in names.split(",")], [*log.LOGGERS, "none"]
    for name in chosen:
        if name not in known:
            raise UsageError(f"--log: {unknown_name('logger', name, known)}")
    return [name for name in chosen if name != "none"]


def _add_own(parser: Parser) -> None:
    add = parser.add_argument
    add("id", metavar="ID", help="environment: see creative-rl list, or their_package.module:Class")
    add("--learner", required=True, metavar="NAME", help="see creative-rl list")
    add(
        "--steps", type=whole, default=DEFAULT_STEPS, metavar="N",
        help="environment steps of a seed (examples, of what learns a corpus), rounded up to "
        "whole updates (default %(default)s)",
    )  # fmt: skip
    add("--seed", type=whole, default=0, metavar="N", help="first seed (default 0)")
    add("--seeds", type=whole, metavar="N", help="train N seeds in one program, from --seed on")
    add("--out", metavar="DIR", help="run directory (default runs/ID-NAME-TIME-HASH)")
    add(
        "--log", metavar="NAMES",
        help="tensorboard, wandb or none, with commas between (default tensorboard where it is "
        "installed; metrics.jsonl always)",
    )  # fmt: skip
    add(
        "--profile", type=whole, nargs="?", const=PROFILED_UPDATES, metavar="N",
        help="trace N updates (default %(const)s) into profile/ of the run: see docs/profiling.md",
    )  # fmt: skip
    add(
        "--weight", type=_weight, action="append", default=[], metavar="TERM=X",
        help="weight of a reward term, in place of its default; again for more terms",
    )  # fmt: skip
    add(
        "--corpus", metavar="SOURCE",
        help=f"what {registry.learners_with('takes_corpus', 'or')} learns from: "
        "bach-sopranos, ryans-mammoth, a folder of MIDI files, or default, which is the first two; "
        "where it writes, a UTF-8 text file, a folder of .txt, or default, which is two poems",
    )  # fmt: skip
    device_flags.add_to(parser)
    takers = registry.learners_with("takes_prior", "or")
    add("--prior", metavar="RUN", help=f"likelihood run that {takers} starts from and is held to")
    add(
        "--prior-weight", type=number, default=1.0, metavar="X",
        help="factor of the prior's log-likelihood in the reward (default 1); of dqn's psi target "
        "the temperature, of its g target left out",
    )  # fmt: skip


def _weight(text: str) -> tuple[str, float]:
    name, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"must be TERM=X, as in tonic=3, got {text!r}")
    return name, number(value)


def _peek_learner(argv: Sequence[str]) -> str | None:
    """The value of `--learner`, which decides what other flags there are."""
    for flag, value in itertools.pairwise([*argv, "-"]):
        if flag == "--learner" and not value.startswith("-"):
            return value
        if flag.startswith("--learner="):
            return flag.partition("=")[2]
    return None


def _peek_environment(argv: Sequence[str]) -> str | None:
    """The environment, which decides what `--env-` flags there are."""
    for argument in argv:
        if argument in registry.ENVIRONMENTS:
            return argument
    return argv[0] if argv and not argv[0].startswith("-") else None


def _target(environment: str) -> str:
    if ":" in environment:
        return environment
    if environment not in registry.ENVIRONMENTS:
        raise UsageError(registry.unknown_environment(environment))
    return registry.ENVIRONMENTS[environment].target


def _add_flags(parser: Parser, title: str, target: str, prefix: str = "") -> list[str]:
    """Add a class's flags as a group of the parser; returns their names."""
    flags = class_flags(target)
    group = parser.add_argument_group(title)
    for flag in flags:
        flag.add_to(group, prefix)
    return [flag.name for flag in flags]


def _spec(arguments: dict[str, Any], given: dict[str, Any]) -> RunSpec:
    entry = registry.learner_entry(arguments["learner"])
    prefix = "env_"
    corpus = arguments["corpus"]
    if corpus is None and entry.needs_corpus:
        corpus = "default"
    overrides = {
        name.removeprefix(prefix): value
        for name, value in arguments.items()
        if name.startswith(prefix)
    }
    pictures = arguments.get("pictures")
    if pictures is not None:
        if "targets" in overrides:
            raise UsageError("--target is short for --env-targets; give one of them")
        overrides["targets"] = pictures
    for name in ("targets", "catalogue"):
        if name in overrides and os.path.exists(overrides[name]):
            overrides[name] = os.path.abspath(overrides[name])
    return RunSpec(
        environment=arguments["id"],
        learner=arguments["learner"],
        config=config_from_dict(registry.load(entry.config), given),
        env_overrides=overrides,
        weights=dict(arguments["weight"]),
        seed=arguments["seed"],
        num_seeds=arguments["seeds"],
        corpus=corpus,
        prior=arguments["prior"],
        prior_weight=arguments["prior_weight"],
    )

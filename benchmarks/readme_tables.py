"""Write the tables of the README and of the page of results: from the registry, and from the
results that are committed.

`python -m benchmarks.readme_tables` rewrites both in place; a test holds them to that.
"""

import json
import pathlib
import re
from collections.abc import Callable, Iterable, Mapping

from benchmarks.markdown import fill
from benchmarks.markdown import number as _number
from benchmarks.markdown import table as _table
from benchmarks.peers import OURS, PEERS
from benchmarks.record import RESULTS
from creative_rl import registry

README = pathlib.Path(__file__).parent.parent / "README.md"
PAGE = RESULTS / "README.md"
"""All results; the README has their goals."""
TITLES = {
    "demo": "The demo, before and after tuning",
    "rl_tuner": "RL Tuner's table",
    "digits_painting": "Digits painted, stroke by stroke",
    "digits_generation": "Digits generated",
    "creative": "A DQN, a GAN, and both together",
    "chorales": "Chorales, nats a frame",
    "seqgan": "SeqGAN's synthetic benchmark",
    "melody_mood": "Melodies to a mood",
    "robustness": "Moods under attack",
    "music_vae": "Melodies to a latent vector and back",
    "animation": "Clips: drift, and what tells them from real ones",
    "accompaniment": "Accompaniment: harmony against diversity",
    "ensembles": "Ensembles: several for one",
    "slateq": "Slates of videos: SlateQ's table",
    "dialogue": "Booking by dialogue",
    "pcgrl": "Levels: PCGRL's problems at budgets of changes",
    "sculpture": "Solids modelled with boxes",
    "strokes": "Strokes",
    "environments": "Stepping environments",
    "learners": "What the learners reach",
    "suite.quick": "Every environment, quick budget",
    "suite.standard": "Every environment, standard budget",
    "suite.full": "Every environment, full budget",
    "gan": "GAN updates",
    "seqgan_round": "Rounds of SeqGAN",
    "elites": "Archives of levels",
    "training": "Training",
    "populations": "Seeds in one program",
    "devices": "Cores as devices",
    "sweeps": "Runs of a sweep in one program",
    "replay": "Replay",
    "startup": "Start-up",
    "compile_time": "Compile time and memory, foretold",
    "checkpoints": "Checkpoints, and a hundred kills",
    "scaling": "Scaling",
    "performing": "Music in real time",
    "machine": "What the machine could do",
}

HEADLINES = (
    ("environments", "melody-theory, N=1024, times the plain Python environment",
     "RL Tuner's environment, 1,024 of them side by side, times a Python loop"),
    ("training", "ppo-4x128, times sb3", "PPO on CartPole, times Stable-Baselines3"),
    ("training", "ppo-4x128, times purejaxrl", "the same, times purejaxrl, all in one program too"),
    ("populations", "32 seeds in one program, times fresh processes one after another",
     "32 seeds in one program, times one process after another"),
    ("gan", "a step of the GAN, times PyTorch", "a step of a GAN, times PyTorch"),
    ("rl_tuner", "ppo: leaps resolved, against the published Q",
     "RL Tuner's table: leaps resolved, where its authors have 0.911"),
    ("pcgrl", "sokoban wide, ppo, 100 %: solvable, against the published",
     "Sokoban levels by PPO, share with a solution, where PCGRL's paper has 0.675"),
    ("digits_generation", "best learner: fid, below a Gaussian mixture's",
     "digits drawn by a GAN: Fréchet distance, where a Gaussian mixture has 0.706"),
    ("melody_mood", "valence on held-out targets, correlation",
     "melodies to a mood that is asked for: correlation of valence with it"),
    ("performing", "an event of the slowest, 99th percentile, ms",
     "an event of music played in time, 99th percentile, ms"),
)  # fmt: skip
"""Of the goals of the results, by file and name, those of the README's first screen, reached or
not; and in what words."""

RATES = ("steps/s", "GB/s read and written", "GFLOP/s")
"""Of the results of accelerators what is shown."""


def render(text: str) -> str:
    """A page's text with every marked table made anew."""
    tables = {
        "headlines": _headlines(),
        "environments": _entries("id", registry.ENVIRONMENTS),
        "learners": _entries("name", registry.LEARNERS),
        "goals": _goals(),
        "rl-tuner": _policies(json.loads(_path("rl_tuner").read_text())["rows"]),
        "results": "\n\n".join(_result(name) for name in _names()),
        "accelerators": _accelerators(),
    }
    return fill(text, tables)


def _names() -> list[str]:
    """Of the results those that are there, in the order of their titles."""
    return [name for name in TITLES if _path(name).is_file()]


def _goals() -> str:
    """How many goals of each result were reached, and the first of them."""
    rows = []
    for name in _names():
        goals = json.loads(_path(name).read_text())["goals"]
        num_reached = sum(bool(goal["reached"]) for goal in goals)
        first = _goal(goals[0])[:-1] if goals else ("–",) * 3
        reached = f"{num_reached} of {len(goals)}"
        rows.append((_link(TITLES[name], name), reached, *first))
    return _table(("result", "goals reached", "the first of them", "goal", "measured"), rows)


def _link(words: str, name: str) -> str:
    """From the README to a result on its page."""
    anchor = re.sub(r"[^\w -]", "", TITLES[name].lower()).replace(" ", "-")
    return f"[{words}]({PAGE.relative_to(README.parent).as_posix()}#{anchor})"


def _goal(goal: Mapping) -> tuple[str, str, str, str]:
    reached = "yes" if goal["reached"] else "no"
    return goal["what"], _number(goal["goal"]), _number(goal["value"]), reached


def _headlines() -> str:
    rows = []
    for name, what, words in HEADLINES:
        record = json.loads((RESULTS / f"{name}.json").read_text())
        goal = next(goal for goal in record["goals"] if goal["what"] == what)
        rows.append((_link(words, name), _number(goal["value"]), f"`{record['command']}`"))
    return _table(("on two cores of a CPU", "measured", "by"), rows)


def _entries(head: str, entries: Mapping) -> str:
    return _table((head, "what it is"), ((f"`{n}`", entry.summary) for n, entry in entries.items()))


def _result(name: str) -> str:
    record = json.loads(_path(name).read_text())
    machine = record["machine"]
    where = f"{machine['cores']} cores" if machine["device"] == "cpu" else machine["device"]
    command = f"`{record['command']}`, {record['date']}, {where}"
    tables = [_table(("what", "goal", "measured", "reached"), map(_goal, record["goals"]))]
    if figures := FIGURES.get(name, _times)(record["rows"]):
        tables.append(figures)
    if any(row["name"].endswith(", ceiling") for row in record["rows"]):
        tables.append(_ceilings(record["rows"]))
    if (picture := RESULTS / f"{name}.png").is_file():
        tables.append(f"![{TITLES[name]}]({picture.name})")
    return "\n\n".join([f"## {TITLES[name]}", command, *tables])


def _accelerators() -> str:
    """The rates of every result that was also measured on an accelerator."""
    parts = []
    for name in TITLES:
        for record in _elsewhere(name).values():
            rates = [row for row in record["rows"] if row["metric"] in RATES]
            if not rates:
                continue
            figures = ((row["name"], _number(row["value"]), row["metric"]) for row in rates)
            device, jax = record["machine"]["device"], record["versions"]["jax"]
            made = f"{record['date']}, {device}, JAX {jax}"
            command = f"{TITLES[name]}: `{record['command']}`, {made}, at {record['commit']}"
            parts.append(f"{command}\n\n{_table(('what', 'median', 'unit'), figures)}")
    return "\n\n".join(parts)


def _before_and_after(rows: Iterable[Mapping]) -> str:
    """All measures of both policies, each beside the published policy of the same place."""
    shown: dict[str, list[str]] = {}
    for row in rows:
        if row["name"] in ("prior", "tuned") and row["metric"] != "num_leaps":
            cells = shown.setdefault(row["metric"], [row["metric"].replace("_", " ")])
            cells += [_number(row["value"]), _number(row["published"])]
    return _table(
        ("measure", "prior", "published Note RNN", "tuned", "published Q"), shown.values()
    )


def _policies(rows: Iterable[Mapping]) -> str:
    """As `_measures`, with a column for every name."""
    cells = {(row["metric"].replace("_", " "), row["name"]): row for row in rows}
    measures = {key: row for key, row in cells.items() if row["metric"] != "num_leaps"}
    columns = dict.fromkeys(name for _, name in cells)
    return _crossed("mean over seeds (published)", columns, measures)


def _measures(rows: Iterable[Mapping]) -> str:
    """What was measured of each name, a column a measure, a figure of reference in brackets."""
    cells = {(row["name"], row["metric"]): row for row in rows}
    columns = dict.fromkeys(metric for _, metric in cells)
    return _crossed("mean over seeds (reference)", columns, cells)


def _crossed(corner: str, columns: Iterable[str], cells: Mapping[tuple[str, str], Mapping]) -> str:
    """A table of rows of a record by (line, column)."""
    shown: dict[str, dict[str, str]] = {}
    for (line, column), row in cells.items():
        published = "" if row["published"] is None else f" ({_number(row['published'])})"
        shown.setdefault(line, {})[column] = f"{_number(row['value'])}{published}"
    return _table(
        (corner, *columns),
        ([line, *(found.get(column, "–") for column in columns)] for line, found in shown.items()),
    )


def _returns(rows: Iterable[Mapping]) -> str:
    """Mean returns, each between the ends of its interval."""
    return _table(
        ("what", "mean return", "95 % from", "to", "seeds"),
        (
            [row["name"], *(_number(row[key]) for key in ("value", "low", "high", "seeds"))]
            for row in rows
        ),
    )


def _scores(rows: Iterable[Mapping]) -> str:
    """Means of every task's own metric, each between the ends of its interval."""
    keys = ("value", "low", "high", "seeds")
    return _table(
        ("task", "metric", "mean", "95 % from", "to", "seeds"),
        (
            [row["name"], row["metric"].replace("_", " "), *(_number(row[key]) for key in keys)]
            for row in rows
        ),
    )


def _times(rows: Iterable[Mapping]) -> str:
    """Ratios of speed, where there are any."""
    ratios = [row for row in rows if _is_ratio(row)]
    against_several = len({row["metric"] for row in ratios}) > 1
    figures = [
        [
            _ratio_name(row, against_several),
            *(_number(row[key]) for key in ("value", "low", "high")),
        ]
        for row in ratios
    ]
    return _table(("times as fast", "median", "low", "high"), figures) if figures else ""


def _laws(rows: Iterable[Mapping]) -> str:
    """The coefficients of every law; `docs/scaling.md` reads them."""
    end = ", law"
    figures = [
        (row["name"].removesuffix(end), row["metric"], _number(row["value"]))
        for row in rows
        if row["name"].endswith(end)
    ]
    return _table(("law of", "what", "value"), figures)


def _ceilings(rows: Iterable[Mapping]) -> str:
    """For every task its operations, the core's rate, and how near everybody comes to it."""
    found = {(row["name"], row["metric"]): row["value"] for row in rows}
    square = "products of 1024 x 1024"
    table = []
    for (name, metric), operations in found.items():
        if metric == "operations a step":
            group = name.removesuffix(", ceiling")
            rate = found[name, f"GFLOP/s of one core, {square}"]
            most = found[name, f"steps/s of one core, {square}"]
            shares = (
                found.get((f"{group}, {who}", f"share of the ceiling, {square}"))
                for who in (OURS, *PEERS)
            )
            figures = (operations, rate, most, *shares)
            table.append([group, *(_number(figure) for figure in figures)])
    return _table(
        ("share of the ceiling", "operations a step", "GFLOP/s", "steps/s", OURS, *PEERS), table
    )


def _is_ratio(row: Mapping) -> bool:
    """Ratios of wall time, of environments at their usual width of 1024."""
    is_wide = "N=" not in row["name"] or row["name"].endswith("N=1024")
    return row["metric"].startswith("ratio") and "processor" not in row["metric"] and is_wide


def _ratio_name(row: Mapping, against_several: bool) -> str:
    """The row's name, and what it is a ratio to where the table has several."""
    over = f" over {row['metric'].removeprefix('ratio to ')}" if against_several else ""
    return row["name"] + over


def _path(name: str) -> pathlib.Path:
    """Of a result; an accelerator's, with all parts and with goals, where there is no other."""
    path = RESULTS / f"{name}.json"
    if path.is_file():
        return path
    wholes = [
        other
        for other, record in _elsewhere(name).items()
        if record["goals"] and other.name.removeprefix(f"{name}.").count(".") == 1
    ]
    return next(iter(wholes), path)


def _elsewhere(name: str) -> dict[pathlib.Path, Mapping]:
    """What accelerators measured of it."""
    records = {
        path: json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{name}.*.json"))
    }
    return {
        path: record
        for path, record in records.items()
        if record["benchmark"] == name and record["machine"]["device"] != "cpu"
    }


FIGURES: Mapping[str, Callable[[Iterable[Mapping]], str]] = {
    "demo": _before_and_after,
    "rl_tuner": _policies,
    "music_vae": _policies,
    "digits_painting": _measures,
    "digits_generation": _measures,
    "creative": _measures,
    "chorales": _measures,
    "seqgan": _measures,
    "melody_mood": _measures,
    "animation": _measures,
    "accompaniment": _measures,
    "ensembles": _measures,
    "slateq": _measures,
    "robustness": _measures,
    "dialogue": _measures,
    "pcgrl": _measures,
    "sculpture": _measures,
    "learners": _returns,
    "suite.quick": _scores,
    "suite.standard": _scores,
    "suite.full": _scores,
    "performing": _measures,
    "machine": _measures,
    "checkpoints": _measures,
    "scaling": _laws,
    "devices": _measures,
}
"""How a result's rows are shown; those of others are ratios of speed."""


if __name__ == "__main__":
    for page in (README, PAGE):
        page.write_text(render(page.read_text()))

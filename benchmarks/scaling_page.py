"""Write the tables of docs/scaling.md: from `results/scaling.json`, and from data sheets.

`python -m benchmarks.scaling_page` rewrites them in place; a test holds the page to that.
"""

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks.accelerators import ACCELERATORS, Accelerator
from benchmarks.markdown import fill, number, table
from benchmarks.record import RESULTS
from benchmarks.speed import scaling_tasks as tasks
from benchmarks.speed.scaling_tasks import Update

PAGE = pathlib.Path(__file__).parent.parent / "docs" / "scaling.md"
RESULT = RESULTS / "scaling.json"
ONE_CORE, THREADS = "one core", "default threads"

TOTAL_STEPS = 1e12
NUM_ENVS, NUM_STEPS = 4096, 32
"""Of each accelerator, in an update."""
LAYERS = (64, 256)
"""Widths of both hidden layers; their parameters were counted where they were measured."""
NUMBERS = (8, 64, 512, 4096)
"""Of accelerators."""

Figures = Mapping[tuple[str, str], float]


class Law(NamedTuple):
    """PPO's, in what an accelerator can be compared by.

    Attributes:
      step_bytes: of memory that an environment step would move, if all but its products of
        matrices were bound by memory: its seconds times the core's rate of a copy.
      parameter_bytes: the same of an update, for each parameter.
      share: of the core's rate of products that its own products reach, at most all of it.
    """

    step_bytes: float
    parameter_bytes: float
    share: float


def law_of(figures: Figures) -> Law:
    """PPO's law, from the rows of the result."""
    law = f"{tasks.PPO}, law"
    copied = 1e9 * figures[tasks.PPO, "GB/s copied by NumPy"]
    rate = 1e9 * figures[tasks.PPO, "GFLOP/s of products"]
    spent = figures[law, f"s {tasks.OPERATION}"] * rate  # 1 at the core's own rate
    return Law(
        figures[law, f"s {tasks.STEP}"] * copied,
        figures[law, f"s {tasks.PARAMETER}"] * copied,
        1 / max(spent, 1.0),
    )


def update_seconds(accelerator: Accelerator, law: Law, parameters: float) -> float:
    """Of one accelerator for its part of an update, without what is sent."""
    task = Update(tasks.PPO, NUM_ENVS, NUM_STEPS, 0)
    moved = task.steps * law.step_bytes + parameters * law.parameter_bytes
    products = tasks.operations(task, parameters) / (law.share * accelerator.operations)
    return moved / accelerator.memory + products


def render(text: str) -> str:
    """The page's text with every marked table made anew."""
    if not RESULT.is_file():
        return fill(text, dict.fromkeys(_TABLES, f"Not measured: there is no {RESULT.name}."))
    record = json.loads(RESULT.read_text())
    figures = {(row["name"], row["metric"]): row["value"] for row in record["rows"]}
    machine = record["machine"]
    made = {name: write(figures) for name, write in _TABLES.items()}
    cores = f"{machine['cores']} cores of {machine['cpu']}"
    made["environments"] += f"\n\n`{record['command']}`, {record['date']}, {cores}."
    return fill(text, made)


def _environments(figures: Figures) -> str:
    rows = []
    for threads in (ONE_CORE, THREADS):
        for id in tasks.ENVIRONMENTS:
            law = f"{id}, {threads}, law"
            a, b = figures[law, "us a step of all"], figures[law, "ns an environment"]
            off, end = figures[law, "largest deviation %"], figures[law, "linear up to N"]
            row = (f"`{id}`", threads, number(a), number(b), number(off), f"{end:,.0f}")
            rows.append((*row, f"{1e9 / (1e3 * a / end + b):,.0f}"))
    head = ("environment", "with", "a, us", "b, ns", "largest deviation %", "linear up to N")
    return table((*head, "steps/s there"), rows)


def _canvas(figures: Figures) -> str:
    law = f"{tasks.CANVAS_ENVIRONMENT}, law"
    figures = {
        "an environment step, us": figures[law, "us an environment step"],
        "and a pixel, ns": figures[law, "ns a pixel"],
        "largest deviation %": figures[law, "largest deviation %"],
        "an update of PPO: an environment step, us": 1e6
        * figures[f"{tasks.PAINT}, law", f"s {tasks.STEP}"],
        "and a pixel of it, ns": 1e9 * figures[f"{tasks.PAINT}, law", f"s {tasks.PIXEL}"],
    }
    return table(("canvas", "value"), ((name, number(value)) for name, value in figures.items()))


def _updates(figures: Figures) -> str:
    units = {
        tasks.UPDATE: ("us", 1e6), tasks.STEP: ("ns", 1e9), tasks.SAMPLE: ("ns", 1e9),
        tasks.OPERATION: ("ps", 1e12), tasks.PARAMETER: ("ns", 1e9),
    }  # fmt: skip
    rows = []
    for name, (unit, factor) in units.items():
        cells = []
        for learner in (tasks.PPO, tasks.DQN):
            value = figures.get((f"{learner}, law", f"s {name}"))
            cells.append("–" if value is None else f"{number(factor * value)} {unit}")
        rows.append((name, *cells))
    for metric in ("largest deviation %", "largest deviation foretold %"):
        found = (figures[f"{learner}, law", metric] for learner in (tasks.PPO, tasks.DQN))
        rows.append((metric, *map(number, found)))
    return table(("for", "PPO", "DQN"), rows)


def _machine(figures: Figures) -> str:
    metrics = ("GB/s copied by NumPy", "GB/s of x + 1", "GFLOP/s of products")
    names = (f"{tasks.ENVIRONMENTS[0]}, {THREADS}", tasks.PPO)
    rows = ((metric, *(number(figures[name, metric]) for name in names)) for metric in metrics)
    return table(("machine", THREADS, ONE_CORE), rows)


def _communication(figures: Figures) -> str:
    rows = []
    for layers in LAYERS:
        parameters = _parameters(figures, layers)
        for num in NUMBERS:
            sent = ACCELERATORS[0].all_reduce_bytes(num, 4 * parameters) * tasks.PPO_GRADIENTS
            each = sent / (NUM_ENVS * NUM_STEPS)
            row = (f"{layers} x {layers}", f"{parameters:,.0f}", f"{num:,}")
            rows.append((*row, f"{sent / 1e6:.3g} MB", f"{each:.3g}"))
    head = ("layers", "parameters", "accelerators", "each sends in an update", "bytes a step")
    return table(head, rows)


def _projection(figures: Figures) -> str:
    law, rows = law_of(figures), []
    for accelerator in ACCELERATORS:
        for layers in LAYERS:
            for num in NUMBERS:
                rows.append(_projected(accelerator, law, layers, _parameters(figures, layers), num))
    head = ("accelerator", "layers", "number", "compute, us an update", "all-reduces, us an update")
    return table((*head, f"{TOTAL_STEPS:.0e} steps", "each all-reduce may wait, us"), rows)


def _projected(
    accelerator: Accelerator, law: Law, layers: int, parameters: float, num: int
) -> Iterable[str]:
    compute = update_seconds(accelerator, law, parameters)
    sent = tasks.PPO_GRADIENTS * accelerator.all_reduce_seconds(num, 4 * parameters)
    whole = TOTAL_STEPS / (num * NUM_ENVS * NUM_STEPS) * (compute + sent)
    waits = compute / tasks.PPO_GRADIENTS
    times = (number(1e6 * compute), number(1e6 * sent), _time(whole), number(1e6 * waits))
    return (accelerator.name, f"{layers} x {layers}", f"{num:,}", *times)


def _parameters(figures: Figures, layers: int) -> float:
    task = next(task for task in tasks.FITTED[tasks.PPO] if task.hidden_size == layers)
    return figures[task.key, "parameters"]


def _basis(figures: Figures) -> str:
    law = law_of(figures)
    rows = [
        ("bytes that an environment step stands for", number(law.step_bytes)),
        ("bytes that a parameter stands for in an update", number(law.parameter_bytes)),
        ("share of the rate of products that is reached", number(law.share)),
        *((f"{each.name}: source", each.source) for each in ACCELERATORS),
    ]
    return table(("what the table below is made of", "value"), rows)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


_TABLES = {
    "machine": _machine,
    "environments": _environments,
    "updates": _updates,
    "canvas": _canvas,
    "communication": _communication,
    "basis": _basis,
    "projection": _projection,
}


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text()))

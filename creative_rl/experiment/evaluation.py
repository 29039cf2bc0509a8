"""How good a run's learner is, with the uncertainty."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from creative_rl.atomic import write_json
from creative_rl.envs.arrangement import Arrangement
from creative_rl.experiment import memorisation
from creative_rl.experiment.opening import (
    OpenRun,
    Which,
    load_states,
    open_run,
    seed_state,
    update_of,
)
from creative_rl.experiment.rollouts import Episodes, starts
from creative_rl.metrics import (
    distinct_works,
    energy_correlation,
    playable_share,
    rl_tuner_metrics,
    self_bleu,
)
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.spaces import Discrete
from creative_rl.typing import Key, PyTree
from creative_rl.works import Melody, Text
from creative_rl.wrappers import Wrapper


class Row(NamedTuple):
    """A measure: its mean and the ends of the 95 % interval, which are None for one sample."""

    measure: str
    mean: float
    low: float | None
    high: float | None


class Evaluation(NamedTuple):
    """What was measured, and what is to be said about it."""

    rows: list[Row]
    notes: list[str]


def evaluate(
    path: str | os.PathLike, num: int = 1024, seed: int = 0, *, checkpoint: Which = "latest"
) -> Evaluation:
    """Play `num` episodes with every seed of a run, and write `evaluation.json` for its report.

    What plays is its newest `checkpoint`, its `best`, or that of an update.

    Rows are the return, the length, the sum of each reward term, for melodies and texts the share
    of distinct ones and (of two or more) self-BLEU, for melodies in RL Tuner's 38 events the
    measures of its published table, for those that a corpus was learned for originality, and for
    arrangements how they follow the energy that was wanted and whether they can be played. With one
    seed the interval is over episodes (measures of all episodes together have none); with several
    it is over the seeds' means, which is what tells one learner from another.

    The notes name the work that is nearest to the corpus, and warn of works that are too near.

    Raises:
      ValueError: as from `open_run` and `load_states`, or `num` is below 1.
    """
    opened = open_run(path)
    states = load_states(opened, checkpoint)
    spec = opened.run.spec
    num_seeds = spec.num_seeds or 1
    learned = memorisation.learned_from(opened, states)
    seeds, reports = [], []
    for i in range(num_seeds):
        state, key = seed_state(states, i), jax.random.key(seed)
        episodes = opened.play(state, key, num)
        seeds.append(measure(opened, episodes) | _as_asked(opened, state, key, episodes.works))
        if isinstance(learned, memorisation.Learned) and isinstance(episodes.works, Melody):
            reports.append(learned.report(episodes.works))
            seeds[-1] |= memorisation.measures(reports[-1])
    rows = [interval(name, _samples(seeds, name)) for name in seeds[0]]
    over = f"{num_seeds} seeds" if num_seeds > 1 else f"{num} episodes"
    notes = [f"{num} episodes; 95 % over {over}"]
    if checkpoint != "latest":
        update = update_of(opened.run, checkpoint)
        notes.append(f"of checkpoint {update}" + (", the best" if checkpoint == "best" else ""))
    if isinstance(learned, str):
        notes.append(learned)
    elif learned is not None and reports:
        notes += memorisation.notes(reports, learned, spec.seed)
    write_json(opened.run.path / "evaluation.json", as_table(rows, notes))
    return Evaluation(rows, notes)


def measure(opened: OpenRun, episodes: Episodes) -> dict[str, np.ndarray]:
    """Each measure's values: one an episode, or a single one of all episodes."""
    values: dict[str, Any] = {"return": episodes.episode_return, "length": episodes.episode_length}
    values |= {f"term_{name}": value for name, value in episodes.reward_terms.items()}
    if isinstance(episodes.works, Melody | Text):
        of_all = {"distinct_works": distinct_works(episodes.works)}
        if len(episodes.episode_return) > 1:
            of_all["self_bleu"] = self_bleu(episodes.works)
        is_tune = opened.env.action_space == Discrete(NUM_EVENTS)
        if isinstance(episodes.works, Melody) and is_tune:
            of_all |= rl_tuner_metrics(episodes.works)
        values |= {name: np.array([value]) for name, value in of_all.items()}
    return values


def _as_asked(opened: OpenRun, state: PyTree, key: Key, works: PyTree) -> dict[str, np.ndarray]:
    """Measures of arrangements against the curves that their episodes began with."""
    around, env = [], opened.env
    while isinstance(env, Wrapper):
        around.append(env)
        env = env.env
    if not isinstance(env, Arrangement):
        return {}
    begun = starts(opened.env, opened.params(state), key, len(works.length))
    for wrapper in around:
        begun = wrapper.env_state(begun)
    return {
        "energy_correlation": energy_correlation(works, begun.wanted),
        "playable_share": playable_share(works),
    }


def interval(name: str, samples: np.ndarray) -> Row:
    """Mean and 95 % interval, by Student's t.

    >>> interval("x", np.array([1.0, 2.0, 3.0])).high.round(3)
    np.float64(4.484)
    """
    samples = np.asarray(samples, np.float64)
    mean, num = float(samples.mean()), len(samples)
    if num < 2:
        return Row(name, mean, None, None)
    from scipy.stats import t

    half = t.ppf(0.975, num - 1) * samples.std(ddof=1) / np.sqrt(num)
    return Row(name, mean, mean - half, mean + half)


def as_table(rows: Sequence[Row], notes: Sequence[str]) -> dict[str, Any]:
    """As the report reads it."""
    return {
        "title": "Evaluation",
        "columns": ["measure", "mean", "low", "high"],
        "rows": [
            [row.measure, *(None if n is None else float(n) for n in row[1:])] for row in rows
        ],
        "notes": list(notes),
    }


def as_text(rows: Sequence[Row], notes: Sequence[str] = ()) -> str:
    """A table of `mean ± half the interval` for a terminal, and the notes below it."""
    width = max(len(row.measure) for row in rows)
    lines = []
    for row in rows:
        spread = "" if row.high is None else f" ± {row.high - row.mean:.3g}"
        lines.append(f"{row.measure:<{width}}  {row.mean:>10.4g}{spread}")
    return "\n".join([*lines, *notes])


def _samples(seeds: Sequence[Mapping[str, np.ndarray]], name: str) -> np.ndarray:
    """A measure's values over episodes where there is one seed, else over the seeds' means."""
    if len(seeds) == 1:
        return seeds[0][name]
    return np.array([values[name].mean() for values in seeds])

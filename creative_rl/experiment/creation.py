"""Works of a run's learner as files that people open."""

import logging
import os
import pathlib
import shutil
import tempfile
from typing import Any

import jax
import numpy as np

from creative_rl import works
from creative_rl.atomic import write_json
from creative_rl.experiment.opening import Which, load_states, open_run, seed_state
from creative_rl.experiment.rollouts import Episodes
from creative_rl.works import canvas, sculpture

NUM_CANDIDATES = 256
_TARGETS: dict[type, Any] = {
    works.Canvas: canvas.target_of,
    works.Sculpture: sculpture.target_of,
}
_log = logging.getLogger(__name__)


def create(
    path: str | os.PathLike,
    num: int = 8,
    *,
    num_best: int | None = None,
    seed: int = 0,
    checkpoint: Which = "latest",
) -> list[dict[str, Any]]:
    """Write works into `works/` of a run, in every format they have, and `works/index.json`.

    `sample-*` are the first episodes played, whatever they are worth: a fair sample. `best-*` are
    those with the highest return of `NUM_CANDIDATES` (or `num`, if more). Of several seeds, the one
    with the highest mean return plays. What lay in `works/` is replaced at the end. Formats whose
    package is not installed are left out, with a logged warning each.

    Args:
      path: the run directory.
      num: works in the fair sample.
      num_best: works among the best; None for at most four.
      seed: another one gives other works.
      checkpoint: which one plays: `latest`, `best`, or an update.

    Returns:
      The index: for each work its name, group, title, files by format and scores.

    Raises:
      ValueError: as from `open_run` and `load_states`; a number is below 1 (0 for `num_best`).
    """
    num_best = min(num, 4) if num_best is None else num_best
    num_candidates = max(num, num_best, NUM_CANDIDATES)
    if num < 1 or num_best < 0:
        raise ValueError(
            f"create: num must be at least 1 and num_best at least 0, got {num} and {num_best}"
        )
    opened = open_run(path)
    states = load_states(opened, checkpoint)
    played = [
        opened.play(seed_state(states, i), jax.random.key(seed), num_candidates)
        for i in range(opened.run.spec.num_seeds or 1)
    ]
    episodes = max(played, key=lambda episodes: episodes.episode_return.mean())
    best = np.argsort(-episodes.episode_return, kind="stable")[:num_best]
    chosen = [("best", i, int(n), f"best {i + 1} of {num_candidates}") for i, n in enumerate(best)]
    chosen += [("sample", n, n, f"sample {n + 1}") for n in range(num)]
    return _write(opened.run.works, episodes, chosen)


def _write(
    folder: pathlib.Path, episodes: Episodes, chosen: list[tuple[str, int, int, str]]
) -> list[dict[str, Any]]:
    """All files beside `folder` first, then in its place."""
    made = works.unbatch(episodes.works)
    beside = pathlib.Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    beside.chmod(0o755)
    index: list[dict[str, Any]] = []
    missing: dict[str, str] = {}
    try:
        for group, rank, number, title in chosen:
            name = f"{group}-{rank:02d}"
            index.append(
                {
                    "name": name,
                    "group": group,
                    "title": title,
                    "work": type(made[number]).__name__,
                    "files": _save(made[number], beside / name, missing),
                    "scores": _scores(episodes, number),
                }
            )
        write_json(beside / "index.json", index)
        for form, reason in missing.items():
            _log.warning("works are not written as %s: %s", form, reason)
        _replace(folder, beside)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return index


def _save(work: Any, path: pathlib.Path, missing: dict[str, str]) -> dict[str, str]:
    """File names by format; one whose package is not installed is left out, and noted as missing.

    `target` is a picture of what a drawing or a sculpture was to become.
    """
    wanted = {suffix[1:]: (work, path.with_suffix(suffix)) for suffix in works.suffixes(work)}
    target = _TARGETS[type(work)](work) if type(work) in _TARGETS else None
    if target is not None:
        wanted["target"] = target, path.with_name(f"{path.name}-target.png")
    files = {}
    for form, (shown, place) in wanted.items():
        try:
            files[form] = works.save(shown, place).name
        except ImportError as error:
            missing[form] = str(error)
    return files


def _scores(episodes: Episodes, number: int) -> dict[str, float]:
    scores = {"return": episodes.episode_return[number], "length": episodes.episode_length[number]}
    scores |= {name: values[number] for name, values in episodes.reward_terms.items()}
    return {name: round(float(value), 4) + 0.0 for name, value in scores.items()}


def _replace(folder: pathlib.Path, beside: pathlib.Path) -> None:
    """`beside` takes the place of `folder`."""
    old = beside.with_name(f"{beside.name}.old")
    if folder.exists():
        os.rename(folder, old)
    os.rename(beside, folder)
    shutil.rmtree(old, ignore_errors=True)

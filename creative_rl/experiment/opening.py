"""From a run directory to what it was made of, its state, and episodes of it."""

import os
from typing import Any, Literal, NamedTuple

import jax

from creative_rl.experiment import best, checkpoint
from creative_rl.experiment.assembly import build, seed_keys
from creative_rl.experiment.rollouts import Episodes, rollout
from creative_rl.experiment.run import Run
from creative_rl.typing import Key, Learner, PyTree

Which = int | Literal["latest", "best"]
"""A checkpoint: the newest, the best, or that of an update."""


class OpenRun(NamedTuple):
    """A run directory with what it was made of."""

    run: Run
    env: Any
    learner: Learner

    def params(self, state: PyTree) -> PyTree:
        """The environment's params as the run left them in one seed's state."""
        params = getattr(state, "env_params", None)
        return self.env.default_params if params is None else params

    def play(self, state: PyTree, key: Key, num: int) -> Episodes:
        """Episodes in the environment as the run had it: with the params of its own state."""
        return rollout(self.env, self.params(state), self.learner, state, key, num)


def open_run(path: str | os.PathLike) -> OpenRun:
    """Read a run directory and build what it was made of.

    Raises:
      ValueError: it is no run that this version of environment and package can go on with.
    """
    run = Run.open(path)
    try:
        env, learner = build(run.spec)
    except FileNotFoundError as error:
        raise ValueError(
            f"{path}: what it was trained on must lie where it was: {error}"
        ) from error
    run.check_environment(env.version)
    return OpenRun(run, env, learner)


def load_states(opened: OpenRun, which: Which = "latest") -> PyTree:
    """A checkpoint's state, always with a leading axis of seeds.

    Args:
      opened: the run.
      which: `latest`, the newest that can be read; `best` (see `best`); or the update of one.

    Raises:
      ValueError: there is no such checkpoint, or it cannot be read.
    """
    run, _, learner = opened
    keys = seed_keys(run.spec)
    init = learner.init if run.spec.num_seeds is None else jax.vmap(learner.init)
    template = jax.eval_shape(init, keys)
    state, _ = checkpoint.restore(run.checkpoints, template, update_of(run, which))
    return state if run.spec.num_seeds is not None else jax.tree.map(lambda leaf: leaf[None], state)


def update_of(run: Run, which: Which) -> int | None:
    """The update of a checkpoint; None for the newest.

    Raises:
      ValueError: it is neither a number nor `latest` or `best`, or nothing tells which is best.
    """
    if which == "latest":
        return None
    if which != "best":
        if not isinstance(which, int) or isinstance(which, bool):
            raise ValueError(f"checkpoint: it is latest, best or an update, got {which!r}")
        return which
    scores = best.read_scores(run.path / "metrics.jsonl")
    update = checkpoint.best_of(checkpoint.updates(run.checkpoints), scores.score)
    if update is None:
        raise ValueError(
            f"{run.path}: no metric tells which checkpoint is the best; take latest, or one of "
            f"{checkpoint.updates(run.checkpoints)}"
        )
    return update


def seed_state(states: PyTree, index: int) -> PyTree:
    """One seed's state."""
    return jax.tree.map(lambda leaf: leaf[index], states)

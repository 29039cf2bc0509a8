"""From a run directory to what it was made of, its state, and episodes of it."""

import os
from typing import Any, NamedTuple

import jax

from creative_rl.experiment import checkpoint
from creative_rl.experiment.assembly import build, seed_keys
from creative_rl.experiment.rollouts import Episodes, rollout
from creative_rl.experiment.run import Run
from creative_rl.typing import Key, Learner, PyTree


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


def load_states(opened: OpenRun) -> PyTree:
    """The newest checkpoint's state, always with a leading axis of seeds.

    Raises:
      ValueError: there is no checkpoint that can be read.
    """
    run, _, learner = opened
    keys = seed_keys(run.spec)
    init = learner.init if run.spec.num_seeds is None else jax.vmap(learner.init)
    state, _ = checkpoint.restore(run.checkpoints, jax.eval_shape(init, keys))
    return state if run.spec.num_seeds is not None else jax.tree.map(lambda leaf: leaf[None], state)


def seed_state(states: PyTree, index: int) -> PyTree:
    """One seed's state."""
    return jax.tree.map(lambda leaf: leaf[index], states)

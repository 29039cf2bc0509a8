"""Several seeds of one learner that act as one: their policies are averaged with weights.

Source: Wiering and van Hasselt, "Ensemble algorithms in reinforcement learning" (IEEE Trans.
SMC-B 38(4), 2008): independent learners whose policies are combined. A `mixture` is the weighted
mean of their probabilities, a `product` the weighted geometric mean; equations in `ops.pooling`.

Of `dqn` the policies are those of its values over its temperature: it takes the best action, which
of a product is that of the mean value. Learners that draw draw from what was pooled.

Deviations: members learn from their own episodes and by their own actions, not from those of the
ensemble; weights are given, and stay as they are.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.axes import STACKED
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.networks import repeat_memory
from creative_rl.ops import pooling as pools
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key

Weights = Sequence[float] | np.ndarray | Array

_POOLS = {"mixture": pools.mixture_logits, "product": pools.product_logits}


class EnsembleState(flax.struct.PyTreeNode):
    """The members' states, and how much each has to say."""

    members: PyTree = flax.struct.field(metadata=STACKED)  # leaves [M, ...]
    weights: Array  # float32[M], at least 0, of sum 1

    @property
    def env_params(self) -> PyTree:
        """The environment's params of the first member; rewards that learn may differ in others.

        Members that keep none, such as those of `likelihood`, raise AttributeError, as they do.
        """
        return jax.tree.map(lambda leaf: leaf[0], self.members.env_params)


def ensemble(
    env: Any,
    learner: Learner,
    num_members: int,
    pooling: str = "mixture",
    weights: Weights | None = None,
) -> Learner:
    """Build the learner of which `num_members` seeds train side by side and act as one.

    Members that have been trained already, with `train(..., num_seeds=M)`, make a state by
    `of_members`; and numbers in a state's `weights` change without compiling anew. `generate` is
    there for environments with a horizon, with their default params.

    Args:
      env: the learner's environment, with `Discrete` actions.
      learner: one with a `policy`: ppo, a2c, reinforce, sac, dqn, likelihood.
      num_members: at least 1.
      pooling: how to average, `mixture` or `product`; see above.
      weights: as for `of_members`, of states from `init`.

    Raises:
      ValueError: an argument is none of these.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("melody-theory")
      >>> member = crl.learners.ppo(env, crl.PPOConfig(num_envs=4, num_steps=32))
      >>> learner = ensemble(env, member, 3, pooling="product")
      >>> state, metrics = learner.update(learner.init(jax.random.key(0)))
      >>> learner.generate(state, jax.random.key(1), 2).events.shape
      (2, 32)
    """
    requirements.num_actions("ensemble", env)
    if not isinstance(learner, Learner):
        raise ValueError(
            "ensemble takes a learner, such as learners.ppo(env, config) gives, got "
            f"{type(learner).__name__}"
        )
    policy = learner.policy
    if policy is None:
        raise ValueError(
            "ensemble: the learner must have a policy, as ppo, a2c, reinforce, sac, dqn and "
            f"likelihood have, got one without, {learner.act.__qualname__}"
        )
    if isinstance(num_members, bool) or not isinstance(num_members, int) or num_members < 1:
        raise ValueError(
            f"ensemble: num_members must be a whole number of at least 1, got {num_members!r}"
        )
    if not isinstance(pooling, str) or pooling not in _POOLS:
        raise ValueError(f"ensemble: pooling must be one of {', '.join(_POOLS)}, got {pooling!r}")
    shares = _shares(weights, num_members)
    pool, fresh = _POOLS[pooling], learner.init_memory

    def init(key: Key) -> EnsembleState:
        # One after another: an initialiser that decomposes matrices must not do it in batches.
        members = jax.lax.map(learner.init, jax.random.split(as_key(key), num_members))
        return EnsembleState(members, jnp.array(shares))

    def update(state: EnsembleState) -> tuple[EnsembleState, dict[str, Array]]:
        members, metrics = jax.vmap(learner.update)(state.members)
        return state.replace(members=members), _of_all(metrics)

    def outputs(state: EnsembleState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        _check_state(state, num_members)
        logits, memory = jax.vmap(policy.outputs, (0, None, 0))(state.members, timestep, memory)
        return pool(logits, state.weights), memory

    def init_memory() -> PyTree:
        return repeat_memory(fresh(), num_members)

    joint = Policy(outputs, policy.choose)

    def generate(state: EnsembleState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], of episodes that are acted by all together."""
        return compose(env, env.default_params, partial(joint.act, state), init_memory, key, num)

    steps = num_members * learner.steps_per_update
    return Learner(
        init, update, joint.act, init_memory, steps, generate if env.horizon else None, joint
    )


def of_members(members: PyTree, weights: Weights | None = None) -> EnsembleState:
    """The state of an ensemble of members that were trained, such as `train` returns of seeds.

    Args:
      members: states of one learner, leaves [M, ...].
      weights: M numbers of at least 0, not all of them 0; they are divided by their sum. None for
        equal ones.

    Raises:
      ValueError: the members have no leading axis of one size, or the weights are none of these.
    """
    sizes = {leaf.shape[:1] for leaf in jax.tree.leaves(members)}
    if len(sizes) != 1 or () in sizes:
        raise ValueError(
            "ensemble: members must have a leading axis of one size in every array, as states of "
            f"train(..., num_seeds=M), got the sizes {sorted(sizes)}"
        )
    (num_members,) = sizes.pop()
    return EnsembleState(members, jnp.array(_shares(weights, num_members)))


def _shares(weights: Any, num_members: int) -> np.ndarray:
    """float32[M] of sum 1."""
    try:
        given = np.ones(num_members) if weights is None else np.asarray(weights, np.float64)
        is_right = given.shape == (num_members,) and (given >= 0).all()
    except (TypeError, ValueError):  # what makes no array of numbers
        is_right = False
    if not is_right or not 0 < given.sum() < math.inf:
        raise ValueError(
            f"ensemble: weights must be {num_members} finite numbers of at least 0, one a member "
            f"and not all 0, got {weights!r}"
        )
    return (given / given.sum()).astype(np.float32)


def _check_state(state: Any, num_members: int) -> None:
    """Refuse to act with what is no state of `num_members`; it costs nothing in a program."""
    is_ensemble = isinstance(state, EnsembleState)
    if not is_ensemble or state.weights.shape != (num_members,):
        given = f"{state.weights.size} members" if is_ensemble else type(state).__name__
        raise ValueError(
            f"ensemble: state must be of {num_members} members, as from init or of_members, got "
            f"{given}"
        )


def _of_all(metrics: dict[str, Array]) -> dict[str, Array]:
    """Metrics of the members, [M] each, as one: numbers are means, of episodes those over all
    episodes; counts are summed; what is true or false is true of all."""
    counts = metrics.get("num_episodes")

    def of_all(name: str, values: Array) -> Array:
        if values.dtype == jnp.bool_:
            return values.all()
        if jnp.issubdtype(values.dtype, jnp.integer):
            return values.sum(dtype=values.dtype)
        if counts is not None and name.startswith("episode_"):
            return (values * counts).sum() / jnp.maximum(counts.sum(), 1)
        return values.mean()

    return {name: of_all(name, values) for name, values in metrics.items()}

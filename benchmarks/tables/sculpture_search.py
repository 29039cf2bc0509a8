"""An expert who has searched: of many episodes of the rule with slips, the best for every solid."""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from creative_rl.envs.sculpture_boxes import BoxParams, BoxSculpture
from creative_rl.ops.boxes import SIZE
from creative_rl.ops.distributions import uniform_action
from creative_rl.ops.voxels import rows
from creative_rl.typing import Array, Key, PyTree
from creative_rl.wrappers import Wrapper


class Plan(NamedTuple):
    """For each of M solids an episode of T steps."""

    targets: Array  # uint32[M, 16, 16]
    boxes: Array  # uint8[M, T, 27, 6]: before each step
    actions: Array  # int32[M, T]
    worth: Array  # float32[M]: of the last boxes


def search(env: BoxSculpture, params: BoxParams, key: Key, num: int, slips: float) -> Plan:
    """The episodes whose rewards sum to most, of `num` for every solid.

    Args:
      env: sees the target.
      params: whose solids.
      key: of the slips.
      num: episodes for each solid; the first is without slips, so the plan is never worse than the
        rule.
      slips: share of steps in which any allowed action is taken instead, at first; it falls in a
        line to nothing at the end.
    """
    keys = jax.random.split(key, (params.targets.shape[0], num))
    return _search(env, num, params, keys, jnp.float32(slips))


@partial(jax.jit, static_argnums=(0, 1))
def _search(env: BoxSculpture, num: int, params: BoxParams, keys: Key, slips: Array) -> Plan:
    has_slips = jnp.arange(num) > 0

    def best(solid: tuple[Array, Array, Key]) -> Plan:
        target, view, keys = solid
        alone = params.replace(targets=target[None], views=view[None])
        play = jax.vmap(partial(_episode, env, alone))
        boxes, actions, worth = play(keys, slips * has_slips)
        first = jnp.argmax(worth)
        return Plan(target, boxes[first], actions[first], worth[first])

    return jax.lax.map(best, (params.targets, params.views, keys))


def _episode(
    env: BoxSculpture, params: BoxParams, key: Key, slips: Array
) -> tuple[Array, Array, Array]:
    """What a `Plan` has, of one episode."""
    key_reset, key_steps = jax.random.split(key)

    def step(carry: PyTree, uniform: Array) -> tuple[PyTree, tuple[Array, Array]]:
        state, timestep = carry
        left = 1.0 - state.step / env.num_steps
        ruled = env.rule_action(timestep.observation)
        slipped = uniform_action(uniform[1], env.action_space.num, timestep.action_mask)
        action = jnp.where(uniform[0] < slips * left, slipped, ruled)
        after = env.transition(key, state, action, params)
        return after, (state.boxes.astype(jnp.uint8), action)

    uniforms = jax.random.uniform(key_steps, (env.num_steps, 2))
    (state, _), (boxes, actions) = jax.lax.scan(step, env.reset(key_reset, params), uniforms)
    return boxes, actions, state.fit.worth


@dataclasses.dataclass(frozen=True, eq=False)
class Planned(Wrapper):
    """The environment with another rule: the plan's action where the boxes are as planned, else
    the environment's own.

    Attributes:
      env: a `BoxSculpture` that sees the target, of the plan's solids.
      plan: what to do.
    """

    plan: Any = None

    def rule_action(self, observation: PyTree) -> Array:
        step = jnp.minimum(observation["step"], self.plan.actions.shape[1] - 1)
        boxes = jnp.round(observation["boxes"] * SIZE).astype(jnp.uint8)
        seen = rows(observation["target"] > 0.5)
        solid = jnp.argmax((self.plan.targets == seen[None]).all(axis=(1, 2)))
        is_planned = (self.plan.boxes[solid, step] == boxes).all()
        action = self.plan.actions[solid, step]
        return jnp.where(is_planned, action, self.env.rule_action(observation))

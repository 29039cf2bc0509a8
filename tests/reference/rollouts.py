"""Policy gradients the slow way: step by step, from what an environment has recorded."""

import dataclasses
import functools

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.environment import Environment
from creative_rl.networks import Model
from creative_rl.ops.action_heads import action_head
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.typing import Term


class DriftState(flax.struct.PyTreeNode):
    place: jax.Array
    action: jax.Array
    step: jax.Array


class DriftParams(flax.struct.PyTreeNode):
    weights: dict
    seen: dict  # leaves [T, B, ...]: what the last update's steps led to


def _reward(seen):
    return seen.state.place[0] * (seen.action - 1.0) + 0.3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Drift(Environment):
    """A random walk, that terminates by chance and is truncated after 4 steps.

    Observations tell the last action, and params keep the last update's steps: together they are
    the whole rollout. Every episode starts at the same place.
    """

    num_envs: int
    num_steps: int
    masked: bool = False  # the last action is not allowed again
    terms: tuple[Term, ...] = (Term("drift", _reward),)

    @property
    def observation_space(self):
        return Dict({"place": Box(-9.0, 9.0, (2,)), "action": Discrete(3)})

    @property
    def action_space(self):
        return Discrete(3)

    @property
    def default_params(self):
        shape = (self.num_steps, self.num_envs)
        observation, yes = self.observation_space.zeros(shape), jnp.zeros(shape, jnp.bool_)
        return DriftParams(
            weights=self.default_weights,
            seen={
                "observation": observation,
                "led_to": observation,
                "reward": jnp.zeros(shape, jnp.float32),
                "terminated": yes,
                "truncated": yes,
            },
        )

    def initial_state(self, key, params):
        return DriftState(jnp.array([0.5, 0.0], jnp.float32), jnp.int32(0), jnp.int32(0))

    def next_state(self, key, state, action, params):
        place = state.place + jax.random.normal(key, (2,), jnp.float32)
        return DriftState(place, action, state.step + 1)

    def observe(self, state, params):
        return {"place": state.place, "action": state.action}

    def end(self, state, params):
        terminated = state.place[1] > 1.2
        return terminated, ~terminated & (state.step >= 4)

    def action_mask(self, state, params):
        return jnp.arange(3) != state.action if self.masked else None

    def work(self, state, params):
        return {"place": state.place}

    def update_params(self, params, timesteps):
        seen = {
            "observation": timesteps.observation,
            "led_to": timesteps.info.get("final_observation", timesteps.observation),
            "reward": timesteps.reward,
            "terminated": timesteps.terminated,
            "truncated": timesteps.truncated,
        }
        return params.replace(seen=seen)


@dataclasses.dataclass(frozen=True)
class Step:
    """What the slow objectives read of one step; arrays are differentiable in the variables."""

    log_prob: jax.Array
    entropy: jax.Array
    value: jax.Array
    next_value: jax.Array  # of what the step led to
    reward: float
    terminated: bool
    ended: bool


@functools.cache
def _network(model):
    """Jitted once for all walks, because a trace of each call takes longer than all else."""
    return jax.jit(model.apply)


def walk(env, config, variables, first, starts, memory, seen):
    """For every environment its list of `Step`s, one call of a network at a time.

    Args:
      variables: of "actor" and "critic"; without "critic" values are zero.
      first: observations [B, ...] that the rollout starts from.
      starts: bool[B], where they start an episode.
      memory: of "actor" and "critic", leaves [B, ...], from before them.
      seen: what the steps led to, leaves [T, B, ...].
    """
    head = action_head(env.action_space)
    widths = {"actor": head.num_outputs, "critic": 1}
    models = {
        name: Model(
            env.observation_space, width, config.hidden_sizes, config.recurrent, config.memory_size
        )
        for name, width in widths.items()
    }

    def at(tree, *index):
        return jax.tree.map(lambda leaf: leaf[index], tree)

    # What is only read is NumPy's: to index an array of JAX takes longer.
    first, starts, memory, seen = jax.tree.map(np.asarray, (first, starts, memory, seen))

    def apply(name, observation, state):
        if name not in variables:
            return jnp.zeros(1), state
        return _network(models[name])(variables[name], observation, state)

    episodes = []
    for b in range(env.num_envs):
        states, steps = {name: at(memory[name], b) for name in memory}, []
        observation, is_start = at(first, b), bool(starts[b])
        for t in range(env.num_steps):
            if is_start:
                states = {name: models[name].init_memory() for name in models}
            outputs, states["actor"] = apply("actor", observation, states["actor"])
            if env.masked:
                outputs = jnp.where(np.arange(3) != observation["action"], outputs, -1e9)
            value, states["critic"] = apply("critic", observation, states["critic"])
            next_value, _ = apply("critic", at(seen["led_to"], t, b), states["critic"])
            steps.append(
                Step(
                    log_prob=jax.nn.log_softmax(outputs)[seen["led_to"]["action"][t, b]],
                    entropy=-(jax.nn.softmax(outputs) * jax.nn.log_softmax(outputs)).sum(),
                    value=value[0],
                    next_value=next_value[0],
                    reward=float(seen["reward"][t, b]),
                    terminated=bool(seen["terminated"][t, b]),
                    ended=bool(seen["terminated"][t, b] | seen["truncated"][t, b]),
                )
            )
            observation, is_start = at(seen["observation"], t, b), steps[-1].ended
        episodes.append(steps)
    return episodes


def return_from(steps, t, gamma):
    """Rewards from `t` to the end of its episode or of the steps, then the value of the rest."""
    total, discount = 0.0, 1.0
    for step in steps[t:]:
        total += discount * step.reward
        discount *= gamma
        if step.ended:
            break
    return total + (0.0 if step.terminated else discount * step.next_value)


def advantage_from(steps, t, gamma, gae_lambda):
    """The sum of decayed temporal differences up to the end of the episode or of the steps."""
    total, decay = 0.0, 1.0
    for step in steps[t:]:
        beyond = 0.0 if step.terminated else gamma * step.next_value
        total += decay * (step.reward + beyond - step.value)
        decay *= gamma * gae_lambda
        if step.ended:
            break
    return total


def objective(steps, advantages, goals, config):
    """Policy loss, value loss and entropy bonus of a list of steps; the other two are constants."""
    if config.normalize_advantages:
        advantages = (advantages - np.mean(advantages)) / (np.std(advantages) + 1e-8)
    total = 0.0
    for step, advantage, goal in zip(steps, advantages, goals, strict=True):
        total -= step.log_prob * float(advantage)
        total += config.value_coef * 0.5 * (step.value - float(goal)) ** 2
        total -= config.entropy_coef * step.entropy
    return total / len(steps)

"""The learned reward, against the probabilities of the whole sequence worked out beside it."""

import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.wrappers import LikelihoodReward

ACTIONS = (4, 4, 20, 0, 37, 1, 2, 2, 30, 5, 9, 17)


class Recurrent(nn.Module):
    """tanh(W one_hot + U memory), and a linear head."""

    num: int = 38
    size: int = 3

    def init_memory(self):
        return jnp.zeros(self.size, jnp.float32)

    @nn.compact
    def __call__(self, observation, memory):
        into = nn.Dense(self.size, name="into")(jax.nn.one_hot(observation, self.num))
        memory = jnp.tanh(into + nn.Dense(self.size, use_bias=False, name="again")(memory))
        return nn.Dense(self.num, name="head")(memory), memory


@pytest.fixture(scope="module")
def played():
    """The environment, its params (weight 1/2) and the timesteps of `ACTIONS` and two beyond."""
    env = LikelihoodReward(crl.make("melody-theory", length=len(ACTIONS)), Recurrent())
    defaults = env.default_params
    params = env.init_params(defaults.env, defaults.variables, weight=0.5)
    state, timestep = env.reset(jax.random.key(3), params)
    timesteps, states = [timestep], [state]
    step = jax.jit(env.step)
    for action in (*ACTIONS, 7, 7):
        state, timestep = step(jax.random.key(0), state, jnp.int32(action), params)
        timesteps.append(timestep)
        states.append(state)
    return env, params, states, timesteps


def log_probs_by_hand(variables, events):
    """log p(events[t + 1] | events[: t + 1]) in NumPy and float64."""
    p = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    memory, log_probs = np.zeros(3), []
    for event, following in itertools.pairwise(events):
        into = p["into"]["kernel"][event] + p["into"]["bias"]
        memory = np.tanh(into + memory @ p["again"]["kernel"])
        logits = memory @ p["head"]["kernel"] + p["head"]["bias"]
        log_probs.append(logits[following] - np.log(np.exp(logits).sum()))
    return log_probs


def test_each_step_pays_the_log_probability_given_all_before(played):
    _, params, _, timesteps = played
    primer = int(timesteps[0].observation)
    expected = log_probs_by_hand(params.variables, [primer, *ACTIONS])
    found = [float(t.info["reward_terms"]["log_likelihood"]) for t in timesteps[1:-2]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_reward_adds_the_weighted_term(played):
    env, params, _, timesteps = played
    state, _ = env.env.reset(jax.random.key(3), params.env)
    for action, timestep in zip(ACTIONS, timesteps[1:-2], strict=True):
        state, inner = env.env.step(jax.random.key(0), state, jnp.int32(action), params.env)
        extra = 0.5 * timestep.info["reward_terms"]["log_likelihood"]
        np.testing.assert_allclose(timestep.reward, inner.reward + extra, rtol=1e-5)
        assert set(inner.info["reward_terms"]) | {"log_likelihood"} == set(
            timestep.info["reward_terms"]
        )


def test_nothing_is_paid_at_reset_or_past_the_end(played):
    _, _, states, timesteps = played
    assert float(timesteps[0].reward) == 0.0
    assert float(timesteps[0].info["reward_terms"]["log_likelihood"]) == 0.0
    for timestep in timesteps[-2:]:
        assert bool(timestep.terminated) and float(timestep.reward) == 0.0
        assert float(timestep.info["reward_terms"]["log_likelihood"]) == 0.0
    end, past = states[-3], states[-1]
    np.testing.assert_array_equal(end.memory, past.memory)
    np.testing.assert_array_equal(end.log_probs, past.log_probs)


def test_the_model_is_in_the_params_so_a_better_one_compiles_nothing(played):
    env, params, states, _ = played
    traces = []

    @jax.jit
    def paid(params):
        traces.append(params)
        _, timestep = env.step(jax.random.key(0), states[0], jnp.int32(5), params)
        return timestep.reward

    first = paid(params)
    heavier = env.init_params(params.env, params.variables, weight=5.0)
    assert float(paid(heavier)) < float(first) and len(traces) == 1
    uniform = jax.tree.map(jnp.zeros_like, params.variables)
    state, _ = env.reset(jax.random.key(3), params.replace(variables=uniform))
    np.testing.assert_allclose(state.log_probs, -np.log(38), rtol=1e-6)


def test_the_work_is_the_wrapped_environments(played):
    env, params, states, _ = played
    assert env.work(states[-1], params).events.tolist() == list(ACTIONS)


def test_actions_that_no_model_tells_apart_are_refused():
    with pytest.raises(ValueError, match=r"LikelihoodReward: actions must be Discrete, .* Box\("):
        LikelihoodReward(crl.make("drawing-pixels"), Recurrent())

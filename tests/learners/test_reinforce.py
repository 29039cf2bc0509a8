"""REINFORCE against an objective that is written step by step, on episodes of all lengths."""

import dataclasses
from typing import ClassVar

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case
from reference import rollouts

import creative_rl as crl
from creative_rl.configs import ReinforceConfig
from creative_rl.envs.grid_path import GridPath
from creative_rl.learners import reinforce
from creative_rl.networks import repeat_memory
from creative_rl.spaces import Discrete
from creative_rl.testing import probes
from creative_rl.typing import Term
from creative_rl.wrappers import AutoReset, NoveltyReward

CASE = Case(
    small=ReinforceConfig(num_envs=4, hidden_sizes=(8,), memory_size=4),
    recurrences=("none", "gru"),
    probe=ReinforceConfig(
        num_envs=64, gamma=GAMMA, learning_rate=1e-2, hidden_sizes=(16,), memory_size=16
    ),
    probe_updates=300,
)

TINY = ReinforceConfig(
    num_envs=3, hidden_sizes=(4,), memory_size=3, gamma=0.8, max_grad_norm=1e9, entropy_coef=0.3,
    value_coef=0.7,
)  # fmt: skip


def flat(tree):
    return np.asarray(jax.flatten_util.ravel_pytree(tree)[0])


def first_gradient(state):
    """Of Adam's first moment a tenth is the new gradient."""
    (mu,) = [
        leaf
        for path, leaf in jax.tree_util.tree_flatten_with_path(state.opt_state)[0]
        if jax.tree_util.keystr(path).endswith(".mu")
    ]
    return np.asarray(mu).ravel() * 10


def slow_gradient(env, config, variables, seen):
    """And the episodes; steps past an end are left out, none is the rollout's but the first."""
    _, start = jax.vmap(env.reset, (0, None))(
        jax.random.split(jax.random.key(0), env.num_envs), env.default_params
    )
    starts = np.ones(env.num_envs, bool)
    memory = repeat_memory({"actor": (), "critic": ()}, env.num_envs)

    def walk(variables):
        rows = rollouts.walk(env, config, variables, start.observation, starts, memory, seen)
        lengths = [next((t + 1 for t, s in enumerate(row) if s.ended), len(row)) for row in rows]
        return [row[:length] for row, length in zip(rows, lengths, strict=True)]

    episodes = walk(variables)
    goals = np.array([
        rollouts.return_from(row, t, config.gamma) for row in episodes for t in range(len(row))
    ])  # fmt: skip
    values = np.array([step.value for row in episodes for step in row])
    if not config.baseline:
        values = np.zeros_like(values)

    def total(variables):
        row = [step for row in walk(variables) for step in row]
        return rollouts.objective(row, goals - values, goals, config)

    return flat(jax.grad(total)(variables)), episodes


CASES = {
    "baseline": {},
    "no baseline": {"baseline": False},
    "normalised": {"normalize_advantages": True},
    "gru": {"recurrent": "gru"},
    "masked": {},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("num_steps", [3, 6], ids=["cut", "whole"])
def test_the_gradient_is_that_of_the_objective_step_by_step(case, num_steps):
    """Episodes terminate by chance and are truncated after 4 steps, or cut after 3."""
    config = dataclasses.replace(TINY, num_steps=num_steps, **CASES[case])
    env = rollouts.Drift(num_envs=3, num_steps=num_steps, masked=case == "masked")
    learner = reinforce(env, config)
    before = learner.init(jax.random.key(3))
    after, metrics = jax.jit(learner.update)(before)
    seen = after.env_params.seen
    expected, episodes = slow_gradient(env, config, before.variables, seen)
    np.testing.assert_allclose(first_gradient(after), expected, rtol=2e-3, atol=1e-5)
    assert {row[-1].terminated for row in episodes} == {True, False}
    lengths = [len(row) for row in episodes if row[-1].ended]
    assert int(metrics["num_episodes"]) == len(lengths)
    np.testing.assert_allclose(metrics["episode_length"], np.mean(lengths), rtol=1e-6)
    returns = [sum(step.reward for step in row) for row in episodes if row[-1].ended]
    np.testing.assert_allclose(metrics["episode_return"], np.mean(returns), rtol=1e-5)


def test_act_draws_from_what_is_allowed(key):
    env = rollouts.Drift(num_envs=3, num_steps=6, masked=True)
    learner = reinforce(env, dataclasses.replace(TINY, num_steps=6))
    state = learner.init(key)
    _, timestep = env.reset(key, env.default_params)
    act = jax.vmap(lambda key: learner.act(state, key, timestep, ())[0])
    assert set(act(jax.random.split(key, 64)).tolist()) == {1, 2}


@dataclasses.dataclass(frozen=True)
class Ladder(probes.DiscountProbe):
    """Three steps of rewards 1, 2 and 4."""

    num_steps: ClassVar[int] = 3
    terms: tuple[Term, ...] = (
        Term("reward", lambda seen: (2**seen.state.step).astype(jnp.float32)),
    )

    @property
    def observation_space(self):
        return Discrete(4)

    def observe(self, state, params):
        return state.step


@dataclasses.dataclass(frozen=True)
class CutLadder(Ladder):
    def end(self, state, params):
        return jnp.bool_(False), state.step >= self.num_steps


@pytest.mark.parametrize(
    ("env", "num_steps", "value", "returns"),
    [
        (Ladder(), None, 8.0, [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4]),
        (CutLadder(), None, 8.0, [1 + 0.5 * (2 + 0.5 * 8), 2 + 0.5 * 8, 4 + 0.5 * 8]),
        (Ladder(), 2, 8.0, [1 + 0.5 * (2 + 0.5 * 8), 2 + 0.5 * 8]),
        (Ladder(), 5, 8.0, [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4]),
    ],
    ids=["whole", "truncated", "cut", "absorbed"],
)
def test_returns_by_hand(env, num_steps, value, returns, key):
    """A baseline of 8 everywhere; its loss is half the mean squared distance to the returns."""
    config = dataclasses.replace(TINY, num_envs=4, num_steps=num_steps, gamma=0.5)
    learner = reinforce(env, config)
    state = learner.init(key)
    critic = jax.tree.map(jnp.zeros_like, state.variables["critic"])
    critic["params"]["head"]["bias"] += value
    state = state.replace(variables={**state.variables, "critic": critic})
    _, metrics = jax.jit(learner.update)(state)
    expected = 0.5 * np.mean(np.square(np.array(returns) - value))
    np.testing.assert_allclose(metrics["value_loss"], expected, rtol=1e-6)
    np.testing.assert_allclose(metrics["value_mean"], value)


def test_steps_past_an_end_do_not_count(key):
    """Every step of a walk costs the same, so the mean of the cost over those played is 1."""
    env = GridPath(size=2)
    config = dataclasses.replace(TINY, num_envs=32, num_steps=20)
    learner = reinforce(env, config)
    _, metrics = jax.jit(learner.update)(learner.init(key))
    assert int(metrics["num_episodes"]) > 20 and 2 <= float(metrics["episode_length"]) < 15
    np.testing.assert_allclose(metrics["term_step_cost"], 1.0)
    expected = 1.0 - 0.1 * float(metrics["episode_length"])  # all of those that ended arrived
    np.testing.assert_allclose(metrics["episode_return"], expected, rtol=1e-5)
    assert learner.steps_per_update == 32 * 20


def test_steps_past_an_end_are_not_visited(key):
    """Every episode ends, so the lengths of those that did are all the steps that were played."""
    env = NoveltyReward(GridPath(size=2, num_steps=6), num_buckets=64)
    learner = reinforce(env, dataclasses.replace(TINY, num_envs=32, num_steps=6))
    update, state, num_played = jax.jit(learner.update), learner.init(key), 0
    for _ in range(2):
        state, metrics = update(state)
        assert int(metrics["num_episodes"]) == 32
        num_played += round(32 * float(metrics["episode_length"]))
        assert int(state.env_params.counts.sum()) == num_played
    assert 2 * 32 * 2 <= num_played < 2 * 32 * 5


def test_a_decayed_learning_rate_stops_learning(key):
    config = dataclasses.replace(TINY, num_steps=6, decay_updates=1)
    learner = reinforce(rollouts.Drift(num_envs=3, num_steps=6), config)
    update, states = jax.jit(learner.update), [learner.init(key)]
    for _ in range(2):
        states.append(update(states[-1])[0])
    start, middle, end = (flat(state.variables) for state in states)
    assert (start != middle).any()
    np.testing.assert_array_equal(middle, end)


def test_finds_the_way_over_a_grid(key):
    env = GridPath(size=3)
    config = ReinforceConfig(num_envs=32, num_steps=20, hidden_sizes=(16,), learning_rate=1e-2)
    learner = reinforce(env, config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 100))
    _, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][-10:].mean()) > 0.55  # of 0.6


@pytest.mark.parametrize("baseline", [True, False])
def test_learns_a_target_melody(baseline, key):
    config = ReinforceConfig(num_envs=32, learning_rate=1e-2, baseline=baseline)
    learner = reinforce(crl.make("melody-target-tutorial"), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 150))
    state, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][0]) < 3
    assert float(metrics["episode_return"][-10:].mean()) > 4.7
    assert ("critic" in state.variables) == ("value_loss" in metrics) == baseline


@pytest.mark.parametrize(
    "probe", [*probes.BOX_PROBES, *probes.MULTI_PROBES], ids=lambda probe: type(probe).__name__
)
def test_other_action_spaces(probe):
    config = ReinforceConfig(num_envs=128, gamma=0.5, learning_rate=1e-2, hidden_sizes=(16,))
    probes.check_solves(lambda env: reinforce(env, config), probe, gamma=0.5, num_updates=300)


def test_refusals():
    with pytest.raises(ValueError, match=r"reinforce plays whole episodes, .* set num_steps"):
        reinforce(crl.make("grid-path"), TINY)
    with pytest.raises(ValueError, match="reinforce resets its environments; give it one without"):
        reinforce(AutoReset(crl.make("melody-target")), TINY)
    with pytest.raises(ValueError, match="ReinforceConfig: gamma must be between 0 and 1, got 2"):
        reinforce(crl.make("melody-target"), dataclasses.replace(TINY, gamma=2.0))

"""The table equals value iteration's to the digit, and each update is what one computes by hand."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case
from reference import value_iteration

import creative_rl as crl
from creative_rl.configs import QLearningConfig
from creative_rl.envs.grid_path import DOWN, RIGHT, GridPath
from creative_rl.envs.melody import TargetMelody
from creative_rl.experiment.rollouts import rollout
from creative_rl.learners.q_learning import (
    _mean_by_pairs,
    _mean_by_table,
    q_learning,
)
from creative_rl.ops.distributions import uniform_action
from creative_rl.spaces import MultiDiscrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=QLearningConfig(num_envs=4, num_steps=6),
    probe=QLearningConfig(gamma=GAMMA, learning_rate=0.5, epsilon_steps=500),
    probe_updates=20,
)

TUTORIAL = crl.make("melody-target-tutorial")
ALWAYS_RANDOM = {"epsilon_start": 1.0, "epsilon_end": 1.0}
GREEDY = {"epsilon_start": 0.0, "epsilon_end": 0.0}
ONE_STEP = QLearningConfig(num_envs=1, num_steps=1, learning_rate=0.5, gamma=0.5, **GREEDY)


def trained(env, config, num_updates, seed=0):
    learner = q_learning(env, config)

    @jax.jit
    def run(key):
        return jax.lax.scan(lambda s, _: learner.update(s), learner.init(key), length=num_updates)

    return learner, *run(jax.random.key(seed))


def mean_return(env, learner, state):
    return rollout(env, state.env_params, learner, state, jax.random.key(1), 4).episode_return


# Whole tables.


@functools.cache
def solved(env, gamma):
    """The model of `env` as its observations tell it, and its best values."""
    model = value_iteration.explore(env, value_iteration.shown)
    return model, value_iteration.action_values(model, gamma)


def assert_table_is_best(env, table, gamma):
    model, values = solved(env, gamma)
    for number in np.flatnonzero(~model.is_over):
        observation = model.observations[number]
        index = env.state_index(observation) if env.num_states else observation
        np.testing.assert_allclose(table[int(index)], values[number], atol=1e-5)


@pytest.mark.parametrize("learning_rate", [1.0, 0.5])
def test_the_grid_is_solved_exactly(learning_rate):
    env = crl.make("grid-path")
    config = QLearningConfig(gamma=0.9, learning_rate=learning_rate, **ALWAYS_RANDOM)
    learner, state, metrics = trained(env, config, 200)
    assert_table_is_best(env, state.table, 0.9)
    assert not state.table[-1].any()  # the goal's: nothing is done there
    episodes = rollout(env, state.env_params, learner, state, jax.random.key(1), 2)
    np.testing.assert_allclose(episodes.episode_return, 0.2, rtol=1e-5)
    assert episodes.episode_length.tolist() == [8, 8]
    assert metrics["loss"][-1] < 1e-10


def test_a_short_time_limit_changes_no_value():
    # Few episodes come to an end; the values go on beyond the cut.
    config = QLearningConfig(gamma=0.9, learning_rate=1.0, num_envs=64, **ALWAYS_RANDOM)
    env = GridPath(size=3, num_steps=5)
    _, state, _ = trained(env, config, 200)
    assert_table_is_best(GridPath(size=3), state.table, 0.9)


def test_a_melody_with_a_state_for_every_note_is_solved_exactly():
    env = crl.make("melody-target-tutorial", num_phases=5)
    config = QLearningConfig(gamma=0.9, learning_rate=1.0, **ALWAYS_RANDOM)
    _, state, _ = trained(env, config, 50)
    assert_table_is_best(env, state.table, 0.9)


@pytest.mark.parametrize("seed", range(3))
def test_the_tutorial_melody_is_played_as_the_whole_state_would_have_it(seed):
    """Three phases blur the five notes; the best note is the same in each that look alike."""
    config = QLearningConfig(gamma=0.9, learning_rate=0.1, epsilon_end=0.2)
    learner, state, _ = trained(TUTORIAL, config, 200, seed)
    assert mean_return(TUTORIAL, learner, state).tolist() == [5.0] * 4
    model = value_iteration.explore(TUTORIAL)
    values = value_iteration.action_values(model, 0.9)
    assert len(model.states) == sum(4**length for length in range(6))
    for number in np.flatnonzero(~model.is_over):
        best = np.flatnonzero(values[number] == values[number].max())
        assert int(state.table[int(model.observations[number])].argmax()) in best


# Single updates.


def one_update(env, config, table):
    learner = q_learning(env, config)
    state = learner.init(jax.random.key(0)).replace(table=jnp.array(table, jnp.float32))
    return jax.jit(learner.update)(state)


def test_an_update_by_hand():
    table = [[4, 0, 0, 0], [0, 0, 6, 1], [0, 0, 0, 0]]
    state, metrics = one_update(TUTORIAL, ONE_STEP, table)
    # Note 0 is right: the target is 1 + 0.5 * 6 = 4 = the old value; then half of the way.
    np.testing.assert_array_equal(state.table, table)
    assert (float(metrics["loss"]), float(metrics["q_mean"])) == (0.0, 4.0)
    table[0] = [4, 5, 0, 0]
    state, metrics = one_update(TUTORIAL, ONE_STEP, table)
    # Note 1 is wrong: from 5 half of the way to 0 + 0.5 * 6.
    np.testing.assert_array_equal(state.table[0], [4, 4, 0, 0])
    assert (float(metrics["loss"]), float(metrics["q_mean"])) == (4.0, 5.0)


def test_steps_follow_each_other_and_the_end_pays_no_future():
    env = TargetMelody(length=2, num_pitches=2, num_phases=2, target=(0, 0))
    config = dataclasses.replace(ONE_STEP, num_steps=4, learning_rate=1.0)
    state, _ = one_update(env, config, [[2, 0], [8, 0]])
    # 1 + 4, then 1 at the end; the second episode finds the new value: 1 + 0.5, then 1.
    np.testing.assert_array_equal(state.table, [[1.5, 0], [1, 0]])


class Coin(probes.MatchProbe):
    """Heads or tails without a hint."""

    def observe(self, state, params):
        return jnp.int32(0)


@pytest.mark.parametrize("learning_rate", [1.0, 0.25])
def test_visits_of_one_entry_are_averaged(learning_rate):
    config = dataclasses.replace(ONE_STEP, num_envs=37, learning_rate=learning_rate)
    learner = q_learning(Coin(), config)
    state = learner.init(jax.random.key(0))
    heads = float((state.stream.env_state.env.draw == 0).mean())
    assert 0.2 < heads < 0.8
    state, metrics = jax.jit(learner.update)(state)
    np.testing.assert_allclose(state.table, [[learning_rate * heads, 0], [0, 0]], rtol=1e-6)
    np.testing.assert_allclose(metrics["loss"], heads, rtol=1e-6)


def test_both_forms_of_the_mean_are_the_mean():
    rng = np.random.default_rng(0)
    for num, num_entries in ((1, 1), (50, 7), (33, 1000)):
        entries = rng.integers(0, num_entries, num)
        errors = rng.normal(size=num).astype(np.float32)
        expected = [errors[entries == entry].mean() for entry in entries]
        for found in (
            _mean_by_table(num_entries, jnp.asarray(errors), jnp.asarray(entries)),
            _mean_by_pairs(jnp.asarray(errors), jnp.asarray(entries)),
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
            for entry in entries:  # written over each other, they must not differ
                assert len(set(np.asarray(found)[entries == entry].tolist())) == 1


def test_a_truncated_step_learns_from_where_it_led_and_not_from_the_next_start():
    env = GridPath(size=3, num_steps=1)
    table = np.zeros((9, 4))
    table[0, DOWN] = 2.0
    table[3, RIGHT] = 8.0
    state, metrics = one_update(env, ONE_STEP, table)
    assert metrics["num_episodes"] == 1
    np.testing.assert_allclose(state.table[0, DOWN], 0.5 * 2.0 + 0.5 * (-0.1 + 0.5 * 8.0))


# Masks.


class NoSecondNote(TargetMelody):
    """Note 1 is not allowed at even steps, notes 1 and 3 not at odd ones."""

    def action_mask(self, state, params):
        allowed = jnp.array([[True, False, True, True], [True, False, True, False]])
        return allowed[state.step % 2]


MASKED = NoSecondNote(length=4, num_pitches=4, num_phases=4, target=(1, 2, 3, 0))


def test_a_forbidden_action_is_neither_tried_nor_counted_on():
    config = QLearningConfig(gamma=0.9, learning_rate=1.0, **ALWAYS_RANDOM)
    learner = q_learning(MASKED, config)
    state = learner.init(jax.random.key(0))
    forbidden = np.array([[0, 1, 0, 0], [0, 1, 0, 1]] * 2, bool)
    table = jnp.where(forbidden, 50.0, state.table)
    run = jax.jit(lambda s: jax.lax.scan(lambda s, _: learner.update(s), s, length=20))
    state, _ = run(state.replace(table=table))
    assert np.all(np.asarray(state.table)[forbidden] == 50.0)
    last = 1.0  # the fourth note
    third = 1.0 + 0.9 * last
    np.testing.assert_allclose(state.table[3, 0], last)
    np.testing.assert_allclose(state.table[2, [0, 2, 3]], [0.9, 0.9, third], rtol=1e-6)
    np.testing.assert_allclose(state.table[1, [0, 2]], [0.9 * third, 1 + 0.9 * third], rtol=1e-6)
    assert mean_return(MASKED, learner, state).tolist() == [3.0] * 4


def test_allowed_actions_are_tried_equally_often():
    noise = jnp.linspace(0.0, 1.0, 6000, endpoint=False, dtype=jnp.float32)
    for mask in ([1, 1, 1, 1], [0, 1, 0, 1], [1, 0, 0, 0], [1, 0, 1, 1]):
        masks = jnp.broadcast_to(jnp.array(mask, jnp.bool_), (6000, 4))
        counts = np.bincount(uniform_action(noise, 4, masks), minlength=4)
        np.testing.assert_allclose(counts, np.array(mask) * 6000 / sum(mask), atol=2)
    counts = np.bincount(uniform_action(noise, 4, None), minlength=4)
    np.testing.assert_allclose(counts, 1500, atol=2)
    nearly_one = jnp.full(1, 1 - 2**-23, jnp.float32)
    assert uniform_action(nearly_one, 38, None).tolist() == [37]
    assert uniform_action(nearly_one, 3, jnp.array([[1, 1, 0]], jnp.bool_)).tolist() == [1]


# Schedules, starts, refusals.


def test_epsilon_falls_in_a_line_and_holds_beyond_two_billion_steps(key):
    config = QLearningConfig(num_envs=4, num_steps=1, epsilon_end=0.2, epsilon_steps=16)
    learner = q_learning(TUTORIAL, config)
    update = jax.jit(learner.update)
    state, epsilons = learner.init(key), []
    for _ in range(6):
        state, metrics = update(state)
        epsilons.append(float(metrics["epsilon"]))
    np.testing.assert_allclose(epsilons, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rtol=1e-5)
    _, metrics = update(state.replace(num_updates=jnp.int32(2**30)))
    assert float(metrics["epsilon"]) == pytest.approx(0.2)


def test_high_starts_explore_without_random_actions():
    config = QLearningConfig(initial_value=10.0, gamma=0.9, learning_rate=1.0, **GREEDY)
    env = crl.make("grid-path")
    learner, state, _ = trained(env, config, 200)
    np.testing.assert_allclose(mean_return(env, learner, state), 0.2, rtol=1e-5)


def test_numbers_may_be_tracers(key):
    def learned(learning_rate):
        config = dataclasses.replace(ONE_STEP, learning_rate=learning_rate)
        learner = q_learning(TUTORIAL, config)
        return learner.update(learner.init(key))[0].table[0, 0]

    rates = jnp.array([0.25, 1.0], jnp.float32)
    np.testing.assert_allclose(jax.vmap(learned)(rates), rates)  # the first note's reward is 1


@pytest.mark.parametrize(
    "probe", [*probes.VALUE_PROBES, *probes.ACTION_PROBES], ids=lambda p: type(p).__name__
)
def test_probe_problems(probe):
    config = QLearningConfig(gamma=0.5, learning_rate=0.5, epsilon_steps=500)
    probes.check_solves(lambda env: q_learning(env, config), probe, gamma=0.5, num_updates=20)


class TwoKnobs(TargetMelody):
    @property
    def action_space(self):
        return MultiDiscrete((2, 2))


@pytest.mark.parametrize(
    ("env", "config", "message"),
    [
        (
            crl.make("melody-variety"),
            QLearningConfig(),
            r"q_learning keeps a table .* got MultiDiscrete\(.* num_states and state_index",
        ),
        (TwoKnobs(), QLearningConfig(), r"q_learning takes Discrete actions, got MultiDiscrete"),
        (AutoReset(TUTORIAL), QLearningConfig(), "give it one without AutoReset"),
        (
            TUTORIAL,
            QLearningConfig(learning_rate=1.5),
            "QLearningConfig: learning_rate must be greater than 0 and at most 1, got 1.5",
        ),
        (TUTORIAL, QLearningConfig(learning_rate=0.0), "learning_rate must be greater than 0"),
        (TUTORIAL, QLearningConfig(num_envs=0), "num_envs must be a whole number of at least 1"),
    ],
)
def test_refusals_are_one_line(env, config, message):
    with pytest.raises(ValueError, match=message) as refused:
        q_learning(env, config)
    assert "\n" not in str(refused.value)

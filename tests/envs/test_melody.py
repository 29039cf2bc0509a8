"""What is special to the melody environments; the nine rules are in tests/rewards/test_music.py."""

import functools
import itertools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.play import play
from reference.variety import variety_rewards

import creative_rl as crl
from creative_rl.envs.melody import TargetMelody, TheoryMelody, VarietyMelody

PAST_THE_END = 3


def random_actions(env, num, past_the_end=0):
    rng = np.random.default_rng(0)
    return rng.integers(0, env.action_space.num, (num, env.horizon + past_the_end))


@functools.cache
def played(env):
    """Eight random episodes, and three steps beyond their end."""
    actions = random_actions(env, 8, PAST_THE_END)
    return (actions, *play(env, env.default_params, actions))


# Variety.


@pytest.mark.parametrize(
    "sizes",
    [{}, {"window": 4}, {"window": 24}, {"length": 40, "window": 16}, {"num_pitches": 24}],
    ids=str,
)
def test_variety_is_the_number_of_distinct_notes_in_the_window(sizes):
    env = crl.make("melody-variety", **sizes)
    actions = random_actions(env, 64)
    timesteps, _ = play(env, env.default_params, actions)
    expected = [variety_rewards(row, env.window) for row in actions.tolist()]
    np.testing.assert_allclose(timesteps.reward, expected, rtol=1e-6)
    np.testing.assert_allclose(timesteps.info["reward_terms"]["variety"], expected, rtol=1e-6)


@hypothesis.settings(deadline=None, max_examples=50)
@hypothesis.given(st.lists(st.integers(0, 11), min_size=16, max_size=16))
def test_variety_of_any_melody(actions):
    env = crl.make("melody-variety")
    timesteps, _ = play(env, env.default_params, [actions])
    np.testing.assert_allclose(timesteps.reward[0], variety_rewards(actions, 16), rtol=1e-6)


def test_variety_starts_at_zeros_which_count_as_pitch_0():
    env = crl.make("melody-variety")
    _, timestep = env.reset(jax.random.key(0), env.default_params)
    assert timestep.observation.tolist() == [0] * 16
    timesteps, _ = play(env, env.default_params, [[5, *range(15)]])
    # 5 and the zeros; then 0; then 1, 2, 3, 4; then 5 again.
    rewards = (16 * timesteps.reward[0]).tolist()
    assert rewards[:8] == [2, 2, 3, 4, 5, 6, 6, 7]


def test_observation_is_the_last_notes_oldest_first():
    env = crl.make("melody-variety", window=4, length=6)
    timesteps, _ = play(env, env.default_params, [[1, 2, 3, 4, 5, 6]])
    assert timesteps.observation[0].tolist() == [
        [0, 0, 0, 1], [0, 0, 1, 2], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 6],
    ]  # fmt: skip


# Target.


def test_target_pays_1_for_every_right_note():
    env = crl.make("melody-target", length=4, target=(7, 0, 11, 7))
    timesteps, _ = play(env, env.default_params, [[7, 0, 11, 7], [7, 7, 7, 7], [0, 1, 2, 3]])
    assert timesteps.reward.tolist() == [[1, 1, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]]
    assert timesteps.observation[0].tolist() == [1, 2, 3, 0]


def test_target_is_a_scale_up_and_down_by_default():
    assert crl.make("melody-target").default_params.target.tolist() == [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 10, 9, 8, 7,
    ]  # fmt: skip
    small = crl.make("melody-target", num_pitches=2, length=5)
    assert small.default_params.target.tolist() == [0, 1, 0, 1, 0]


def test_target_in_params_can_be_another_and_vmapped():
    env = crl.make("melody-target", length=3)
    targets = jnp.array([[0, 1, 2], [2, 1, 0]], jnp.int32)

    def first_reward(target):
        params = env.default_params.replace(target=target)
        state, _ = env.reset(jax.random.key(0), params)
        return env.step(jax.random.key(1), state, jnp.int32(2), params)[1].reward

    assert jax.vmap(first_reward)(targets).tolist() == [0, 1]


def test_the_tutorial_optimum_is_exactly_5():
    env = crl.make("melody-target-tutorial")
    assert (env.observation_space.num, env.action_space.num, env.horizon) == (3, 4, 5)
    policies = np.array(list(itertools.product(range(4), repeat=3)))  # an action a state
    actions = policies[:, np.arange(5) % 3]
    timesteps, _ = play(env, env.default_params, actions)
    # The states that the actions answer are the step modulo 3, as observed.
    np.testing.assert_array_equal(timesteps.observation[:, :-1], np.tile([1, 2, 0, 1], (64, 1)))
    returns = np.asarray(timesteps.reward).sum(axis=1)
    assert returns.max() == 5
    assert policies[returns == 5].tolist() == [[0, 2, 3]]


# Theory.


def test_theory_observes_the_last_event_and_is_primed_by_any_of_37():
    env = crl.make("melody-theory")
    keys = jax.random.split(jax.random.key(0), 20_000)
    _, timesteps = jax.jit(jax.vmap(env.reset, (0, None)))(keys, env.default_params)
    counts = np.bincount(timesteps.observation, minlength=38)
    assert counts[37] == 0
    assert np.all(np.abs(counts[:37] - 20_000 / 37) < 5 * np.sqrt(20_000 / 37))
    actions, timesteps, _ = played(env)
    np.testing.assert_array_equal(timesteps.observation[:, :32], actions[:, :32])


def test_the_priming_event_is_not_part_of_the_composition():
    """Six holds in a row cost once, whatever the priming event was."""
    env = crl.make("melody-theory")
    actions = np.array([[1] * 6 + [16] * 29] * 8)
    timesteps, works = play(env, env.default_params, actions)
    repetition = np.asarray(timesteps.info["reward_terms"]["repetition"])
    np.testing.assert_array_equal(repetition[:, :6], [[0, 0, 0, 0, 0, -100]] * 8)
    np.testing.assert_array_equal(works.events[:, -1], actions[:, :32])


def test_weights_scale_the_terms_and_can_be_vmapped():
    env = crl.make("melody-theory")
    melody = [14, 16, 18, 14, 16, 18, 14, 17]
    names = [term.name for term in env.terms]
    identity = np.eye(len(names), dtype=np.float32)
    weights = {name: jnp.asarray(column) for name, column in zip(names, identity, strict=True)}

    def reward_at_last(weights):
        params = env.default_params.replace(weights=weights)
        state, _ = env.reset(jax.random.key(0), params)
        keys = jax.random.split(jax.random.key(1), len(melody))

        def step(state, inputs):
            key, action = inputs
            return env.step(key, state, action, params)

        _, timesteps = jax.lax.scan(step, state, (keys, jnp.array(melody, jnp.int32)))
        return jax.tree.map(lambda x: x[-1], (timesteps.reward, timesteps.info["reward_terms"]))

    rewards, terms = jax.jit(jax.vmap(reward_at_last))(weights)
    for i, name in enumerate(names):
        assert rewards[i] == terms[name][i]
    assert rewards[names.index("key")] == -1  # E flat
    assert rewards[names.index("motif")] == pytest.approx(3.3)


def test_a_subset_of_the_terms_is_an_environment_too():
    terms = tuple(term for term in TheoryMelody().terms if term.name in ("key", "interval"))
    env = crl.make("melody-theory", terms=terms)
    timesteps, _ = play(env, env.default_params, [[14, 16, 17]])
    assert set(timesteps.info["reward_terms"]) == {"key", "interval"}
    np.testing.assert_allclose(timesteps.reward[0], [0, 0.4, -1], rtol=1e-6)


# All three.

EVERY_KIND = pytest.mark.parametrize(
    ("env", "lowest"),
    [
        pytest.param(VarietyMelody(length=6), 14, id="variety"),
        pytest.param(VarietyMelody(length=20, window=3), 14, id="long variety"),
        pytest.param(TargetMelody(length=7), 14, id="target"),
        pytest.param(TheoryMelody(), 0, id="theory"),
    ],
)


@EVERY_KIND
def test_the_work_is_the_actions_so_far_at_every_step(env, lowest):
    state, _ = env.reset(jax.random.key(0), env.default_params)
    blank = env.work(state, env.default_params)
    assert blank.length == 0 and blank.events.tolist() == [0] * env.horizon
    actions, _, works = played(env)
    assert works.events.dtype == jnp.int32 and works.length.dtype == jnp.int32
    for t in range(env.horizon):
        assert works.length[:, t].tolist() == [t + 1] * 8
        np.testing.assert_array_equal(works.events[:, t, : t + 1], actions[:, : t + 1] + lowest)
        assert not np.any(works.events[:, t, t + 1 :])


@EVERY_KIND
def test_the_appearance_is_the_piano_roll_of_the_actions_so_far(env, lowest):
    params = env.default_params
    actions = random_actions(env, 1)[0]
    state, _ = env.reset(jax.random.key(0), params)
    expected = np.zeros((env.horizon, env.action_space.num, 1), np.float32)
    step, appearance = jax.jit(env.step), jax.jit(env.appearance)
    roll = appearance(state, params)
    assert roll.dtype == jnp.float32
    np.testing.assert_array_equal(roll, expected)  # nothing is played, not even action 0
    for t, action in enumerate(actions):
        state, _ = step(jax.random.key(t), state, jnp.int32(action), params)
        expected[t, action] = 1
        np.testing.assert_array_equal(appearance(state, params), expected)
    one_hot = np.eye(env.action_space.num, dtype=np.float32)[actions]
    np.testing.assert_array_equal(env.relaxed_appearance(jnp.asarray(one_hot), params), expected)


def test_probabilities_of_notes_have_gradients_through_their_picture():
    env = TargetMelody(length=3)
    weights = jax.random.normal(jax.random.key(0), (3, 12, 1))
    probabilities = jnp.full((3, 12), 1 / 12, jnp.float32)

    def seen(probabilities):
        picture = env.relaxed_appearance(probabilities, env.default_params)
        return (weights * picture).sum()

    np.testing.assert_array_equal(jax.grad(seen)(probabilities), weights[..., 0])


def test_melodies_have_no_examples_of_their_own():
    env = TargetMelody(length=3)
    with pytest.raises(ValueError, match="TargetMelody has no examples to learn from; give some"):
        env.examples(env.default_params)


@EVERY_KIND
def test_episodes_end_at_the_horizon_and_stay_there(env, lowest):
    _, timesteps, works = played(env)
    is_over = [t >= env.horizon - 1 for t in range(env.horizon + PAST_THE_END)]
    assert timesteps.terminated[0].tolist() == is_over
    assert not np.any(timesteps.truncated)
    assert not np.any(timesteps.reward[:, env.horizon :])
    for past in range(PAST_THE_END):
        np.testing.assert_array_equal(
            works.events[:, env.horizon + past], works.events[:, env.horizon - 1]
        )
    assert np.all(works.length[:, env.horizon :] == env.horizon)


def test_equal_instances_and_new_params_share_one_compilation():
    traces = []

    def first_step(env, key, params):
        traces.append(env)
        state, _ = env.reset(key, params)
        return env.step(key, state, jnp.int32(14), params)[1].reward

    first_step = jax.jit(first_step, static_argnums=0)
    key, params = jax.random.key(0), TheoryMelody().default_params
    tripled = params.replace(weights={k: 3 * v for k, v in params.weights.items()})
    assert first_step(TheoryMelody(), key, params) == 3
    assert first_step(crl.make("melody-theory"), key, tripled) == 9
    assert len(traces) == 1
    assert hash(TheoryMelody()) == hash(crl.make("melody-theory"))
    first_step(TheoryMelody(length=16), key, params)
    assert len(traces) == 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: VarietyMelody(length=0), r"VarietyMelody: length must .* 1\.\.256, got 0"),
        (lambda: VarietyMelody(length=2.5), r"length must be a whole number .* got 2\.5"),
        (lambda: VarietyMelody(length=True), r"length must be a whole number .* got True"),
        (lambda: VarietyMelody(window=5000), r"window must be .* got 5000"),
        (lambda: VarietyMelody(num_pitches=1), r"num_pitches must .* 2\.\.24 .* got 1"),
        (lambda: VarietyMelody(num_pitches=25), r"num_pitches must .* 2\.\.24 .* got 25"),
        (lambda: TargetMelody(length=-3), r"TargetMelody: length must .* got -3"),
        (lambda: TargetMelody(num_phases=0), r"num_phases must .* got 0"),
        (lambda: TargetMelody(length=3, target=(0, 1)), r"target must be 3 notes .* got \(0, 1\)"),
        (lambda: TargetMelody(length=1, target=(12,)), r"in 0\.\.11, got \(12,\)"),
        (lambda: TheoryMelody(length=11), r"length must be a whole .* 12\.\.64 .* got 11"),
        (lambda: TheoryMelody(length=65), r"length must be a whole number in 12\.\.64 .* got 65"),
        (lambda: TheoryMelody(length=12.5), r"length must be .* got 12\.5"),
        (lambda: TheoryMelody(terms=TheoryMelody().terms * 2), r"distinct names"),
        (lambda: crl.make("melody-theory", lenght=16), r"did you mean length"),
    ],
)  # fmt: skip
def test_bad_sizes_are_refused_in_one_line(build, message):
    with pytest.raises(ValueError, match=message) as refused:
        build()
    assert "\n" not in str(refused.value)

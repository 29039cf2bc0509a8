"""Known actions through an environment, and the likelihood learner that learns from them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import LikelihoodConfig
from creative_rl.envs.accompaniment import Accompaniment
from creative_rl.learners import likelihood
from creative_rl.learners.demonstrating import demonstrate
from creative_rl.learners.likelihood import sequence_model
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.wrappers import LikelihoodReward

ENV = Accompaniment(num_frames=8, window=1)
CONFIG = LikelihoodConfig(
    batch_size=8, num_steps=20, recurrent="gru", memory_size=16, learning_rate=2e-2, patience=5
)


def pieces(num, seed):
    """Melodies, a note a frame, and chords: the frame's is the root of the note before, 1 first."""
    pitches = np.random.default_rng(seed).integers(60, 72, (num, 8))
    actions = np.concatenate([np.ones((num, 1), int), 1 + pitches[:, :-1] % 12], axis=1)
    return (2 + pitches).astype(np.uint8), jnp.asarray(actions, jnp.int32)


def played(num, seed):
    melodies, actions = pieces(num, seed)
    params = jax.vmap(
        lambda melody: ENV.default_params.replace(
            melodies=melody[None], bars=jnp.array([4], jnp.int32)
        )
    )(jnp.asarray(melodies))
    return demonstrate(ENV, params, actions, jax.random.key(1)), params


@pytest.fixture(scope="module")
def demonstrations():
    (train, _), _ = played(32, 0)
    (held_out, _), _ = played(8, 1)
    return Demonstrations(train, held_out)


def test_every_episode_has_its_own_params_and_sees_what_its_actions_answered_to():
    (examples, states), params = played(5, 2)
    melodies, actions = pieces(5, 2)
    np.testing.assert_array_equal(examples.actions, actions)
    seen = examples.observations
    codes = 2 + (melodies.astype(int) - 2 - 48) % 36  # as the environment shows them
    assert not seen["melody"][:, 0].any() and not seen["actions"][:, 0].any()
    np.testing.assert_array_equal(seen["melody"][:, 1:, 0], codes[:, :-1])
    np.testing.assert_array_equal(seen["actions"][:, 1:, 0], actions[:, :-1])
    np.testing.assert_array_equal(seen["beat"], np.broadcast_to(np.arange(8) % 4, (5, 8)))
    works = jax.vmap(ENV.work)(states, params)
    np.testing.assert_array_equal(works.events[:, 0], melodies)
    np.testing.assert_array_equal(works.length, [8] * 5)


def test_the_learner_clones_what_can_be_told_from_what_was_observed(demonstrations, key):
    learner = likelihood(ENV, CONFIG, demonstrations)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 20))
    state, metrics = run(learner.init(key))
    # The note before tells the chord: blind to it, an action would cost up to log 12 = 2.5.
    assert float(metrics["best_held_out_nll"][-1]) < 0.2
    # In the environment that pays for it, the examples are as likely as the learner says.
    model = sequence_model(ENV, CONFIG)
    judging = LikelihoodReward(ENV, model)
    (examples, _), params = played(8, 1)
    judged = jax.vmap(lambda params: judging.init_params(params, state.best_variables))(params)

    @jax.jit
    @jax.vmap
    def paid(params, actions):
        start, _ = judging.reset(jax.random.key(0), params)

        def step(env_state, action):
            env_state, timestep = judging.transition(jax.random.key(0), env_state, action, params)
            return env_state, timestep.info["reward_terms"]["log_likelihood"]

        return jax.lax.scan(step, start, actions)[1]

    found = -float(paid(judged, examples.actions).mean())
    assert found == pytest.approx(float(metrics["best_held_out_nll"][-1]), rel=1e-3)


def test_events_are_the_demonstrations_of_observing_the_last_one(key):
    """The same windows, as sequences and as demonstrations, give the same bits."""
    env = crl.make("melody-theory", length=12)
    windows = jnp.asarray(np.random.default_rng(0).integers(0, 38, (12, 13), np.uint8))
    config = dataclasses.replace(CONFIG, num_steps=3)
    sequences = Sequences(windows[:8], windows[8:])
    demonstrations = Demonstrations(
        *(
            Examples(*(part.astype(jnp.int32) for part in (rows[:, :-1], rows[:, 1:])))
            for rows in (sequences.train, sequences.held_out)
        )
    )
    found = []
    for store in (sequences, demonstrations):
        learner = likelihood(env, config, store)
        found.append(jax.jit(learner.update)(learner.init(key)))
    (first, metrics), (second, others) = found
    jax.tree.map(np.testing.assert_array_equal, first.variables, second.variables)
    jax.tree.map(np.testing.assert_array_equal, metrics, others)


def test_what_is_no_demonstration_is_refused_in_one_line(demonstrations):
    params = ENV.default_params
    for actions, line in (
        (jnp.zeros((2, 9), jnp.int32), "at most horizon = 8 steps, got 9 actions"),
        (jnp.zeros(8, jnp.int32), r"integers \[N, T\], got int32\[8\]"),
        (jnp.zeros((2, 8), jnp.float32), r"integers \[N, T\], got float32\[2, 8\]"),
    ):
        with pytest.raises(ValueError, match=line) as caught:
            demonstrate(ENV, params, actions, jax.random.key(0), params_axis=None)
        assert "\n" not in str(caught.value)
    wider = Accompaniment(num_frames=8, window=2)
    with pytest.raises(ValueError, match=r"observations of train must be .*\[32, 8, \.\.\.\]"):
        likelihood(wider, CONFIG, demonstrations)
    few = dataclasses.replace(CONFIG, batch_size=64)
    with pytest.raises(ValueError, match="batch_size must be at most sequences = 32, got 64"):
        likelihood(ENV, few, demonstrations)
    none = jax.tree.map(lambda leaf: leaf[:0], demonstrations.held_out)
    with pytest.raises(ValueError, match="held-out sequences, got none"):
        likelihood(ENV, CONFIG, demonstrations.replace(held_out=none))

"""The learners' stream against `AutoReset`, whose meaning it has, on environments of every end."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.learners import stream
from creative_rl.testing import probes
from creative_rl.wrappers import EpisodeLog

NUM_ENVS, NUM_STEPS = 4, 23
ENVS = {
    "terminates": crl.make("melody-target", length=5),
    "truncates": probes.TruncationProbe(),
    "either": crl.make("grid-path", size=2, num_steps=3),
}


@pytest.mark.parametrize("env", ENVS.values(), ids=ENVS)
def test_follows_episode_by_episode(env, key):
    logged, params = EpisodeLog(env), env.default_params
    key_init, key_steps, key_actions = jax.random.split(key, 3)
    current = stream.init(logged, key_init, params, NUM_ENVS)
    assert current.starts.all()
    step = jax.jit(stream.step, static_argnums=0)
    keys = stream.step_keys(key_steps, NUM_STEPS, NUM_ENVS)
    actions = env.action_space.sample(key_actions, (NUM_STEPS, NUM_ENVS))
    slow = [
        (jax.tree.map(lambda leaf, b=b: leaf[b], current.env_state), None) for b in range(NUM_ENVS)
    ]
    num_ended = 0
    for t in range(NUM_STEPS):
        current = step(logged, keys[t], current, actions[t], params)
        for b in range(NUM_ENVS):  # one at a time, with a reset where an episode is over
            state, after = logged.transition(keys[t, b, 0], slow[b][0], actions[t, b], params)
            shown = after
            if after.ended:
                num_ended += 1
                state, shown = logged.reset(keys[t, b, 1], params)
            slow[b] = (state, shown)
            got = jax.tree.map(lambda leaf, b=b: leaf[b], current)
            assert bool(got.starts) == bool(after.ended)
            assert got.timestep.reward == after.reward
            assert got.timestep.terminated == after.terminated
            assert got.timestep.truncated == after.truncated
            np.testing.assert_array_equal(got.timestep.observation, shown.observation)
            np.testing.assert_array_equal(got.timestep.info["final_observation"], after.observation)
            np.testing.assert_array_equal(
                got.timestep.info["episode"]["length"], after.info["episode"]["length"]
            )
            for want, have in zip(
                jax.tree.leaves(state), jax.tree.leaves(got.env_state), strict=True
            ):
                np.testing.assert_array_equal(want, have)
    assert num_ended > NUM_ENVS


def test_masks_are_the_next_episodes_and_the_last_is_kept(key):
    class Masked(probes.TruncationProbe):
        def action_mask(self, state, params):
            return jnp.arange(2) <= state.step

    env = EpisodeLog(Masked())
    current = stream.init(env, key, env.default_params, 2)
    for t, keys in enumerate(stream.step_keys(key, 4, 2)):
        current = stream.step(env, keys, current, jnp.zeros(2, jnp.int32), env.default_params)
        assert current.timestep.info["final_action_mask"].tolist() == [[True, True]] * 2
        shown = [True, t < 3]  # after the fourth step a new episode has begun
        assert current.timestep.action_mask.tolist() == [shown] * 2

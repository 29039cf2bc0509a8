import jax
import jax.numpy as jnp
import pytest

import creative_rl as crl
from creative_rl.testing.probes import MatchProbe
from creative_rl.wrappers import AutoReset, EpisodeLog


@pytest.mark.parametrize("mode", ["same_step", "where_ended", "cached_pool"])
def test_a_new_episode_starts_and_the_last_observation_is_kept(mode, key):
    env = AutoReset(crl.make("melody-target", length=3), mode=mode, pool_size=2)
    params = env.default_params
    state, timestep = env.reset(key, params)
    step = jax.jit(env.step)
    for expected_step in (1, 2, 3):
        state, timestep = step(jax.random.fold_in(key, expected_step), state, jnp.int32(0), params)
        assert bool(timestep.terminated) == (expected_step == 3)
        # The observation is the step modulo 3; the state, not the observation, tells them apart.
        assert int(timestep.info["final_observation"]) == expected_step % 3
    assert int(state.step) == 0 and int(timestep.observation) == 0
    state, timestep = step(key, state, jnp.int32(0), params)
    assert not timestep.terminated and int(state.step) == 1


def test_all_modes_give_varied_starts(key):
    for mode in ("same_step", "where_ended", "cached_pool"):
        env = AutoReset(crl.make("melody-theory"), mode=mode, pool_size=64)
        keys = jax.random.split(key, 256)
        _, timesteps = jax.vmap(env.reset, (0, None))(keys, env.default_params)
        assert len(set(timesteps.observation.tolist())) > 20


def test_the_step_and_the_start_that_follows_have_keys_of_their_own(key):
    class Told(MatchProbe):
        """Shows the key that it was given last."""

        def initial_state(self, key, params):
            return super().initial_state(key, params).replace(draw=jax.random.key_data(key))

        def next_state(self, key, state, action, params):
            after = super().next_state(key, state, action, params)
            return after.replace(draw=jax.random.key_data(key))

    env = AutoReset(Told())
    state, _ = env.reset(key, env.default_params)
    _, timestep = env.step(key, state, jnp.int32(0), env.default_params)
    assert timestep.terminated
    of_start, of_step = timestep.observation, timestep.info["final_observation"]
    assert of_start.tolist() != of_step.tolist()


def test_where_ended_is_same_step_for_every_environment_of_a_batch(key):
    plain = crl.make("melody-variety", length=4)
    num, params = 40, plain.default_params
    rows = jax.tree.map(lambda leaf: jnp.stack([leaf] * num), params)
    results = []
    for mode, axes, given in (
        ("same_step", None, params), ("where_ended", None, params), ("where_ended", 0, rows)
    ):  # fmt: skip
        env = AutoReset(plain, mode=mode)
        reset, step = (
            jax.jit(jax.vmap(fn, (*(0,) * n, axes))) for fn, n in ((env.reset, 1), (env.step, 3))
        )
        state, timestep = reset(jax.random.split(key, num), given)
        # They are not in step: of the 40, 20 end in the third step and 20 in the fourth.
        state = state.replace(step=state.step + jnp.arange(num, dtype=jnp.int32) % 2)
        seen = []
        for number in range(6):
            keys = jax.random.split(jax.random.fold_in(key, number), num)
            state, timestep = step(keys, state, jnp.full(num, number, jnp.int32), given)
            seen.append((state, timestep))
        results.append(jax.tree.leaves(seen))
    assert any(timestep.terminated.sum() == 20 for _, timestep in seen)
    for first, *others in zip(*results, strict=True):
        assert all((first == other).all() for other in others)


def test_episode_log_counts_whole_episodes(key):
    env = AutoReset(EpisodeLog(crl.make("melody-target", length=3)))
    params = env.default_params
    state, timestep = env.reset(key, params)
    lengths, returns = [], []
    for t in range(6):
        state, timestep = env.step(jax.random.fold_in(key, t), state, jnp.int32(t % 3), params)
        lengths.append(int(timestep.info["episode"]["length"]))
        returns.append(float(timestep.info["episode"]["return"]))
    assert lengths == [1, 2, 3, 1, 2, 3]
    assert returns == [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]


def test_unknown_modes_and_empty_pools_are_refused():
    env = crl.make("melody-target")
    with pytest.raises(ValueError, match="same_step, where_ended or cached_pool"):
        AutoReset(env, mode="never")
    with pytest.raises(ValueError, match=r"pool_size must be a whole number in 1.* got 0"):
        AutoReset(env, mode="cached_pool", pool_size=0)

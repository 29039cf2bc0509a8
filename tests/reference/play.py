"""Batches of fixed action sequences through an environment: `jit(vmap(scan))`."""

import functools

import jax


def play(env, params, actions):
    """Play `actions` int[B, T] from B resets.

    Returns the timesteps after each action, leaves `[B, T, ...]`, and the works, alike.
    """
    return _play(env, params, jax.numpy.asarray(actions, jax.numpy.int32))


@functools.partial(jax.jit, static_argnums=0)
def _play(env, params, actions):
    def episode(key, sequence):
        key_reset, key_steps = jax.random.split(key)
        state, _ = env.reset(key_reset, params)

        def step(state, inputs):
            key, action = inputs
            state, timestep = env.step(key, state, action, params)
            return state, (timestep, env.work(state, params))

        keys = jax.random.split(key_steps, sequence.shape[0])
        return jax.lax.scan(step, state, (keys, sequence))[1]

    keys = jax.random.split(jax.random.key(0), actions.shape[0])
    return jax.vmap(episode)(keys, actions)

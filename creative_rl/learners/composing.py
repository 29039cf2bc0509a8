"""Works from whole episodes, for learners that create by acting."""

from collections.abc import Callable
from typing import Any

import jax

from creative_rl.networks import repeat_memory
from creative_rl.typing import Array, Key, PyTree, Timestep, as_key


def compose(
    env: Any,
    params: PyTree,
    act: Callable[[Key, Timestep, PyTree], tuple[Array, PyTree]],
    init_memory: Callable[[], PyTree],
    key: Key,
    num: int,
) -> PyTree:
    """`num` works, leaves [num, ...], of episodes that `act` plays to the horizon.

    Args:
      env: environment with a fixed horizon.
      params: its params.
      act: `(key, timestep, memory) -> (action, memory)`, unbatched.
      init_memory: what `act` starts an episode with.
      key: of all episodes.
      num: works.
    """
    key_reset, key_act, key_step = jax.random.split(as_key(key), 3)
    env_state, timestep = jax.vmap(env.reset, (0, None))(jax.random.split(key_reset, num), params)

    def step(carry, keys):
        env_state, timestep, memory = carry
        action, memory = jax.vmap(act)(keys[0], timestep, memory)
        env_state, timestep = jax.vmap(env.transition, (0, 0, 0, None))(
            keys[1], env_state, action, params
        )
        return (env_state, timestep, memory), None

    carry = (env_state, timestep, repeat_memory(init_memory(), num))
    keys = tuple(jax.random.split(key, (env.horizon, num)) for key in (key_act, key_step))
    (env_state, _, _), _ = jax.lax.scan(step, carry, keys)
    return jax.vmap(env.work, (0, None))(env_state, params)

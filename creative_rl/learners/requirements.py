"""What a learner asks of its environment and sizes, refused before anything is traced."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops.action_heads import ActionHead
from creative_rl.ops.action_heads import action_head as head_of
from creative_rl.spaces import Box, Discrete, MultiDiscrete
from creative_rl.stores.demonstrations import Examples
from creative_rl.typing import PyTree
from creative_rl.wrappers import AutoReset, Wrapper


def num_actions(learner: str, env: Any) -> int:
    """Actions of a `Discrete` space; any other is refused."""
    one_of(learner, env, (Discrete,))
    return env.action_space.num


def action_head(learner: str, env: Any, params: PyTree = None) -> ActionHead:
    """The distribution over the environment's actions; spaces without one are refused.

    `params` are the environment's, its defaults where None: they are made only if not given.
    """
    _is_environment(learner, env)
    try:
        head = head_of(env.action_space)
    except ValueError as error:
        raise ValueError(f"{learner}: {error}") from None
    if not isinstance(env.action_space, Discrete):
        given = env.default_params if params is None else params
        _, timestep = jax.eval_shape(env.reset, jax.random.key(0), given)
        if timestep.action_mask is not None:
            raise ValueError(
                f"{learner} knows action masks for Discrete actions only, got one for "
                f"{env.action_space}; wrappers.FlattenActions turns MultiDiscrete into Discrete"
            )
    return head


def one_of(learner: str, env: Any, kinds: tuple[type, ...]) -> None:
    """Refuse an action space of another kind."""
    _is_environment(learner, env)
    if not isinstance(env.action_space, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        way_out = "take a learner for such actions"
        if isinstance(env.action_space, MultiDiscrete):
            way_out = "wrappers.FlattenActions turns MultiDiscrete into Discrete"
        raise ValueError(f"{learner} takes {names} actions, got {env.action_space}; {way_out}")


def by_tile(learner: str, config: Any, env: Any) -> None:
    """Refuse to act tile by tile where observations are no maps, or actions not those of tiles.

    `config` has the fields `by_tile`, `recurrent` and `robust_steps`.
    """
    if not config.by_tile:
        return
    space, actions = env.observation_space, env.action_space
    is_map = isinstance(space, Box) and len(space.shape) == 3
    if not is_map or not isinstance(actions, Discrete) or actions.num % math.prod(space.shape[:2]):
        raise ValueError(
            f"{learner}: by_tile takes maps Box(H, W, C) with as many actions for each of H * W "
            f"tiles, such as level-binary-wide has, got {space} and {actions}; leave it out"
        )
    if config.recurrent != "none" or config.robust_steps:
        raise ValueError(
            f"{learner}: by_tile takes no memory and no perturbations, got "
            f"recurrent={config.recurrent!r} and robust_steps={config.robust_steps}; leave it out"
        )


def is_differentiable(learner: str, env: Any) -> None:
    """Refuse an environment whose rewards have no gradient with respect to the actions."""
    _is_environment(learner, env)
    if not env.differentiable:
        raise ValueError(
            f"{learner} differentiates through the environment, and this one's steps have no "
            "gradients; drawings have them with differentiable=True (--env-differentiable)"
        )


def has_rule(learner: str, env: Any) -> None:
    """Refuse an environment without a rule of its own."""
    _is_environment(learner, env)
    try:
        jax.eval_shape(lambda: env.rule_action(env.observation_space.zeros()))
    except ValueError as error:
        raise ValueError(f"{learner}: {error}") from None


def never_resets(learner: str, env: Any) -> None:
    """Refuse an environment that starts new episodes by itself: the learner does that."""
    _is_environment(learner, env)
    while isinstance(env, Wrapper):
        if isinstance(env, AutoReset):
            raise ValueError(f"{learner} resets its environments; give it one without AutoReset")
        env = env.env


def episode_steps(learner: str, num_steps: int | None, env: Any) -> int:
    """Most steps of an episode: those asked for, else the environment's horizon."""
    if num_steps is None and env.horizon is None:
        raise ValueError(
            f"{learner} plays whole episodes, and this environment has no horizon; set num_steps, "
            "the most steps of an episode"
        )
    return env.horizon if num_steps is None else num_steps


def fixed_horizon(learner: str, env: Any) -> int:
    """The environment's horizon; one without is refused."""
    if env.horizon is None:
        raise ValueError(
            f"{learner} plays whole episodes to a horizon, and this environment has none; take one "
            "whose episodes have a fixed length"
        )
    return env.horizon


def events_in(learner: str, part: Any, num_events: int, least: int = 2) -> None:
    """Refuse windows or played actions that are not of `num_events` events.

    `least` is the length that windows must have; of tracers the numbers are not looked at.
    """
    given, least = (part.actions, 1) if isinstance(part, Examples) else (part, least)
    is_array = isinstance(given, jax.Array | np.ndarray)
    is_whole = is_array and jnp.issubdtype(given.dtype, jnp.integer)
    if not is_whole or given.ndim != 2 or given.shape[1] < least:
        found = f"{given.dtype}{list(given.shape)}" if is_array else type(given).__name__
        raise ValueError(
            f"{learner}: events must be an array of whole numbers [N, T] with T of at least "
            f"{least}, got {found}"
        )
    if isinstance(given, jax.core.Tracer):
        return
    events = np.asarray(given)  # on the host, because a sweep builds learners while it is traced
    if events.size and not 0 <= (lowest := events.min()) <= (highest := events.max()) < num_events:
        raise ValueError(
            f"{learner}: events must be actions of the environment, 0..{num_events - 1}, got "
            f"{lowest if lowest < 0 else highest}; take one that has them, such as melody-theory"
        )


def sequences_in(learner: str, sequences: Any, num_events: int, batch_size: int) -> tuple[int, int]:
    """How many there are to train on and how many are held out; see `events_in`.

    More must be there to train on than go into a batch.
    """
    parts = (sequences.train, sequences.held_out)
    for part in parts:
        events_in(learner, part, num_events)
    num_train, num_held_out = (jax.tree.leaves(part)[0].shape[0] for part in parts)
    at_most(learner, "batch_size", batch_size, "sequences", num_train)
    return num_train, num_held_out


def divides(learner: str, part: str, part_size: int, whole: str, whole_size: int) -> None:
    """Refuse a `part` that does not divide the `whole`."""
    if whole_size % part_size:
        raise ValueError(
            f"{learner}: {part} must divide {whole} = {whole_size}, got {part_size}; "
            f"{_nearest_divisor(whole_size, part_size)} does"
        )


def below(learner: str, name: str, number: Any, limit: float, why: str) -> None:
    """Refuse a number at or above its limit; tracers and arrays pass."""
    if isinstance(number, int | float) and number >= limit:
        raise ValueError(f"{learner}: {name} must be below {limit:g} {why}, got {number}")


def at_most(learner: str, name: str, size: int, limit_name: str, limit: int) -> None:
    """Refuse a size above its limit."""
    if size > limit:
        raise ValueError(f"{learner}: {name} must be at most {limit_name} = {limit}, got {size}")


def _is_environment(learner: str, env: Any) -> None:
    if not hasattr(env, "action_space"):
        raise ValueError(f"{learner} takes an environment, such as make(id) gives, got {env!r}")


def _nearest_divisor(whole: int, part: int) -> int:
    pairs = ((d, whole // d) for d in range(1, math.isqrt(whole) + 1) if whole % d == 0)
    return min((d for pair in pairs for d in pair), key=lambda d: (abs(d - part), d))

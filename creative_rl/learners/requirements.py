"""What a learner asks of its environment and sizes, refused before anything is traced."""

from typing import Any

from creative_rl.spaces import Discrete
from creative_rl.wrappers import AutoReset, Wrapper


def num_actions(learner: str, env: Any) -> int:
    """Actions of a `Discrete` space; any other is refused."""
    if not isinstance(env.action_space, Discrete):
        raise ValueError(
            f"{learner} takes Discrete actions, got {env.action_space}; "
            "wrappers.FlattenActions turns MultiDiscrete into Discrete"
        )
    return env.action_space.num


def never_resets(learner: str, env: Any) -> None:
    """Refuse an environment that starts new episodes by itself: the learner does that."""
    while isinstance(env, Wrapper):
        if isinstance(env, AutoReset):
            raise ValueError(f"{learner} resets its environments; give it one without AutoReset")
        env = env.env


def divides(learner: str, part: str, part_size: int, whole: str, whole_size: int) -> None:
    """Refuse a `part` that does not divide the `whole`."""
    if whole_size % part_size:
        raise ValueError(
            f"{learner}: {part} must divide {whole} = {whole_size}, got {part_size}; "
            f"{_nearest_divisor(whole_size, part_size)} does"
        )


def at_most(learner: str, name: str, size: int, limit_name: str, limit: int) -> None:
    """Refuse a size above its limit."""
    if size > limit:
        raise ValueError(f"{learner}: {name} must be at most {limit_name} = {limit}, got {size}")


def _nearest_divisor(whole: int, part: int) -> int:
    return min((d for d in range(1, whole + 1) if whole % d == 0), key=lambda d: abs(d - part))

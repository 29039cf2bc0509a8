"""Perturbations within a bound that make a loss as large as they can, unbatched."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array, Key, Number

_REACH = 2.5
"""Radii that all steps together can go."""


def projected_gradient(
    key: Key,
    loss_fn: Callable[[Array], Float[Array, ""]],
    point: Float[Array, "*S"],
    radius: Number,
    num_steps: int,
    step_size: Number | None = None,
) -> Float[Array, "*S"]:
    """A point at most `radius` from `point` in every entry, where the loss is large.

    Starts anywhere in the box, and takes steps along the signs of the gradient that are projected
    back into it (Madry et al., arXiv 1706.06083, section 2.1 and equation 3; PGD). The start
    matters where the loss is a distance from `point`: there it has no gradient. Entries whose
    losses are summed are attacked each by its own gradient, so a whole batch may be one point.

    Args:
      key: of the start.
      loss_fn: what is to be large; nothing is differentiated through the steps.
      point: the middle of the box.
      radius: half its side, in units of the point, not negative; 0 gives the point back.
      num_steps: gradients taken, at least 1.
      step_size: how far a step goes in every entry; where None `2.5 * radius / num_steps`, which
        leads from any start to any place in the box.

    Raises:
      ValueError: num_steps is below 1.

    Example:
      A linear loss is largest in a corner of the box:

      >>> slope = jnp.array([3.0, -0.5])
      >>> worst = projected_gradient(jax.random.key(0), slope.dot, jnp.array([1.0, 1.0]), 0.25, 3)
      >>> worst.tolist()
      [1.25, 0.75]
    """
    if num_steps < 1:
        raise ValueError(f"projected_gradient: num_steps must be at least 1, got {num_steps}")
    if step_size is None:
        step_size = _REACH * radius / num_steps
    gradient_fn = jax.grad(loss_fn)

    def step(perturbation: Array, _: None) -> tuple[Array, None]:
        uphill = jnp.sign(gradient_fn(point + perturbation))
        return jnp.clip(perturbation + step_size * uphill, -radius, radius), None

    start = radius * jax.random.uniform(key, point.shape, point.dtype, -1.0, 1.0)
    perturbation, _ = jax.lax.scan(step, start, length=num_steps)
    return jax.lax.stop_gradient(point + perturbation)

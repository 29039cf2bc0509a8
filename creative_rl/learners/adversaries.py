"""What generative adversarial networks share: their state, optimisers, and a step of each."""

from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import optax

from creative_rl.ops import schedules
from creative_rl.typing import Array, Key, PyTree

Metrics = dict[str, Array]


class AdversariesState(flax.struct.PyTreeNode):
    """Everything that a run of such a learner is."""

    generator: PyTree  # variables
    mean_generator: PyTree  # the running mean, that `act` and `generate` use
    discriminator: PyTree  # variables, of all critics
    generator_opt_state: PyTree
    discriminator_opt_state: PyTree
    env_params: PyTree
    key: Key
    num_updates: Array  # int32


def optimizers(
    config: Any,
) -> tuple[optax.GradientTransformation, optax.GradientTransformation]:
    """Adam of the generator and of the discriminator, each with its own decaying step size."""
    betas = dict(b1=config.adam_beta1, b2=config.adam_beta2)
    rate, discriminator_rate = (
        schedules.linear_decay(start, config.decay_updates, config.num_steps * num_each)
        for start, num_each in (
            (config.learning_rate, 1),
            (config.discriminator_learning_rate, config.num_discriminator_steps),
        )
    )
    return optax.adam(rate, **betas), optax.adam(discriminator_rate, **betas)


def discriminator_moved(
    optimizer: optax.GradientTransformation,
    state: AdversariesState,
    loss: Callable[[PyTree], tuple[Array, tuple[PyTree, Metrics]]],
) -> tuple[AdversariesState, Metrics]:
    """The state after a gradient step of the discriminator.

    Args:
      optimizer: the discriminator's.
      state: before it.
      loss: of its `params`: the loss, and beside it the other variables as they have moved, and
        metrics, which are returned.
    """
    weights = state.discriminator["params"]
    gradients, (moved, metrics) = jax.grad(loss, has_aux=True)(weights)
    updates, opt_state = optimizer.update(gradients, state.discriminator_opt_state, weights)
    weights = optax.apply_updates(weights, updates)
    state = state.replace(
        discriminator={**state.discriminator, **moved, "params": weights},
        discriminator_opt_state=opt_state,
    )
    return state, metrics


def generator_moved(
    optimizer: optax.GradientTransformation,
    state: AdversariesState,
    loss: Callable[[PyTree], Array],
    ema_decay: Any,
    num_steps: Array,
) -> tuple[AdversariesState, Array]:
    """The state after a gradient step of the generator and of its running mean; and the loss.

    Args:
      optimizer: the generator's.
      state: before it.
      loss: of the generator's variables.
      ema_decay: share of the running mean that is kept.
      num_steps: of the generator so far.
    """
    value, gradients = jax.value_and_grad(loss)(state.generator)
    updates, opt_state = optimizer.update(gradients, state.generator_opt_state, state.generator)
    variables = optax.apply_updates(state.generator, updates)
    state = state.replace(
        generator=variables,
        mean_generator=schedules.moved_mean(state.mean_generator, variables, ema_decay, num_steps),
        generator_opt_state=opt_state,
    )
    return state, value

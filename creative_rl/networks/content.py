"""Content on instruction: a generator of several actions, and who guesses its instruction."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from creative_rl.networks.features import features
from creative_rl.networks.pictures import pixel_normalized
from creative_rl.spaces import Space
from creative_rl.typing import Array, PyTree

_hidden_init = nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
_head_init = nn.initializers.variance_scaling(0.25, "fan_in", "truncated_normal")
_MOST_OUTPUT = 5.0
"""Of every output, in either direction: beyond, a squashing has no slope left to learn from."""


class ContentGenerator(nn.Module):
    """What a generator makes of an observation, an instruction and noise.

    The observation passes through a bounded layer of its own first: a picture of many pixels would
    drown the few numbers of instruction and noise. Hidden layers are normalised as in
    `PictureDecoder`.

    Attributes:
      space: what observations look like.
      num_instructions: among which the instruction is.
      num_actions: actions L in one content.
      num_outputs: numbers for each action: values before a squashing, or logits.
      hidden_sizes: widths of the hidden layers.
      observation_size: numbers that the observation is told in.
    """

    space: Space
    num_instructions: int
    num_actions: int
    num_outputs: int
    hidden_sizes: tuple[int, ...] = (256, 256)
    observation_size: int = 32

    @nn.compact
    def __call__(self, observation: PyTree, instruction: Array, noise: Array) -> Array:
        """Float32[..., L, num_outputs] in -5..5, with the batch axes of `instruction`."""
        said = jax.nn.one_hot(instruction, self.num_instructions, dtype=jnp.float32)
        seen = nn.Dense(self.observation_size, name="observation")
        x = jnp.concatenate(
            [nn.tanh(seen(features(self.space, observation))), said, noise], axis=-1
        )
        for i, size in enumerate(self.hidden_sizes):
            layer = nn.Dense(size, kernel_init=_hidden_init, name=f"hidden_{i}")
            x = pixel_normalized(nn.relu(layer(x)))
        head = nn.Dense(self.num_actions * self.num_outputs, kernel_init=_head_init, name="head")
        x = _MOST_OUTPUT * nn.tanh(head(x) / _MOST_OUTPUT)
        return x.reshape(*x.shape[:-1], self.num_actions, self.num_outputs)


class InstructionReader(nn.Module):
    """Guesses the instruction that a content was made on.

    Attributes:
      num_instructions: among which the instruction is.
      hidden_sizes: widths of the hidden layers.
    """

    num_instructions: int
    hidden_sizes: tuple[int, ...] = (128,)

    @nn.compact
    def __call__(self, content: Array) -> Array:
        """Logits float32[..., num_instructions] from float32[..., L, F]."""
        x = content.reshape(*content.shape[:-2], -1)
        for size in self.hidden_sizes:
            x = nn.relu(nn.Dense(size, kernel_init=_hidden_init)(x))
        return nn.Dense(self.num_instructions)(x)

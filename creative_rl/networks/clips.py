"""Networks from clips to numbers and back: what judges them, and what makes them."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from creative_rl.networks.pictures import (
    Layer,
    Operation,
    PictureEncoder,
    check_size,
    pixel_normalized,
)
from creative_rl.typing import Array

_FASTEST = 0.25
"""Rounds a frame of a wave of a code: half of what frames can show."""
_FIRST_RATE = -1.0
"""Before the sigmoid that makes rates: at first they are about a quarter of the fastest."""
_SMALLEST = 1e-8
"""Under the root of a deviation, whose slope is infinite at 0."""


class ClipEncoder(nn.Module):
    """Clips float32[*B, T, H, W, C] in 0..1 to float32[*B, num_outputs].

    Every layer halves height and width, then the length, each with a convolution of its own: in
    2+1 dimensions (Tran et al. 2018, arXiv 1711.11248). Leaky ReLU of slope 0.2 after each.

    Attributes:
      num_outputs: width of the last layer.
      channels: of the layers; T, H and W must be divisible by 2 to the power of their number.
      normalize_spectrum: see `pictures.Layer`.
      compares: give the last layer one feature more, the mean deviation of the others within the
        batch, by which clips that are all alike are told (Karras et al. 2018, arXiv 1710.10196,
        section 3). What comes out for a clip then depends on those beside it.
    """

    num_outputs: int
    channels: tuple[int, ...] = (16, 32, 64, 128)
    normalize_spectrum: bool = False
    compares: bool = False

    @nn.compact
    def __call__(self, clips: Array) -> Array:
        *batch_shape, length, height, width, num_channels = clips.shape
        check_length(length, self.channels)
        check_size((height, width), self.channels)
        x = 2.0 * clips.reshape(-1, length, height, width, num_channels) - 1.0
        num = x.shape[0]
        for size in self.channels:
            frames = x.reshape(-1, *x.shape[2:])
            frames = self._activated(frames, size, "halve")
            x = frames.reshape(num, -1, *frames.shape[1:])
            x = self._activated(x, size, "halve_length")
        x = x.reshape(num, -1)
        if self.compares:
            deviation = jnp.sqrt(x.var(axis=0) + _SMALLEST).mean()
            x = jnp.concatenate([x, jnp.broadcast_to(deviation, (num, 1))], axis=-1)
        head = Layer(self.num_outputs, scale=0.5, normalize_spectrum=self.normalize_spectrum)
        return head(x).reshape(*batch_shape, self.num_outputs)

    def _activated(self, x: Array, size: int, kind: Operation) -> Array:
        layer = Layer(size, kind, normalize_spectrum=self.normalize_spectrum)
        return nn.leaky_relu(layer(x), 0.2)


class ClipDecoder(nn.Module):
    """Latents float32[*B, L + M] to float32[*B, T, H, W, C], before what brings them into 0..1.

    The first L tell what is seen, the same in every frame, and the other M how it moves. Content
    apart from motion is MoCoGAN's (Tulyakov et al. 2018, arXiv 1707.04993). From the motion a code
    is made for every frame, whose numbers are sine waves of time with amplitudes, rates and phases
    from layers, slow at first: neighbouring frames begin with similar codes (StyleGAN-V,
    Skorokhodov et al. 2022, arXiv 2112.14683, section 3.1). Doubling convolutions draw every frame
    from its code and the content; after each the content alone scales the channels, so that it is
    the frames' common style (StyleGAN, Karras et al. 2019, arXiv 1812.04948).

    Attributes:
      shape: (T, H, W, C) of the clips.
      content_size: L.
      code_size: width of a frame's code.
      hidden_size: of all layers before the convolutions.
      channels: of the maps, from the picture inwards; H and W must be divisible by 2 to the power
        of their number.
    """

    shape: tuple[int, int, int, int]
    content_size: int
    code_size: int = 16
    hidden_size: int = 128
    channels: tuple[int, ...] = (16, 32, 64, 128)

    @nn.compact
    def __call__(self, latents: Array) -> Array:
        *batch_shape, size = latents.shape
        length, height, width, num_channels = self.shape
        check_size((height, width), self.channels)
        content, motion = jnp.split(latents.reshape(-1, size), [self.content_size], axis=-1)
        style = self._hidden(pixel_normalized(content))
        same = jnp.broadcast_to(style[:, None], (style.shape[0], length, self.hidden_size))
        x = self._hidden(jnp.concatenate([same, self._codes(motion)], axis=-1))
        factor, (*others, last) = 2 ** len(self.channels), self.channels
        x = Layer(height // factor * (width // factor) * last)(x)
        x = self._styled(x.reshape(-1, height // factor, width // factor, last), style)
        for size in (*reversed(others), self.channels[0]):
            x = self._styled(Layer(size, "double")(x), style)
        return Layer(num_channels, scale=0.5)(x).reshape(*batch_shape, *self.shape)

    def _hidden(self, x: Array) -> Array:
        return nn.relu(Layer(self.hidden_size)(x))

    def _codes(self, motion: Array) -> Array:
        """float32[B, T, code_size] of motions float32[B, M]."""
        hidden = self._hidden(self._hidden(motion))
        rates, phases, heights = (Layer(self.code_size)(hidden)[:, None] for _ in range(3))
        rates = _FASTEST * nn.sigmoid(rates + _FIRST_RATE)
        frames = jnp.arange(self.shape[0], dtype=jnp.float32)[None, :, None]
        return heights * jnp.sin(2 * jnp.pi * rates * frames + phases)

    def _styled(self, x: Array, style: Array) -> Array:
        """Activated maps float32[B * T, H, W, D], their channels scaled by float32[B, hidden]."""
        x = pixel_normalized(nn.relu(x))
        scales = 1.0 + Layer(x.shape[-1], scale=0.5)(style)
        clips = x.reshape(style.shape[0], -1, *x.shape[1:])
        return (clips * scales[:, None, None, None]).reshape(x.shape)


class ClipCritic(nn.Module):
    """Two opinions about a clip: of all of it, and of some of its frames, each by itself.

    Source: the video and the image discriminator of MoCoGAN (see above): the first sees how things
    move, the second how they look. The first compares the clips of its batch (see `ClipEncoder`).

    Attributes:
      channels: of both.
      normalize_spectrum: see `pictures.Layer`.
    """

    channels: tuple[int, ...] = (16, 32, 64, 128)
    normalize_spectrum: bool = False

    @nn.compact
    def __call__(self, clips: Array, pictures: Array) -> tuple[Array, Array]:
        """Scores float32[*B] and [*N].

        Args:
          clips: float32[*B, T, H, W, C] in 0..1, all real or all made.
          pictures: float32[*N, H, W, C]: single frames.
        """
        sizes: dict[str, Any] = dict(
            channels=self.channels, normalize_spectrum=self.normalize_spectrum
        )
        of_clips = ClipEncoder(1, compares=True, **sizes)(clips)[..., 0]
        return of_clips, PictureEncoder(1, "conv", **sizes)(pictures)[..., 0]


def check_length(length: int, channels: tuple[int, ...]) -> None:
    """Refuse a number of frames that cannot be halved once for each of `channels`."""
    factor = 2 ** len(channels)
    if length % factor:
        raise ValueError(
            f"a network with {len(channels)} layers takes clips whose number of frames is "
            f"divisible by {factor}, got {length}; give fewer channels or other clips"
        )

"""Networks from clips to numbers and back: what judges them, and what makes them."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from creative_rl.networks.pictures import (
    Layer,
    Operation,
    PictureDecoder,
    PictureEncoder,
    check_size,
)
from creative_rl.typing import Array


class ClipEncoder(nn.Module):
    """Clips float32[*B, T, H, W, C] in 0..1 to float32[*B, num_outputs].

    Every layer halves height and width, then the length, each with a convolution of its own: in
    2+1 dimensions (Tran et al. 2018, arXiv 1711.11248). Leaky ReLU of slope 0.2 after each.

    Attributes:
      num_outputs: width of the last layer.
      channels: of the layers; T, H and W must be divisible by 2 to the power of their number.
      normalize_spectrum: see `pictures.Layer`.
    """

    num_outputs: int
    channels: tuple[int, ...] = (16, 32, 64, 128)
    normalize_spectrum: bool = False

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
        head = Layer(self.num_outputs, scale=0.5, normalize_spectrum=self.normalize_spectrum)
        return head(x.reshape(num, -1)).reshape(*batch_shape, self.num_outputs)

    def _activated(self, x: Array, size: int, kind: Operation) -> Array:
        layer = Layer(size, kind, normalize_spectrum=self.normalize_spectrum)
        return nn.leaky_relu(layer(x), 0.2)


class ClipDecoder(nn.Module):
    """Latents float32[*B, L + M] to float32[*B, T, H, W, C], before what brings them into 0..1.

    The first L tell what is seen, the same in every frame; from the other M a code of its own is
    made for every frame, and a `PictureDecoder` draws each from both. Content apart from motion is
    MoCoGAN's (Tulyakov et al. 2018, arXiv 1707.04993), whose motion is a recurrent network's; all
    frames' codes from one vector are TGAN's (Saito et al. 2017, arXiv 1611.06624, section 3.2).

    Attributes:
      shape: (T, H, W, C) of the clips.
      content_size: L.
      code_size: width of a frame's code.
      hidden_size: of the layer that all codes are made from.
      channels: of the `PictureDecoder`.
    """

    shape: tuple[int, int, int, int]
    content_size: int
    code_size: int = 16
    hidden_size: int = 128
    channels: tuple[int, ...] = (16, 32, 64, 128)

    @nn.compact
    def __call__(self, latents: Array) -> Array:
        *batch_shape, _ = latents.shape
        length, height, width, num_channels = self.shape
        content, motion = jnp.split(latents, [self.content_size], axis=-1)
        hidden = nn.relu(Layer(self.hidden_size)(motion))
        hidden = nn.relu(Layer(self.hidden_size)(hidden))
        codes = Layer(length * self.code_size)(hidden)
        codes = codes.reshape(*batch_shape, length, self.code_size)
        same = jnp.broadcast_to(content[..., None, :], (*batch_shape, length, self.content_size))
        drawn = PictureDecoder((height, width, num_channels), channels=self.channels)
        return drawn(jnp.concatenate([same, codes], axis=-1))


class ClipCritic(nn.Module):
    """Two opinions about a clip: of all of it, and of some of its frames, each by itself.

    Source: the video and the image discriminator of MoCoGAN (see above): the first sees how things
    move, the second how they look.

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
          clips: float32[*B, T, H, W, C] in 0..1.
          pictures: float32[*N, H, W, C]: single frames.
        """
        sizes: dict[str, Any] = dict(
            channels=self.channels, normalize_spectrum=self.normalize_spectrum
        )
        of_clips = ClipEncoder(1, **sizes)(clips)[..., 0]
        return of_clips, PictureEncoder(1, "conv", **sizes)(pictures)[..., 0]


def check_length(length: int, channels: tuple[int, ...]) -> None:
    """Refuse a number of frames that cannot be halved once for each of `channels`."""
    factor = 2 ** len(channels)
    if length % factor:
        raise ValueError(
            f"a network with {len(channels)} layers takes clips whose number of frames is "
            f"divisible by {factor}, got {length}; give fewer channels or other clips"
        )

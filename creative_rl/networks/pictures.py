"""Networks from pictures to numbers and back: discriminators, encoders, generators, decoders.

No batch normalisation: it ties the pictures of a batch together, which WGAN-GP's penalty forbids
(Gulrajani et al., arXiv 1704.00028, section 4), and it fails on tiny batches. The way back has
pixel normalisation instead, which has no state (Karras et al., arXiv 1710.10196, section 4.2).
"""

import math
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from creative_rl.networks import convolutions
from creative_rl.networks.spectral import spectral_norm
from creative_rl.typing import Array

Kind = Literal["mlp", "conv"]
Operation = Literal["dense", "halve", "double", "halve_length"]
_OPERATIONS = {
    "dense": convolutions.product,
    "halve": convolutions.halve,
    "double": convolutions.double,
    "halve_length": convolutions.halve_length,
}
_ROWS = {"halve": 16, "halve_length": 4}
"""Pixels that a kernel reads, where there is more than one."""


class Layer(nn.Module):
    """A matrix product or a convolution with a bias, its kernel perhaps of spectral norm 1.

    Weights are drawn with variance 2 / fan-in (He et al., arXiv 1502.01852), times `scale` squared.

    Attributes:
      num_features: channels that come out.
      kind: `dense` on the last axis; `halve`, `double` and `halve_length` convolve and resize.
      scale: of the first weights; small for a head that starts near zero.
      normalize_spectrum: divide the kernel by its greatest singular value (Miyato et al., arXiv
        1802.05957, algorithm 1: one power iteration a call, whose vector is in the collection
        `spectral` and moves where that is mutable).
    """

    num_features: int
    kind: Operation = "dense"
    scale: float = 1.0
    normalize_spectrum: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        num_rows = _ROWS.get(self.kind, 1) * x.shape[-1]
        num_columns = (16 if self.kind == "double" else 1) * self.num_features
        # A pixel of a doubled picture is the sum of 2 x 2 pixels' channels.
        fan_in = (4 if self.kind == "double" else 1) * num_rows
        init = nn.initializers.normal(self.scale * math.sqrt(2 / fan_in))
        kernel = self.param("kernel", init, (num_rows, num_columns), jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.num_features,), jnp.float32)
        if self.normalize_spectrum:
            kernel = kernel / self._spectral_norm(kernel)
        y = _OPERATIONS[self.kind](x, kernel)
        return y + bias.reshape((1,) * (y.ndim - 1) + bias.shape)

    def _spectral_norm(self, kernel: Array) -> Array:
        def first() -> Array:
            vector = jax.random.normal(self.make_rng("params"), kernel.shape[1:], jnp.float32)
            return vector / jnp.linalg.norm(vector)

        vector = self.variable("spectral", "vector", first)
        norm, following = spectral_norm(kernel, vector.value)
        if self.is_mutable_collection("spectral") and not self.is_initializing():
            vector.value = following
        return norm


class PictureEncoder(nn.Module):
    """Pictures float32[*B, H, W, C] in 0..1 to float32[*B, num_outputs]: a discriminator's scores
    (one output) or an encoder's statistics. Leaky ReLU of slope 0.2 after every layer but the last.

    Attributes:
      num_outputs: width of the last layer.
      kind: `mlp` or `conv`.
      hidden_sizes: widths of the hidden layers, for `mlp`.
      channels: of the halving convolutions, first to last, for `conv`; each halves the picture, so
        H and W must be divisible by 2 to the power of their number.
      normalize_spectrum: see `Layer`.
    """

    num_outputs: int
    kind: Kind = "conv"
    hidden_sizes: tuple[int, ...] = (256, 256)
    channels: tuple[int, ...] = (64, 128)
    normalize_spectrum: bool = False

    @nn.compact
    def __call__(self, pictures: Array) -> Array:
        *batch_shape, height, width, num_channels = pictures.shape
        x = 2.0 * pictures.reshape(-1, height, width, num_channels) - 1.0
        if self.kind == "mlp":
            x = x.reshape(x.shape[0], -1)
            layers: list[tuple[Operation, int]] = [("dense", size) for size in self.hidden_sizes]
        else:
            check_size((height, width), self.channels)
            layers = [("halve", size) for size in self.channels]
        for kind, size in layers:
            layer = Layer(size, kind, normalize_spectrum=self.normalize_spectrum)
            x = nn.leaky_relu(layer(x), 0.2)
        head = Layer(self.num_outputs, scale=0.5, normalize_spectrum=self.normalize_spectrum)
        return head(x.reshape(x.shape[0], -1)).reshape(*batch_shape, self.num_outputs)


class PictureDecoder(nn.Module):
    """Latents float32[*B, L] to float32[*B, H, W, C], before what brings them into 0..1.

    Attributes:
      shape: (H, W, C) of the pictures.
      kind: `mlp` or `conv`.
      hidden_sizes: widths of the hidden layers, for `mlp`.
      channels: those of a `PictureEncoder`; they are passed last to first, and every doubling
        convolution but the last, whose channels are the picture's, leads to the next.
      normalize: bring every pixel's channels (`mlp`: every hidden layer) to mean square 1.
    """

    shape: tuple[int, int, int]
    kind: Kind = "conv"
    hidden_sizes: tuple[int, ...] = (256, 256)
    channels: tuple[int, ...] = (64, 128)
    normalize: bool = True

    @nn.compact
    def __call__(self, latents: Array) -> Array:
        batch_shape = latents.shape[:-1]
        x = latents.reshape(-1, latents.shape[-1])
        x = self._dense_layers(x) if self.kind == "mlp" else self._convolutions(x)
        return x.reshape(*batch_shape, *self.shape)

    def _dense_layers(self, x: Array) -> Array:
        for size in self.hidden_sizes:
            x = self._activate(Layer(size)(x))
        return Layer(math.prod(self.shape), scale=0.5)(x)

    def _convolutions(self, x: Array) -> Array:
        height, width, num_channels = self.shape
        check_size((height, width), self.channels)
        *others, last = self.channels
        factor = 2 ** len(self.channels)
        x = Layer(height // factor * (width // factor) * last)(x)
        x = self._activate(x.reshape(-1, height // factor, width // factor, last))
        for size in reversed(others):
            x = self._activate(Layer(size, "double")(x))
        return Layer(num_channels, "double", scale=0.5)(x)

    def _activate(self, x: Array) -> Array:
        x = nn.relu(x)
        return pixel_normalized(x) if self.normalize else x


def pixel_normalized(x: Array) -> Array:
    """Float32[..., C] with channels of mean square 1 (Karras et al., see above)."""
    return x * jax.lax.rsqrt(jnp.square(x).mean(axis=-1, keepdims=True) + 1e-8)


def check_size(size: tuple[int, int], channels: tuple[int, ...]) -> None:
    """Refuse a height and width that cannot be halved once for each of `channels`."""
    factor = 2 ** len(channels)
    if size[0] % factor or size[1] % factor:
        raise ValueError(
            f"a network with {len(channels)} convolutions takes pictures whose height and width "
            f"are divisible by {factor}, got {size[0]} x {size[1]}; network='mlp' takes any size"
        )

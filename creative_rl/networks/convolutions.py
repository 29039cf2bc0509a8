"""Convolutions as matrix products: that halve or double a picture, halve a clip, or keep a map.

Kernels of pictures are 4 x 4 with stride 2 and one pixel of padding (Radford et al., arXiv
1511.06434, in the usual later form); of maps, 3 x 3 with one tile of padding. XLA's own
convolutions lose the vector units inside loops on CPUs: a training step of the same network took
16 times as long with them.

Shapes: pictures [B, H, W, C] with even H and W; D channels after the convolution.
"""

import functools
import operator

import jax
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

_CORNERS = [(i, j) for i in (0, 1) for j in (0, 1)]
"""Of the 2 x 2 blocks of 2 x 2 pixels that a 4 x 4 kernel reads."""


def halve(
    pictures: Float[Array, "B H W C"], kernel: Float[Array, "16*C D"]
) -> Float[Array, "B H//2 W//2 D"]:
    """Convolution with stride 2.

    Args:
      pictures: channels last.
      kernel: rows are (block row, block column, row in the block, column in the block, channel).
    """
    height, width = pictures.shape[1] // 2, pictures.shape[2] // 2
    blocks = _to_blocks(pictures)
    patches = [blocks[:, i : i + height, j : j + width] for i, j in _CORNERS]
    return product(jnp.concatenate(patches, axis=-1), kernel)


def double(
    pictures: Float[Array, "B H W C"], kernel: Float[Array, "C K"]
) -> Float[Array, "B 2*H 2*W K//16"]:
    """Transposed convolution with stride 2: the transpose of `halve` with the kernel transposed.

    Args:
      pictures: channels last.
      kernel: its 16 D columns are as the rows of `halve`'s.
    """
    parts = jnp.split(product(pictures, kernel), 4, axis=-1)
    shifted = [
        jnp.pad(part, ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0)))
        for part, (i, j) in zip(parts, _CORNERS, strict=True)
    ]
    return _from_blocks(functools.reduce(operator.add, shifted))


def patches(maps: Float[Array, "*B H W C"]) -> Float[Array, "*B H W 9*C"]:
    """What a kernel of 3 x 3 reads for every tile; beyond the edges are zeros.

    A product with a kernel whose rows are (row, column, channel) is the convolution.
    """
    height, width = maps.shape[-3:-1]
    around = jnp.pad(maps, (*((0, 0),) * (maps.ndim - 3), (1, 1), (1, 1), (0, 0)))
    shifted = [around[..., i : i + height, j : j + width, :] for i in range(3) for j in range(3)]
    return jnp.concatenate(shifted, axis=-1)


def halve_length(
    clips: Float[Array, "B T H W C"], kernel: Float[Array, "4*C D"]
) -> Float[Array, "B T//2 H W D"]:
    """Convolution along time: kernels of 4 frames with stride 2 and one frame of zeros as padding.

    With `halve` before, of every frame, it is a convolution in space and time in two parts (Tran et
    al. 2018, arXiv 1711.11248: 2+1 dimensions).

    Args:
      clips: channels last; T is even.
      kernel: rows are (pair, frame in the pair, channel).
    """
    batch, length, height, width, channels = clips.shape
    padded = jnp.pad(clips, ((0, 0), (1, 1), (0, 0), (0, 0), (0, 0)))
    pairs = padded.reshape(batch, length // 2 + 1, 2, height, width, channels)
    pairs = pairs.transpose(0, 1, 3, 4, 2, 5)
    pairs = pairs.reshape(batch, length // 2 + 1, height, width, 2 * channels)
    return product(jnp.concatenate([pairs[:, :-1], pairs[:, 1:]], axis=-1), kernel)


def product(x: Float[Array, "*B K"], kernel: Float[Array, "K D"]) -> Float[Array, "*B D"]:
    """`x @ kernel`, such that the gradient of the kernel transposes the narrower operand.

    That gradient is a product over all rows, and transposing the wider operand costs as much as
    the product itself. The barrier keeps XLA from moving the transposition there.
    """
    rows = x.reshape(-1, x.shape[-1])
    if kernel.shape[0] > kernel.shape[1]:
        transposed = jax.lax.optimization_barrier(kernel.T)
        y = jax.lax.dot_general(rows, transposed, (((1,), (1,)), ((), ())))
    else:
        y = rows @ jax.lax.optimization_barrier(kernel)
    return y.reshape(*x.shape[:-1], kernel.shape[1])


def _to_blocks(pictures: Array) -> Array:
    """[B, H/2 + 1, W/2 + 1, 4 C]: the padded picture's 2 x 2 pixels as channels."""
    batch, height, width, channels = pictures.shape
    padded = jnp.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
    blocks = padded.reshape(batch, height // 2 + 1, 2, width // 2 + 1, 2, channels)
    blocks = blocks.transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(batch, height // 2 + 1, width // 2 + 1, 4 * channels)


def _from_blocks(blocks: Array) -> Array:
    """The inverse of `_to_blocks`."""
    batch, height, width, channels = blocks.shape
    pixels = blocks.reshape(batch, height, width, 2, 2, channels // 4).transpose(0, 1, 3, 2, 4, 5)
    return pixels.reshape(batch, 2 * height, 2 * width, channels // 4)[:, 1:-1, 1:-1]

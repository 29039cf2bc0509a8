"""What rules of composition say of a picture: measures from 0 to 1, unbatched and pure.

A picture is float32[H, W, C] in 0 .. 1, C = 1 (grey) or 3 (RGB), on a background of one grey
level; *ink* is how far a pixel is from the background. An empty canvas scores 0 everywhere.
Gradients are finite; what counts (`description_length`, `complexity`, `coverage`) has none.
"""

import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.typing import Array

_LEAST_INK = 1e-3
"""Mean ink below which a canvas counts as empty."""
_PAINTED = 0.05
"""Ink from which on a pixel counts as painted: below it nobody sees a difference."""
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_NUM_LEVELS = 16


def ink(picture: Float[Array, "H W C"], background: float) -> Float[Array, "H W"]:
    """Mean distance of the channels from the background, 0 .. 1."""
    return jnp.abs(picture - background).mean(axis=-1)


def balance(ink: Float[Array, "H W"]) -> Float[Array, ""]:
    """1 with the ink's centre of mass in the middle of the canvas, 0 with it in a corner.

    Source: visual weight as a lever about the centre (Arnheim, Art and Visual Perception, 1954,
    chapter 1; measured as the deviation of the centre of mass, Hubner and Fillinger, 2016).
    """
    height, width = ink.shape
    mass = ink.sum()
    y = (jnp.arange(height, dtype=jnp.float32) + 0.5) / height - 0.5
    x = (jnp.arange(width, dtype=jnp.float32) + 0.5) / width - 0.5
    down = jnp.sum(ink.sum(axis=1) * y) / jnp.maximum(mass, 1e-6)
    right = jnp.sum(ink.sum(axis=0) * x) / jnp.maximum(mass, 1e-6)
    from_centre = _root(jnp.square(down) + jnp.square(right)) / 0.5**0.5
    return _unless_empty(ink, 1.0 - from_centre)


def symmetry(ink: Float[Array, "H W"]) -> Float[Array, ""]:
    """Share of the ink that has its mirror image on the other side of the vertical axis.

    Source: bilateral symmetry as in den Heijer, "Evolving Art Using Measures for Symmetry,
    Compositional Balance and Liveliness" (2012), with overlap for its difference.
    """
    overlap = jnp.minimum(ink, ink[:, ::-1]).sum()
    return _unless_empty(ink, overlap / jnp.maximum(ink.sum(), 1e-6))


def contrast(picture: Float[Array, "H W C"]) -> Float[Array, ""]:
    """Root-mean-square contrast: twice the standard deviation of the luminance.

    1 for as much pure white as pure black. Source: Peli, JOSA A 7 (1990), equation 4.
    """
    levels = luminance(picture)
    return jnp.minimum(2.0 * _root(jnp.square(levels - levels.mean()).mean()), 1.0)


def harmony(picture: Float[Array, "H W C"]) -> Float[Array, ""]:
    """How far hues agree with one colour, or with one and its complement; 0 without colour.

    The mean resultant length of the hues, weighted by chroma: once of the angles, once of twice
    the angles, and the larger of both counts. Source: the templates `i` and `I` of Cohen-Or et
    al., "Color Harmonization" (SIGGRAPH 2006, figure 4), with circular means for their sectors.
    """
    if picture.shape[-1] == 1:
        return jnp.float32(0)
    red, green, blue = (picture[..., channel] for channel in range(3))
    # The chroma plane: the angle is the hue, the length the chroma.
    across, up = red - 0.5 * (green + blue), (3**0.5 / 2) * (green - blue)
    chroma = jnp.sqrt(jnp.square(across) + jnp.square(up) + 1e-12)
    total = jnp.maximum(chroma.sum(), 1e-6)
    along = jnp.hypot(across.sum(), up.sum()) / total
    # cos 2a = (across^2 - up^2) / chroma^2, and each weighted by chroma.
    double = jnp.hypot(
        ((jnp.square(across) - jnp.square(up)) / chroma).sum(), (2 * across * up / chroma).sum()
    )
    agreement = jnp.maximum(along, double / total)
    return jnp.where(chroma.mean() > _LEAST_INK, jnp.clip(agreement, 0.0, 1.0), 0.0)


def description_length(picture: Float[Array, "H W C"]) -> Float[Array, ""]:
    """Bits that a pixel costs in a lossless coder, as a share of the most it can cost.

    The entropy of what is left of each pixel after the one on its left has predicted it, over 16
    levels of the luminance: what the first filter of PNG and an ideal entropy coder make of it.
    """
    levels = jnp.round(luminance(picture) * (_NUM_LEVELS - 1)).astype(jnp.int32)
    left = jnp.pad(levels[:, :-1], ((0, 0), (1, 0)), mode="edge")
    residuals = (levels - left) % _NUM_LEVELS
    counts = jnp.stack([(residuals == n).sum() for n in range(_NUM_LEVELS)])
    shares = counts / residuals.size
    bits = -jnp.sum(jnp.where(counts > 0, shares * jnp.log2(jnp.maximum(shares, 1e-9)), 0.0))
    return (bits / jnp.log2(_NUM_LEVELS)).astype(jnp.float32)


def complexity(picture: Float[Array, "H W C"]) -> Float[Array, ""]:
    """1 half-way between a picture that costs no bits and noise, 0 at either end.

    An inverted U over compressibility (Berlyne, Aesthetics and Psychobiology, 1971; compression
    as the measure: Machado and Cardoso, SBIA 1998).
    """
    length = description_length(picture)
    return 4.0 * length * (1.0 - length)


def coverage(ink: Float[Array, "H W"], wanted: Float[Array, ""]) -> Float[Array, ""]:
    """1 with the wanted share of the canvas painted; falls linearly to 0 at none and at the
    furthest from it. `wanted` is above 0."""
    painted = (ink > _PAINTED).mean(dtype=jnp.float32)
    below = painted / wanted
    above = (1.0 - painted) / jnp.maximum(1.0 - wanted, 1e-6)
    return jnp.clip(jnp.minimum(below, above), 0.0, 1.0)


def luminance(picture: Float[Array, "H W C"]) -> Float[Array, "H W"]:
    """Grey as it is; of RGB the weights of ITU-R BT.709."""
    if picture.shape[-1] == 1:
        return picture[..., 0]
    red, green, blue = (weight * picture[..., k] for k, weight in enumerate(_LUMINANCE))
    return red + green + blue


def _root(x: Array) -> Array:
    """A square root whose gradient is finite at 0."""
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)


def _unless_empty(ink: Array, value: Array) -> Array:
    return jnp.where(ink.mean() > _LEAST_INK, jnp.clip(value, 0.0, 1.0), 0.0)

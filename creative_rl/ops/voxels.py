"""What rules say of a sculpture of voxels: what stands, how it stands and looks; unbatched, pure.

A sculpture is bool[N, N, N], full or empty by x (right), y (back) and z (up); it stands on the
ground below z = 0. N is at most 32, so that a row fits a machine word. Measures are in 0 .. 1; of
nothing they are 0.
"""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from creative_rl.typing import Array

LARGEST_SIZE = 32


def beside(solid: Bool[Array, "N N N"]) -> Bool[Array, "N N N"]:
    """The cells that have a full one beside them, above or below, or that lie on the ground."""
    size = solid.shape[0]
    around = jnp.zeros_like(solid).at[:, :, 0].set(True)
    padded = jnp.pad(solid, 1)
    for axis in range(3):
        for start in (0, 2):
            starts = [1, 1, 1]
            starts[axis] = start
            around |= jax.lax.slice(padded, starts, [at + size for at in starts])
    return around


def standing(solid: Bool[Array, "N N N"]) -> Bool[Array, "N N N"]:
    """The voxels that are joined to the ground through faces; the others would fall."""
    full = rows(solid)
    on_ground = jnp.arange(solid.shape[0], dtype=jnp.int32) == 0  # by z

    def grow(carry: tuple[Array, Array]) -> tuple[Array, Array]:
        joined, _ = carry
        grown = joined | (joined << 1) | (joined >> 1)
        for axis in (0, 1):
            none = jnp.zeros_like(jax.lax.slice_in_dim(joined, 0, 1, axis=axis))
            ahead = jax.lax.slice_in_dim(joined, 1, None, axis=axis)
            behind = jax.lax.slice_in_dim(joined, 0, -1, axis=axis)
            grown |= jnp.concatenate([ahead, none], axis) | jnp.concatenate([none, behind], axis)
        grown &= full
        return grown, (grown != joined).any()

    first = jnp.where(on_ground[None, :], full, jnp.uint32(0))
    joined, _ = jax.lax.while_loop(lambda carry: carry[1], grow, (first, jnp.bool_(True)))
    places = jnp.arange(solid.shape[0], dtype=jnp.uint32)
    return ((joined[None] >> places[:, None, None]) & 1).astype(jnp.bool_)


def rows(solid: Bool[Array, "N N M"]) -> UInt32[Array, "N M"]:
    """Each row along x as a word, the bit x of it for the voxel at x."""
    bits = jnp.uint32(1) << jnp.arange(solid.shape[0], dtype=jnp.uint32)
    return jnp.where(solid, bits[:, None, None], jnp.uint32(0)).sum(axis=0, dtype=jnp.uint32)


def volume(solid: Bool[Array, "X Y Z"]) -> Float[Array, ""]:
    """How many voxels are full."""
    return solid.sum(dtype=jnp.int32).astype(jnp.float32)


def stability(solid: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Tangent of the angle by which the ground may be tilted before the sculpture tips over, at
    most 1, which is 45 degrees.

    The distance of the centre of mass from the edge of the support polygon, seen from above, over
    its height; 0 where it is outside. The polygon is the convex hull of what touches the ground.

    Source: statics of a rigid body; the static stability margin of McGhee and Frank, "On the
    stability properties of quadruped creeping gaits" (Mathematical Biosciences 3, 1968), as an
    angle.
    """
    size = solid.shape[0]
    centres = jnp.arange(size, dtype=jnp.float32) + 0.5
    num = jnp.maximum(volume(solid), 1.0)
    axes = ((1, 2), (0, 2), (0, 1))
    mass = [solid.sum(axis=axis, dtype=jnp.int32).astype(jnp.float32) for axis in axes]
    x, y, z = (jnp.sum(part * centres) / num for part in mass)
    contact = solid[:, :, 0]
    # Of a row along x only the outermost voxels matter.
    touches = contact.any(axis=0)
    left = jnp.argmax(contact, axis=0).astype(jnp.float32)[None]
    right = size - jnp.argmax(contact[::-1], axis=0).astype(jnp.float32)[None]
    directions = jnp.asarray(_directions(size))
    across, back = directions[:, :1], directions[:, 1:]
    front = (centres - 0.5)[None]
    reach = jnp.maximum(across * left, across * right) + jnp.maximum(
        back * front, back * (front + 1.0)
    )
    furthest = jnp.where(touches[None], reach, -jnp.inf).max(axis=1)
    margin = jnp.min(furthest - (across[:, 0] * x + back[:, 0] * y))
    return jnp.where(touches.any(), jnp.clip(margin / jnp.maximum(z, 0.5), 0.0, 1.0), 0.0)


def support(solid: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Share of voxels that can be printed as they stand: on the ground, or with a full voxel among
    the five below, the one under it and that one's four neighbours.

    Source: overhangs of up to 45 degrees, as in Langelaar, "Topology optimization of 3D
    self-supporting structures for additive manufacturing" (Additive Manufacturing 12, 2016).
    """
    below = jnp.pad(solid[:, :, :-1], ((1, 1), (1, 1), (1, 0)))
    held = below[1:-1, 1:-1] | below[:-2, 1:-1] | below[2:, 1:-1]
    held |= below[1:-1, :-2] | below[1:-1, 2:]
    held |= (jnp.arange(solid.shape[2], dtype=jnp.int32) == 0)[None, None]
    return volume(solid & held) / jnp.maximum(volume(solid), 1.0)


def symmetry(solid: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Share of voxels that have their mirror image, in that of the grid's two upright middle
    planes that gives more.

    Source: as `ops.composition.symmetry`, for solids.
    """
    overlap = jnp.maximum(volume(solid & solid[::-1]), volume(solid & solid[:, ::-1]))
    return overlap / jnp.maximum(volume(solid), 1.0)


def surface(solid: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Share of the voxels' faces that are outside: 1 of single voxels, 1 / n of a cube of n.

    Source: the ratio of surface to volume, over that of one voxel.
    """
    inner = [
        (jax.lax.slice_in_dim(solid, 1, None, axis=axis)
         & jax.lax.slice_in_dim(solid, 0, -1, axis=axis)).sum(dtype=jnp.int32)
        for axis in range(3)
    ]  # fmt: skip
    num = volume(solid)
    outside = 6.0 * num - 2.0 * jnp.stack(inner).sum(dtype=jnp.int32).astype(jnp.float32)
    return outside / jnp.maximum(6.0 * num, 1.0)


def silhouettes(solid: Bool[Array, "N N N"]) -> Bool[Array, "3 N N"]:
    """What is dark against the light: along x [y, z], along y [x, z] and along z [x, y]."""
    return jnp.stack([solid.any(axis=axis) for axis in range(3)])


def silhouette_complexity(solid: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Mean over the three silhouettes of 1 - 16 area / perimeter^2, 0 for a square.

    Source: perimeter squared over area, which explains much of how complex shapes are judged to be
    (Attneave, "Physical determinants of the judged complexity of shapes", Journal of Experimental
    Psychology 53, 1957).
    """
    shapes = silhouettes(solid)
    area = shapes.sum(axis=(1, 2), dtype=jnp.int32).astype(jnp.float32)
    padded = jnp.pad(shapes, ((0, 0), (1, 1), (1, 1)))
    edges = (padded[:, 1:] != padded[:, :-1]).sum(axis=(1, 2), dtype=jnp.int32)
    edges += (padded[:, :, 1:] != padded[:, :, :-1]).sum(axis=(1, 2), dtype=jnp.int32)
    ratio = 16.0 * area / jnp.maximum(jnp.square(edges.astype(jnp.float32)), 1.0)
    return jnp.where(area > 0, 1.0 - ratio, 0.0).mean()


def evenness(counts: Int[Array, " K"]) -> Float[Array, ""]:
    """Entropy of the materials' shares over that of equal shares; 0 of a single material.

    Source: Pielou, "The measurement of diversity in different types of biological collections"
    (Journal of Theoretical Biology 13, 1966).
    """
    shares = counts / jnp.maximum(counts.sum(), 1)
    bits = -jnp.sum(jnp.where(counts > 0, shares * jnp.log(jnp.maximum(shares, 1e-9)), 0.0))
    return (bits / math.log(max(counts.shape[0], 2))).astype(jnp.float32)


def nearness(value: Float[Array, ""], wanted: Float[Array, ""]) -> Float[Array, ""]:
    """1 where a share is what is wanted, linearly less to 0 at 0 and at 1; `wanted` inside them."""
    below = value / jnp.maximum(wanted, 1e-6)
    above = (1.0 - value) / jnp.maximum(1.0 - wanted, 1e-6)
    return jnp.clip(jnp.minimum(below, above), 0.0, 1.0)


def overlap(solid: Bool[Array, "N N N"], target: Bool[Array, "N N N"]) -> Float[Array, ""]:
    """Intersection over union; 0 where both are empty."""
    return volume(solid & target) / jnp.maximum(volume(solid | target), 1.0)


def depth_maps(solid: Bool[Array, "N N N"]) -> Float[Array, "3 N N"]:
    """How near it comes, from the right [y, z], the front [x, z] and above [x, y].

    1 for a voxel at that side of the grid, 1 / N less for every cell further away, 0 for nothing.
    """
    size = solid.shape[0]
    towards = jnp.moveaxis(solid[::-1], 0, -1), jnp.moveaxis(solid, 1, -1), solid[:, :, ::-1]
    maps = []
    for cells in towards:
        first = jnp.argmax(cells, axis=-1).astype(jnp.float32)
        maps.append(jnp.where(cells.any(axis=-1), 1.0 - first / size, 0.0))
    return jnp.stack(maps)


def _directions(size: int) -> np.ndarray:
    """float32[D, 2]: unit normals of every line through two corners of a grid's cells."""
    found = [
        (p, q)
        for p, q in itertools.product(range(-size, size + 1), repeat=2)
        if math.gcd(p, q) == 1
    ]
    normals = np.array(found, np.float64)
    return (normals / np.hypot(*normals.T)[:, None]).astype(np.float32)

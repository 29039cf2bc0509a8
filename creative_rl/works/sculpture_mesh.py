"""The surface of voxels as a closed mesh: only what faces the air, corners shared.

Every edge of the mesh belongs to exactly two triangles, which pass it in opposite directions.
Voxels that touch along an edge or at a corner only are parted there: the edge, or the corner,
stands twice in the mesh, at one place. Where that is not enough, because the two are joined around
both ends of the edge, each has its own vertex in the middle of the edge.
"""

from typing import NamedTuple

import numpy as np

_SQUARES = (
    ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0)),
    ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)),
    ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)),
    ((0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 1, 0)),
    ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
    ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
)
"""Corners of a unit cube's faces towards -x, +x, -y, +y, -z and +z, anticlockwise from outside."""
NORMALS = np.array(((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)))


class Squares(NamedTuple):
    """Faces of voxels that face the air."""

    corners: np.ndarray  # int[F, 4, 3], anticlockwise from outside
    cells: np.ndarray  # int[F, 3]: whose face it is
    sides: np.ndarray  # int[F]: row of NORMALS
    materials: np.ndarray  # uint8[F]


class Mesh(NamedTuple):
    """A closed surface."""

    vertices: np.ndarray  # float32[V, 3]
    triangles: np.ndarray  # int32[M, 3], anticlockwise from outside
    materials: np.ndarray  # uint8[M]


def squares(voxels: np.ndarray) -> Squares:
    """What is to be seen of uint8[X, Y, Z], 0 empty."""
    solid = np.pad(voxels > 0, 1)
    cells, sides = [], []
    for number, normal in enumerate(NORMALS):
        beside = np.roll(solid, tuple(-normal), axis=(0, 1, 2))
        found = np.argwhere((solid & ~beside)[1:-1, 1:-1, 1:-1])
        cells.append(found)
        sides.append(np.full(len(found), number))
    cell, side = np.concatenate(cells), np.concatenate(sides)
    corners = cell[:, None] + np.array(_SQUARES)[side]
    return Squares(corners, cell, side, voxels[tuple(cell.T)])


def mesh(voxels: np.ndarray) -> Mesh:
    """The closed surface of uint8[X, Y, Z]; empty where nothing is full."""
    seen = squares(voxels)
    num = len(seen.cells)
    if num == 0:
        empty = np.zeros((0, 3), np.float32)
        return Mesh(empty, np.zeros((0, 3), np.int32), np.zeros(0, np.uint8))
    partners = _partners(seen, voxels.shape)
    label = _joined(partners, num)
    places, numbers = np.unique(label, return_inverse=True)
    vertices = seen.corners.reshape(-1, 3)[places].astype(np.float32)
    loops = numbers.reshape(num, 4)
    doubled = _doubled(loops)
    if not doubled.any():
        triangles = loops[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
        return Mesh(vertices, triangles.astype(np.int32), np.repeat(seen.materials, 2))
    return _with_middles(vertices, loops, seen.materials, partners, doubled)


def _partners(seen: Squares, shape: tuple[int, ...]) -> np.ndarray:
    """int[P, 2]: the edges 4 * face + k, from corner k to the next, that are one, two by two.

    An edge in space has two faces, or four where two voxels touch along it only: then the faces of
    one voxel belong together, so that sorting by voxel puts partners side by side.
    """
    sizes = np.array(shape) + 1
    corner = np.ravel_multi_index(tuple(np.moveaxis(seen.corners, -1, 0)), tuple(sizes))
    after = np.roll(corner, -1, axis=1)
    low, high = np.minimum(corner, after).ravel(), np.maximum(corner, after).ravel()
    cell = np.repeat(np.ravel_multi_index(tuple(seen.cells.T), shape), 4)
    return np.lexsort((cell, high, low)).reshape(-1, 2)


def _joined(partners: np.ndarray, num_faces: int) -> np.ndarray:
    """int[4 F]: of each corner of a face, the least corner that edges join it to."""
    first, second = partners.T
    ends = np.concatenate([first, _next(first)]), np.concatenate([_next(second), second])
    label = np.arange(4 * num_faces)
    while True:
        least = np.minimum(label[ends[0]], label[ends[1]])
        before = label.copy()
        for end in ends:
            np.minimum.at(label, end, least)
        if (label == before).all():
            return label


def _next(edge: np.ndarray) -> np.ndarray:
    """The corner at the end of an edge; the edge's own number is the one at its start."""
    return edge // 4 * 4 + (edge + 1) % 4


def _doubled(loops: np.ndarray) -> np.ndarray:
    """bool[4 F]: whether more than two faces have an edge between the same two vertices."""
    ends = np.stack([loops, np.roll(loops, -1, axis=1)], axis=-1).reshape(-1, 2)
    _, which, counts = np.unique(
        np.sort(ends, axis=1), axis=0, return_inverse=True, return_counts=True
    )
    return counts[which.ravel()] > 2


def _with_middles(
    vertices: np.ndarray,
    loops: np.ndarray,
    materials: np.ndarray,
    partners: np.ndarray,
    doubled: np.ndarray,
) -> Mesh:
    """With a vertex in the middle of each doubled edge for every pair of faces, and triangles
    around the middle of each face that has one."""
    made = list(vertices)
    middles: dict[int, int] = {}
    for first, second in partners[doubled[partners[:, 0]]].tolist():
        ends = vertices[loops[first // 4, [first % 4, (first + 1) % 4]]]
        middles[first] = middles[second] = len(made)
        made.append(ends.mean(axis=0))
    triangles, owners = [], []
    for face, loop in enumerate(loops.tolist()):
        way = []
        for place, corner in enumerate(loop):
            way += [corner, *([middles[4 * face + place]] if 4 * face + place in middles else [])]
        if len(way) == 4:
            new = [way[:3], [way[0], *way[2:]]]
        else:
            centre = len(made)
            made.append(vertices[loop].mean(axis=0))
            new = [[centre, a, b] for a, b in zip(way, way[1:] + way[:1], strict=True)]
        triangles += new
        owners += [materials[face]] * len(new)
    return Mesh(
        np.array(made, np.float32), np.array(triangles, np.int32), np.array(owners, np.uint8)
    )

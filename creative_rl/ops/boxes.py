"""Modelling with boxes: how they are edited, what they cover of a target, and the greedy next edit.

Boxes are int32[27, 6]: x, y, z of the first corner, and of the one after the last cell, in a grid
of 16 x 16 x 16. A solid is uint32[16, 16], `ops.voxels.rows` of it: rows along x by y and z.

Source: Lin, Fan, Wang and Wang, "Modeling 3D Shapes by Reinforcement Learning" (ECCV 2020, arXiv
2003.12397), section 3, and the released implementation for what the paper leaves open.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int, UInt32

from creative_rl.typing import Array

SIZE = 16
NUM_BOXES = 27
AMOUNTS = (1, 2, -2, -1)
"""What an operation adds to a coordinate, in the order of actions."""
DELETE = 6
"""The operation that deletes; the six before it move a coordinate each."""
NUM_OPERATIONS = 7
EACH = NUM_OPERATIONS * len(AMOUNTS)
"""Actions of each box."""
NUM_ACTIONS = NUM_BOXES * EACH
LOCAL_WEIGHT, PARSIMONY_WEIGHT = 0.1, 0.01


class Fit(NamedTuple):
    """How boxes fit a target; float32 scalars."""

    iou: Array  # 0 .. 1: intersection over union of all together
    local: Array  # 0 .. 1: mean of it over single boxes that are left, 0 where none is
    deleted: Array  # boxes without a volume

    @property
    def worth(self) -> Array:
        """The weighted sum that the expert is greedy for."""
        return self.iou + LOCAL_WEIGHT * self.local + PARSIMONY_WEIGHT * self.deleted


def first_boxes() -> Int[Array, "27 6"]:
    """27 cubes of side 4 that fill 2 .. 14, z fastest."""
    low = np.stack(np.meshgrid(*[np.array((2, 6, 10))] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return jnp.asarray(np.concatenate([low, low + 4], axis=1), jnp.int32)


def cells(box: Int[Array, "6"]) -> UInt32[Array, "16 16"]:
    """The cells of a box; none where it has no volume."""
    low, high = (jnp.clip(corner, 0, SIZE) for corner in (box[:3], box[3:]))
    ones = jnp.uint32(1) << jnp.stack([low[0], high[0]]).astype(jnp.uint32)
    row = (ones[1] - 1) & ~(ones[0] - 1)
    places = jnp.arange(SIZE, dtype=jnp.int32)
    in_y = (places >= low[1]) & (places < high[1])
    in_z = (places >= low[2]) & (places < high[2])
    return jnp.where(in_y[:, None] & in_z[None], row, jnp.uint32(0))


def edited(boxes: Int[Array, "27 6"], action: Int[Array, ""]) -> Int[Array, "27 6"]:
    """After an action, 28 * box + 4 * operation + amount, whether it is allowed or not.

    A deleted box shrinks to its first corner.
    """
    box, rest = jnp.divmod(action, EACH)
    is_box = jnp.arange(NUM_BOXES, dtype=jnp.int32) == box
    return jnp.where(is_box[:, None], _variants(boxes[box])[rest][None], boxes)


def allowed(boxes: Int[Array, "27 6"], step: Int[Array, ""]) -> Bool[Array, "756"]:
    """Of the box whose turn it is, those that keep corners in the grid and in order; only a box
    that has a volume is deleted."""
    turn = step % NUM_BOXES
    is_turn = jnp.arange(NUM_BOXES, dtype=jnp.int32) == turn
    return (is_turn[:, None] & _possible(boxes[turn])[None]).ravel()


def fit(boxes: Int[Array, "27 6"], target: UInt32[Array, "16 16"]) -> Fit:
    """How the boxes fit a target, which is not empty."""
    covered = jax.vmap(cells)(boxes)
    singles = jax.vmap(lambda box, one: _single(box, one, target))(boxes, covered)
    return _fit(_union(covered), target, singles, _has_volume(boxes))


def greedy_action(
    boxes: Int[Array, "27 6"],
    target: UInt32[Array, "16 16"],
    step: Int[Array, ""],
    may_delete: Bool[Array, ""],
) -> Int[Array, ""]:
    """The allowed action after which the boxes are worth most, the first of equals.

    The expert of the source, who sees the target.
    """
    turn = step % NUM_BOXES
    variants = _variants(boxes[turn])
    covered = jax.vmap(cells)(boxes)
    is_other = jnp.arange(NUM_BOXES, dtype=jnp.int32) != turn
    others = _union(jnp.where(is_other[:, None, None], covered, jnp.uint32(0)))
    singles = jax.vmap(lambda box, one: _single(box, one, target))(boxes, covered)
    has_volume = _has_volume(boxes)

    def worth(box: Array) -> Array:
        mine = cells(box)
        of_each = jnp.where(is_other, singles, _single(box, mine, target))
        left = jnp.where(is_other, has_volume, _has_volume(box))
        return _fit(others | mine, target, of_each, left).worth

    is_edit = jnp.arange(EACH, dtype=jnp.int32) < DELETE * len(AMOUNTS)
    can = _possible(boxes[turn]) & (is_edit | may_delete)
    best = jnp.argmax(jnp.where(can, jax.vmap(worth)(variants), -jnp.inf))
    return (turn * EACH + best).astype(jnp.int32)


def _variants(box: Array) -> Array:
    """int32[28, 6]: a box after each of its actions."""
    amounts = jnp.asarray(AMOUNTS, jnp.int32)
    moves = jnp.eye(6, dtype=jnp.int32)[:, None] * amounts[None, :, None]
    deleted = jnp.tile(jnp.concatenate([box[:3], box[:3]])[None], (len(AMOUNTS), 1))
    return jnp.concatenate([box[None] + moves.reshape(-1, 6), deleted])


def _possible(box: Array) -> Array:
    """bool[28]."""
    moved = _variants(box)[: DELETE * len(AMOUNTS)]
    is_inside = ((moved >= 0) & (moved <= SIZE)).all(axis=1)
    in_order = (moved[:, :3] <= moved[:, 3:]).all(axis=1)
    deletes = jnp.broadcast_to(_has_volume(box), (len(AMOUNTS),))
    return jnp.concatenate([is_inside & in_order, deletes])


def _has_volume(boxes: Array) -> Array:
    return (boxes[..., 3:] > boxes[..., :3]).all(axis=-1)


def _union(covered: Array) -> Array:
    return jax.lax.reduce(covered, np.uint32(0), jax.lax.bitwise_or, (0,))


def _count(words: Array) -> Array:
    return jax.lax.population_count(words).sum(dtype=jnp.uint32).astype(jnp.float32)


def _single(box: Array, covered: Array, target: Array) -> Array:
    """Intersection over union of one box, 0 without volume."""
    both = _count(covered & target)
    sides = jnp.maximum(box[3:] - box[:3], 0).astype(jnp.float32)
    either = sides[0] * sides[1] * sides[2] + _count(target) - both
    return jnp.where(_has_volume(box), both / jnp.maximum(either, 1.0), 0.0)


def _fit(covered: Array, target: Array, singles: Array, has_volume: Array) -> Fit:
    num = has_volume.sum(dtype=jnp.int32).astype(jnp.float32)
    iou: Float[Array, ""] = _count(covered & target) / jnp.maximum(_count(covered | target), 1.0)
    return Fit(iou, singles.sum() / jnp.maximum(num, 1.0), NUM_BOXES - num)

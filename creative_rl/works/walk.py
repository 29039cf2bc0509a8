"""A walk over a grid of cells, as a work: what it is, its check, and its text."""

import re

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array
from creative_rl.works.batches import check_single

LARGEST_SIZE = 256


class Walk(flax.struct.PyTreeNode):
    """The cells that somebody walked over, and the goal.

    A batch of walks has leading axes on every array.
    """

    cells: Array | np.ndarray
    """int32[T + 1, 2]: row and column, from the upper left, at the start and after each step;
    entries after `length` are 0 and mean nothing"""
    length: Array | np.ndarray
    """int32: steps walked so far"""
    goal: Array | np.ndarray
    """int32[2]: row and column of the goal"""
    size: int = flax.struct.field(pytree_node=False)
    """rows and columns of the grid"""

    def _repr_html_(self) -> str:
        """What a notebook shows: a map; the first eight of a batch."""
        from creative_rl.works.walk_card import walk_html

        return walk_html(self)


def on_host(walk: Walk) -> Walk:
    """One walk with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, a number is out of range, or a step leads to no neighbour.
    """
    cells, length, goal = (
        np.asarray(leaf) for leaf in jax.device_get((walk.cells, walk.length, walk.goal))
    )
    check_single("Walk", "cells", cells, 2, length)
    _check_forms(walk.size, cells, length, goal)
    for name, places in (("cells", cells), ("goal", goal)):
        if not 0 <= places.min() <= places.max() < walk.size:
            wrong = places[(places < 0) | (places >= walk.size)][0]
            raise ValueError(f"Walk: {name} must be in 0..{walk.size - 1}, got {wrong}")
    _check_steps(cells[: int(length) + 1])
    return walk.replace(cells=cells, length=length, goal=goal)


def has_arrived(walk: Walk) -> bool:
    """Whether the last cell is the goal."""
    walk = on_host(walk)
    return bool((walk.cells[int(walk.length)] == walk.goal).all())


def summary(walk: Walk) -> str:
    """One line: how many steps, and whether they led to the goal."""
    num = int(on_host(walk).length)
    steps = f"{num} step" if num == 1 else f"{num} steps"
    return f"{steps} to the goal" if has_arrived(walk) else f"{steps}, not at the goal"


def text(walk: Walk) -> str:
    """The grid in characters: each cell's last visit by its number of steps, 0 the start.

    A dot is a cell never visited, a star the goal where it is such a cell.

    Example:
      >>> cells = np.array([[0, 0], [0, 1], [1, 1]], np.int32)
      >>> print(text(Walk(cells, np.int32(2), np.array([2, 2], np.int32), size=3)))
      0 1 .
      . 2 .
      . . *
      2 steps, not at the goal
    """
    walk = on_host(walk)
    marks = [["."] * walk.size for _ in range(walk.size)]
    marks[walk.goal[0]][walk.goal[1]] = "*"
    for step, (row, column) in enumerate(walk.cells[: int(walk.length) + 1].tolist()):
        marks[row][column] = str(step)
    width = max(len(mark) for row in marks for mark in row)
    lines = [" ".join(mark.rjust(width) for mark in row) for row in marks]
    return "\n".join([*lines, summary(walk)])


def encode_text(walk: Walk) -> bytes:
    """`text` as the bytes of a file."""
    return f"{text(walk)}\n".encode()


def is_text(written: str) -> bool:
    """Whether characters are what `text` makes of a walk: a square of marks, and a summary."""
    *rows, last = written.rstrip("\n").split("\n")
    is_summary = re.fullmatch(r"(1 step|\d+ steps)( to|, not at) the goal", last) is not None
    square = rf" *([.*]|\d+)( +([.*]|\d+)){{{max(len(rows), 1) - 1}}}"
    return is_summary and bool(rows) and all(re.fullmatch(square, row) for row in rows)


def _check_forms(size: int, cells: np.ndarray, length: np.ndarray, goal: np.ndarray) -> None:
    if not isinstance(size, int) or not 1 <= size <= LARGEST_SIZE:
        raise ValueError(f"Walk: size must be a whole number in 1..{LARGEST_SIZE}, got {size!r}")
    if not all(np.issubdtype(field.dtype, np.integer) for field in (cells, length, goal)):
        raise ValueError(
            "Walk: cells, length and goal must be integers, got "
            f"{cells.dtype}, {length.dtype} and {goal.dtype}"
        )
    if cells.shape[1] != 2 or len(cells) == 0 or goal.shape != (2,):
        raise ValueError(
            "Walk: cells and goal are pairs of row and column, at least the start, got the "
            f"shapes {cells.shape} and {goal.shape}"
        )
    if not 0 <= length < len(cells):
        raise ValueError(f"Walk: length must be in 0..{len(cells) - 1}, got {length}")


def _check_steps(cells: np.ndarray) -> None:
    strides = np.abs(np.diff(cells.astype(np.int64), axis=0)).sum(axis=1)
    if strides.max(initial=0) > 1:
        step = int((strides > 1).argmax())
        raise ValueError(
            f"Walk: every step stays or leads to a neighbour, but step {step + 1} goes from "
            f"{cells[step].tolist()} to {cells[step + 1].tolist()}"
        )

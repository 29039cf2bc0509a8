"""Rows of a table one after another, and side by side in processes."""

import functools
import math

import pytest

from benchmarks.tables import seeds


def test_processes_give_what_one_gives_in_turn_and_tell_it(capsys):
    steps = {name: functools.partial(math.pow, 2.0, power) for name, power in (("b", 3), ("a", 5))}
    in_turn = seeds.in_turn(steps)
    side_by_side = seeds.side_by_side(steps, num_workers=2)
    assert list(side_by_side.items()) == list(in_turn.items()) == [("b", 8.0), ("a", 32.0)]
    assert capsys.readouterr().err.count("b: 8.0 (") == 2


def test_a_row_that_fails_in_its_process_says_why():
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        seeds.side_by_side({"a": functools.partial(math.sqrt, -1.0)}, num_workers=1)

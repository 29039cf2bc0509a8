"""Solutions of Sokoban against a search state by state, and played."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import level_sokoban as reference

from creative_rl.ops import sokoban

CHARACTERS = "-#@$."


def board_of(tiles):
    return sokoban.Board(*(jnp.asarray(np.asarray(tiles) == kind) for kind in (1, 2, 3, 4)))


def tiles_of(rows):
    return [[CHARACTERS.index(c) for c in row] for row in rows]


def levels(num, height, width, num_crates, seed=0):
    """Random ones with a player, as many targets as crates, which are not at the edge, and a few
    walls."""
    generator = np.random.default_rng(seed)
    inner = np.arange(height * width).reshape(height, width)[1:-1, 1:-1].reshape(-1)
    found = np.zeros((num, height * width), np.int64)
    for tiles in found:
        tiles[generator.permutation(inner)[:num_crates]] = 3
        others = generator.permutation(np.flatnonzero(tiles == 0))
        kinds = [2, *[4] * num_crates, *[1] * int(generator.integers(height * width // 6))]
        tiles[others[: len(kinds)]] = kinds
    return found.reshape(num, height, width)


@functools.cache
def compiled():
    return jax.jit(jax.vmap(sokoban.solution_length)), jax.jit(jax.vmap(sokoban.solution))


def check(tiles):
    """The lengths are the twin's, and the moves are so many and solve it."""
    boards, asked = board_of(tiles), jnp.ones(len(tiles), bool)
    lengths = np.asarray(compiled()[0](boards, asked)).tolist()
    assert lengths == [reference.solution_length(one.tolist()) for one in tiles]
    moves, same = map(np.asarray, compiled()[1](boards, asked))
    assert same.tolist() == lengths
    for one, row, length in zip(tiles.tolist(), moves.tolist(), lengths, strict=True):
        assert not any(row[length:])
        if length:
            (player,) = reference.places(one, (2,))
            crates, targets = (frozenset(reference.places(one, (kind,))) for kind in (3, 4))
            for move in row[:length]:
                player, crates = reference.moved(one, player, crates, move)
            assert crates == targets
    return lengths


def test_solutions_are_the_shortest():
    for num_crates, num in ((1, 40), (2, 20), (3, 10)):
        lengths = check(levels(num, 5, 5, num_crates))
        assert 0 in lengths and max(lengths) > 8


def test_other_sizes():
    check(levels(12, 4, 7, 2, seed=1))


def test_by_hand():
    puzzles = [
        ["@$.--", *["-----"] * 4],  # a push
        ["$@---", ".----", *["-----"] * 3],  # round the crate it would need a row more
        ["-----", "-$-$-", "@----", "-.-.-", "-----"],
    ]
    assert check(np.array([tiles_of(rows) for rows in puzzles])) == [1, 0, 3 + 2 + 4 + 2]


def test_what_is_not_searched():
    tiles = np.array([tiles_of(["@$.--", *["-----"] * 4])] * 3)
    tiles[1, 4], tiles[1, 3] = [3, 3, 3, 0, 0], [4, 4, 4, 0, 0]  # four crates
    asked = jnp.array([True, True, False])
    assert compiled()[0](board_of(tiles), asked).tolist() == [1, 0, 0]
    moves, lengths = compiled()[1](board_of(tiles), asked)
    assert lengths.tolist() == [1, 0, 0] and moves.sum(axis=1).tolist() == [1, 0, 0]


def test_one_level_and_nested_batches():
    tiles = levels(6, 5, 5, 1, seed=2)
    expected = [reference.solution_length(one.tolist()) for one in tiles]
    one = jax.jit(sokoban.solution_length)
    assert int(one(board_of(tiles[0]), jnp.bool_(True))) == expected[0]
    nested = jax.jit(jax.vmap(jax.vmap(sokoban.solution_length, (0, None))))
    boards = board_of(tiles.reshape(2, 3, 5, 5))
    lengths = nested(boards, jnp.array([True, False]))
    assert lengths.tolist() == [expected[:3], [0, 0, 0]]


def test_too_large_a_board_is_refused():
    with pytest.raises(ValueError, match="a board has at most 32 tiles, got 6 x 6"):
        sokoban.solution_length(board_of(np.zeros((6, 6), int)), jnp.bool_(True))

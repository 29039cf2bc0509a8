"""Shortest solutions of small Sokoban levels, by a search of all their states at once.

A state is where the crates are and where the player is. For every arrangement of the crates the
player's places are the bits of a word, so that a move from all states that were reached is a few
operations a word: the player's walks shift bits, and what a push leads to is looked up, word by
word, from the arrangement before. There is no budget of states, as PCGRL's solver has: the search
ends with the shortest solution, or when nothing new is reached.

Boards have `T` tiles, at most 32, numbered row by row, and at most `MOST_CRATES` crates; `K`
crates have `M` arrangements; `C` boards are searched side by side, on the last axis.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int, Int8

from creative_rl.ops import listing
from creative_rl.ops.grid_search import pack
from creative_rl.typing import Array

MOST_CRATES = 3
MOST_TILES = 32
MOST_MOVES = 127
"""Longer solutions are not found."""
_SIDE_BY_SIDE, _ON_ACCELERATORS = 8, 512
"""Boards searched at once: few fill a processor's vector units, an accelerator has room for many
in the time of one."""
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


class Board(flax.struct.PyTreeNode):
    """Where things are: bool[H, W] each, one player, and as many targets as crates."""

    walls: Array
    player: Array
    crates: Array
    targets: Array


def solution_length(board: Board, is_asked: Bool[Array, ""]) -> Int[Array, ""]:
    """Moves of the shortest solution; 0 where there is none of at most `MOST_MOVES`, where there
    are more than `MOST_CRATES` crates, and where nobody asks.

    Under `jax.vmap` only the boards that are asked about are searched.

    Raises:
      ValueError: the board has more than 32 tiles.
    """
    return _many(*board.walls.shape)(_words(board)[None], is_asked[None])[0]


def solution(board: Board, is_asked: Bool[Array, ""]) -> tuple[Int8[Array, " L"], Int[Array, ""]]:
    """The moves of a shortest solution, 0 up, 1 right, 2 down, 3 left, and their number.

    Entries from that number on are 0; L is `MOST_MOVES`. It is 0 as in `solution_length`. Under
    `jax.vmap` boards are solved one after another.

    Raises:
      ValueError: the board has more than 32 tiles.
    """
    words = _words(board)
    return _one(*board.walls.shape)(jnp.where(is_asked, words, jnp.zeros_like(words)))


class Arrangements(NamedTuple):
    """All arrangements of K crates on a board, and the pushes that lead to each."""

    width: int
    inside: int
    """the board's tiles, as bits"""
    crates: np.ndarray
    """uint32[M]: tiles with crates"""
    sources: np.ndarray
    """int32[4 K, M]: the arrangement before a push, for each crate and each move"""
    places: np.ndarray
    """uint32[4 K, M]: the player's tile before it"""
    landings: np.ndarray
    """uint32[4 K, M]: the player's tile after it, as a bit; 0 where there is no such push"""


@functools.cache
def arrange(height: int, width: int, num_crates: int) -> Arrangements:
    """The tables for boards of a size.

    Raises:
      ValueError: the board has more than 32 tiles.
    """
    num = height * width
    if num > MOST_TILES:
        raise ValueError(f"sokoban: a board has at most {MOST_TILES} tiles, got {height} x {width}")
    found = list(itertools.combinations(range(num), num_crates))
    numbers = {crates: number for number, crates in enumerate(found)}
    shape = (4 * num_crates, len(found))
    sources, places = np.zeros(shape, np.int32), np.zeros(shape, np.uint32)
    landings = np.zeros(shape, np.uint32)
    for number, crates in enumerate(found):
        for push, (crate, (down, right)) in enumerate(itertools.product(crates, _MOVES)):
            row, column = divmod(crate, width)
            before, player = ((row - n * down, column - n * right) for n in (1, 2))
            others = {*crates} - {crate}
            if not (0 <= player[0] < height and 0 <= player[1] < width):
                continue
            moved_from, stood = (place[0] * width + place[1] for place in (before, player))
            if moved_from in others or stood in others:
                continue
            sources[push, number] = numbers[tuple(sorted(others | {moved_from}))]
            places[push, number], landings[push, number] = stood, 1 << moved_from
    masks = np.array([sum(1 << tile for tile in crates) for crates in found], np.uint32)
    return Arrangements(width, (1 << num) - 1, masks, sources, places, landings)


@functools.cache
def _one(height: int, width: int) -> Callable[[Array], tuple[Array, Array]]:
    """Solves one board, words [4], which `jax.vmap` makes one after another."""

    def none(words: Array) -> tuple[Array, Array]:
        return jnp.zeros(MOST_MOVES, jnp.int8), jnp.int32(0)

    sizes = range(1, MOST_CRATES + 1)
    ways = [functools.partial(_solve, arrange(height, width, num)) for num in sizes]

    @jax.custom_batching.custom_vmap
    def one(words: Array) -> tuple[Array, Array]:
        num_crates = jax.lax.population_count(words[2]).astype(jnp.int32)
        is_known = num_crates <= MOST_CRATES
        return jax.lax.switch(jnp.where(is_known, num_crates, 0), [none, *ways], words[:, None])

    @one.def_vmap
    def _(size: int, is_batched: Sequence[bool], words: Array):
        return jax.lax.map(one, words), (True, True)

    return jax.jit(one)


class _Search(flax.struct.PyTreeNode):
    """Of C boards, the states that can be reached so far."""

    seen: Array  # uint32[M, C]: the player's places for each arrangement
    is_running: Array  # bool[C]
    length: Array  # int32[C]: of the solution
    moves: Array  # int32: made so far
    history: Array  # uint32[moves, M, C]: what could be reached; nothing where it is not recorded


def _search(table: Arrangements, words: Array, is_asked: Array, is_recorded: bool) -> _Search:
    """From words [4, C], the fields of the boards, on."""
    walls, player, crates, targets = words
    arranged = jnp.asarray(table.crates)[:, None]
    is_possible = (arranged & walls[None]) == 0
    free = jnp.where(is_possible, ~(arranged | walls[None]) & jnp.uint32(table.inside), 0)
    is_solved = arranged == targets[None]
    seen = jnp.where(arranged == crates[None], player[None], 0)
    num = MOST_MOVES + 1 if is_recorded else 0
    start = _Search(
        seen=seen,
        is_running=is_asked,
        length=jnp.zeros(is_asked.shape, jnp.int32),
        moves=jnp.int32(0),
        history=jnp.zeros((num, *seen.shape), jnp.uint32),
    )

    def move(now: _Search) -> _Search:
        seen = _after_a_move(table, now.seen, free)
        is_there = (is_solved & (seen != 0)).any(axis=0)
        is_new = (seen != now.seen).any(axis=0)
        history = now.history.at[now.moves].set(now.seen) if is_recorded else now.history
        return _Search(
            seen=seen,
            is_running=now.is_running & is_new & ~is_there,
            length=jnp.where(now.is_running & is_there, now.moves + 1, now.length),
            moves=now.moves + 1,
            history=history,
        )

    return jax.lax.while_loop(
        lambda now: now.is_running.any() & (now.moves < MOST_MOVES), move, start
    )


def _after_a_move(table: Arrangements, seen: Array, free: Array) -> Array:
    """The states seen, and those a move away: on by walks, and by pushes from what was before."""
    reached = seen
    for place in _walks(table, seen):
        reached |= place
    sources, places, landings = (
        jnp.asarray(part) for part in (table.sources, table.places, table.landings)
    )
    is_pushed = (seen[sources] >> places[..., None]) & 1
    reached |= jax.lax.reduce_or(is_pushed * landings[..., None], (0,))
    return reached & free


def _walks(table: Arrangements, places: Array) -> tuple[Array, ...]:
    """Bits moved up, right, down and left; those that leave the board are gone."""
    width, inside = table.width, table.inside
    first = sum(1 << tile for tile in range(0, inside.bit_length(), width))
    not_first, not_last = inside & ~first, inside & ~(first << (width - 1))
    return (
        places >> width,
        (places & jnp.uint32(not_last)) << 1,
        (places << width) & jnp.uint32(inside),
        (places & jnp.uint32(not_first)) >> 1,
    )


def _solve(table: Arrangements, words: Array) -> tuple[Array, Array]:
    """The solution of one board, words [4, 1], with as many crates as the tables are for."""
    done = _search(table, words, jnp.ones(1, jnp.bool_), is_recorded=True)
    length, history = done.length[0], done.history[:, :, 0]
    sources, places, landings = (
        jnp.asarray(part) for part in (table.sources, table.places, table.landings)
    )
    last = jnp.argmax(jnp.asarray(table.crates) == words[3, 0]).astype(jnp.int32)
    stood = done.seen[last, 0] & (~done.seen[last, 0] + 1)  # of several places any is a solution

    def go_back(now: tuple[Array, Array], moves_left: Array):
        arrangement, player = now
        before = history[jnp.maximum(moves_left - 1, 0)]
        # A move is undone by its opposite.
        up, right, down, left = _walks(table, player)
        walked = jnp.stack([down, left, up, right])
        is_walk = (before[arrangement] & walked) != 0
        pushed = jnp.uint32(1) << places[:, arrangement]
        is_push = (landings[:, arrangement] == player) & (
            before[sources[:, arrangement]] & pushed != 0
        )
        choice = jnp.argmax(jnp.concatenate([is_walk, is_push])).astype(jnp.int32)
        arrangements = jnp.concatenate([jnp.full(4, arrangement), sources[:, arrangement]])
        after = arrangements[choice], jnp.concatenate([walked, pushed])[choice]
        is_over = moves_left > length
        return (
            jax.tree.map(lambda stay, go: jnp.where(is_over, stay, go), now, after),
            jnp.where(is_over, 0, choice % 4).astype(jnp.int8),
        )

    lefts = jnp.arange(MOST_MOVES, 0, -1, dtype=jnp.int32)
    _, moves = jax.lax.scan(go_back, (last, stood), lefts)
    return moves[::-1], length


def _words(board: Board) -> Array:
    """uint32[4]: each field as the bits of a word."""
    fields = (board.walls, board.player, board.crates, board.targets)
    num = board.walls.size
    arrange(*board.walls.shape, 1)  # refuses what is too large
    return pack(jnp.stack([field.reshape(num) for field in fields])).astype(jnp.uint32)


@functools.cache
def _many(height: int, width: int) -> Callable[[Array, Array], Array]:
    """Lengths int32[N] of the solutions of boards, words [N, 4], where they are asked for."""

    @jax.custom_batching.custom_vmap
    def many(boards: Array, is_asked: Array) -> Array:
        num_crates = jax.lax.population_count(boards[:, 2])
        lengths = jnp.zeros(is_asked.shape, jnp.int32)
        for num in range(1, MOST_CRATES + 1):
            table = arrange(height, width, num)
            lengths = _search_listed(table, boards, is_asked & (num_crates == num), lengths)
        return lengths

    @many.def_vmap
    def _(size: int, is_batched: Sequence[bool], *values: Array):
        boards, is_asked = (
            value if batched else jnp.broadcast_to(value, (size, *value.shape))
            for value, batched in zip(values, is_batched, strict=True)
        )
        return many(boards.reshape(-1, 4), is_asked.reshape(-1)).reshape(is_asked.shape), True

    return jax.jit(many)


def _search_listed(table: Arrangements, boards: Array, is_listed: Array, lengths: Array) -> Array:
    """The lengths with those of the listed boards, some of which are searched at once."""
    num = is_listed.size
    chunk = min(_SIDE_BY_SIDE if jax.default_backend() == "cpu" else _ON_ACCELERATORS, num)
    order = listing.places(is_listed, num + chunk)
    count = is_listed.sum(dtype=jnp.int32)

    def search_chunk(now: tuple[Array, Array]) -> tuple[Array, Array]:
        start, lengths = now
        chosen = jax.lax.dynamic_slice(order, (start,), (chunk,))
        asked = boards.at[chosen].get(mode="clip").T
        found = _search(table, asked, chosen < num, is_recorded=False).length
        return start + chunk, lengths.at[chosen].set(found, mode="drop")

    return jax.lax.while_loop(lambda now: now[0] < count, search_chunk, (jnp.int32(0), lengths))[1]

"""Searches on small grids of tiles: regions, the longest way, shortest ways.

A row of tiles is a machine word, so that a step from all tiles of a front to their neighbours is
three operations a row. Under `jax.vmap`, any nest of it, all maps share one loop, in which each is
in its own phase: a map of many regions holds up nobody's next region, only the end. Maps are on the
last axis there, where vector units find them.

`H` rows and `W` columns, at most 32; `K` searches; `N` maps side by side. Neighbours are those
above, below, left and right. The first tile is the one of the highest row, and of it the leftmost.
"""

import functools
from collections.abc import Callable, Sequence

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Bool, Int, UInt

from creative_rl.ops import listing
from creative_rl.typing import Array, PyTree

MOST_COLUMNS = 32
_WAVES = 4
"""Waves between two looks at which maps are done. They stay a loop: written out, one would be
computed anew for the next, over and over."""
_FEWEST = 192
"""Up to so many maps side by side stay together to the end."""
_SHARE_LEFT = 0.4
"""Where no larger share of more maps goes on, they move closer together: of levels under random
edits, a third changes in a step."""


def count_regions(passable: Bool[Array, "H W"]) -> Int[Array, ""]:
    """How many regions the passable tiles make.

    >>> int(count_regions(jnp.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]], bool)))
    3
    """
    (num,) = _many(_count_regions)(pack(passable[None]))
    return num[0]


def regions_and_path(passable: Bool[Array, "H W"]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """How many regions the passable tiles make, and the length of the longest shortest way.

    The length, in steps, is the one that PCGRL measures (Khalifa et al., arXiv 2001.09212, its
    released code): in every region from its first tile to the farthest one, and from there to the
    farthest again; of several that are as far the first. It is at most the true longest shortest
    way, and seldom less.

    >>> tuple(map(int, regions_and_path(jnp.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]], bool))))
    (2, 2)
    """
    num, longest = _many(_regions_and_path)(pack(passable[None]))
    return num[0], longest[0]


def distances(
    passable: Bool[Array, "K H W"], starts: Bool[Array, "K H W"], goals: Bool[Array, "K H W"]
) -> Int[Array, " K"]:
    """Steps from any start to the nearest goal, in each of K searches; -1 where there is no way.

    Starts and goals that are not passable are none.

    >>> tiles = jnp.array([[[1, 1], [0, 1]]], bool)
    >>> corners = [jnp.zeros_like(tiles).at[0, i, i].set(True) for i in (0, 1)]
    >>> distances(tiles, *corners).tolist()
    [2]
    """
    (steps,) = _many(_distances)(*(pack(tiles) for tiles in (passable, starts, goals)))
    return steps


def pack(tiles: Bool[Array, "*B H W"]) -> UInt[Array, "*B H"]:
    """Each row as a word, its leftmost tile the lowest bit: uint16 up to 16 columns, else uint32.

    >>> pack(jnp.array([[1, 1, 0], [0, 0, 1]], bool)).tolist()
    [3, 4]

    Raises:
      ValueError: there are no columns, or more than 32.
    """
    width = tiles.shape[-1]
    if not 0 < width <= MOST_COLUMNS:
        raise ValueError(f"pack: a row has 1 to {MOST_COLUMNS} tiles, got {width}")
    # Four tiles are the bytes of a word, whose product has their bits side by side at its top.
    no_pad = [(0, 0, 0)] * (tiles.ndim - 1)
    padded = jax.lax.pad(tiles.astype(jnp.uint8), jnp.uint8(0), [*no_pad, (0, -width % 4, 0)])
    fours = padded.reshape(*tiles.shape[:-1], -1, 4)
    fours = jax.lax.bitcast_convert_type(fours, jnp.uint32) * jnp.uint32(0x10204080) >> 28
    places = range(fours.shape[-1])
    words = functools.reduce(jnp.bitwise_or, (fours[..., i] << (4 * i) for i in places))
    return words.astype(jnp.uint16 if width <= 16 else jnp.uint32)


# What follows has words [H, N]: a row of tiles of N maps, one of the maps a column.


class _Flood(flax.struct.PyTreeNode):
    """Of all maps, the region that is being searched: by waves from its first tile, and then, where
    ways are measured and the region may have a longer one, from the tile that it reached last."""

    passable: Array  # words
    left: Array  # words: regions not yet searched to the end, this one among them
    unseen: Array  # words: passable, and not reached in this search
    front: Array  # words: reached by its last wave that reached any
    steps: Array  # int32[N]: of this search
    grows: Array  # bool[N]: its last wave reached tiles
    is_last: Array  # bool[N]: no other search of the region follows
    goes_on: Array  # bool[N]: there is a region
    num: Array  # int32[N]: regions that are done
    longest: Array  # int32[N]: steps of the longest search


def _regions_and_path(words: Array) -> tuple[Array, ...]:
    return _flood(words, searches_twice=True)


def _count_regions(words: Array) -> tuple[Array, ...]:
    return _flood(words, searches_twice=False)[:1]


def _flood(passable: Array, searches_twice: bool) -> tuple[Array, ...]:
    """How many regions there are, and the steps of the longest search, int32[N]."""
    alone = passable & ~_neighbours(passable)  # regions of one tile need no search
    left = passable & ~alone
    first, goes_on = _first(left)
    zeros = jnp.zeros(passable.shape[1], jnp.int32)
    start = _Flood(
        passable=passable,
        left=left,
        unseen=passable & ~first,
        front=first,
        steps=zeros,
        grows=goes_on,
        is_last=jnp.full(zeros.shape, not searches_twice),
        goes_on=goes_on,
        num=jax.lax.population_count(alone).sum(axis=0, dtype=jnp.int32),
        longest=zeros,
    )

    def wave(_: Array, now: _Flood) -> _Flood:
        new = _neighbours(now.front) & now.unseen
        grows = (new != 0).any(axis=0)
        return now.replace(
            unseen=now.unseen ^ new,
            front=jnp.where(grows[None], new, now.front),
            steps=now.steps + grows,
            grows=grows,
        )

    def step(now: _Flood) -> _Flood:
        now = jax.lax.fori_loop(0, _WAVES, wave, now)
        # No way in the region is longer than two of those that the first search found.
        is_last = now.is_last | (2 * now.steps <= now.longest)
        ends, turns = ~now.grows & is_last, ~now.grows & ~is_last
        left = jnp.where(ends[None], now.left & now.unseen, now.left)
        first, is_any = _first(jnp.where(ends[None], left, now.front))
        return now.replace(
            left=left,
            unseen=jnp.where(now.grows[None], now.unseen, now.passable & ~first),
            front=jnp.where(now.grows[None], now.front, first),
            steps=jnp.where(now.grows, now.steps, 0),
            is_last=(now.is_last & ~ends) | turns if searches_twice else now.is_last,
            goes_on=jnp.where(ends, is_any, now.goes_on),
            num=now.num + (ends & now.goes_on),
            longest=jnp.where(ends, jnp.maximum(now.longest, now.steps), now.longest),
        )

    return _repeat(step, lambda now: now.goes_on, lambda now: (now.num, now.longest), start)


class _Search(flax.struct.PyTreeNode):
    """Of all maps, a search by waves from the starts."""

    passable: Array  # words
    goals: Array  # words
    seen: Array  # words
    front: Array  # words: reached in the last step, 0 where the search is over
    steps: Array  # int32[N]
    found: Array  # int32[N]: steps to the nearest goal, -1 before one is reached


def _distances(passable: Array, starts: Array, goals: Array) -> tuple[Array, ...]:
    zeros = jnp.zeros(passable.shape[1], jnp.int32)
    starts = starts & passable
    start = _arrived(_Search(passable, goals, starts, starts, zeros, zeros - 1))

    def wave(_: Array, now: _Search) -> _Search:
        new = _neighbours(now.front) & now.passable & ~now.seen
        return _arrived(now.replace(seen=now.seen | new, front=new, steps=now.steps + 1))

    def step(now: _Search) -> _Search:
        return jax.lax.fori_loop(0, _WAVES, wave, now)

    def goes_on(now: _Search) -> Array:
        return (now.front != 0).any(axis=0)

    return _repeat(step, goes_on, lambda now: (now.found,), start)


def _arrived(now: _Search) -> _Search:
    """The search, over where its front has reached a goal."""
    is_there = (now.front & now.goals != 0).any(axis=0)
    return now.replace(
        front=jnp.where(is_there[None], jnp.zeros_like(now.front), now.front),
        found=jnp.where(is_there, now.steps, now.found),
    )


def _neighbours(words: Array) -> Array:
    """The tiles beside the set ones; bits beyond the last column mean nothing."""
    none = jnp.zeros_like(words[:1])
    above, below = jnp.concatenate([words[1:], none]), jnp.concatenate([none, words[:-1]])
    return (words << 1) | (words >> 1) | above | below


def _first(words: Array) -> tuple[Array, Array]:
    """The first tile of those that are set, alone, and whether there is one, bool[N]."""
    num = words.shape[0]
    rows = jnp.arange(num, dtype=words.dtype)[:, None]
    row = jnp.where(words != 0, rows, jnp.asarray(num, words.dtype)).min(axis=0)
    lowest = words & (~words + 1)
    return jnp.where(rows == row[None], lowest, jnp.zeros_like(words)), row < num


def _repeat(
    step: Callable[[PyTree], PyTree],
    goes_on: Callable[[PyTree], Array],
    read: Callable[[PyTree], tuple[Array, ...]],
    start: PyTree,
) -> tuple[Array, ...]:
    """What is read of maps, [N] each, after steps until none goes on.

    Who does not go on is unmoved by further steps in what is read of it. Once few are left they
    move closer together, so that the rest costs no more than they do.
    """
    num = goes_on(start).shape[0]
    fewer = int(num * _SHARE_LEFT) if num > _FEWEST else 0

    def more(now: PyTree) -> Array:
        return goes_on(now).sum(dtype=jnp.int32) > fewer

    done = jax.lax.while_loop(more, step, start)
    if not fewer:
        return read(done)
    left = listing.places(goes_on(done), fewer)
    rest = jax.tree.map(lambda leaf: leaf.at[..., left].get(mode="clip"), done)
    found = _repeat(step, goes_on, read, rest)
    return tuple(
        old.at[left].set(new, mode="drop") for old, new in zip(read(done), found, strict=True)
    )


@functools.cache
def _many(search: Callable[..., tuple[Array, ...]]) -> Callable[..., tuple[Array, ...]]:
    """`search`, of words [H, N] each, for words [N, H], which `jax.vmap` makes more maps of.

    Jitted, so that it is traced once for all callers, and compiled once where they are not.
    """

    @jax.custom_batching.custom_vmap
    def many(*words: Array) -> tuple[Array, ...]:
        return search(*(word.T for word in words))

    @many.def_vmap
    def _(size: int, is_batched: Sequence[bool], *words: Array):
        spread = [
            word if batched else jnp.broadcast_to(word, (size, *word.shape))
            for word, batched in zip(words, is_batched, strict=True)
        ]
        found = many(*(word.reshape(-1, word.shape[-1]) for word in spread))
        return tuple(one.reshape(size, -1) for one in found), (True,) * len(found)

    return jax.jit(many)

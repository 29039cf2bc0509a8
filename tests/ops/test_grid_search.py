"""Searches on grids against SciPy's labels and shortest paths, on random maps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.level import longest_path, steps_from
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from creative_rl.ops import grid_search

SIZES = [(14, 14), (7, 11), (5, 5), (3, 20)]


def maps(num, height, width, seed=0):
    """Sparse and dense ones, with an empty and a full one."""
    generator = np.random.default_rng(seed)
    found = generator.random((num, height, width)) < generator.random((num, 1, 1))
    found[0], found[1] = False, True
    return found


def all_ways(tiles):
    """Steps between all tiles of a map, infinite where there is no way."""
    height, width = tiles.shape
    numbers = np.arange(height * width).reshape(height, width)
    pairs = [
        np.stack([numbers[first], numbers[second]])[:, tiles[first] & tiles[second]]
        for first, second in (
            ((slice(None), slice(1, None)), (slice(None), slice(-1))),
            ((slice(1, None), slice(None)), (slice(-1), slice(None))),
        )
    ]
    ends = np.concatenate(pairs, axis=1)
    graph = sparse.coo_array((np.ones(ends.shape[1]), ends), shape=(tiles.size, tiles.size))
    return csgraph.shortest_path(graph, directed=False, unweighted=True)


def measured_path(tiles, ways):
    """There and back: from the first tile of a region to the farthest, from it to its farthest."""
    labels = ndimage.label(tiles)[0].reshape(-1)
    firsts = [np.argmax(labels == label) for label in range(1, labels.max() + 1)]
    reached = [np.where(np.isinf(ways[first]), -1, ways[first]) for first in firsts]
    farthest = [np.argmax(steps) for steps in reached]
    return max((ways[tile][np.isfinite(ways[tile])].max() for tile in farthest), default=0)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_regions_and_paths_are_scipys(height, width):
    tiles = maps(120, height, width)
    search = jax.jit(jax.vmap(lambda t: (*grid_search.regions_and_path(t),)))
    regions, paths = map(np.asarray, search(jnp.asarray(tiles)))
    assert regions.tolist() == [ndimage.label(one)[1] for one in tiles]
    ways = [all_ways(one) for one in tiles]
    assert paths.tolist() == [measured_path(*pair) for pair in zip(tiles, ways, strict=True)]
    longest = np.array([way[np.isfinite(way)].max() for way in ways])
    assert (paths <= longest).all() and (paths == longest).mean() > 0.8


@pytest.mark.parametrize(("height", "width"), [(7, 11), (3, 20)])
def test_distances_are_scipys(height, width):
    tiles = maps(80, height, width, seed=1)
    generator = np.random.default_rng(2)
    starts, goals = (generator.random((2, 80, height, width)) < 0.04) & tiles
    search = jax.jit(grid_search.distances)
    found = np.asarray(search(*map(jnp.asarray, (tiles, starts, goals))))
    for one, start, goal, steps in zip(tiles, starts, goals, found.tolist(), strict=True):
        between = all_ways(one)[np.ix_(start.reshape(-1), goal.reshape(-1))]
        nearest = between.min(initial=np.inf)
        assert steps == (-1 if np.isinf(nearest) else nearest)
    assert (found < 0).any() and (found == 0).any() and (found > 3).any()


def test_maps_that_are_not_done_move_closer_together(monkeypatch):
    monkeypatch.setattr(grid_search, "_FEWEST", 20)  # from 130 to 52 and to 20
    tiles = maps(130, 7, 11, seed=3)
    tiles[::3] = False
    found = jax.jit(jax.vmap(grid_search.regions_and_path))(jnp.asarray(tiles))
    plain = [np.where(one, 0, 1).tolist() for one in tiles]
    assert found[0].tolist() == [ndimage.label(one)[1] for one in tiles]
    assert found[1].tolist() == [longest_path(one, (0,)) for one in plain]
    goals = np.zeros_like(tiles)
    goals[:, -1] = True
    search = jax.jit(jax.vmap(lambda *one: grid_search.distances(*(part[None] for part in one))[0]))
    starts = np.zeros_like(tiles)
    starts[:, 0, 0] = True
    steps = search(*map(jnp.asarray, (tiles, starts, goals)))
    for one, found_steps in zip(plain, steps.tolist(), strict=True):
        ways = steps_from(one, (0, 0), (0,)) if one[0][0] == 0 else {}
        assert found_steps == min((n for (row, _), n in ways.items() if row == 6), default=-1)
    assert max(steps.tolist()) > 6


def test_regions_alone_and_in_nested_batches():
    tiles = maps(12, 7, 11)
    expected = [ndimage.label(one)[1] for one in tiles]
    assert [int(grid_search.count_regions(jnp.asarray(one))) for one in tiles[:4]] == expected[:4]
    nested = jax.jit(jax.vmap(jax.vmap(grid_search.count_regions)))
    assert nested(jnp.asarray(tiles).reshape(3, 4, 7, 11)).reshape(-1).tolist() == expected


def test_what_is_not_batched_serves_the_whole_batch():
    tiles = jnp.ones((1, 3, 4), bool)
    start, goals = np.zeros((1, 3, 4), bool), np.zeros((2, 1, 3, 4), bool)
    start[0, 0, 0] = goals[0, 0, 2, 3] = goals[1, 0, 1, 0] = True
    search = jax.vmap(grid_search.distances, (None, None, 0))
    assert search(tiles, jnp.asarray(start), jnp.asarray(goals)).tolist() == [[5], [1]]


def test_a_path_by_hand():
    spiral = ["#####", "....#", "###.#", "#...#", "#####"]
    tiles = jnp.asarray([[c == "#" for c in row] for row in spiral])
    search = jax.jit(jax.vmap(grid_search.regions_and_path))
    regions, paths = search(jnp.stack([tiles, ~tiles]))
    assert regions.tolist() == [1, 1]
    assert paths.tolist() == [16, 7]  # from the upper left corner round to the middle; beside it


def test_too_wide_a_row_is_refused_and_an_empty_one():
    for width in (33, 0):
        with pytest.raises(ValueError, match=f"a row has 1 to 32 tiles, got {width}"):
            grid_search.pack(jnp.zeros((2, width), bool))
    assert grid_search.pack(jnp.ones((1, 17), bool)).dtype == jnp.uint32

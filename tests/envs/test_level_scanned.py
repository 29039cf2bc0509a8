"""Mazes and dungeons that are gone over a few times: what is measured, the order, the end."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import level_scanned as reference

from creative_rl.envs.level_scanned import DungeonLevel, MazeLevel

MAZE = MazeLevel(height=3, width=6)
DUNGEON = DungeonLevel(height=3, width=7)
TWINS = {MazeLevel: reference.PlainMazeLevel, DungeonLevel: reference.PlainDungeonLevel}


@functools.cache
def compiled(env):
    return jax.jit(env.step), jax.jit(env.measure)


def measures(env, rows):
    tiles = [[env.characters.index(c) for c in row] for row in rows]
    plain = TWINS[type(env)](env)
    plain.tiles = tiles
    found = compiled(env)[1](jnp.asarray(tiles, jnp.uint8), jnp.bool_(True))
    found = {name: int(value) for name, value in found.items()}
    assert found == plain.measure()
    return found


def test_a_maze_by_hand():
    counts = {"player": 1, "door": 1, "regions": 1}
    assert measures(MAZE, ["@.....", "#####.", ">....."]) == {**counts, "path_length": 12}
    assert measures(MAZE, ["@.....", "######", ">....."])["path_length"] == 0  # two regions
    assert measures(MAZE, ["@.....", "#####.", ">....>"])["path_length"] == 0  # two doors
    assert measures(MAZE, ["......", "#####.", "......"])["player"] == 0


def test_a_dungeon_by_hand():
    rows = ["@...+..", "######.", "b.s.>.."]
    found = measures(DUNGEON, rows)
    assert found["regions"] == 3 and found["path_length"] == 0  # enemies and doors are no floor
    rows = ["@...+..", "######.", ">....bs"]
    assert measures(DUNGEON, rows) == {
        "player": 1, "key": 1, "door": 1, "enemies": 2, "regions": 2, "nearest_enemy": 0,
        "path_length": 0,
    }  # fmt: skip
    rows = ["@...+..", ".####..", "b.>..c."]
    found = measures(DUNGEON, rows)
    assert found["regions"] == 4 and found["nearest_enemy"] == 0
    rows = ["@...+..", "b####..", "##>...c"]
    found = measures(DUNGEON, rows)
    assert found["regions"] == 1 and found["nearest_enemy"] == 1
    assert found["path_length"] == 4 + 6  # from the key round the corner and back to the door
    rows = ["@b..+..", "b####..", "##>...."]
    assert measures(DUNGEON, rows)["path_length"] == 0 + 6  # enemies are all around the player
    many = ["@...+..", "bbbbb..", "#b>...."]
    assert measures(DUNGEON, many)["enemies"] == 6 and measures(DUNGEON, many)["path_length"] == 0


@pytest.mark.parametrize("env", [MAZE, DUNGEON], ids=lambda env: type(env).__name__)
def test_random_maps_are_measured_as_the_twin_does(env):
    generator = np.random.default_rng(0)
    plain = TWINS[type(env)](env)
    tiles = generator.choice([0, 1], (60, env.height, env.width), p=[0.9, 0.1]).astype(np.uint8)
    for one in tiles:
        kinds = range(2, len(env.names))
        one.reshape(-1)[generator.permutation(one.size)[: len(kinds)]] = kinds
    found = jax.jit(jax.vmap(env.measure, (0, None)))(jnp.asarray(tiles), jnp.bool_(True))
    lengths = 0
    for number, one in enumerate(tiles):
        plain.tiles = one.tolist()
        expected = plain.measure()
        assert {name: int(values[number]) for name, values in found.items()} == expected
        lengths += expected["path_length"] > 3
    assert lengths > 3


def test_tiles_are_given_row_by_row_and_the_time_ends_it(key):
    params = MAZE.default_params
    state, _ = MAZE.reset(key, params)
    places, step = [], compiled(MAZE)[0]
    for number in range(MAZE.num_steps):
        places.append((int(state.row), int(state.column)))
        state, timestep = step(key, state, jnp.int32(1 + number % 2), params)
        assert bool(timestep.truncated) == (number == 53) and not timestep.terminated
    assert places == [divmod(number % 18, 6) for number in range(54)]
    few = params.replace(max_changes=jnp.int32(1))
    state, _ = MAZE.reset(key, few)
    tile = state.tiles[0, 0]
    _, timestep = step(key, state, jnp.int32(2) - (tile == 1), few)
    assert bool(timestep.terminated)


def test_sizes_are_the_sources():
    assert (MazeLevel().num_steps, MazeLevel().max_changes) == (768, 768)
    assert MazeLevel(representation="turtle").num_steps == 1536
    assert MazeLevel(change_share=0.5).max_changes == 384
    with pytest.raises(ValueError, match=r"MazeLevel: num_scans must be .* 1\.\.1000, got 0"):
        MazeLevel(num_scans=0)

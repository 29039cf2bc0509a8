"""Designs of Sokoban: what is measured, what is paid, and the solution in the work."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import level_sokoban as reference

from creative_rl import works
from creative_rl.envs.level_sokoban import SokobanLevel

ENV = SokobanLevel(representation="wide")
PARAMS = ENV.default_params


@functools.cache
def compiled():
    return jax.jit(ENV.step), jax.jit(ENV.measure), jax.jit(ENV.work)


def state_of(rows, **fields):
    tiles = jnp.asarray([[ENV.characters.index(c) for c in row] for row in rows], jnp.uint8)
    measures = compiled()[1](tiles, jnp.bool_(True))
    plain = reference.PlainSokobanLevel(ENV)
    plain.tiles = np.asarray(tiles).tolist()
    assert {name: int(value) for name, value in measures.items()} == plain.measure()
    start, _ = ENV.reset(jax.random.key(0), PARAMS)
    return start.replace(tiles=tiles, measures=measures).replace(
        **{name: jnp.int32(value) for name, value in fields.items()}
    )


def put(row, column, character):
    kind = ENV.characters.index(character)
    return jnp.int32((row * 5 + column) * 5 + kind)


def step(state, action, params=PARAMS):
    return compiled()[0](jax.random.key(0), state, action, params)


ROWS = ["@----", "-$-$-", "-----", "-.-.-", "-----"]


def test_measures_and_what_changes_are_worth():
    start = state_of(ROWS)
    assert int(start.measures["solution_length"]) == 9
    state, timestep = step(start, put(1, 3, "-"))
    assert int(state.measures["ratio"]) == 1 and int(state.measures["solution_length"]) == 0
    assert float(timestep.reward) == -2 * 1.0 - 9.0
    state, timestep = step(state, put(3, 3, "-"))
    assert int(state.measures["solution_length"]) == 3
    assert float(timestep.reward) == 2 * 1.0 + 3.0
    _, timestep = step(state, put(0, 4, "@"))
    assert float(timestep.reward) == -3.0 - 3.0  # two players


def test_a_long_solution_ends_an_episode():
    start = state_of(ROWS, step=7)
    assert not any(ENV.end(start, PARAMS))
    assert ENV.end(start, PARAMS.replace(solution_length=jnp.int32(9)))[0]


def test_the_work_has_the_solution(tmp_path):
    level = compiled()[2](state_of(ROWS), PARAMS)
    assert level.moves.shape == (127,) and int(level.length) == 9
    assert works.text(level).splitlines()[-1].startswith("Moves: ")
    read = works.load(works.save(level, tmp_path / "level.json"))
    np.testing.assert_array_equal(read.moves, level.moves)
    assert works.load(works.save(level, tmp_path / "level.txt")).moves.shape == (9,)
    unsolved = compiled()[2](state_of(["$----", *ROWS[1:]]), PARAMS)
    assert int(unsolved.length) == 0 and not unsolved.moves.any()


def test_too_large_a_map_is_refused():
    message = (
        r"SokobanLevel: height \* width must be .* 4\.\.32 \(the solver's .* 32 tiles\), got 36"
    )
    with pytest.raises(ValueError, match=message):
        SokobanLevel(height=6, width=6)
    assert (SokobanLevel().max_changes, SokobanLevel().num_steps) == (5, 125)

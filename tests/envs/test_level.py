"""Designs of levels: what is measured by hand, what changes are worth, when episodes end."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference import level as reference

import creative_rl as crl
from creative_rl.envs.level import BinaryLevel, ZeldaLevel
from creative_rl.envs.level_design import ENDLESS, interval_gain
from creative_rl.typing import Transition

NARROW = ZeldaLevel()
WIDE = ZeldaLevel(representation="wide")
PARAMS = NARROW.default_params


@functools.cache
def compiled(env):
    return jax.jit(env.step), jax.jit(env.measure)


def tiles_of(env, rows):
    return jnp.asarray([[env.characters.index(c) for c in row] for row in rows], jnp.uint8)


def state_of(env, rows, **fields):
    tiles = tiles_of(env, rows)
    measures = compiled(env)[1](tiles, jnp.bool_(True))
    zero = jnp.int32(0)
    start, _ = env.reset(jax.random.key(0), env.default_params)
    return start.replace(
        tiles=tiles, row=zero, column=zero, measures=measures, measures_at_start=measures
    ).replace(**{name: jnp.int32(value) for name, value in fields.items()})


def wide_action(env, row, column, character):
    kind = env.characters.index(character)
    return jnp.int32((row * env.width + column) * len(env.names) + kind)


def step(env, state, action, params=None):
    params = env.default_params if params is None else params
    return compiled(env)[0](jax.random.key(0), state, action, params)


GOOD = [
    "@.........b",
    "##########.",
    "+..........",
    ".##########",
    "...........",
    "..........s",
    ".>.........",
]


def measures(rows):
    found = compiled(NARROW)[1](tiles_of(NARROW, rows), jnp.bool_(True))
    plain = reference.PlainZeldaLevel(NARROW)
    plain.tiles = [[NARROW.characters.index(c) for c in row] for row in rows]
    found = {name: int(value) for name, value in found.items()}
    assert found == plain.measure()
    return found


def test_a_dungeon_by_hand():
    counts = {"player": 1, "key": 1, "door": 1, "enemies": 2, "regions": 1}
    assert measures(GOOD) == {**counts, "nearest_enemy": 10, "path_length": 22 + 5}
    alone = [*GOOD[:5], "..........#", ".........#>"]
    assert measures(alone)["path_length"] == 22 - 1  # no way to the door
    guarded = ["@+b........", "##########.", *["..........."] * 5]
    assert measures(guarded)["nearest_enemy"] == 77  # the key is in the way
    assert measures([row.replace("@", ".") for row in GOOD])["nearest_enemy"] == 0
    assert measures([*GOOD[:5], "###########", "#>#########"])["regions"] == 1  # no door's


@pytest.mark.parametrize(
    ("old", "new", "low", "high", "worth"),
    [
        (3, 1, 1, 1, 2),
        (0, 3, 1, 1, -3),  # across: both distances are lost
        (3, 0, 1, 1, -3),
        (1, 2, 1, 1, -1),
        (1, 7, 2, 5, -3),
        (1, 3, 2, 5, 1),
        (4, 5, 2, 5, 0),
        (9, 3, 2, 5, 4),
        (3, 77, 4, ENDLESS, 1),
        (10, 4, ENDLESS, ENDLESS, -6),
        (4, -1, ENDLESS, ENDLESS, -5),
        (3, 1, -ENDLESS, -ENDLESS, 2),
    ],
)
def test_the_worth_of_a_change(old, new, low, high, worth):
    class Seen:
        def __init__(self, value):
            self.measures, self.wanted = {"regions": jnp.int32(value)}, {}
            self.intervals = {"regions": jnp.array([low, high], jnp.int32)}

    seen = Transition(Seen(old), jnp.int32(0), Seen(new), Seen(0))
    assert float(interval_gain("regions", 5.0, "").fn(seen)) == worth
    assert reference.gain(new, old, low, high) == worth


def test_a_change_is_paid_by_its_terms():
    state, timestep = step(WIDE, state_of(WIDE, GOOD), wide_action(WIDE, 0, 3, "#"))
    paid = {name: float(value) for name, value in timestep.info["reward_terms"].items()}
    expected = dict.fromkeys(paid, 0.0)
    expected |= {"regions": -1.0, "nearest_enemy": -4.0, "path_length": -27.0}
    assert paid == expected
    assert float(timestep.reward) == -5.0 - 2 * 4.0 - 27.0
    assert int(state.changes) == 1 and int(state.measures["regions"]) == 2


def test_success_ends_an_episode_but_not_before_its_first_step():
    start = state_of(WIDE, GOOD)
    assert not any(WIDE.end(start, PARAMS))
    same, timestep = step(WIDE, start, wide_action(WIDE, 0, 0, "@"))
    assert bool(timestep.terminated) and int(same.changes) == 0
    after, timestep = step(WIDE, same, wide_action(WIDE, 0, 3, "#"))
    assert (after.tiles == start.tiles).all() and float(timestep.reward) == 0
    far = PARAMS.replace(path_length=jnp.int32(28))
    assert not step(WIDE, start, wide_action(WIDE, 0, 0, "@"), far)[1].ended


def test_budgets_end_an_episode():
    rows = ["..........."] * 7
    last = state_of(WIDE, rows, changes=14, step=20)
    _, timestep = step(WIDE, last, wide_action(WIDE, 0, 0, "#"))
    assert bool(timestep.terminated) and not timestep.truncated
    _, timestep = step(WIDE, last, wide_action(WIDE, 0, 0, "."))  # no change
    assert not timestep.ended
    _, timestep = step(WIDE, state_of(WIDE, rows, step=15 * 77 - 1), jnp.int32(0))
    assert bool(timestep.truncated) and not timestep.terminated
    more = PARAMS.replace(max_changes=jnp.int32(77))
    assert not step(WIDE, last, wide_action(WIDE, 0, 0, "#"), more)[1].ended


def test_a_labyrinth_is_done_with_one_region_and_a_path_longer_by_twenty():
    env = BinaryLevel(height=5, width=9, representation="wide")
    rows = [".........", "########.", ".........", ".########", "........."]
    state = state_of(env, rows)
    assert {name: int(m) for name, m in state.measures.items()} == {
        "regions": 1, "path_length": 28
    }  # fmt: skip
    for before, is_done in ((8, True), (9, False)):
        at_start = {**state.measures, "path_length": jnp.int32(before)}
        start = state.replace(measures_at_start=at_start)
        assert bool(step(env, start, jnp.int32(0))[1].terminated) == is_done
    away = wide_action(env, 0, 0, "#")
    cut = state.replace(
        tiles=state.tiles.at[1, 0].set(0),  # another way, not measured yet
        measures_at_start={**state.measures, "path_length": jnp.int32(0)},
    )
    assert bool(step(env, cut, jnp.int32(0))[1].terminated)  # nothing changed: as it was
    after, _ = step(env, cut, away)
    assert int(after.measures["path_length"]) == reference.longest_path(
        np.asarray(after.tiles).tolist(), (0,)
    )


def test_a_batch_measures_only_the_maps_that_changed():
    states = jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), state_of(WIDE, GOOD))
    odd = {name: jnp.full(2, -7, jnp.int32) for name in states.measures}
    actions = jnp.stack([wide_action(WIDE, 0, 0, "@"), wide_action(WIDE, 1, 0, ".")])
    batch = jax.jit(jax.vmap(WIDE.next_state, (None, 0, 0, None)))
    after = batch(jax.random.key(0), states.replace(measures=odd), actions, PARAMS)
    assert {name: int(values[0]) for name, values in after.measures.items()} == {
        name: -7 for name in odd
    }
    assert int(after.measures["player"][1]) == 1 and int(after.measures["path_length"][1]) == 7


def test_a_narrow_view_is_centred():
    state = state_of(NARROW, GOOD, row=6, column=2)
    seen = np.asarray(NARROW.observe(state, PARAMS))
    assert seen.shape == (22, 22, 8) and (seen.sum(axis=2) == 255).all()
    assert seen[11, 10, 4] == 255 and seen[11, 11, 0] == 255  # the door, left of the tile
    assert seen[5, 9, 2] == 255  # the player, six rows above and two columns to the left
    assert (seen[12:, :, 1] == 255).all() and (seen[:, :9, 1] == 255).all()
    flat = np.asarray(WIDE.observe(state, PARAMS))
    assert (flat.argmax(axis=2) == np.asarray(state.tiles)).all()


def test_starts_are_drawn_by_their_shares(key):
    env = crl.make("level-binary-wide")
    keys = jax.random.split(key, 200)
    draw = jax.jit(jax.vmap(lambda key, params: env.initial_state(key, params).tiles, (0, None)))
    shares = np.asarray(draw(keys, env.default_params) == 0).mean(axis=(1, 2))
    assert shares.min() < 0.05 and shares.max() > 0.95 and abs(shares.mean() - 0.5) < 0.07
    half = env.default_params.replace(empty_range=jnp.array([0.5, 0.5], jnp.float32))
    shares = np.asarray(draw(keys, half) == 0).mean(axis=(1, 2))
    assert abs(shares - 0.5).max() < 0.2
    wanted = np.asarray(PARAMS.shares)
    tiles = jax.jit(jax.vmap(lambda key: WIDE.initial_state(key, PARAMS).tiles))(keys)
    found = np.bincount(np.asarray(tiles).reshape(-1), minlength=8) / tiles.size
    assert np.abs(found - wanted).max() < 0.02


def test_what_is_wanted_is_drawn_seen_and_paid(key):
    env = BinaryLevel(height=5, width=9, representation="wide", controls=("path_length",))
    params = env.default_params
    assert env.bounds["path_length"] == 23 + 9 and params.targets["path_length"].tolist() == [0, 32]
    keys = jax.random.split(key, 64)
    starts = jax.jit(jax.vmap(env.initial_state, (0, None)))(keys, params)
    drawn = np.asarray(starts.wanted["path_length"])
    assert drawn.min() >= 0 and drawn.max() <= 32 and len(set(drawn.tolist())) > 15
    one = params.replace(targets={"path_length": jnp.array([9, 9], jnp.int32)})
    assert int(env.initial_state(key, one).wanted["path_length"]) == 9
    rows = [".........", "########.", ".........", ".########", "........."]
    start = state_of(env, rows).replace(wanted={"path_length": jnp.int32(24)})
    seen = env.observe(start, params)
    assert seen["wanted"].tolist() == [0.75] and seen["direction"].tolist() == [-1.0]
    assert seen["map"].shape == (5, 9, 1)
    state, timestep = step(env, start, wide_action(env, 1, 4, "."))  # shorter by eight
    assert int(state.measures["path_length"]) == 20
    assert float(timestep.info["reward_terms"]["path_length"]) == 4 - 4  # across, without a fine
    assert timestep.observation["direction"].tolist() == [1.0]


def test_a_controlled_design_goes_on_when_it_is_good():
    env = ZeldaLevel(representation="wide", controls=("enemies", "path_length"))
    start = state_of(env, GOOD).replace(
        wanted={"enemies": jnp.int32(3), "path_length": jnp.int32(27)}
    )
    state, timestep = step(env, start, wide_action(env, 4, 0, "c"))
    assert not timestep.ended and bool(env.is_success(state, env.default_params))
    assert float(timestep.info["reward_terms"]["enemies"]) == 1
    assert timestep.observation["direction"].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(timestep.observation["wanted"], [3 / 77, 27 / (2 * 50)])


@pytest.mark.parametrize("controls", [("ratio",), ("enemies", "enemies"), ("path",)])
def test_other_controls_are_refused(controls):
    with pytest.raises(
        ValueError, match=r"controls must be some of player, key, .* each once, got"
    ):
        ZeldaLevel(controls=controls)


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"height": 1}, r"BinaryLevel: height must be a whole number in 2\.\.32, got 1"),
        ({"width": 33}, r"width must be a whole number in 2\.\.32, got 33"),
        ({"change_share": 1.5}, r"change_share must be a number in 0\.\.1, got 1\.5"),
        ({"representation": "cellular"}, "must be narrow, turtle or wide, got 'cellular'"),
    ],
)
def test_other_designs_are_refused(fields, line):
    with pytest.raises(ValueError, match=line):
        BinaryLevel(**fields)


def test_sizes_are_the_sources():
    found = [(env.max_changes, env.num_steps) for env in (BinaryLevel(), ZeldaLevel())]
    assert found == [(39, 7644), (15, 1155)]
    assert BinaryLevel(change_share=0.0).max_changes == 1

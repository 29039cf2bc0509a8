"""Edits by hand, and random ones against a plain search."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.adaptation import edit

from creative_rl.ops import edits

C, D, E, F, G = 14, 16, 18, 19, 21
NUMBER = {name: number for number, name in enumerate(edits.OPERATIONS)}
T = 12
possible_edits, edited = jax.jit(edits.possible_edits), jax.jit(edits.edited)


def done(name, place, events):
    """The events after the edit; None where it is not possible."""
    padded = jnp.array([*events, *[0] * (T - len(events))], jnp.int32)
    if not possible_edits(padded)[NUMBER[name], place]:
        return None
    after = edited(padded, jnp.int32(NUMBER[name]), jnp.int32(place)).tolist()
    assert after[len(events) :] == [0] * (T - len(events))
    return after[: len(events)]


@pytest.mark.parametrize(
    ("name", "place", "before", "after"),
    [
        ("raise", 0, [C, 1, D], [D, 1, D]),
        ("raise", 2, [C, 1, E], [C, 1, F]),  # a half tone
        ("raise", 0, [37], None),  # MIDI 83 is the highest
        ("raise", 0, [36], [37]),  # from a black key
        ("lower", 0, [C], [13]),
        ("lower", 0, [2], None),
        ("lower", 1, [C, 1], None),  # no note begins there
        ("split", 0, [C, 1, 1, 1], [C, 1, C, 1]),
        ("split", 0, [C, 1, 1, 0], [C, C, 1, 0]),
        ("split", 0, [C, D], None),
        ("merge", 0, [C, 1, D, 1], [C, 1, 1, 1]),
        ("merge", 0, [C, 0, D, 1], None),
        ("merge", 2, [C, 0, D, 1], None),  # nothing follows
        ("earlier", 2, [C, 1, D, 1], [C, D, 1, 1]),
        ("earlier", 2, [C, 0, D, 1], [C, D, 1, 1]),  # the silence was one step
        ("earlier", 1, [C, D], None),
        ("earlier", 0, [C, D], None),
        ("later", 0, [C, 1, 1, D], [1, C, 1, D]),
        ("later", 2, [C, 0, D, 1], [C, 0, 1, D]),
        ("later", 0, [C, D], None),
        ("ornament", 0, [E, 1, 1, 1], [E, F, E, 1]),
        ("ornament", 0, [E, 1, 1, D], [E, F, E, D]),
        ("ornament", 0, [E, 1, D], None),
        ("ornament", 0, [37, 1, 1], None),
        ("ornament", 1, [0, 1, 1], None),
    ],
)
def test_by_hand(name, place, before, after):
    assert done(name, place, before) == after


def test_all_edits_of_random_events_against_the_plain_search():
    rng = np.random.default_rng(0)
    events = rng.integers(0, 38, (40, T))
    events[rng.random(events.shape) < 0.6] = 1
    numbers, places = np.divmod(np.arange(7 * T), T)
    masks = jax.jit(jax.vmap(edits.possible_edits))(jnp.asarray(events, jnp.int32))
    all_edits = jax.vmap(jax.vmap(edits.edited, (None, 0, 0)), (0, None, None))
    after = jax.jit(all_edits)(*(jnp.asarray(x, jnp.int32) for x in (events, numbers, places)))
    masks, after = np.asarray(masks).reshape(40, -1), np.asarray(after)
    for melody, sequence in enumerate(events.tolist()):
        for number, (operation, place) in enumerate(zip(numbers, places, strict=True)):
            expected = edit(sequence, operation, place)
            assert masks[melody, number] == (expected is not None)
            if expected is not None:
                assert after[melody, number].tolist() == expected
    assert masks.reshape(40, 7, T).any(axis=(0, 2)).all()


def test_later_undoes_earlier_and_lower_undoes_raise():
    before = [C, 1, 1, E, 1, 1]
    assert done("later", 2, done("earlier", 3, before)) == before
    assert done("lower", 3, done("raise", 3, before)) == before
    assert done("merge", 0, done("split", 0, before)) == before

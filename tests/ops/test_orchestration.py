"""Instruments and seatings by hand; the rules inside episodes are compared with a plain loop in
tests/envs/test_arrangement.py."""

import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.ops import orchestration as ops
from creative_rl.works.general_midi import INSTRUMENTS as GENERAL_MIDI
from creative_rl.works.music_xml import _DYNAMICS


def ints(*values):
    return jnp.array(values, jnp.int32)


def test_instruments_are_those_of_general_midi_with_compasses_that_hold_chorales():
    for name, row in ops.INSTRUMENTS.items():
        assert GENERAL_MIDI[row.program].split()[-1] in {name.split()[0], "Horn"}
        assert 0 <= row.lowest < row.highest <= 127 and 0 <= row.brilliance <= 1 <= row.power
    assert len(ops.INSTRUMENTS) <= 15  # the channels of a MIDI file
    for voice, (low, high) in {"soprano": (60, 79), "bass": (41, 60)}.items():
        able = [n for n, row in ops.INSTRUMENTS.items() if row.lowest <= low <= high <= row.highest]
        assert len(able) >= 3, (voice, able)
    assert all(set(names) <= set(ops.INSTRUMENTS) for names in ops.ENSEMBLES.values())


def test_marks_are_those_that_notation_writes():
    assert [_DYNAMICS[mark] for mark in ops.MARKS] == list(ops.VELOCITIES)


def test_who_is_unknown_is_told_who_is_known():
    with pytest.raises(ValueError, match="orchestra_of: unknown instrument 'Tuba'; one of Flute, "):
        ops.orchestra_of(("Tuba",))


def test_forte_is_rimsky_korsakov_s_and_piano_equal():
    power = ops.orchestra_of(("Flute", "Violin 1", "Horn", "Trumpet", "Trombone")).power
    seats = ints(1, 2, 3, 4, 5)
    flute, violin, horn, trumpet, trombone = ops.loudness(seats, jnp.int32(4), power).tolist()
    assert violin == horn == 2 * flute and trumpet == trombone == 2 * horn
    assert ops.loudness(seats, jnp.int32(1), power).tolist() == [1] * 5
    between = np.array([ops.loudness(seats, jnp.int32(mark), power) for mark in range(6)])
    assert (np.diff(between, axis=0) >= 0).all()


@pytest.mark.parametrize(
    ("players", "seats"),
    [((1, 2, 3, 4), (1, 2, 3, 4)), ((1, 1, 1, 1), (1, 0, 0, 0)), ((0, 2, 0, 2), (0, 2, 0, 0)),
     ((0, 0, 0, 0), (0, 0, 0, 0)), ((3, 1, 1, 3), (3, 1, 0, 0))],
)  # fmt: skip
def test_a_player_plays_the_highest_voice_that_asks(players, seats):
    assert tuple(ops.seated(ints(*players)).tolist()) == seats
    assert ops.plays(ints(*seats), 4).tolist() == [k in seats for k in range(1, 5)]


def test_energy_rises_with_each_of_its_parts_and_stays_in_range():
    brilliance = ops.orchestra_of(ops.ENSEMBLES["orchestra"]).brilliance

    def energy(seats, mark):
        return ops.energy(ints(*seats), jnp.int32(mark), brilliance).item()

    assert energy((1, 0, 0, 0), 0) < energy((1, 0, 0, 0), 3) < energy((1, 2, 3, 4), 3)
    assert energy((4, 0, 0, 0), 2) < energy((6, 0, 0, 0), 2)
    assert energy((1, 0, 0, 0), 0) == pytest.approx(0.2)
    assert energy((6, 7, 8, 2), 5) == pytest.approx(0.8 + 0.2 * 0.75)
    assert energy((0, 0, 0, 0), 5) == 0


def test_share_outside_counts_notes_and_not_how_long_they_are():
    oboe, cello = 1, 2
    orchestra = ops.orchestra_of(("Oboe", "Cello"))
    low, ok = 2 + 58, 2 + 59
    events = jnp.array([[low, 1, 1, 1, ok], [0, 1, 1, 1, 1]] * 2, jnp.int32)
    found = ops.share_outside(events, ints(oboe, oboe, cello, 0), orchestra)
    assert found.tolist() == [0.5, 0, 0, 0]
    for pitch, inside in zip((35, 36, 76, 77), (False, True, True, False), strict=True):
        found = ops.share_outside(jnp.full((1, 2), 2 + pitch, jnp.int32), ints(cello), orchestra)
        assert found.tolist() == [0.0 if inside else 1.0]

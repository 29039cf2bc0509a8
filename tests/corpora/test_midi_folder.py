import os

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_files import scale, track, write

from creative_rl.corpora import midi_folder
from creative_rl.corpora.score import Unusable


def read(path):
    return midi_folder.read(path, path.name)


def test_the_highest_note_of_every_step_without_drums(tmp_path):
    melody = track((0, 1, 60), (1, 1.5, 64), (2, 3, 62))
    chords = track((0, 2, 55), (2.5, 4, 59), channel=1)
    drums = track((0, 0.5, 81), (1, 1.5, 81), channel=9)
    tune = read(write(tmp_path / "a.mid", melody, chords, drums))
    assert tune.events.tolist() == [
        62, 1, 1, 1,  66, 1, 57, 1,  64, 1, 1, 1,  61, 1, 1, 1,
        0,
    ]  # fmt: skip
    assert tune.starts.tolist() == [0]


def test_times_off_the_grid_are_rounded_and_every_note_lasts_a_step(tmp_path):
    tune = read(write(tmp_path / "a.mid", track((0.02, 0.9, 60), (1.03, 1.05, 62), (2, 2.4, 64))))
    assert tune.events.tolist() == [62, 1, 1, 1, 64, 0, 1, 1, 66, 1, 0, 1, 1, 1, 1, 1, 1]


def test_bars_follow_the_time_signatures(tmp_path):
    metre = mido.MetaMessage("time_signature", numerator=3, denominator=4)
    waltz = mido.MetaMessage("time_signature", numerator=6, denominator=8, time=6 * 96)
    notes = [(i, i + 1, 60 + i) for i in range(12)]
    signatures = mido.MidiTrack([metre, waltz])
    assert read(write(tmp_path / "a.mid", track(*notes))).starts.tolist() == [0, 16, 32]
    assert read(write(tmp_path / "b.mid", signatures, track(*notes))).starts.tolist() == [
        0, 12, 24, 36,
    ]  # fmt: skip


def test_bar_lines():
    assert midi_folder.bar_lines([], 33) == [0, 16, 32, 48]
    assert midi_folder.bar_lines([], 32) == [0, 16, 32]
    assert midi_folder.bar_lines([(0, 12)], 25) == [0, 12, 24, 36]
    # A change inside a bar cuts it; one after the end changes nothing.
    assert midi_folder.bar_lines([(0, 12), (20, 8), (99, 4)], 37) == [0, 12, 20, 28, 36, 44]


@pytest.mark.parametrize(
    ("signature", "tonic", "shift"),
    [(None, 62, 10), ("C", 62, 10), ("D", 62, 10), ("G", 62, 5), ("Em", 62, 5), (None, 60, 0)],
)
def test_the_key_is_the_file_s_unless_it_says_c(signature, tonic, shift, tmp_path):
    extra = [mido.MetaMessage("key_signature", key=signature)] if signature else []
    assert read(write(tmp_path / "a.mid", track(*scale(tonic), extra=extra))).shift == shift


def damage(path, kind):
    data = path.read_bytes()
    spoilt = {
        "cut": data[: len(data) // 2],
        "cut in the header": data[:9],
        "empty": b"",
        "text": b"This is no music.",
        "random": np.random.default_rng(0).bytes(500),
        "header only": data[:14],
        "key of nine sharps": data.replace(b"\xff\x59\x02\x02", b"\xff\x59\x02\x09"),
        "seconds": data[:12] + b"\xe7\x28" + data[14:],
    }[kind]
    assert spoilt != data
    path.write_bytes(spoilt)


@pytest.mark.parametrize(
    "kind",
    [
        "cut", "cut in the header", "empty", "text", "random", "header only", "key of nine sharps",
        "seconds",
    ],
)  # fmt: skip
def test_malformed_files_are_unusable_with_a_reason(kind, tmp_path):
    key = mido.MetaMessage("key_signature", key="D")
    path = write(tmp_path / "a.mid", track(*scale(62), extra=[key]))
    read(path)
    damage(path, kind)
    with pytest.raises(Unusable) as caught:
        read(path)
    assert str(caught.value) and "\n" not in str(caught.value)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_no_damage_gives_more_than_a_reason(tmp_path_factory, data):
    path = write(tmp_path_factory.mktemp("midi") / "a.mid", track(*scale(60, length=0.5)))
    spoilt = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(spoilt)
    try:
        tune = read(path)
    except Unusable:
        return
    assert tune.events.dtype == np.uint8 and tune.events.max() <= 129
    assert (tune.events[tune.starts] >= 2).all()


def test_a_file_of_drums_alone_has_no_notes(tmp_path):
    with pytest.raises(Unusable, match="no notes"):
        read(write(tmp_path / "a.mid", track((0, 1, 40), channel=9)))


def test_files_are_found_below_and_told_apart(tmp_path):
    one = write(tmp_path / "b.mid", track((0, 1, 60)))
    two = write(tmp_path / "a" / "c.MIDI", track((0, 1, 60)))
    (tmp_path / "notes.txt").write_text("no")
    paths = midi_folder.find(tmp_path)
    assert paths == [two, one]
    before = midi_folder.fingerprint(tmp_path, paths)
    assert before == midi_folder.fingerprint(tmp_path, paths)
    os.utime(one, ns=(1, 1))
    touched = midi_folder.fingerprint(tmp_path, paths)
    assert touched != before
    one.rename(tmp_path / "d.mid")
    assert midi_folder.fingerprint(tmp_path, midi_folder.find(tmp_path)) != touched

"""MIDI files: our own come back exactly, foreign ones by their notes, damaged ones as one line."""

import hypothesis
import mido
import numpy as np
import pytest
from works.damage import damaged_copies
from works.melodies import assert_same, melodies, melody

from creative_rl import works
from creative_rl.works import midi, midi_file
from creative_rl.works.spans import spans_of

SETTINGS = hypothesis.settings(deadline=None, max_examples=60)


def write(path, *tracks, ticks=96, type=1):
    file = mido.MidiFile(type=type, ticks_per_beat=ticks)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    file.save(path)
    return path


def on(pitch, time=0, channel=0, velocity=64):
    return mido.Message("note_on", note=pitch, time=time, channel=channel, velocity=velocity)


def off(pitch, time=0, channel=0):
    return mido.Message("note_off", note=pitch, time=time, channel=channel)


@SETTINGS
@hypothesis.given(melodies())
def test_a_written_melody_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("midi") / "melody.mid"
    works.save(original, path)
    assert_same(midi.read_melody(path), original)


@SETTINGS
@hypothesis.given(melodies())
def test_without_the_text_the_same_notes_come_back(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("midi") / "melody.mid"
    works.save(original, path)
    file = mido.MidiFile(path)
    file.tracks[0] = mido.MidiTrack(m for m in file.tracks[0] if m.type != "text")
    file.save(path)
    back = midi.read_melody(path, original.steps_per_quarter)
    assert spans_of(back) == spans_of(original)
    assert back.tempo == pytest.approx(original.tempo, rel=1e-4)


def test_the_notes_count_where_another_program_changed_them(tmp_path):
    path = works.save(melody([14, 1, 16, 0, 0, 1]), tmp_path / "melody.mid")
    file = mido.MidiFile(path)
    for message in file.tracks[0]:
        if message.type in ("note_on", "note_off") and message.note == 62:
            message.note = 64
    file.save(path)
    np.testing.assert_array_equal(midi.read_melody(path).events, [14, 1, 18])


def test_the_tempo_counts_where_another_program_changed_it(tmp_path):
    path = works.save(melody([14, 0, 0]), tmp_path / "melody.mid")
    file = mido.MidiFile(path)
    next(m for m in file.tracks[0] if m.type == "set_tempo").tempo = 1_000_000
    file.save(path)
    assert midi.read_melody(path).tempo == 60.0


def test_written_notes_as_mido_sees_them(tmp_path):
    path = works.save(melody([1, 14, 1, 14, 0, 1], tempo=120.0), tmp_path / "melody.mid")
    file = mido.MidiFile(path)
    heard = [(m.type, m.note, m.time) for m in file.tracks[0] if not m.is_meta and "note" in m.type]
    assert file.ticks_per_beat == 480
    assert heard == [
        ("note_on", 60, 120),
        ("note_off", 60, 240),
        ("note_on", 60, 0),
        ("note_off", 60, 120),
    ]
    assert file.length == pytest.approx(6 / 4 / 2)  # six sixteenths at two quarters a second


def test_read_notes_of_two_tracks_with_drums(tmp_path):
    first = [on(60, 48), on(64, 0), on(60, 48, velocity=0), off(64, 96)]
    second = [on(60, 0, 1), on(36, 0, 9), off(36, 24, 9), off(60, 72, 1)]
    notes = midi_file.notes_in(midi_file.parse(write(tmp_path / "two.mid", first, second)))
    assert notes == [
        midi_file.Note(0.0, 0.25, 36, 9, True),
        midi_file.Note(0.0, 1.0, 60, 1, False),
        midi_file.Note(0.5, 1.0, 60, 0, False),
        midi_file.Note(0.5, 2.0, 64, 0, False),
    ]


def test_a_note_never_ended_lasts_to_the_end_and_a_stray_end_is_nothing(tmp_path):
    track = [off(50), on(60), on(60, 96), off(60, 96), mido.MetaMessage("end_of_track", time=96)]
    notes = midi_file.notes_in(midi_file.parse(write(tmp_path / "open.mid", track)))
    assert [(note.start, note.end) for note in notes] == [(0.0, 2.0), (1.0, 3.0)]


def test_polyphony_takes_the_highest_and_comes_back_to_the_lower(tmp_path):
    track = [on(60), on(67, 24), off(67, 24), off(60, 24), on(62, 24), off(62, 24)]
    read = midi.read_melody(write(tmp_path / "poly.mid", track))
    np.testing.assert_array_equal(read.events, [14, 21, 14, 0, 16])
    assert read.tempo == 120.0


def test_foreign_notes_are_rounded_to_the_grid_and_drums_left_out(tmp_path):
    track = [on(72, 94), off(72, 50), on(38, 0, 9), off(38, 500, 9)]  # .979 to 1.5 quarters
    read = midi.read_melody(write(tmp_path / "late.mid", track))
    np.testing.assert_array_equal(read.events, [1, 1, 1, 1, 26, 1])


def test_damaged_files_are_refused_in_one_line_or_read(tmp_path):
    data = midi.encode_melody(melody([14, 0, 1, 16, 16, 1]))
    path, refused = tmp_path / "damaged.mid", 0
    for damaged in damaged_copies(data):
        path.write_bytes(damaged)
        try:
            midi.read_melody(path)
        except ValueError as error:
            refused += 1
            assert "damaged.mid" in str(error) and "\n" not in str(error)
    assert refused > 100


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends too early"),
        (b"RIFF1234WAVEfmt ", "MThd"),
        (b"MThd\0\0\0\6\0\0\0\0\xe7\x28", "SMPTE"),
        (b"MThd\0\0\0\6\0\2\0\0\0\x60", "type 2"),
    ],
)
def test_the_line_names_the_reason(tmp_path, data, reason):
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"bad.mid.*{reason}"):
        midi_file.parse(path)


def test_notes_out_of_reach_are_refused(tmp_path):
    low = write(tmp_path / "low.mid", [on(47), off(47, 96)])
    with pytest.raises(ValueError, match=r"low.mid: .*MIDI 48..127, got 47"):
        midi.read_melody(low)
    long = write(tmp_path / "long.mid", [on(60), off(60, 96 * 20_000)])
    with pytest.raises(ValueError, match="80000 steps, at most 65536"):
        midi.read_melody(long)
    with pytest.raises(ValueError, match="tempo"):
        midi.encode_melody(melody([14], tempo=1.0))


@pytest.mark.parametrize("text", ["{", "[1]", '{"events":[[1]]}', "[" * 10_000, '{"events":[14]}'])
def test_damaged_text_leaves_the_notes(tmp_path, text):
    mark = mido.MetaMessage("text", text="creative_rl.Melody " + text)
    read = midi.read_melody(write(tmp_path / "text.mid", [mark, on(60), off(60, 24)]))
    np.testing.assert_array_equal(read.events, [14])

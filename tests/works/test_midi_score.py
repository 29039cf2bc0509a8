"""Scores as MIDI: ours come back exactly, others by their tracks, damaged ones as one line."""

import hypothesis
import mido
import numpy as np
import pytest
from works import melodies
from works.damage import damaged_copies
from works.scores import assert_same, lines, score, scores

from creative_rl import works
from creative_rl.ops.harmony import chord_code
from creative_rl.works import midi_score, voices

SETTINGS = hypothesis.settings(deadline=None, max_examples=60)
SMALL = dict(names=("Flöte 笛", "Bass"), programs=[73, 32], chords={0: 1, 2: chord_code("Am7")})


def small(**changes):
    return lines("C4 . E4 -", "C3 - - .", velocities=[[90] * 4, [50] * 4], **SMALL | changes)


@SETTINGS
@hypothesis.given(scores())
def test_a_written_score_comes_back_the_same(tmp_path_factory, original):
    path = works.save(original, tmp_path_factory.mktemp("midi") / "score.mid")
    assert_same(works.load(path), original)


@SETTINGS
@hypothesis.given(scores())
def test_without_the_text_the_same_notes_come_back(tmp_path_factory, original):
    path = works.save(original, tmp_path_factory.mktemp("midi") / "score.mid")
    file = mido.MidiFile(path)
    file.tracks[0] = mido.MidiTrack(m for m in file.tracks[0] if m.type != "text")
    file.save(path)
    sounding = [i for i, notes in enumerate(voices.notes_of(original)) if notes]
    if not sounding:
        with pytest.raises(ValueError, match=r"score\.mid: a score needs a note"):
            midi_score.read_score(path)
        return
    back = midi_score.read_score(path, original.steps_per_quarter)
    assert voices.notes_of(back) == [voices.notes_of(original)[i] for i in sounding]
    assert back.names == tuple(voices.voice_names(original)[i] for i in sounding)
    assert voices.chords_of(back) == voices.chords_of(original)
    np.testing.assert_array_equal(back.programs, original.programs[sounding])
    assert back.tempo == pytest.approx(original.tempo, rel=1e-4)


def test_what_mido_sees(tmp_path):
    path = works.save(small(tempo=90.0), tmp_path / "score.mid")
    file = mido.MidiFile(path, charset="utf-8")
    assert (file.type, len(file.tracks), file.ticks_per_beat) == (1, 3, 480)
    assert [(m.text, m.time) for m in file.tracks[0] if m.type == "marker"] == [
        ("C", 0),
        ("Am7", 240),
    ]
    assert [round(mido.tempo2bpm(m.tempo)) for m in file.tracks[0] if m.type == "set_tempo"] == [90]
    assert [track.name for track in file.tracks[1:]] == ["Flöte 笛", "Bass"]
    heard = [
        [(m.type, m.note, m.velocity, m.channel, m.time) for m in track if "note_" in m.type]
        for track in file.tracks[1:]
    ]
    assert heard[0] == [
        ("note_on", 60, 90, 0, 0),
        ("note_off", 60, 90, 0, 120),
        ("note_on", 64, 90, 0, 120),
        ("note_off", 64, 90, 0, 240),
    ]
    assert heard[1] == [("note_on", 48, 50, 1, 0), ("note_off", 48, 50, 1, 360)]
    programs = [m.program for track in file.tracks for m in track if m.type == "program_change"]
    assert programs == [73, 32]


@pytest.mark.parametrize(
    ("kind", "change", "seen"),
    [
        ("note_on", {"velocity": 33}, lambda s: s.velocities[0, 0] == 33),
        ("program_change", {"program": 5}, lambda s: s.programs[0] == 5),
        ("track_name", {"name": "Oboe"}, lambda s: s.names == ("Oboe", "Bass")),
        ("marker", {"text": "F#m"}, lambda s: s.chords[0] == chord_code("F#m")),
        ("set_tempo", {"tempo": 1_000_000}, lambda s: s.tempo == 60.0),
    ],
)
def test_what_another_program_changed_counts_and_it_is_still_a_score(tmp_path, kind, change, seen):
    path = works.save(small(), tmp_path / "score.mid")
    file = mido.MidiFile(path)
    message = next(m for track in file.tracks for m in track if m.type == kind)
    assert not seen(works.load(path))
    for name, value in change.items():
        setattr(message, name, value)
    file.save(path)
    back = works.load(path)
    assert seen(back)
    assert [[n[:3] for n in notes] for notes in voices.notes_of(back)] == [
        [n[:3] for n in notes] for notes in voices.notes_of(small())
    ]


def test_a_melody_and_a_file_of_others_stay_melodies(tmp_path):
    melody = melodies.melody([14, 1, 16])
    melodies.assert_same(works.load(works.save(melody, tmp_path / "melody.mid")), melody)
    path = works.save(small(), tmp_path / "score.mid")
    file = mido.MidiFile(path)
    file.tracks[0] = mido.MidiTrack(m for m in file.tracks[0] if m.type != "text")
    file.save(path)
    assert type(works.load(path)) is works.Melody


def test_a_foreign_file_of_one_track_has_a_voice_a_channel(tmp_path):
    file = mido.MidiFile(type=0, ticks_per_beat=96)
    on, off = (
        lambda p, c, t, kind=kind: mido.Message(kind, note=p, channel=c, time=t)
        for kind in ("note_on", "note_off")
    )
    program = mido.Message("program_change", channel=2, program=40)
    track = [program, on(60, 2, 0), on(36, 9, 0), on(40, 0, 24), off(60, 2, 24), off(40, 0, 48)]
    file.tracks.append(mido.MidiTrack(track))
    file.save(tmp_path / "zero.mid")
    read = midi_score.read_score(tmp_path / "zero.mid")
    assert voices.notes_of(read) == [[(1, 4, 40, 64)], [(0, 2, 60, 64)]]
    np.testing.assert_array_equal(read.programs, [0, 40])
    assert read.names == ("Voice 1", "Voice 2")


def test_tracks_that_share_a_channel_keep_their_own_instruments(tmp_path):
    file = mido.MidiFile(type=1)
    for pitch, program in ((72, 73), (48, 32)):
        track = [mido.Message("program_change", program=program)]
        track += [mido.Message(kind, note=pitch, time=480) for kind in ("note_on", "note_off")]
        file.tracks.append(mido.MidiTrack(track))
    file.save(tmp_path / "shared.mid")
    assert midi_score.read_score(tmp_path / "shared.mid").programs.tolist() == [73, 32]


def test_of_several_tempos_the_first_holds(tmp_path):
    path = works.save(small(tempo=90.0), tmp_path / "score.mid")
    file = mido.MidiFile(path)
    file.tracks[0].insert(-1, mido.MetaMessage("set_tempo", tempo=1_000_000))
    file.save(path)
    assert works.load(path).tempo == pytest.approx(90.0, rel=1e-4)


def test_channels_pass_over_the_drums_and_end_at_fifteen_voices(tmp_path):
    many = score([[62]] * 15, programs=list(range(15)))
    path = works.save(many, tmp_path / "many.mid")
    assert 9 not in {m.channel for t in mido.MidiFile(path).tracks for m in t if not m.is_meta}
    assert_same(works.load(path), many)
    more = score([[62]] * 16)
    assert ".mid" in works.suffixes(many) and ".mid" not in works.suffixes(more)
    with pytest.raises(ValueError, match="15 voices, this score has 16"):
        midi_score.encode_score(more)


def test_damaged_files_are_refused_in_one_line_or_read(tmp_path):
    data = midi_score.encode_score(small())
    path, refused = tmp_path / "damaged.mid", 0
    for damaged in damaged_copies(data):
        path.write_bytes(damaged)
        try:
            voices.on_host(midi_score.read_score(path))
        except ValueError as error:
            refused += 1
            assert "damaged.mid" in str(error) and "\n" not in str(error)
    assert refused > 50


def test_a_chord_at_the_end_of_time_is_refused(tmp_path):
    path = works.save(small(), tmp_path / "late.mid")
    file = mido.MidiFile(path)
    file.tracks[0].insert(-1, mido.MetaMessage("marker", text="C", time=1 << 27))
    file.save(path)
    with pytest.raises(ValueError, match=r"late\.mid: a chord symbol stands at step"):
        midi_score.read_score(path)

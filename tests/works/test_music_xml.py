"""MusicXML: music21 reads the same notes at the same times; what musicians read stands there."""

import warnings
from fractions import Fraction
from xml.etree import ElementTree

import hypothesis
import numpy as np
import pytest
from works.melodies import melody
from works.scores import lines, score, scores

from creative_rl import works
from creative_rl.ops import harmony
from creative_rl.works import music_xml, voices
from creative_rl.works.general_midi import INSTRUMENTS

music21 = pytest.importorskip("music21")


def read(work, beats=4):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = music_xml.encode_musicxml(work, beats).decode()
        return music21.converter.parseData(data, format="musicxml")


def heard(part):
    """Onset, duration in quarter notes and pitch of a part's notes, its ties put together."""
    notes = part.stripTies().flatten().notes
    return [
        (Fraction(note.offset), Fraction(note.duration.quarterLength), note.pitch.midi)
        for note in notes
        if isinstance(note, music21.note.Note)
    ]


def said(notes, steps_per_quarter):
    return [
        (Fraction(start, steps_per_quarter), Fraction(end - start, steps_per_quarter), pitch)
        for start, end, pitch, _ in notes
    ]


def assert_read_back(original, beats=4):
    parts = read(original, beats).parts
    of_voices = voices.notes_of(original)
    assert len(parts) == len(of_voices)
    for part, notes in zip(parts, of_voices, strict=True):
        assert heard(part) == said(notes, original.steps_per_quarter)


@hypothesis.settings(deadline=None, max_examples=25)
@hypothesis.given(scores(max_voices=2).filter(music_xml.fits))
def test_music21_reads_the_same_notes(original):
    assert_read_back(original)


@pytest.mark.parametrize(
    ("steps_per_quarter", "beats"), [(1, 4), (2, 3), (3, 4), (4, 4), (6, 5), (7, 4), (12, 2)]
)
def test_random_scores_on_many_grids(steps_per_quarter, beats):
    rng = np.random.default_rng(steps_per_quarter)
    codes = rng.choice([0, 1, 1, 1, 1, 62, 63, 69, 70, 51], size=(3, 61))
    assert_read_back(score(codes, steps_per_quarter=steps_per_quarter), beats)


def test_chords_tempo_instruments_and_dynamics():
    velocities = [[64] * 12 + [112] * 8, [80] * 20]
    chords = {0: "C", 6: "F#m7", 16: "Bbdim", 17: "G7", 19: "Am"}
    original = lines(
        "C4 - - - D4 - - - E4 - - - F4 - - - G4 - - -",
        "C3 - - - - - - - - - - - - - - - - - - -",
        velocities=velocities,
        chords={step: harmony.chord_code(name) for step, name in chords.items()},
        programs=[73, 32],
        names=("Flute <1>", "Bass & co"),
        tempo=92.5,
    )
    parsed = read(original)
    first, second = parsed.parts
    assert [part.partName for part in parsed.parts] == ["Flute <1>", "Bass & co"]
    programs = [part.getInstrument(returnDefault=False).midiProgram for part in parsed.parts]
    assert programs == [73, 32]
    symbols = first.flatten().getElementsByClass(music21.harmony.ChordSymbol)
    assert [(int(4 * s.offset), s.figure.replace("-", "b")) for s in symbols] == list(
        chords.items()
    )
    assert not second.flatten().getElementsByClass(music21.harmony.ChordSymbol)
    marks = first.flatten().getElementsByClass(music21.dynamics.Dynamic)
    assert [(mark.value, mark.offset) for mark in marks] == [("mp", 0.0), ("ff", 3.0)]
    tempos = parsed.flatten().getElementsByClass(music21.tempo.MetronomeMark)
    assert [mark.number for mark in tempos] == [92.5]


def test_what_stands_in_the_file():
    original = lines("F#4 F4 F#4 - . - - - - - - - - - D4 -", "- " * 16, names=("Top", "Low"))
    root = ElementTree.fromstring(music_xml.encode_musicxml(original))
    assert root.tag == "score-partwise" and root.get("version") == "4.0"
    top, low = root.findall("part")
    assert [part.get("id") for part in root.iter("score-part")] == ["P1", "P2"]
    assert [name.text for name in root.iter("instrument-name")] == [INSTRUMENTS[0]] * 2
    assert top.find("measure/attributes/key/fifths").text == "1"
    # F sharp is in the signature; the natural needs a sign, and so does the sharp after it.
    assert [sign.text for sign in top.iter("accidental")] == ["natural", "sharp"]
    assert low.find("measure/note/rest").get("measure") == "yes"
    assert len(low.findall("measure/note")) == 1
    assert top.find("measure/barline/bar-style").text == "light-heavy"


def test_a_tie_over_the_bar_line_has_both_ends():
    root = ElementTree.fromstring(music_xml.encode_musicxml(lines("- " * 14 + "C4 - - - -")))
    bars = [
        [[tie.get("type") for tie in note.iter("tie")] for note in measure.findall("note")]
        for measure in root.iter("measure")
    ]
    assert bars[0][-1] == ["start"] and bars[1][0] == ["stop"]
    assert sum(map(len, bars[0] + bars[1])) == 2


def test_velocities_come_back_from_the_attribute():
    original = lines("C4 D4 E4 F4", velocities=[[1, 45, 90, 127]])
    root = ElementTree.fromstring(music_xml.encode_musicxml(original))
    notes = [float(note.get("dynamics")) for note in root.iter("note") if note.get("dynamics")]
    assert [round(90 * percent / 100) for percent in notes] == [1, 45, 90, 127]


@pytest.mark.parametrize(("pitch", "clef"), [(24, "F4-1"), (48, "F40"), (72, "G20"), (96, "G21")])
def test_clefs_suit_the_voice(pitch, clef):
    root = ElementTree.fromstring(music_xml.encode_musicxml(score([[pitch + 2]])))
    found = root.find("part/measure/attributes/clef")
    change = found.findtext("clef-octave-change", "0")
    assert found.findtext("sign") + found.findtext("line") + change == clef


def test_melodies_are_scores_of_one_voice(tmp_path):
    original = melody([14, 1, 16, 0, 0, 18])
    path = works.save(original, tmp_path / "melody.musicxml")
    assert path.read_bytes() == music_xml.encode_musicxml(voices.as_score(original))
    assert b"<part-name>Melody</part-name>" in path.read_bytes()


def test_refusals_and_what_suits():
    low = score([[62, 13]])
    assert ".musicxml" not in works.suffixes(low) and ".svg" not in works.suffixes(low)
    assert ".musicxml" in works.suffixes(score([[62, 14]]))
    with pytest.raises(ValueError, match="from MIDI 12 up, this score has 11"):
        music_xml.encode_musicxml(low)
    for beats in (0, 17, 4.0):
        with pytest.raises(ValueError, match=f"beats must be a whole number in 1..16, got {beats}"):
            music_xml.encode_musicxml(melody([14]), beats)


def test_instruments_are_those_of_general_midi():
    assert len(set(INSTRUMENTS)) == 128
    expected = {
        0: "Acoustic Grand Piano",
        24: "Acoustic Guitar (nylon)",
        40: "Violin",
        56: "Trumpet",
    }
    expected |= {
        64: "Soprano Sax",
        73: "Flute",
        80: "Lead 1 (square)",
        104: "Sitar",
        127: "Gunshot",
    }
    for program, name in expected.items():
        assert INSTRUMENTS[program] == name

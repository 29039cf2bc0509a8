"""Melodies and scores as MusicXML 4.0, partwise: what notation programs open.

The format: https://www.w3.org/2021/06/musicxml40/.
"""

import itertools
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from creative_rl.ops import harmony
from creative_rl.ops.orchestration import MARKS, VELOCITIES
from creative_rl.works import midi_score
from creative_rl.works.general_midi import INSTRUMENTS
from creative_rl.works.melody import Melody
from creative_rl.works.music_xml_note import FORTE, Page, add, add_note
from creative_rl.works.note_values import Stretch, beams, write_bar
from creative_rl.works.score import Score
from creative_rl.works.spelling import key_of, spell
from creative_rl.works.voices import VoiceNote, as_score, chords_of, notes_of, voice_names

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    b'"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_KINDS = ("major", "minor", "diminished", "dominant", "minor-seventh")
"""MusicXML's names of `harmony.QUALITIES`."""
_DYNAMICS = {"ppp": 16, **dict(zip(MARKS, VELOCITIES, strict=True)), "fff": 127}
"""Marks, and the velocities that they stand for."""
_LOWEST_PITCH = 12


class _Sound(NamedTuple):
    """A stretch of a bar, with the note that sounds in it, if one does."""

    stretch: Stretch
    note: VoiceNote | None
    begins: bool
    """whether the note starts here, and is not tied over from the bar before"""
    ends: bool


def encode_musicxml(work: Melody | Score, beats: int = 4) -> bytes:
    """One work as the bytes of an uncompressed MusicXML file, a part a voice.

    Durations are exact on every grid; those that no note value says are tied, those off the binary
    grid are tuplets, and the last bar is filled with rests. Chord symbols stand over the first
    part, the tempo too. Each part has its instrument; dynamics stand where the velocity comes
    nearer to another mark, and every note has its exact one as an attribute. A score knows no
    key: the signature is that with the fewest notes outside of it, and spells the pitches.

    Args:
      work: one melody or score.
      beats: quarter notes in a bar.

    Raises:
      ValueError: the work is a batch, a field is out of range, or `beats` is, or a note is below
        MIDI 12, where MusicXML's octaves begin.
    """
    if not isinstance(beats, int) or not 1 <= beats <= 16:
        raise ValueError(f"encode_musicxml: beats must be a whole number in 1..16, got {beats!r}")
    score = as_score(work)
    voices = notes_of(score)
    if not fits(score):
        lowest = min(note.pitch for note in itertools.chain.from_iterable(voices))
        raise ValueError(
            f"MusicXML has notes from MIDI {_LOWEST_PITCH} up, this score has {lowest}"
        )
    bar = beats * score.steps_per_quarter
    page = Page(
        score.steps_per_quarter,
        beats,
        max(-(-int(score.length) // bar), 1),
        key_of(_weights(voices)),
        float(score.tempo),
    )
    root = Element("score-partwise", version="4.0")
    encoding = SubElement(SubElement(root, "identification"), "encoding")
    add(encoding, "software", "creative_rl")
    _part_list(root, score)
    for number, notes in enumerate(voices):
        part = SubElement(root, "part", id=f"P{number + 1}")
        _write_part(part, notes, chords_of(score) if number == 0 else None, page)
    ElementTree.indent(root)
    return _HEAD + ElementTree.tostring(root, "utf-8") + b"\n"


def fits(work: Melody | Score) -> bool:
    """Whether MusicXML has an octave for every note."""
    voices = notes_of(as_score(work))
    return all(note.pitch >= _LOWEST_PITCH for note in itertools.chain.from_iterable(voices))


def _weights(voices: list[list[VoiceNote]]) -> list[int]:
    """Steps that each pitch class sounds."""
    weights = np.zeros(12, np.int64)
    for note in itertools.chain.from_iterable(voices):
        weights[note.pitch % 12] += note.end - note.start
    return weights.tolist()


def _part_list(root: Element, score: Score) -> None:
    parts = SubElement(root, "part-list")
    names = voice_names(score)
    if len(names) > 1:
        group = add(parts, "part-group", number="1", type="start")
        add(group, "group-symbol", "bracket")
    for number, (name, program) in enumerate(zip(names, score.programs.tolist(), strict=True)):
        part = add(parts, "score-part", id=f"P{number + 1}")
        add(part, "part-name", name)
        instrument = add(part, "score-instrument", id=f"P{number + 1}-I1")
        add(instrument, "instrument-name", INSTRUMENTS[program])
        midi = add(part, "midi-instrument", id=f"P{number + 1}-I1")
        if midi_score.fits(score):
            add(midi, "midi-channel", midi_score.channel_of(number) + 1)
        add(midi, "midi-program", program + 1)
    if len(names) > 1:
        add(parts, "part-group", number="1", type="stop")


def _write_part(
    part: Element, notes: list[VoiceNote], chords: list[tuple[int, int]] | None, page: Page
) -> None:
    """All bars of a voice; `chords` are None in parts that show neither them nor the tempo."""
    loudness = ""
    for number, sounds in enumerate(_bars(notes, page)):
        measure = add(part, "measure", number=str(number + 1))
        if number == 0:
            _attributes(measure, notes, page)
            if chords is not None:
                _tempo(measure, page.tempo)
        first = number * page.bar
        here = {step - first: code for step, code in chords or () if 0 <= step - first < page.bar}
        loudness = _write_measure(measure, sounds, here, loudness, page)
        if number == page.num_bars - 1:
            add(add(measure, "barline", location="right"), "bar-style", "light-heavy")


def _bars(notes: list[VoiceNote], page: Page) -> list[list[_Sound]]:
    """What sounds in each bar, rests included, in steps from its start."""
    bars: list[list[_Sound]] = [[] for _ in range(page.num_bars)]

    def lay(start: int, end: int, note: VoiceNote | None) -> None:
        bar = page.bar
        edges = range((start // bar + 1) * bar, end, bar)
        for left, right in itertools.pairwise([start, *edges, end]):
            first = left // bar * bar
            stretch = Stretch(left - first, right - first, note is None)
            bars[left // bar].append(_Sound(stretch, note, left == start, right == end))

    now = 0
    for note in notes:
        if note.start > now:
            lay(now, note.start, None)
        lay(note.start, note.end, note)
        now = note.end
    if now < page.num_bars * page.bar:
        lay(now, page.num_bars * page.bar, None)
    return bars


def _attributes(measure: Element, notes: list[VoiceNote], page: Page) -> None:
    attributes = add(measure, "attributes")
    add(attributes, "divisions", page.steps_per_quarter)
    add(add(attributes, "key"), "fifths", page.fifths)
    time = add(attributes, "time")
    add(time, "beats", page.beats)
    add(time, "beat-type", 4)
    middle = float(np.median([note.pitch for note in notes])) if notes else 60.0
    clef = add(attributes, "clef")
    add(clef, "sign", "G" if middle >= 57 else "F")
    add(clef, "line", 2 if middle >= 57 else 4)
    if not 40 <= middle <= 84:
        add(clef, "clef-octave-change", 1 if middle > 84 else -1)


def _tempo(measure: Element, tempo: float) -> None:
    direction = add(measure, "direction", placement="above")
    metronome = add(add(direction, "direction-type"), "metronome")
    add(metronome, "beat-unit", "quarter")
    add(metronome, "per-minute", np.format_float_positional(tempo, precision=2, trim="-"))
    add(direction, "sound", tempo=np.format_float_positional(tempo, trim="-"))


def _write_measure(
    measure: Element, sounds: list[_Sound], chords: dict[int, int], loudness: str, page: Page
) -> str:
    """Everything that stands in one bar; returns the dynamics that hold at its end."""
    written = write_bar([sound.stretch for sound in sounds], page.steps_per_quarter, page.beats)
    marks = iter(beams(list(itertools.chain.from_iterable(written)), page.steps_per_quarter))
    accidentals: dict[tuple[str, int], int] = {}
    for sound, pieces in zip(sounds, written, strict=True):
        if sound.note is not None and sound.begins and _mark(sound.note) != loudness:
            loudness = _mark(sound.note)
            _dynamics(measure, loudness)
        if sound.stretch == (0, page.bar, True):  # a bar's rest stands alone, whatever the metre
            pieces = pieces[:1]
            pieces[0] = pieces[0]._replace(end=page.bar)
        for place, piece in enumerate(pieces):
            for step in range(piece.start, piece.end):
                if step in chords:
                    _chord(measure, chords[step], step - piece.start, page.fifths)
            ties = (
                not sound.begins or place > 0,
                not sound.ends or place < len(pieces) - 1,
            )
            add_note(measure, sound.note, piece, ties, accidentals, next(marks), page)
    return loudness


def _mark(note: VoiceNote) -> str:
    return min(_DYNAMICS, key=lambda mark: abs(_DYNAMICS[mark] - note.velocity))


def _dynamics(measure: Element, mark: str) -> None:
    direction = add(measure, "direction", placement="below")
    add(add(add(direction, "direction-type"), "dynamics"), mark)
    add(direction, "sound", dynamics=f"{100 * _DYNAMICS[mark] / FORTE:.2f}")


def _chord(measure: Element, code: int, offset: int, fifths: int) -> None:
    """A chord symbol, `offset` steps after what comes next."""
    quality, pitch_class = divmod(code - 1, 12)
    written = spell(pitch_class, fifths)
    element = add(measure, "harmony")
    root = add(element, "root")
    add(root, "root-step", written.step)
    if written.alter:
        add(root, "root-alter", written.alter)
    add(element, "kind", _KINDS[quality]).set("text", harmony.QUALITIES[quality])
    if offset:
        add(element, "offset", offset)

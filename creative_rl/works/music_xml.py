"""Melodies and scores as MusicXML 4.0, partwise: what notation programs open.

The format: https://www.w3.org/2021/06/musicxml40/.
"""

import itertools
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from creative_rl.ops import harmony
from creative_rl.works import midi_score
from creative_rl.works.general_midi import INSTRUMENTS
from creative_rl.works.melody import Melody
from creative_rl.works.note_values import Piece, Stretch, beams, write_bar
from creative_rl.works.score import Score
from creative_rl.works.spelling import Spelling, key_of, signature_alter, spell
from creative_rl.works.voices import VoiceNote, as_score, chords_of, notes_of, voice_names

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    b'"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_KINDS = ("major", "minor", "diminished", "dominant", "minor-seventh")
"""MusicXML's names of `harmony.QUALITIES`."""
_DYNAMICS = {"ppp": 16, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 127}
"""Marks, and the velocities that they stand for."""
_FORTE = 90  # the velocity that MusicXML counts percentages of
_LOWEST_PITCH = 12
_ACCIDENTALS = {-1: "flat", 0: "natural", 1: "sharp"}


class _Sound(NamedTuple):
    """A stretch of a bar, with the note that sounds in it, if one does."""

    stretch: Stretch
    note: VoiceNote | None
    begins: bool
    """whether the note starts here, and is not tied over from the bar before"""
    ends: bool


class _Page(NamedTuple):
    """What all parts share."""

    steps_per_quarter: int
    beats: int
    num_bars: int
    fifths: int
    tempo: float

    @property
    def bar(self) -> int:
        """Steps in a bar."""
        return self.beats * self.steps_per_quarter


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
    page = _Page(
        score.steps_per_quarter,
        beats,
        max(-(-int(score.length) // bar), 1),
        key_of(_weights(voices)),
        float(score.tempo),
    )
    root = Element("score-partwise", version="4.0")
    encoding = SubElement(SubElement(root, "identification"), "encoding")
    _add(encoding, "software", "creative_rl")
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


def _add(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    element = SubElement(parent, tag, {k.replace("_", "-"): v for k, v in attributes.items()})
    element.text = None if text is None else str(text)
    return element


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
        group = _add(parts, "part-group", number="1", type="start")
        _add(group, "group-symbol", "bracket")
    for number, (name, program) in enumerate(zip(names, score.programs.tolist(), strict=True)):
        part = _add(parts, "score-part", id=f"P{number + 1}")
        _add(part, "part-name", name)
        instrument = _add(part, "score-instrument", id=f"P{number + 1}-I1")
        _add(instrument, "instrument-name", INSTRUMENTS[program])
        midi = _add(part, "midi-instrument", id=f"P{number + 1}-I1")
        if midi_score.fits(score):
            _add(midi, "midi-channel", midi_score.channel_of(number) + 1)
        _add(midi, "midi-program", program + 1)
    if len(names) > 1:
        _add(parts, "part-group", number="1", type="stop")


def _write_part(
    part: Element, notes: list[VoiceNote], chords: list[tuple[int, int]] | None, page: _Page
) -> None:
    """All bars of a voice; `chords` are None in parts that show neither them nor the tempo."""
    loudness = ""
    for number, sounds in enumerate(_bars(notes, page)):
        measure = _add(part, "measure", number=str(number + 1))
        if number == 0:
            _attributes(measure, notes, page)
            if chords is not None:
                _tempo(measure, page.tempo)
        first = number * page.bar
        here = {step - first: code for step, code in chords or () if 0 <= step - first < page.bar}
        loudness = _write_measure(measure, sounds, here, loudness, page)
        if number == page.num_bars - 1:
            _add(_add(measure, "barline", location="right"), "bar-style", "light-heavy")


def _bars(notes: list[VoiceNote], page: _Page) -> list[list[_Sound]]:
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


def _attributes(measure: Element, notes: list[VoiceNote], page: _Page) -> None:
    attributes = _add(measure, "attributes")
    _add(attributes, "divisions", page.steps_per_quarter)
    _add(_add(attributes, "key"), "fifths", page.fifths)
    time = _add(attributes, "time")
    _add(time, "beats", page.beats)
    _add(time, "beat-type", 4)
    middle = float(np.median([note.pitch for note in notes])) if notes else 60.0
    clef = _add(attributes, "clef")
    _add(clef, "sign", "G" if middle >= 57 else "F")
    _add(clef, "line", 2 if middle >= 57 else 4)
    if not 40 <= middle <= 84:
        _add(clef, "clef-octave-change", 1 if middle > 84 else -1)


def _tempo(measure: Element, tempo: float) -> None:
    direction = _add(measure, "direction", placement="above")
    metronome = _add(_add(direction, "direction-type"), "metronome")
    _add(metronome, "beat-unit", "quarter")
    _add(metronome, "per-minute", np.format_float_positional(tempo, precision=2, trim="-"))
    _add(direction, "sound", tempo=np.format_float_positional(tempo, trim="-"))


def _write_measure(
    measure: Element, sounds: list[_Sound], chords: dict[int, int], loudness: str, page: _Page
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
            _note(measure, sound.note, piece, ties, accidentals, next(marks), page)
    return loudness


def _mark(note: VoiceNote) -> str:
    return min(_DYNAMICS, key=lambda mark: abs(_DYNAMICS[mark] - note.velocity))


def _dynamics(measure: Element, mark: str) -> None:
    direction = _add(measure, "direction", placement="below")
    _add(_add(_add(direction, "direction-type"), "dynamics"), mark)
    _add(direction, "sound", dynamics=f"{100 * _DYNAMICS[mark] / _FORTE:.2f}")


def _chord(measure: Element, code: int, offset: int, fifths: int) -> None:
    """A chord symbol, `offset` steps after what comes next."""
    quality, pitch_class = divmod(code - 1, 12)
    written = spell(pitch_class, fifths)
    element = _add(measure, "harmony")
    root = _add(element, "root")
    _add(root, "root-step", written.step)
    if written.alter:
        _add(root, "root-alter", written.alter)
    _add(element, "kind", _KINDS[quality]).set("text", harmony.QUALITIES[quality])
    if offset:
        _add(element, "offset", offset)


def _note(
    measure: Element,
    sounding: VoiceNote | None,
    piece: Piece,
    ties: tuple[bool, bool],
    accidentals: dict[tuple[str, int], int],
    marks: list[str],
    page: _Page,
) -> None:
    """One note or rest; its children stand in the order that the schema asks for."""
    note = _add(measure, "note")
    whole_bar = sounding is None and piece.end - piece.start == page.bar
    accidental, bound = (
        None,
        [kind for kind, tie in zip(("stop", "start"), ties, strict=True) if tie],
    )
    if sounding is None:
        bound = []
        _add(note, "rest", **({"measure": "yes"} if whole_bar else {}))
    else:
        note.set("dynamics", f"{100 * sounding.velocity / _FORTE:.2f}")
        written = spell(sounding.pitch, page.fifths)
        _pitch(note, written)
        accidental = _accidental(written, accidentals, ties[0], page.fifths)
    _add(note, "duration", piece.end - piece.start)
    for kind in bound:
        _add(note, "tie", type=kind)
    _add(note, "voice", 1)
    if not whole_bar:
        _add(note, "type", piece.value)
        for _ in range(piece.dots):
            _add(note, "dot")
    if accidental is not None:
        _add(note, "accidental", accidental)
    if piece.tuplet:
        ratio = _add(note, "time-modification")
        _add(ratio, "actual-notes", piece.tuplet[0])
        _add(ratio, "normal-notes", piece.tuplet[1])
    for number, mark in enumerate(marks, start=1):
        _add(note, "beam", mark, number=str(number))
    _notations(note, piece, bound, page.steps_per_quarter)


def _pitch(note: Element, written: Spelling) -> None:
    pitch = _add(note, "pitch")
    _add(pitch, "step", written.step)
    if written.alter:
        _add(pitch, "alter", written.alter)
    _add(pitch, "octave", written.octave)


def _accidental(
    written: Spelling, accidentals: dict[tuple[str, int], int], is_tied: bool, fifths: int
) -> str | None:
    """The sign that a pitch needs after those of its bar, which `accidentals` remembers."""
    place = (written.step, written.octave)
    before = accidentals.get(place, signature_alter(written.step, fifths))
    if is_tied or written.alter == before:
        return None
    accidentals[place] = written.alter
    return _ACCIDENTALS[written.alter]


def _notations(note: Element, piece: Piece, bound: list[str], steps_per_quarter: int) -> None:
    tuplet = []
    if piece.tuplet and piece.start % steps_per_quarter == 0:
        tuplet.append("start")
    if piece.tuplet and piece.end % steps_per_quarter == 0:
        tuplet.append("stop")
    if bound or tuplet:
        notations = _add(note, "notations")
        for kind in bound:
            _add(notations, "tied", type=kind)
        for kind in tuplet:
            _add(notations, "tuplet", type=kind)

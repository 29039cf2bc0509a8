"""A note or a rest as an element of MusicXML: its pitch, value, signs, ties, beams and tuplet."""

from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

from creative_rl.works.note_values import Piece
from creative_rl.works.spelling import Spelling, signature_alter, spell
from creative_rl.works.voices import VoiceNote

FORTE = 90
"""The velocity that MusicXML counts percentages of."""
_ACCIDENTALS = {-1: "flat", 0: "natural", 1: "sharp"}


class Page(NamedTuple):
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


def add(parent: Element, tag: str, text: object = None, **attributes: str) -> Element:
    """A new child, with the text of a value."""
    element = SubElement(parent, tag, attributes)
    element.text = None if text is None else str(text)
    return element


def add_note(
    measure: Element,
    sounding: VoiceNote | None,
    piece: Piece,
    ties: tuple[bool, bool],
    accidentals: dict[tuple[str, int], int],
    marks: list[str],
    page: Page,
) -> None:
    """Add one note or rest; its children stand in the order that the schema asks for.

    Args:
      measure: the bar's element.
      sounding: what the piece is a part of; None for a rest.
      piece: the note value, or a whole bar's rest.
      ties: whether it is tied to the piece before and to the one after; rests never are.
      accidentals: signs so far in the bar, by letter and octave, which this updates.
      marks: the piece's beams, from the outermost.
      page: what all parts share.
    """
    note = add(measure, "note")
    whole_bar = sounding is None and piece.end - piece.start == page.bar
    accidental, bound = None, []
    if sounding is None:
        add(note, "rest", **({"measure": "yes"} if whole_bar else {}))
    else:
        bound = [kind for kind, tie in zip(("stop", "start"), ties, strict=True) if tie]
        note.set("dynamics", f"{100 * sounding.velocity / FORTE:.2f}")
        written = spell(sounding.pitch, page.fifths)
        _pitch(note, written)
        accidental = _accidental(written, accidentals, ties[0], page.fifths)
    add(note, "duration", piece.end - piece.start)
    for kind in bound:
        add(note, "tie", type=kind)
    add(note, "voice", 1)
    if not whole_bar:
        add(note, "type", piece.value)
        for _ in range(piece.dots):
            add(note, "dot")
    if accidental is not None:
        add(note, "accidental", accidental)
    if piece.tuplet:
        ratio = add(note, "time-modification")
        add(ratio, "actual-notes", piece.tuplet[0])
        add(ratio, "normal-notes", piece.tuplet[1])
    for number, mark in enumerate(marks, start=1):
        add(note, "beam", mark, number=str(number))
    _notations(note, piece, bound, page.steps_per_quarter)


def _pitch(note: Element, written: Spelling) -> None:
    pitch = add(note, "pitch")
    add(pitch, "step", written.step)
    if written.alter:
        add(pitch, "alter", written.alter)
    add(pitch, "octave", written.octave)


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
        notations = add(note, "notations")
        for kind in bound:
            add(notations, "tied", type=kind)
        for kind in tuplet:
            add(notations, "tuplet", type=kind)

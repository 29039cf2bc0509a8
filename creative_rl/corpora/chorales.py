"""The soprano lines of Bach's four-part chorales, MusicXML files inside music21.

A soprano is pitches, durations, rests and ties, so the standard library reads the XML, which
takes a tenth of the time that music21 needs to build four parts of notation.
"""

import pathlib
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from fractions import Fraction

from creative_rl.corpora.keys import shift_from_signature
from creative_rl.corpora.score import Bar, ScoreNote, Unusable, join
from creative_rl.corpora.tunes import Tune, tune_from_line
from creative_rl.ops.harmony import NATURALS

FOLDER = "bach"


def read(path: pathlib.Path, name: str) -> Tune:
    """The soprano of a chorale in a `.mxl` or `.xml` file; of two sopranos the first.

    Raises:
      Unusable: no part is called soprano, the key signature changes, or the grid does not fit.
    """
    part = _soprano(read_root(path))
    fifths = {int(key.findtext("fifths", "0")) for key in part.iter("key")}
    if len(fifths) != 1:
        raise Unusable(f"it has {len(fifths)} key signatures, one is needed")
    return tune_from_line(name, join(bars_of(part)), shift_from_signature(fifths.pop()))


def read_root(path: pathlib.Path) -> ElementTree.Element:
    """The score in a `.mxl` or `.xml` file.

    Raises:
      Unusable: it is neither.
    """
    try:
        if path.suffix != ".mxl":
            return ElementTree.parse(path).getroot()
        with zipfile.ZipFile(path) as archive:
            container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
            first = next(e for e in container.iter() if e.tag.endswith("rootfile"))
            return ElementTree.fromstring(archive.read(first.attrib["full-path"]))
    except (ElementTree.ParseError, zipfile.BadZipFile, KeyError, StopIteration) as error:
        raise Unusable(f"it is not MusicXML: {error}") from error


def _soprano(root: ElementTree.Element) -> ElementTree.Element:
    for entry in root.iter("score-part"):
        if "soprano" in entry.findtext("part-name", "").lower():
            return next(part for part in root.iter("part") if part.get("id") == entry.get("id"))
    raise Unusable("no part is called soprano")


def bars_of(part: ElementTree.Element) -> Iterator[Bar]:
    """The bars of a part with one voice.

    Raises:
      Unusable: the part has more than one.
    """
    divisions, metre, ending = 1, Fraction(4), 0
    for measure in part.iter("measure"):
        notes: list[ScoreNote] = []
        now = Fraction(0)
        closes = False
        for element in measure:
            if element.tag == "attributes":
                divisions = int(element.findtext("divisions", str(divisions)))
                metre = _metre(element) or metre
            elif element.tag == "barline" and (sign := element.find("ending")) is not None:
                ending = int(sign.get("number", "1")[0])
                closes |= sign.get("type") in ("stop", "discontinue")
            elif element.tag in ("note", "forward", "backup"):
                now = _advance(element, now, divisions, notes)
        yield Bar(notes, now, metre, ending)
        if closes:
            ending = 0


def _metre(attributes: ElementTree.Element) -> Fraction | None:
    time = attributes.find("time")
    if time is None:
        return None
    return Fraction(4 * int(time.findtext("beats", "4")), int(time.findtext("beat-type", "4")))


def _advance(
    element: ElementTree.Element, now: Fraction, divisions: int, notes: list[ScoreNote]
) -> Fraction:
    """Time after an element; its note, if it is one, is added to `notes`."""
    if element.tag == "backup" or element.find("chord") is not None:
        raise Unusable("one of its parts is not one voice")
    if element.find("grace") is not None:
        return now
    end = now + Fraction(int(element.findtext("duration", "0")), divisions)
    pitch = element.find("pitch")
    if pitch is not None:
        is_tied = any(tie.get("type") == "start" for tie in element.findall("tie"))
        notes.append(ScoreNote(now, end, _midi(pitch), is_tied))
    return end


def _midi(pitch: ElementTree.Element) -> int:
    octave, alter = int(pitch.findtext("octave", "4")), pitch.findtext("alter", "0")
    return 12 * (octave + 1) + NATURALS[pitch.findtext("step", "C")] + round(float(alter))

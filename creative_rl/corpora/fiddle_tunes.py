"""The fiddle tunes of Ryan's Mammoth Collection (Boston, 1883), ABC files inside music21.

music21 reads the tokens (pitches under their key and accidentals, durations, tuplets); its
objects for notation, which cost twenty times as much, are not built.
"""

import functools
import pathlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from creative_rl.corpora.keys import shift_from_signature
from creative_rl.corpora.score import Bar, ScoreNote, Unusable, join
from creative_rl.corpora.tunes import Tune, tune_from_line

FOLDER = "ryansMammoth"
_FINEST = 960  # durations are floats in music21: denominators of all ABC tuplets divide this or 7


def read(path: pathlib.Path, name: str) -> Tune:
    """The tune in an ABC file with one tune.

    Grace notes are left out, the highest note of a chord stays.

    Raises:
      Unusable: the tune changes its key signature or does not fit the grid.
    """
    from music21 import abcFormat
    from music21.exceptions21 import Music21Exception

    try:
        handler = abcFormat.ABCFile().readstr(path.read_text(encoding="utf-8"))
    except (Music21Exception, ValueError, IndexError, KeyError, AttributeError) as error:
        raise Unusable(f"music21 cannot read it: {error}") from error
    fifths = {
        token.getKeySignatureParameters()[0]
        for token in handler.tokens
        if isinstance(token, abcFormat.ABCMetadata) and token.isKey()
    }
    if len(fifths) != 1:
        raise Unusable(f"it has {len(fifths)} key signatures, one is needed")
    return tune_from_line(name, join(_bars(handler.tokens)), shift_from_signature(fifths.pop()))


def _bars(tokens: list[Any]) -> Iterator[Bar]:
    from music21 import abcFormat

    notes: list[ScoreNote] = []
    now, metre, ending = Fraction(0), Fraction(4), 0
    for token in [*tokens, abcFormat.ABCBar("|]")]:
        if isinstance(token, abcFormat.ABCMetadata) and token.isMeter():
            beats, beat_type, _ = token.getTimeSignatureParameters() or (4, 4, None)
            metre = Fraction(4 * beats, beat_type)
        elif isinstance(token, abcFormat.ABCBar):
            if now:
                yield Bar(notes, now, metre, ending)
            notes, now = [], Fraction(0)
            if token.isRepeatBracket():
                ending = token.isRepeatBracket()
            elif token.barStyle not in ("regular", "dotted"):  # repeat signs and double bars
                ending = 0
        elif isinstance(token, abcFormat.ABCNote) and not token.inGrace:
            end = now + _duration(token)
            pitches = [_midi(note.pitchName) for note in _chord_notes(token)]
            if pitches:
                is_tied = token.tie in ("start", "continue")
                notes.append(ScoreNote(now, end, max(pitches), is_tied))
            now = end


def _chord_notes(token: Any) -> list[Any]:
    parts = getattr(token, "subTokens", [token])
    return [note for note in parts if getattr(note, "pitchName", None)]


def _duration(token: Any) -> Fraction:
    """Quarter notes, tuplets counted in."""
    written = Fraction(token.quarterLength).limit_denominator(_FINEST)
    if token.activeTuplet is None:
        return written
    return written * Fraction(
        token.activeTuplet.numberNotesNormal, token.activeTuplet.numberNotesActual
    )


@functools.cache
def _midi(name: str) -> int:
    from music21 import pitch

    return pitch.Pitch(name).midi

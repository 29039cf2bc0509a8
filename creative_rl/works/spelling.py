"""MIDI pitches as letters with accidentals, by the line of fifths.

The line is ... Bb, F, C, G, D ... with C at 0; a key signature is a stretch of seven on it.
"""

from collections.abc import Sequence
from typing import NamedTuple

_LETTERS = "FCGDAEB"


class Spelling(NamedTuple):
    """A written pitch: its letter, sharps (flats are negative), octave (4 begins at middle C)."""

    step: str
    alter: int
    octave: int


def key_of(weights: Sequence[float]) -> int:
    """The key signature with the least outside of it, in fifths: sharps, or flats if negative.

    Of equals the one with fewer signs is taken, sharps before flats.

    Args:
      weights: how much of each pitch class sounds, from C.

    Example:
      >>> key_of([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1])  # G major
      1
    """

    def outside(fifths: int) -> float:
        inside = {7 * place % 12 for place in range(fifths - 1, fifths + 6)}
        return sum(weight for kind, weight in enumerate(weights) if kind not in inside)

    return min(range(-6, 7), key=lambda fifths: (outside(fifths), abs(fifths), fifths < 0))


def spell(pitch: int, fifths: int) -> Spelling:
    """A MIDI pitch as it is written under a key signature.

    The scale's own names, and for the others the nearest on the line of fifths: three to the flat
    side of the tonic, eight to the sharp side; no double accidentals.

    Example:
      >>> spell(70, 0), spell(70, 4)
      (Spelling(step='B', alter=-1, octave=4), Spelling(step='A', alter=1, octave=4))
    """
    lowest = min(max(fifths - 3, -7), 0)
    place = lowest + (7 * pitch - lowest) % 12  # 7 is its own inverse among twelve
    alter, letter = divmod(place + 1, 7)
    return Spelling(_LETTERS[letter], alter, (pitch - alter) // 12 - 1)


def signature_alter(step: str, fifths: int) -> int:
    """What the key signature does to a letter: 1 for a sharp, -1 for a flat, else 0.

    Example:
      >>> signature_alter("F", 1), signature_alter("B", -2), signature_alter("C", 1)
      (1, -1, 0)
    """
    place = _LETTERS.index(step)
    if place < fifths:
        return 1
    return -1 if 6 - place < -fifths else 0

"""The key of a melody, from its signature or from its notes."""

from collections.abc import Iterable

import numpy as np

from creative_rl.ops.harmony import NATURALS
from creative_rl.works.spans import Span

# Probe-tone ratings from the tonic up: Krumhansl and Kessler (1982), "Tracing the dynamic changes
# in perceived tonal organization in a spatial representation of musical keys", Psychological
# Review 89(4); the numbers are printed in Krumhansl (1990), "Cognitive Foundations of Musical
# Pitch", page 30.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_C, _A = NATURALS["C"], NATURALS["A"]


def shift_from_signature(fifths: int) -> int:
    """Semitones up, 0 to 11, that take a signature's sharps (flats if negative) away.

    Major lands on C, minor on A, Dorian on D: the white notes, whatever the mode.

    >>> shift_from_signature(2)  # D major down a tone, or up ten semitones
    10
    """
    return -7 * fifths % 12


def shift_from_tonic(tonic: str, is_minor: bool) -> int:
    """Semitones up, 0 to 11, that take a key to C major or A minor.

    >>> shift_from_tonic("Bb", False), shift_from_tonic("F#", True)
    (2, 3)
    """
    natural = NATURALS[tonic[0]]
    pitch_class = natural + tonic.count("#") - tonic[1:].count("b")
    return ((_A if is_minor else _C) - pitch_class) % 12


def shift_from_notes(spans: Iterable[Span]) -> int:
    """Semitones up, 0 to 11, to C major or A minor, whichever the notes are nearest to.

    The key is the one of 24 whose probe-tone profile correlates best with the time that each
    pitch class sounds (Krumhansl and Schmuckler's algorithm, Krumhansl 1990, chapter 4). Of
    equal correlations the first counts: C major, then upwards, then the minor keys.
    """
    time = np.zeros(12)
    for start, end, pitch in spans:
        time[pitch % 12] += end - start
    if np.ptp(time) == 0:  # silence, or all twelve alike: no key, and nothing to correlate
        return 0
    profiles = np.array([np.roll(mode, tonic) for mode in (_MAJOR, _MINOR) for tonic in range(12)])
    correlation = [np.corrcoef(time, profile)[0, 1] for profile in profiles]
    is_minor, tonic = divmod(int(np.argmax(np.round(correlation, 9))), 12)
    return ((_A if is_minor else _C) - tonic) % 12

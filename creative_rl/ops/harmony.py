"""Chords as sets of pitch classes, unbatched.

A chord is a code: 0 for none, else `1 + 12 * quality + root`, with the qualities in the order of
`QUALITIES` and the root's pitch class, C = 0.
"""

QUALITIES = ("", "m", "dim", "7", "m7")
"""Suffixes of chord symbols: major, minor, diminished, dominant seventh, minor seventh."""
INTERVALS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 7, 10), (0, 3, 7, 10))
"""Semitones above the root, by quality."""
NUM_CHORDS = 1 + 12 * len(QUALITIES)

"""Valence and arousal of a melody on plain lists."""

import itertools

MAJOR, MINOR = (4, 9, 11), (3, 8, 10)
CONSONANT = (0, 3, 4, 5, 7, 8, 9)


def felt(events):
    """(valence, arousal) of event codes."""
    heights = [event - 2 for event in events if event >= 2]
    classes = [height % 12 for height in heights]
    major, minor = (sum(c in mode for c in classes) for mode in (MAJOR, MINOR))
    mode = (major - minor) / (major + minor) if major + minor else 0.0
    intervals = [abs(b - a) % 12 for a, b in itertools.pairwise(heights)]
    consonance = 0.0
    if intervals:
        consonance = 2 * sum(i in CONSONANT for i in intervals) / len(intervals) - 1
    density = 2 * len(heights) / max(len(events), 1) - 1
    register = 2 * sum(heights) / (35 * max(len(heights), 1)) - 1
    return 0.75 * mode + 0.25 * consonance, 0.75 * density + 0.25 * register

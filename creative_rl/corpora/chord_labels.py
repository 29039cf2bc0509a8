"""Chords by ear: what four voices sound at every frame, matched to the chords of `ops.harmony`.

The labels follow a rule that one can repeat by hand; they are no analysis of the harmony.
"""

import numpy as np

from creative_rl.ops.harmony import NUM_CHORDS, PITCH_CLASSES

SILENT = -1
"""In place of a MIDI pitch."""
_STRANGERS = 2
"""Voices outside the best chord from which on a frame passes, and the chord before it stays."""


def label(pitches: np.ndarray) -> np.ndarray:
    """The chord at every frame, uint8[F]: a code of `ops.harmony`, 0 where nothing has sounded.

    A chord scores 2 for every sounding voice inside it, -2 for every one outside, -1 for every
    pitch class that it has and nobody sounds, 1 if its root is in the lowest voice, and 1 if it is
    the chord of the frame before. The highest score counts, of equal ones the lowest code. Where
    two or more voices are outside the best chord, and where nothing sounds, the chord before stays.

    Args:
      pitches: int[F, V], MIDI pitches sounding at each frame, the lowest voice last; -1 for none.

    Example:
      >>> label(np.array([[72, 67, 64, 48], [74, 67, 65, 47], [72, 67, 64, 48]])).tolist()
      [1, 44, 1]
    """
    scores, strangers = _scores(np.asarray(pitches))
    sounds = (pitches != SILENT).any(axis=1).tolist()
    labels = np.zeros(len(scores), np.uint8)
    chord = 0
    for frame, score in enumerate(scores):
        if chord:
            score[chord - 1] += 1
        best = 1 + int(score.argmax())
        passes = strangers[frame, best - 1] >= _STRANGERS and chord > 0
        if sounds[frame] and not passes:
            chord = best
        labels[frame] = chord
    return labels


def as_changes(chords: np.ndarray) -> np.ndarray:
    """Chords written down where they change, uint8[..., T]: 0 goes on with the chord.

    >>> as_changes(np.array([1, 1, 44, 44, 1], np.uint8)).tolist()
    [1, 0, 44, 0, 1]
    """
    changes = chords.copy()
    changes[..., 1:][chords[..., 1:] == chords[..., :-1]] = 0
    return changes


def _scores(pitches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every chord at every frame, int[F, C], and how many voices are outside it, int[F, C]."""
    templates = PITCH_CLASSES[1:].astype(int)
    sounds = pitches != SILENT
    voices = np.eye(12, dtype=int)[pitches % 12] * sounds[..., None]  # [F, V, 12]
    counts, present = voices.sum(1), voices.any(1)
    inside = counts @ templates.T
    outside = sounds.sum(1)[:, None] - inside
    missing = templates.sum(1) - present.astype(int) @ templates.T
    roots = np.arange(NUM_CHORDS - 1) % 12
    on_root = sounds[:, -1:] & (pitches[:, -1:] % 12 == roots)
    return 2 * inside - 2 * outside - missing + on_root, outside

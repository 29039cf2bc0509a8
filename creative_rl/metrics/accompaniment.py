"""How well chords fit a melody, and how different the chords of a batch of scores are.

The two axes of GAPT (Wu et al., "Generative Adversarial Post-Training Mitigates Reward Hacking in
Live Human-AI Music Interaction", 2025, Table 1), on batches of scores whose first voice is the
melody.
"""

import numpy as np

from creative_rl.metrics.pictures import vendi_score_of_kernel
from creative_rl.ops.harmony import NUM_CHORDS, PITCH_CLASSES
from creative_rl.works.score import Score
from creative_rl.works.spans import carried
from creative_rl.works.voices import sounding_pitches

_CHROMA = np.column_stack([PITCH_CLASSES, ~PITCH_CLASSES.any(axis=1)])
"""bool[C, 13]: the pitch classes of every chord, and at last whether it is none."""


def note_in_chord_ratio(scores: Score) -> float:
    """Share of the frames with a melody note in which its pitch class is in the chord, 0..1.

    All frames of all works are counted together. The chord is the last symbol up to the frame;
    before the first one there is none, and a note is in no chord.

    Args:
      scores: events int32[N, V, T], the melody in voice 0; chords int32[N, T]; length int32[N].

    Raises:
      ValueError: no such batch, codes out of range, or no melody note in it.

    Example:
      A C, held, over C major and then over D minor:

      >>> events = np.array([[[62, 1]]])
      >>> note_in_chord_ratio(Score(events, 0 * events + 80, np.array([[1, 15]]), np.zeros((1, 1)),
      ...     np.array([2])))
      0.5
    """
    chords, played = _chords(scores, "note_in_chord_ratio")
    pitches = sounding_pitches(np.asarray(scores.events)[:, 0])
    is_active = (pitches >= 0) & played
    if not is_active.any():
        raise ValueError("note_in_chord_ratio: no work has a note in its first voice, the melody")
    return float(_CHROMA[chords, pitches % 12][is_active].mean())


def chord_vendi_score(scores: Score, order: float = 1.0) -> float:
    """Effective number of different chord sequences in a batch, 1..N: its Vendi score.

    Works are as similar as their chords are frame by frame: the mean cosine of the chords' pitch
    classes as vectors of zeros and ones, which is 1 for the same chord, 2/3 for C and Am, 0 without
    a common tone. Frames without a chord are like each other and unlike all chords. (GAPT's
    embedding is learned: its numbers are on another scale.)

    Args:
      scores: as for `note_in_chord_ratio`, all of one length.
      order: of the entropy, above 0.

    Raises:
      ValueError: no such batch, codes or order out of range, or lengths that differ or are 0.
    """
    chords, played = _chords(scores, "chord_vendi_score")
    lengths = played.sum(axis=1)
    if lengths.min() < 1 or lengths.min() != lengths.max():
        raise ValueError(
            "chord_vendi_score: works must have one length of at least 1 step, got "
            f"{lengths.min()}..{lengths.max()}"
        )
    num_steps = int(lengths[0])
    chroma = _CHROMA / np.sqrt(_CHROMA.sum(axis=1, keepdims=True))
    features = chroma[chords[:, :num_steps]].reshape(len(chords), -1)
    return vendi_score_of_kernel(features @ features.T / num_steps, order)


def _chords(scores: Score, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The chord at every step, int[N, T], and which steps there are, bool[N, T]."""
    events, symbols, lengths = map(np.asarray, (scores.events, scores.chords, scores.length))
    if events.ndim != 3 or 0 in events.shape or symbols.shape != events.shape[::2]:
        raise ValueError(
            f"{name}: scores must be a batch with events [N, V, T] and chords [N, T], none of them "
            f"empty, got {list(events.shape)} and {list(symbols.shape)}"
        )
    num, _, num_steps = events.shape
    if lengths.shape != (num,) or lengths.min() < 0 or lengths.max() > num_steps:
        raise ValueError(
            f"{name}: lengths must be [N], each in 0..{num_steps}, got shape "
            f"{list(lengths.shape)} with values {np.unique(lengths).tolist()[:5]}"
        )
    if symbols.min() < 0 or symbols.max() >= NUM_CHORDS:
        raise ValueError(
            f"{name}: chords must be codes in 0..{NUM_CHORDS - 1}, got "
            f"{symbols.min()}..{symbols.max()}"
        )
    return carried(symbols, symbols > 0), np.arange(num_steps) < lengths[:, None]

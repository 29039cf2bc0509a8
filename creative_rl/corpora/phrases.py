"""Pieces in several voices, cut into phrases of one length."""

import numpy as np

from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF
from creative_rl.works.voices import sounding_pitches


def phrases(parts: np.ndarray, num_phrases: int) -> np.ndarray:
    """uint8[N, M, V, F] of pieces uint8[N, V, M * F], each phrase able to stand by itself.

    A note that goes on from before the phrase begins again on its first frame, and silence that
    does so is a note-off, so phrases may be put in any order.

    Args:
      parts: events: 0 note-off, 1 hold, `2 + p` the MIDI pitch p.
      num_phrases: M, which divides the frames.

    Example:
      >>> phrases(np.array([[[62, 1, 1, 64]]], np.uint8), 2).tolist()
      [[[[62, 1]], [[62, 64]]]]
    """
    num, num_voices, num_frames = parts.shape

    def cut(frames: np.ndarray) -> np.ndarray:
        shape = (num, num_voices, num_phrases, num_frames // num_phrases)
        return frames.reshape(shape).swapaxes(1, 2)

    events, pitches = cut(parts).copy(), cut(sounding_pitches(parts))
    first, sounding = events[..., 0], pitches[..., 0]
    anew = np.where(sounding >= 0, LOWEST_CODE + sounding, NOTE_OFF)
    events[..., 0] = np.where(first == HOLD, anew, first)
    return events

"""How different the works of a batch are from each other."""

import numpy as np

from creative_rl.works.melody import Melody


def distinct_works(melodies: Melody) -> float:
    """Share of distinct works, in 1/N..1: 1.0 where no two are the same.

    Exact, on the host. Works are the same where their lengths and their events up to it are;
    what lies beyond the length means nothing. A policy that games a reward with one melody
    scores 1/N.

    Args:
      melodies: events int32[N, T] and length int32[N], with N >= 1.

    Raises:
      ValueError: the melodies are not a batch, or an empty one.

    Example:
      >>> events = np.array([[14, 16], [14, 16], [14, 18]], np.int32)
      >>> distinct_works(Melody(events=events, length=np.array([2, 2, 1], np.int32)))
      0.6666666666666666
    """
    events, lengths = np.asarray(melodies.events), np.asarray(melodies.length)
    if events.ndim != 2 or events.shape[0] < 1 or lengths.shape != events.shape[:1]:
        raise ValueError(
            "distinct_works: melodies must be a batch with events [N, T] and lengths [N], N at "
            f"least 1, got {list(events.shape)} and {list(lengths.shape)}"
        )
    played = np.where(np.arange(events.shape[1]) < lengths[:, None], events, 0)
    labelled = np.concatenate([lengths[:, None], played], axis=1)
    return len(np.unique(labelled, axis=0)) / len(events)

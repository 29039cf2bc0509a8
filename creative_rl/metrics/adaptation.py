"""How much of an original is left in a version of it, on melodies as works."""

import jax
import numpy as np
import numpy.typing as npt

from creative_rl.metrics.intervals import of_events
from creative_rl.ops.melody_style import resemblance
from creative_rl.works.melody import Melody

_NAME = "recognisability"


def recognisability(works: Melody, originals: npt.ArrayLike) -> np.ndarray:
    """float64[N] in 0..1: how like its original each work is, step by step; 1 for the original.

    The measure of `ops.melody_style.resemblance`, with the works' own steps in a beat: the mean of
    the share of steps with the same pitch class or silence; of steps that go up, down or on from a
    beat earlier alike; and of the notes that begin at the same steps. Transposed or shifted as a
    whole, a tune is not found.

    Args:
      works: a batch of whole melodies, events [N, T] and lengths [N], all of them T.
      originals: integer events [N, T], one for each work.

    Raises:
      ValueError: no such batch, works that are not whole, or events that are no codes.

    Example:
      A note of four played an octave higher, and the last one left out:

      >>> works = Melody(np.array([[14, 28, 18, 0]]), np.array([4]), steps_per_quarter=1)
      >>> recognisability(works, [[14, 16, 18, 14]]).round(3).tolist()
      [0.611]
    """
    events, wanted = np.asarray(works.events), np.asarray(originals)
    if events.ndim != 2 or 0 in events.shape or wanted.shape != events.shape:
        raise ValueError(
            f"{_NAME}: works must be a batch with events [N, T], N at least 1, and originals as "
            f"many events, got {list(events.shape)} and {list(wanted.shape)}"
        )
    num_works, num_steps = events.shape
    lengths = np.asarray(works.length)
    if lengths.shape != (num_works,) or (lengths != num_steps).any():
        raise ValueError(
            f"{_NAME}: works must be whole, all lengths [N] {num_steps}, got shape "
            f"{list(lengths.shape)} with values {np.unique(lengths).tolist()[:5]}"
        )
    beat = works.steps_per_quarter
    if beat >= num_steps:
        raise ValueError(
            f"{_NAME}: works must be longer than a beat, {beat} steps, got {num_steps}"
        )
    for melodies in (events, wanted):
        of_events(melodies, _NAME)  # refuses what are no codes
    return np.asarray(
        _resemblances(events.astype(np.int32), wanted.astype(np.int32), beat), np.float64
    )


_resemblances = jax.jit(jax.vmap(resemblance, (0, 0, None)), static_argnums=2)

"""How an arrangement follows a curve of energy, and whether it can be played, on scores as works.

The players are told by their programs, the numbers are those of `ops.orchestration`.
"""

import numpy as np
import numpy.typing as npt

from creative_rl.ops.events import LOWEST_CODE
from creative_rl.ops.orchestration import ENERGY_MIX, INSTRUMENTS, NUM_VOICES, VELOCITIES
from creative_rl.works.score import Score

_BY_PROGRAM = {row.program: row for row in INSTRUMENTS.values()}


def energies(scores: Score, num_slots: int) -> np.ndarray:
    """float64[N, H] in 0..1: `ops.orchestration.energy` of every slot, as a score tells it.

    The voices are those with a note that begins in the slot, four of them are all; the loudness is
    the mean of these notes' velocities, between the marks on straight lines.

    Args:
      scores: a batch of whole scores, events [N, V, T], lengths [N], all of them T.
      num_slots: H, which divides T.

    Raises:
      ValueError: no such batch, or a program of no instrument in `ops.orchestration`.

    Example:
      A trumpet alone, ff, and silence:

      >>> score = Score(np.array([[[62, 1, 0, 0]]]), np.full((1, 1, 4), 112), np.zeros((1, 4)),
      ...     np.array([[56]]), np.array([4]))
      >>> energies(score, 2).round(3).tolist()
      [[0.7, 0.0]]
    """
    events = _whole(scores, "energies")
    num, num_voices, num_steps = events.shape
    if num_slots < 1 or num_steps % num_slots:
        raise ValueError(
            f"energies: num_slots must divide the {num_steps} steps of the works, got {num_slots}"
        )
    slots = (num, num_voices, num_slots, num_steps // num_slots)
    begins = (events >= LOWEST_CODE).reshape(slots)
    marks = np.linspace(0, 1, len(VELOCITIES))
    loud = np.interp(np.asarray(scores.velocities), VELOCITIES, marks).reshape(slots)
    sounds = begins.any(axis=3)
    num_notes = np.maximum(begins.sum(axis=(1, 3)), 1)
    num_sounding = sounds.sum(axis=1)
    brilliance = _of_players(scores, "brilliance", "energies")[:, :, None]
    parts = (
        (loud * begins).sum(axis=(1, 3)) / num_notes,
        np.minimum(num_sounding / NUM_VOICES, 1.0),
        (brilliance * sounds).sum(axis=1) / np.maximum(num_sounding, 1),
    )
    mixed = sum(weight * part for weight, part in zip(ENERGY_MIX, parts, strict=True))
    return np.where(num_sounding > 0, mixed, 0.0)


def energy_correlation(scores: Score, curves: npt.ArrayLike) -> np.ndarray:
    """float64[N] in -1..1: Pearson's correlation of each work's energies with its curve.

    0 where either does not vary.

    Args:
      scores: as for `energies`.
      curves: [N, H], the energy that was wanted of each work.

    Raises:
      ValueError: as `energies` does, or the curves are no such batch.
    """
    wanted = np.asarray(curves, np.float64)
    num = len(_whole(scores, "energy_correlation"))
    if wanted.ndim != 2 or wanted.shape[0] != num or wanted.shape[1] < 2:
        raise ValueError(
            f"energy_correlation: curves must be [N, H] with N = {num} works and H at least 2, got "
            f"{list(wanted.shape)}"
        )
    found = energies(scores, wanted.shape[1])
    found, wanted = (rows - rows.mean(axis=1, keepdims=True) for rows in (found, wanted))
    spread = np.sqrt((found**2).sum(axis=1) * (wanted**2).sum(axis=1))
    together = (found * wanted).sum(axis=1)
    return np.where(spread > 1e-9, together / np.maximum(spread, 1e-9), 0.0)


def playable_share(scores: Score) -> np.ndarray:
    """float64[N] in 0..1: of each work's notes those that their players have; 0 without a note.

    Args:
      scores: as for `energies`.

    Raises:
      ValueError: as `energies` does.
    """
    pitches = _whole(scores, "playable_share") - LOWEST_CODE
    low, high = (
        _of_players(scores, field, "playable_share")[:, :, None] for field in ("lowest", "highest")
    )
    is_note = pitches >= 0
    is_inside = is_note & (pitches >= low) & (pitches <= high)
    return is_inside.sum(axis=(1, 2)) / np.maximum(is_note.sum(axis=(1, 2)), 1)


def _whole(scores: Score, name: str) -> np.ndarray:
    """int[N, V, T]: the events of a batch of whole scores."""
    events, lengths = np.asarray(scores.events), np.asarray(scores.length)
    if events.ndim != 3 or 0 in events.shape:
        raise ValueError(
            f"{name}: scores must be a batch with events [N, V, T], none of them 0, got "
            f"{list(events.shape)}; give one work a first axis of 1"
        )
    num, _, num_steps = events.shape
    if lengths.shape != (num,) or (lengths != num_steps).any():
        raise ValueError(
            f"{name}: works must be whole, all lengths [N] {num_steps}, got shape "
            f"{list(lengths.shape)} with values {np.unique(lengths).tolist()[:5]}"
        )
    return events.astype(int)


def _of_players(scores: Score, field: str, name: str) -> np.ndarray:
    """float64[N, V]: a number of the instrument of every voice."""
    programs = np.asarray(scores.programs)
    unknown = sorted(set(programs.ravel().tolist()) - set(_BY_PROGRAM))
    if unknown:
        raise ValueError(
            f"{name}: programs must be those of instruments in ops.orchestration, "
            f"{', '.join(map(str, sorted(_BY_PROGRAM)))}, got {unknown[0]}"
        )
    numbers = [getattr(_BY_PROGRAM[program], field) for program in programs.ravel().tolist()]
    return np.array(numbers, np.float64).reshape(programs.shape)

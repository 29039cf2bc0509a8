"""The eleven metrics of RL Tuner's Table 1, on batches of melodies.

Source: Jaques et al., "Tuning Recurrent Neural Networks with Reinforcement Learning"
(arXiv 1611.02796), Table 1, and the definitions of its released evaluation. A uniform random
policy beats several columns of the table (in motif, unique extrema, autocorrelation), so quote
the metrics together, and with a likelihood.
"""

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops import music_theory as theory
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array
from creative_rl.works.melody import Melody

RL_TUNER_DIRECTIONS: dict[str, str] = {
    "notes_excessively_repeated": "-",
    "autocorrelation_lag_1": "0",
    "autocorrelation_lag_2": "0",
    "autocorrelation_lag_3": "0",
    "notes_not_in_key": "-",
    "starts_with_tonic": "+",
    "leaps_resolved": "+",
    "unique_max_note": "+",
    "unique_min_note": "+",
    "notes_in_motif": "+",
    "notes_in_repeated_motif": "+",
}
"""Which way is better, in the order of the table: "+" up, "-" down, "0" towards zero."""


def _column(*values: float) -> dict[str, float]:
    return dict(zip(RL_TUNER_DIRECTIONS, values, strict=True))


RL_TUNER_PUBLISHED: dict[str, dict[str, float]] = {
    "Note RNN": _column(0.633, -0.16, 0.14, -0.13, 0.001, 0.009, 0.772, 0.647, 0.494, 0.059, 7e-5),
    "Q": _column(0.0, -0.11, 0.03, 0.03, 0.01, 0.288, 0.911, 0.564, 0.519, 0.757, 0.0011),
    "Psi": _column(0.0002, -0.10, -0.01, 0.01, 0.006, 0.287, 0.90, 0.594, 0.583, 0.738, 0.0009),
    "G": _column(0.0003, 0.55, 0.31, 0.17, 0.287, 0.0, 0.522, 0.371, 0.565, 0.693, 0.0001),
}
"""Table 1: model, metric, value, shares as fractions; 100,000 compositions each."""

MAX_EVENTS = 64
"""Longest melody: up to here the autocorrelation is exact in 32-bit integers."""


def rl_tuner_metrics(melodies: Melody) -> dict[str, float]:
    """Table 1 on a batch of compositions.

    Shares are fractions in 0..1: of all notes, of all works, or, for `leaps_resolved`, of the
    leaps that were resolved or doubled (0.0 where none was; `num_leaps` tells). Autocorrelations
    are means over the works whose codes vary (0.0 where none does).

    Args:
      melodies: events int32[N, T] and length int32[N], with N >= 1 and T <= 64. Events from
        `length` on are ignored.

    Returns:
      The keys of `RL_TUNER_DIRECTIONS` in that order, then `num_leaps`, resolved and doubled.

    Raises:
      ValueError: not a batch, an empty one, one of too long or of empty melodies, or events that
        are no codes.
    """
    events, lengths = _checked(melodies)
    found = {name: np.asarray(value) for name, value in _judge(events, lengths).items()}
    num_notes = int(np.asarray(lengths).sum())
    totals = {name: int(found[name].sum()) for name in _COUNTED}
    num_leaps = totals["resolved"] + totals["doubled"]
    correlations = found["autocorrelations"][found["varies"]].astype(np.float64)
    lag_1, lag_2, lag_3 = correlations.mean(axis=0).tolist() if len(correlations) else (0.0,) * 3
    return {
        "notes_excessively_repeated": totals["repeated"] / num_notes,
        "autocorrelation_lag_1": lag_1,
        "autocorrelation_lag_2": lag_2,
        "autocorrelation_lag_3": lag_3,
        "notes_not_in_key": totals["off_key"] / num_notes,
        "starts_with_tonic": float(found["starts_with_tonic"].mean()),
        "leaps_resolved": totals["resolved"] / max(num_leaps, 1),
        "unique_max_note": float(found["unique_max"].mean()),
        "unique_min_note": float(found["unique_min"].mean()),
        "notes_in_motif": totals["in_motif"] / num_notes,
        "notes_in_repeated_motif": totals["in_repeated_motif"] / num_notes,
        "num_leaps": float(num_leaps),
    }


_COUNTED = ("repeated", "off_key", "resolved", "doubled", "in_motif", "in_repeated_motif")


def _checked(melodies: Melody) -> tuple[Array, Array]:
    """Events int32[N, T] and lengths int32[N], or one line that says what is wrong."""
    events, lengths = np.asarray(melodies.events), np.asarray(melodies.length)
    shape = events.shape
    if len(shape) != 2 or shape[0] < 1 or not 1 <= shape[1] <= MAX_EVENTS:
        raise ValueError(
            f"rl_tuner_metrics: melodies must be a batch with events [N, T], N at least 1 and T "
            f"in 1..{MAX_EVENTS}, got {list(shape)}"
        )
    if lengths.shape != shape[:1] or lengths.min() < 1 or lengths.max() > shape[1]:
        raise ValueError(
            f"rl_tuner_metrics: lengths must be [N], each in 1..{shape[1]}, got shape "
            f"{list(lengths.shape)} with values {np.unique(lengths).tolist()[:5]}"
        )
    if events.min() < 0 or events.max() >= NUM_EVENTS:
        raise ValueError(
            f"rl_tuner_metrics: events must be codes in 0..{NUM_EVENTS - 1}, got "
            f"{events.min()}..{events.max()}"
        )
    return jnp.asarray(events, jnp.int32), jnp.asarray(lengths, jnp.int32)


@jax.jit
def _judge(events: Array, lengths: Array) -> dict[str, Array]:
    """What every work is and how often it does what is counted, from [N, T] and [N]."""
    return jax.vmap(_judge_work)(events, lengths)


def _judge_work(events: Array, length: Array) -> dict[str, Array]:
    """As `_judge`, for one work: play its events through the rules."""
    is_played = jnp.arange(events.shape[0]) < length

    def step(carry, inputs):
        event, is_played = inputs
        (stats, register), flags = _judge_event(*carry, event)
        stats = jax.tree.map(lambda new, old: jnp.where(is_played, new, old), stats, carry[0])
        return (stats, register), flags

    register = ShiftRegister.create(max(events.shape[0], theory.BAR), NUM_EVENTS)
    (stats, _), flags = jax.lax.scan(step, (theory.init_stats(), register), (events, is_played))
    highest, lowest = theory.unique_extrema(stats)
    return {
        **{name: (flag & is_played).sum(dtype=jnp.int32) for name, flag in flags.items()},
        "autocorrelations": jnp.stack([theory.autocorrelation(stats, lag) for lag in (1, 2, 3)]),
        "varies": stats.count * stats.squares != stats.total * stats.total,
        "starts_with_tonic": events[0] == theory.TONIC,
        "unique_max": highest,
        "unique_min": lowest,
    }


def _judge_event(
    stats: theory.TheoryStats, register: ShiftRegister, event: Array
) -> tuple[tuple[theory.TheoryStats, ShiftRegister], dict[str, Array]]:
    """The statistics and the register after `event`, and the flags `_COUNTED` of the event."""
    outcome = theory.leap_outcome(stats, event)
    repeated = theory.is_excessively_repeated(stats, event)
    stats, register = theory.update_stats(stats, register, event), register.push(event)
    return (stats, register), {
        "repeated": repeated,
        "off_key": ~theory.in_key(event),
        "resolved": outcome > 0,
        "doubled": outcome < 0,
        "in_motif": theory.is_motif(register, stats.count),
        "in_repeated_motif": theory.is_repeated_motif(register, stats.count),
    }

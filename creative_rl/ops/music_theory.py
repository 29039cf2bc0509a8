"""RL Tuner's rules of music theory as incremental statistics and exact equations, unbatched.

Events are codes of `ops.events`. Everything that the nine rules ask about the past is kept as
scalars in `TheoryStats`, so a step costs the same at any length.

Sources: Jaques et al., "Tuning Recurrent Neural Networks with Reinforcement Learning"
(arXiv 1611.02796), section 4 and appendix; Gauldin, "A Practical Approach to Eighteenth-Century
Counterpoint"; the figures of the authors' released implementation.
"""

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Int

from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF, NUM_EVENTS
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array

BAR = 8
"""Steps in what RL Tuner calls a bar."""
TONIC = 14
"""Middle C, MIDI 60."""
_C_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
C_MAJOR_CODES = (0, 1, *(LOWEST_CODE + k for k in range(36) if k % 12 in _C_MAJOR_SCALE))

_C_MAJOR_CLASSES = sum(1 << k for k in _C_MAJOR_SCALE)
_INTERVAL_REWARDS = {2: 0.08, 4: 0.09, 5: 0.07, 7: 0.02, 9: 0.05, 11: -0.30}  # by semitones


class TheoryStats(flax.struct.PyTreeNode):
    """What the rules need to know of the events so far; int32 scalars unless noted."""

    count: Array
    """events so far"""
    pitch: Array
    """code of the last sounding note, 0 where none yet"""
    repeats: Array
    """times that note sounded since a different one"""
    holds: Array
    """holds since the last note"""
    rests: Array
    """rests since the last note"""
    gap: Array
    """bool: a hold or rest fell between the last different note and the last note"""
    leap_direction: Array
    """+1 or -1 while a leap waits to be resolved, else 0"""
    leap_origin: Array
    """code of the note that the waiting leap started from"""
    leap_age: Array
    """events since the last leap"""
    total: Array
    """sum of codes"""
    squares: Array
    """sum of squared codes"""
    products: tuple[Array, ...]
    """sums of codes times the code 1, 2, 3 events before"""
    heads: tuple[Array, ...]
    """sums of codes without the last 1, 2, 3 events"""
    tails: tuple[Array, ...]
    """sums of codes without the first 1, 2, 3 events"""
    highest: Array
    """largest code"""
    highest_count: Array
    """events with the largest code"""
    lowest: Array
    """smallest pitch code, `NUM_EVENTS` where none yet"""
    lowest_count: Array
    """events with the smallest pitch code"""


def init_stats() -> TheoryStats:
    """Statistics of no events."""
    zero = jnp.int32(0)
    return TheoryStats(
        count=zero, pitch=zero, repeats=zero, holds=zero, rests=zero, gap=jnp.bool_(False),
        leap_direction=zero, leap_origin=zero, leap_age=zero,
        total=zero, squares=zero, products=(zero,) * 3, heads=(zero,) * 3, tails=(zero,) * 3,
        highest=jnp.int32(-1), highest_count=zero,
        lowest=jnp.int32(NUM_EVENTS), lowest_count=zero,
    )  # fmt: skip


def update_stats(stats: TheoryStats, events: ShiftRegister, event: Int[Array, ""]) -> TheoryStats:
    """Statistics after `event`, which follows `events` (empty places there are zero)."""
    is_pitch = event >= LOWEST_CODE
    is_new_pitch = is_pitch & (event != stats.pitch)
    waited = (stats.holds > 0) | (stats.rests > 0)
    direction, origin, age = _leap_after(stats, event)
    return TheoryStats(
        count=stats.count + 1,
        pitch=jnp.where(is_pitch, event, stats.pitch),
        repeats=jnp.where(is_pitch, jnp.where(is_new_pitch, 1, stats.repeats + 1), stats.repeats),
        holds=jnp.where(is_pitch, 0, stats.holds + (event == HOLD)),
        rests=jnp.where(is_pitch, 0, stats.rests + (event == NOTE_OFF)),
        gap=jnp.where(is_pitch, waited | (stats.gap & ~is_new_pitch), stats.gap),
        leap_direction=direction,
        leap_origin=origin,
        leap_age=age,
        total=stats.total + event,
        squares=stats.squares + event * event,
        products=tuple(
            product + event * events.lag(lag - 1)
            for lag, product in enumerate(stats.products, start=1)
        ),
        heads=tuple(
            stats.total - sum(events.lag(age) for age in range(lag - 1)) for lag in (1, 2, 3)
        ),
        tails=tuple(
            tail + jnp.where(stats.count >= lag, event, 0)
            for lag, tail in enumerate(stats.tails, start=1)
        ),
        highest=jnp.maximum(stats.highest, event),
        highest_count=_count_after(
            stats.highest_count, event, stats.highest, event > stats.highest
        ),
        lowest=jnp.where(is_pitch, jnp.minimum(stats.lowest, event), stats.lowest),
        lowest_count=_count_after(
            stats.lowest_count, event, stats.lowest, is_pitch & (event < stats.lowest)
        ),
    )


def in_key(event: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether an event is a hold, a rest or a note of C major."""
    pitch_class = (event - LOWEST_CODE) % 12
    return (event < LOWEST_CODE) | (((_C_MAJOR_CLASSES >> pitch_class) & 1) == 1)


def is_tonic_moment(step: Int[Array, ""], event: Int[Array, ""], length: int) -> Bool[Array, ""]:
    """Whether `event` at `step` keeps the tonic rule.

    The first event and the first of the last four are middle C; then comes a hold, then holds
    or rests. Elsewhere the rule asks nothing and the answer is False.
    """
    coda = length - 4
    is_start = ((step == 0) | (step == coda)) & (event == TONIC)
    is_hold = (step == coda + 1) & (event == HOLD)
    return is_start | is_hold | ((step > coda + 1) & (event <= HOLD))


def is_excessively_repeated(stats: TheoryStats, event: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether `event` repeats what came before it too often.

    Walking back over holds and rests to the first other note, the same event occurred more than
    four times, or more than six where a hold or rest was passed; or it is the third rest.
    """
    waited = (stats.holds > 0) | (stats.rests > 0)
    repeats = jnp.where(event == stats.pitch, stats.repeats, 0)
    passed = stats.gap | waited
    is_hold = event == HOLD
    repeats = jnp.where(is_hold, stats.holds, repeats)
    passed = jnp.where(is_hold, stats.rests > 0, passed)
    too_often = repeats > jnp.where(passed, 6, 4)
    return jnp.where(event == NOTE_OFF, stats.rests > 1, too_often)


def autocorrelation(stats: TheoryStats, lag: int) -> Float[Array, ""]:
    """Biased autocorrelation of the codes at `lag` in 1..3; zero where their variance is.

    The sums are integers, so the only rounding is in the last division. Sequences no longer
    than `lag` have none: zero.
    """
    numerator, denominator = _autocorrelation_ratio(stats, lag)
    return jnp.where(
        denominator == 0,
        0.0,
        numerator.astype(jnp.float32) / jnp.maximum(denominator, 1).astype(jnp.float32),
    )


def autocorrelation_penalty(stats: TheoryStats) -> Float[Array, ""]:
    """Sum of absolute autocorrelations at lags 1, 2, 3, of those above 0.15."""
    penalty = jnp.float32(0)
    for lag in (1, 2, 3):
        numerator, denominator = _autocorrelation_ratio(stats, lag)
        is_counted = 20 * jnp.abs(numerator) > 3 * denominator  # strictly above .15, exactly
        penalty += jnp.where(is_counted, jnp.abs(autocorrelation(stats, lag)), 0.0)
    return penalty


def num_motif_pitches(events: ShiftRegister, count: Int[Array, ""]) -> Int[Array, ""]:
    """Distinct pitches in the newest bar of eight events, as int32; zero before a full bar."""
    low = jnp.uint32(0)
    high = jnp.uint32(0)
    for age in range(BAR):
        code = events.lag(age).astype(jnp.uint32)
        bit = jnp.uint32(1) << (code & 31)
        low |= jnp.where(code < 32, bit, jnp.uint32(0))
        high |= jnp.where(code < 32, jnp.uint32(0), bit)
    low &= jnp.uint32(0xFFFFFFFC)  # holds and rests are no pitches
    pitches = jax.lax.population_count(low) + jax.lax.population_count(high)
    return jnp.where(count >= BAR, pitches.astype(jnp.int32), 0)


def is_motif(events: ShiftRegister, count: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether the newest bar is full and holds three or more distinct pitches."""
    return num_motif_pitches(events, count) >= 3


def motif_reward(events: ShiftRegister, count: Int[Array, ""]) -> Float[Array, ""]:
    """3 for a motif, and 0.3 for every pitch in it beyond the third."""
    pitches = num_motif_pitches(events, count)
    return jnp.where(pitches >= 3, 3.0 + 0.3 * (pitches - 3), 0.0).astype(jnp.float32)


def is_repeated_motif(events: ShiftRegister, count: Int[Array, ""]) -> Bool[Array, ""]:
    """Whether the newest bar is a motif that stands, whole, before the newest bar.

    Args:
      events: register that reaches back over the whole composition.
      count: events so far, the newest included.
    """
    newest = _window(events, 0)
    found = jnp.bool_(False)
    for age in range(BAR, events.length - BAR + 1):
        earlier = _window(events, age)
        same = (newest[0] == earlier[0]) & (newest[1] == earlier[1])
        found |= same & (count >= age + BAR)
    return found & is_motif(events, count)


def repeated_motif_reward(events: ShiftRegister, count: Int[Array, ""]) -> Float[Array, ""]:
    """4 for a repeated motif, and 1 for every pitch in it beyond the third."""
    pitches = num_motif_pitches(events, count)
    repeated = is_repeated_motif(events, count)
    return jnp.where(repeated, 4.0 + (pitches - 3), 0.0).astype(jnp.float32)


def interval_reward(stats: TheoryStats, event: Int[Array, ""]) -> Float[Array, ""]:
    """Preference for the melodic interval from the last sounding note, before its factor of 5.

    In-key thirds and fifths ignore the direction, so C to A flat is one. Before any note has
    sounded there is no interval: zero, also for a hold or rest.
    """
    last_class = (stats.pitch - LOWEST_CODE) % 12
    after_c, after_e, after_g = last_class == 0, last_class == 4, last_class == 7
    semitones = jnp.abs(event - stats.pitch)
    reward = jnp.float32(0)
    for interval, preference in _INTERVAL_REWARDS.items():
        reward = jnp.where(semitones == interval, preference, reward)
    reward = jnp.where(semitones > 12, -1.0, reward)
    reward = jnp.where((semitones == 7) & (after_c | after_g), 0.10, reward)
    reward = jnp.where((semitones == 4) & (after_c | after_e), 0.15, reward)
    rest = jnp.where(after_c | after_g, 0.15, 0.05)
    hold = jnp.where(after_c | after_g, 0.30, 0.075)
    reward = jnp.where(event == NOTE_OFF, rest, jnp.where(event == HOLD, hold, reward))
    return jnp.where(stats.pitch == 0, 0.0, reward).astype(jnp.float32)


def leap_outcome(stats: TheoryStats, event: Int[Array, ""]) -> Int[Array, ""]:
    """+1 where `event` resolves a leap, -1 where it doubles one, else 0.

    A leap of a fifth or more is resolved by an opposite leap after more than six events without
    one, or by moving back to its origin or past it without a leap, however soon.
    """
    direction, is_step, is_leap = _motion(stats, event)
    is_waiting = stats.leap_direction != 0
    is_opposite = is_leap & is_waiting & (direction != stats.leap_direction)
    is_doubled = is_leap & is_waiting & (direction == stats.leap_direction)
    is_resolved = (is_opposite & (stats.leap_age > 6)) | (is_step & _is_back(stats, event))
    return is_resolved.astype(jnp.int32) - is_doubled.astype(jnp.int32)


def unique_extrema(stats: TheoryStats) -> tuple[Bool[Array, ""], Bool[Array, ""]]:
    """Whether the highest event (of all codes) and the lowest pitch occurred exactly once."""
    return stats.highest_count == 1, stats.lowest_count == 1


def _count_after(count: Array, event: Array, extreme: Array, is_beyond: Array) -> Array:
    """How often the extreme occurred, after `event`."""
    return jnp.where(is_beyond, 1, count + (event == extreme))


def _autocorrelation_ratio(stats: TheoryStats, lag: int) -> tuple[Array, Array]:
    """Numerator and denominator as exact int32; the denominator is zero iff the variance is.

    With n codes of sum S and sum of squares Q, of which P sums the products at the lag, the
    biased estimate is (n^2 P - n S (head + tail) + (n - lag) S^2) / (n (n Q - S^2)).
    Up to 64 events below 38 every product stays under 2^31.
    """
    n, total = stats.count, stats.total
    ends = stats.heads[lag - 1] + stats.tails[lag - 1]
    numerator = (
        n * n * stats.products[lag - 1] - n * total * ends + jnp.maximum(n - lag, 0) * total * total
    )
    return numerator, n * (n * stats.squares - total * total)


def _window(events: ShiftRegister, age: int) -> tuple[Array, Array]:
    """The bar that ends `age` events before the newest, as two words that compare at once."""
    words = []
    for start in (age, age + BAR // 2):
        word = jnp.int32(0)
        for place in range(BAR // 2):
            word |= events.lag(start + place) << (8 * place)
        words.append(word)
    return words[0], words[1]


def _motion(stats: TheoryStats, event: Array) -> tuple[Array, Array, Array]:
    """Direction (+1 or -1) of `event` from the last note, and whether it is a step or a leap."""
    is_pitch = (event >= LOWEST_CODE) & (stats.count > 0)
    is_leap = is_pitch & (stats.pitch > 0) & (jnp.abs(event - stats.pitch) >= 7)
    return jnp.where(event > stats.pitch, 1, -1), is_pitch & ~is_leap, is_leap


def _is_back(stats: TheoryStats, event: Array) -> Array:
    """Whether `event` lies at or beyond the origin of the waiting leap."""
    fallen = (stats.leap_direction > 0) & (event <= stats.leap_origin)
    risen = (stats.leap_direction < 0) & (event >= stats.leap_origin)
    return fallen | risen


def _leap_after(stats: TheoryStats, event: Array) -> tuple[Array, Array, Array]:
    """Direction, origin and age of the waiting leap, after `event`."""
    direction, is_step, is_leap = _motion(stats, event)
    is_waiting = stats.leap_direction != 0
    is_opened = is_leap & ~is_waiting
    is_closed = (is_leap & is_waiting & (direction != stats.leap_direction)) | (
        is_step & _is_back(stats, event)
    )
    next_direction = jnp.where(is_opened, direction, stats.leap_direction)
    # The very first event has nothing to leap from and does not count as waiting.
    next_age = jnp.where(is_leap, 0, stats.leap_age + (stats.count > 0))
    return (
        jnp.where(is_closed, 0, next_direction),
        jnp.where(is_opened, stats.pitch, stats.leap_origin),
        next_age,
    )

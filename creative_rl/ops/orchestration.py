"""Instruments, and what is heard of a seating of four voices, unbatched.

Sources: how loud instruments are against each other is from Rimsky-Korsakov, "Principles of
Orchestration" (1922), chapter I, comparison of resonance in orchestral groups: in piano all are
equal; in forte a section of strings is two woodwinds, a horn is two woodwinds, a trumpet or a
trombone is two horns. Compasses are those that textbooks give (Piston, "Orchestration", 1955;
Adler, "The Study of Orchestration", 2002), in our reading and without their extremes. Brilliance,
endurance and the proxy for energy are rules that are declared here, no model of anybody.

Voices are numbered from the highest; a seat is 0 for silence, else 1 + the number of the player.
"""

from collections.abc import Sequence
from typing import NamedTuple

import flax.struct
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from creative_rl.ops.events import LOWEST_CODE
from creative_rl.typing import Array

NUM_VOICES = 4
MARKS = ("pp", "p", "mp", "mf", "f", "ff")
VELOCITIES = (33, 49, 64, 80, 96, 112)
"""Of the marks, which MusicXML's writer takes from here."""
_FORTENESS = (0.0, 0.0, 1 / 3, 2 / 3, 1.0, 1.0)
"""Of the marks: from Rimsky-Korsakov's piano to his forte."""
ENERGY_MIX = (0.4, 0.4, 0.2)
"""Weights of the three `aspects` of energy."""


class Instrument(NamedTuple):
    """One player, or a section of strings that plays one voice."""

    program: int
    """General MIDI, counted from 0"""
    lowest: int
    """sounding MIDI pitch, as `highest`"""
    highest: int
    power: float
    """loudness in forte, where a woodwind has 1"""
    brilliance: float
    """0 dark to 1 bright"""
    endurance: int
    """slots that it may play at a stretch, 0 for any number"""


INSTRUMENTS = {
    "Flute": Instrument(73, 60, 96, 1.0, 0.5, 3),
    "Oboe": Instrument(68, 59, 86, 1.0, 0.6, 3),
    "Clarinet": Instrument(71, 50, 89, 1.0, 0.4, 3),
    "Bassoon": Instrument(70, 35, 69, 1.0, 0.2, 3),
    "Horn": Instrument(60, 41, 74, 2.0, 0.4, 2),
    "Trumpet": Instrument(56, 55, 82, 4.0, 1.0, 2),
    "Trombone": Instrument(57, 40, 70, 4.0, 0.8, 2),
    "Violin 1": Instrument(40, 55, 95, 2.0, 0.6, 0),
    "Violin 2": Instrument(40, 55, 95, 2.0, 0.6, 0),
    "Viola": Instrument(41, 48, 84, 2.0, 0.3, 0),
    "Cello": Instrument(42, 36, 76, 2.0, 0.4, 0),
}
"""In the order of a score. Brass tires first, strings never."""
ENSEMBLES = {
    "orchestra": tuple(INSTRUMENTS),
    "winds": ("Flute", "Oboe", "Clarinet", "Horn", "Bassoon"),
    "strings": ("Violin 1", "Violin 2", "Viola", "Cello"),
}


class Orchestra(flax.struct.PyTreeNode):
    """The numbers of `K` players, as in `Instrument`."""

    lowest: Array  # int32[K]
    highest: Array  # int32[K]
    power: Array  # float32[K]
    brilliance: Array  # float32[K]
    endurance: Array  # int32[K]


def orchestra_of(names: Sequence[str]) -> Orchestra:
    """The players of these names in `INSTRUMENTS`; ValueError for others.

    >>> orchestra_of(("Oboe", "Horn")).power.tolist()
    [1.0, 2.0]
    """
    for name in names:
        if name not in INSTRUMENTS:
            raise ValueError(
                f"orchestra_of: unknown instrument {name!r}; one of {', '.join(INSTRUMENTS)}"
            )
    rows = [INSTRUMENTS[name] for name in names]

    def column(field: str, dtype: type) -> Array:
        return jnp.asarray(np.array([getattr(row, field) for row in rows], dtype))

    return Orchestra(
        lowest=column("lowest", np.int32),
        highest=column("highest", np.int32),
        power=column("power", np.float32),
        brilliance=column("brilliance", np.float32),
        endurance=column("endurance", np.int32),
    )


def seated(players: Int[Array, " voices"]) -> Int[Array, " voices"]:
    """The seats that are had of those that are asked for: a player plays the highest of its voices.

    >>> seated(jnp.array([2, 1, 2, 0], jnp.int32)).tolist()
    [2, 1, 0, 0]
    """
    earlier = np.tri(players.shape[0], k=-1, dtype=bool)
    taken = ((players[:, None] == players[None]) & earlier).any(axis=1)
    return jnp.where(taken, 0, players)


def plays(seats: Int[Array, " voices"], num_players: int) -> Bool[Array, " players"]:
    """Which players have a seat.

    >>> plays(jnp.array([2, 0, 0, 3], jnp.int32), 3).tolist()
    [False, True, True]
    """
    numbers = jnp.arange(1, num_players + 1, dtype=jnp.int32)
    return (seats[:, None] == numbers[None]).any(axis=0)


def loudness(seats: Int[Array, " voices"], mark: Int[Array, ""], power: Array) -> Array:
    """float32[voices]: `power ** f`, where f rises from 0 in piano to 1 in forte; 0 for silence.

    >>> loudness(jnp.array([1, 2, 0], jnp.int32), jnp.int32(4), jnp.array([1.0, 4.0])).tolist()
    [1.0, 4.0, 0.0]
    """
    forteness = jnp.asarray(_FORTENESS, jnp.float32)[mark]
    found = power[jnp.maximum(seats - 1, 0)] ** forteness
    return jnp.where(seats > 0, found, 0.0)


def balance(seats: Int[Array, " voices"], mark: Int[Array, ""], power: Array) -> Float[Array, ""]:
    """0..1: loudness of the highest voice over that of the loudest other, at most 1.

    0 where the highest voice is silent, 1 where it is alone.

    >>> balance(jnp.array([1, 2], jnp.int32), jnp.int32(4), jnp.array([1.0, 4.0])).item()
    0.25
    """
    found = loudness(seats, mark, power)
    return found[0] / jnp.maximum(found.max(), 1e-6)


def aspects(
    seats: Int[Array, " voices"], mark: Int[Array, ""], brilliance: Array
) -> Float[Array, " aspects"]:
    """float32[3] in 0..1: what energy is told by; all 0 in silence, whatever its mark.

    The mark (pp 0, ff 1), the share of the voices that sound, the mean brilliance of their players.

    >>> aspects(jnp.array([1, 0, 0, 2], jnp.int32), jnp.int32(5), jnp.array([1.0, 0.5])).tolist()
    [1.0, 0.5, 0.75]
    """
    sounds = seats > 0
    num = sounds.sum(dtype=jnp.int32)
    bright = jnp.where(sounds, brilliance[jnp.maximum(seats - 1, 0)], 0.0).sum()
    found = jnp.stack(
        [
            mark.astype(jnp.float32) / (len(MARKS) - 1),
            num.astype(jnp.float32) / seats.shape[0],
            bright / jnp.maximum(num, 1),
        ]
    )
    return jnp.where(num > 0, found, 0.0)


def energy(
    seats: Int[Array, " voices"], mark: Int[Array, ""], brilliance: Array
) -> Float[Array, ""]:
    """0..1: how much is going on, the mean of `aspects` with the weights of `ENERGY_MIX`.

    >>> energy(jnp.array([1, 0, 0, 2], jnp.int32), jnp.int32(5), jnp.array([1.0, 0.5])).item()
    0.75
    """
    return (jnp.array(ENERGY_MIX, jnp.float32) * aspects(seats, mark, brilliance)).sum()


def energy_distance(
    seats: Int[Array, " voices"], mark: Int[Array, ""], brilliance: Array, wanted: Float[Array, ""]
) -> Float[Array, ""]:
    """0..1: the mean distance of the `aspects` from one energy, with the same weights.

    It is at least that of `energy`: few loud voices do not make up for many, as loudness and the
    number of players grow together.

    >>> loud = jnp.array([1, 0], jnp.int32), jnp.int32(5), jnp.array([0.5])
    >>> energy_distance(*loud, jnp.float32(0.5)).item()  # 0.4 * 0.5 for the mark alone
    0.2...
    """
    away = jnp.abs(aspects(seats, mark, brilliance) - wanted)
    return (jnp.array(ENERGY_MIX, jnp.float32) * away).sum()


def share_outside(
    events: Int[Array, "voices frames"], seats: Int[Array, " voices"], orchestra: Orchestra
) -> Float[Array, " voices"]:
    """0..1: the share of each voice's notes that its player does not have; 0 for silence.

    Args:
      events: 0 note-off, 1 hold, `2 + p` the MIDI pitch p, which begins there.
      seats: who plays the voices.
      orchestra: of the players.

    Example:
      >>> oboe = orchestra_of(("Oboe",))  # from B3, MIDI 59
      >>> share_outside(jnp.array([[62, 1, 60, 61]]), jnp.array([1], jnp.int32), oboe).tolist()
      [0.33333...]
    """
    player = jnp.maximum(seats - 1, 0)
    pitches = events - LOWEST_CODE
    is_note = pitches >= 0
    low, high = orchestra.lowest[player][:, None], orchestra.highest[player][:, None]
    outside = is_note & ((pitches < low) | (pitches > high))
    num = jnp.maximum(is_note.sum(axis=1, dtype=jnp.int32), 1)
    share = outside.sum(axis=1, dtype=jnp.int32).astype(jnp.float32) / num
    return jnp.where(seats > 0, share, 0.0)

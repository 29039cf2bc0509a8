"""Named reward terms for arrangements.

The terms read a transition whose states carry `step` (slots that are over), `wanted` (float32[H],
the energy of every slot), `phrase` and `mark` (of the last slot), `players` (int32[4], asked for)
and `seats` (those that they had; 0 for silence, else 1 + a player), `outside` (float32[4], shares
of notes that the players do not have), `heard` (int32[M], slots of every phrase), `last`
(int32[M, 4], seats when a phrase last sounded), `in_a_row` (slots that the phrase has sounded
without a break) and `played` (int32[K], slots that a player has), and whose params carry
`orchestra` (of `ops.orchestration`).
"""

import jax.numpy as jnp

from creative_rl.ops import orchestration
from creative_rl.typing import Array, Term, Transition

MOST_IN_A_ROW = 2
"""Slots that a phrase may sound without a break."""
_CONTRASTS = (0.0, 1.0, 1.0, 1.0, 0.5, 0.0)
"""By how many of the four seats and the mark are others than in the slot before."""
_RIMSKY = "Rimsky-Korsakov, Principles of Orchestration (1922)"


def _energy(seen: Transition) -> Array:
    """1 where mark, number of voices and brilliance are what is wanted, -1 for the opposite."""
    after, wanted = seen.next_state, seen.state.wanted[seen.state.step]
    brilliance = seen.params.orchestra.brilliance
    away = orchestration.energy_distance(after.seats, after.mark, brilliance, wanted)
    return 1.0 - 2.0 * away


def _balance(seen: Transition) -> Array:
    """1 where no voice is louder than the highest, else its loudness over the loudest, 0..1."""
    after = seen.next_state
    return orchestration.balance(after.seats, after.mark, seen.params.orchestra.power)


def _outline(seen: Transition) -> Array:
    """-1 where a voice between the highest and the lowest sounds, and the lowest does not."""
    sounds = seen.next_state.seats > 0
    return -(sounds[1:-1].any() & ~sounds[-1]).astype(jnp.float32)


def _contrast(seen: Transition) -> Array:
    """1 where one to three of the seats and the mark changed, 0.5 for four, 0 for none and all.

    0 in the first slot, which has none before it.
    """
    before, after = seen.state, seen.next_state
    num = (before.seats != after.seats).sum(dtype=jnp.int32) + (before.mark != after.mark)
    worth = jnp.asarray(_CONTRASTS, jnp.float32)[num]
    return jnp.where(before.step > 0, worth, 0.0)


def _variation(seen: Transition) -> Array:
    """-1 where a phrase returns with the seats that it last had."""
    before, after = seen.state, seen.next_state
    is_return = before.heard[after.phrase] > 0
    is_same = (before.last[after.phrase] == after.seats).all()
    return -(is_return & is_same).astype(jnp.float32)


def _playability(seen: Transition) -> Array:
    """-1..0: minus the mean fault of the four voices.

    It is 1 for a player that has another voice already, or that has played for longer than its
    endurance; else the share of notes out of its compass.
    """
    after, orchestra = seen.next_state, seen.params.orchestra
    is_wanting = (after.players > 0) & _is_taken(after.players)
    player = jnp.maximum(after.seats - 1, 0)
    endurance = orchestra.endurance[player]
    is_tired = (after.seats > 0) & (endurance > 0) & (after.played[player] > endurance)
    return -jnp.where(is_wanting | is_tired, 1.0, after.outside).mean()


def _is_taken(players: Array) -> Array:
    return orchestration.seated(players) != players


def _form(seen: Transition) -> Array:
    """1 for the next phrase of the piece, once all before it were heard, -1 for a later one.

    -1 for a phrase that sounds more than twice in a row. At the end 2 more for the last phrase,
    once all were heard.
    """
    before, after = seen.state, seen.next_state
    num_phrases = before.heard.shape[0]
    numbers = jnp.arange(num_phrases, dtype=jnp.int32)
    is_new = before.heard[after.phrase] == 0
    in_order = ((before.heard > 0) | (numbers >= after.phrase)).all()
    stated = jnp.where(is_new, jnp.where(in_order, 1.0, -1.0), 0.0)
    tiring = (after.in_a_row > MOST_IN_A_ROW).astype(jnp.float32)
    is_last = after.step == before.wanted.shape[0]
    closes = is_last & (after.phrase == num_phrases - 1) & (after.heard > 0).all()
    return stated - tiring + 2.0 * closes.astype(jnp.float32)


ENERGY = Term("energy", _energy, 2.0, "a declared rule, no model: ops.orchestration.aspects")
BALANCE = Term(
    "balance", _balance, 0.5, source=_RIMSKY + ", chapter I: comparison of resonance; as a rule"
)
OUTLINE = Term("outline", _outline, source="a rule of ours: harmony stands on its bass")
CONTRAST = Term(
    "contrast", _contrast, 0.5, source=_RIMSKY + ", chapter IV: tone qualities; a rule made from it"
)
VARIATION = Term(
    "variation", _variation, source=_RIMSKY + ", chapter IV: repetition; a rule made from it"
)
PLAYABILITY = Term(
    "playability",
    _playability,
    2.0,
    source="Piston, Orchestration (1955); Adler, The Study of Orchestration (2002): compasses, "
    "and that winds must rest; a rule made from them",
)
FORM = Term("form", _form, source="a rule of ours: the piece is told in its order")

ARRANGEMENT = (ENERGY, BALANCE, OUTLINE, CONTRAST, VARIATION, PLAYABILITY, FORM)

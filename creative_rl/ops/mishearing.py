"""How an agent mishears a user, after the error model of Li et al. (arXiv 1612.05688, section 3.5):
slots lose their value, their name or all of it, and intents are taken for others.

The draws of a turn are hashes of one random word of the dialogue and the turn's number, so that a
dialogue can be played again from its start.
"""

import jax.numpy as jnp
from jaxtyping import Float, Int, UInt32

from creative_rl.ops.dialogue import CLOSE, Act
from creative_rl.ops.draws import uniform
from creative_rl.stores.knowledge_base import UNKNOWN
from creative_rl.typing import Array

_TURN, _SLOT, _AGAIN = 0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35
_NUM_CONFUSED = CLOSE  # intents below it
_VALUE, _NAME = 0, 1


def mixed(word: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    """A hash of 32 bits (Wellons, "Prospecting for Hash Functions", 2018: lowbias32)."""
    word = (word ^ (word >> 16)) * jnp.uint32(0x7FEB352D)
    word = (word ^ (word >> 15)) * jnp.uint32(0x846CA68B)
    return word ^ (word >> 16)


def misheard(
    said: Act,
    noise: UInt32[Array, ""],
    turn: Int[Array, ""],
    num_values: Int[Array, " slots"],
    slot_error: Float[Array, ""],
    intent_error: Float[Array, ""],
) -> Act:
    """The act as it is heard.

    Each slot that is spoken of goes wrong with the probability `slot_error`; then, a third each, it
    has a random value, is another slot with a random value, or is not heard. With `intent_error`
    the intent is a random one. Requests are heard as they are.

    Args:
      said: what the user says.
      noise: of the dialogue.
      turn: its number, which the draws depend on.
      num_values: how many values each slot has.
      slot_error: 0 .. 1.
      intent_error: 0 .. 1.
    """
    num_slots = num_values.shape[0]
    slots = jnp.arange(num_slots, dtype=jnp.int32)
    here = mixed(noise + turn.astype(jnp.uint32) * jnp.uint32(_TURN))
    drawn = mixed(here + (slots + 1).astype(jnp.uint32) * jnp.uint32(_SLOT))
    again = mixed(drawn + jnp.uint32(_AGAIN))
    is_wrong = said.informed & (uniform(drawn) < slot_error)
    kind = again % 3
    value = ((again // 3) % num_values.astype(jnp.uint32)).astype(jnp.int32)
    places = 1 + (mixed(here ^ jnp.uint32(_SLOT)) % (num_slots - 1)).astype(jnp.int32)
    renamed = (is_wrong & (kind == _NAME))[(slots - places) % num_slots]
    is_kept = said.informed & ~is_wrong
    informed = is_kept | (is_wrong & (kind == _VALUE)) | renamed
    heard = jnp.where(is_kept, said.values, value)
    choice = mixed(here)
    other = (mixed(choice + jnp.uint32(_AGAIN)) % _NUM_CONFUSED).astype(jnp.int32)
    can_be = said.intent < _NUM_CONFUSED
    return said.replace(
        intent=jnp.where(can_be & (uniform(choice) < intent_error), other, said.intent),
        informed=informed,
        values=jnp.where(informed, heard, UNKNOWN),
    )

"""The agent's side of a dialogue about booking: what it has heard, what it can say, and a rule.

After the state tracker and the knowledge-base helper of Li et al. (arXiv 1703.01008); slots and
values as in `ops.dialogue`. Actions by number, of S slots of which the first K are in the knowledge
base: request of each slot, inform of each of the K, then confirm, book and close.
"""

from collections.abc import Mapping
from typing import NamedTuple

import flax.struct
import jax.numpy as jnp
from jaxtyping import Bool, Int

from creative_rl.ops import dialogue
from creative_rl.ops.dialogue import Act
from creative_rl.stores.knowledge_base import UNKNOWN, KnowledgeBase, first
from creative_rl.typing import Array


class Belief(flax.struct.PyTreeNode):
    """What an agent knows."""

    known: Array
    """int32[S]: by slot the value that was heard or proposed; -1 none, -2 any will do"""
    told: Array
    """bool[S]: it is the user's"""
    is_booked: Array
    """bool: the last booking found a ticket, and the user did not deny it"""


class Fitting(NamedTuple):
    """Sets of rows of a knowledge base, uint32[..., W]."""

    rows: Array
    """by slot those of its value, [S, W]"""
    told: Array
    """those of all that the user said"""
    known: Array
    """those of all that is known"""


def num_actions(num_slots: int, num_known: int) -> int:
    """How many actions there are for S slots, K of them in the knowledge base."""
    return num_slots + num_known + 3


def new_belief(num_slots: int) -> Belief:
    """Nothing is known."""
    unknown = jnp.full(num_slots, UNKNOWN, jnp.int32)
    return Belief(unknown, jnp.zeros(num_slots, jnp.bool_), jnp.bool_(False))


def heard(belief: Belief, said: Act) -> Belief:
    """After a user's act; where it denies, a ticket that was found is given back."""
    return belief.replace(
        known=jnp.where(said.informed, said.values, belief.known),
        told=belief.told | said.informed,
        is_booked=belief.is_booked & (said.intent != dialogue.DENY),
    )


def fitting(belief: Belief, base: KnowledgeBase) -> Fitting:
    """The rows that fit what is known."""
    rows = base.rows(belief.known)
    everything = jnp.ones_like(belief.told)
    return Fitting(rows, base.fitting(rows, belief.told), base.fitting(rows, everything))


def allowed(
    belief: Belief, base: KnowledgeBase, fits: Fitting, num_known: int
) -> Bool[Array, " actions"]:
    """bool[A]: to inform there must be a value in a row that fits what the user said, to book a row
    that fits all, to confirm something that was heard, and to close a ticket."""
    has_value = ((fits.told[None] & base.present[:num_known]) != 0).any(axis=1)
    others = jnp.stack([belief.told.any(), (fits.known != 0).any(), belief.is_booked])
    return jnp.concatenate([jnp.ones_like(belief.told), has_value, others])


def speak(
    belief: Belief, action: Int[Array, ""], base: KnowledgeBase, num_known: int
) -> tuple[Belief, Act]:
    """The act that an action is, and what is known then.

    A slot is informed by the first row that fits all else that is known and has a value of it. If
    none does, it is by the first that fits what the user said, and everything that the agent has
    proposed is told anew from that row. If there is none either, it is `dialogue.NO_MATCH`. A
    confirmation and a booking name all that is known; a booking finds a ticket where a row fits.
    """
    num_slots = belief.known.shape[0]
    slots = jnp.arange(num_slots, dtype=jnp.int32)
    action = jnp.clip(action, 0, num_actions(num_slots, num_known) - 1).astype(jnp.int32)
    slot = jnp.where(action < num_slots, action, action - num_slots)
    is_slot = slots == slot
    is_request, is_inform = (
        action < num_slots,
        (action >= num_slots) & (action < num_slots + num_known),
    )
    intent = jnp.select(
        [
            is_request,
            is_inform,
            action == num_slots + num_known,
            action == num_slots + num_known + 1,
        ],
        [dialogue.REQUEST, dialogue.INFORM, dialogue.CONFIRM, dialogue.BOOK],
        dialogue.CLOSE,
    )
    fits = fitting(belief, base)
    is_confirm, is_booking = intent == dialogue.CONFIRM, intent == dialogue.BOOK
    answered, answers = _answers(belief, base, fits, is_slot)
    informed = (is_inform & answered) | ((is_confirm | is_booking) & (belief.known != UNKNOWN))
    can_book = (fits.known != 0).any()
    ticket = jnp.where(can_book, dialogue.AVAILABLE, dialogue.UNAVAILABLE)
    said = dialogue.act(
        intent,
        informed,
        jnp.where(is_inform, answers, belief.known),
        jnp.append(is_request & is_slot, False),
        jnp.where(is_booking, ticket, dialogue.NOT_MENTIONED).astype(jnp.int32),
    )
    belief = belief.replace(
        known=jnp.where(is_inform & answered & (answers >= 0), answers, belief.known),
        is_booked=jnp.where(is_booking, can_book, belief.is_booked),
    )
    return belief, said


def _answers(
    belief: Belief, base: KnowledgeBase, fits: Fitting, is_slot: Array
) -> tuple[Array, Array]:
    """The slots that an answer is of, bool[S], and their values, int32[S]."""
    has_value = base.fitting(base.present, is_slot)
    best = base.fitting(fits.rows, belief.told | ~is_slot) & has_value
    is_fitting = (best != 0).any()
    found = jnp.where(is_fitting, best, fits.told & has_value)
    row = base.codes[first(found)]
    is_proposed = (belief.known != UNKNOWN) & ~belief.told & (row >= 0)
    is_found = (found != 0).any()
    return is_slot | (is_proposed & ~is_fitting & is_found), jnp.where(
        is_found, row, dialogue.NO_MATCH
    )


def rule_action(observation: Mapping[str, Array], num_known: int) -> Int[Array, ""]:
    """What a careful clerk does next, from what is observed (see `envs.dialogue`).

    In this order: it reads back what it heard where the user denies, or nothing fits, until the
    user affirms; mends proposals that fit no more; answers once the user has no more to tell, which
    is when a question comes back; books when the user asks for the ticket after an answer; asks for
    every slot that it does not know; closes when it has a ticket and is thanked; and books.
    """
    asked = observation["requested"][:-1] > 0
    known, is_booked = observation["known"][:-1] > 0, observation["known"][-1] > 0
    is_proposed = known & ~(observation["told"] > 0)
    fit_told, fit_known = observation["matches"][-2], observation["matches"][-1]
    intent, last = observation["user_intent"], observation["action"]
    num_slots = known.shape[0]
    confirm = num_slots + num_known
    book, close = confirm + 1, confirm + 2
    is_missing = ~known & ~asked
    has_answered = (last >= num_slots) & (last < confirm)
    has_returned = (asked & (jnp.arange(num_slots, dtype=jnp.int32) == last)).any()
    is_done = has_answered | has_returned | ~is_missing.any()
    is_denied = (intent == dialogue.DENY) & (last != confirm)
    is_unsure = (last == confirm) & (intent != dialogue.AFFIRM)
    wants_ticket = has_answered & (observation["requested"][-1] > 0)
    choices = [
        (is_denied | is_unsure | (fit_told == 0), confirm),
        ((fit_known == 0) & is_proposed.any(), num_slots + jnp.argmax(is_proposed)),
        (asked.any() & (is_done | (last == confirm)), num_slots + jnp.argmax(asked)),
        (wants_ticket, book),
        (is_missing.any() & ~is_booked, jnp.argmax(is_missing)),
        (is_booked & (intent == dialogue.THANKS), close),
    ]
    conditions, actions = zip(*choices, strict=True)
    return jnp.select(conditions, [jnp.int32(action) for action in actions], jnp.int32(book))

"""A user with an agenda, in a dialogue about booking: what is wanted, said, and answered.

Schatzmann et al. (NAACL 2007) keep what a user has still to say on a stack, the agenda; Li et al.
("A User Simulator for Task-Completion Dialogues", arXiv 1612.05688) make it a set for dialogue acts
about slots, whose rules these are. A goal is constraints, slots with the value that is wanted, and
requests, slots whose value is asked for. S slots, numbered; values by number as in
`stores.knowledge_base`: -1 nothing is said, -2 any value will do, and -3 no value fits.
"""

import flax.struct
import jax.numpy as jnp
from jaxtyping import Bool, Int

from creative_rl.stores.knowledge_base import ANY, UNKNOWN
from creative_rl.typing import Array

NO_MATCH = -3
INTENTS = ("inform", "request", "affirm", "deny", "thanks", "close", "confirm", "book")
INFORM, REQUEST, AFFIRM, DENY, THANKS, CLOSE, CONFIRM, BOOK = range(len(INTENTS))
NUM_USER_INTENTS = 6
"""The first ones; a user says `close` only when the time is over. An agent informs, requests,
confirms, books and closes."""
NOT_MENTIONED, AVAILABLE, UNAVAILABLE = range(3)
OPEN, SUCCESS, FAILURE = range(3)


class Act(flax.struct.PyTreeNode):
    """What somebody says in one turn."""

    intent: Array
    """int32: a number of `INTENTS`"""
    informed: Array
    """bool[S]: slots that are spoken of"""
    values: Array
    """int32[S]: theirs; -1 elsewhere"""
    requested: Array
    """bool[S + 1]: slots that are asked for; the last is the ticket"""
    ticket: Array
    """int32: whether there is one (`AVAILABLE`, `UNAVAILABLE`), where an agent books"""


class User(flax.struct.PyTreeNode):
    """What a user wants, and what of it is left."""

    constraints: Array
    """bool[S]"""
    requests: Array
    """bool[S]"""
    values: Array
    """int32[S]: of constraints what is wanted; of others the agent's last answer, -2 before"""
    agenda: Array
    """int32[S]: of what is left, the slot with the greatest number comes first"""
    untold: Array
    """bool[S]: constraints that are left"""
    unanswered: Array
    """bool[S]: requests that are left"""
    asking: Array
    """bool[S + 1]: what was asked and is not answered; the last is the ticket"""
    is_booked: Array
    """bool: the last ticket was as it was wanted"""


def act(intent: Array, informed: Array, values: Array, requested: Array, ticket: Array) -> Act:
    """An act whose values are those of the slots that are spoken of."""
    kept = jnp.where(informed, values, UNKNOWN)
    return Act(intent.astype(jnp.int32), informed, kept, requested, ticket)


def new_user(
    constraints: Bool[Array, " slots"],
    requests: Bool[Array, " slots"],
    values: Int[Array, " slots"],
    agenda: Int[Array, " slots"],
) -> User:
    """Somebody who has said nothing yet; `values` counts where there are constraints."""
    return User(
        constraints=constraints,
        requests=requests & ~constraints,
        values=jnp.where(constraints, values, ANY),
        agenda=agenda,
        untold=constraints,
        unanswered=requests & ~constraints,
        asking=jnp.zeros(constraints.shape[0] + 1, jnp.bool_),
        is_booked=jnp.bool_(False),
    )


def opening(user: User) -> tuple[User, Act]:
    """The first turn: a request, the first slot's value if that is a constraint, and one more.

    Who has no request asks for the ticket.
    """
    is_name = jnp.arange(user.constraints.shape[0], dtype=jnp.int32) == 0
    told = _first(user.agenda, user.constraints) | (is_name & user.constraints)
    wish = _first(user.agenda, user.requests)
    asking = jnp.append(wish, ~user.requests.any())
    user = user.replace(untold=user.untold & ~told, asking=asking)
    return user, act(jnp.int32(REQUEST), told, user.values, asking, jnp.int32(NOT_MENTIONED))


def listened(user: User, said: Act) -> User:
    """After what an agent said: answers are remembered, and whether the ticket is the right one.

    That has every constraint's value, and is available.
    """
    is_inform, is_booking = said.intent == INFORM, said.intent == BOOK
    answered = is_inform & said.informed & (said.values >= 0) & ~user.constraints
    is_right = said.informed & (said.values == user.values)
    has_all = (is_right | ~user.constraints).all() & (said.ticket == AVAILABLE)
    is_booked = jnp.where(is_booking, has_all, user.is_booked)
    told = user.constraints & ((is_inform & is_right) | (is_booking & has_all))
    asking = user.asking & ~jnp.append(answered, is_booked)
    return user.replace(
        values=jnp.where(answered, said.values, user.values),
        untold=user.untold & ~told,
        unanswered=user.unanswered & ~answered,
        asking=asking & ~(is_booking & ~has_all),
        is_booked=is_booked,
    )


def is_satisfied(user: User) -> Bool[Array, ""]:
    """Whether a dialogue that ends now is a success: the ticket is right, all is answered."""
    return user.is_booked & ~user.unanswered.any()


def reply(user: User, said: Act) -> tuple[User, Act]:
    """What the user says after `listened`, and what is left then.

    - A request for a slot: its value; any will do where there is no constraint. A request for what
      the user asks for is returned, with all constraints that are left.
    - An answer or a good ticket: what is asked for again, else the next of the agenda, else thanks.
    - A wrong value: the right one. What is read back (`confirm`): the right values of those that
      are wrong, and those that were told and are missing; if there are none, `affirm`.
    - No answer, or a ticket that is wrong or not available: `deny`.
    - `close`: thanks, or `deny` of a failure.
    """
    intent, asked = said.intent, said.requested[:-1]
    is_request, is_inform, is_confirm = intent == REQUEST, intent == INFORM, intent == CONFIRM
    returns = is_request & (asked & user.unanswered).any()
    is_told = is_request & ~returns
    wrong = said.informed & (said.values != user.values) & (user.constraints | is_confirm)
    wrong |= is_confirm & ~said.informed & user.constraints & ~user.untold
    is_empty = is_inform & (said.informed & (said.values < 0)).any()
    corrects = (is_inform | is_confirm) & ~is_empty & wrong.any()
    goes_on = (is_inform & ~is_empty & ~corrects) | ((intent == BOOK) & user.is_booked)

    keeps_asking = user.asking.any()
    following = _first(user.agenda, user.untold | user.unanswered)
    is_next = goes_on & ~keeps_asking
    tells = is_next & following & user.untold
    wants = is_next & following & user.unanswered
    wants_ticket = is_next & ~following.any() & ~user.is_booked

    informed = (returns & user.untold) | (is_told & asked) | (corrects & wrong) | tells
    asking = (user.asking & ~is_told) | jnp.append(wants | (returns & asked), wants_ticket)
    is_asking = returns | (goes_on & asking.any())
    is_over = goes_on & ~is_asking & ~tells.any()
    answer = jnp.select(
        [is_asking, is_told | corrects | tells.any(), is_confirm, is_over],
        [REQUEST, INFORM, AFFIRM, THANKS],
        jnp.where((intent == CLOSE) & is_satisfied(user), THANKS, DENY),
    )
    user = user.replace(untold=user.untold & ~informed, asking=asking)
    return user, act(answer, informed, user.values, asking, jnp.int32(NOT_MENTIONED))


def _first(agenda: Array, left: Array) -> Bool[Array, " slots"]:
    """The one of `left` that comes first; nothing of nothing."""
    order = jnp.where(left, agenda, -1)
    return left & (order == order.max())

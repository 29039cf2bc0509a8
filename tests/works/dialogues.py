"""Dialogues by hand."""

import numpy as np

from creative_rl.ops.dialogue import ANY, BOOK, CLOSE, CONFIRM, DENY, INFORM, REQUEST, THANKS
from creative_rl.works.dialogue import Dialogue

SLOTS = ("movie", "cuisine", "people")
WORDS = (("Copper Sky", 'A "quoted" | one'), ("any", "käse"), ("1", "2", "3"))


def dialogue(turns, constraints=(0, -1, 2), wishes=(False, True, False), outcome=1, most=12):
    """Of (intent, values, requested slots, ticket, heard intent, heard values) each."""
    work = Dialogue(
        intents=np.zeros(most, np.int32),
        values=np.full((most, 3), -1, np.int32),
        requests=np.zeros((most, 4), np.bool_),
        tickets=np.zeros(most, np.int32),
        heard_intents=np.zeros(most, np.int32),
        heard_values=np.full((most, 3), -1, np.int32),
        constraints=np.array(constraints, np.int32),
        wishes=np.array(wishes),
        outcome=np.array(outcome, np.int32),
        length=np.array(len(turns), np.int32),
        slots=SLOTS,
        words=WORDS,
    )
    for turn, (intent, values, asked, ticket, heard, heard_values) in enumerate(turns):
        work.intents[turn], work.values[turn], work.tickets[turn] = intent, values, ticket
        work.requests[turn, list(asked)] = True
        work.heard_intents[turn], work.heard_values[turn] = heard, heard_values
    return work


def turn(intent, values=(-1, -1, -1), asked=(), ticket=0, heard=None):
    heard_intent, heard_values = heard or (intent, values)
    return intent, values, asked, ticket, heard_intent, heard_values


GOOD = dialogue(
    [
        turn(REQUEST, (0, -1, -1), (1,)),
        turn(REQUEST, asked=(2,)),
        turn(INFORM, (-1, -1, 0), heard=(DENY, (-1, 1, -1))),
        turn(CONFIRM, (0, 1, -1)),
        turn(INFORM, (-1, ANY, 0)),
        turn(INFORM, (-1, 1, -1)),
        turn(REQUEST, asked=(3,)),
        turn(BOOK, (0, 1, 0), ticket=1),
        turn(THANKS),
        turn(CLOSE),
        turn(THANKS),
    ]
)

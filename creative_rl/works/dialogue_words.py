"""Dialogue acts as sentences, by templates."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from creative_rl.ops import dialogue as acts
from creative_rl.works.dialogue import OUTCOMES, SPEAKERS, Dialogue, on_host

_NOUNS = {"movie": "film", "date": "day", "people": "number of people"}
"""What a slot is called; others are called by their name."""
_CLAUSES = {
    "movie": "to {}",
    "theater": "at {}",
    "city": "in {}",
    "date": "on {}",
    "time": "at {}",
    "genre": "of the genre {}",
    "format": "in {}",
    "rating": "rated {}",
    "price": "at a price of {}",
    "people": "for {} people",
}
"""A value in a sentence."""
_PLAIN = {
    acts.AFFIRM: "Yes, that is right.",
    acts.DENY: "No, that is not right.",
    acts.THANKS: "Thank you, that is all.",
    acts.CLOSE: "I have to go now.",
}


class Line(NamedTuple):
    """A turn in words."""

    speaker: str
    sentence: str
    heard: str | None
    """what the other one heard, where it was something else"""


def lines(dialogue: Dialogue) -> list[Line]:
    """The turns of one dialogue, in order.

    Raises:
      ValueError: as from `on_host`.
    """
    one = on_host(dialogue)
    found = []
    for turn in range(int(one.length)):
        speaker = SPEAKERS[turn % 2]
        values, heard_values, requests = (
            np.asarray(rows)[turn] for rows in (one.values, one.heard_values, one.requests)
        )
        spoken = sentence(
            speaker, int(one.intents[turn]), values, requests, int(one.tickets[turn]), one
        )
        heard = sentence(
            speaker, int(one.heard_intents[turn]), heard_values, requests,
            int(one.tickets[turn]), one,
        )  # fmt: skip
        found.append(Line(speaker, spoken, None if heard == spoken else heard))
    return found


def sentence(
    speaker: str, intent: int, values: np.ndarray, requests: np.ndarray, ticket: int, of: Dialogue
) -> str:
    """One act in words: values int[S], requests bool[S + 1], named as in the dialogue `of`."""
    if speaker == "agent":
        return _agent(intent, values, requests, ticket, of)
    told = clauses(values, of)
    said = [f"I would like a ticket {_joined(told)}."] if told else []
    for slot in np.flatnonzero(values == acts.ANY).tolist():
        said.append(f"Any {noun(of.slots[slot])} will do.")
    asked = [f"What is the {noun(of.slots[slot])}?" for slot in np.flatnonzero(requests[:-1])]
    if requests[-1]:
        asked.append("Please book the ticket.")
    if intent == acts.REQUEST and not asked:
        asked.append("Please tell me more.")
    if intent == acts.INFORM and not said:
        said.append("I would like that.")
    first = [_PLAIN[intent]] if intent in _PLAIN else []
    return " ".join([*first, *said, *asked])


def goal(dialogue: Dialogue) -> str:
    """What the user wants, in one line."""
    one = on_host(dialogue)
    wanted = f"a ticket {_joined(clauses(one.constraints, one))}".rstrip()
    asked = [noun(one.slots[slot]) for slot in np.flatnonzero(one.wishes)]
    return f"wants {wanted}" + (f"; asks for the {_joined(asked)}" if asked else "")


def summary(dialogue: Dialogue) -> str:
    """One line: how it ended, after how many turns."""
    one = on_host(dialogue)
    num = int(one.length)
    return f"{OUTCOMES[int(one.outcome)]} after {num} turn{'' if num == 1 else 's'}"


def noun(slot: str) -> str:
    """What a slot is called in a sentence."""
    return _NOUNS.get(slot, slot)


def clauses(values: Any, of: Dialogue) -> list[str]:
    """The slots that have a value, as parts of a sentence."""
    found = []
    for slot, words, value in zip(of.slots, of.words, np.asarray(values).tolist(), strict=True):
        if value >= 0:
            clause = _CLAUSES.get(slot, "with the {slot} {}").format(words[value], slot=slot)
            found.append("for 1 person" if clause == "for 1 people" else clause)
    return found


def _agent(intent: int, values: np.ndarray, requests: np.ndarray, ticket: int, of: Dialogue) -> str:
    told = _joined(clauses(values, of))
    if intent == acts.REQUEST:
        asked = [noun(of.slots[slot]) for slot in np.flatnonzero(requests[:-1])]
        if asked == [noun("people")]:
            return "For how many people?"
        return f"Which {_joined(asked)} would you like?"
    if intent == acts.CONFIRM:
        return f"You would like a ticket {told}; is that right?" if told else "Any ticket will do?"
    if intent == acts.BOOK:
        thing = f"ticket {told}".rstrip()
        if ticket == acts.AVAILABLE:
            return f"I have booked a {thing}."
        return f"There is no {thing}."
    if intent == acts.INFORM:
        known = [
            f"The {noun(slot)} is {words[value]}."
            for slot, words, value in zip(of.slots, of.words, values.tolist(), strict=True)
            if value >= 0
        ]
        missing = np.flatnonzero(values == acts.NO_MATCH).tolist()
        return " ".join([*known, *(f"No {noun(of.slots[slot])} fits." for slot in missing)])
    return "Goodbye."


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""

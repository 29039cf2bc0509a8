"""What a person may say in the user's place: acts by number, or in words."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from creative_rl.ops import dialogue as acts
from creative_rl.works.dialogue import Dialogue
from creative_rl.works.dialogue_words import noun, sentence

_YES, _NO = {"yes", "right", "correct", "ok"}, {"no", "wrong"}
_THANKS, _BYE = {"thanks", "thank"}, {"bye", "goodbye", "quit", "exit"}
_QUESTION = {"what", "which", "when", "where", "who", "how"}


@dataclasses.dataclass(frozen=True)
class Said:
    """An act of the user.

    Attributes:
      intent: a number of `INTENTS`.
      values: by slot, those that are told.
      asked: slots that are asked for, S for the ticket.
    """

    intent: int
    values: Mapping[int, int] = dataclasses.field(default_factory=dict)
    asked: frozenset[int] = frozenset()

    def arrays(self, num_slots: int) -> tuple[np.ndarray, np.ndarray]:
        """Values int32[S], -1 where nothing is told, and requests bool[S + 1]."""
        values = np.full(num_slots, acts.UNKNOWN, np.int32)
        values[list(self.values)] = list(self.values.values())
        requests = np.zeros(num_slots + 1, np.bool_)
        requests[list(self.asked)] = True
        return values, requests

    def sentence(self, of: Dialogue) -> str:
        """In words."""
        return sentence("user", self.intent, *self.arrays(len(of.slots)), 0, of)


def choices(card: Dialogue, asked: int | None) -> list[Said]:
    """What there is to say by a goal, a dialogue without turns.

    Args:
      card: the goal.
      asked: the slot that the agent has just asked for.
    """
    num_slots = len(card.slots)
    wanted = np.asarray(card.constraints).tolist()
    goal = {slot: value for slot, value in enumerate(wanted) if value >= 0}
    told = [Said(acts.INFORM, {slot: value}) for slot, value in goal.items()]
    if asked is not None and asked not in goal:
        told = [Said(acts.INFORM, {asked: acts.ANY}), *told]
    wishes = [*np.flatnonzero(card.wishes).tolist(), num_slots]
    return [
        *told,
        *(Said(acts.REQUEST, {}, frozenset({slot})) for slot in wishes),
        *(Said(intent) for intent in (acts.AFFIRM, acts.DENY, acts.THANKS)),
    ]


def understood(line: str, offered: Sequence[Said], card: Dialogue) -> Said | None:
    """What a line says: numbers of what is offered, or words; None where it says nothing.

    Words are known values, `any` with a slot's name for one that does not matter, a question with
    a slot's name, the ticket, yes, no, thanks and bye, which is `close`.

    Example:
      `in Halden, any time; what is the price?`
    """
    numbers = re.fullmatch(r"\s*\d+(?:[\s,]+\d+)*\s*", line)
    if numbers:
        wanted = [int(number) for number in re.findall(r"\d+", line)]
        if all(1 <= number <= len(offered) for number in wanted):
            return _together([offered[number - 1] for number in wanted])
    return _in_words(line, card)


def _together(parts: Sequence[Said]) -> Said:
    """Several acts as one; a question makes it one."""
    values = {slot: value for part in parts for slot, value in part.values.items()}
    asked = frozenset().union(*(part.asked for part in parts))
    plain = [part.intent for part in parts if part.intent not in (acts.INFORM, acts.REQUEST)]
    intent = acts.REQUEST if asked else plain[0] if plain and not values else acts.INFORM
    return Said(intent, values, asked)


def _in_words(line: str, card: Dialogue) -> Said | None:
    text = line.casefold()
    values, text = _values_in(text, card)
    words = re.findall(r"\w+", text)
    is_question = "?" in text or bool(_QUESTION & set(words))
    asked = set()
    for slot, name in enumerate(card.slots):
        if _holds(text, f"any {noun(name)}") or _holds(text, f"any {name}"):
            values[slot] = acts.ANY
        elif is_question and (_holds(text, noun(name)) or _holds(text, name)):
            asked.add(slot)
    if "ticket" in words and not values:
        asked.add(len(card.slots))
    if values or asked:
        return Said(acts.REQUEST if asked else acts.INFORM, values, frozenset(asked))
    for known, intent in (
        (_BYE, acts.CLOSE), (_NO, acts.DENY), (_YES, acts.AFFIRM), (_THANKS, acts.THANKS),
    ):  # fmt: skip
        if known & set(words):
            return Said(intent)
    return None


def _values_in(text: str, card: Dialogue) -> tuple[dict[int, int], str]:
    """Values by slot, longest words first, and the text without them.

    A number counts for the slot `people` with the word behind it, as in `for 2 people`.
    """
    found: dict[int, int] = {}
    known = [
        (f"{word} {card.slots[slot]}" if word.isdigit() else word, slot, value)
        for slot, words in enumerate(card.words)
        for value, word in enumerate(words)
    ]
    for word, slot, value in sorted(known, key=lambda entry: -len(entry[0])):
        if slot not in found and _holds(text, word.casefold()):
            found[slot] = value
            text = text.replace(word.casefold(), " ", 1)
    return found, text


def _holds(text: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words.casefold())}(?!\w)", text) is not None

"""Dialogues as text that people read, and that is read back: each sentence with its act below."""

import json
import os
import pathlib
from typing import Any

import numpy as np

from creative_rl.ops import dialogue as acts
from creative_rl.works.dialogue import OUTCOMES, SPEAKERS, Dialogue, on_host
from creative_rl.works.dialogue_words import goal, lines, summary

TITLE = "dialogue: "
_TICKET = "ticket"
_TICKETS = {acts.AVAILABLE: "available", acts.UNAVAILABLE: "not available"}


def text(dialogue: Dialogue) -> str:
    """The conversation, a line a turn, and how it ended.

    What was misheard stands in brackets.
    """
    spoken = [
        f"{line.speaker}: {line.sentence}" + (f" [heard: {line.heard}]" if line.heard else "")
        for line in lines(dialogue)
    ]
    return "\n".join([*spoken, summary(dialogue)])


def encode_text(dialogue: Dialogue) -> bytes:
    """As the bytes of a file: how it ended, the goal, the conversation, and what slots there are.

    Below each sentence is its act in JSON: null is a value that does not matter, false one that
    was not found.
    """
    one = on_host(dialogue)
    parts = [
        f"{TITLE}{summary(one)}",
        f"goal: the user {goal(one)}",
        f"  {_json(_goal(one))}",
        "",
    ]
    for turn, line in enumerate(lines(one)):
        parts.append(f"{line.speaker}: {line.sentence}")
        said, heard = _act(one, turn, "intents", "values"), None
        if turn % 2 == 0 or not _is_heard(one, turn):
            heard = _act(one, turn, "heard_intents", "heard_values")
        parts.append(f"  {_json(said)}")
        if heard is not None and heard != said:
            parts.append(f"  heard {_json(heard)}")
    parts += ["", f"turns: {int(one.length)} of {len(one.intents)} at most"]
    parts += [
        f"slot {_json(slot)} {_json(list(words))}"
        for slot, words in zip(one.slots, one.words, strict=True)
    ]
    return ("\n".join(parts) + "\n").encode()


def read_text(path: str | os.PathLike) -> Dialogue:
    """The dialogue in a file that `encode_text` wrote; its sentences are not read, its acts are.

    Raises:
      ValueError: the file is no such dialogue; the line names file and reason.
      FileNotFoundError: there is no such file.
    """
    data = pathlib.Path(path).read_bytes()
    try:
        return on_host(_parsed(data.decode().split("\n")))
    except KeyError as error:
        raise ValueError(f"{path} is not a dialogue in text: {error} is missing") from error
    except (ValueError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a dialogue in text: {error}") from error


def _parsed(rows: list[str]) -> Dialogue:
    if not rows[0].startswith(TITLE):
        raise ValueError(f"it must begin with {TITLE!r}")
    outcome = OUTCOMES.index(rows[0].removeprefix(TITLE).partition(" after ")[0])
    slots, words, length, most = _vocabulary(rows)
    wanted = json.loads(rows[2])
    dialogue = _empty(slots, words, most)
    said, num_said = "", 0
    for row in rows[3:]:
        speaker = row.partition(":")[0]
        if speaker in SPEAKERS:
            said, num_said = speaker, num_said + 1
            if said != SPEAKERS[(num_said - 1) % 2] or num_said > length:
                raise ValueError(f"turn {num_said} is not the {said}'s, or one too many")
        elif row.startswith("  heard "):
            _write(dialogue, num_said - 1, json.loads(row[8:]), "heard_intents", "heard_values")
        elif row.startswith("  "):
            for names in (("intents", "values"), ("heard_intents", "heard_values")):
                _write(dialogue, num_said - 1, json.loads(row), *names)
    if num_said != length:
        raise ValueError(f"it has {num_said} turns, and says that it has {length}")
    _put(dialogue.constraints, wanted["inform"], dialogue)
    for slot in wanted["request"]:
        dialogue.wishes[slots.index(slot)] = True
    return dialogue.replace(outcome=np.array(outcome, np.int32), length=np.array(length, np.int32))


def _vocabulary(rows: list[str]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], int, int]:
    slots, words, sizes = [], [], ""
    for row in rows:
        if row.startswith("slot "):
            slot, end = json.JSONDecoder().raw_decode(row[5:])
            slots.append(slot)
            words.append(tuple(json.loads(row[5 + end :])))
        elif row.startswith("turns: "):
            sizes = row
    length, most = (int(part) for part in sizes.split(" ")[1:4:2])
    if not 0 <= length <= most <= 10_000:
        raise ValueError(f"turns must be at most 10000, got {sizes!r}")
    return tuple(slots), tuple(words), length, most


def _empty(slots: tuple[str, ...], words: tuple[tuple[str, ...], ...], most: int) -> Dialogue:
    num = len(slots)
    return Dialogue(
        intents=np.zeros(most, np.int32),
        values=np.full((most, num), acts.UNKNOWN, np.int32),
        requests=np.zeros((most, num + 1), np.bool_),
        tickets=np.zeros(most, np.int32),
        heard_intents=np.zeros(most, np.int32),
        heard_values=np.full((most, num), acts.UNKNOWN, np.int32),
        constraints=np.full(num, acts.UNKNOWN, np.int32),
        wishes=np.zeros(num, np.bool_),
        outcome=np.array(0, np.int32),
        length=np.array(0, np.int32),
        slots=slots,
        words=words,
    )


def _act(one: Dialogue, turn: int, intents: str, values: str) -> dict[str, Any]:
    """An act by names; what is empty is left out."""
    found: dict[str, Any] = {"act": acts.INTENTS[int(getattr(one, intents)[turn])]}
    if informed := _named(getattr(one, values)[turn], one):
        found["inform"] = informed
    names = (*one.slots, _TICKET)
    if asked := [names[slot] for slot in np.flatnonzero(one.requests[turn])]:
        found["request"] = asked
    if ticket := _TICKETS.get(int(one.tickets[turn])):
        found[_TICKET] = ticket
    return found


def _write(dialogue: Dialogue, turn: int, act: dict[str, Any], intents: str, values: str) -> None:
    """Put an act into a turn's places."""
    getattr(dialogue, intents)[turn] = acts.INTENTS.index(act["act"])
    row = getattr(dialogue, values)[turn]
    row[:] = acts.UNKNOWN
    _put(row, act.get("inform", {}), dialogue)
    names = (*dialogue.slots, _TICKET)
    for slot in act.get("request", []):
        dialogue.requests[turn, names.index(slot)] = True
    if _TICKET in act:
        numbers = {name: number for number, name in _TICKETS.items()}
        dialogue.tickets[turn] = numbers[act[_TICKET]]


def _goal(one: Dialogue) -> dict[str, Any]:
    asked = [one.slots[slot] for slot in np.flatnonzero(one.wishes)]
    return {"inform": _named(one.constraints, one), "request": asked}


def _named(values: Any, one: Dialogue) -> dict[str, Any]:
    """Values by the names of their slots."""
    special = {acts.ANY: None, acts.NO_MATCH: False}
    return {
        slot: words[value] if value >= 0 else special[value]
        for slot, words, value in zip(one.slots, one.words, values.tolist(), strict=True)
        if value != acts.UNKNOWN
    }


def _put(row: Any, named: dict[str, Any], dialogue: Dialogue) -> None:
    """The reverse of `_named`."""
    for slot, word in named.items():
        place = dialogue.slots.index(slot)
        if word is None:
            row[place] = acts.ANY
        else:
            row[place] = acts.NO_MATCH if word is False else dialogue.words[place].index(word)


def _is_heard(one: Dialogue, turn: int) -> bool:
    same = (one.values[turn] == one.heard_values[turn]).all()
    return bool(same and one.intents[turn] == one.heard_intents[turn])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

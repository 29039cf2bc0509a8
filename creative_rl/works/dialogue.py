"""A dialogue about booking, as a work: what it is, and its check."""

import flax.struct
import jax
import numpy as np

from creative_rl.ops.dialogue import (
    ANY,
    INTENTS,
    NO_MATCH,
    NUM_USER_INTENTS,
    SUCCESS,
    UNAVAILABLE,
)
from creative_rl.typing import Array
from creative_rl.works.batches import check_single

OUTCOMES = ("not finished", "success", "failure")
SPEAKERS = ("user", "agent")
"""They take turns, the user first."""
_ARRAYS = (
    "intents", "values", "requests", "tickets", "heard_intents", "heard_values", "constraints",
    "wishes", "outcome", "length",
)  # fmt: skip


class Dialogue(flax.struct.PyTreeNode):
    """Turns of a user and an agent in dialogue acts; turn 0 is the user's, turn 1 the agent's.

    T turns at most, S slots. Values are numbers of `words`, -1 where a slot is not spoken of, -2
    where any value will do, -3 where none fits. Entries from `length` on are 0, and values -1. A
    batch of dialogues has leading axes on every array.
    """

    intents: Array | np.ndarray
    """int32[T]: numbers of `ops.dialogue.INTENTS`"""
    values: Array | np.ndarray
    """int32[T, S]: what is said of each slot"""
    requests: Array | np.ndarray
    """bool[T, S + 1]: what is asked for; the last is the ticket"""
    tickets: Array | np.ndarray
    """int32[T]: of a booking 1 where there is a ticket and 2 where there is none, else 0"""
    heard_intents: Array | np.ndarray
    """int32[T]: what the other one heard of it"""
    heard_values: Array | np.ndarray
    """int32[T, S]: what the other one heard of it"""
    constraints: Array | np.ndarray
    """int32[S]: what the user wants, -1 where nothing"""
    wishes: Array | np.ndarray
    """bool[S]: what the user asks for"""
    outcome: Array | np.ndarray
    """int32: 0 not finished, 1 success, 2 failure"""
    length: Array | np.ndarray
    """int32: turns so far"""
    slots: tuple[str, ...] = flax.struct.field(pytree_node=False)
    """S names"""
    words: tuple[tuple[str, ...], ...] = flax.struct.field(pytree_node=False)
    """of each slot the values by number"""

    def _repr_html_(self) -> str:
        """What a notebook shows: the conversation; the first eight of a batch."""
        from creative_rl.works.dialogue_card import dialogue_html

        return dialogue_html(self)


def on_host(dialogue: Dialogue) -> Dialogue:
    """One dialogue with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, arrays do not fit each other, or a field is out of range.
    """
    leaves = jax.device_get([getattr(dialogue, name) for name in _ARRAYS])
    one = dict(zip(_ARRAYS, map(np.asarray, leaves), strict=True))
    check_single("Dialogue", "intents", one["intents"], 1, one["length"])
    slots, words = _checked_words(dialogue.slots, dialogue.words)
    _check_shapes(one, len(slots))
    sizes = np.array([len(known) for known in words])
    most = len(INTENTS) - 1
    for name, low, high in (
        ("intents", 0, most),
        ("heard_intents", 0, most),
        ("tickets", 0, UNAVAILABLE),
        ("outcome", 0, len(OUTCOMES) - 1),
        ("length", 0, len(one["intents"])),
        ("values", NO_MATCH, sizes - 1),
        ("heard_values", NO_MATCH, sizes - 1),
        ("constraints", ANY, sizes - 1),
    ):
        given = one[name]
        if ((given < low) | (given > high)).any():
            wrong = np.argwhere((given < low) | (given > high))[0].tolist()
            raise ValueError(f"Dialogue: {name} is out of range at {wrong}: {given[tuple(wrong)]}")
    if (one["intents"][::2] >= NUM_USER_INTENTS).any():
        raise ValueError("Dialogue: a user neither confirms nor books; those turns are the agent's")
    return Dialogue(**one, slots=slots, words=words)


def is_success(dialogue: Dialogue) -> bool:
    """Whether it ended as the user wanted."""
    return int(on_host(dialogue).outcome) == SUCCESS


def _checked_words(
    slots: tuple[str, ...], words: tuple[tuple[str, ...], ...]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """As tuples: JSON has lists."""
    slots, words = tuple(slots), tuple(map(tuple, words))
    everything = [*slots, *(word for known in words for word in known)]
    if not slots or len(words) != len(slots) or not all(words):
        raise ValueError(
            f"Dialogue: words must be a tuple of values for each slot, got {len(words)} for "
            f"{len(slots)} slots"
        )
    if not all(isinstance(word, str) and word and word.isprintable() for word in everything):
        raise ValueError("Dialogue: slots and words must be strings of printable characters")
    if any(len(set(names)) < len(names) for names in (slots, *words)):
        raise ValueError("Dialogue: slots, and the words of a slot, must be distinct")
    return slots, words


def _check_shapes(one: dict[str, np.ndarray], num_slots: int) -> None:
    num_turns = len(one["intents"])
    wanted = {
        "intents": (num_turns,),
        "tickets": (num_turns,),
        "heard_intents": (num_turns,),
        "values": (num_turns, num_slots),
        "heard_values": (num_turns, num_slots),
        "requests": (num_turns, num_slots + 1),
        "constraints": (num_slots,),
        "wishes": (num_slots,),
        "outcome": (),
    }
    for name, shape in wanted.items():
        array = one[name]
        is_flag = name in ("requests", "wishes")
        if array.shape != shape or (array.dtype.kind == "b") != is_flag or array.dtype.kind == "f":
            raise ValueError(
                f"Dialogue: {name} must be {'bool' if is_flag else 'int32'}{list(shape)}, got "
                f"{array.dtype}{list(array.shape)}"
            )

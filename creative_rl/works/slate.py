"""A session with a recommender, as a work: what it is, its check, and its text."""

import re

import flax.struct
import jax
import numpy as np

from creative_rl.typing import Array
from creative_rl.works.batches import check_single

NO_ITEM = -1


class Slate(flax.struct.PyTreeNode):
    """`T` slates of `k` places, and what was chosen from each. A batch has leading axes."""

    items: Array | np.ndarray
    """int16[T, k]: numbers of the items shown, -1 at an empty place; rows from `length` on are 0
    and mean nothing, here and below"""
    choices: Array | np.ndarray
    """int16[T]: 0 nothing, else 1 + the place of what was chosen"""
    amounts: Array | np.ndarray
    """float16[T]: how much came of the choice, in `unit`"""
    traits: Array | np.ndarray
    """float16[T]: a number about what was chosen, called `trait`; 0 where nothing was"""
    music: Array | np.ndarray
    """int32[T, L]: events of a melody, as a `Melody` has them, of what was chosen: 0 where nothing
    was; L = 0 where items are no music"""
    length: Array | np.ndarray
    """int32: slates shown so far"""
    names: tuple[str, ...] = flax.struct.field(pytree_node=False, default=())
    """of the items by their numbers; empty for `item 0`, `item 1` and so on"""
    unit: str = flax.struct.field(pytree_node=False, default="minutes")
    """of the amounts"""
    trait: str = flax.struct.field(pytree_node=False, default="quality")
    """what the traits tell"""

    def _repr_html_(self) -> str:
        """What a notebook shows: every slate and what was chosen; the first eight of a batch."""
        from creative_rl.works.slate_card import slate_html

        return slate_html(self)


def on_host(slate: Slate) -> Slate:
    """One session with numpy leaves, checked against the ranges of its fields.

    Raises:
      ValueError: it is a batch, a number is out of range, or an empty place was chosen.
    """
    fields = ("items", "choices", "amounts", "traits", "music", "length")
    leaves = jax.device_get(tuple(getattr(slate, field) for field in fields))
    host = slate.replace(**{f: np.asarray(leaf) for f, leaf in zip(fields, leaves, strict=True)})
    check_single("Slate", "items", np.asarray(host.items), 2, np.asarray(host.length))
    _check_forms(host)
    _check_words(host)
    host = host.replace(names=tuple(host.names))  # a list in files of JSON
    num = int(host.length)
    items, choices = host.items[:num], host.choices[:num]
    most = len(host.names) - 1 if host.names else np.iinfo(np.int16).max
    if items.size and not NO_ITEM <= items.min() <= items.max() <= most:
        wrong = items[(items < NO_ITEM) | (items > most)][0]
        raise ValueError(f"Slate: items must be in -1..{most}, got {wrong}")
    places = items.shape[1]
    if num and not 0 <= choices.min() <= choices.max() <= places:
        wrong = choices[(choices < 0) | (choices > places)][0]
        raise ValueError(f"Slate: choices must be in 0..{places}, got {wrong}")
    empty = (choices > 0) & (items[np.arange(num), np.maximum(choices, 1) - 1] == NO_ITEM)
    if empty.any():
        raise ValueError(f"Slate: slate {int(empty.argmax()) + 1} has an empty place chosen")
    if not (np.isfinite(host.amounts[:num]).all() and np.isfinite(host.traits[:num]).all()):
        raise ValueError("Slate: amounts and traits must be finite")
    return host


def name_of(slate: Slate, item: int) -> str:
    """The name of an item; a dash for an empty place."""
    if item == NO_ITEM:
        return "–"
    return slate.names[item] if slate.names else f"item {item}"


def summary(slate: Slate) -> str:
    """One line: how many slates, how many choices, how much came of them, and their mean trait."""
    slate = on_host(slate)
    num = int(slate.length)
    is_chosen = slate.choices[:num] > 0
    slates = "1 slate" if num == 1 else f"{num} slates"
    line = f"{slates}, {int(is_chosen.sum())} chosen from"
    if not is_chosen.any():
        return line
    amount = slate.amounts[:num].astype(np.float64).sum()
    trait = slate.traits[:num][is_chosen].astype(np.float64).mean()
    return f"{line}, {amount:.4g} {slate.unit} in all, mean {slate.trait} {trait:.2f}"


def outcome(slate: Slate, step: int) -> str:
    """What came of one slate, in words."""
    if slate.choices[step] == 0:
        return "nothing chosen"
    amount, trait = float(slate.amounts[step]), float(slate.traits[step])
    return f"{amount:.3g} {slate.unit}, {slate.trait} {trait:.2f}"


def text(slate: Slate) -> str:
    """A line a slate, what was chosen in brackets, and the summary.

    Example:
      >>> session = Slate(
      ...     items=np.array([[2, 0], [1, -1]], np.int16), choices=np.array([1, 0], np.int16),
      ...     amounts=np.array([4, 0], np.float16), traits=np.array([0.5, 0], np.float16),
      ...     music=np.zeros((2, 0), np.int32), length=np.int32(2), names=("a", "b", "c"))
      >>> print(text(session))
      1 | [c]   a  | 4 minutes, quality 0.50
      2 |  b    –  | nothing chosen
      2 slates, 1 chosen from, 4 minutes in all, mean quality 0.50
    """
    slate = on_host(slate)
    num = int(slate.length)
    rows = []
    for step in range(num):
        names = [name_of(slate, item) for item in slate.items[step].tolist()]
        chosen = int(slate.choices[step]) - 1
        rows.append([f"[{n}]" if p == chosen else f" {n} " for p, n in enumerate(names)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for step, row in enumerate(rows):
        places = " ".join(name.ljust(width) for name, width in zip(row, widths, strict=True))
        lines.append(f"{str(step + 1).rjust(len(str(num)))} | {places} | {outcome(slate, step)}")
    return "\n".join([*lines, summary(slate)])


def encode_text(slate: Slate) -> bytes:
    """`text` as the bytes of a file."""
    return f"{text(slate)}\n".encode()


def is_text(written: str) -> bool:
    """Whether characters are what `text` makes of a session: rows with two bars, and a summary."""
    *rows, last = written.rstrip("\n").split("\n")
    is_summary = re.match(r"(1 slate|\d+ slates), \d+ chosen from", last) is not None
    return is_summary and all(re.match(r" *\d+ \| .* \| ", row) for row in rows)


def _check_forms(slate: Slate) -> None:
    num = len(slate.items)
    whole = (slate.items, slate.choices, slate.music, slate.length)
    if not all(np.issubdtype(field.dtype, np.integer) for field in whole):
        kinds = ", ".join(str(field.dtype) for field in whole)
        raise ValueError(f"Slate: items, choices, music and length must be integers, got {kinds}")
    if not all(np.issubdtype(f.dtype, np.floating) for f in (slate.amounts, slate.traits)):
        raise ValueError(
            "Slate: amounts and traits must be floats, got "
            f"{slate.amounts.dtype} and {slate.traits.dtype}"
        )
    columns = (slate.choices.shape, slate.amounts.shape, slate.traits.shape)
    is_music = slate.music.ndim == 2 and len(slate.music) == num
    if columns != ((num,),) * 3 or not is_music or slate.items.shape[1] < 1:
        raise ValueError(
            "Slate: items are [T, k], choices, amounts and traits [T], music [T, L], got "
            f"{slate.items.shape}, {', '.join(map(str, columns))} and {slate.music.shape}"
        )
    if not 0 <= slate.length <= num:
        raise ValueError(f"Slate: length must be in 0..{num}, got {slate.length}")


def _check_words(slate: Slate) -> None:
    names = slate.names
    if not isinstance(names, tuple | list) or not all(
        isinstance(name, str) and name.isprintable() for name in names
    ):
        raise ValueError(f"Slate: names must be strings of printable characters, got {names!r}")
    for field in ("unit", "trait"):
        word = getattr(slate, field)
        if not isinstance(word, str) or not word.isprintable():
            raise ValueError(f"Slate: {field} must be a printable string, got {word!r}")

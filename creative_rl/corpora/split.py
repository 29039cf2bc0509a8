"""Which pieces are held out: by their names, versions of one tune together."""

import hashlib
from collections.abc import Mapping

import numpy as np


def families(phrases: Mapping[str, np.ndarray]) -> dict[str, str]:
    """For every piece the first name among the versions of its tune, itself where it has none.

    Two pieces are versions where they share a phrase, or each shares one with a third: fiddlers
    and Bach set the same tunes again and again, and a split by files alone would have a tenth of
    the held-out windows in the training part, note by note.

    Args:
      phrases: for every piece its phrases, uint8[N, P].
    """
    parent = {name: name for name in phrases}

    def first(name: str) -> str:
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    known: dict[bytes, str] = {}
    for name, rows in phrases.items():
        for row in rows:
            one, other = first(name), first(known.setdefault(row.tobytes(), name))
            parent[max(one, other)] = min(one, other)
    return {name: first(name) for name in phrases}


def held_out_names(family_of: Mapping[str, str], share: float, seed: int) -> set[str]:
    """The pieces whose family draws a number below `share`.

    A family's number depends on the seed and on its first name only, so that other pieces do not
    change it. Where a part would be empty, the family with the lowest or the highest number is
    moved there.

    Args:
      family_of: for every piece its family; at least two families where share > 0.
      share: in [0, 1).
      seed: another one gives another split.
    """
    if share == 0:
        return set()
    numbers = {family: draw(family, seed) for family in set(family_of.values())}
    ranked = sorted(numbers, key=numbers.__getitem__)
    count = sum(number < share for number in numbers.values())
    chosen = set(ranked[: min(max(count, 1), len(ranked) - 1)])
    return {name for name, family in family_of.items() if family in chosen}


def draw(name: str, seed: int) -> float:
    """A number in [0, 1) that looks random, the same on every machine."""
    digest = hashlib.blake2b(f"{seed}\0{name}".encode(errors="surrogateescape"), digest_size=6)
    return int.from_bytes(digest.digest(), "big") / 2**48

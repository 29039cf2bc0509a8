"""Self-BLEU on intervals and originality, with Python's own loops, tuples and dicts."""

import math
from collections import Counter


def notes_of(events: list[int]) -> list[tuple[int, int]]:
    """(step, code) of every note that is struck."""
    return [(step, code) for step, code in enumerate(events) if code >= 2]


def intervals_of(events: list[int]) -> tuple[int, ...]:
    """Semitones from each note to the next."""
    codes = [code for _, code in notes_of(events)]
    return tuple(codes[i + 1] - codes[i] for i in range(len(codes) - 1))


def grams_of(intervals: tuple[int, ...], n: int) -> list[tuple[int, ...]]:
    """Every n-gram, in order, doubles included."""
    return [intervals[i : i + n] for i in range(len(intervals) - n + 1)]


def bleu(candidate: tuple[int, ...], references: list[tuple[int, ...]], n: int) -> float:
    """Sentence BLEU with equal weights and method 1 of Chen and Cherry, epsilon 0.1."""
    logs = []
    for order in range(1, n + 1):
        counts = Counter(grams_of(candidate, order))
        others = [Counter(grams_of(reference, order)) for reference in references]
        matches = sum(
            min(count, max(other[gram] for other in others)) for gram, count in counts.items()
        )
        if order == 1 and matches == 0:
            return 0.0
        logs.append(math.log((matches or 0.1) / max(1, sum(counts.values()))))
    nearest = min((abs(len(r) - len(candidate)), len(r)) for r in references)[1]
    penalty = 1.0 if len(candidate) > nearest else math.exp(1 - nearest / len(candidate))
    return penalty * math.exp(sum(logs) / n)


def self_bleu(works: list[list[int]], n: int) -> float:
    """The mean over the works, each against all others."""
    rows = [intervals_of(work) for work in works]
    return sum(bleu(row, rows[:i] + rows[i + 1 :], n) for i, row in enumerate(rows)) / len(rows)


def is_in(gram: tuple[int, ...], intervals: tuple[int, ...]) -> bool:
    """Whether a run of intervals is somewhere in another."""
    return gram in grams_of(intervals, len(gram))


def originality(work: list[int], pieces: dict[str, list[int]], n: int):
    """Longest match, share of n-grams found, and the nearest piece with both places (or None).

    The nearest: by the longest match, the more n-grams, the first name; the first place in each.
    """
    mine = intervals_of(work)
    theirs = {name: intervals_of(piece) for name, piece in pieces.items()}
    grams = grams_of(mine, n)
    found = [any(is_in(gram, piece) for piece in theirs.values()) for gram in grams]
    share = sum(found) / len(grams) if grams else 0.0
    for length in range(len(mine), 0, -1):
        runs = grams_of(mine, length)
        having = [name for name in theirs if any(is_in(run, theirs[name]) for run in runs)]
        if having:
            count = {name: sum(is_in(gram, theirs[name]) for gram in grams) for name in having}
            name = min(having, key=lambda name: (-count[name], name))
            first = next(i for i, run in enumerate(runs) if is_in(run, theirs[name]))
            there = grams_of(theirs[name], length).index(runs[first])
            steps, their_steps = ([step for step, _ in notes_of(x)] for x in (work, pieces[name]))
            places = (steps[first], steps[first + length])
            return length, share, (name, places, (their_steps[there], their_steps[there + length]))
    return 0, share, None

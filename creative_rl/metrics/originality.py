"""How much of a batch of melodies is in a corpus already, and where: in any key, note for note.

The measure of memorisation is the longest run of intervals that a work has in common with the
corpus, and the share of its short runs (n-grams) that are found there; the idea of a report that
holds the figures against those of real pieces among themselves is that of Yin, Reuben, Stepney and
Collins, "A Good Algorithm Does Not Steal - It Imitates: The Originality Report" (EvoMUSART 2021).
What counts as an interval is said in `metrics.intervals`. Exact, on the host, in NumPy.

Letters: `N` works, `P` pieces of the corpus.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from creative_rl.metrics.intervals import MOST, Intervals, Pieces, of_events, of_works
from creative_rl.typing import Array
from creative_rl.works.melody import Melody

BAR = 16
"""Steps in a bar of 4/4, in sixteenth notes."""
_CHUNK = 2**22  # pairs of a work and a piece held at a time
_NAME = "originality_report"


class Place(NamedTuple):
    """Where a run of notes lies: the steps at which its first and its last note are struck."""

    first: int
    last: int

    @property
    def bars(self) -> tuple[int, int]:
        """The first and the last bar that it touches, from 1, of 16 steps from the start each."""
        return self.first // BAR + 1, self.last // BAR + 1


class Match(NamedTuple):
    """The longest run of intervals that a work has in common with the corpus."""

    length: int
    """intervals, so that there is one more note"""
    piece: str
    work_place: Place
    piece_place: Place


@dataclasses.dataclass(frozen=True, eq=False)
class OriginalityReport:
    """What `originality_report` found.

    Attributes:
      longest_match: int64[N], intervals; 0 where there is no interval in common.
      share: float64[N] in 0..1, of the work's n-grams that are in the corpus; 0.0 where it has
        none, being shorter.
      num_ngrams: int64[N], n-grams in the work.
      nearest: for each work the piece with the longest match, None where that is 0.
      n: intervals in an n-gram.
    """

    longest_match: np.ndarray
    share: np.ndarray
    num_ngrams: np.ndarray
    nearest: tuple[Match | None, ...]
    n: int

    @property
    def longest_of_all(self) -> int:
        """Intervals of the longest match of the batch."""
        return int(self.longest_match.max())

    @property
    def share_of_all(self) -> float:
        """Of all n-grams of the batch together, the share in the corpus; 0.0 where none is."""
        return float((self.share * self.num_ngrams).sum() / max(self.num_ngrams.sum(), 1))

    @property
    def nearest_work(self) -> int:
        """The work with the longest match; of several the one with the largest share, the first."""
        return int(np.lexsort((-self.share, -self.longest_match))[0])


def originality_report(
    melodies: Melody,
    corpus: Pieces,
    names: Sequence[str] | None = None,
    *,
    n: int = 4,
) -> OriginalityReport:
    """Hold works against a corpus: longest match, share of n-grams found, nearest piece.

    The nearest piece is the one with the longest match; of several, the one that has more of the
    work's n-grams, and of those the first by name. Where a match stands in several places, the
    first in the work and in the piece is shown. 1,024 works of 32 steps and 20,000 windows
    take about a second on a core, two where all works are copies.

    Args:
      melodies: events int32[N, T] and length int32[N], with N >= 1.
      corpus: P >= 1 pieces, integer events [L] each, such as `Corpus.train_pieces`; windows [P, L]
        do too, but a match cannot be longer than one.
      names: of the pieces; None for `piece 1`, `piece 2`, ... Pieces may share one.
      n: intervals in an n-gram, 2 to 8.

    Raises:
      ValueError: the melodies are no batch, the corpus is empty, names are not one a piece,
        events are no codes, or n is out of range.

    Example:
      >>> scale = np.array([14, 16, 18, 19, 21, 23, 25, 26], np.uint8)
      >>> work = Melody(events=scale[None] + 3, length=np.array([6], np.int32))
      >>> found = originality_report(work, [scale[::-1], scale], ["down", "up"])
      >>> found.nearest[0].piece, found.longest_of_all, found.share_of_all
      ('up', 5, 1.0)
    """
    check_n(n, _NAME)
    works, num_works = of_works(melodies, _NAME)
    names = [f"piece {i + 1}" for i in range(len(corpus))] if names is None else list(names)
    if not len(corpus) or len(names) != len(corpus):
        raise ValueError(
            f"{_NAME}: the corpus must be at least one piece, with one name each, got "
            f"{len(corpus)} pieces and {len(names)} names"
        )
    order = sorted(range(len(names)), key=names.__getitem__)
    names = [names[i] for i in order]
    rows = np.asarray(corpus) if isinstance(corpus, Array) else corpus
    pieces = of_events([rows[i] for i in order], _NAME)
    sizes = num_works, len(names)
    grams = _shared(works, pieces, n)
    in_grams = _Counter(grams, works, pieces, sizes)
    num_ngrams = np.bincount(works.owners[works.grams(n)[1]], minlength=num_works)
    num_found = np.bincount(works.owners[grams.work_starts], minlength=num_works)
    longest, nearest = np.zeros(num_works, np.int64), np.zeros(num_works, np.int64)
    for runs in _levels(works, pieces):
        ended = runs.ended(works, num_works)
        longest[ended] = runs.length
        if len(ended):
            in_runs = _Counter(runs, works, pieces, sizes)
            nearest[ended] = _nearest(ended, in_runs, in_grams, len(names))
    return OriginalityReport(
        longest_match=longest,
        share=num_found / np.maximum(num_ngrams, 1),
        num_ngrams=num_ngrams,
        nearest=tuple(_matches(works, pieces, longest, nearest, names)),
        n=n,
    )


def check_n(n: int, name: str) -> None:
    """Refuse lengths of n-grams that nobody measures with; the line begins with `name`."""
    if isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= MOST:
        raise ValueError(f"{name}: n must be 2 to {MOST} intervals in an n-gram, got {n!r}")


class _Runs(NamedTuple):
    """Runs of `length` intervals that are both in works and in pieces, by the same ids."""

    length: int
    work_starts: np.ndarray
    work_ids: np.ndarray
    piece_starts: np.ndarray
    piece_ids: np.ndarray
    goes_on: np.ndarray | None = None
    """which of `work_starts` are there one interval longer too"""

    def ended(self, works: Intervals, num_works: int) -> np.ndarray:
        """The works that have no longer run."""
        has, longer = np.zeros(num_works, bool), np.zeros(num_works, bool)
        has[works.owners[self.work_starts]] = True
        longer[works.owners[self.work_starts[self.goes_on]]] = True
        return np.flatnonzero(has & ~longer)


def _common(
    length: int,
    work_starts: np.ndarray,
    work_keys: np.ndarray,
    piece_starts: np.ndarray,
    piece_keys: np.ndarray,
) -> _Runs:
    """What has a key that is on both sides, with ids 0, 1, ... in place of the keys."""
    known = np.unique(work_keys)
    if not len(known):
        return _Runs(length, *([np.zeros(0, np.int64)] * 4))
    ids = np.minimum(np.searchsorted(known, piece_keys), len(known) - 1)
    is_known = known[ids] == piece_keys
    is_met = np.zeros(len(known), bool)
    is_met[ids[is_known]] = True
    work_ids = np.searchsorted(known, work_keys)
    keep = is_met[work_ids]
    return _Runs(length, work_starts[keep], work_ids[keep], piece_starts[is_known], ids[is_known])


def _shared(works: Intervals, pieces: Intervals, n: int) -> _Runs:
    """The n-grams in common."""
    work_keys, work_starts = works.grams(n)
    piece_keys, piece_starts = pieces.grams(n)
    return _common(n, work_starts, work_keys, piece_starts, piece_keys)


def _levels(works: Intervals, pieces: Intervals) -> Iterator[_Runs]:
    """The runs in common of 1, 2, 3, ... intervals, as far as there are any.

    What is in common at one length is what can be at the next, so the sets shrink fast.
    """
    runs = _shared(works, pieces, 1)
    while len(runs.work_starts):
        sides = []
        for all_, starts, ids in (
            (works, runs.work_starts, runs.work_ids),
            (pieces, runs.piece_starts, runs.piece_ids),
        ):
            following = all_.codes[starts + runs.length]
            keys = ids * 256 + following
            sides += [starts[following > 0], keys[following > 0]]
        longer = _common(runs.length + 1, *sides)
        yield runs._replace(goes_on=np.isin(runs.work_starts, longer.work_starts))
        runs = longer


class _Counter:
    """How many of the runs in each work each piece has."""

    def __init__(self, runs: _Runs, works: Intervals, pieces: Intervals, sizes: tuple[int, int]):
        from scipy.sparse import csr_array

        num_works, num_pieces = sizes
        size = int(runs.piece_ids.max(initial=-1)) + 1
        owners, ids = works.owners[runs.work_starts], runs.work_ids
        ones = np.ones(len(ids), np.int64)
        self._wanted = csr_array((ones, (owners, ids)), (num_works, size))
        pairs = np.unique(runs.piece_ids * num_pieces + pieces.owners[runs.piece_starts])
        ones = np.ones(len(pairs), np.int64)
        self._has = csr_array((ones, np.divmod(pairs, num_pieces)), (size, num_pieces))

    def __call__(self, chunk: np.ndarray) -> np.ndarray:
        """int64[n, P], for the works of the chunk."""
        return (self._wanted[chunk] @ self._has).toarray()


def _nearest(
    works: np.ndarray, in_runs: _Counter, in_grams: _Counter, num_pieces: int
) -> np.ndarray:
    """int64: the pieces that have such a run, of these the most n-grams, of these the first name.

    Args:
      works: those whose longest run is in `in_runs`.
    """
    found = [np.zeros(0, np.int64)]
    rows = max(1, _CHUNK // num_pieces)
    for start in range(0, len(works), rows):
        chunk = works[start : start + rows]
        found.append(np.where(in_runs(chunk) > 0, in_grams(chunk), -1).argmax(axis=1))
    return np.concatenate(found)


def _matches(
    works: Intervals,
    pieces: Intervals,
    longest: np.ndarray,
    nearest: np.ndarray,
    names: Sequence[str],
) -> Iterator[Match | None]:
    """Each work's longest match with its nearest piece."""
    for work, (length, piece) in enumerate(zip(longest.tolist(), nearest.tolist(), strict=True)):
        if length == 0:
            yield None
            continue
        mine, theirs = _notes(works, work), _notes(pieces, piece)
        first, their_first = _first_place(works.codes[mine], pieces.codes[theirs], length)
        steps, their_steps = works.steps[mine], pieces.steps[theirs]
        yield Match(
            length,
            names[piece],
            Place(int(steps[first]), int(steps[first + length])),
            Place(int(their_steps[their_first]), int(their_steps[their_first + length])),
        )


def _notes(all_: Intervals, owner: int) -> slice:
    return slice(*np.searchsorted(all_.owners, [owner, owner + 1]).tolist())


def _first_place(mine: np.ndarray, theirs: np.ndarray, length: int) -> tuple[int, int]:
    """The first run of `length` intervals of one melody that is in another, and where there."""
    notes, their_notes = mine.tobytes(), theirs.tobytes()
    places = (
        (first, their_notes.find(notes[first : first + length]))
        for first in range(len(notes) - length)
    )
    return next(place for place in places if place[1] >= 0)

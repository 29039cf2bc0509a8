"""Whether what a run composes is what it learned from: the corpus, the measures and the words."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from creative_rl.experiment.opening import OpenRun, load_states, open_run, seed_state
from creative_rl.experiment.preparation import load_corpus
from creative_rl.experiment.run import Run
from creative_rl.experiment.spec import RunSpec
from creative_rl.metrics import OriginalityReport, originality_report
from creative_rl.metrics.intervals import Pieces
from creative_rl.registry import learner_entry
from creative_rl.typing import PyTree
from creative_rl.works import Melody

MOST_SHARE = 0.97
"""Share of 4-grams in the corpus above which a warning is due. Of the 1,399 windows of 32 steps
held out of the default corpus 94.3 % of the 4-grams are in the rest of it, and of 300 draws of 256
of them at most 95.9 %: more than that is more alike than tunes of one style are."""
LONG_MATCH = 12
"""Intervals in a row that are worth a warning: 13 notes, in those windows as a rule all there are.
Of the same windows the median longest match is 8, and 10.8 % have one of 12 or more, most of them
versions or phrases that the tunes of a tradition share."""


class Learned(NamedTuple):
    """What a run learned from, as `originality_report` takes it."""

    what: str
    pieces: Pieces
    names: Sequence[str]

    def report(self, melodies: Melody) -> OriginalityReport:
        """The works of a batch against it."""
        return originality_report(melodies, self.pieces, self.names)


def learned_from(opened: OpenRun, states: PyTree) -> Learned | str | None:
    """The melodies that a run or its prior learned from: whole pieces with names where the corpus
    is where it was, else the windows in the state of the run that learned them.

    Args:
      opened: the run.
      states: its state, with a leading axis of seeds.

    Returns:
      None where there never was a corpus, and where it cannot be read one sentence that says why.
    """
    spec, prior = opened.run.spec, opened.run.spec.prior
    if spec.corpus is None and prior is None:
        return None
    try:
        if prior is not None:
            spec = Run.open(prior).spec
        named = _pieces(spec)
        if isinstance(named, Learned) or not learner_entry(spec.learner).needs_corpus:
            return named
        if prior is not None:
            states = load_states(open_run(prior))
    except (ValueError, OSError) as error:
        return f"Originality was not measured, because the corpus is not known: {error}"
    windows = np.asarray(seed_state(states, 0).sequences.train)
    names = [f"window {i + 1}" for i in range(len(windows))]
    return Learned(f"the {len(windows)} windows of {spec.corpus}", windows, names)


def _pieces(spec: RunSpec) -> Learned | str:
    """The corpus, where it still gives what the run was trained on."""
    try:
        corpus = load_corpus(spec)
    except (ValueError, OSError, ImportError) as error:
        return f"Originality was not measured, because the corpus cannot be read: {error}"
    num_train, length = corpus.sequences.train.shape
    if spec.corpus_sizes != (num_train, len(corpus.sequences.held_out), length):
        return f"Originality was not measured, because {spec.corpus} is not what it was"
    names = corpus.train_names
    return Learned(f"the {len(names)} pieces of {spec.corpus}", corpus.train_pieces, names)


def measures(report: OriginalityReport) -> dict[str, np.ndarray]:
    """Rows of the evaluation: one value a work."""
    return {
        "originality_longest_match": report.longest_match,
        "originality_share": report.share,
    }


def notes(reports: Sequence[OriginalityReport], learned: Learned, seed: int) -> list[str]:
    """What the evaluation says of originality: the nearest work, and what warnings are due.

    Args:
      reports: one for each of the run's seeds, from `seed` on.
      learned: what they are held against.
      seed: the first.
    """
    n = reports[0].n
    told = [
        "Originality counts intervals from note to note, in any key and rhythm: the share of runs "
        f"of {n} that stand in {learned.what}, and the longest run that does."
    ]
    number = max(range(len(reports)), key=lambda i: _nearness(reports[i]))
    nearest = reports[number]
    match = nearest.nearest[nearest.nearest_work]
    if match is not None:
        of_seed = f" of seed {seed + number}" if len(reports) > 1 else ""
        told.append(
            f"Nearest to them is work {nearest.nearest_work + 1}{of_seed}: {match.length} "
            f"intervals in its {_bars(match.work_place)} are those in {_bars(match.piece_place)} "
            f"of {match.piece} (bars of 16 sixteenths, from the start)."
        )
    num_ngrams = sum(int(report.num_ngrams.sum()) for report in reports)
    num_found = sum(report.share_of_all * report.num_ngrams.sum() for report in reports)
    share = float(num_found / max(num_ngrams, 1))
    if share > MOST_SHARE:
        told.append(
            f"WARNING: {share:.1%} of all runs of {n} intervals are in the corpus, more "
            f"than {MOST_SHARE:.0%}; of real tunes held out of the default corpus 94 % are."
        )
    longest = np.concatenate([report.longest_match for report in reports])
    num_long = int((longest >= LONG_MATCH).sum())
    if num_long:
        told.append(
            f"WARNING: {num_long} of {len(longest)} works ({num_long / len(longest):.1%}) have "
            f"{LONG_MATCH} intervals or more in a row from the corpus; of real tunes held out of "
            "the default corpus 11 % do."
        )
    return told


def _nearness(report: OriginalityReport) -> tuple[int, float]:
    work = report.nearest_work
    return int(report.longest_match[work]), float(report.share[work])


def _bars(place: Any) -> str:
    first, last = place.bars
    return f"bar {first}" if first == last else f"bars {first} to {last}"

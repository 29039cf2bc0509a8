"""What an evaluation says of copies: rows, notes and warnings, with the corpus and without."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl import cli, configs, corpora
from creative_rl.corpora import Corpus
from creative_rl.experiment import RunSpec, evaluation, memorisation, opening, start
from creative_rl.experiment.memorisation import Learned
from creative_rl.experiment.report import write_report
from creative_rl.experiment.run import Run
from creative_rl.stores.sequences import Sequences
from creative_rl.works import Melody

TUNE = [9, 11, 13, 14, 16, 9, 18, 20, 13, 21, 11, 16, 9, 23, 14, 20, 11, 9]  # 17 intervals
OTHER = [14, 1, 15, 1, 17, 1, 14, 1]


def batch(*rows):
    events = [[*row, *[0] * (32 - len(row))] for row in rows]
    return Melody(np.array(events, np.int32), np.array([len(row) for row in rows], np.int32))


def words(*batches, seed=0):
    learned = Learned("the 2 pieces of tunes", [OTHER, [1] * 16 + TUNE], ["other", "tune"])
    return memorisation.notes([learned.report(works) for works in batches], learned, seed)


def test_the_nearest_work_is_named_with_its_bars():
    moved = [code + 4 for code in TUNE[:8]]
    notes = words(batch(OTHER, [0, *moved, 15], [14, 26]))
    assert "share of runs of 4" in notes[0] and "the 2 pieces of tunes" in notes[0]
    assert notes[1] == (
        "Nearest to them is work 2: 7 intervals in its bar 1 are those in bar 2 of tune (bars of "
        "16 sixteenths, from the start)."
    )
    assert len(notes) == 2  # 4 of 5 runs of four are in the corpus: no warning
    later = words(batch(OTHER), batch(OTHER, moved), seed=5)
    assert "is work 2 of seed 6: 7 intervals in its bar 1" in later[1]
    assert len(words(batch([1, 1]))) == 1  # nothing in common is nothing to name


def test_long_matches_and_many_found_are_warned_of():
    eleven, twelve = TUNE[:12], TUNE[:13]
    strange = [14, 25, 14, 26, 15, 27]
    assert not [note for note in words(batch(eleven, strange)) if note.startswith("WARNING")]
    warnings = words(batch(twelve, strange, strange))[2:]
    assert len(warnings) == 1 and warnings[0].startswith("WARNING: 1 of 3 works (33.3%) have 12")
    # Eight of eight runs of four.
    (warning,) = words(batch(eleven))[2:]
    assert warning.startswith("WARNING: 100.0% of all runs of 4 intervals are in the corpus")
    assert len(words(batch(twelve), batch(twelve))) == 4
    # Of all seeds' runs together: 8 of 11.
    assert len(words(batch(eleven), batch([*strange, 14, 27]))) == 2


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    """A likelihood run on copies of a tune, which is two pieces while `corpora.load` is patched."""
    window = np.tile(np.array([*TUNE, *TUNE[:15]], np.uint8), (40, 1))
    corpus = Corpus(
        sequences=Sequences(jnp.asarray(window[:32]), jnp.asarray(window[32:])),
        train_names=("other", "the tune"),
        train_pieces=(np.array(OTHER, np.uint8), window[0]),
        held_out_names=("none",),
        skipped=(),
        source="tunes",
    )
    patch = pytest.MonkeyPatch()
    patch.setattr(corpora, "load", lambda source, length: corpus)
    config = configs.LikelihoodConfig(
        batch_size=16, num_steps=100, memory_size=24, learning_rate=0.03
    )
    spec = RunSpec("toy_melody:Events", "likelihood", config, corpus="tunes", num_updates=2)
    run, _ = start(spec, tmp_path_factory.mktemp("runs") / "prior", progress=False, loggers=[])
    yield opening.open_run(run.path)
    patch.undo()


def tuned_by(path):
    """A run that has the prior at `path`, as far as it matters here."""
    spec = RunSpec("toy_melody:Events", "ppo", prior=str(path))
    return opening.OpenRun(Run(path, {"spec": spec.to_dict(), "hash": spec.hash}), None, None)


def test_a_run_that_copies_is_told_so(prior, capsys):
    path = prior.run.path
    assert cli.main(["evaluate", str(path), "--num", "16"]) == 0
    printed = capsys.readouterr().out.splitlines()
    table = json.loads((path / "evaluation.json").read_text())
    rows, notes = {row[0]: row[1:] for row in table["rows"]}, table["notes"]
    mean, low, high = rows["originality_longest_match"]
    assert 4 < mean <= 31 and low < mean < high
    assert 0.3 < rows["originality_share"][0] <= 1
    assert 0 < rows["self_bleu"][0] <= 1 and rows["self_bleu"][1:] == [None, None]
    assert "the 2 pieces of tunes" in notes[1] and " of the tune (bars of" in notes[2]
    assert [note for note in notes if note.startswith("WARNING")]
    assert printed[-len(notes) :] == notes
    page = write_report(path).read_text()
    for note in notes:
        shown = "warning" if note.startswith("WARNING") else "quiet"
        assert f'<p class="{shown}">{note}</p>' in page


def test_what_cannot_be_measured_is_a_note_and_what_needs_none_is_none(prior, monkeypatch):
    monkeypatch.setattr(memorisation, "learned_from", lambda *_: "Not measured.")
    rows, notes = evaluation.evaluate(prior.run.path, 16)
    assert notes == ["16 episodes; 95 % over 16 episodes", "Not measured."]
    names = {row.measure for row in rows}
    assert "self_bleu" in names and not [name for name in names if name.startswith("originality")]
    episodes = evaluation.Episodes(
        batch(TUNE), np.zeros(1), np.full(1, 32), reward_terms={}, ended=np.ones(1, bool)
    )
    assert "self_bleu" not in evaluation.measure(prior, episodes)  # one has no others


def test_a_run_learned_from_its_corpus_or_from_its_priors(prior, monkeypatch):
    """Whole pieces where they can be read, else the windows in the state, else a sentence."""
    states = opening.load_states(prior)
    tuned = tuned_by(prior.run.path)
    for opened in (prior, tuned):
        learned = memorisation.learned_from(opened, states)
        assert learned.what == "the 2 pieces of tunes"
        assert list(learned.names) == ["other", "the tune"] and learned.pieces[0].tolist() == OTHER

    def gone(source, length):
        raise ValueError("no such directory")

    monkeypatch.setattr(corpora, "load", gone)
    for opened, state in ((prior, states), (tuned, None)):
        learned = memorisation.learned_from(opened, state)
        assert learned.what == "the 32 windows of tunes" and learned.names[31] == "window 32"
        assert learned.pieces[:, : len(TUNE)].tolist() == [TUNE] * 32
    lost = memorisation.learned_from(tuned_by(prior.run.path / "none"), None)
    assert "not measured, because the corpus is not known: there is no run" in lost
    spec = RunSpec("toy_melody:Events", "ppo")
    without = opening.OpenRun(Run(prior.run.path, {"spec": spec.to_dict(), "hash": spec.hash}),
                               None, None)  # fmt: skip
    assert memorisation.learned_from(without, None) is None


def test_a_corpus_of_another_size_is_not_taken_for_it(prior):
    spec = prior.run.spec
    assert isinstance(memorisation._pieces(spec), Learned)
    changed = dataclasses.replace(spec, corpus_sizes=(33, 8, 33))
    assert "tunes is not what it was" in memorisation._pieces(changed)

"""Runs that write: a file is learned, a policy is tuned with its tokens, all of it without JAX's
help from the file once it is gone."""

import json

import numpy as np
import pytest

from creative_rl import experiment, works
from creative_rl.configs import LikelihoodConfig, PPOConfig
from creative_rl.experiment import preparation
from creative_rl.experiment.opening import load_states, open_run
from creative_rl.experiment.spec import RunSpec

TINY = LikelihoodConfig(batch_size=4, num_steps=1, memory_size=4)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "my.txt"
    path.write_text("".join(f"Öl {i} und Æther\n" for i in range(30)))
    return path


def test_a_file_is_learned_and_tuned_and_may_go(corpus, tmp_path):
    sizes = {"length": 12, "ends": False}
    spec = RunSpec("text", "likelihood", TINY, sizes, num_updates=1, corpus=str(corpus))
    experiment.start(spec, tmp_path / "prior", progress=False)
    corpus.unlink()
    opened = open_run(tmp_path / "prior")
    assert "Æ" in opened.env.letters.pieces and opened.env.length == 12
    assert load_states(opened).sequences.train.dtype == np.uint8
    policy = PPOConfig(num_envs=4, num_steps=12, recurrent="lstm", memory_size=4)
    tuned = RunSpec(
        "text", "ppo", policy, {"length": 12, "ends": False}, num_updates=1,
        prior=str(tmp_path / "prior"),
    )  # fmt: skip
    experiment.start(tuned, tmp_path / "tuned", progress=False)
    assert open_run(tmp_path / "tuned").env.env.letters == opened.env.letters
    experiment.create(tmp_path / "tuned", 1, num_best=0)
    written = works.load(tmp_path / "tuned/works/sample-00.json")
    assert (tmp_path / "tuned/works/sample-00.txt").read_text() == works.text(written)
    assert len(works.text(written)) == 12
    rows = {row.measure for row in experiment.evaluate(tmp_path / "tuned", 4).rows}
    assert {"distinct_works", "self_bleu", "term_overlap"} <= rows
    json.dumps(tuned.to_dict())


def test_an_oracle_is_its_own_corpus(monkeypatch):
    sizes = {"num_tokens": 300, "length": 3, "embedding_size": 2, "memory_size": 2}
    spec = RunSpec("text-oracle", "likelihood", TINY, sizes, corpus="default")
    prepared, sequences = preparation.prepare(spec)
    assert sequences.train.shape == (10_000, 4) and sequences.train.dtype == np.uint16
    assert prepared.corpus_sizes == (10_000, 1000, 4)
    other = RunSpec("text-oracle", "likelihood", TINY, sizes, corpus="my.txt")
    with pytest.raises(ValueError, match="learned from what its oracle writes; leave --corpus out"):
        preparation.prepare(other)

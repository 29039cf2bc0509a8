import dataclasses
import json
import random

import pytest
from midi_files import track, write

from creative_rl.cli import main
from creative_rl.experiment import demo


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The demo on a few tunes for a few updates."""
    tunes, draw = tmp_path / "tunes", random.Random(0)
    for number in range(12):
        pitches = [draw.choice((60, 62, 64, 65, 67, 69, 71, 72)) for _ in range(64)]
        notes = [(i / 2, (i + 1) / 2, pitch) for i, pitch in enumerate(pitches)]
        write(tunes / f"tune-{number}.mid", track(*notes))
    small_prior = dataclasses.replace(demo.PRIOR, batch_size=4, memory_size=8, num_steps=2)
    small_tuning = dataclasses.replace(demo.TUNING, num_envs=8)
    for name, value in {
        "CORPUS": str(tunes), "PRIOR": small_prior, "PRIOR_UPDATES": 2, "TUNING": small_tuning,
        "TUNING_UPDATES": 2, "NUM_MELODIES": 64,
    }.items():  # fmt: skip
        monkeypatch.setattr(demo, name, value)


def test_writes_runs_works_table_and_report(small, tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    tuned = out / "tuned"
    table = json.loads((tuned / "table.json").read_text())
    assert table["columns"] == ["metric", "prior", "tuned", "published Note RNN", "published Q"]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert len(rows) == 11 + 3 and rows["starts with tonic (+)"][2:] == ["0.90 %", "28.80 %"]
    assert rows["mean log p (+)"][2:] == ["–", "–"]
    # Hardly trained, the prior knows nothing: its log-likelihood is near that of 38 equal events.
    assert -4.5 < float(rows["mean log p (+)"][0]) < -2.5
    assert "| starts with tonic (+) " in printed and "report.html" in printed
    for kind in ("mid", "wav", "png", "json"):
        assert len(list((tuned / "works").glob(f"*.{kind}"))) >= 12
    page = (tuned / "report.html").read_text()
    assert "prior: likelihood" in page and page.count("<audio") == 12
    spec = json.loads((tuned / "config.json").read_text())["spec"]
    assert spec["weights"] == demo.WEIGHTS and spec["prior_config"]["memory_size"] == 8


def test_an_existing_directory_is_left_alone(small, tmp_path, capsys):
    kept = tmp_path / "prior" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    assert main(["demo", "--out", str(tmp_path)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert kept.read_text() == "mine"

"""Comparisons: which scores are read, what they are called, and what they add up to."""

import json

import numpy as np
import pytest
from PIL import Image

from creative_rl.cli import main
from creative_rl.experiment import comparison, comparison_picture
from creative_rl.experiment.run import FORMAT


def write_sweep(out, tasks):
    """A sweep's folder: tasks of (environment, learner, [scores of each trial]) and more keys."""
    described = []
    for number, (environment, learner, trials, more) in enumerate(tasks):
        ids = [f"t{number}-{index}" for index in range(len(trials))]
        for id, scores in zip(ids, trials, strict=True):
            (out / "trials" / id).mkdir(parents=True)
            history = [{"steps": 9, "num_updates": 1, "final": {"episode_return": scores}}]
            result = {"status": "completed", "history": history}
            (out / "trials" / id / "result.json").write_text(json.dumps(result))
        task = {
            "name": f"{environment}-{learner}", "environment": environment, "learner": learner,
            "metric": "episode_return", "direction": "max", "trials": [{"id": id} for id in ids],
        }  # fmt: skip
        described.append(task | more)
    (out / "sweep.json").write_text(
        json.dumps({"name": out.name, "budget": None, "tasks": described})
    )
    return out


def write_run(out, environment, learner, returns):
    out.mkdir()
    spec = {"environment": environment, "learner": learner}
    about = {"format": FORMAT, "spec": spec, "hash": "", "environment": {}, "versions": {}}
    (out / "config.json").write_text(json.dumps(about))
    rows = [
        {"update": n + 1, "steps": n + 1, "seconds": 0.0, "episode_return": value}
        for n, value in enumerate(returns)
    ]
    (out / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return out


@pytest.fixture
def two(tmp_path):
    tasks = [
        ("grid-path", "ppo", [[0.0, 4.0], [8.0, 10.0], [None, 99.0]], {}),
        ("grid-path", "dqn", [[0.0, 5.0]], {}),
        ("chords", "ppo", [[1.0, 1.0]], {"direction": "min"}),
        ("chords", "dqn", [[3.0, 2.0]], {"direction": "min"}),
    ]
    return write_sweep(tmp_path / "mine", tasks)


def test_scores_are_scaled_and_the_best_trial_counts(two):
    found = comparison.compare([two])
    assert found.shared == ("grid-path", "chords")
    # Of grid-path the trials' means are 2, 9 and unknown; runs are from 0 to 10.
    np.testing.assert_allclose(found.scaled["ppo"], [[0.8, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(found.scaled["dqn"], [[0.0, 0.5], [0.0, 0.5]])
    assert found.aggregates["ppo"].value == 1.0 and found.aggregates["dqn"].value == 0.25
    assert list(found.better) == [("ppo", "dqn")] and found.better["ppo", "dqn"].value == 1.0
    text = found.markdown()
    assert "| grid-path | 9 (2) | 2.5 (2) |" in text and "| ppo over dqn | 1 | 1 | 1 |" in text
    assert "of each task's 3 trials the best is shown, chosen by the same seeds" in text


def test_one_task_stays_in_its_unit_and_runs_are_read(tmp_path):
    one = write_run(tmp_path / "one", "grid-path", "ppo", [[0.0, 0.0]] * 9 + [[4.0, 6.0]])
    other = write_run(tmp_path / "other", "grid-path", "ppo", [7.0] * 5)
    found = comparison.compare([one, other])
    assert list(found.scores) == ["ppo (one)", "ppo (other)"]
    assert found.scores["ppo (one)"]["grid-path"].tolist() == [4.0, 6.0]
    assert found.aggregates["ppo (one)"].value == 5.0
    assert found.aggregates["ppo (other)"] == (7.0, None, None)  # one seed
    text = found.markdown()
    assert "| mean over grid-path | value |" in text and "| ppo (other) | 7 | – | – |" in text
    assert "| ppo (one) over ppo (other) | 0 | – | – |" in text
    assert (
        "Of fewer than four runs nothing is cut off: the mean of all runs, of ppo (one), " in text
    )
    assert "A task with one seed alone has no interval: ppo (other), ppo (one) over ppo" in text
    assert found.better["ppo (one)", "ppo (other)"].value == 0.0
    least = comparison.compare([one, other], direction="min")
    assert least.better["ppo (one)", "ppo (other)"].value == 1.0


def test_named_tasks_of_one_environment_are_told_apart(tmp_path):
    tasks = [
        ("grid-path", learner, [[score, score]], {"name": name} if name else {})
        for learner, score, name in (
            ("ppo", 1.0, None), ("ppo", 2.0, "large-ppo"),
            ("dqn", 3.0, "large-dqn"), ("dqn", 4.0, None),
        )
    ]  # fmt: skip
    found = comparison.compare([write_sweep(tmp_path / "sizes", tasks)])
    assert found.shared == ("grid-path", "grid-path (large)")
    means = {name: [own[t].mean() for t in found.shared] for name, own in found.scores.items()}
    assert means == {"ppo": [1.0, 2.0], "dqn": [4.0, 3.0]}
    with pytest.raises(ValueError, match=r"ppo has grid-path twice, in .*sizes; name one"):
        comparison.compare([tmp_path / "sizes"] * 2)


def test_tasks_that_are_not_shared_make_no_mean(tmp_path):
    one = write_run(tmp_path / "one", "grid-path", "ppo", [1.0])
    other = write_run(tmp_path / "other", "chords", "dqn", [2.0])
    found = comparison.compare([one, other])
    assert found.aggregates == {} and found.better == {}
    assert "| grid-path | 1 (1) | – |" in found.markdown()
    assert "No task is shared by all learners" in found.markdown()
    with pytest.raises(ValueError, match="share no task, so there is nothing to draw"):
        comparison_picture.write(found, str(tmp_path / "x.png"))


def test_refuses(tmp_path, two):
    run = write_run(tmp_path / "run", "grid-path", "ppo", [1.0])
    with pytest.raises(ValueError, match="unknown metric 'episode_retrun'; did you mean"):
        comparison.compare([run], "episode_retrun")
    with pytest.raises(ValueError, match="there is no run"):
        comparison.compare([tmp_path / "none"])
    with pytest.raises(ValueError, match="unknown metric 'loss'; known: episode_return"):
        comparison.compare([run], "loss")
    with pytest.raises(ValueError, match="none of the runs has a score; train them first"):
        comparison.compare([write_sweep(tmp_path / "new", [("chords", "ppo", [[None]], {})])])


def test_damaged_files_are_named(two):
    path = two / "trials" / "t1-0" / "result.json"
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"cannot read .*t1-0/result\.json .*; remove it"):
            comparison.compare([two])
    (two / "sweep.json").write_text("{")
    with pytest.raises(ValueError, match=r"cannot read .*sweep\.json .*; remove it and start"):
        comparison.compare([two])


@pytest.mark.parametrize(("returns", "titles"), [([1.0], 1), ([[1.0, 2.0]], 2)])
def test_only_what_there_is_is_drawn(returns, titles, tmp_path):
    run = write_run(tmp_path / "run", "grid-path", "ppo", returns)
    drawn = comparison_picture.draw(comparison.compare([run]), "svg").decode()
    shown = ["Mean", "Share of runs above a score", "Probability of improvement"]
    assert [f">{title}<" in drawn for title in shown] == [n < titles for n in range(3)]


def test_the_command_prints_and_draws(two, tmp_path, capsys):
    for suffix in ("png", "html", "svg"):
        path = tmp_path / f"picture.{suffix}"
        assert main(["compare", str(two), "--out", str(path)]) == 0
        out = capsys.readouterr().out
        assert "| interquartile mean over 2 tasks, scaled |" in out and str(path) in out
    with Image.open(tmp_path / "picture.png") as image:
        assert image.width > 1000
        assert len(image.convert("RGB").getcolors(1 << 24)) > 20
    page = (tmp_path / "picture.html").read_text()
    assert "data:image/svg+xml;base64," in page and "ppo over dqn" in page and "http:" not in page
    assert "ppo over dqn" in (tmp_path / "picture.svg").read_text()
    assert main(["compare", str(two), "--out", "picture.gif"]) == 2
    assert "--out: must end with .png, .svg, .html, got picture.gif" in capsys.readouterr().err

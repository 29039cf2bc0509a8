"""Which checkpoint is the best, by hand-made records."""

import numpy as np
import pytest

from creative_rl.experiment import SweepResult, best, records
from creative_rl.experiment.best import Scores


def test_the_first_measure_that_a_learner_has_counts():
    """A learner with episodes is scored by their return, also before the first has ended."""
    early = {"update": 1, "num_episodes": 0, "loss": 3.0}
    late = {"update": 2, "num_episodes": 2, "loss": 1.0, "episode_return": 7.0}
    scores = Scores([early, late])
    assert scores.metric == "episode_return"
    assert [scores.score(update) for update in (0, 1, 2)] == [None, None, 7.0]
    scores = Scores([{"update": 1, "qd_score": 5.0, "episode_return": 9.0}])
    assert (scores.metric, scores.score(1)) == ("qd_score", 5.0)
    scores = Scores([{"update": 1, "nll": 2.0, "loss": 3.0}])
    assert (scores.metric, scores.score(1)) == ("nll", -2.0)
    scores = Scores([{"update": 1, "generator_loss": 2.0}])
    assert (scores.metric, scores.score(1)) == (None, None)


def test_scores_are_means_over_the_last_records_and_all_seeds():
    scores = Scores()
    for update in range(1, 21):
        scores.write([{"update": 10 * update, "loss": [float(update), None, [update + 2.0]]}])
    assert scores.score(9) is None
    assert scores.score(10) == scores.score(19) == -2.0  # the mean of 1 and 3
    assert scores.score(100) == -(sum(range(1, 11)) / 10 + 1)
    assert scores.score(10_000) == -(sum(range(11, 21)) / 10 + 1)


def test_a_score_is_over_episodes_and_the_mean_that_sweeps_and_tables_have(monkeypatch):
    num_episodes = np.array([[5, 5], [1, 0], [3, 2]], np.int32)
    metrics = {
        "episode_return": np.array([[90.0, 90.0], [2.0, 0.0], [6.0, 8.0]], np.float32),
        "num_episodes": num_episodes,
        "loss": np.array([[90.0, 90.0], [1.0, 2.0], [4.0, 8.0]], np.float32),
    }
    builder = records.RecordBuilder(num_updates=3, steps_per_update=1)
    rows = builder.add(metrics, 0.0)
    found = records.final(rows, share=0.5)  # of three updates the last two
    assert (found["episode_return"], found["loss"]) == ([5.0, 8.0], [2.5, 5.0])
    swept = {name: values[:, None] for name, values in metrics.items()}
    result = SweepResult((), {}, {}, swept, np.zeros((1, 2), bool), "completed", 3)
    for name, means in found.items():
        if name != "num_episodes":
            assert result.final(name, 2).tolist() == [means]
    monkeypatch.setattr(best, "WINDOW", 2)
    assert Scores(rows).score(3) == 6.5
    losses = [{"update": row["update"], "loss": row["loss"]} for row in rows]
    assert Scores(losses).score(3) == -3.75
    assert Scores([{"update": 5, "loss": 1.0}, {"update": 6, "loss": 7.0}]).score(6) == -2.0


def test_scores_do_not_depend_on_when_records_came(tmp_path):
    """A run that was stopped reads them back, and finds the same."""
    rows = [{"update": n, "num_episodes": 1, "episode_return": float(n % 7)} for n in range(40)]
    whole, cut = Scores(rows), Scores(rows[:15])
    for row in rows[15:]:
        cut.write([row])
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(f"{row}\n".replace("'", '"') for row in rows))
    read = best.read_scores(path)
    for update in range(40):
        assert whole.score(update) == cut.score(update) == read.score(update)


@pytest.mark.parametrize("scores", [{}, {4: None}])
def test_no_score_is_no_best(scores):
    from creative_rl.experiment.checkpoint import best_of

    assert best_of([0, 4], scores.get) is None

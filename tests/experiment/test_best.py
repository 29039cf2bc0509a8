"""Which checkpoint is the best, by hand-made records."""

import pytest

from creative_rl.experiment import best
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

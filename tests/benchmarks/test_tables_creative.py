"""The creative table: its measures by hand, what is asked of it, and that its parts are parts."""

import dataclasses

import numpy as np
import pytest

from benchmarks.record import Row
from benchmarks.tables import creative
from creative_rl import corpora
from creative_rl.configs import DQNGANConfig
from creative_rl.corpora import digits


def dots(*places):
    """Pictures of 8 x 8 with one white pixel each."""
    pictures = np.zeros((len(places), 8, 8, 1), np.uint8)
    for picture, place in zip(pictures, places, strict=True):
        picture.reshape(-1)[place] = 255
    return pictures


def test_measures_by_hand():
    works, known, unknown = dots(*range(10)), dots(0, 20), dots(*range(9, 19))
    found = creative.measures(works, np.full(10, 0.5), known, unknown)
    apart = np.sqrt(2 / 64)  # two dots differ in two of 64 pixels
    # Every dot is as far from every other, so all are inside the balls around the held-out ones.
    assert found["realism"] == 1 and found["composition"] == 0.5 and found["quality"] == 0.75
    assert found["novelty"] == pytest.approx(apart)
    assert found["originality"] == pytest.approx(0.9 * apart)  # one of ten is known
    similar = np.exp(-4 * (apart / 0.35) ** 2)
    shares = np.array([1 + 9 * similar, *[1 - similar] * 9]) / 10
    assert found["diversity"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()) / 10)


def test_works_all_alike_are_neither_new_nor_varied():
    found = creative.measures(dots(*[3] * 8), np.zeros(8), dots(3), dots(*range(8)))
    assert found["novelty"] == found["originality"] == 0
    assert found["diversity"] == pytest.approx(1 / 8)


def test_digits_are_among_digits():
    pictures = corpora.load_pictures("digits", 8, 8)
    learned_from, held_out = (pictures[part] for part in digits.split(0))
    found = creative.measures_of_digits(learned_from, held_out)
    assert found["realism"] > 0.9 and 0.5 < found["composition"] < 1
    assert 0 < found["originality"] < 0.35


def figures(name, quality, diversity):
    return [
        Row(name, "quality", quality, quality - 0.01, quality + 0.01, 5),
        Row(name, "diversity", diversity, seeds=5),
    ]


@pytest.mark.parametrize(
    ("ours", "reached"), [((0.73, 0.6), [True, True]), ((0.715, 0.5), [False, False])]
)
def test_goals_are_held_against_the_better_part(ours, reached):
    found = [
        *figures("dqn_gan", *ours),
        *figures("DQN without GAN", 0.4, 0.9),
        *figures("GAN without DQN", 0.7, 0.55),
    ]
    goals = creative.goals(found)
    assert [goal.reached for goal in goals] == reached
    assert "GAN without DQN" in goals[1].what


def test_without_intervals_nothing_is_said_to_be_apart():
    found = [
        Row(name, metric, 0.5) for name in creative.PARTS for metric in ("quality", "diversity")
    ]
    assert [goal.reached for goal in creative.goals(found)] == [None, True]


def test_parts_differ_from_the_whole_in_what_makes_them_parts_alone():
    whole = dataclasses.asdict(DQNGANConfig(**creative.TOGETHER))
    for name, changes in creative.PARTS.items():
        part = dataclasses.asdict(DQNGANConfig(**{**creative.TOGETHER, **changes}))
        assert {field for field in whole if whole[field] != part[field]} == set(changes), name

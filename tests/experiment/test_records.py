"""Records are weighted means of windows, whatever the pieces that arrive."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_rl.experiment import records
from creative_rl.experiment.records import RecordBuilder


def summarise(metrics):
    """All rows as one window."""
    (summary,) = records.summarise(metrics, [0])
    return summary


def test_episodes_are_weighted_by_their_number():
    summary = summarise(
        {
            "loss": np.array([1.0, 2.0, 6.0], np.float32),
            "num_episodes": np.array([1, 0, 3], np.int32),
            "episode_return": np.array([10.0, 0.0, 2.0], np.float32),
            "finished": np.array([False, False, True]),
        }
    )
    assert summary == {"loss": 3.0, "num_episodes": 4, "episode_return": 4.0}


def test_no_episode_is_no_return():
    assert summarise({"num_episodes": np.zeros(2, int), "episode_return": np.zeros(2)}) == {
        "num_episodes": 0
    }


def test_a_list_has_one_number_a_seed():
    summary = summarise(
        {
            "loss": np.array([[1.0, 2.0], [3.0, 4.0]]),
            "num_episodes": np.array([[0, 1], [0, 1]]),
            "episode_return": np.array([[0.0, 5.0], [0.0, 7.0]]),
        }
    )
    assert summary == {"loss": [2.0, 3.0], "num_episodes": [0, 2], "episode_return": [None, 6.0]}
    json.dumps(summary, allow_nan=False)


def test_windows_are_separate():
    made = records.summarise(
        {
            "loss": np.array([1.0, 3.0, 8.0]),
            "num_episodes": np.array([0, 0, 2]),
            "episode_return": np.array([0.0, 0.0, 9.0]),
        },
        [0, 2],
    )
    assert made == [
        {"loss": 2.0, "num_episodes": 0},
        {"loss": 8.0, "num_episodes": 2, "episode_return": 9.0},
    ]


def test_few_updates_have_a_record_each():
    builder = RecordBuilder(num_updates=3, steps_per_update=10)
    made = builder.add({"loss": np.array([0.5, 0.25], np.float32)}, seconds=1.5)
    assert made == [
        {"update": 1, "steps": 10, "seconds": 1.5, "loss": 0.5},
        {"update": 2, "steps": 20, "seconds": 1.5, "loss": 0.25},
    ]


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.integers(0, 30),
    st.sampled_from([1, 5 * records.MAX_RECORDS, 7 * records.MAX_RECORDS - 1]),
)
def test_pieces_do_not_matter(sizes, first, num_updates):
    values = np.arange(sum(sizes), dtype=np.float32)
    whole = RecordBuilder(num_updates, 1, first)
    expected = whole.add({"x": values}, 0.0) + whole.flush(0.0)
    pieces, made = RecordBuilder(num_updates, 1, first), []
    for part in np.split(values, np.cumsum(sizes)[:-1]):
        made += pieces.add({"x": part}, 0.0)
    made += pieces.flush(0.0)
    assert made == expected
    ends = [record["update"] for record in made]
    assert ends[-1] == first + sum(sizes) and ends == sorted(set(ends))
    assert all(end % whole.window == 0 for end in ends[:-1])
    starts = [first, *ends[:-1]]
    for record, start, end in zip(made, starts, ends, strict=True):
        mean = values[start - first : end - first].mean(dtype=np.float64)
        assert record["x"] == pytest.approx(mean, rel=1e-6)


def test_at_most_about_two_thousand():
    builder = RecordBuilder(1_000_000, 1)
    made = builder.add({"x": np.zeros(1_000_000, np.float32)}, 0.0)
    assert len(made) == 2000


def test_truncate_drops_later_updates_and_a_cut_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [json.dumps({"update": n, "seconds": n / 2}) for n in (1, 2, 3)]
    path.write_text("\n".join(lines) + '\n{"update": 4, "sec')
    assert [record["update"] for record in records.read_records(path)] == [1, 2, 3]
    assert records.truncate(path, 2)[-1]["seconds"] == 1.0
    assert path.read_text() == "\n".join(lines[:2]) + "\n"
    assert records.truncate(path, 0) == [] and path.read_text() == ""
    assert records.truncate(tmp_path / "none", 5) == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("line", [b"rubbish", b"[1]", b"\xff", b"[" * 100_000])
def test_damage_in_the_middle_is_named(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"update": 1, "seconds": 1}\n' + line + b"\n")
    with pytest.raises(ValueError, match=r"cannot read .*metrics\.jsonl, line 2: .*; remove it"):
        records.truncate(path, 1)
    assert line in path.read_bytes()

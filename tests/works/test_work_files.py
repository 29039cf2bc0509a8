"""save, load, unbatch: the suffix decides, nothing is lost, mistakes are one line."""

import json
import subprocess
import sys

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from works import canvases, scores
from works.melodies import assert_same, melodies, melody

from creative_rl import atomic, works
from creative_rl.works import Walk


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(melodies())
def test_json_comes_back_the_same(tmp_path_factory, original):
    path = tmp_path_factory.mktemp("json") / "melody.json"
    works.save(original, path)
    assert_same(works.load(path), original)


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(scores.scores())
def test_scores_in_json_come_back_the_same(tmp_path_factory, original):
    path = works.save(original, tmp_path_factory.mktemp("json") / "score.json")
    scores.assert_same(works.load(path), original)


@pytest.mark.parametrize("work", [melody([14, 1, 0]), scores.lines("C4 -", "C3 .")])
@pytest.mark.parametrize(
    ("suffix", "start"),
    [
        (".mid", b"MThd"),
        (".wav", b"RIFF"),
        (".PNG", b"\x89PNG"),
        (".musicxml", b"<?xml"),
        (".json", b"{"),
    ],
)
def test_the_suffix_decides(tmp_path, work, suffix, start):
    path = works.save(work, tmp_path / f"music{suffix}")
    assert path.read_bytes().startswith(start)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"music{suffix}"]


def test_a_batch_of_scores_from_the_device_splits_into_works(tmp_path):
    singles = [scores.lines("C4 -", "C3 .", names=("a", "b")) for _ in range(2)]
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *singles)
    for single in works.unbatch(batch):
        scores.assert_same(single, singles[0])
    for suffix in works.suffixes(singles[0]):
        with pytest.raises(ValueError, match=r"works\.unbatch"):
            works.save(batch, tmp_path / f"batch{suffix}")


def test_a_batch_from_the_device_splits_into_works(tmp_path):
    batch = works.Melody(
        events=jnp.array([[14, 1, 0], [16, 18, 1]], jnp.int32), length=jnp.array([3, 2], jnp.int32)
    )
    singles = works.unbatch(batch)
    assert_same(singles[0], melody([14, 1, 0]))
    assert_same(singles[1], melody([16, 18, 1], 2))
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(singles))
    assert_same(works.load(works.save(singles[1], tmp_path / "one.json")), singles[1])
    for suffix in (".mid", ".wav", ".png", ".musicxml", ".json"):
        with pytest.raises(ValueError, match=r"works\.unbatch"):
            works.save(batch, tmp_path / f"batch{suffix}")


def test_every_work_has_its_text():
    walked = Walk(np.array([[0, 0], [0, 1]], np.int32), np.int32(1), np.ones(2, np.int32), size=2)
    painted = canvases.canvas([canvases.stroke((0, 0), (1, 1), (1, 0))], size=(8, 12))
    assert works.text(works.parse("C4 - .")) == "C4 - ."
    assert "C4" in works.text(scores.lines("C4 -", "C3 .")).splitlines()[0]
    assert works.text(walked) == "0 1\n. *\n1 step, not at the goal"
    assert works.text(painted) == "12 x 8 pixels, 1 stroke"
    with pytest.raises(ValueError, match="works are Melody, Score, Walk, Canvas, Text, got a dict"):
        works.text({})
    with pytest.raises(ValueError, match=r"works\.unbatch"):
        works.text(jax.tree.map(lambda leaf: leaf[None], walked))


def test_unbatch_refuses_what_is_no_batch():
    with pytest.raises(ValueError, match="leading axis"):
        works.unbatch(melody([14]))
    with pytest.raises(ValueError, match=r"\(2,\), \(3,\)"):
        works.unbatch((np.zeros(2), np.zeros(3)))


def test_refusals_name_the_formats_and_the_folder(tmp_path):
    with pytest.raises(
        ValueError, match=r"\.png, \.musicxml, \.svg, \.json, got the file name 'a\.ogg'"
    ):
        works.save(melody([14]), tmp_path / "a.ogg")
    with pytest.raises(ValueError, match="works are Melody, Score, Walk, Canvas, Text, got a dict"):
        works.save({}, tmp_path / "a.mid")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none; create it first"):
        works.save(melody([14]), tmp_path / "none" / "a.mid")
    with pytest.raises(ValueError, match=r"read from \.mid, \.json, \.png, \.txt, got 'a\.wav'"):
        works.load(tmp_path / "a.wav")
    with pytest.raises(FileNotFoundError):
        works.load(tmp_path / "a.mid")


@pytest.mark.parametrize(
    ("work", "line"),
    [
        (melody([82]), "events must be in 0..81, got 82"),
        (melody([-1]), "events must be in 0..81, got -1"),
        (melody([14], 2), "length must be in 0..1, got 2"),
        (melody([14], tempo=float("nan")), "tempo"),
        (melody([14], steps_per_quarter=0), "steps_per_quarter"),
        (works.Melody(np.zeros(2, np.float32), np.array(2, np.int32)), "must be integers"),
    ],
)
def test_a_work_out_of_range_leaves_what_was_there(tmp_path, work, line):
    path = works.save(melody([14]), tmp_path / "melody.json")
    with pytest.raises(ValueError, match=line):
        works.save(work, path)
    assert_same(works.load(path), melody([14]))


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = works.save(melody([14]), tmp_path / "melody.json")

    def full(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(atomic.os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        works.save(melody([16]), path)
    monkeypatch.undo()
    assert_same(works.load(path), melody([14]))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"work": "Opera"}, '"work" must be one of Melody, Score'),
        ({"events": [1.5]}, "events: its values are no int32"),
        ({"events": [1, 2]}, "reshape"),
        ({"events": [200]}, "events must be in 0..81"),
        ({"events": [1 << 40]}, "melody.json"),
        ({"tempo": "fast"}, "melody.json"),
        ({"tempo": None}, "melody.json"),
        ({"colour": 1}, "its fields must be"),
        ({"arrays": 3}, "melody.json"),
        ({"arrays": {"events": {"dtype": "O", "shape": [1]}}}, "numbers"),
    ],
)
def test_damaged_json_is_refused_in_one_line(tmp_path, change, line):
    path = works.save(melody([14]), tmp_path / "melody.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match=line) as caught:
        works.load(path)
    assert "melody.json" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"names": [1, 2]}, "names must be none or 2 strings"),
        ({"names": "a"}, "names must be none or 2 strings"),
        ({"names": None}, "score.json"),
        ({"velocities": [[0, 0], [0, 0]]}, "velocities of notes must be in 1..127"),
        ({"chords": [61, 0]}, "chords must be in 0..60"),
        ({"events": [62, 1, 50, 1]}, "score.json"),
    ],
)
def test_damaged_scores_are_refused_in_one_line(tmp_path, change, line):
    path = works.save(scores.lines("C4 -", "C3 -"), tmp_path / "score.json")
    document = json.loads(path.read_text()) | change
    if change.get("events"):
        document["arrays"]["events"]["shape"] = [4]
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=line) as caught:
        works.load(path)
    assert "score.json" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"work": "Melody"}'])
def test_json_that_is_no_work_is_refused(tmp_path, data):
    path = tmp_path / "melody.json"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"melody\.json is not a work in JSON"):
        works.load(path)


def test_importing_works_imports_no_media_package():
    code = (
        "import sys, creative_rl.works; "
        "print(*{'mido', 'PIL', 'matplotlib', 'jinja2', 'verovio'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(("suffix", "package"), [(".mid", "mido"), (".png", "PIL")])
def test_a_missing_package_is_one_line_that_names_the_extra(tmp_path, monkeypatch, suffix, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=r"pip install 'creative_rl\[media\]'"):
        works.save(melody([14]), tmp_path / f"melody{suffix}")
    assert list(tmp_path.iterdir()) == []

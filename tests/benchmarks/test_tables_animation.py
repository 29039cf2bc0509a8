"""What measures clips, what they are measured beside, and the table from there to its file."""

import io
import itertools
import json

import numpy as np
import pytest

from benchmarks import record
from benchmarks.tables import animation, clip_judge
from benchmarks.tables.clip_judge import BASELINES, DISCRIMINABILITY

PLAN = animation.QUICK


@pytest.fixture(scope="module")
def clips():
    return animation.real_clips(PLAN, 0, 0, 24)


def test_baselines_are_what_they_say(clips):
    made = {name: make(clips, 16, 0) for name, make in BASELINES.items()}
    for name, found in made.items():
        assert (found.shape, found.dtype) == (clips[:16].shape, np.uint8), name
    mixed = made["shuffled frames"]
    np.testing.assert_array_equal(
        *(np.sort(each.reshape(16, 4, -1), axis=1) for each in (clips[:16], mixed))
    )
    assert (mixed != clips[:16]).any()
    assert (made["static frames"] == made["static frames"][:, :1]).all()
    mean = made["Gaussian, PCA 64"].mean(axis=0) - clips.mean(axis=0)
    assert np.abs(mean).mean() < 12
    drifts = {name: clip_judge.drifts(found) for name, found in made.items()}
    real = clip_judge.drifts(clips[:16])
    assert drifts["static frames"] == pytest.approx(dict.fromkeys(real, 0.0), abs=1e-5)
    mixed = drifts["shuffled frames"]
    assert mixed["colour drift"] == pytest.approx(real["colour drift"], abs=1e-5)
    assert mixed["jolt"] > 1.2 * real["jolt"]
    for measure in ("colour drift", "jolt"):
        assert drifts["noise in every frame"][measure] > 1.2 * real[measure]


def test_the_gaussian_has_the_covariance_of_what_it_is_given():
    rng = np.random.default_rng(0)
    wave = np.linspace(-1, 1, 2 * 8 * 8 * 3).reshape(2, 8, 8, 3)
    ways = rng.normal(size=(60, 1, 1, 1, 1))
    given = np.rint(128 + 20 * ways * wave).astype(np.uint8)
    drawn = clip_judge.gaussian(given, 60, 1).astype(float) - 128
    shares = (drawn * wave).sum(axis=(1, 2, 3, 4)) / (wave**2).sum()
    assert 14 < shares.std() < 26 and abs(shares.mean()) < 10
    assert np.abs(drawn - shares[:, None, None, None, None] * wave).mean() < 3


def test_a_classifier_tells_what_differs_and_nothing_else(clips):
    others = animation.real_clips(PLAN, 1, 0, 24)
    told = [
        clip_judge.discriminability(clips, made, 0, (4, 4), 150)
        for made in (others, np.zeros_like(clips))
    ]
    assert told[0] < 0.7 < 0.8 < told[1]
    with pytest.raises(ValueError, match=r"both sets must be of one shape, .* and \(5, 4, 16"):
        clip_judge.discriminability(clips, clips[:5], 0, (4, 4), 2)


def test_the_learner_learns_from_what_it_is_given():
    generator = animation.Generator(PLAN)
    dark, bright = (np.full((24, 4, 16, 16, 3), level, np.uint8) for level in (0, 255))
    made = [generator(known, 18, 0) for known in (dark, bright)]
    assert made[0].shape == (18, 4, 16, 16, 3) and made[0].dtype == np.uint8
    assert made[0].mean() < made[1].mean()
    assert not np.array_equal(made[0][0], made[0][1])


def test_the_table_from_its_clips_to_its_file(tmp_path, monkeypatch, clips):
    image = pytest.importorskip("PIL.Image")
    told = {"moving shapes anew": 0.5, "video_gan": 0.8, "Gaussian, PCA 64": 0.9}
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(animation, "PLAN", PLAN)
    monkeypatch.setattr(animation, "Generator", lambda plan: lambda known, num, seed: known[:num])
    names = itertools.cycle(["moving shapes anew", *BASELINES, "video_gan"])

    def measured(plan, made, unseen):
        assert set(made) == set(unseen) and not np.array_equal(made[0], unseen[0])
        name = next(names)
        return [
            {**clip_judge.drifts(each), DISCRIMINABILITY: told.get(name, 1.0)}
            for each in made.values()
        ]

    monkeypatch.setattr(animation, "measured", measured)
    animation.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    animation.main(["--seeds", "2", "--steps", "4"])
    written = json.loads((tmp_path / "animation.json").read_text())
    assert written["command"].endswith("animation --seeds 2 --steps 4")
    assert len(written["rows"]) == 4 * (2 + len(BASELINES))
    assert {row["seeds"] for row in written["rows"]} == {2}
    assert all(goal["reached"] for goal in written["goals"]), written["goals"]
    sheet = image.open(io.BytesIO((tmp_path / "animation.png").read_bytes()))
    assert sheet.mode == "RGB" and sheet.size[1] > 9 * 16


def test_numbers_below_one_are_refused():
    for arguments in (["--seeds", "0"], ["--steps", "0"]):
        with pytest.raises(SystemExit):
            animation.main(arguments)

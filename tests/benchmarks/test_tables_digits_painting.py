"""The painting table: what is searched, what learners paint, and what is asked of them."""

import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

import creative_rl as crl
from benchmarks import record
from benchmarks.tables import digits_painting, painting_sheet
from benchmarks.tables.painting_learners import RECIPES, Painter, redrawn
from benchmarks.tables.painting_search import best_of, random_strokes
from creative_rl.configs import APGConfig, PPOConfig
from creative_rl.ops import raster

BY_NAME = {recipe.name: recipe for recipe in RECIPES}
TINY = BY_NAME["apg for 5 strokes"]._replace(
    config=APGConfig(num_envs=2, hidden_sizes=(4,)), num_updates=1, num_seeds=2
)


@pytest.fixture(scope="module")
def pictures():
    pytest.importorskip("sklearn")
    return digits_painting.pictures()


def test_learners_see_every_picture_but_the_targets(pictures):
    targets, others = pictures
    assert (targets.shape, others.shape) == ((30, 32, 32, 1), (1767, 32, 32, 1))
    everything = np.concatenate([targets, others]).reshape(1797, -1)
    digits = crl.corpora.load_pictures("digits", 32, 32).reshape(1797, -1)
    order = np.random.default_rng(0).permutation(1797)
    np.testing.assert_array_equal(everything, digits[order])


def test_the_error_of_a_blank_canvas_is_the_published_one(pictures):
    targets, _ = pictures
    assert round(digits_painting.error(np.zeros_like(targets), targets), 4) == 0.2289
    assert digits_painting.error(targets, targets) == 0.0
    halves = np.array([0, 51], np.uint8).reshape(2, 1, 1, 1)
    # One pixel is off by 0 and the other by 51 / 255.
    assert digits_painting.error(halves, np.zeros_like(halves)) == pytest.approx(0.02)


def test_random_strokes_are_the_anchors(key):
    strokes = np.asarray(random_strokes(key, 4000))
    x0, y0, x1, y1, x2, y2, r0, r2, w0, w2, colour = strokes.T
    for numbers, low, high in (
        (x0, 0, 1), (y2, 0, 1), (r0, 0.5 / 32, 0.5 / 32 + 0.12), (r2, 0.5 / 32, 0.5 / 32 + 0.12),
        (w0, 0, 1),
    ):  # fmt: skip
        assert low <= numbers.min() < numbers.max() <= high
        np.testing.assert_allclose(numbers.mean(), (low + high) / 2, rtol=0.05)
    np.testing.assert_array_equal(w0, w2)
    for middle, start, end in ((x1, x0, x2), (y1, y0, y2)):
        assert (middle >= np.minimum(start, end) - 1e-6).all()
        assert (middle <= np.maximum(start, end) + 1e-6).all()
    assert set(colour) == {0.0, 1.0}
    assert abs(colour.mean() - 0.7) < 0.03


def test_the_search_takes_the_stroke_that_leaves_the_smallest_error(key):
    # One picture and one step: every stroke that is tried is drawn alone.
    target = jnp.asarray(crl.corpora.load_pictures("shapes", 16, 16)[:1])
    found = np.asarray(best_of(key, target, 20, 1))
    (key_picture,) = jax.random.split(key, 1)
    (key_step,) = jax.random.split(key_picture, 1)
    draw = jax.jit(lambda stroke: raster.render(stroke[None], 16, 16, 0.0))
    drawn = [np.asarray(draw(stroke)) for stroke in random_strokes(key_step, 20)]
    errors = [digits_painting.error(canvas[None], np.asarray(target)) for canvas in drawn]
    np.testing.assert_array_equal(found[0, 0], drawn[int(np.argmin(errors))])
    assert len(set(errors)) > 10


def test_more_tries_and_more_strokes_come_nearer(key):
    targets = jnp.asarray(crl.corpora.load_pictures("shapes", 16, 16)[:8])
    few, many = (np.asarray(best_of(key, targets, num, 4)) for num in (2, 40))
    last = [digits_painting.error(found[:, -1], np.asarray(targets)) for found in (few, many)]
    assert last[1] < 0.7 * last[0]
    steps = [digits_painting.error(many[:, step], np.asarray(targets)) for step in range(4)]
    assert steps == sorted(steps, reverse=True)


def test_what_is_redrawn_is_the_environments_own_canvas(key, pictures):
    targets = jnp.asarray(pictures[0][:3])
    recipe = BY_NAME["ppo"]._replace(
        config=PPOConfig(num_envs=2, num_steps=2, num_minibatches=1, hidden_sizes=(4,)),
        overrides={"num_steps": 3},
        num_updates=1,
    )
    painter = Painter(recipe, jnp.asarray(pictures[1][:5]))
    canvases = np.asarray(painter.paint(painter.train(key), key, targets))
    assert canvases.shape == (3, 3, 32, 32, 1)
    assert len(np.unique(canvases[:, -1])) > 2

    env = crl.make("drawing-digits", num_steps=3)
    step = jax.jit(env.step)
    state, _ = env.reset(key, env.default_params)
    seen = []
    for key_action in jax.random.split(key, 3):
        state, timestep = step(key, state, env.action_space.sample(key_action), env.default_params)
        seen.append(np.asarray(timestep.observation["canvas"]))
    np.testing.assert_array_equal(redrawn(state.strokes[None], 32, 32)[0], np.stack(seen))


def test_painters_look_at_their_targets(key, pictures):
    """A policy whose strokes differ from target to target, and not from seed to seed of a step."""
    painter = Painter(TINY, jnp.asarray(pictures[1][:5]))
    state = painter.train(key)
    targets = jnp.asarray(pictures[0][:2])
    first, second = np.asarray(painter.paint(state, key, targets))
    assert not np.array_equal(first, second)
    swapped = np.asarray(painter.paint(state, jax.random.clone(key), targets[::-1]))
    np.testing.assert_array_equal(swapped, [second, first])


def test_a_recipe_says_its_settings():
    assert str(TINY) == (
        "creative_rl apg on drawing-digits, differentiable True, num_steps 5, num_envs 2, "
        "hidden_sizes (4,), decay, 1 updates"
    )


def painted(targets, shades):
    """Paintings of one seed for each shade: after every stroke a canvas of that shade."""
    num = len(targets)
    return [np.full((num, 10, 32, 32, 1), shade, np.uint8) for shade in shades]


def test_rows_are_means_over_seeds_and_goals_are_kept_or_not():
    targets = np.zeros((2, 32, 32, 1), np.uint8)
    paintings = {
        "best of 512 random strokes": painted(targets, [51, 51]),
        "apg for 5 strokes": [seed[:, :5] for seed in painted(targets, [0, 51])],
        "apg for 10 strokes": painted(targets, [102]),
    }
    found = digits_painting.rows(paintings, targets, RECIPES)
    assert [row.name for row in found[2:]] == [
        *["best of 512 random strokes"] * 2, "apg for 5 strokes", *["apg for 10 strokes"] * 2
    ]  # fmt: skip
    searched, _, five, ten, _ = found[2:]
    assert (searched.published, searched.seeds) == (0.0421, 2)
    np.testing.assert_allclose([searched.value, searched.low, searched.high], 0.04)
    np.testing.assert_allclose([five.value, five.low, five.high], [0.02, 0.0, 0.04])
    assert five.source.startswith("creative_rl apg on drawing-digits, differentiable True")
    assert (ten.low, ten.high) == (None, None)
    goals = digits_painting.goals(found)
    assert [goal.reached for goal in goals] == [True, False, True]
    np.testing.assert_allclose([goal.value for goal in goals], [0.02, 0.16, 0.02])
    assert [goal.bound for goal in goals] == [0.0421, 0.0233, 0.0233]


def test_the_sheet_shows_every_picture_enlarged():
    rows = {
        "white": np.full((2, 8, 10, 1), 255, np.uint8),
        "black": np.zeros((2, 8, 10, 1), np.uint8),
    }
    sheet = np.asarray(Image.open(io.BytesIO(painting_sheet.encode(rows))))
    gap, margin = painting_sheet.GAP, painting_sheet.MARGIN
    assert sheet.shape == (gap + 2 * (24 + gap), margin + 2 * (30 + gap))
    assert (sheet[gap : gap + 24, margin + 30 + gap : margin + 60 + gap] == 255).all()
    assert (sheet[2 * gap + 24 : 2 * gap + 48, margin : margin + 30] == 0).all()
    assert (sheet[:, :margin] > 200).any()  # the names


class Grey:
    """A painter that needs no training: every stroke makes the whole canvas a little lighter."""

    def __init__(self, recipe, pictures):
        self.num_strokes = dict(recipe.overrides).get("num_steps", 10)
        self.num_updates = recipe.num_updates

    def train(self, key):
        return jax.random.bits(key, (), jnp.uint8) % 8

    def paint(self, state, key, targets):
        shades = 8 * jnp.arange(1, 1 + self.num_strokes, dtype=jnp.uint8) + state
        shape = (len(targets), self.num_strokes, *targets.shape[1:])
        return jnp.broadcast_to(shades[None, :, None, None, None], shape)


def test_the_benchmark_from_its_painters_to_its_files(tmp_path, monkeypatch, capsys, pictures):
    targets, others = pictures
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(digits_painting, "pictures", lambda: (targets[:3], others[:5]))
    monkeypatch.setattr(digits_painting, "best_of", few)
    monkeypatch.setattr(digits_painting, "Painter", Grey)
    monkeypatch.setattr(digits_painting.compilation_cache, "enable", lambda: None)
    digits_painting.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    digits_painting.main([])
    assert {path.name for path in tmp_path.iterdir()} == {
        "digits_painting.json", "digits_painting.png"
    }  # fmt: skip
    found = json.loads((tmp_path / "digits_painting.json").read_text())
    seeds = {row["name"]: row["seeds"] for row in found["rows"]}
    assert seeds == {
        "blank canvas": 1, "best of 64 random strokes": 5, "best of 512 random strokes": 5,
        **{recipe.name: recipe.num_seeds for recipe in RECIPES},
    }  # fmt: skip
    assert sum(row["name"] == "apg for 5 strokes" for row in found["rows"]) == 1
    assert [goal["reached"] for goal in found["goals"]] == [False, False, False]
    assert "apg for 5 strokes, seed 1: 0." in capsys.readouterr().err


def few(key, targets, num_tried, num_strokes):
    """As the search, with two tries for every stroke."""
    return best_of(key, targets, 2, num_strokes)

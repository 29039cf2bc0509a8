"""A trained painter on pictures of any size, with a learner whose strokes are known."""

import types
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl
from creative_rl.experiment import painting_run
from creative_rl.experiment.opening import OpenRun
from creative_rl.experiment.painting_run import RunPainter


class MeanPainter(NamedTuple):
    """Covers the canvas with the mean colour of the target, in every step; sees what it is on."""

    def act(self, state, key, timestep, memory):
        seen = jax.tree.map(lambda picture: picture / 255.0, timestep.observation)
        colour = seen["target"].mean(axis=(0, 1))
        shape = jnp.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.0])
        return jnp.concatenate([shape, colour * state]), memory

    def init_memory(self):
        return ()


def open_with(monkeypatch, env, state=1.0):
    run = types.SimpleNamespace(path="runs/x", spec=types.SimpleNamespace(environment="the-id"))
    monkeypatch.setattr(painting_run, "open_run", lambda path: OpenRun(run, env, MeanPainter()))
    monkeypatch.setattr(painting_run, "load_states", lambda opened: jnp.array([state]))
    return RunPainter("runs/x")


@pytest.fixture(scope="module")
def env():
    # One stroke of radius 0.8 + 0.5 of the side covers a tile and more.
    return creative_rl.make(
        "drawing-copy", height=8, width=8, num_steps=1, channels=3, max_radius=0.5, least_radius=2.5
    )


@pytest.fixture(scope="module")
def picture():
    """Four quarters of a picture 32 x 48, each of one colour, the second the brightest."""
    colours = np.array([[[30, 60, 90], [250, 240, 230]], [[90, 60, 30], [120, 90, 120]]], np.uint8)
    return np.repeat(np.repeat(colours, 16, axis=0), 24, axis=1)


def test_the_whole_is_painted_before_the_quarters(monkeypatch, env, picture):
    painter = open_with(monkeypatch, env)
    assert (painter.channels, painter.background) == (3, 0.0)
    found = list(painter(picture, 3, 0.0, jax.random.key(0)))
    assert [len(strokes) for strokes in found] == [1, 1, 1]
    first, second, _ = np.concatenate(found)
    np.testing.assert_allclose(first[10:], picture.mean((0, 1)) / 255, atol=0.01)
    np.testing.assert_allclose(first[:2], [0.5, 0.5])
    # The brightest quarter is furthest from the mean: its middle is at (3/4, 1/4).
    np.testing.assert_allclose(second[:6], [0.75, 0.25] * 3)
    np.testing.assert_allclose(second[10:], picture[0, -1] / 255, atol=0.01)
    # A disc keeps its area: 6.5 of 8 pixels on a tile of 16 x 24 of a picture 48 wide.
    np.testing.assert_allclose(second[6], 6.5 / 8 * np.sqrt(16 * 24) / 48, rtol=1e-5)


def test_an_episode_that_does_harm_is_left_out(monkeypatch, env, picture):
    black = open_with(monkeypatch, env, state=0.0)
    bright = np.full_like(picture, 200)
    found = list(black(bright, 50, 0.5, jax.random.key(0)))
    assert len(found) == 1  # the whole picture's, whatever it does


def test_no_more_strokes_than_asked_for(monkeypatch, picture):
    env = creative_rl.make("drawing-copy", height=8, width=8, num_steps=4, channels=3)
    found = list(open_with(monkeypatch, env)(picture, 3, 0.0, jax.random.key(0)))
    assert sum(map(len, found)) == 3


@pytest.mark.parametrize(
    ("name", "keywords"),
    [("grid-path", {}), ("drawing-free", {}), ("drawing-pixels", {"goal": "copy"})],
)
def test_other_runs_are_refused(monkeypatch, name, keywords):
    env = creative_rl.make(name, **keywords)
    with pytest.raises(ValueError, match=r"runs/x is a run of the-id, whose works are no strokes"):
        open_with(monkeypatch, env)

"""Recognisability by hand, and against what the environment measures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.metrics import recognisability
from creative_rl.ops import melody_style
from creative_rl.works.melody import Melody


def works(events, lengths=None, **fields):
    events = np.asarray(events, np.int32)
    lengths = [events.shape[-1]] * len(events) if lengths is None else lengths
    return Melody(events, np.asarray(lengths, np.int32), **fields)


def test_by_hand():
    original = [14, 1, 16, 1]
    versions = [
        original,
        [26, 1, 16, 1],  # C an octave higher: the tune goes down and not up
        [14, 1, 1, 16],  # D late: 3/4 of the pitches, 1/2 of the directions, 1/3 of the starts
        [0, 1, 1, 1],
    ]
    found = recognisability(works(versions, steps_per_quarter=2), [original] * 4)
    np.testing.assert_allclose(found, [1, 2 / 3, (3 / 4 + 1 / 2 + 1 / 3) / 3, 0])
    assert found.dtype == np.float64


def test_it_is_what_the_environment_measures():
    rng = np.random.default_rng(0)
    events = rng.integers(0, 38, (50, 16))
    events[rng.random(events.shape) < 0.5] = 1
    others = np.where(rng.random(events.shape) < 0.7, events, events[::-1])
    pair = (jnp.asarray(codes, jnp.int32) for codes in (events, others))
    measured = jax.jit(jax.vmap(lambda e, o: melody_style.resemblance(e, o, 4)))(*pair)
    np.testing.assert_allclose(recognisability(works(events), others), measured, rtol=1e-6)


@pytest.mark.parametrize(
    ("batch", "originals", "line"),
    [
        (works([[14, 1] * 4]), [[14, 1] * 4] * 2, r"as many events, got \[1, 8\] and \[2, 8\]"),
        (Melody(np.full(8, 14), np.int32(8)), [14] * 8, r"must be a batch .* got \[8\]"),
        (works([[14, 1] * 4], [7]), [[14, 1] * 4], r"works must be whole, .* values \[7\]"),
        (works([[14, 1]]), [[14, 1]], "longer than a beat, 4 steps, got 2"),
        (works([[14, 1] * 4]), [[14, -1] * 4], r"codes in 0\.\.81, got -1"),
    ],
)
def test_refusals(batch, originals, line):
    with pytest.raises(ValueError, match=f"recognisability: .*{line}") as caught:
        recognisability(batch, originals)
    assert "\n" not in str(caught.value)

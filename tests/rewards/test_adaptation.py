"""Terms for adaptations, by hand; whole episodes are compared with a plain loop in
tests/envs/test_adaptation.py."""

from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from creative_rl.rewards import adaptation as rewards
from creative_rl.typing import Transition

C, CS, D = 14, 15, 16
WANTED = (0.5, 0.5, 0.0, 1.0)


def paid(term, *, features=(WANTED, WANTED), resemblance=(1, 1), events=(C, 1), possible=True):
    """The term's value where features and resemblance went from the first to the second."""
    states = [
        SimpleNamespace(
            style=jnp.int32(1),
            features=jnp.array(features[i], jnp.float32),
            resemblance=jnp.float32(resemblance[i]),
            events=jnp.array(events, jnp.int32),
            was_possible=jnp.bool_(possible),
        )
        for i in (0, 1)
    ]
    params = SimpleNamespace(styles=jnp.array([[0.0] * 4, WANTED], jnp.float32))
    value = term.fn(Transition(states[0], jnp.int32(0), states[1], params))
    assert value.dtype == jnp.float32 and value.shape == ()
    return float(value)


@pytest.mark.parametrize(
    ("before", "after", "gain"),
    [
        (WANTED, WANTED, 0),
        ((0.5, 0.5, 0.0, 0.0), WANTED, 0.25),  # one of four, by 1
        (WANTED, (0.5, 0.5, 1.0, 0.0), -0.5),
        ((0.25, 0.5, 0.0, 1.0), (0.75, 0.5, 0.0, 1.0), 0),  # as far, on the other side
        ((0.0, 0.5, 0.0, 1.0), (0.25, 0.5, 0.5, 1.0), -0.0625),  # 0.25 nearer, 0.5 further
    ],
)
def test_style_is_the_gain_of_the_mean(before, after, gain):
    assert paid(rewards.STYLE, features=(before, after)) == gain


def test_closeness_is_the_gain_of_the_resemblance():
    assert paid(rewards.CLOSENESS, resemblance=(1, 0.75)) == -0.25
    assert paid(rewards.CLOSENESS, resemblance=(0.5, 0.75)) == 0.25
    assert paid(rewards.CLOSENESS, resemblance=(0.5, 0.5)) == 0


@pytest.mark.parametrize(
    ("events", "possible", "value"),
    [((C, 1, D, 0), True, 0), ((C, CS, D, CS), True, -0.5), ((0, 1, 1, 1), True, 0),
     ((C, 1, D, 0), False, -1), ((CS, C, D, 1), False, -1)],
)  # fmt: skip
def test_validity(events, possible, value):
    assert paid(rewards.VALIDITY, events=events, possible=possible) == value

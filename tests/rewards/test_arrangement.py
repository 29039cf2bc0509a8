"""Terms for arrangements, by hand; whole episodes are compared with a plain loop in
tests/envs/test_arrangement.py."""

from types import SimpleNamespace

import jax.numpy as jnp
import pytest

from creative_rl.ops.orchestration import INSTRUMENTS, orchestra_of
from creative_rl.rewards import arrangement as rewards
from creative_rl.typing import Transition

NAMES = list(INSTRUMENTS)
FLUTE, OBOE, CLARINET, BASSOON, HORN, TRUMPET, TROMBONE, VIOLIN, SECOND, VIOLA, CELLO = range(1, 12)
PP, P, MP, MF, F, FF = range(6)
STRINGS = (VIOLIN, SECOND, VIOLA, CELLO)
WANTED = (0.5, 0.25, 0.75, 1.0)


def paid(
    term, *, seats=(STRINGS, STRINGS), marks=(P, P), phrase=0, players=None, outside=(0,) * 4,
    heard=(0, 0, 0), last=((0,) * 4,) * 3, in_a_row=1, played=(), step=1,
):  # fmt: skip
    """The term's value in the slot `step` of four, of a piece in three phrases.

    Seats and marks are those of the slot before and of the slot; `heard` is before it.
    """
    slots = [SimpleNamespace(seats=seats[i], mark=jnp.int32(marks[i])) for i in (0, 1)]
    heard_after = [num + (number == phrase) for number, num in enumerate(heard)]
    for slot, sounded, number in zip(slots, (heard, heard_after), (step, step + 1), strict=True):
        slot.seats = jnp.array(slot.seats, jnp.int32)
        slot.heard, slot.step = jnp.array(sounded, jnp.int32), jnp.int32(number)
        slot.wanted = jnp.array(WANTED, jnp.float32)
        slot.last = jnp.array(last, jnp.int32)
    before, after = slots
    after.phrase, after.in_a_row = jnp.int32(phrase), jnp.int32(in_a_row)
    after.players = jnp.array(seats[1] if players is None else players, jnp.int32)
    after.outside = jnp.array(outside, jnp.float32)
    after.played = jnp.array([dict(played).get(k + 1, 1) for k in range(len(NAMES))], jnp.int32)
    params = SimpleNamespace(orchestra=orchestra_of(NAMES))
    value = term.fn(Transition(before, jnp.zeros(6, jnp.int32), after, params))
    assert value.dtype == jnp.float32 and value.shape == ()
    return float(value)


@pytest.mark.parametrize(
    ("seats", "mark", "step", "value"),
    [
        ((0, 0, 0, 0), FF, 0, 0),  # silence has 0, 0.5 is wanted
        ((0, 0, 0, 0), PP, 3, -1),
        ((FLUTE, 0, 0, 0), PP, 1, 0.7),  # wanted are 0.25: off by 0.25, 0 and 0.25
        (STRINGS, F, 2, 1 - 2 * (0.4 * 0.05 + 0.4 * 0.25 + 0.2 * 0.275)),  # wanted are 0.75
        ((TRUMPET,) * 4, FF, 3, 1),
    ],
)
def test_energy(seats, mark, step, value):
    found = paid(rewards.ENERGY, seats=(STRINGS, seats), marks=(P, mark), step=step)
    assert found == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("seats", "mark", "value"),
    [
        ((FLUTE, TROMBONE, TRUMPET, HORN), P, 1),  # in piano all are equal
        ((FLUTE, 0, 0, TROMBONE), F, 1 / 4),  # a trombone is four flutes
        ((VIOLIN, OBOE, HORN, CELLO), FF, 1),
        ((OBOE, 0, VIOLA, BASSOON), F, 1 / 2),
        ((OBOE, 0, 0, TROMBONE), MP, 4 ** (-1 / 3)),
        ((OBOE, 0, 0, 0), FF, 1),
        ((0, OBOE, 0, CELLO), P, 0),
        ((0, 0, 0, 0), P, 0),
    ],
)
def test_balance(seats, mark, value):
    found = paid(rewards.BALANCE, seats=(STRINGS, seats), marks=(P, mark))
    assert found == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("seats", "value"),
    [((1, 2, 3, 4), 0), ((1, 0, 0, 0), 0), ((1, 0, 0, 4), 0), ((1, 2, 0, 0), -1),
     ((1, 0, 3, 0), -1), ((0, 2, 3, 4), 0), ((0, 0, 0, 0), 0)],
)  # fmt: skip
def test_outline(seats, value):
    assert paid(rewards.OUTLINE, seats=(STRINGS, seats)) == value


@pytest.mark.parametrize(
    ("seats", "mark", "value"),
    [
        (STRINGS, P, 0),
        (STRINGS, F, 1),
        ((FLUTE, *STRINGS[1:]), P, 1),
        ((FLUTE, OBOE, VIOLA, CELLO), F, 1),  # three of five
        ((FLUTE, OBOE, CLARINET, CELLO), F, 0.5),
        ((0, 0, 0, 0), P, 0.5),
        ((FLUTE, OBOE, CLARINET, BASSOON), F, 0),
    ],
)
def test_contrast(seats, mark, value):
    assert paid(rewards.CONTRAST, seats=(STRINGS, seats), marks=(P, mark)) == value
    assert paid(rewards.CONTRAST, seats=((0,) * 4, seats), marks=(-1, mark), step=0) == 0


def test_variation():
    last = ((FLUTE, 0, 0, CELLO), STRINGS, (0,) * 4)
    for phrase, heard, value in ((1, (1, 1, 0), -1), (0, (1, 1, 0), 0), (2, (1, 1, 0), 0)):
        assert paid(rewards.VARIATION, phrase=phrase, heard=heard, last=last) == value
    silence = ((0,) * 4, (0,) * 4)
    assert paid(rewards.VARIATION, seats=silence, phrase=2, heard=(1, 1, 0), last=last) == 0
    assert paid(rewards.VARIATION, seats=silence, phrase=2, heard=(1, 1, 1), last=last) == -1


@pytest.mark.parametrize(
    ("players", "seats", "outside", "played", "value"),
    [
        (STRINGS, STRINGS, (0, 0, 0, 0), (), 0),
        (STRINGS, STRINGS, (0, 0.5, 0.25, 0), (), -0.1875),
        (STRINGS, STRINGS, (0, 0, 0, 0), ((CELLO, 8), (VIOLIN, 8)), 0),
        ((FLUTE, 0, 0, TROMBONE), (FLUTE, 0, 0, TROMBONE), (0,) * 4, ((FLUTE, 3),), 0),
        ((FLUTE, 0, 0, TROMBONE), (FLUTE, 0, 0, TROMBONE), (0,) * 4, ((FLUTE, 4),), -0.25),
        ((FLUTE, 0, 0, TROMBONE), (FLUTE, 0, 0, TROMBONE), (0, 0, 0, 1), ((TROMBONE, 3),), -0.25),
        ((OBOE, OBOE, 0, OBOE), (OBOE, 0, 0, 0), (0,) * 4, (), -0.5),
        ((0, 0, 0, 0), (0, 0, 0, 0), (0,) * 4, ((FLUTE, 8),), 0),
    ],
)
def test_playability(players, seats, outside, played, value):
    found = paid(
        rewards.PLAYABILITY,
        seats=(STRINGS, seats),
        players=players,
        outside=outside,
        played=played,
    )
    assert found == value


@pytest.mark.parametrize(
    ("phrase", "heard", "in_a_row", "step", "value"),
    [
        (0, (0, 0, 0), 1, 0, 1),
        (1, (0, 0, 0), 1, 0, -1),
        (1, (1, 0, 0), 1, 1, 1),
        (2, (1, 0, 0), 1, 1, -1),
        (1, (1, 0, 1), 1, 2, 1),  # late, but in its turn
        (1, (1, 1, 0), 2, 2, 0),
        (1, (1, 2, 0), 3, 2, -1),
        (2, (1, 1, 0), 1, 3, 3),  # new, and the end
        (2, (1, 1, 1), 2, 3, 2),
        (1, (1, 1, 1), 1, 3, 0),
        (2, (1, 0, 1), 1, 3, 0),
        (2, (1, 1, 1), 3, 3, 1),
    ],
)
def test_form(phrase, heard, in_a_row, step, value):
    assert paid(rewards.FORM, phrase=phrase, heard=heard, in_a_row=in_a_row, step=step) == value

"""Sets of rows against comparisons with every row."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.stores.knowledge_base import KnowledgeBase, first

RNG = np.random.default_rng(0)
SIZES = (4, 3, 5, 2)
CODES = np.concatenate(
    [np.stack([RNG.integers(-1, size, 70) for size in SIZES[:3]], axis=1), np.full((70, 1), -1)],
    axis=1,
)
BASE = KnowledgeBase.create(CODES, SIZES)


def members(words):
    """Row numbers of a set of words."""
    bits = (np.asarray(words)[:, None] >> np.arange(32, dtype=np.uint32)) & 1
    return np.flatnonzero(bits.ravel()).tolist()


@jax.jit
def asked(question, which):
    rows = BASE.rows(question)
    found = BASE.fitting(rows, which)
    return rows, found, first(found), BASE.share(found), BASE.slot_shares(question)


@pytest.mark.parametrize("seed", range(12))
def test_sets_are_what_comparing_finds(seed):
    rng = np.random.default_rng(seed)
    question = np.array([rng.integers(-2, size) for size in SIZES], np.int32)
    which = rng.random(4) < 0.7
    rows, found, row, share, shares = asked(question, which)
    fits = [
        [code == wanted or wanted < 0 or slot == 3 for slot, (code, wanted) in enumerate(pairs)]
        for pairs in (zip(code, question, strict=True) for code in CODES.tolist())
    ]
    for slot in range(4):
        allowed = [r for r in range(70) if fits[r][slot]]
        assert members(rows[slot]) == allowed
        assert shares[slot] == pytest.approx(len(allowed) / 70)
    expected = [r for r in range(70) if all(fits[r][s] for s in range(4) if which[s])]
    assert members(found) == expected and row == (expected[0] if expected else 0)
    assert share == pytest.approx(len(expected) / 70)


def test_nothing_asked_is_every_row_and_no_more():
    _, found, row, share, _ = asked(np.full(4, -1, np.int32), np.ones(4, bool))
    assert members(found) == list(range(70)) and row == 0 and share == 1
    assert BASE.is_free.tolist() == [False, False, False, True]
    assert members(BASE.present[1]) == np.flatnonzero(CODES[:, 1] >= 0).tolist()


def test_the_first_of_a_set():
    for row in (0, 1, 31, 32, 63):
        words = jnp.asarray([0, 0], jnp.uint32).at[row // 32].set(jnp.uint32(1) << (row % 32))
        assert first(words) == row
        assert first(words | jnp.array([0, 1 << 31], jnp.uint32)) == row


@pytest.mark.parametrize(
    ("codes", "sizes", "line"),
    [
        (np.zeros((2, 2)), (1, 1), r"codes must be integers \[rows, slots\], got float64\[2, 2\]"),
        (np.zeros((0, 2), int), (1, 1), "rows must be 1 to 4096, got 0"),
        (np.zeros((2, 1), int), (1,), "slots must be 2 to 32, got 1"),
        (np.zeros((2, 2), int), (1,), r"num_values must be 2 sizes of at least 1, got \(1,\)"),
        (np.array([[0, 1], [0, 2]]), (1, 2), r"slot 1 must be .* below 2, got 2 in row 1"),
        (np.array([[0, -2]]), (1, 2), r"slot 1 must be -1 \(missing\) .* got -2 in row 0"),
    ],
)
def test_what_is_no_table_is_refused(codes, sizes, line):
    with pytest.raises(ValueError, match=line):
        KnowledgeBase.create(codes, sizes)

"""Values of slates by hand; the optimisers against all slates, and against a linear program."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from creative_rl.ops import slates

SELECT = {name: jax.jit(jax.vmap(fn, (0, 0, 0, None)), static_argnums=3)
          for name, fn in slates.SELECT.items()}  # fmt: skip


def problems(num=64, num_items=7, sign=1.0):
    """Scores, advantages and the score of nothing; of `sign` 1 advantages of both signs."""
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 2, (num, num_items)).astype(np.float32)
    advantages = rng.normal(size=(num, num_items)).astype(np.float32) * 3
    advantages = advantages if sign > 0 else -np.abs(advantages)
    return scores, advantages, rng.uniform(0.1, 3, num).astype(np.float32)


def plain_value(scores, advantages, nothing, slate):
    shown = sorted(set(slate))
    weighted = sum(float(scores[i]) * float(advantages[i]) for i in shown)
    return weighted / (float(nothing) + sum(float(scores[i]) for i in shown))


def test_values_by_hand():
    scores, advantages = jnp.array([1.0, 3.0, 2.0]), jnp.array([6.0, 2.0, 5.0])

    def value(slate, nothing=4.0):
        return float(slates.slate_value(scores, advantages, nothing, jnp.array(slate, jnp.int32)))

    assert value([0, 1]) == (6 + 6) / 8
    assert value([0, 0]) == value([0]) == pytest.approx(6 / 5)
    assert value([2, 0, 2]) == value([0, 2]) == pytest.approx(16 / 7)
    assert value([1], nothing=0.0) == 2.0
    nobody = jnp.zeros(3)
    assert float(slates.slate_value(nobody, advantages, 0.0, jnp.array([0], jnp.int32))) == 0.0


def test_the_value_is_what_follows_the_users_choice():
    # q_0 + gain = sum of P q, with q_0 = 10.
    scores, values, nothing, of_nothing = np.array([1, 3, 2.0]), np.array([16, 12, 15.0]), 4.0, 10.0
    chances = np.append(scores[[0, 2]], nothing) / (scores[[0, 2]].sum() + nothing)
    expected = chances @ np.append(values[[0, 2]], of_nothing)
    gain = slates.slate_value(
        jnp.asarray(scores, jnp.float32),
        jnp.asarray(values - of_nothing, jnp.float32),
        nothing,
        jnp.array([0, 2], jnp.int32),
    )
    np.testing.assert_allclose(of_nothing + gain, expected, rtol=1e-6)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_optimal_slate_is_the_best_of_all(sign):
    batch = problems(sign=sign)
    found = np.asarray(SELECT["optimal"](*batch, 3))
    for problem, slate in zip(zip(*batch, strict=True), found.tolist(), strict=True):
        assert len(set(slate)) == 3
        best = max(plain_value(*problem, other) for other in itertools.combinations(range(7), 3))
        assert plain_value(*problem, slate) == pytest.approx(best, abs=1e-5)


def test_the_optimal_slate_solves_the_linear_program():
    """Charnes and Cooper's form of the paper's fractional program, equations 21 to 26: maximise
    the sum of s a y, where y >= 0 sums to k t, y <= t, and s_0 t + the sum of s y is 1."""
    batch = problems(num=12)
    found = np.asarray(SELECT["optimal"](*batch, 3))
    for (scores, advantages, nothing), slate in zip(
        zip(*batch, strict=True), found.tolist(), strict=True
    ):
        num = len(scores)
        solved = scipy.optimize.linprog(
            -np.append(scores * advantages, 0.0),
            A_ub=np.hstack([np.eye(num), -np.ones((num, 1))]),
            b_ub=np.zeros(num),
            A_eq=[np.append(np.ones(num), -3.0), np.append(scores, nothing)],
            b_eq=[0.0, 1.0],
        )
        assert solved.status == 0
        value = plain_value(scores, advantages, nothing, slate)
        assert value == pytest.approx(-solved.fun, abs=1e-5)


def test_greedy_slates_add_what_is_best_beside_the_others():
    batch = problems()
    found = np.asarray(SELECT["greedy"](*batch, 3))
    for problem, slate in zip(zip(*batch, strict=True), found.tolist(), strict=True):
        for place, item in enumerate(slate):
            others = [i for i in range(7) if i not in slate[:place]]
            values = {i: plain_value(*problem, [*slate[:place], i]) for i in others}
            assert item in others and values[item] == pytest.approx(max(values.values()), abs=1e-5)


def test_top_slates_have_the_largest_products():
    scores, advantages, nothing = problems()
    found = np.asarray(SELECT["top"](scores, advantages, nothing, 3))
    np.testing.assert_array_equal(found, np.argsort(-scores * advantages, axis=1)[:, :3])


def test_the_three_differ_where_they_should():
    # Of the released code's kind, all values large and alike: the scores decide for greedy slates.
    scores = jnp.array([[2.0, 1.9, 0.1, 0.1]])
    advantages, nothing = jnp.array([[1.0, 1.0, 9.0, 8.0]]), jnp.array([0.05])
    chosen = {name: set(np.asarray(fn(scores, advantages, nothing, 2))[0].tolist())
              for name, fn in SELECT.items()}  # fmt: skip
    assert chosen == {"top": {0, 1}, "greedy": {2, 3}, "optimal": {2, 3}}


def test_random_slates_are_all_as_likely():
    uniform = jax.random.uniform(jax.random.key(0), (6000, 5))
    found = np.sort(np.asarray(jax.vmap(lambda u: slates.random_slate(u, 2))(uniform)), axis=1)
    counts = np.bincount(found[:, 0] * 5 + found[:, 1])
    assert (counts > 0).sum() == slates.num_slates(5, 2) == 10
    np.testing.assert_allclose(counts[counts > 0], 600, atol=120)


@pytest.mark.parametrize(("num_items", "size"), [(40, 5), (3, 4), (3, 0)])
def test_too_many_slates_to_compare_are_refused(num_items, size):
    with pytest.raises(ValueError, match="compared where there are 1 to 16384, got"):
        slates.optimal_slate(jnp.ones(num_items), jnp.ones(num_items), 1.0, size)

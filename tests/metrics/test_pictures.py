import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors

from creative_rl.metrics import (
    frechet_distance,
    inception_score,
    precision_recall,
    vendi_score,
    vendi_score_of_kernel,
)

TWO = st.integers(2, 12)


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def column(*values):
    return np.array(values, np.float64)[:, None]


# Frechet distance


def test_frechet_distance_by_hand():
    """One feature: (difference of means)^2 + (difference of deviations)^2."""
    one, other = column(0, 2), column(10, 14)  # means 1 and 12, variances 2 and 8
    np.testing.assert_allclose(frechet_distance(one, other), 11**2 + 2 + 8 - 2 * 4)
    # Two uncorrelated features: the sum over them.
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])  # variances 4 / 3
    expected = 3**2 + 4 / 3 * ((2 - 1) ** 2 + (5 - 1) ** 2)
    np.testing.assert_allclose(frechet_distance(corners, corners * [2, 5] + [3, 0]), expected)


@given(st.integers(0, 1000), TWO, st.integers(20, 40), st.integers(20, 40))
@settings(deadline=None, max_examples=30)
def test_frechet_distance_as_with_a_matrix_square_root(seed, features, num_real, num_made):
    real = normal(seed, num_real, features) @ normal(seed + 1, features, features)
    made = normal(seed + 2, num_made, features) @ normal(seed + 3, features, features) + 0.5
    covariances = [np.atleast_2d(np.cov(x.T)) for x in (real, made)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    shift = real.mean(axis=0) - made.mean(axis=0)
    expected = shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    np.testing.assert_allclose(frechet_distance(real, made), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(frechet_distance(made, real), expected, rtol=1e-6, atol=1e-6)


def test_frechet_distance_bears_singular_covariances():
    """Dead features, and fewer samples than features, where sqrtm goes complex or inexact."""
    real = np.zeros((5, 40))
    real[:, 0] = [0, 2, 0, 2, 1]
    made = real.copy()
    made[:, 0] += 3
    np.testing.assert_allclose(frechet_distance(real, made), 9)
    np.testing.assert_allclose(frechet_distance(real, np.roll(real, 1, axis=1)), 1 + 1 + 2)
    few = normal(0, 6, 200) * 1e3
    assert 0 <= frechet_distance(few, few) < 1e-6
    rotation = np.linalg.qr(normal(1, 200, 200))[0]
    other = normal(2, 9, 200)
    np.testing.assert_allclose(
        frechet_distance(few @ rotation, other @ rotation), frechet_distance(few, other)
    )


# Precision and recall


def test_precision_and_recall_by_hand():
    real, made = column(0, 1, 3, 10), column(1.5, 4, 8, 30)
    # k = 1: balls of the real ones reach 1, 1, 2, 7; those of the made ones 2.5, 2.5, 4, 22.
    # 1.5 lies in [0, 2], 4 in [1, 5], 8 in [3, 17], 30 in none.
    # 0 in [-1, 4], 1 and 3 too, 10 in [4, 12].
    assert precision_recall(real, made, k=1) == (3 / 4, 1.0)
    # Made at one spot: all good, and of the real ones only what is on that spot.
    assert precision_recall(real, column(3, 3, 3), k=1) == (1.0, 1 / 4)
    # The surface belongs to the ball: 2 is 1 from 1, whose ball reaches to 0.
    assert precision_recall(column(0, 1), column(2, 2), k=1) == (1.0, 0.0)
    assert precision_recall(column(0, 1), column(2.001, 2.001), k=1) == (0.0, 0.0)


@given(st.integers(0, 1000), st.integers(1, 5))
@settings(deadline=None, max_examples=20)
def test_precision_and_recall_as_with_sklearns_neighbours(seed, k):
    real, made = normal(seed, 30, 4), 0.7 * normal(seed + 1, 25, 4) + 0.3

    def share(queries, others):
        neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(others)
        radii = neighbours.kneighbors()[0][:, -1]  # without the point itself
        distances = np.linalg.norm(queries[:, None] - others, axis=-1)
        return (distances <= radii).any(axis=1).mean()

    np.testing.assert_allclose(
        precision_recall(real, made, k), [share(made, real), share(real, made)]
    )


def test_chunks_change_nothing(monkeypatch):
    real, made = normal(0, 50, 3), normal(1, 40, 3)
    whole = precision_recall(real, made, 3)
    assert 0 < whole[0] < 1
    monkeypatch.setattr("creative_rl.metrics.pictures._CHUNK", 130)
    assert precision_recall(real, made, 3) == whole


# Inception score


@pytest.mark.parametrize(
    ("rows", "score"),
    [
        (np.eye(4), 4.0),
        (np.full((3, 5), 0.2), 1.0),
        ([[0.9, 0.1], [0.9, 0.1]], 1.0),
        ([[1, 0], [1, 0], [0, 1], [0, 1]], 2.0),
        # KL of (1, 0) and (1/2, 1/2) from (3/4, 1/4): log 4/3, and half log 2/3 + half log 2.
        ([[1, 0], [0.5, 0.5]], np.exp((np.log(4 / 3) + np.log(2 / 3) / 2 + np.log(2) / 2) / 2)),
    ],
)
def test_inception_score_by_hand(rows, score):
    np.testing.assert_allclose(inception_score(rows), score)


def test_inception_score_of_probabilities_in_float32():
    rows = np.random.default_rng(0).dirichlet(np.full(1000, 0.1), size=20)
    np.testing.assert_allclose(inception_score(rows.astype(np.float32)), inception_score(rows))
    divergences = scipy.special.rel_entr(rows, rows.mean(axis=0)).sum(axis=1)
    np.testing.assert_allclose(inception_score(rows), np.exp(divergences.mean()))


# Vendi score


@pytest.mark.parametrize("order", [0.5, 1, 2, np.inf])
def test_vendi_score_counts_directions(order):
    np.testing.assert_allclose(vendi_score(np.eye(5) * [1, 2, 3, 4, 5], order), 5)
    np.testing.assert_allclose(vendi_score([[1, 2]] * 3, order), 1, rtol=1e-6)
    np.testing.assert_allclose(vendi_score([[1, 0], [0, 1], [3, 0], [0, 2]], order), 2)


def test_vendi_score_by_hand():
    """Shares 3/4 and 1/4, as of two samples with a similarity of one half."""
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    features, kernel = np.array([[1, 0], [0.5, np.sqrt(0.75)]]), [[1, 0.5], [0.5, 1]]
    for order, score in ((1, np.exp(entropy)), (2, 1 / (9 / 16 + 1 / 16)), (np.inf, 4 / 3)):
        np.testing.assert_allclose(vendi_score(features, order), score)
        np.testing.assert_allclose(vendi_score_of_kernel(kernel, order), score)


@given(st.integers(0, 1000), TWO, TWO, st.sampled_from([0.5, 1.0, 2.0, 3.5, np.inf]))
@settings(deadline=None, max_examples=40)
def test_vendi_score_of_features_is_that_of_their_cosines(seed, num, size, order):
    features = normal(seed, num, size)
    score = vendi_score(features, order)
    kernel = cosine_similarity(features)
    np.testing.assert_allclose(score, vendi_score_of_kernel(kernel, order), rtol=1e-4)
    assert 1 <= score <= min(num, size) * (1 + 1e-9)
    if order == 2:
        np.testing.assert_allclose(score, num**2 / (kernel**2).sum())
    np.testing.assert_allclose(vendi_score(np.tile(features, (3, 1)), order), score)


# What is refused

GOOD = np.eye(6)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: frechet_distance(GOOD[0], GOOD), r"frechet_distance: real must be \[N, F\]"),
        (lambda: frechet_distance(GOOD, GOOD[:1]), r"made must be \[N, F\], N at least 2"),
        (lambda: frechet_distance(GOOD, GOOD[:, :3]), r"same features, got \[6, 6\] and \[6, 3\]"),
        (lambda: frechet_distance(GOOD * np.nan, GOOD), "real must be finite"),
        (lambda: precision_recall(GOOD, GOOD, k=6), "real must be .* N at least 7"),
        (lambda: precision_recall(GOOD, GOOD, k=0), "k must be at least 1 neighbour, got 0"),
        (lambda: inception_score([[0.5, 0.6]]), "sum to 1 in every row, got .* 1.1"),
        (lambda: inception_score([[1.5, -0.5]]), "at least 0"),
        (lambda: inception_score(np.zeros((0, 3))), "N at least 1"),
        (lambda: vendi_score(GOOD * [[1], [1], [0], [1], [1], [1]]), "row 2 is all 0"),
        (lambda: vendi_score(GOOD, order=0), "order must be above 0, got 0"),
        (lambda: vendi_score(GOOD, order=float("nan")), "order must be above 0, got nan"),
        (lambda: vendi_score_of_kernel(GOOD[:3]), r"must be \[M, M\], got \[3, 6\]"),
        (lambda: vendi_score_of_kernel([[1, 0.5], [0, 1]]), "symmetric, got .* by up to 0.5"),
        (lambda: vendi_score_of_kernel(GOOD * 2), r"itself must be 1, got 2\.\.2"),
        (lambda: vendi_score_of_kernel([[1, 3], [3, 1]]), "semi-definite, got the eigenvalue -2"),
    ],
)
def test_bad_input_is_one_line(call, line):
    with pytest.raises(ValueError, match=line) as caught:
        call()
    assert "\n" not in str(caught.value)

"""Ratings: files in both formats, what is refused, and factors that explain them."""

import numpy as np
import pytest

import creative_rl as crl
from creative_rl.corpora import factorise, load_ratings

CSV = "userId,movieId,rating,timestamp\n7,31,2.5,1\n7,10,4.0,2\n9,31,5,3\n"


@pytest.fixture
def written(tmp_path):
    def write(text, name="ratings.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_both_formats_are_read_alike(written):
    tabs = written("7\t31\t2.5\t1\n7\t10\t4\t2\n9\t31\t5\t3\n", "u.data")
    for path in (written(CSV), tabs):
        found = load_ratings(path)
        assert found.users.tolist() == [0, 0, 1] and found.items.tolist() == [0, 1, 0]
        assert found.values.tolist() == [2.5, 4.0, 5.0]
        assert (found.user_ids, found.item_ids) == (("7", "9"), ("31", "10"))
        assert found.names == found.item_ids


def test_titles_and_orders_of_columns_and_second_thoughts(written):
    ratings = written("rating,movieId,userId\n1,5,a\n\n3,5,a\n2,6,b\n")
    movies = written('movieId,title,genres\n5,"Heat, The (1995)",x\n6,B\n7,C\n', "movies.csv")
    found = load_ratings(ratings, movies)
    assert found.values.tolist() == [3.0, 2.0]
    assert found.names == ("Heat, The (1995)", "B")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("userId,rating\n1,2\n", r"ratings\.csv, row 1: the header must have .*, but movieId is m"),
        ("", r"row 1: the header must have .*, but userId, movieId, rating is missing in \[\]"),
        ("userId,movieId,rating\n", r"ratings\.csv: there must be at least one rating, got none"),
        (f"{CSV}8,31,5.5\n", r"row 5: a rating must be a number in 0\.5\.\.5, got '5\.5'"),
        (f"{CSV}8,31,0\n", r"row 5: a rating must be a number in 0\.5\.\.5, got '0'"),
        (f"{CSV}8,31,nan\n", r"row 5: .* got 'nan'"),
        (f"{CSV}8,31,good\n", r"row 5: .* got 'good'"),
        (f"{CSV}8,31\n", r"row 5: a row must have userId, movieId, rating, got \['8', '31'\]"),
        (f"{CSV},31,5\n", r"row 5: a row must have userId"),
        (f"{CSV}8,99,5\n", r"row 5: movieId must be one of .*movies\.csv, got '99'; add its"),
        ("1\t2\n", r"row 1: a row must have userId, movieId, rating, got \['1', '2'\]"),
        ("1\t31\t9\n", r"row 1: a rating must be a number .* got '9'"),
    ],
)
def test_what_is_no_rating_is_one_line_with_file_and_row(written, text, message):
    movies = written("movieId,title\n31,A\n10,B\n", "movies.csv")
    with pytest.raises(ValueError, match=message) as caught:
        load_ratings(written(text), movies)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(written, tmp_path):
    with pytest.raises(ValueError, match=r"movies\.csv, row 1: the header must have movieId, tit"):
        load_ratings(written(CSV), written("id,title\n", "movies.csv"))
    with pytest.raises(ValueError, match=r"movies\.csv, row 2: a row must have movieId, title"):
        load_ratings(written(CSV), written("movieId,title\n31\n", "movies.csv"))
    with pytest.raises(FileNotFoundError):
        load_ratings(tmp_path / "none.csv")


def low_rank(num_users=60, num_items=40, rank=2, share=0.6):
    """Ratings of a matrix of this rank, some of them; and the matrix."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(num_users, rank)) @ rng.normal(size=(rank, num_items)) * 0.4
    matrix = np.clip(3 + matrix, 0.5, 5)
    lines = ["userId,movieId,rating"]
    for user, item in np.argwhere(rng.random(matrix.shape) < share):
        lines.append(f"{user},{item},{matrix[user, item]:.4f}")
    return "\n".join(lines), matrix


def test_factors_explain_ratings_that_were_not_seen(written):
    text, matrix = low_rank()
    ratings = load_ratings(written(text))
    factors = factorise(ratings, 2, penalty=0.005)
    assert factors.users.shape == (60, 2) and factors.items.shape == (40, 2)
    users = [int(user) for user in ratings.user_ids]
    items = [int(item) for item in ratings.item_ids]
    told = factors.mean + factors.users @ factors.items.T
    errors = told - matrix[np.ix_(users, items)]
    seen = np.zeros_like(errors, bool)
    seen[ratings.users, ratings.items] = True
    assert factors.error == pytest.approx(np.sqrt(np.mean(errors[seen] ** 2)), rel=1e-3)
    assert np.sqrt(np.mean(errors[~seen] ** 2)) < 0.3 * matrix.std()
    assert factors.low == 0.5 and factors.high == 5.0


def test_one_round_by_hand(written):
    """With one factor: p = sum of q r / (sum of q^2 + penalty n), and then q alike."""
    ratings = load_ratings(written(CSV))
    factors = factorise(ratings, 1, num_rounds=1, penalty=0.1)
    first = np.random.default_rng(0).normal(size=2)
    mean = 11.5 / 3
    rest = np.array([2.5, 4.0, 5.0]) - mean
    users = [
        (first @ rest[:2]) / (first @ first + 0.2),
        first[0] * rest[2] / (first[0] ** 2 + 0.1),
    ]
    items = [
        (users[0] * rest[0] + users[1] * rest[2]) / (users[0] ** 2 + users[1] ** 2 + 0.2),
        users[0] * rest[1] / (users[0] ** 2 + 0.1),
    ]
    np.testing.assert_allclose(factors.users[:, 0], users, rtol=1e-5)
    np.testing.assert_allclose(factors.items[:, 0], items, rtol=1e-5)


@pytest.mark.parametrize("sizes", [{"rank": 0}, {"num_rounds": 0}, {"penalty": 0.0}])
def test_sizes_out_of_range_are_refused(written, sizes):
    with pytest.raises(ValueError, match="rank and num_rounds must be at least 1 and penalty abov"):
        factorise(load_ratings(written(CSV)), **sizes)


def test_ratings_make_an_environment(written):
    factors = factorise(load_ratings(written(low_rank()[0])), 2)
    sizes = {"num_items": 40, "num_factors": 2}
    env = crl.make("recommendation-factors", **sizes, names=factors.names)
    params = env.params_of(factors)
    assert params.users.shape == (60, 2) and float(params.mean) == pytest.approx(factors.mean)
    with pytest.raises(ValueError, match="the factors are of 40 items with 2 each; make the env"):
        crl.make("recommendation-factors").params_of(factors)


def test_what_is_not_utf8_is_refused(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_bytes(b"userId,movieId,rating\n1,2,4\n\xff\xfe,2,4\n")
    with pytest.raises(ValueError, match=r"ratings\.csv is not UTF-8; convert it first"):
        load_ratings(path)

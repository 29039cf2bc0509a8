"""Texts are compared by their tokens: shares and BLEU by hand."""

import numpy as np
import pytest

from creative_rl.metrics import distinct_works, self_bleu
from creative_rl.works import Text
from creative_rl.works.vocabulary import numbered


def batch(*rows):
    length = max(map(len, rows))
    tokens = np.array([[*row, *[0] * (length - len(row))] for row in rows], np.int32)
    return Text(tokens, np.array([len(row) for row in rows], np.int32), numbered(5000))


def test_texts_are_the_same_by_their_tokens_and_lengths():
    assert distinct_works(batch([1, 2], [1, 2], [1, 2, 0], [4999])) == 3 / 4


def test_self_bleu_by_hand():
    assert self_bleu(batch([7, 8, 9, 4000], [7, 8, 9, 4000])) == 1.0
    assert self_bleu(batch([7, 8], [9, 10])) == 0.0
    # Two of three tokens and one of two pairs are the other's.
    expected = (2 / 3 * 1 / 2) ** 0.5
    assert self_bleu(batch([1, 2, 3], [4, 1, 2]), n=2) == pytest.approx(expected)
    # Of 4,999 and 0 a pair is not that of 0 and 4,999, nor across two texts.
    assert self_bleu(batch([4999, 0], [0, 4999]), n=2) == pytest.approx((1 * 0.1) ** 0.5)
    many = batch(*[[i, i + 1] for i in range(20)])
    assert self_bleu(many, n=1, num=5) == self_bleu(many, n=1, num=5)


def test_what_is_no_batch_is_refused():
    with pytest.raises(ValueError, match=r"self_bleu: texts must be a batch .* got \[2\] and \[\]"):
        self_bleu(Text(np.zeros(2, np.int32), np.int32(2), numbered(3)))

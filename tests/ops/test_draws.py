"""Cheap numbers are uniform, normal, and do not hang together."""

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.ops import draws

KEYS = jax.random.split(jax.random.key(3), 20_000)
WORDS = jax.jit(jax.vmap(lambda key: draws.words(key, 16)))(KEYS)


def test_every_bit_is_a_coin():
    bits = (np.asarray(WORDS)[..., None] >> np.arange(32, dtype=np.uint32)) & 1
    shares = bits.mean(axis=0)  # [16, 32], of 20,000 keys: deviation 0.0035
    assert np.abs(shares - 0.5).max() < 5 * 0.0036


def test_words_of_one_key_and_of_neighbours_do_not_hang_together():
    numbers = np.asarray(draws.uniform(WORDS.reshape(-1))).reshape(WORDS.shape)
    together = np.column_stack([numbers[:-1], numbers[1:]])
    correlation = np.corrcoef(together, rowvar=False) - np.eye(32)
    assert np.abs(correlation).max() < 5 / len(KEYS) ** 0.5
    assert len(np.unique(np.asarray(WORDS))) > 0.999 * WORDS.size


def test_numbers_have_their_distributions():
    word = WORDS.reshape(-1)
    uniform = np.asarray(draws.uniform(word))
    assert uniform.min() >= 0 and uniform.max() < 1
    np.testing.assert_allclose([uniform.mean(), uniform.var()], [0.5, 1 / 12], atol=0.003)
    normal = np.asarray(draws.normal(word))
    np.testing.assert_allclose([normal.mean(), normal.std()], [0, 1], atol=0.008)
    np.testing.assert_allclose((normal > 1.6448536).mean(), 0.05, atol=0.002)
    counts = np.bincount(np.asarray(draws.integers(word, 20)), minlength=20)
    assert len(counts) == 20 and np.abs(counts / word.size - 0.05).max() < 0.003
    ends = jnp.array([0, 2**32 - 1], jnp.uint32)
    assert np.isfinite(np.asarray(draws.normal(ends))).all()
    assert draws.integers(ends, 256).tolist() == [0, 255]
    np.testing.assert_allclose(np.asarray(draws.normal(ends)).sum(), 0, atol=1e-3)

"""The discriminator as a reward: what it learns from, one step by its definition, and its score."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from creative_rl.networks import PictureEncoder
from creative_rl.rewards import judge

SHAPE = (2, 3, 1)
NETWORK = PictureEncoder(1, "mlp", hidden_sizes=(8,))
DARK, BRIGHT = np.float32([0.2, 0.8])
EXAMPLES = np.full((3, *SHAPE), round(255 * BRIGHT), np.uint8)
MADE = np.full((4, *SHAPE), DARK, np.float32)


class Mean(nn.Module):
    """The score is a weight times the mean level, and a bias."""

    @nn.compact
    def __call__(self, pictures):
        return nn.Dense(1)(pictures.mean(axis=(-3, -2))[..., :1])


@pytest.fixture
def fresh(key):
    return judge.init(NETWORK, key, SHAPE)


def taught(before, made, counts, num_steps=1, network=NETWORK):
    learn = jax.jit(judge.learn, static_argnums=(0, 5))
    counts = jnp.asarray(counts, jnp.bool_)
    return learn(network, before, jnp.asarray(EXAMPLES), jnp.asarray(made), counts, num_steps)


def test_it_learns_to_tell_examples_from_what_was_made(fresh):
    before = fresh.replace(learning_rate=jnp.float32(0.01), penalty_coef=jnp.float32(0.01))
    after = taught(before, MADE, [True] * 4, num_steps=400)
    bright, dark = jnp.full(SHAPE, BRIGHT), jnp.full(SHAPE, DARK)
    assert float(judge.likelihood(NETWORK, after, bright)) > 0.95
    assert float(judge.likelihood(NETWORK, after, dark)) < 0.05
    assert float(after.real_score) > 3 and float(after.fake_score) < -3
    assert 0 < float(after.loss) < 0.1
    assert int(after.num_steps) == 400
    # Before, it had no opinion worth the name.
    assert 0.1 < float(judge.likelihood(NETWORK, fresh, bright)) < 0.9


def test_likelihood_is_the_logistic_of_the_score_for_any_batch(fresh):
    pictures = jax.random.uniform(jax.random.key(1), (2, 5, *SHAPE))
    scores = np.asarray(NETWORK.apply(fresh.variables, pictures)[..., 0], np.float64)
    found = judge.likelihood(NETWORK, fresh, pictures)
    assert found.shape == (2, 5) and found.dtype == jnp.float32
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-scores)), rtol=1e-5)
    assert float(judge.likelihood(NETWORK, fresh, pictures[1, 3])) == pytest.approx(
        float(found[1, 3]), rel=1e-5
    )


def test_nothing_finished_nothing_learned(fresh):
    jax.tree.map(np.testing.assert_array_equal, taught(fresh, MADE, [False] * 4, 3), fresh)
    # Side by side, where both branches are computed, as well.
    counts = jnp.array([[False] * 4, [True] * 4])
    learned = jax.vmap(lambda counts: taught(fresh, MADE, counts, 2))(counts)
    first = jax.tree.map(lambda leaf: leaf[0], learned)
    jax.tree.map(np.testing.assert_array_equal, first, fresh)
    assert learned.num_steps.tolist() == [0, 2]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(learned))


def test_only_what_is_finished_counts(fresh):
    """Pictures that do not count may be anything, even no numbers."""
    others = np.concatenate([MADE[:1], np.full((3, *SHAPE), np.nan, np.float32)])
    counts = [True, False, False, False]
    found = taught(fresh, others, counts, 3)
    jax.tree.map(np.testing.assert_array_equal, found, taught(fresh, MADE, counts, 3))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


@pytest.mark.parametrize("penalty_coef", [0.0, 2.0])
def test_one_step_is_the_losses_gradient_through_adam(key, penalty_coef):
    """Every example is alike, and all that was made: no draw matters. By hand, in NumPy."""
    network = Mean()
    before = judge.init(network, key, SHAPE).replace(
        learning_rate=jnp.float32(0.1), penalty_coef=jnp.float32(penalty_coef)
    )
    after = taught(before, MADE, [True] * 4, network=network)
    layer = jax.tree.map(np.float64, before.variables["params"]["Dense_0"])
    weight, bias = layer["kernel"][0, 0], layer["bias"][0]
    level = round(255 * BRIGHT) / 255
    real, fake = weight * level + bias, weight * DARK + bias
    loss = np.log1p(np.exp(-real)) + np.log1p(np.exp(fake))
    assert float(after.loss) == pytest.approx(loss, rel=1e-5)
    assert float(after.real_score) == pytest.approx(real, rel=1e-4)
    assert float(after.fake_score) == pytest.approx(fake, rel=1e-4)
    # d loss / d score is -sigmoid(-real) and sigmoid(fake). The slope of the score at a picture
    # is weight / 6 in each of six pixels: R1 = weight^2 / 12.
    of_real, of_fake = -1 / (1 + np.exp(real)), 1 / (1 + np.exp(-fake))
    gradients = {
        "kernel": of_real * level + of_fake * DARK + penalty_coef * weight / 6,
        "bias": of_real + of_fake,
    }
    mean_square = jax.tree.map(np.ravel, after.opt_state.nu["params"]["Dense_0"])
    for name, gradient in gradients.items():
        np.testing.assert_allclose(mean_square[name], 0.001 * gradient**2, rtol=1e-4)
        moved = (after.variables["params"]["Dense_0"][name] - layer[name]).ravel()
        np.testing.assert_allclose(moved, -0.1 * np.sign(gradient), rtol=1e-3)


def test_steps_in_a_row_are_one_after_the_other(fresh):
    together = taught(fresh, MADE, [True] * 4, 2)
    one = taught(taught(fresh, MADE, [True] * 4), MADE, [True] * 4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), together, one)


def test_every_step_draws_pictures_of_its_own(key):
    """With several pictures, the mean scores tell which were drawn."""
    network = Mean()
    made = np.linspace(0, 1, 5, dtype=np.float32).reshape(5, 1, 1, 1) * np.ones((5, *SHAPE))
    still = judge.init(network, key, SHAPE).replace(learning_rate=jnp.float32(0))
    scores = []
    for seed, num_steps in ((1, 0), (1, 1), (2, 0), (1, 0)):
        before = still.replace(seed=jnp.uint32(seed), num_steps=jnp.int32(num_steps))
        after = taught(before, made.astype(np.float32), [True] * 5, network=network)
        jax.tree.map(np.testing.assert_array_equal, after.variables, before.variables)
        scores.append(float(after.fake_score))
    assert scores[0] == scores[3] and len(set(scores)) == 3


def test_keys_give_judges_of_their_own():
    judges = jax.vmap(lambda key: judge.init(NETWORK, key, SHAPE))(
        jax.random.split(jax.random.key(0), 3)
    )
    assert len(set(judges.seed.tolist())) == 3 and judges.seed.dtype == jnp.uint32
    kernels = judges.variables["params"]["Layer_0"]["kernel"]
    assert not np.allclose(kernels[0], kernels[1])
    state = optax.tree.get(judges.opt_state, "count")
    assert state.tolist() == [0, 0, 0]

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import VAEConfig
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.learners.vae import vae
from creative_rl.testing import check_learner

CASE = Case(
    small=VAEConfig(
        batch_size=8, num_steps=2, network="mlp", hidden_sizes=(8,), latent_size=4, num_probes=8
    ),
    task=("drawing-pixels", {"height": 4, "width": 4}),
)

TINY = VAEConfig(
    network="mlp", hidden_sizes=(8,), latent_size=3, batch_size=4, num_steps=2, num_probes=8
)


@pytest.fixture(scope="module")
def env():
    return PixelDrawing(height=8, width=8)


@pytest.fixture(scope="module")
def params(env):
    """Two kinds of examples: the left half inked, or the right."""
    left = np.zeros((8, 8, 1), np.uint8)
    left[:, :4] = 255
    targets = jnp.asarray(np.stack([left, left[:, ::-1]] * 8))
    return env.default_params.replace(targets=targets)


# Its plainest form is held to the suite in tests/conformance.
@pytest.mark.timeout(180)
def test_gaussian_pixels_from_convolutions_keep_the_contract(env, params):
    config = dataclasses.replace(TINY, network="conv", channels=(2, 3), likelihood="gaussian")
    check_learner(vae(env, config, params), env, params)


def trained(learner, num_updates):
    run = jax.jit(
        lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, num_updates)
    )
    return run(learner.init(jax.random.key(0)))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_bound_comes_to_the_entropy_of_two_pictures(likelihood, env, params):
    config = dataclasses.replace(
        TINY,
        likelihood=likelihood,
        hidden_sizes=(32,),
        latent_size=2,
        batch_size=64,
        num_steps=50,
        learning_rate=3e-3,
        num_probes=64,
        pixel_scale=0.5,
    )
    learner = vae(env, config, params)
    state, metrics = trained(learner, 20)
    # One of two pictures is one bit, which no bound can be below; a certain pixel costs nothing,
    # or, with a normal likelihood, its density's height.
    floor = np.log(2) + 64 * (
        0.0 if likelihood == "bernoulli" else np.log(0.5 * np.sqrt(2 * np.pi))
    )
    assert floor < float(metrics["loss"][-1]) < floor + 2.5
    np.testing.assert_allclose(
        metrics["loss"], metrics["reconstruction"] + metrics["kl"], rtol=1e-4
    )
    works = jax.jit(learner.generate, static_argnums=2)(state, jax.random.key(1), 200)
    pictures = np.asarray(works.pixels, np.float32) / 255
    left, right = pictures[:, :, :4].mean((1, 2, 3)), pictures[:, :, 4:].mean((1, 2, 3))
    is_left, is_right = (left > 0.8) & (right < 0.2), (right > 0.8) & (left < 0.2)
    assert (is_left | is_right).mean() > 0.6
    assert min(is_left.mean(), is_right.mean()) > 0.2


def test_beta_weighs_the_divergence(env, params):
    config = dataclasses.replace(TINY, num_steps=100, learning_rate=3e-3)
    kl = {}
    for beta in (0.1, 1.0, 100.0):
        learner = vae(env, dataclasses.replace(config, beta=beta), params)
        _, metrics = trained(learner, 4)
        np.testing.assert_allclose(
            metrics["loss"], metrics["reconstruction"] + beta * metrics["kl"], rtol=1e-4
        )
        kl[beta] = float(metrics["kl"][-1])
    assert kl[0.1] > kl[1.0] > 0.3 > 0.05 > kl[100.0]


def test_a_decayed_learning_rate_falls_by_updates_and_not_by_steps(env, params):
    learner = vae(env, dataclasses.replace(TINY, decay_updates=2), params)
    update, states = jax.jit(learner.update), [learner.init(jax.random.key(0))]
    for _ in range(3):
        states.append(update(states[-1])[0])
    kernels = [np.asarray(jax.tree.leaves(state.variables)[-1]) for state in states]
    assert [(a != b).any() for a, b in itertools.pairwise(kernels)] == [True, True, False]


def test_without_a_mean_the_newest_weights_create(env, params):
    learner = vae(env, dataclasses.replace(TINY, ema_decay=0.0), params)
    state, _ = trained(learner, 1)
    jax.tree.map(np.testing.assert_array_equal, state.variables, state.mean_variables)
    _, timestep = env.reset(jax.random.key(1), params)
    action, _ = learner.act(state, jax.random.key(0), timestep, ())
    assert action.shape == (8, 8, 1) and bool(env.action_space.contains(action))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(num_probes=5), "vae: num_probes must be above 5, the neighbours that recall"),
        (dict(network="conv", channels=(2, 2, 2, 2)), "divisible by 16, got 8 x 8; network='mlp'"),
        (dict(pixel_scale=0.0), "VAEConfig: pixel_scale must be greater than 0, got 0.0"),
        (dict(beta=-1.0), "VAEConfig: beta must not be negative, got -1.0"),
        (
            dict(likelihood="laplace"),
            "likelihood must be one of bernoulli, gaussian, got 'laplace'",
        ),
    ],
)
def test_impossible_configs_are_refused(change, message, env):
    with pytest.raises(ValueError, match=message):
        vae(env, dataclasses.replace(TINY, **change))


def test_environments_without_pictures_are_refused():
    with pytest.raises(ValueError, match=r"vae takes environments whose action is a picture, Box"):
        vae(crl.make("melody-theory"), TINY)

"""SPIRAL: the contract with either policy, whose discriminator it is, and that drawing pays."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import SpiralConfig
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.learners.spiral import spiral
from creative_rl.rewards import judge
from creative_rl.spaces import Discrete
from creative_rl.testing import check_learner
from creative_rl.wrappers import AutoReset, EpisodeLog

CASE = Case(
    small=SpiralConfig(
        num_envs=4,
        num_steps=2,
        num_epochs=1,
        num_minibatches=2,
        hidden_sizes=(8,),
        num_probes=8,
    ),
    task=("drawing-pixels", {"height": 4, "width": 4, "goal": "style", "judge_sizes": (8,)}),
)

TINY = SpiralConfig(
    num_envs=4, num_steps=2, num_epochs=2, num_minibatches=2, hidden_sizes=(8,), num_probes=8
)
TINY_DQN = dataclasses.replace(
    TINY, policy="dqn", batch_size=4, replay_size=64, learning_starts=8, epsilon_steps=50
)
JUDGED = {"goal": "style", "height": 4, "width": 4, "judge_sizes": (8,), "judge_steps": 2}
PIXELS = PixelDrawing(**JUDGED, num_steps=2)


class Filling(PixelDrawing):
    """Fill the canvas with one of four levels: discrete actions without a rasteriser."""

    @property
    def action_space(self):
        return Discrete(4)

    def _drawn(self, state, action):
        return super()._drawn(state, jnp.full(self.shape, action / 3))


PEN = Filling(**JUDGED, num_steps=2)
EITHER = pytest.mark.parametrize(
    ("env", "config"), [(PIXELS, TINY), (PEN, TINY_DQN)], ids=["ppo", "dqn"]
)


def run(learner, num_updates, seed=0):
    """The state after updates, and their metrics, leaves [U]."""

    @jax.jit
    def run(key):
        state = learner.init(key)
        return jax.lax.scan(lambda state, _: learner.update(state), state, None, num_updates)

    return run(jax.random.key(seed))


# With PPO it is held to the suite in tests/conformance.
@pytest.mark.timeout(180)
def test_a_dqn_keeps_the_contract_too():
    check_learner(spiral(PEN, TINY_DQN), PEN, num_updates=2)


@EITHER
def test_the_discriminator_learns_beside_the_policy(env, config):
    config = dataclasses.replace(config, discriminator_learning_rate=0.02, penalty_coef=0.3)
    learner = spiral(env, config)
    state, metrics = run(learner, 4)
    learned = state.env_params.judge
    # Every update finishes an episode of two steps in each environment.
    assert learned.num_steps == 4 * env.judge_steps
    assert learned.learning_rate == jnp.float32(0.02) and learned.penalty_coef == jnp.float32(0.3)
    np.testing.assert_array_equal(metrics["discriminator_loss"][-1], learned.loss)
    np.testing.assert_array_equal(metrics["real_score"][-1], learned.real_score)
    np.testing.assert_array_equal(metrics["fake_score"][-1], learned.fake_score)
    of_policy = {"ppo": {"policy_loss", "value_loss", "entropy"}, "dqn": {"loss", "epsilon"}}
    of_pair = {"discriminator_loss", "real_score", "fake_score", "recall", "vendi"}
    assert set(metrics) >= of_pair | of_policy[config.policy] | {"episode_return"}
    assert np.all((metrics["recall"] >= 0) & (metrics["recall"] <= 1))
    assert np.all((metrics["vendi"] >= 1) & (metrics["vendi"] <= config.num_probes + 1e-3))


def test_every_seed_has_a_discriminator_of_its_own():
    learner = spiral(PIXELS, TINY)
    states = jax.jit(jax.vmap(learner.init))(jax.random.split(jax.random.key(0), 2))
    judges = states.env_params.judge
    assert judges.seed[0] != judges.seed[1]
    kernels = judges.variables["params"]["Layer_0"]["kernel"]
    assert not np.allclose(kernels[0], kernels[1])
    # The rest of the params is what was given.
    params = PIXELS.default_params
    given = params.replace(targets=params.targets[:3] // 2, weights={"style": jnp.float32(3)})
    held = jax.jit(spiral(PIXELS, TINY, given).init)(jax.random.key(0)).env_params
    jax.tree.map(np.testing.assert_array_equal, held.replace(judge=given.judge), given)


def test_rewards_are_the_learned_discriminators():
    """One update's returns, recomputed with the discriminator that it was played under."""
    learner = spiral(PIXELS, TINY)
    state = jax.jit(learner.init)(jax.random.key(0))
    before = state.env_params.judge
    after, metrics = jax.jit(learner.update)(state)
    assert int(metrics["num_episodes"]) == TINY.num_envs
    blank = judge.likelihood(PIXELS._judge_network, before, jnp.zeros(PIXELS.shape))
    assert -blank <= metrics["episode_return"] <= 1 - blank
    # What the next episodes start from is the same canvas; its worth is the new judge's.
    fresh, _ = PIXELS.reset(jax.random.key(1), after.env_params)
    expected = judge.likelihood(
        PIXELS._judge_network, after.env_params.judge, jnp.zeros(PIXELS.shape)
    )
    assert fresh.scores["style"] == pytest.approx(float(expected), rel=1e-5)
    assert fresh.scores["style"] != pytest.approx(float(blank), rel=1e-6)


def test_who_can_only_win_with_pictures_like_the_examples_draws_them():
    """White ones, on a canvas that starts grey, from a policy that starts grey."""
    env = dataclasses.replace(PIXELS, num_steps=1, judge_sizes=(16,), judge_steps=4, background=0.5)
    params = env.default_params
    params = params.replace(targets=jnp.full((4, *env.shape), 255, jnp.uint8))
    config = SpiralConfig(
        num_envs=64,
        num_steps=4,
        num_epochs=4,
        num_minibatches=4,
        hidden_sizes=(16,),
        num_probes=16,
        learning_rate=1e-2,
        discriminator_learning_rate=2e-3,
    )
    learner = spiral(env, config, params)
    trained, _ = run(learner, 60)
    generate = jax.jit(learner.generate, static_argnums=2)
    means = []
    for state in (jax.jit(learner.init)(jax.random.key(0)), trained):
        works = generate(state, jax.random.key(1), 64)
        assert works.pixels.shape == (64, 4, 4, 1) and works.strokes.shape == (64, 0, 11)
        means.append(float(works.pixels.mean()) / 255)
    assert 0.35 < means[0] < 0.65
    assert means[1] > 0.75


def test_works_are_what_act_draws():
    learner = spiral(PIXELS, TINY)
    state = jax.jit(learner.init)(jax.random.key(0))
    params = state.env_params
    works = jax.jit(learner.generate, static_argnums=2)(state, jax.random.key(3), 2)
    key_reset, key_act, key_step = jax.random.split(jax.random.key(3), 3)
    act, step = jax.jit(learner.act), jax.jit(PIXELS.step)
    for row in range(2):
        env_state, timestep = PIXELS.reset(jax.random.split(key_reset, 2)[row], params)
        for number in range(PIXELS.horizon):
            keys = [jax.random.split(key, (2, 2))[number, row] for key in (key_act, key_step)]
            action, _ = act(state, keys[0], timestep, ())
            env_state, timestep = step(keys[1], env_state, action, params)
        expected = PIXELS.work(env_state, params)
        differences = np.int32(works.pixels[row]) - np.int32(expected.pixels)
        assert np.abs(differences).max() <= 1 < np.ptp(expected.pixels)
    assert works.length.tolist() == [0, 0] and works.strokes.shape == (2, 0, 11)


@pytest.mark.parametrize(
    ("env", "config", "message"),
    [
        (crl.make("melody-theory"), TINY, r"spiral takes .* with a discriminator, .* TheoryMelody"),
        (
            PixelDrawing(goal="free", height=4, width=4),
            TINY,
            r"another drawing with goal='style', got PixelDrawing without one",
        ),
        (EpisodeLog(PIXELS), TINY, "takes an environment with .* got EpisodeLog around one; leave"),
        (None, TINY, "spiral takes an environment, such as .* got None"),
        (PIXELS, TINY_DQN, r"dqn takes Discrete actions, got Box"),
        (AutoReset(PIXELS), TINY, "resets its environments; give it one without AutoReset"),
        (PIXELS, dataclasses.replace(TINY, num_probes=5), "num_probes must be above 5, .* got 5"),
        (
            PIXELS,
            dataclasses.replace(TINY, num_minibatches=3),
            r"num_minibatches must divide num_envs \* num_steps = 8, got 3",
        ),
        (
            PIXELS,
            dataclasses.replace(TINY, policy="sac"),
            "SpiralConfig: policy must be one of ppo, dqn, got 'sac'",
        ),
        (
            PIXELS,
            dataclasses.replace(TINY, discriminator_learning_rate=0.0),
            "discriminator_learning_rate must be greater than 0, got 0.0",
        ),
        (
            PIXELS,
            dataclasses.replace(TINY, penalty_coef=-1.0),
            "penalty_coef must not be negative, got -1.0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(env, config, message):
    with pytest.raises(ValueError, match=message) as refused:
        spiral(env, config)
    assert "\n" not in str(refused.value)

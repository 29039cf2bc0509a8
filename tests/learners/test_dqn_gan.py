"""DQN + GAN: the contract, who learns what, the archive, contents step by step, refusals."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import DQNGANConfig
from creative_rl.environment import Environment
from creative_rl.envs.melody import TargetMelody
from creative_rl.envs.pen_drawing import GridDrawing
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.learners.dqn_gan import dqn_gan
from creative_rl.rewards import drawing as rewards
from creative_rl.testing import check_learner
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=DQNGANConfig(
        num_instructions=3,
        num_envs=4,
        num_steps=2,
        num_epochs=1,
        batch_size=8,
        replay_size=64,
        hidden_sizes=(8,),
        gan_steps=2,
        gan_batch_size=8,
        noise_size=4,
        generator_sizes=(8,),
        discriminator_sizes=(8,),
        archive_size=16,
        learning_starts=16,
    ),
    task=("drawing-pixels", {"height": 4, "width": 4}),
)

TINY = DQNGANConfig(
    num_instructions=3,
    num_envs=4,
    num_steps=2,
    num_epochs=2,
    batch_size=4,
    replay_size=32,
    hidden_sizes=(8,),
    gan_steps=2,
    gan_batch_size=8,
    noise_size=2,
    generator_sizes=(8,),
    discriminator_sizes=(8,),
    archive_size=12,
    learning_starts=8,
)
TUTORIAL = crl.make("melody-target-tutorial")
MELODY = TargetMelody(length=4, num_pitches=3, num_phases=1, target=(2, 2, 2, 2))
PIXELS = PixelDrawing(goal="free", height=4, width=4, num_steps=2, terms=(rewards.BALANCE,))


def rolls(num_steps, num_notes, *notes):
    """uint8[M, T, A, 1]: melodies of one note each."""
    levels = np.zeros((len(notes), num_steps, num_notes, 1), np.uint8)
    for row, note in enumerate(notes):
        levels[row, :, note] = 255
    return jnp.asarray(levels)


def run(learner, num_updates, change=lambda state: state):
    """The state after updates from a changed start, and their metrics, leaves [U]."""

    @jax.jit
    def run(key):
        state = change(learner.init(key))
        return jax.lax.scan(lambda state, _: learner.update(state), state, None, num_updates)

    return run(jax.random.key(0))


def obedient(config):
    """A generator that plays note i for instruction i, whatever the noise."""

    def change(state):
        held = state.dqn.env_params
        layers = {**held.generator["params"]}
        num = config.num_instructions
        # What is told of the observation comes before the instruction, the noise after it.
        start = layers["observation"]["bias"].size
        into, out = (jnp.zeros_like(layers[name]["kernel"]) for name in ("hidden_0", "head"))
        into = into.at[start : start + num, :num].set(jnp.eye(num))
        # Outputs are bounded, so the other notes are as unlikely as they can be.
        out = out.at[:num].set(jnp.tile(100 * jnp.eye(num) - 50, (1, config.content_length)))
        for name, kernel in (("hidden_0", into), ("head", out)):
            layers[name] = {"kernel": kernel, "bias": jnp.zeros_like(layers[name]["bias"])}
        held = held.replace(generator={"params": layers})
        return state.replace(dqn=state.dqn.replace(env_params=held))

    return change


# The contract.


# With pictures it is held to the suite in tests/conformance.
@pytest.mark.timeout(180)
def test_keeps_the_contract_with_notes():
    config = dataclasses.replace(TINY, content_length=5)
    learner = dqn_gan(TUTORIAL, config, examples=rolls(5, 4, 0, 1, 2))
    check_learner(learner, TUTORIAL, num_updates=2)


# Who learns what.


def test_the_dqn_gives_the_instruction_that_pays():
    """Contents are fixed. The target is note 2, the examples are of note 1; side by side, a learner
    that only the environment pays and one that only the discriminator does."""
    config = dataclasses.replace(
        TINY,
        content_length=4,
        batch_size=32,
        replay_size=128,
        num_envs=8,
        learning_rate=1e-2,
        generator_learning_rate=0.0,
        discriminator_learning_rate=1e-2,
        penalty_coef=0.01,
        novelty_weight=0.0,
        epsilon_steps=400,
        target_interval=5,
    )

    def play(environment_weight):
        weights = dict(
            environment_weight=environment_weight, discriminator_weight=1 - environment_weight
        )
        learner = dqn_gan(MELODY, dataclasses.replace(config, **weights), examples=rolls(4, 3, 1))
        state, metrics = run(learner, 40, obedient(config))
        return learner.generate(state, jax.random.key(1), 4), metrics["episode_return"]

    works, returns = jax.jit(jax.vmap(play))(jnp.float32([1, 0]))
    notes = np.asarray(works.events) - MELODY.lowest_code
    np.testing.assert_array_equal(notes, np.stack([np.full((4, 4), 2), np.full((4, 4), 1)]))
    # Episodes are one instruction long; a random one pays the target's four notes one time in 3.
    assert returns[0, :5].mean() < 3 < 3.5 < returns[0, -5:].mean()


def test_the_generator_lowers_its_loss_under_a_fixed_discriminator():
    config = dataclasses.replace(
        TINY,
        gan_steps=10,
        gan_batch_size=32,
        content_length=4,
        generator_learning_rate=1e-2,
        discriminator_learning_rate=1e-12,
        instruction_coef=0.0,
    )
    _, metrics = run(dqn_gan(MELODY, config, examples=rolls(4, 3, 0)), 12)
    losses = np.asarray(metrics["generator_loss"])
    assert losses[-1] < losses[0] - 0.15 and np.all(np.diff(losses) < 0.05)


def test_instructions_can_be_read_off_the_contents_where_that_has_a_weight():
    config = dataclasses.replace(
        TINY,
        gan_steps=10,
        gan_batch_size=32,
        content_length=4,
        generator_learning_rate=1e-2,
        epsilon_end=1.0,
    )

    def last_loss(key, coef):
        learner = dqn_gan(
            MELODY,
            dataclasses.replace(config, instruction_coef=coef),
            examples=rolls(4, 3, 0, 1, 2),
        )
        state = learner.init(key)
        _, metrics = jax.lax.scan(lambda state, _: learner.update(state), state, None, 30)
        return metrics["instruction_loss"][-1]

    # Some end where two of the three instructions sound alike (2/3 log 2), whatever the seed is.
    keys = jax.random.split(jax.random.key(0), 6)
    losses = jax.jit(jax.vmap(jax.vmap(last_loss, (None, 0)), (0, None)))(keys, jnp.float32([5, 0]))
    np.testing.assert_allclose(losses[:, 1], np.log(3), atol=0.4)
    assert losses[:, 0].max() < 0.8 and losses[:, 0].min() < 0.2


def test_a_generator_that_does_not_learn_stays_and_is_told_from_the_examples():
    config = dataclasses.replace(
        TINY, generator_learning_rate=0.0, discriminator_learning_rate=1e-2, penalty_coef=0.1
    )
    learner = dqn_gan(MELODY, config, examples=rolls(4, 3, 0))

    def never_the_first(state):
        held = state.dqn.env_params
        generator = jax.tree.map(lambda leaf: leaf, held.generator)
        generator["params"]["head"]["bias"] = jnp.float32([-200, 200, 200])
        return state.replace(dqn=state.dqn.replace(env_params=held.replace(generator=generator)))

    before = never_the_first(jax.jit(learner.init)(jax.random.key(0)))
    after, metrics = run(learner, 25, never_the_first)
    jax.tree.map(
        np.testing.assert_array_equal,
        (before.dqn.env_params.generator, before.reader),
        (after.dqn.env_params.generator, after.reader),
    )
    assert metrics["real_score"][-1] > 1 and metrics["fake_score"][-1] < -1
    assert metrics["discriminator_loss"][-1] < 0.6 < 1 < metrics["discriminator_loss"][0]


@pytest.fixture(scope="module")
def three_updates():
    """The states from the start on, and the metrics of each update."""
    config = dataclasses.replace(
        TINY, gan_steps=1, content_length=4, penalty_coef=0.7, instruction_coef=0.3
    )
    learner = dqn_gan(MELODY, config, examples=rolls(4, 3, 0, 1))
    update, states, metrics = jax.jit(learner.update), [], []
    states.append(jax.jit(learner.init)(jax.random.key(0)))
    for _ in range(3):
        state, seen = update(states[-1])
        states.append(state)
        metrics.append(seen)
    return states, metrics


def test_the_parts_of_the_total_loss_add_up(three_updates):
    _, metrics = three_updates
    for seen in metrics:
        total = seen["q_loss"] + seen["generator_loss"] + seen["discriminator_loss"]
        total += 0.7 * seen["gradient_penalty"] + 0.3 * seen["instruction_loss"]
        assert float(seen["total_loss"]) == pytest.approx(float(total), rel=1e-5)
        assert seen["gradient_penalty"] > 0 and 1 <= seen["vendi"] <= 8.001
    assert metrics[-1]["q_loss"] > 0
    assert set(metrics[0]) >= {
        "q_loss", "q_mean", "epsilon", "generator_loss", "instruction_loss", "discriminator_loss",
        "gradient_penalty", "real_score", "fake_score", "recall", "vendi", "total_loss",
        "episode_return", "num_episodes",
    }  # fmt: skip
    assert "loss" not in metrics[0]


def test_the_archive_holds_the_newest_works_first(three_updates):
    archives = [np.asarray(state.dqn.env_params.archive) for state in three_updates[0]]
    assert not archives[0].any()
    # Eight works of four notes an update, and room for twelve.
    np.testing.assert_array_equal(archives[1].sum(1), [4] * 8 + [0] * 4)
    for older, newer in itertools.pairwise(archives):
        np.testing.assert_array_equal(newer[8:], older[:4])
        assert not np.array_equal(newer[:8], older[:8])


# Contents, step by step.


def best_instruction(variables, observation, latent):
    """The DQN's, by hand: one hidden layer."""
    hidden, head = (variables["params"][name] for name in ("hidden_0", "head"))
    x = np.maximum(np.concatenate([latent, observation]) @ hidden["kernel"] + hidden["bias"], 0)
    return int(np.argmax(x @ head["kernel"] + head["bias"]))


def content_by_hand(state, config, observation, key):
    """Two actions with their noise: the latent's key and the Gumbel's."""
    layers = state.dqn.env_params.generator["params"]
    key_latent, key_gumbel = jax.random.split(key)
    latent = jax.random.normal(key_latent, (config.noise_size,))
    instruction = best_instruction(state.dqn.variables, observation, latent)
    said = np.eye(config.num_instructions)[instruction]

    def layer(name, x):
        return x @ layers[name]["kernel"] + layers[name]["bias"]

    x = np.concatenate([np.tanh(layer("observation", observation)), said, latent])
    x = np.maximum(layer("hidden_0", x), 0)
    x /= np.sqrt(np.mean(x**2) + 1e-8)
    logits = (5 * np.tanh(layer("head", x) / 5)).reshape(2, -1)
    return np.argmax(logits + jax.random.gumbel(key_gumbel, logits.shape), axis=-1)


def test_act_performs_a_whole_content_before_it_asks_again():
    env = TargetMelody(length=6, num_pitches=5)
    config = dataclasses.replace(TINY, content_length=2)
    learner = dqn_gan(env, config, examples=rolls(6, 5, 0))
    init, act, step_on = (jax.jit(fn) for fn in (learner.init, learner.act, env.step))
    for seed in range(3):
        state = init(jax.random.key(seed))
        params = state.env_params
        env_state, timestep = env.reset(jax.random.key(0), params)
        memory, actions, expected = learner.init_memory(), [], []
        for step, key in enumerate(jax.random.split(jax.random.key(7 + seed), 6)):
            if step % 2 == 0:
                seen = np.eye(6)[int(timestep.observation)]
                expected += content_by_hand(state, config, seen, key).tolist()
            action, memory = act(state, key, timestep, memory)
            actions.append(int(action))
            env_state, timestep = step_on(key, env_state, action, params)
        assert actions == expected
        assert int(memory.position) == 0
    assert len(set(actions)) > 1


def test_works_are_what_act_plays():
    config = dataclasses.replace(TINY, content_length=2)
    learner = dqn_gan(MELODY, config, examples=rolls(4, 3, 0))
    state = jax.jit(learner.init)(jax.random.key(0))
    params = state.env_params
    works = jax.jit(learner.generate, static_argnums=2)(state, jax.random.key(3), 2)
    act, step_on = jax.jit(learner.act), jax.jit(MELODY.step)
    key_reset, key_act, key_step = jax.random.split(jax.random.key(3), 3)
    for row in range(2):
        env_state, timestep = MELODY.reset(jax.random.split(key_reset, 2)[row], params)
        memory = learner.init_memory()
        for step in range(4):
            keys = [jax.random.split(key, (4, 2))[step, row] for key in (key_act, key_step)]
            action, memory = act(state, keys[0], timestep, memory)
            env_state, timestep = step_on(keys[1], env_state, action, params)
        expected = MELODY.work(env_state, params)
        np.testing.assert_array_equal(works.events[row], expected.events)
        assert int(works.length[row]) == 4


# What is refused.


class Faceless(TargetMelody):
    """Without a picture, as environments are by default."""

    appearance = Environment.appearance


@pytest.mark.parametrize(
    ("env", "change", "message"),
    [
        (MELODY, dict(content_length=3), "content_length must divide the horizon = 4, got 3"),
        (MELODY, dict(archive_size=4), r"archive_size must be .* number in 5.* got 4"),
        (MELODY, dict(gan_batch_size=5), "gan_batch_size must be above 5, .* got 5"),
        (MELODY, dict(replay_size=4), "must be at most replay_size = 4, got 8"),
        (MELODY, dict(generator_learning_rate=-1e-3), "generator_learning_rate must not be neg"),
        (MELODY, dict(discriminator_learning_rate=0.0), "discriminator_learning_rate must be gr"),
        (MELODY, dict(novelty_weight=-1.0), "novelty_weight must not be negative, got -1.0"),
        (MELODY, dict(num_instructions=0), "num_instructions must be a whole number of at least 1"),
        (MELODY, dict(loss="best"), "loss must be one of non_saturating, least_squares, hinge,"),
        (MELODY, {}, "TargetMelody has no examples to learn from; give some"),
        (Faceless(length=4), {}, "Faceless has no picture of its works to judge"),
        (
            GridDrawing(goal="free", height=4, width=4),
            {},
            "GridDrawing has no gradients from its picture to its actions",
        ),
        (crl.make("grid-path"), {}, "dqn_gan plays whole episodes to a horizon, and .* has none"),
        (AutoReset(MELODY), {}, "dqn_gan resets its environments; give it one without AutoReset"),
        (None, {}, "dqn_gan takes an environment, such as .* got None"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(env, change, message):
    with pytest.raises(ValueError, match=message) as refused:
        dqn_gan(env, dataclasses.replace(TINY, **change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("examples", "given"),
    [
        (rolls(5, 3, 0), r"uint8\[1, 5, 3, 1\]"),
        (rolls(4, 3), r"uint8\[0, 4, 3, 1\]"),
        (rolls(4, 3, 0)[0], r"uint8\[4, 3, 1\]"),
        (rolls(4, 3, 0).astype(jnp.float32), r"float32\[1, 4, 3, 1\]"),
    ],
)
def test_examples_are_like_the_works(examples, given):
    message = rf"dqn_gan: examples must be uint8\[M, 4, 3, 1\] with M at least 1, .* got {given}"
    with pytest.raises(ValueError, match=message):
        dqn_gan(MELODY, TINY, examples=examples)

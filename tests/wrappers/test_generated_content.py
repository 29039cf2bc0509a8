"""Instructions as actions: contents, their gradients, chunks of steps, and who pays at the end."""

import dataclasses

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.environment import Environment
from creative_rl.envs.melody import TargetMelody
from creative_rl.envs.pixel_drawing import PixelDrawing
from creative_rl.envs.stroke_drawing import StrokeDrawing
from creative_rl.networks import ContentGenerator, PictureEncoder
from creative_rl.rewards import drawing as rewards
from creative_rl.spaces import Box, Discrete, MultiDiscrete
from creative_rl.testing import check_environment
from creative_rl.wrappers import GeneratedContent, NoveltyReward, Wrapper
from creative_rl.wrappers.generated_content import content_outputs, novelty

MELODY = TargetMelody(length=6, num_pitches=4, num_phases=3)
PIXELS = PixelDrawing(goal="free", height=4, width=4, num_steps=4)


def instructed(env, length=1, **fields):
    generator = ContentGenerator(
        env.observation_space, 3, length, content_outputs(env.action_space), hidden_sizes=(8,)
    )
    discriminator = PictureEncoder(1, "mlp", hidden_sizes=(5,))
    return GeneratedContent(
        env, generator, discriminator, noise_size=2, **{"archive_size": 7, **fields}
    )


WRAPPED = {"melody": instructed(MELODY, 3), "pixels": instructed(PIXELS, 2)}
BOTH = pytest.mark.parametrize("env", WRAPPED.values(), ids=WRAPPED)


def seen_params(env, **weights):
    """Params with an archive of noise, so that novelty is no trifle."""
    params = env.default_params
    archive = jax.random.uniform(jax.random.key(9), params.archive.shape)
    weights = {name: jnp.float32(value) for name, value in weights.items()}
    return params.replace(archive=archive, weights={**params.weights, **weights})


# Contents.


@pytest.mark.parametrize("softness", [1.0, 0.5])
def test_relaxed_notes_are_one_hot_with_the_gradient_of_the_softmax(softness):
    env = instructed(MELODY, 3, softness=softness)
    variables = env.default_params.generator
    keys = jax.random.split(jax.random.key(1), 2000)
    noise = jax.vmap(env.noise)(keys)
    observation, instruction = jnp.int32(2), jnp.int32(1)

    def relaxed(variables):
        make = jax.vmap(env.content, (None, None, None, 0))
        content = make(variables, observation, instruction, noise)
        return content.relaxed, content.actions

    def softened(variables):
        latents = noise.latent
        batch = (jnp.broadcast_to(leaf, len(latents)) for leaf in (observation, instruction))
        outputs = env.generator.apply(variables, *batch, latents)
        return jnp.exp(jax.nn.log_softmax((outputs + noise.gumbel) / softness))

    found, pullback, actions = jax.jit(lambda v: jax.vjp(relaxed, v, has_aux=True))(variables)
    assert found.dtype == jnp.float32 and actions.dtype == jnp.int32
    np.testing.assert_array_equal(found, np.eye(4, dtype=np.float32)[np.asarray(actions)])
    pull = jax.random.normal(jax.random.key(2), found.shape)
    (gradient,) = pullback(pull)
    (expected,) = jax.vjp(softened, variables)[1](pull)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), gradient, expected
    )
    assert np.abs(gradient["params"]["head"]["kernel"]).max() > 1


def test_notes_are_drawn_with_the_probabilities_of_the_generators_logits():
    env = WRAPPED["melody"]
    variables, num = env.default_params.generator, 20_000
    gumbel = jax.vmap(env.noise)(jax.random.split(jax.random.key(1), num)).gumbel
    latent = env.noise(jax.random.key(2)).latent
    strong = jax.tree.map(lambda leaf: leaf, variables)
    strong["params"]["head"] = jax.tree.map(lambda x: 4.0 * x, variables["params"]["head"])
    outputs = env.generator.apply(strong, jnp.int32(0), jnp.int32(1), latent)

    def draw(gumbel):
        noise = env.noise(jax.random.key(0)).replace(latent=latent, gumbel=gumbel)
        return env.content(strong, jnp.int32(0), jnp.int32(1), noise).actions

    actions = np.asarray(jax.jit(jax.vmap(draw))(gumbel))
    shares = (actions[..., None] == np.arange(4)).mean(0)
    expected = np.asarray(jax.nn.softmax(outputs))
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(shares, expected, atol=5 * np.sqrt(0.25 / num))


@dataclasses.dataclass(frozen=True)
class Bounded(Wrapper):
    """With other bounds, in which only contents are made."""

    low: float = 0.0
    high: float = 1.0

    @property
    def action_space(self):
        return Box(self.low, self.high, (2, 3))


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(
    low=st.floats(-100, 100),
    width=st.floats(0.01, 100),
    scale=st.sampled_from([0.1, 100.0, 1e6]),
)
@hypothesis.example(low=0.1, width=0.6, scale=1e6)  # whose sum is rounded up
def test_contents_of_a_box_stay_inside_its_bounds(low, width, scale):
    space = Box(low, low + width, (2, 3))
    env = instructed(Bounded(MELODY, space.low, space.high), 3)
    variables = jax.tree.map(lambda x: scale * jnp.ones_like(x), _shapes(env))
    noise = env.noise(jax.random.key(0))
    for sign in (1.0, -1.0):
        signed = jax.tree.map(lambda x, sign=sign: sign * x, variables)
        content = env.content(signed, jnp.int32(0), jnp.int32(0), noise)
        assert content.actions.shape == (3, 2, 3) and content.actions.dtype == jnp.float32
        assert bool(jax.vmap(space.contains)(content.actions).all())
        np.testing.assert_array_equal(content.actions, content.relaxed)


def _shapes(env):
    noise, zero = jnp.zeros(2, jnp.float32), jnp.int32(0)
    return jax.eval_shape(env.generator.init, jax.random.key(0), zero, zero, noise)


def test_contents_of_a_box_are_the_squashed_outputs():
    env = WRAPPED["pixels"]
    variables, noise = env.default_params.generator, env.noise(jax.random.key(3))
    observation = env.env.observation_space.sample(jax.random.key(4))
    outputs = env.generator.apply(variables, observation, jnp.int32(2), noise.latent)
    content = env.content(variables, observation, jnp.int32(2), noise)
    expected = 1 / (1 + np.exp(-np.asarray(outputs, np.float64)))
    np.testing.assert_allclose(content.actions, expected.reshape(2, 4, 4, 1), rtol=1e-5)
    gradient = jax.grad(lambda v: env.content(v, observation, jnp.int32(2), noise).actions.sum())(
        variables
    )
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradient))


@BOTH
def test_a_content_is_decided_by_observation_instruction_and_noise(env, key):
    params = env.default_params
    noises = [env.noise(jax.random.key(seed)) for seed in (0, 0, 1)]
    state, before = env.reset(key, params)
    _, after = env.step(key, state, jnp.int32(0), params)
    # Three notes on, the melody's phase is the same.
    observations = [before.observation["seen"], after.observation["seen"]]
    if env is WRAPPED["melody"]:
        observations[1] += 1

    def values(observation, instruction, noise):
        inputs = (params.generator, observation, jnp.int32(instruction))
        outputs = env.generator.apply(*inputs, noise.latent)
        return np.asarray(outputs), np.asarray(env.content(*inputs, noise).actions)

    first = values(observations[0], 0, noises[0])
    for a, b in zip(first, values(observations[0], 0, noises[1]), strict=True):
        np.testing.assert_array_equal(a, b)
    for other in (
        values(observations[0], 0, noises[2]),
        values(observations[0], 1, noises[0]),
        values(observations[1], 0, noises[0]),
    ):
        assert not np.allclose(first[0], other[0])


# Steps.


def played_by_hand(env, params, key_reset, noise, instruction):
    """What a transition from a new episode should be, step by step."""
    state, timestep = env.env.reset(jax.random.split(key_reset)[0], params.env)
    content = env.content(params.generator, timestep.observation, jnp.int32(instruction), noise)
    timesteps = []
    for action in content.actions:  # neither environment draws anything in its steps
        state, timestep = env.env.step(jax.random.key(0), state, action, params.env)
        timesteps.append(timestep)
    return state, timesteps


@BOTH
def test_a_step_performs_a_whole_content_and_pays_the_sum(env, key):
    params = seen_params(env, environment=1.0)
    key_reset, key_transition = jax.random.split(key)
    start, first = env.reset(key_reset, params)
    state, timestep = env.step(key_transition, start, jnp.int32(2), params)
    by_hand, timesteps = played_by_hand(env, params, key_reset, start.noise, instruction=2)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), state.env, by_hand
    )
    assert float(first.reward) == 0 and not bool(timestep.ended)
    np.testing.assert_allclose(timestep.reward, sum(t.reward for t in timesteps), rtol=1e-5)
    for name in (term.name for term in env.env.terms):
        terms = [float(t.info["reward_terms"][name]) for t in timesteps]
        np.testing.assert_allclose(
            timestep.info["reward_terms"][name], sum(terms), rtol=1e-4, atol=1e-6
        )
    # Before the end nobody but the environment pays.
    assert float(timestep.info["reward_terms"]["discriminator"]) == 0
    assert float(timestep.info["reward_terms"]["novelty"]) == 0
    seen, expected = timestep.observation["seen"], timesteps[-1].observation
    jax.tree.map(np.testing.assert_array_equal, seen, expected)


@BOTH
def test_the_noise_of_the_next_content_is_shown_before_its_instruction(env, key):
    params = env.default_params
    state, timestep = env.reset(key, params)
    noises = [state.noise.latent]
    np.testing.assert_array_equal(timestep.observation["latent"], state.noise.latent)
    for instruction in (0, 1):  # what is drawn next does not depend on what is chosen
        following, timestep = env.transition(key, state, jnp.int32(instruction), params)
        np.testing.assert_array_equal(timestep.observation["latent"], following.noise.latent)
        observed = env.observe(following, params)
        jax.tree.map(np.testing.assert_array_equal, observed, timestep.observation)
        noises.append(following.noise.latent)
    assert not np.array_equal(noises[0], noises[1])
    np.testing.assert_array_equal(noises[1], noises[2])


@BOTH
def test_discriminator_and_novelty_pay_once_at_the_end(env, key):
    weights = {"environment": 0.5, "discriminator": 2.0, "novelty": 3.0}
    params = seen_params(env, **weights)
    state, _ = env.reset(key, params)
    step = jax.jit(env.step)
    for _ in range(env.horizon):
        state, timestep = step(key, state, jnp.int32(1), params)
    assert bool(timestep.terminated)
    picture = np.asarray(env.appearance(state, params), np.float64)
    terms = jax.tree.map(float, timestep.info["reward_terms"])
    logit = logit_by_hand(params.discriminator, picture)
    assert terms["discriminator"] == pytest.approx(1 / (1 + np.exp(-logit)), rel=1e-4)
    differences = picture.ravel()[None] - np.asarray(params.archive, np.float64)
    distances = np.sqrt(np.square(differences).mean(1))
    assert terms["novelty"] == pytest.approx(np.sort(distances)[:5].mean(), rel=1e-4)
    of_environment = sum(
        float(params.env.weights[term.name]) * terms[term.name] for term in env.env.terms
    )
    paid = 0.5 * of_environment + 2.0 * terms["discriminator"] + 3.0 * terms["novelty"]
    assert float(timestep.reward) == pytest.approx(paid, rel=1e-4)
    # A finished work is paid for once.
    again, past = step(key, state, jnp.int32(0), params)
    assert float(past.reward) == 0 and not any(map(float, past.info["reward_terms"].values()))
    jax.tree.map(np.testing.assert_array_equal, again, state)


def logit_by_hand(variables, picture):
    """A hidden layer with leaky ReLU of slope 0.2 on a picture in -1..1, and a linear one."""
    first, last = (jax.tree.map(np.float64, variables["params"][f"Layer_{n}"]) for n in range(2))
    hidden = (2 * picture.ravel() - 1) @ first["kernel"] + first["bias"]
    hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    return float((hidden @ last["kernel"] + last["bias"])[0])


def test_weights_and_networks_are_params_and_compile_nothing(key):
    env = WRAPPED["melody"]
    rewards, traces = {}, []

    @jax.jit
    def last_reward(params):
        traces.append(params)
        state, _ = env.reset(key, params)
        for _ in range(env.horizon):
            state, timestep = env.step(key, state, jnp.int32(1), params)
        return timestep.reward

    for name in ("environment", "discriminator", "novelty"):
        only = {other: float(other == name) for other in env.default_params.weights}
        rewards[name] = float(last_reward(seen_params(env, **only)))
        assert rewards[name] > 0
    together = float(last_reward(seen_params(env, environment=2.0, discriminator=3.0, novelty=4.0)))
    expected = 2 * rewards["environment"] + 3 * rewards["discriminator"] + 4 * rewards["novelty"]
    assert together == pytest.approx(expected, rel=1e-5)
    assert len(traces) == 1


def test_the_wrapper_keeps_the_contract_of_environments():
    env = WRAPPED["melody"]
    assert env.action_space == Discrete(3) and env.horizon == 2
    spaces = dict(env.observation_space.items())
    assert spaces["seen"] == MELODY.observation_space and spaces["latent"].shape == (2,)
    weights = {name: jnp.float32(1) for name in ("target_match", "discriminator", "novelty")}
    check_environment(env, seen_params(env), weights=weights)


@BOTH
def test_works_are_the_wrapped_environments(env, key):
    params = env.default_params
    state, _ = env.reset(key, params)
    state, _ = env.step(key, state, jnp.int32(0), params)
    work, expected = env.work(state, params), env.env.work(state.env, params.env)
    jax.tree.map(np.testing.assert_array_equal, work, expected)
    assert int(work.length) == (3 if env is WRAPPED["melody"] else 0)


STROKES = StrokeDrawing(goal="free", height=6, width=6, num_steps=2, terms=(rewards.BALANCE,))


@pytest.mark.parametrize(
    "env", [WRAPPED["melody"], instructed(STROKES, 2)], ids=["melody", "strokes"]
)
def test_the_relaxed_appearance_is_the_works_with_gradients_to_the_generator(env, key):
    params = env.default_params
    state, timestep = env.env.reset(key, params.env)
    contents = []
    for number in range(env.horizon):
        noise = env.noise(jax.random.key(number))
        inputs = (timestep.observation, jnp.int32(number), noise)
        contents.append(inputs)
        actions = env.content(params.generator, *inputs).actions
        state, timestep = jax.jit(env.perform)(key, state, actions, params)

    def relaxed(generator):
        actions = [env.content(generator, *inputs).relaxed for inputs in contents]
        return env.relaxed_appearance(jnp.concatenate(actions), params)

    def score(generator):
        picture = relaxed(generator)
        return env.discriminator.apply(params.discriminator, picture)[0], picture

    gradients, picture = jax.jit(jax.grad(score, has_aux=True))(params.generator)
    # Canvases are rounded to bytes, once a stroke.
    np.testing.assert_allclose(picture, env.env.appearance(state, params.env), atol=2 / 255)
    assert np.ptp(picture) > 0.1
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    last = gradients["params"]["head"]["bias"]
    assert (np.abs(last) > 1e-6).mean() > 0.8


def test_a_judge_inside_still_learns(key):
    style = PixelDrawing(goal="style", height=4, width=4, num_steps=2, judge_sizes=(4,))
    env = instructed(style, 2)
    params = env.default_params
    keys = jax.random.split(key, (2, 3))
    state, _ = jax.vmap(env.reset, (0, None))(keys[0], params)
    _, timesteps = jax.vmap(env.step, (0, 0, None, None))(keys[1], state, jnp.int32(0), params)
    assert bool(timesteps.terminated.all())
    learned = env.update_params(params, timesteps)
    assert int(learned.env.judge.num_steps) == style.judge_steps
    rest = learned.replace(env=learned.env.replace(judge=params.env.judge))
    jax.tree.map(np.testing.assert_array_equal, rest, params)


def test_a_term_of_a_judges_name_is_refused(key):
    env = instructed(NoveltyReward(MELODY), 3)
    with pytest.raises(ValueError, match=r"terms of its own, .* got .*novelty"):
        env.reset(key, env.default_params)


# Novelty.


def test_weights_of_other_names_are_refused(key):
    env = WRAPPED["melody"]
    with pytest.raises(ValueError, match=r"one number for each of .*, novelty; got noveltie$"):
        env.init_params(key, env.env.default_params, {"noveltie": 1.0})


def test_novelty_is_the_mean_distance_to_the_five_nearest():
    # Rows at the distances 0.1 .. 0.7 in every feature, so that is their root mean square too.
    archive = jnp.float32([[0.1], [0.7], [0.2], [0.6], [0.3], [0.5], [0.4]]) * jnp.ones((1, 4))
    assert float(novelty(jnp.zeros(4), archive)) == pytest.approx(0.3, abs=1e-6)
    # 1 in one of four features is 1/2 in the root mean square.
    corner = jnp.float32([1, 0, 0, 0])
    assert float(novelty(corner, jnp.zeros((5, 4)))) == pytest.approx(0.5, abs=1e-6)
    assert float(novelty(jnp.ones(4), jnp.zeros((9, 4)))) == pytest.approx(1.0, abs=1e-6)
    assert float(novelty(corner, jnp.tile(corner[None], (5, 1)))) == 0


_unit = {"elements": st.floats(0, 1, width=32)}


@hypothesis.settings(deadline=None, max_examples=40)
@hypothesis.given(hnp.arrays(np.float32, (6,), **_unit), hnp.arrays(np.float32, (8, 6), **_unit))
def test_novelty_of_any_picture(picture, archive):
    differences = picture.astype(np.float64)[None] - archive
    distances = np.sort(np.sqrt(np.square(differences).mean(1)))
    found = float(novelty(jnp.asarray(picture), jnp.asarray(archive)))
    assert found == pytest.approx(distances[:5].mean(), abs=2e-3)
    assert 0 <= found <= 1 + 1e-6


# What is refused.


def test_a_content_must_divide_the_episode():
    with pytest.raises(ValueError, match=r"content must divide the .* horizon, 6, got 4$"):
        instructed(MELODY, 4)
    with pytest.raises(ValueError, match=r"content must divide the .* horizon, 6, got 12$"):
        instructed(MELODY, 12)


class Faceless(TargetMelody):
    """Without a picture, as environments are by default."""

    appearance = Environment.appearance


class Masked(TargetMelody):
    """Allows the lower half of the notes."""

    def action_mask(self, state, params):
        return jnp.arange(self.num_pitches) < self.num_pitches // 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: instructed(MELODY, archive_size=4),
            r"archive_size must be a whole .* in 5\.\..* 4",
        ),
        (
            lambda: dataclasses.replace(WRAPPED["melody"], noise_size=2.0),
            r"GeneratedContent: noise_size must be a whole number in 1\.\..*, got 2\.0",
        ),
        (
            lambda: dataclasses.replace(WRAPPED["melody"], env=None),
            "GeneratedContent: env must be an environment",
        ),
        (
            lambda: instructed(crl.make("grid-path")),
            "content must divide the environment's horizon, None, got 1",
        ),
        (
            lambda: instructed(Faceless(length=2)).default_params,
            "Faceless has no picture of its works to judge",
        ),
        (
            lambda: instructed(Masked(length=2)).default_params,
            "a generator knows no action masks",
        ),
        (
            lambda: content_outputs(MultiDiscrete((2, 3))),
            r"contents are made of Discrete or Box actions, got MultiDiscrete",
        ),
        (
            lambda: content_outputs(Box(0.0, np.inf, (2,))),
            "actions must be Discrete, MultiDiscrete or a Box of floats with finite bounds, got",
        ),
    ],
)
def test_what_cannot_be_instructed_is_refused_in_one_line(build, message):
    with pytest.raises(ValueError, match=message) as refused:
        build()
    assert "\n" not in str(refused.value)

"""A DQN that instructs a generator: what to make is chosen, how it looks is learned from examples.

In every step the DQN sees the work so far and the noise of the next content, and chooses one of a
few instructions; a conditional generator turns instruction and noise into content, the next actions
of the environment (strokes of a drawing, bars of a melody); a discriminator that knows the examples
judges the finished work. The DQN is paid by the environment, the discriminator and the novelty of
the work (`wrappers.GeneratedContent`). Updates alternate: the DQN's, then some of discriminator and
generator, on works that it instructs.

Sources: Mnih et al., Nature 518 (2015), for the DQN (`learners.dqn`); Goodfellow et al. (arXiv
1406.2661) for the game of generator and discriminator; Mescheder et al. (arXiv 1801.04406) for R1;
Chen et al., InfoGAN (arXiv 1606.03657, equation 5), for the term that keeps the instructions
apart: how well they can be read off the content. Gradients reach the generator through the
environment's `relaxed_appearance`: a differentiable rasteriser for strokes, and for notes the
straight-through estimator of Jang et al. (arXiv 1611.01144, section 2.2).

What to know: replayed instructions were paid by generators, discriminators and archives of their
time. The archive of novelty holds the newest works, not all that there were. Environment steps
count what the DQN collects; the works that generator and discriminator learn from are played on
top. The actions of a `Box` stay 0.7 percent of its range away from its bounds.
"""

from functools import partial
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax

from creative_rl.configs import DQNConfig, DQNGANConfig, shared, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.learners.dqn import DQNState, dqn
from creative_rl.learners.picture_learning import check_num_probes, probe_metrics, sample_examples
from creative_rl.networks import ContentGenerator, InstructionReader, PictureEncoder
from creative_rl.ops import adversarial, distributions, schedules
from creative_rl.spaces import Box, Discrete
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import GeneratedContent
from creative_rl.wrappers.generated_content import ContentNoise, content_outputs

jax.tree_util.register_dataclass(DQNGANConfig)


class DQNGANState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is; saving it is an exact checkpoint."""

    dqn: DQNState  # its env_params hold generator, discriminator and archive
    reader: PyTree
    opt_state: PyTree  # of the generator with the reader, and of the discriminator
    examples: Array | None  # uint8[M, H, W, C]; None where the environment has its own
    key: Key

    @property
    def env_params(self) -> PyTree:
        """Of the environment itself, which works are played in."""
        return self.dqn.env_params.env


class Plan(NamedTuple):
    """What works are made of, leaves [K, B, ...] for K instructions each."""

    observation: PyTree
    instruction: Array
    noise: PyTree


class Networks(NamedTuple):
    """Variables of what is trained beside the DQN."""

    generator: PyTree
    reader: PyTree
    discriminator: PyTree


class Memory(NamedTuple):
    """A content that is being performed: its actions [L, ...] and the next one's place."""

    actions: Array
    position: Array  # int32


def dqn_gan(
    env: Any,
    config: DQNGANConfig,
    params: PyTree = None,
    examples: Array | np.ndarray | None = None,
) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` or bounded `Box` actions and a fixed horizon that has an
        `appearance`, such as `drawing-free` or `melody-theory`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.
      examples: uint8[M, H, W, C], how real works look, in levels 0..255; None for the
        environment's own.

    Raises:
      ValueError: the environment or the examples do not fit, or a config field is out of range.
    """
    validate(config, DQNGANConfig)
    _check(env, config)
    num_outputs = content_outputs(env.action_space)
    wrapped = _with_content(env, config, num_outputs)
    reader: Any = InstructionReader(config.num_instructions)
    dqn_config = DQNConfig(**shared(config, DQNConfig))
    instructor = dqn(wrapped, dqn_config)
    optimizers = {
        "generator": optax.adam(config.generator_learning_rate, b1=0.5),
        "discriminator": optax.adam(config.discriminator_learning_rate, b1=0.5),
    }
    given = env.default_params if params is None else params
    jax.eval_shape(wrapped.init_params, jax.random.key(0), given)  # refuses what it cannot
    _check_examples(env, given, examples)

    def init(key: Key) -> DQNGANState:
        key, key_dqn, key_networks, key_reader = jax.random.split(as_key(key), 4)
        weights = {
            "environment": config.environment_weight,
            "discriminator": config.discriminator_weight,
            "novelty": config.novelty_weight,
        }
        wrapped_params = wrapped.init_params(key_networks, given, weights)
        content = jnp.zeros((config.content_length, num_outputs), jnp.float32)
        networks = Networks(
            generator=wrapped_params.generator,
            reader=reader.init(key_reader, content),
            discriminator=wrapped_params.discriminator,
        )
        return DQNGANState(
            # Made again, because a learner takes params when it is built; it copies them.
            dqn=dqn(wrapped, dqn_config, params=wrapped_params).init(key_dqn),
            reader=networks.reader,
            opt_state={
                "generator": optimizers["generator"].init(_makers(networks)),
                "discriminator": optimizers["discriminator"].init(networks.discriminator),
            },
            examples=None if examples is None else jnp.array(examples),
            key=key,
        )

    def best_instruction(state: DQNState, timestep: Timestep, noise: ContentNoise) -> Array:
        shown = timestep.replace(observation=wrapped.shown(timestep.observation, noise))
        return instructor.act(state, jax.random.key(0), shown, ())[0]

    def instruct(state: DQNState, timestep: Timestep, noise: ContentNoise, random: Array) -> Array:
        """int32[B]: as the DQN explores. The two columns of `random` are uniform in 0..1."""
        share = schedules.linear(
            config.epsilon_start, config.epsilon_end, config.epsilon_steps,
            schedules.environment_steps(state.num_updates, instructor.steps_per_update),
        )  # fmt: skip
        best = best_instruction(state, timestep, noise)
        other = distributions.uniform_action(random[:, 1], config.num_instructions, None)
        return jnp.where(random[:, 0] < share, other, best)

    def play(state: DQNState, generator: PyTree, key: Key) -> tuple[Plan, Array]:
        """Works on instruction, and how they look: float32[B, H, W, C]."""
        num = config.gan_batch_size
        wrapped_params = state.env_params
        key_reset, key_random, key_noise, key_steps = jax.random.split(key, 4)
        env_state, timestep = jax.vmap(env.reset, (0, None))(
            jax.random.split(key_reset, num), wrapped_params.env
        )

        def step(carry, randomness):
            env_state, timestep = carry
            random, noise, keys = randomness
            instruction = instruct(state, timestep, noise, random)
            observation = timestep.observation
            content = jax.vmap(wrapped.content, (None, 0, 0, 0))(
                generator, observation, instruction, noise
            )
            env_state, timestep = jax.vmap(wrapped.perform, (0, 0, 0, None))(
                keys, env_state, content.actions, wrapped_params
            )
            return (env_state, timestep), Plan(observation, instruction, noise)

        shape = (wrapped.horizon, num)
        randomness = (
            jax.random.uniform(key_random, (*shape, 2)),
            jax.vmap(jax.vmap(wrapped.noise))(jax.random.split(key_noise, shape)),
            jax.random.split(key_steps, shape),
        )
        (env_state, _), plan = jax.lax.scan(step, (env_state, timestep), randomness)
        return plan, jax.vmap(env.appearance, (0, None))(env_state, wrapped_params.env)

    def score(variables: PyTree, pictures: Array) -> Array:
        return wrapped.discriminator.apply(variables, pictures)[..., 0]

    def discriminator_loss(
        variables: PyTree, real: Array, fake: Array
    ) -> tuple[Array, dict[str, Array]]:
        real_scores, fake_scores = score(variables, real), score(variables, fake)
        loss = adversarial.discriminator_loss(config.loss, real_scores, fake_scores).mean()
        penalty = adversarial.zero_penalty(partial(score, variables), real)
        return loss + config.penalty_coef * penalty, {
            "discriminator_loss": loss,
            "gradient_penalty": penalty,
            "real_score": real_scores.mean(),
            "fake_score": fake_scores.mean(),
        }

    def generator_loss(
        makers: tuple[PyTree, PyTree], discriminator: PyTree, plan: Plan, env_params: PyTree
    ) -> tuple[Array, dict[str, Array]]:
        generator, reader_variables = makers
        make = jax.vmap(jax.vmap(wrapped.content, (None, 0, 0, 0)), (None, 0, 0, 0))
        relaxed = make(generator, *plan).relaxed  # [K, B, L, ...]
        read = reader.apply(reader_variables, relaxed.reshape(*relaxed.shape[:3], -1))
        instruction_loss = -distributions.categorical_log_prob(read, plan.instruction).mean()
        actions = jnp.moveaxis(relaxed, 0, 1)
        actions = actions.reshape(config.gan_batch_size, env.horizon, *relaxed.shape[3:])
        pictures = jax.vmap(env.relaxed_appearance, (0, None))(actions, env_params)
        loss = adversarial.generator_loss(config.loss, score(discriminator, pictures)).mean()
        metrics = {"generator_loss": loss, "instruction_loss": instruction_loss}
        return loss + config.instruction_coef * instruction_loss, metrics

    def gan_step(state: DQNGANState, carry, key: Key):
        networks, opt_state, archive = carry
        key_play, key_real = jax.random.split(key)
        plan, fake = play(state.dqn, networks.generator, key_play)
        examples = state.examples
        if examples is None:
            examples = env.examples(state.env_params)
        real = sample_examples(key_real, examples, config.gan_batch_size)
        gradients, metrics = jax.grad(discriminator_loss, has_aux=True)(
            networks.discriminator, real, fake
        )
        discriminator, opt_discriminator = descend(
            "discriminator", gradients, opt_state, networks.discriminator
        )
        gradients, more = jax.grad(generator_loss, has_aux=True)(
            _makers(networks), discriminator, plan, state.env_params
        )
        (generator, reader_variables), opt_generator = descend(
            "generator", gradients, opt_state, _makers(networks)
        )
        metrics |= more | probe_metrics(real, fake)
        flat = fake.reshape(config.gan_batch_size, -1)
        archive = jnp.concatenate([flat, archive])[: config.archive_size]
        networks = Networks(generator, reader_variables, discriminator)
        opt_state = {"generator": opt_generator, "discriminator": opt_discriminator}
        return (networks, opt_state, archive), metrics

    def descend(
        name: str, gradients: PyTree, opt_state: PyTree, variables: PyTree
    ) -> tuple[PyTree, PyTree]:
        updates, new = optimizers[name].update(gradients, opt_state[name], variables)
        return optax.apply_updates(variables, updates), new

    def update(state: DQNGANState) -> tuple[DQNGANState, dict[str, Array]]:
        key, key_gan = jax.random.split(state.key)
        instructed, metrics = instructor.update(state.dqn)
        state = state.replace(dqn=instructed, key=key)
        held = instructed.env_params
        networks = Networks(held.generator, state.reader, held.discriminator)
        (networks, opt_state, archive), of_steps = jax.lax.scan(
            partial(gan_step, state),
            (networks, state.opt_state, held.archive),
            jax.random.split(key_gan, config.gan_steps),
        )
        held = held.replace(
            generator=networks.generator, discriminator=networks.discriminator, archive=archive
        )
        state = state.replace(
            dqn=instructed.replace(env_params=held), reader=networks.reader, opt_state=opt_state
        )
        metrics["q_loss"] = metrics.pop("loss")
        metrics |= jax.tree.map(jnp.mean, of_steps)
        parts = ("q_loss", "generator_loss", "discriminator_loss")
        total = sum(metrics[name] for name in parts)
        total += config.penalty_coef * metrics["gradient_penalty"]
        total += config.instruction_coef * metrics["instruction_loss"]
        return state, metrics | {"total_loss": total}

    def act(
        state: DQNGANState, key: Key, timestep: Timestep, memory: Memory
    ) -> tuple[Array, Memory]:
        """The next action of the content on the best instruction."""
        noise = wrapped.noise(as_key(key))
        instruction = best_instruction(state.dqn, timestep, noise)
        content = wrapped.content(
            state.dqn.env_params.generator, timestep.observation, instruction, noise
        )
        actions = jnp.where(memory.position == 0, content.actions, memory.actions)
        position = (memory.position + 1) % config.content_length
        return actions[memory.position], Memory(actions, position)

    def init_memory() -> Memory:
        return Memory(env.action_space.zeros((config.content_length,)), jnp.int32(0))

    def generate(state: DQNGANState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...]."""
        return compose(env, state.env_params, partial(act, state), init_memory, key, num)

    steps = instructor.steps_per_update * config.content_length
    return Learner(init, update, act, init_memory, steps, generate)


def _makers(networks: Networks) -> tuple[PyTree, PyTree]:
    """What the generator's loss trains."""
    return networks.generator, networks.reader


def _with_content(env: Any, config: DQNGANConfig, num_outputs: int) -> GeneratedContent:
    """The environment of instructions, whose params hold generator, discriminator and archive."""
    generator = ContentGenerator(
        env.observation_space,
        config.num_instructions,
        config.content_length,
        num_outputs,
        config.generator_sizes,
    )
    return GeneratedContent(
        env,
        generator=generator,
        discriminator=PictureEncoder(1, "mlp", config.discriminator_sizes),
        noise_size=config.noise_size,
        archive_size=config.archive_size,
    )


def _check(env: Any, config: DQNGANConfig) -> None:
    """Refuse an environment of another kind, and sizes that do not fit its episodes."""
    requirements.one_of("dqn_gan", env, (Discrete, Box))
    requirements.never_resets("dqn_gan", env)
    check_num_probes("dqn_gan", "gan_batch_size", config.gan_batch_size)
    horizon = requirements.fixed_horizon("dqn_gan", env)
    requirements.divides("dqn_gan", "content_length", config.content_length, "the horizon", horizon)


def _check_examples(env: Any, params: PyTree, examples: Any) -> None:
    """Refuse examples of another shape than the works' appearance, or works whose picture has no
    gradients, before anything is traced."""
    state, _ = jax.eval_shape(env.reset, jax.random.key(0), params)
    shape = jax.eval_shape(env.appearance, state, params).shape
    if examples is None:
        examples = jax.eval_shape(env.examples, params)
    if examples.shape[1:] != shape or examples.dtype != jnp.uint8 or not examples.shape[0]:
        raise ValueError(
            f"dqn_gan: examples must be uint8[M, {', '.join(map(str, shape))}] with M at least 1, "
            f"like the works of the environment, got {examples.dtype}{list(examples.shape)}"
        )
    space = env.action_space
    each = (space.num,) if isinstance(space, Discrete) else space.shape
    actions = jax.ShapeDtypeStruct((env.horizon, *each), jnp.float32)
    jax.eval_shape(env.relaxed_appearance, actions, params)

"""Actions that are instructions: a generator makes the content, and judges join the reward."""

import dataclasses
import math
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.ops.action_heads import action_head
from creative_rl.ops.variety import squared_distances
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper, with_term

_NUM_NEAREST = 5
"""Nearest works of the archive that novelty is the mean distance to."""
_WEIGHTED = ("environment", "discriminator", "novelty")


class GeneratedContentParams(flax.struct.PyTreeNode):
    """The wrapped environment's params, the networks' variables, the archive and the weights."""

    env: PyTree
    generator: PyTree
    discriminator: PyTree
    archive: Array  # float32[N, H * W * C]: how earlier works looked
    weights: dict[str, Array]  # float32 of "environment", "discriminator" and "novelty"


class ContentNoise(flax.struct.PyTreeNode):
    """All randomness of a content."""

    latent: Array  # float32[Z], standard normal
    gumbel: Array | None  # float32[L, A], to draw Discrete actions with


class GeneratedContentState(flax.struct.PyTreeNode):
    """The wrapped environment's state, and what the next content will be made from."""

    env: PyTree
    noise: ContentNoise


class Content(flax.struct.PyTreeNode):
    """Actions [L, ...] for the environment, and what they are made of, with gradients.

    `relaxed` is the actions themselves for a `Box`; for `Discrete` actions one-hot vectors
    [L, A] whose gradient is that of the softmax (straight through).
    """

    actions: Array
    relaxed: Array


@dataclasses.dataclass(frozen=True)
class GeneratedContent(Wrapper):
    """An action is one of `num_instructions`; the generator turns it into the next actions.

    The noise of the next content is drawn before its instruction is chosen, and its latent is
    observed: `seen` is the environment's observation, `latent` float32[Z]. So an instruction is a
    choice among contents, and not among distributions of them.

    The reward of a step is what the environment pays for these actions times the weight
    `environment`; at the end of the episode two terms come on top: `discriminator`, the
    probability that the discriminator gives the work of being a real one, and `novelty`, its mean
    distance (root mean square over the picture, 0 to 1) to the five nearest works in the archive
    (after Lehman and Stanley, Evolutionary Computation 19, 2011, section 3; their archive grows,
    this one holds the newest works). Both see the environment's `appearance`.

    Attributes:
      env: environment with a fixed horizon that has an `appearance`.
      generator: `networks.ContentGenerator`; its `num_actions` divides the horizon.
      discriminator: flax module from pictures [..., H, W, C] to logits [..., 1].
      noise_size: width of the generator's noise.
      archive_size: works that novelty compares with.
      softness: temperature of the relaxed actions, for `Discrete` ones.
    """

    generator: Any
    discriminator: Any
    noise_size: int = 32
    archive_size: int = 256
    softness: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        length, horizon = self.generator.num_actions, self.env.horizon
        if horizon is None or horizon % length:
            raise ValueError(
                "GeneratedContent: the length of a content must divide the environment's horizon, "
                f"{horizon}, got {length}"
            )
        check_whole("GeneratedContent", "noise_size", self.noise_size, 1, 2**20)
        check_whole("GeneratedContent", "archive_size", self.archive_size, _NUM_NEAREST, 2**31 - 1)

    @property
    def differentiable(self) -> bool:
        return False

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.generator.num_instructions)

    @property
    def observation_space(self) -> Dict:
        latent = Box(-math.inf, math.inf, (self.noise_size,))
        return Dict({"seen": self.env.observation_space, "latent": latent})

    @property
    def horizon(self) -> int:
        return self.env.horizon // self.generator.num_actions

    @property
    def default_params(self) -> GeneratedContentParams:
        return self.init_params(jax.random.key(0), self.env.default_params)

    def init_params(
        self, key: Key, params: PyTree, weights: dict[str, Any] | None = None
    ) -> GeneratedContentParams:
        """Params from the wrapped environment's, with new networks and an archive of blanks.

        Raises:
          ValueError: the environment has action masks, which a generator does not know, or no
            `appearance`; or the weights are of other names.
        """
        key_generator, key_discriminator = jax.random.split(key)
        state, timestep = jax.eval_shape(self.env.reset, key, params)
        if timestep.action_mask is not None:
            raise ValueError(
                "GeneratedContent: a generator knows no action masks; take an environment that "
                "allows every action"
            )
        picture = jax.eval_shape(self.env.appearance, state, params)
        weights = dict.fromkeys(_WEIGHTED, 1.0) if weights is None else weights
        if weights.keys() != set(_WEIGHTED):
            raise ValueError(
                "GeneratedContent: weights must have one number for each of "
                f"{', '.join(_WEIGHTED)}; got {', '.join(weights)}"
            )
        return GeneratedContentParams(
            env=params,
            generator=self.generator.init(
                key_generator,
                self.env.observation_space.zeros(),
                jnp.int32(0),
                jnp.zeros(self.noise_size, jnp.float32),
            ),
            discriminator=self.discriminator.init(
                key_discriminator, jnp.zeros(picture.shape, jnp.float32)
            ),
            archive=jnp.zeros((self.archive_size, picture.size), jnp.float32),
            weights={name: jnp.array(value, jnp.float32) for name, value in weights.items()},
        )

    def env_state(self, state: GeneratedContentState) -> PyTree:
        return state.env

    def env_params(self, params: GeneratedContentParams) -> PyTree:
        return params.env

    def with_env_params(
        self, params: GeneratedContentParams, env_params: PyTree
    ) -> GeneratedContentParams:
        return params.replace(env=env_params)

    def noise(self, key: Key) -> ContentNoise:
        key_latent, key_gumbel = jax.random.split(key)
        latent = jax.random.normal(key_latent, (self.noise_size,), jnp.float32)
        if isinstance(self.env.action_space, Box):
            return ContentNoise(latent, None)
        shape = (self.generator.num_actions, self.generator.num_outputs)
        return ContentNoise(latent, jax.random.gumbel(key_gumbel, shape, jnp.float32))

    def content(
        self, variables: PyTree, observation: PyTree, instruction: Array, noise: ContentNoise
    ) -> Content:
        """What the generator makes of an instruction; unbatched."""
        outputs = self.generator.apply(variables, observation, instruction, noise.latent)
        space = self.env.action_space
        if noise.gumbel is None:
            actions = space.low + (space.high - space.low) * jax.nn.sigmoid(outputs)
            actions = jnp.clip(actions, space.low, space.high)  # rounding may step outside
            actions = actions.reshape(-1, *space.shape).astype(space.dtype)
            return Content(actions, actions)
        scores = outputs + noise.gumbel
        actions = jnp.argmax(scores, axis=-1).astype(space.dtype)
        soft = jax.nn.softmax(scores / self.softness)
        hard = jax.nn.one_hot(actions, space.num, dtype=soft.dtype)
        return Content(actions, soft + jax.lax.stop_gradient(hard - soft))

    def perform(
        self, key: Key, state: PyTree, actions: Array, params: GeneratedContentParams
    ) -> tuple[PyTree, Timestep]:
        """Take the actions [L, ...] of a content: the state, and what the last of them showed,
        with the rewards and terms of all."""

        def step(state: PyTree, inputs: tuple[Key, Array]) -> tuple[PyTree, Timestep]:
            return self.env.transition(inputs[0], state, inputs[1], params.env)

        keys = jax.random.split(key, self.generator.num_actions)
        state, timesteps = jax.lax.scan(step, state, (keys, actions))
        last = jax.tree.map(lambda leaf: leaf[-1], timesteps)
        terms = jax.tree.map(lambda leaf: leaf.sum(0), timesteps.info["reward_terms"])
        info = {**last.info, "reward_terms": terms}
        return state, last.replace(reward=timesteps.reward.sum(), info=info)

    def shown(self, observation: PyTree, noise: ContentNoise) -> dict[str, PyTree]:
        """What the instructor observes."""
        return {"seen": observation, "latent": noise.latent}

    def observe(self, state: GeneratedContentState, params: GeneratedContentParams) -> PyTree:
        return self.shown(self.env.observe(state.env, params.env), state.noise)

    def update_params(
        self, params: GeneratedContentParams, timesteps: Timestep
    ) -> GeneratedContentParams:
        info = dict(timesteps.info)
        if "final_observation" in info:
            info["final_observation"] = info["final_observation"]["seen"]
        seen = timesteps.replace(observation=timesteps.observation["seen"], info=info)
        return super().update_params(params, seen)

    def reset(
        self, key: Key, params: GeneratedContentParams
    ) -> tuple[GeneratedContentState, Timestep]:
        key_env, key_noise = jax.random.split(key)
        env_state, timestep = self.env.reset(key_env, params.env)
        state = GeneratedContentState(env_state, self.noise(key_noise))
        zeros = {"discriminator": jnp.float32(0), "novelty": jnp.float32(0)}
        return state, self._judged(state, timestep, zeros, params)

    def transition(
        self, key: Key, state: GeneratedContentState, action: Array, params: GeneratedContentParams
    ) -> tuple[GeneratedContentState, Timestep]:
        key_noise, key_steps = jax.random.split(key)
        observation = self.env.observe(state.env, params.env)
        content = self.content(params.generator, observation, action, state.noise)
        env_state, last = self.perform(key_steps, state.env, content.actions, params)
        state = GeneratedContentState(env_state, self.noise(key_noise))
        picture = self.env.appearance(env_state, params.env)
        judged = {
            "discriminator": jax.nn.sigmoid(
                self.discriminator.apply(params.discriminator, picture)[0]
            ),
            "novelty": novelty(picture.reshape(-1), params.archive),
        }
        judged = {name: jnp.where(last.ended, value, 0.0) for name, value in judged.items()}
        return state, self._judged(state, last, judged, params)

    def _judged(
        self,
        state: GeneratedContentState,
        timestep: Timestep,
        judged: dict[str, Array],
        params: GeneratedContentParams,
    ) -> Timestep:
        timestep = timestep.replace(
            observation=self.shown(timestep.observation, state.noise),
            reward=params.weights["environment"] * timestep.reward,
        )
        for name, value in judged.items():
            timestep = with_term(timestep, name, value, params.weights[name] * value)
        return timestep


def content_outputs(space: Any) -> int:
    """Numbers that a `ContentGenerator` makes for each action of a space.

    Raises:
      ValueError: the actions are neither `Discrete` nor a bounded `Box`.
    """
    if isinstance(space, Discrete):
        return space.num
    if isinstance(space, Box):
        return action_head(space).num_outputs // 2
    raise ValueError(f"contents are made of Discrete or Box actions, got {space}")


def novelty(picture: Array, archive: Array) -> Array:
    """Mean distance of float32[F] to the nearest rows of float32[N, F], root mean square over F."""
    squares = squared_distances(picture[None], archive)[0] / picture.size
    nearest = -jax.lax.top_k(-squares, _NUM_NEAREST)[0]
    return jnp.sqrt(nearest).mean()

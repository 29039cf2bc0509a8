"""A learned reward: what a discriminator, which learns too, takes the work for; or several."""

import dataclasses
from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.networks import PictureEncoder
from creative_rl.ops import pooling
from creative_rl.ops.levels import as_bytes
from creative_rl.rewards import judge
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper, with_term


class AdversarialRewardState(flax.struct.PyTreeNode):
    """The wrapped environment's state and what the judge thinks of the work so far."""

    env: PyTree
    realism: Array  # float32, 0 .. 1


class AdversarialRewardParams(flax.struct.PyTreeNode):
    """The wrapped environment's params, the discriminator, what it learns from, and the weight."""

    env: PyTree
    judge: judge.Judge  # of several, leaves [num_judges, ...]
    examples: Array  # uint8[M, H, W, C]
    weight: Array  # float32
    shares: Array | None = None  # float32[num_judges], of sum 1: what each judge has to say
    penalty: Array | None = None  # float32, at least 0: of the judges' variance


@dataclasses.dataclass(frozen=True)
class AdversarialReward(Wrapper):
    """Adds `weight` times what a step has added to the judge's probability, the term `realism`.

    The probability is that of the work so far being one of the examples, by its `appearance`; the
    gains of an episode sum to that of the whole work, less that of the empty one: the mathematics
    of a drawing's goal `style` (`rewards.judge`), for every environment that has an appearance.
    `update_params`, which learners call once an update, lets the judge learn from works that were
    finished; `info["appearance"]`, uint8[H, W, C], has them.

    Source: Ganin et al., SPIRAL (ICML 2018); as a second reward beside rules and a likelihood, Wu
    et al., GAPT (2025). Deviation from the latter: the judge learns in every update, without their
    warm-up and threshold, and sees whole works only.

    Several judges, each with weights and draws of its own, make an ensemble: a work's realism is
    the mean of their probabilities by `params.shares`, less `params.penalty` times their variance
    (Coste et al., arXiv 2310.02743: mean and uncertainty-weighted optimisation; equal shares and no
    penalty are the default), so that what only one of them can be talked into pays less.

    Attributes:
      network: flax module from pictures float32[..., H, W, C] in 0..1 to scores [..., 1].
      num_steps: gradient steps of the judge in one update of the params, 1 to 1000.
      num_judges: of the ensemble, 1 to 100; None for one judge without an axis of its own.
    """

    network: Any = PictureEncoder(1, "mlp", (128, 64))
    num_steps: int = 4
    num_judges: int | None = None

    def __post_init__(self):
        super().__post_init__()
        check_whole("AdversarialReward", "num_steps", self.num_steps, 1, 1000)
        if self.num_judges is not None:
            check_whole("AdversarialReward", "num_judges", self.num_judges, 1, 100)

    @property
    def default_params(self) -> AdversarialRewardParams:
        """With the wrapped environment's own examples."""
        params = self.env.default_params
        return self.init_params(jax.random.key(0), params, self.env.examples(params))

    def init_params(
        self, key: Key, params: PyTree, examples: Array, weight: float = 1.0
    ) -> AdversarialRewardParams:
        """Params with a judge that has seen nothing.

        Args:
          key: of the judge; for one of its own in every seed of a population, replace
            `params.judge` by `init_judge(key, params)`.
          params: the wrapped environment's.
          examples: uint8[M, H, W, C], the appearance of works to be like, times 255.
          weight: of the term.

        Raises:
          ValueError: the examples have not the form of the environment's appearance.
        """
        examples = jnp.asarray(examples)
        shape = jax.eval_shape(self._first_appearance, params).shape
        if examples.dtype != jnp.uint8 or examples.shape[1:] != shape or not examples.size:
            raise ValueError(
                f"AdversarialReward: examples must be uint8[M, ...] of {list(shape)}, as the "
                f"environment's appearance, M >= 1, got {examples.dtype}{list(examples.shape)}"
            )
        fresh = self._fresh_judge(key, shape)
        params = AdversarialRewardParams(params, fresh, examples, jnp.asarray(weight, jnp.float32))
        if (num := self.num_judges) is None:
            return params
        shares = jnp.full(num, 1 / num, jnp.float32)
        return params.replace(shares=shares, penalty=jnp.float32(0))

    def init_judge(self, key: Key, params: AdversarialRewardParams) -> judge.Judge:
        """A judge that has seen nothing, with the settings of the one in `params`."""
        height, width, channels = params.examples.shape[1:]
        return self._fresh_judge(key, (height, width, channels)).replace(
            learning_rate=params.judge.learning_rate, penalty_coef=params.judge.penalty_coef
        )

    def _fresh_judge(self, key: Key, shape: tuple[int, int, int]) -> judge.Judge:
        """One, or the ensemble's, one after another: initialisers may not like batches."""
        if self.num_judges is None:
            return judge.init(self.network, key, shape)
        keys = jax.random.split(key, self.num_judges)
        return jax.lax.map(lambda key: judge.init(self.network, key, shape), keys)

    def env_state(self, state: AdversarialRewardState) -> PyTree:
        return state.env

    def env_params(self, params: AdversarialRewardParams) -> PyTree:
        return params.env

    def with_env_params(
        self, params: AdversarialRewardParams, env_params: PyTree
    ) -> AdversarialRewardParams:
        return params.replace(env=env_params)

    def examples(self, params: AdversarialRewardParams) -> Array:
        return params.examples

    def update_params(
        self, params: AdversarialRewardParams, timesteps: Timestep
    ) -> AdversarialRewardParams:
        """The judge learns from the works that were finished (leaves of any batch shape)."""
        params = super().update_params(params, timesteps)
        made = timesteps.info["appearance"].reshape(-1, *params.examples.shape[1:])
        learn = partial(
            judge.learn,
            self.network,
            examples=params.examples,
            made=made,
            counts=timesteps.ended.reshape(-1),
            num_steps=self.num_steps,
        )
        learn = learn if self.num_judges is None else jax.vmap(learn)
        return params.replace(judge=learn(params.judge))

    def reset(
        self, key: Key, params: AdversarialRewardParams
    ) -> tuple[AdversarialRewardState, Timestep]:
        env_state, timestep = self.env.reset(key, params.env)
        picture = self.env.appearance(env_state, params.env)
        state = AdversarialRewardState(env_state, self._realism(picture, params))
        return state, _with_appearance(timestep, picture, jnp.float32(0), jnp.float32(0))

    def transition(
        self,
        key: Key,
        state: AdversarialRewardState,
        action: Array,
        params: AdversarialRewardParams,
    ) -> tuple[AdversarialRewardState, Timestep]:
        env_state, timestep = self.env.transition(key, state.env, action, params.env)
        picture = self.env.appearance(env_state, params.env)
        realism = self._realism(picture, params)
        gain = realism - state.realism
        timestep = _with_appearance(timestep, picture, gain, params.weight * gain)
        return AdversarialRewardState(env_state, realism), timestep

    def _realism(self, picture: Array, params: AdversarialRewardParams) -> Array:
        if params.shares is None or params.penalty is None:
            return judge.likelihood(self.network, params.judge, picture)
        each = jax.vmap(partial(judge.likelihood, self.network), (0, None))(params.judge, picture)
        return pooling.uncertainty_weighted(each, params.shares, params.penalty)

    def _first_appearance(self, params: PyTree) -> Array:
        state, _ = self.env.reset(jax.random.key(0), params)
        return self.env.appearance(state, params)


def _with_appearance(timestep: Timestep, picture: Array, gain: Array, reward: Array) -> Timestep:
    timestep = with_term(timestep, "realism", gain, reward)
    return timestep.replace(info={**timestep.info, "appearance": as_bytes(picture)})

"""Recommend one of several items, whose clickbait pays at once and costs later."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment, check_whole
from creative_rl.envs.slates import slate_of
from creative_rl.ops import recommendation as ops
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.stores.session import Session
from creative_rl.typing import Array, Candidates, Key, Term, Transition
from creative_rl.works.slate import Slate

_MOST_TOLD = 100.0
_MOST_KEPT = 60_000.0
"""Engagement in a work is a half-precision number."""
_PERCENT = tuple(f"{percent} % clickbait" for percent in range(101))


class SatisfactionState(flax.struct.PyTreeNode):
    """The user's exposure, what may be shown, and what came of the last item."""

    exposure: Array  # float32: net positive exposure
    clickbait: Array  # float32[num_candidates], 0 .. 1
    engagement: Array  # float32, of the last step
    step: Array  # int32
    session: Session


class SatisfactionParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, and the numbers of the simulator, float32 scalars."""

    weights: dict[str, Array]
    memory: Array  # share of the exposure that a step keeps
    sensitivity: Array
    exposure_deviation: Array
    clickbait_mean: Array  # logarithm of the engagement with pure clickbait, satisfied
    clickbait_deviation: Array
    plain_mean: Array
    plain_deviation: Array


def _engagement(seen: Transition) -> Array:
    return seen.next_state.engagement


ENGAGEMENT = Term(
    "engagement", _engagement, source="RecSim, long-term satisfaction (arXiv 1909.04847)"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SatisfactionRecommendation(Environment):
    """Balance engagement now against satisfaction: RecSim's long-term satisfaction (choc, kale).

    | | |
    |---|---|
    | id | `recommendation-satisfaction` |
    | version | 1 |
    | observation | `candidates` Box(0, 1, (num_candidates,)), how much clickbait each is; \
`engagement` Box(0, 100) with the last item, cut at 100 |
    | action | Discrete(num_candidates), which is shown |
    | reward terms | `engagement` (1.0), not cut |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    The user takes what is shown. With clickbait c and satisfaction s the logarithm of engagement is
    normal with the mean (5 c + 4 (1 - c)) s and deviation 1; s is the sigmoid of 0.01 times the net
    positive exposure e, which becomes 0.7 e - 2 (c - 0.5) + N(0, 0.05) and starts uniform in
    (-0.5 .. 0.5) / (1 - 0.7). Candidates are drawn anew in every step, c uniform. Neither e nor s
    is observed: a memory can infer them from engagement.

    Source: Ie et al., arXiv 1909.04847, its released simulator `long_term_satisfaction`.

    Deviations: slates have one place, because the source's users always take the first.

    Attributes:
      num_candidates: items to choose from, 1 to 256.
      num_steps: of a session, 1 to 4096.
    """

    num_candidates: int = 10
    num_steps: int = 60
    terms: tuple[Term, ...] = (ENGAGEMENT,)

    def __post_init__(self):
        super().__post_init__()
        name = "SatisfactionRecommendation"
        check_whole(name, "num_candidates", self.num_candidates, 1, 256)
        check_whole(name, "num_steps", self.num_steps, 1, 4096)

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "candidates": Box(0.0, 1.0, (self.num_candidates,)),
                "engagement": Box(0.0, _MOST_TOLD),
            }
        )

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.num_candidates)

    @property
    def default_params(self) -> SatisfactionParams:
        return SatisfactionParams(
            weights=self.default_weights,
            memory=jnp.float32(0.7),
            sensitivity=jnp.float32(0.01),
            exposure_deviation=jnp.float32(0.05),
            clickbait_mean=jnp.float32(5.0),
            clickbait_deviation=jnp.float32(1.0),
            plain_mean=jnp.float32(4.0),
            plain_deviation=jnp.float32(1.0),
        )

    def initial_state(self, key: Key, params: SatisfactionParams) -> SatisfactionState:
        key_user, key_items = jax.random.split(key)
        start = jax.random.uniform(key_user, (), jnp.float32, -0.5, 0.5)
        return SatisfactionState(
            exposure=start / (1.0 - params.memory),
            clickbait=self._draw(key_items),
            engagement=jnp.float32(0),
            step=jnp.int32(0),
            session=Session.create(self.num_steps, 1),
        )

    def next_state(
        self, key: Key, state: SatisfactionState, action: Array, params: SatisfactionParams
    ) -> SatisfactionState:
        key_user, key_items = jax.random.split(key)
        noise = jax.random.normal(key_user, (2,), jnp.float32)
        clickbait = state.clickbait[jnp.clip(action, 0, self.num_candidates - 1)]

        def between(plain: Array, bait: Array) -> Array:
            return clickbait * bait + (1.0 - clickbait) * plain

        mean = between(params.plain_mean, params.clickbait_mean)
        mean *= ops.satisfaction(state.exposure, params.sensitivity)
        deviation = between(params.plain_deviation, params.clickbait_deviation)
        engagement = jnp.exp(mean + deviation * noise[0])
        return SatisfactionState(
            exposure=ops.exposed(
                state.exposure, clickbait, params.memory, params.exposure_deviation * noise[1]
            ),
            clickbait=self._draw(key_items),
            engagement=engagement,
            step=state.step + 1,
            session=state.session.add(
                state.step,
                jnp.round(100.0 * clickbait).astype(jnp.int32)[None],
                jnp.int32(1),
                jnp.minimum(engagement, _MOST_KEPT),
                clickbait,
            ),
        )

    def observe(self, state: SatisfactionState, params: SatisfactionParams) -> dict[str, Array]:
        return {
            "candidates": state.clickbait,
            "engagement": jnp.clip(state.engagement, 0.0, _MOST_TOLD),
        }

    def candidates(self, observation: dict[str, Array], params: SatisfactionParams) -> Candidates:
        """The user's last engagement; of the candidates their clickbait. Something always is
        chosen: what is shown."""
        return Candidates(
            user=jnp.log1p(observation["engagement"])[None],
            items=observation["candidates"][:, None],
            scores=jnp.ones(self.num_candidates, jnp.float32),
            nothing=jnp.float32(0),
            choice=jnp.int32(1),
        )

    def work(self, state: SatisfactionState, params: SatisfactionParams) -> Slate:
        """What was shown, called by its clickbait, and the engagement with it."""
        return slate_of(
            state.session, state.step, names=_PERCENT, unit="engagement", trait="clickbait"
        )

    def _draw(self, key: Key) -> Array:
        return jax.random.uniform(key, (self.num_candidates,), jnp.float32)

"""Recommend slates of items to a user whose interests move: RecSim's interest evolution."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment, check_whole
from creative_rl.envs.slates import slate_of
from creative_rl.ops import draws
from creative_rl.ops import recommendation as ops
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.stores.session import Session
from creative_rl.typing import Array, Candidates, Key, Term, Transition
from creative_rl.works.slate import NO_ITEM, Slate

_LARGEST_QUALITY = 100.0
_LONGEST = 100.0
"""Bounds of what a response tells, as in the source."""


class InterestState(flax.struct.PyTreeNode):
    """The user, who may be shown what, and the slate shown last."""

    interest: Array  # float32[num_topics], -1 .. 1
    budget: Array  # float32: minutes left
    step: Array  # int32
    topics: Array  # int32[num_candidates]
    choice: Array  # int32: 0 nothing, else 1 + place
    qualities: Array  # float32[slate_size], of the slate shown last
    watched: Array  # float32: minutes
    session: Session


class InterestParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, and the numbers of the simulator; scalars are float32."""

    weights: dict[str, Array]
    topic_qualities: Array  # float32[num_topics]: means
    quality_deviation: Array
    video_length: Array  # minutes
    budget: Array  # minutes at the start
    step_penalty: Array  # minutes lost where nothing is chosen
    quality_gain: Array  # share of what was watched that comes back for a quality of 1
    nothing: Array  # score of choosing nothing
    drift: Array  # of interests


def _watched(seen: Transition) -> Array:
    return seen.next_state.watched


def _clicks(seen: Transition) -> Array:
    return (seen.next_state.choice != ops.NOTHING).astype(jnp.float32)


def _quality(seen: Transition) -> Array:
    return _chosen(seen.next_state.qualities, seen.next_state.choice)


_SOURCE = "RecSim, interest evolution (arXiv 1909.04847)"
WATCHED = Term("watched", _watched, source=f"{_SOURCE}: watch time")
CLICKS = Term("clicks", _clicks, weight=0.0, source=f"{_SOURCE}: a measure")
QUALITY = Term("quality", _quality, weight=0.0, source=f"{_SOURCE}: a measure")


@dataclasses.dataclass(frozen=True, kw_only=True)
class InterestRecommendation(Environment):
    """Show a user slates of videos until the time is up: RecSim's interest evolution.

    A user chooses one of a slate, by interest in its topic, or nothing; watches it; and what was
    good gives back some of the time that it took. So watching is paid, and quality decides how long
    it goes on; a recommender sees interests and topics, but no quality before it is watched.

    | | |
    |---|---|
    | id | `recommendation-interest` |
    | version | 1 |
    | observation | `interest` Box(-1, 1, (num_topics,)), the user's; `candidates` \
MultiDiscrete((num_topics,) * num_candidates), their topics; of the slate shown last, zeros at \
reset: `choice` Discrete(slate_size + 1), 0 nothing, else 1 + place; `quality` Box(-100, 100, \
(slate_size,)) of its items, whether chosen or not; `watched` Box(0, 100), minutes |
    | action | MultiDiscrete((num_candidates,) * slate_size): which candidates are shown |
    | reward terms | `watched` (1.0), minutes; to be measured alone: `clicks` (0.0), 1 where \
something was chosen; `quality` (0.0), of what was |
    | horizon | none: episodes end with the budget |
    | termination | when no minute of 200 is left; after `num_steps` steps it is truncated |

    Interests start uniform in -1 .. 1. In every step the candidates are drawn anew: a uniform topic
    each, and the quality normal about the topic's mean, with a deviation of 0.1; the means are
    `ops.recommendation.topic_qualities`, from -3 to 3. An item i of the slate is chosen with
    probability (x_i + 1) / (the slate's sum of x + 1, and 2 for nothing), x the interest in its
    topic. It is watched for 4 minutes, or what is left; then the budget loses them, and gains
    0.9 / 3.4 of them times the quality. Where nothing was chosen it loses 0.5. The interest in the
    chosen topic moves by 0.3 (1 - |x|) (1 - x), up with probability (x + 1) / 2, else down.

    A candidate that stands in a slate twice is shown once: its later place is empty. The budget
    itself is not observed.

    Source: Ie et al., arXiv 1909.04847, its released simulator `interest_evolution`, with the
    sizes of SlateQ (arXiv 1905.12767, section 6): slates of 3 of 10 candidates.

    Deviations: the source would show a repeated item twice, each as likely to be chosen; episodes
    are truncated (the default is more than what 200 minutes last at 0.5 a step; only items of a
    quality above 3.3 could draw them out); a quality is drawn when the item is shown, which nobody
    can tell from one drawn before.

    Attributes:
      num_topics: of the catalogue, 2 to 256.
      num_candidates: items to choose slates from, 1 to 256.
      slate_size: places, 1 to num_candidates.
      num_steps: most steps of an episode, 1 to 4096.
      names: of the topics, for works; none for their numbers.
    """

    num_topics: int = 20
    num_candidates: int = 10
    slate_size: int = 3
    num_steps: int = 512
    names: tuple[str, ...] = ()
    terms: tuple[Term, ...] = (WATCHED, CLICKS, QUALITY)

    def __post_init__(self):
        super().__post_init__()
        name = "InterestRecommendation"
        check_whole(name, "num_topics", self.num_topics, 2, 256)
        check_whole(name, "num_candidates", self.num_candidates, 1, 256)
        check_whole(name, "slate_size", self.slate_size, 1, self.num_candidates)
        check_whole(name, "num_steps", self.num_steps, 1, 4096)
        if self.names and len(self.names) != self.num_topics:
            raise ValueError(
                f"{name}: names must be none or {self.num_topics} (num_topics), "
                f"got {len(self.names)}"
            )

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "interest": Box(-1.0, 1.0, (self.num_topics,)),
                "candidates": MultiDiscrete((self.num_topics,) * self.num_candidates),
                "choice": Discrete(self.slate_size + 1),
                "quality": Box(-_LARGEST_QUALITY, _LARGEST_QUALITY, (self.slate_size,)),
                "watched": Box(0.0, _LONGEST),
            }
        )

    @property
    def action_space(self) -> MultiDiscrete:
        return MultiDiscrete((self.num_candidates,) * self.slate_size)

    @property
    def default_params(self) -> InterestParams:
        return InterestParams(
            weights=self.default_weights,
            topic_qualities=jnp.asarray(ops.topic_qualities(self.num_topics)),
            quality_deviation=jnp.float32(0.1),
            video_length=jnp.float32(4.0),
            budget=jnp.float32(200.0),
            step_penalty=jnp.float32(0.5),
            quality_gain=jnp.float32(0.9 / 3.4),
            nothing=jnp.float32(2.0),
            drift=jnp.float32(0.3),
        )

    def initial_state(self, key: Key, params: InterestParams) -> InterestState:
        words = draws.words(key, self.num_topics + self.num_candidates)
        return InterestState(
            interest=2.0 * draws.uniform(words[: self.num_topics]) - 1.0,
            budget=params.budget,
            step=jnp.int32(0),
            topics=draws.integers(words[self.num_topics :], self.num_topics),
            choice=jnp.int32(ops.NOTHING),
            qualities=jnp.zeros(self.slate_size, jnp.float32),
            watched=jnp.float32(0),
            session=Session.create(self.num_steps, self.slate_size),
        )

    def next_state(
        self, key: Key, state: InterestState, action: Array, params: InterestParams
    ) -> InterestState:
        words = draws.words(key, 2 + self.slate_size + self.num_candidates)
        uniform = draws.uniform(words[:2])
        noise = draws.normal(words[2 : 2 + self.slate_size])
        slate = jnp.clip(action, 0, self.num_candidates - 1)
        is_shown = ops.first_places(slate)
        topics = state.topics[slate]
        qualities = params.topic_qualities[topics] + params.quality_deviation * noise
        qualities = jnp.clip(qualities, -_LARGEST_QUALITY, _LARGEST_QUALITY)
        qualities = jnp.where(is_shown, qualities, 0.0)
        scores = jnp.where(is_shown, state.interest[topics] + 1.0, 0.0)
        choice = ops.proportional_choice(scores, params.nothing, uniform[0])
        is_click = choice != ops.NOTHING
        watched = jnp.where(is_click, jnp.minimum(state.budget, params.video_length), 0.0)
        gain = watched * (params.quality_gain * _chosen(qualities, choice) - 1.0)
        topic = topics[jnp.maximum(choice, 1) - 1]
        interest = state.interest[topic]
        moved = ops.drifted_interest(interest, uniform[1] < (interest + 1.0) / 2.0, params.drift)
        is_moved = is_click & (jnp.arange(self.num_topics, dtype=jnp.int32) == topic)
        return InterestState(
            interest=jnp.where(is_moved, moved, state.interest),
            budget=state.budget + jnp.where(is_click, gain, -params.step_penalty),
            step=state.step + 1,
            topics=draws.integers(words[2 + self.slate_size :], self.num_topics),
            choice=choice,
            qualities=qualities,
            watched=watched,
            session=state.session.add(
                state.step,
                jnp.where(is_shown, topics, NO_ITEM),
                choice,
                watched,
                _chosen(qualities, choice),
            ),
        )

    def observe(self, state: InterestState, params: InterestParams) -> dict[str, Array]:
        return {
            "interest": state.interest,
            "candidates": state.topics,
            "choice": state.choice,
            "quality": state.qualities,
            "watched": state.watched,
        }

    def end(self, state: InterestState, params: InterestParams) -> tuple[Array, Array]:
        is_spent = state.budget <= 0.0
        return is_spent, ~is_spent & (state.step >= self.num_steps)

    def candidates(self, observation: dict[str, Array], params: InterestParams) -> Candidates:
        """The user's interests; of the candidates their topics, one-hot, and `x + 1`."""
        topics = jax.nn.one_hot(observation["candidates"], self.num_topics, dtype=jnp.float32)
        return Candidates(
            user=observation["interest"],
            items=topics,
            scores=observation["interest"][observation["candidates"]] + 1.0,
            nothing=params.nothing,
            choice=observation["choice"],
        )

    def work(self, state: InterestState, params: InterestParams) -> Slate:
        """The slates so far: items are called by their topics."""
        names = self.names or tuple(f"topic {topic}" for topic in range(self.num_topics))
        return slate_of(state.session, state.step, names=names, unit="minutes", trait="quality")


def _chosen(values: Array, choice: Array) -> Array:
    """The value at the place that was chosen; 0 where nothing was."""
    places = 1 + jnp.arange(values.shape[0], dtype=jnp.int32)
    return jnp.where(places == choice, values, 0.0).sum()

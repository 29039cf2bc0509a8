"""Recommend one item at a time to users whose taste is a vector that drifts."""

import dataclasses
import functools
from typing import Literal, NamedTuple, get_args

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.ratings import Factors
from creative_rl.corpora.songs import FRAMES_PER_QUARTER, songs
from creative_rl.environment import Environment, check_whole
from creative_rl.envs.slates import slate_of
from creative_rl.ops.events import LOWEST_CODE, LOWEST_PITCH
from creative_rl.ops.melody_style import sounding, style_of
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.stores.session import Session
from creative_rl.typing import Array, Candidates, Key, Term, Transition
from creative_rl.works.slate import Slate

Catalogue = Literal["random", "songs"]

_NUM_USERS = 100
_SONG_FRAMES = 32
_NUM_TOLD = 4
"""Features of a song: the first three of its style (songs are never syncopated), and its height."""
_LOW, _HIGH, _MEAN = 1.0, 5.0, 3.0
_WIDEST = 1e3
"""Bound of what is told of a taste."""


class FactorState(flax.struct.PyTreeNode):
    """The user's taste, and what was shown."""

    taste: Array  # float32[num_factors]
    seen: Array  # bool[num_items]: shown in this session
    item: Array  # int32: the last one, num_items before the first
    liking: Array  # float32, 0 .. 1, of the last one
    is_repeat: Array  # bool: the last one was shown before
    step: Array  # int32
    session: Session


class FactorParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the factors, and how tastes move; scalars are float32."""

    weights: dict[str, Array]
    users: Array  # float32[U, num_factors]
    items: Array  # float32[num_items, num_factors]
    mean: Array  # rating where taste and item are orthogonal
    low: Array  # least rating
    high: Array  # largest
    pull: Array  # share of the way to an item that is wholly liked
    drift: Array  # deviation of a taste's random walk, of every factor and step
    music: Array  # int32[num_items, L]: events of a melody each; L = 0 where items are no music


def _liking(seen: Transition) -> Array:
    return seen.next_state.liking


def _repeat(seen: Transition) -> Array:
    return seen.next_state.is_repeat.astype(jnp.float32)


_SOURCE = "latent factors (Koren, Bell and Volinsky, Computer 42, 2009, equation 1)"
LIKING = Term("liking", _liking, source=_SOURCE)
REPEAT = Term("repeat", _repeat, weight=-1.0, source="nobody wants the same again")


@dataclasses.dataclass(frozen=True, kw_only=True)
class FactorRecommendation(Environment):
    """Show a user one item after another, by taste, and none twice.

    | | |
    |---|---|
    | id | `recommendation-factors`; `recommendation-music` has `catalogue="songs"`, 64 items and \
4 factors |
    | version | 1 |
    | observation | `taste` Box(-1000, 1000, (num_factors,)), the user's; `seen` Box(0, 1, \
(num_items,)), 1 for what was shown; of the last item `liking` Box(0, 1) |
    | action | Discrete(num_items), which is shown |
    | reward terms | `liking` (1.0), 0 .. 1; `repeat` (-1.0), 1 for an item shown before |
    | horizon | `num_steps` steps |
    | termination | after `num_steps` steps |

    A session begins with the factors of a user who is drawn, as the taste. An item with factors q
    is rated mean + taste . q, cut to low .. high (1 .. 5), and liked by (rating - low) / (high -
    low). Then the taste moves by pull * liking of the way to q (0.05), and each of its factors by
    N(0, drift) (0.05).

    By default 100 users' factors, and the items', are drawn from normal distributions of deviations
    1 and 1 / sqrt(num_factors), always the same. With `params_of(factors)` they are those of real
    ratings (`corpora.load_ratings`). Items of the catalogue `songs` are melodies (`corpora.songs`);
    their factors are how dense, stepwise and wide each is (`ops.melody_style`) and its mean pitch,
    in half deviations from the mean of all; what was shown can be heard in the work.

    Source: a tutorial case; Koren, Bell and Volinsky, "Matrix factorization techniques for
    recommender systems" (Computer 42, 2009), equation 1.

    Attributes:
      num_items: 2 to 30,000; 64 of the catalogue `songs`.
      num_factors: 1 to 256; 4 of the catalogue `songs`.
      num_steps: of a session, 1 to 4096.
      catalogue: where the default factors come from.
      names: of the items, for works; none for their numbers.
    """

    num_items: int = 100
    num_factors: int = 8
    num_steps: int = 20
    catalogue: Catalogue = "random"
    names: tuple[str, ...] = ()
    terms: tuple[Term, ...] = (LIKING, REPEAT)

    def __post_init__(self):
        super().__post_init__()
        name = "FactorRecommendation"
        if self.catalogue not in get_args(Catalogue):
            raise ValueError(
                f"{name}: catalogue must be one of {', '.join(get_args(Catalogue))}, "
                f"got {self.catalogue!r}"
            )
        is_music = self.catalogue == "songs"
        why = " (the songs, and features of each)" if is_music else ""
        low, high = (64, 64) if is_music else (2, 30_000)
        check_whole(name, "num_items", self.num_items, low, high, why)
        low, high = (_NUM_TOLD, _NUM_TOLD) if is_music else (1, 256)
        check_whole(name, "num_factors", self.num_factors, low, high, why)
        check_whole(name, "num_steps", self.num_steps, 1, 4096)
        if self.names and len(self.names) != self.num_items:
            raise ValueError(
                f"{name}: names must be none or {self.num_items} (num_items), got {len(self.names)}"
            )

    @property
    def horizon(self) -> int:
        return self.num_steps

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "taste": Box(-_WIDEST, _WIDEST, (self.num_factors,)),
                "seen": Box(0.0, 1.0, (self.num_items,)),
                "liking": Box(0.0, 1.0),
            }
        )

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.num_items)

    @property
    def default_params(self) -> FactorParams:
        made = _songs() if self.catalogue == "songs" else _drawn(self.num_items, self.num_factors)
        return self._params(made.users, made.items, _MEAN, _LOW, _HIGH, made.music)

    def params_of(self, factors: Factors) -> FactorParams:
        """Params with the users and items of ratings.

        Raises:
          ValueError: they are of other sizes than the environment.
        """
        if factors.items.shape != (self.num_items, self.num_factors):
            num_items, num_factors = factors.items.shape
            raise ValueError(
                f"FactorRecommendation: the factors are of {num_items} items with {num_factors} "
                f"each; make the environment with num_items={num_items}, num_factors={num_factors}"
            )
        music = np.zeros((self.num_items, 0), np.int32)
        bounds = (factors.mean, factors.low, factors.high)
        return self._params(factors.users, factors.items, *bounds, music)

    def _params(
        self, users: np.ndarray, items: np.ndarray, mean: float, low: float, high: float,
        music: np.ndarray,
    ) -> FactorParams:  # fmt: skip
        return FactorParams(
            weights=self.default_weights,
            users=jnp.asarray(users, jnp.float32),
            items=jnp.asarray(items, jnp.float32),
            mean=jnp.float32(mean),
            low=jnp.float32(low),
            high=jnp.float32(high),
            pull=jnp.float32(0.05),
            drift=jnp.float32(0.05),
            music=jnp.asarray(music, jnp.int32),
        )

    def initial_state(self, key: Key, params: FactorParams) -> FactorState:
        expected = (self.num_items, self.num_factors)
        if params.items.shape != expected or params.users.shape[1:] != expected[1:]:
            raise ValueError(
                f"FactorRecommendation: params.items must be {list(expected)} and params.users "
                f"[U, {self.num_factors}], got {list(params.items.shape)} and "
                f"{list(params.users.shape)}"
            )
        user = jax.random.randint(key, (), 0, params.users.shape[0], jnp.int32)
        return FactorState(
            taste=params.users[user],
            seen=jnp.zeros(self.num_items, jnp.bool_),
            item=jnp.int32(self.num_items),
            liking=jnp.float32(0),
            is_repeat=jnp.bool_(False),
            step=jnp.int32(0),
            session=Session.create(self.num_steps, 1),
        )

    def next_state(
        self, key: Key, state: FactorState, action: Array, params: FactorParams
    ) -> FactorState:
        item = jnp.clip(action, 0, self.num_items - 1).astype(jnp.int32)
        factors = params.items[item]
        rating = jnp.clip(params.mean + jnp.sum(state.taste * factors), params.low, params.high)
        liking = (rating - params.low) / (params.high - params.low)
        noise = jax.random.normal(key, (self.num_factors,), jnp.float32)
        taste = state.taste + params.pull * liking * (factors - state.taste) + params.drift * noise
        return FactorState(
            taste=jnp.clip(taste, -_WIDEST, _WIDEST),
            seen=state.seen | (jnp.arange(self.num_items, dtype=jnp.int32) == item),
            item=item,
            liking=liking,
            is_repeat=state.seen[item],
            step=state.step + 1,
            session=state.session.add(state.step, item[None], jnp.int32(1), rating, liking),
        )

    def observe(self, state: FactorState, params: FactorParams) -> dict[str, Array]:
        return {
            "taste": state.taste,
            "seen": state.seen.astype(jnp.float32),
            "liking": state.liking,
        }

    def candidates(self, observation: dict[str, Array], params: FactorParams) -> Candidates:
        """The taste; of the items their factors and whether they were shown. Something always is
        chosen: what is shown."""
        return Candidates(
            user=observation["taste"],
            items=jnp.concatenate([params.items, observation["seen"][:, None]], axis=1),
            scores=jnp.ones(self.num_items, jnp.float32),
            nothing=jnp.float32(0),
            choice=jnp.int32(1),
        )

    def work(self, state: FactorState, params: FactorParams) -> Slate:
        """What was shown and how it was rated; of songs, what it sounds like."""
        is_music = self.catalogue == "songs"
        names = self.names or tuple(f"song {n}" for n in range(self.num_items * is_music))
        slate = slate_of(state.session, state.step, names=names, unit="stars", trait="liking")
        is_shown = slate.choices > 0
        music = params.music[slate.items[:, 0].astype(jnp.int32)]
        return slate.replace(music=jnp.where(is_shown[:, None], music, 0))


class _Made(NamedTuple):
    users: np.ndarray
    items: np.ndarray
    music: np.ndarray


def _drawn(num_items: int, num_factors: int) -> _Made:
    generator = np.random.default_rng(0)
    users = generator.normal(size=(_NUM_USERS, num_factors))
    items = generator.normal(size=(num_items, num_factors)) / num_factors**0.5
    return _Made(users, items, np.zeros((num_items, 0), np.int32))


@functools.lru_cache(maxsize=1)
def _songs() -> _Made:
    """64 songs by their style, and users with tastes for it."""
    codes = songs(64, _SONG_FRAMES, 0).melodies.astype(np.int32)
    music = np.where(codes >= LOWEST_CODE, codes - LOWEST_PITCH, codes)
    with jax.ensure_compile_time_eval():
        told = np.asarray(jax.vmap(_told)(jnp.asarray(music)))
    items = (told - told.mean(axis=0)) / told.std(axis=0) / _NUM_TOLD**0.5
    users = np.random.default_rng(0).normal(size=(_NUM_USERS, _NUM_TOLD))
    return _Made(users, items, music)


def _told(song: Array) -> Array:
    """float32[4]: density, steps and range, and the mean pitch."""
    height = sounding(song).mean(dtype=jnp.float32)
    return jnp.append(style_of(song, FRAMES_PER_QUARTER)[:3], height)

"""A reward against copying: every note that completes what the corpus has costs something."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.metrics.intervals import UNISON, Pieces, of_events
from creative_rl.metrics.originality import check_n
from creative_rl.ops.events import LOWEST_CODE
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.works.melody import Melody
from creative_rl.wrappers.wrapper import Wrapper, with_term

NOTHING_KNOWN = np.full((1, 2), 2**32 - 1, np.uint32)
"""The n-grams of no corpus: no interval has the code 255."""


class OriginalityRewardState(flax.struct.PyTreeNode):
    """The wrapped environment's state, and the last notes as the corpus knows them."""

    env: PyTree
    event: Array  # int32: of the last note, 0 before the first
    run: Array  # uint32[2]: the last n intervals, a byte each, as in the params' `ngrams`


class OriginalityRewardParams(flax.struct.PyTreeNode):
    """The wrapped environment's params, what is in the corpus, and the term's weight."""

    env: PyTree
    ngrams: Array  # uint32[G, 2], sorted: an n-gram's first intervals, and its last four
    weight: Array  # float32


@dataclasses.dataclass(frozen=True)
class OriginalityReward(Wrapper):
    """Adds `weight` times -1 for each note that completes an n-gram of the corpus: `originality`.

    The n-grams are those of `metrics.originality_report`: `n` intervals between `n + 1` notes that
    follow each other, in any key and rhythm. Over an episode the term is minus the number of its
    n-grams that are found; a hold, a rest and the first `n` notes cost nothing. Exact, by a binary
    search in the sorted n-grams, which are params: another corpus of as many compiles nothing.

    Short n-grams are the language of a style, not its pieces: tunes held out of the default corpus
    have 94 % of their 4-grams in the rest of it, 63 % of the 6-grams and 30 % of the 8-grams.

    The environment's works are melodies that grow by one event a step: put it inside a wrapper
    that plays several at once, such as `GeneratedContent`.

    Source: the measure of `metrics.originality`, as a reward.

    Attributes:
      n: intervals in an n-gram, 2 to 8.
    """

    n: int = 4

    def __post_init__(self):
        super().__post_init__()
        check_n(self.n, "OriginalityReward")

    @property
    def default_params(self) -> OriginalityRewardParams:
        """Without a corpus, so that nothing is known and nothing costs; see `init_params`."""
        return self._params(self.env.default_params, NOTHING_KNOWN, 1.0)

    def init_params(
        self, params: PyTree, corpus: Pieces, weight: float = 1.0
    ) -> OriginalityRewardParams:
        """Params from the wrapped environment's.

        Args:
          params: the wrapped environment's.
          corpus: pieces as integer events, such as `Corpus.train_pieces`.
          weight: of the term; positive against copies, negative for them.

        Raises:
          ValueError: events are no codes.
        """
        numbers, _ = of_events(corpus, "OriginalityReward").grams(self.n)
        known = np.unique(numbers)
        halves = np.stack([known >> np.uint64(32), known & np.uint64(2**32 - 1)], axis=1)
        ngrams = halves.astype(np.uint32) if len(known) else NOTHING_KNOWN
        return self._params(params, ngrams, weight)

    def _params(self, params: PyTree, ngrams: np.ndarray, weight: float) -> OriginalityRewardParams:
        return OriginalityRewardParams(
            params, jnp.asarray(ngrams), jnp.asarray(weight, jnp.float32)
        )

    def env_state(self, state: OriginalityRewardState) -> PyTree:
        return state.env

    def env_params(self, params: OriginalityRewardParams) -> PyTree:
        return params.env

    def with_env_params(
        self, params: OriginalityRewardParams, env_params: PyTree
    ) -> OriginalityRewardParams:
        return params.replace(env=env_params)

    def reset(
        self, key: Key, params: OriginalityRewardParams
    ) -> tuple[OriginalityRewardState, Timestep]:
        env_state, timestep = self.env.reset(key, params.env)
        state = OriginalityRewardState(env_state, jnp.int32(0), jnp.zeros(2, jnp.uint32))
        return state, with_term(timestep, "originality", jnp.float32(0), jnp.float32(0))

    def transition(
        self,
        key: Key,
        state: OriginalityRewardState,
        action: Array,
        params: OriginalityRewardParams,
    ) -> tuple[OriginalityRewardState, Timestep]:
        env_state, timestep = self.env.transition(key, state.env, action, params.env)
        event = self._last_event(env_state, params)
        is_note = event >= LOWEST_CODE
        completes = is_note & (state.event >= LOWEST_CODE)
        run = jnp.where(completes, _pushed(state.run, event - state.event, self.n), state.run)
        is_known = completes & _contains(params.ngrams, run)
        state = OriginalityRewardState(env_state, jnp.where(is_note, event, state.event), run)
        value = jnp.where(is_known, jnp.float32(-1), jnp.float32(0))
        return state, with_term(timestep, "originality", value, params.weight * value)

    def _last_event(self, env_state: PyTree, params: OriginalityRewardParams) -> Array:
        """int32: the code that the step has added to the work."""
        work = self.env.work(env_state, params.env)
        if not isinstance(work, Melody) or work.events.shape != (self.horizon,):
            got = f"{work.events.shape[-1]} events" if isinstance(work, Melody) else type(work)
            raise ValueError(
                "OriginalityReward: works must be melodies that grow by one event a step, got "
                f"{got} in {self.horizon} steps; wrap the environment that plays single events"
            )
        return work.events[work.length - 1].astype(jnp.int32)


def _pushed(run: Array, semitones: Array, n: int) -> Array:
    """uint32[2]: the last `n` intervals with one more."""
    code = jnp.clip(semitones + UNISON, 1, 2 * UNISON - 1).astype(jnp.uint32)
    high = run[0] << 8 | run[1] >> 24
    low = run[1] << 8 | code
    kept = [max(n - 4, 0), min(n, 4)]  # bytes in either half
    masks = jnp.array([2 ** (8 * count) - 1 for count in kept], jnp.uint32)
    return jnp.stack([high, low]) & masks


def _contains(rows: Array, row: Array) -> Array:
    """bool: whether `row`, uint32[2], is among `rows`, uint32[G, 2], which are sorted."""

    def halve(_: int, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        first, past = bounds
        middle = (first + past) // 2
        high, low = rows[middle, 0], rows[middle, 1]
        is_less = (high < row[0]) | (high == row[0]) & (low < row[1])
        is_less &= first < past
        return jnp.where(is_less, middle + 1, first), jnp.where(is_less, past, middle)

    num = rows.shape[0]
    bounds = jnp.int32(0), jnp.int32(num)
    first, _ = jax.lax.fori_loop(0, num.bit_length(), halve, bounds)
    return (rows[jnp.minimum(first, num - 1)] == row).all()

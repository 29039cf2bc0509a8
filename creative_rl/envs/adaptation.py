"""Edit a melody into a version in another style that is still the same tune."""

import dataclasses
from typing import Literal

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import corpora
from creative_rl.corpora.songs import songs
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import edits, melody_style
from creative_rl.ops.events import LOWEST_CODE, LOWEST_PITCH, NUM_EVENTS
from creative_rl.rewards import adaptation as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.typing import Array, Key, Term
from creative_rl.works.melody import Melody

Corpus = Literal["songs", "tunes", "tunes-held-out"]

STYLES = {
    "calm": (0.2, 0.9, 0.3, 0.0),
    "busy": (0.8, 0.8, 0.6, 0.1),
    "leaping": (0.5, 0.1, 0.9, 0.1),
    "syncopated": (0.4, 0.6, 0.5, 0.7),
}
"""Of the default params, in the order of `ops.melody_style.FEATURES`."""
_NUM_SONGS = 64
_STEPS_PER_QUARTER = {"songs": 2, "tunes": 4, "tunes-held-out": 4}
_NUM_FEATURES = len(melody_style.FEATURES)


class AdaptationState(flax.struct.PyTreeNode):
    """The melody as it is now, and what is measured of it."""

    original: Array  # int32: which of the originals
    style: Array  # int32: which of the styles
    events: Array  # int32[T], codes of `ops.events`
    step: Array  # int32: edits that were made
    features: Array  # float32[4], of `ops.melody_style`
    resemblance: Array  # float32: to the original
    was_possible: Array  # bool: the last edit


class AdaptationParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the melodies to edit, and the styles.

    Others replace those of the default: `params.replace(originals=..., styles=...)`.
    """

    weights: dict[str, Array]
    originals: Array  # uint8[M, T]: 0 note-off, 1 hold, 2 + k MIDI 48 + k, k in 0..35
    styles: Array  # float32[S, 4] in 0..1: targets of `ops.melody_style.FEATURES`


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adaptation(Environment):
    """Bring a melody nearer to a style by a few edits, and keep it like the original.

    A melody and a style are drawn at reset, each uniformly.

    | | |
    |---|---|
    | id | `adaptation` |
    | version | 1 |
    | observation | `melody` and `original` MultiDiscrete((38,) * length), events: 0 note-off, 1 \
hold, 2 + k MIDI 48 + k; `features` and `style` 0 .. 1, float32[4], what is and what is wanted of \
density, share of steps, range and syncopation; `resemblance` 0 .. 1; `left` 0 .. 1, edits over \
`num_edits` |
    | action | Discrete(1 + 7 * length): 0 changes nothing, else 1 + length * operation + place: \
`raise`, `lower`, `split`, `merge`, `earlier`, `later`, `ornament` (`ops.edits`) of the note that \
begins at the step `place`; masked where it is not possible, and then nothing changes |
    | reward terms | `style` (4.0), the gain of the mean of 1 - abs(difference) over the features; \
`closeness` (1.0), the gain of the resemblance: both sum to the change over the episode; \
`validity` (1.0), -1 for an edit that is not possible, else minus the share of notes off C major |
    | horizon | `num_edits` steps |
    | termination | after `num_edits` steps |

    The original is recognisable by `ops.melody_style.resemblance`, a mean over pitch, contour and
    rhythm; `metrics.recognisability` measures it of works. Two different songs of the default have
    0.43 on average; after 16 random edits a version has 0.62 with its own original, which is the
    most like it of all 64 in 99 % of cases.

    Deviations: no published environment or table is followed; edits are made in time and pitch
    only, in C major, without changes of mode or harmony; the default styles are ours.

    Attributes:
      length: steps of the melodies, 8 to 256.
      num_edits: edits in an episode, 1 to 1024.
      corpus: `songs`: 64 melodies in C made by a rule (`corpora.songs`), in eighth notes; `tunes`:
        fiddle tunes and sopranos of chorales to train on, `tunes-held-out` the others
        (`corpora.load`, needs music21), in sixteenth notes.
    """

    length: int = 32
    num_edits: int = 16
    corpus: Corpus = "songs"
    terms: tuple[Term, ...] = rewards.ADAPTATION

    def __post_init__(self):
        super().__post_init__()
        check_whole("Adaptation", "length", self.length, 8, 256)
        check_whole("Adaptation", "num_edits", self.num_edits, 1, 1024)
        if self.corpus not in _STEPS_PER_QUARTER:
            raise ValueError(
                f"Adaptation: corpus must be one of {', '.join(_STEPS_PER_QUARTER)}, got "
                f"{self.corpus!r}"
            )

    @property
    def horizon(self) -> int:
        return self.num_edits

    @property
    def steps_per_quarter(self) -> int:
        """Steps of the grid in a beat."""
        return _STEPS_PER_QUARTER[self.corpus]

    @property
    def action_space(self) -> Discrete:
        return Discrete(1 + edits.NUM_OPERATIONS * self.length)

    @property
    def observation_space(self) -> Dict:
        events = MultiDiscrete((NUM_EVENTS,) * self.length)
        return Dict(
            {
                "melody": events,
                "original": events,
                "features": Box(0.0, 1.0, (_NUM_FEATURES,)),
                "style": Box(0.0, 1.0, (_NUM_FEATURES,)),
                "resemblance": Box(0.0, 1.0),
                "left": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> AdaptationParams:
        return AdaptationParams(
            weights=self.default_weights,
            originals=jnp.asarray(self._originals()),
            styles=jnp.array(list(STYLES.values()), jnp.float32),
        )

    def _originals(self) -> np.ndarray:
        """uint8[M, T]."""
        if self.corpus == "songs":
            events = songs(_NUM_SONGS, self.length, 0).melodies
            return np.where(events < LOWEST_CODE, events, events - LOWEST_PITCH)
        sequences = corpora.load(length=self.length).sequences
        windows = sequences.train if self.corpus == "tunes" else sequences.held_out
        return np.asarray(windows)[:, : self.length]

    def initial_state(self, key: Key, params: AdaptationParams) -> AdaptationState:
        shapes = (params.originals.shape, params.styles.shape)
        lengths = tuple(shape[1:] for shape in shapes)
        if lengths != ((self.length,), (_NUM_FEATURES,)) or 0 in (shapes[0][0], shapes[1][0]):
            raise ValueError(
                f"Adaptation: params.originals must be [M, {self.length}] and params.styles "
                f"[S, {_NUM_FEATURES}], got {list(shapes[0])} and {list(shapes[1])}; M and S "
                "must be at least 1"
            )
        key_original, key_style = jax.random.split(key)
        original = jax.random.randint(key_original, (), 0, shapes[0][0], jnp.int32)
        events = params.originals[original].astype(jnp.int32)
        return AdaptationState(
            original=original,
            style=jax.random.randint(key_style, (), 0, shapes[1][0], jnp.int32),
            events=events,
            step=jnp.int32(0),
            features=melody_style.style_of(events, self.steps_per_quarter),
            resemblance=jnp.float32(1),
            was_possible=jnp.bool_(True),
        )

    def next_state(
        self, key: Key, state: AdaptationState, action: Array, params: AdaptationParams
    ) -> AdaptationState:
        action = jnp.clip(action, 0, self.action_space.num - 1).astype(jnp.int32)
        operation, place = jnp.divmod(jnp.maximum(action - 1, 0), self.length)
        is_edit = action > 0
        can = edits.possible_edits(state.events)[operation, place]
        changed = edits.edited(state.events, operation, place)
        events = jnp.where(is_edit & can, changed, state.events)
        original = params.originals[state.original].astype(jnp.int32)
        return state.replace(
            events=events,
            step=state.step + 1,
            features=melody_style.style_of(events, self.steps_per_quarter),
            resemblance=melody_style.resemblance(events, original, self.steps_per_quarter),
            was_possible=~is_edit | can,
        )

    def observe(self, state: AdaptationState, params: AdaptationParams) -> dict[str, Array]:
        return {
            "melody": state.events,
            "original": params.originals[state.original].astype(jnp.int32),
            "features": state.features,
            "style": params.styles[state.style],
            "resemblance": state.resemblance,
            "left": (self.num_edits - state.step).astype(jnp.float32) / self.num_edits,
        }

    def action_mask(self, state: AdaptationState, params: AdaptationParams) -> Array:
        possible = edits.possible_edits(state.events).ravel()
        return jnp.concatenate([jnp.ones(1, jnp.bool_), possible])

    def work(self, state: AdaptationState, params: AdaptationParams) -> Melody:
        """The melody as it is now."""
        return Melody(
            events=state.events,
            length=jnp.int32(self.length),
            steps_per_quarter=self.steps_per_quarter,
        )

"""Compose a chord progression in a key that is drawn."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.corpora.songs import FRAMES_PER_QUARTER
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import functional_harmony as functional
from creative_rl.ops import harmony
from creative_rl.rewards import chords as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, Term
from creative_rl.works import chord_voices
from creative_rl.works.score import Score, score_of

QUARTERS_PER_STEP = 2
"""A step is a half bar of 4/4."""
_FRAMES_PER_STEP = QUARTERS_PER_STEP * FRAMES_PER_QUARTER
_NUM_CHORDS = harmony.NUM_CHORDS - 1
_BITS = 30  # chords in each word of those that were heard
_LONGEST = 4
_LOWEST = 48
_PIANO = 0


class ChordsState(flax.struct.PyTreeNode):
    """The key and what has been played in it; before the first step there is silence."""

    tonality: Array  # int32: the key, 0..11 major on C, C#, ..., 12..23 minor
    step: Array  # int32: half bars that are over
    actions: ShiftRegister
    chord: Array  # int32: the chord that sounds, a code of `ops.harmony`
    before: Array  # int32: the other chord that sounded before it
    lasted: Array  # int32: half bars that the chord has sounded
    heard: tuple[Array, Array]  # uint32: a bit for each chord of the piece, 30 chords a word


class ChordsParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, how often each key is drawn, and what is a repetition."""

    weights: dict[str, Array]
    tonality_weights: Array  # float32[24]: in proportion to how often a key is drawn; 0 for never
    longest: Array  # int32: half bars that a chord or silence may last


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chords(Environment):
    """Compose chords, a half bar each, in a key that is drawn at reset.

    | | |
    |---|---|
    | id | `chords` |
    | version | 1 |
    | observation | `key` Discrete(24), 0 to 11 major on C, C#, ..., B, 12 to 23 minor; `chord` \
Discrete(61), the one that sounds; `before` Discrete(61), the one before it; `heard` \
MultiDiscrete((2,) * 60), 1 for a chord of the piece, by code from 1; `lasted` 0 .. 1, the steps \
that the chord has sounded over `length`; `time` 0 .. 1 |
    | action | Discrete(61): 0 goes on, else a code of `ops.harmony` |
    | reward terms | `function` (1.0), where a chord follows another: 1 from tonic to subdominant, \
to dominant, to tonic, 0.5 for tonic to dominant and subdominant to tonic (of a tonic on the sixth \
degree half, on the third nothing), -1 for dominant to subdominant; `in_key` (1.0), -1 without a \
chord of the key; `voice_leading` (1.0), -1 .. 0, the least movement of tones over 7 semitones; \
`cadence` (4.0), 0.5 for beginning on the tonic triad, and at the end 1 for it after a dominant, \
0.5 after others; `repetition` (1.0), -1 for a chord that has lasted more than 4 steps; `variety` \
(0.25), 1 for a chord that is new in the piece |
    | horizon | `length` steps |
    | termination | after `length` steps |

    Striking the chord that sounds is heard in the work, but no new chord. What is observed decides
    the reward, so a feed-forward learner will do. The chords of a key, and their functions, are
    those of `ops.functional_harmony`.

    Sources: functions and progressions as in textbooks of harmony (Riemann 1893; Kostka and Payne,
    "Tonal Harmony"), the movement of tones as in Tymoczko (Science 313, 2006).

    Deviations: the textbooks rank no progressions by numbers, these are ours; no published table
    belongs to it. The minor triad on the fifth degree of minor counts as a dominant, and there are
    no modulations and no chords of other keys that resolve.

    Attributes:
      length: half bars, 2 to 256.
    """

    length: int = 16
    terms: tuple[Term, ...] = rewards.CHORD_PROGRESSION

    def __post_init__(self):
        super().__post_init__()
        check_whole("Chords", "length", self.length, 2, 256)

    @property
    def horizon(self) -> int:
        return self.length

    @property
    def action_space(self) -> Discrete:
        return Discrete(harmony.NUM_CHORDS)

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "key": Discrete(functional.NUM_TONALITIES),
                "chord": Discrete(harmony.NUM_CHORDS),
                "before": Discrete(harmony.NUM_CHORDS),
                "heard": MultiDiscrete((2,) * _NUM_CHORDS),
                "lasted": Box(0.0, 1.0),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> ChordsParams:
        return ChordsParams(
            weights=self.default_weights,
            tonality_weights=jnp.ones(functional.NUM_TONALITIES, jnp.float32),
            longest=jnp.int32(_LONGEST),
        )

    def initial_state(self, key: Key, params: ChordsParams) -> ChordsState:
        if params.tonality_weights.shape != (functional.NUM_TONALITIES,):
            raise ValueError(
                "Chords: params.tonality_weights must be one for each of the 24 keys, 12 major and "
                f"12 minor, got the shape {list(params.tonality_weights.shape)}"
            )
        weights = jnp.maximum(params.tonality_weights, 0.0)
        log_weights = jnp.log(jnp.where(weights.sum() > 0, weights, 1.0))
        silence = jnp.int32(0)
        return ChordsState(
            tonality=jax.random.categorical(key, log_weights).astype(jnp.int32),
            step=jnp.int32(0),
            actions=ShiftRegister.create(self.length, harmony.NUM_CHORDS),
            chord=silence,
            before=silence,
            lasted=jnp.int32(0),
            heard=(jnp.uint32(0), jnp.uint32(0)),
        )

    def next_state(
        self, key: Key, state: ChordsState, action: Array, params: ChordsParams
    ) -> ChordsState:
        action = jnp.clip(action, 0, _NUM_CHORDS).astype(jnp.int32)
        changes = (action > 0) & (action != state.chord)
        bit = jnp.uint32(1) << ((action - 1) % _BITS).astype(jnp.uint32)
        words = (
            jnp.where((action > 0) & ((action - 1) // _BITS == number), word | bit, word)
            for number, word in enumerate(state.heard)
        )
        return state.replace(
            step=state.step + 1,
            actions=state.actions.push(action),
            chord=jnp.where(changes, action, state.chord),
            before=jnp.where(changes, state.chord, state.before),
            lasted=jnp.where(changes, 1, state.lasted + 1),
            heard=tuple(words),
        )

    def observe(self, state: ChordsState, params: ChordsParams) -> dict[str, Array]:
        bits = jnp.arange(_BITS, dtype=jnp.uint32)
        heard = jnp.concatenate([(word >> bits) & 1 for word in state.heard])
        return {
            "key": state.tonality,
            "chord": state.chord,
            "before": state.before,
            "heard": heard.astype(jnp.int32),
            "lasted": state.lasted.astype(jnp.float32) / self.length,
            "time": state.step.astype(jnp.float32) / self.length,
        }

    def work(self, state: ChordsState, params: ChordsParams) -> Score:
        """The chords so far, as symbols and as four voices of a piano, in eighth notes."""
        actions, is_played = state.actions.from_start(state.step)
        rests = jnp.zeros((self.length, _FRAMES_PER_STEP - 1), jnp.int32)
        struck = jnp.concatenate([actions[:, None], rests], axis=1).ravel()
        return score_of(
            chord_voices.chord_voices(struck, jnp.full_like(struck, _LOWEST)),
            chord_voices.new_symbols(struck),
            jnp.repeat(is_played, _FRAMES_PER_STEP),
            programs=(_PIANO,) * 4,
            names=chord_voices.NAMES,
            steps_per_quarter=FRAMES_PER_QUARTER,
        )

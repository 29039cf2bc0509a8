"""Play chords to a mood: a curve of valence and arousal, as a film or a game would give."""

import dataclasses

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.songs import FRAMES_PER_BAR, FRAMES_PER_QUARTER
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import affect, harmony
from creative_rl.rewards import mood as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, Term
from creative_rl.works import chord_voices
from creative_rl.works.score import Score, score_of

NUM_REGISTERS = 3
LOWEST_REGISTER = 36
"""MIDI pitch of the C from which the roots of the lowest register count; the others are octaves
above."""
_NUM_CHORDS = harmony.NUM_CHORDS - 1
_NUM_CURVES = 32
_PIANO = 0


class MoodAccompanimentState(flax.struct.PyTreeNode):
    """What has been played; before the first frame there is silence, in the lowest register."""

    curve: Array  # int32: which of the curves
    step: Array  # int32: frames that are over
    actions: ShiftRegister
    chord: Array  # int32: a code of `ops.harmony`
    register: Array  # float32: 0 the lowest, 1 the highest
    strikes: Array  # uint32: a bit for each of the last frames, 1 where a chord was struck


class MoodAccompanimentParams(flax.struct.PyTreeNode):
    """Weights of the reward terms and the curves."""

    weights: dict[str, Array]
    valence: Array  # float32[M, T], T >= num_frames, -1 to 1
    arousal: Array  # float32[M, T], -1 to 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoodAccompaniment(Environment):
    """Follow a curve of valence and arousal with chords.

    A frame is an eighth note; what is wanted at a frame is observed before it is played.

    | | |
    |---|---|
    | id | `accompaniment-mood` |
    | version | 1 |
    | observation | `valence` and `arousal` -1 .. 1, wanted at the frame to come; `chord` \
Discrete(61), the one that sounds; `register` 0 .. 1; `strikes` MultiDiscrete((2,) * 8), 1 where a \
chord was struck in the last frames, oldest first; `beat` Discrete(8); `time` 0 .. 1 |
    | action | Discrete(181): 0 goes on, else 1 + 60 * register + (code of `ops.harmony` - 1), \
registers 0 to 2 |
    | reward terms | `valence_match` (1.0) and `arousal_match` (1.0): 1 where the proxy is what is \
wanted, 0 where it is the opposite |
    | horizon | `num_frames` steps |
    | termination | after `num_frames` steps |

    What listeners feel is told by a declared rule (`ops.affect`): valence from the quality of the
    chord, arousal from how often chords were struck in the last bar and from their register. The
    plane is Russell's ("A circumplex model of affect", 1980); no published figure belongs to it.

    Attributes:
      num_frames: length of the curves, 8 to 512; eight are a bar of 4/4.
    """

    num_frames: int = 64
    terms: tuple[Term, ...] = rewards.MOOD_TERMS

    def __post_init__(self):
        super().__post_init__()
        check_whole("MoodAccompaniment", "num_frames", self.num_frames, 8, 512)

    @property
    def horizon(self) -> int:
        return self.num_frames

    @property
    def action_space(self) -> Discrete:
        return Discrete(1 + NUM_REGISTERS * _NUM_CHORDS)

    @property
    def observation_space(self) -> Dict:
        return Dict(
            {
                "valence": Box(-1.0, 1.0),
                "arousal": Box(-1.0, 1.0),
                "chord": Discrete(harmony.NUM_CHORDS),
                "register": Box(0.0, 1.0),
                "strikes": MultiDiscrete((2,) * affect.DENSITY_FRAMES),
                "beat": Discrete(FRAMES_PER_BAR),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> MoodAccompanimentParams:
        valence, arousal = mood_curves(_NUM_CURVES, self.num_frames)
        return MoodAccompanimentParams(
            self.default_weights, jnp.asarray(valence), jnp.asarray(arousal)
        )

    def initial_state(self, key: Key, params: MoodAccompanimentParams) -> MoodAccompanimentState:
        num_curves, num_frames = params.valence.shape
        if num_frames < self.num_frames or params.arousal.shape != params.valence.shape:
            raise ValueError(
                "MoodAccompaniment: params.valence and params.arousal must be [M, T] alike, T at "
                f"least num_frames = {self.num_frames}, got {list(params.valence.shape)} and "
                f"{list(params.arousal.shape)}"
            )
        return MoodAccompanimentState(
            curve=jax.random.randint(key, (), 0, num_curves, jnp.int32),
            step=jnp.int32(0),
            actions=ShiftRegister.create(self.num_frames, self.action_space.num),
            chord=jnp.int32(0),
            register=jnp.float32(0),
            strikes=jnp.uint32(0),
        )

    def next_state(
        self,
        key: Key,
        state: MoodAccompanimentState,
        action: Array,
        params: MoodAccompanimentParams,
    ) -> MoodAccompanimentState:
        action = jnp.clip(action, 0, self.action_space.num - 1).astype(jnp.int32)
        struck = action > 0
        register = _register(action).astype(jnp.float32) / (NUM_REGISTERS - 1)
        strikes = (state.strikes << 1) | struck.astype(jnp.uint32)
        return state.replace(
            step=state.step + 1,
            actions=state.actions.push(action),
            chord=jnp.where(struck, _chord(action), state.chord),
            register=jnp.where(struck, register, state.register),
            strikes=strikes & jnp.uint32((1 << affect.DENSITY_FRAMES) - 1),
        )

    def observe(
        self, state: MoodAccompanimentState, params: MoodAccompanimentParams
    ) -> dict[str, Array]:
        frame = jnp.minimum(state.step, self.num_frames - 1)
        ages = jnp.arange(affect.DENSITY_FRAMES, dtype=jnp.uint32)[::-1]
        return {
            "valence": params.valence[state.curve, frame],
            "arousal": params.arousal[state.curve, frame],
            "chord": state.chord,
            "register": state.register,
            "strikes": ((state.strikes >> ages) & 1).astype(jnp.int32),
            "beat": state.step % FRAMES_PER_BAR,
            "time": state.step.astype(jnp.float32) / self.num_frames,
        }

    def work(self, state: MoodAccompanimentState, params: MoodAccompanimentParams) -> Score:
        """The chords so far, as symbols and as voices in their registers."""
        actions, is_played = state.actions.from_start(state.step)
        chords = jnp.where(actions > 0, _chord(actions), 0)
        lowest = LOWEST_REGISTER + 12 * _register(actions)
        return score_of(
            chord_voices.chord_voices(chords, lowest),
            chord_voices.new_symbols(chords),
            is_played,
            programs=(_PIANO,) * 4,
            names=chord_voices.NAMES,
            steps_per_quarter=FRAMES_PER_QUARTER,
        )


def mood_curves(num: int, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Valence and arousal, float32[M, T] each: slow waves, one or two in a piece.

    Curve m of valence is `cos(2 pi (w t / T + m / M))`; of arousal the phase is `m g` with the
    golden ratio g. The number of waves w is 1 for even m and 2 for odd m.

    >>> [curve[0, 0].item() for curve in mood_curves(4, 64)]
    [1.0, 1.0]
    """
    golden = (5**0.5 - 1) / 2
    curves = np.arange(num)[:, None]
    turns = (1 + curves % 2) * np.arange(num_frames) / num_frames
    phases = (curves / num, curves * golden)
    valence, arousal = (np.cos(2 * np.pi * (turns + phase)) for phase in phases)
    return valence.astype(np.float32), arousal.astype(np.float32)


def _chord(action: Array) -> Array:
    """Code of the chord that an action above 0 strikes."""
    return 1 + (action - 1) % _NUM_CHORDS


def _register(action: Array) -> Array:
    """0 to 2, of an action above 0; 0 for an action of 0."""
    return jnp.maximum(action - 1, 0) // _NUM_CHORDS

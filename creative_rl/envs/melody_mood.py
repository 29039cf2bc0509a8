"""Compose a melody with a feeling: valence and arousal are given, observed and paid for."""

import dataclasses
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.envs.melody import TheoryMelody, TheoryState
from creative_rl.ops import affect
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.rewards import mood, music
from creative_rl.spaces import Box, Dict, Discrete, Space
from creative_rl.typing import Array, Key, Term

_NUM_TARGETS = 64
_FARTHEST = 0.8
_STEPS = (0.7548776662466927, 0.5698402909980532)
"""Inverse powers of the plastic number, by which the R2 sequence fills a square evenly (Roberts,
"The Unreasonable Effectiveness of Quasirandom Sequences", 2018)."""


class MoodMelodyState(TheoryState):
    """As `TheoryState`, with what is wanted and what the events so far are."""

    target: Array  # float32[2]: valence and arousal
    affect: affect.AffectStats


class MoodMelodyParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, and the moods that are asked for."""

    weights: dict[str, Array]
    targets: Array  # float32[M, 2], -1 to 1: valence and arousal


TERMS = (
    mood.MELODY_VALENCE,
    mood.MELODY_AROUSAL,
    *(
        dataclasses.replace(term, weight=0.1)
        for term in (music.REPETITION, music.INTERVAL, music.LEAP, music.MOTIF)
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoodMelody(TheoryMelody):
    """RL Tuner's melody, made to a mood in place of a key.

    | | |
    |---|---|
    | id | `melody-mood` |
    | version | 1 |
    | observation | `event` Discrete(38), the last one; `wanted` Box(-1, 1, (2,)), valence and \
arousal; `reached` Box(-1, 1, (2,)), those of the events so far; `time` 0 .. 1 |
    | action | Discrete(38): 0 note-off, 1 hold, 2..37 MIDI 48..83 |
    | reward terms | `valence_match` and `arousal_match` (20.0 each): gains of 1 for what is \
wanted, 0 for the opposite; `repetition`, `interval`, `leap`, `motif` (0.1 each) |
    | horizon | `length` = 32 steps |
    | termination | after `length` steps |

    The two are told by a declared rule (`ops.affect`); an episode's mood is drawn from
    `params.targets`, by default 64 that fill the square up to 0.8 evenly. `mood_targets` gives
    others of the same kind to hold out.

    Attributes:
      length: events in a composition, 12 to 64.
    """

    terms: tuple[Term, ...] = TERMS

    @property
    def observation_space(self) -> Space:
        return Dict(
            {
                "event": Discrete(NUM_EVENTS),
                "wanted": Box(-1.0, 1.0, (2,)),
                "reached": Box(-1.0, 1.0, (2,)),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> MoodMelodyParams:
        return MoodMelodyParams(self.default_weights, jnp.asarray(mood_targets(_NUM_TARGETS)))

    def initial_state(self, key: Key, params: Any) -> MoodMelodyState:
        shape = params.targets.shape
        if len(shape) != 2 or shape[0] < 1 or shape[1] != 2:
            raise ValueError(
                "MoodMelody: params.targets must be [M, 2], valence and arousal, M at least 1, got "
                f"{list(shape)}"
            )
        key_event, key_target = jax.random.split(key)
        index = jax.random.randint(key_target, (), 0, shape[0], jnp.int32)
        fields = vars(super().initial_state(key_event, params))
        return MoodMelodyState(**fields, target=params.targets[index], affect=affect.init_affect())

    def next_state(self, key: Key, state: Any, action: Array, params: Any) -> MoodMelodyState:
        fields = vars(super().next_state(key, state, action, params))
        return MoodMelodyState(
            **fields,
            target=state.target,
            affect=affect.update_affect(state.affect, action.astype(jnp.int32)),
        )

    def observe(self, state: Any, params: Any) -> Any:
        return {
            "event": state.event,
            "wanted": state.target,
            "reached": jnp.stack([affect.valence(state.affect), affect.arousal(state.affect)]),
            "time": state.step.astype(jnp.float32) / self.length,
        }


def mood_targets(num: int, first: int = 1) -> np.ndarray:
    """float32[num, 2]: valence and arousal within -0.8..0.8, spread evenly over the square.

    They are the numbers `first` and on of a sequence without end, so those from 65 on are held out
    from the default ones.

    >>> (mood_targets(64) > 0).sum(axis=0).tolist()
    [32, 30]
    """
    turns = np.arange(first, first + num)[:, None] * np.array(_STEPS) + 0.5
    return (_FARTHEST * (2 * (turns % 1.0) - 1)).astype(np.float32)

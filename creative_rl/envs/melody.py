"""Compose a melody note by note: for variety, to a target, or by the rules of music theory."""

import abc
import dataclasses
from typing import Any, ClassVar

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import Environment, check_whole
from creative_rl.ops import music_theory as theory
from creative_rl.ops.events import NUM_EVENTS
from creative_rl.rewards import music
from creative_rl.spaces import Discrete, MultiDiscrete, Space
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, Term
from creative_rl.works.melody import Melody

_TWO_OCTAVES = " (two octaves from middle C)"


class MelodyState(flax.struct.PyTreeNode):
    """The notes so far and how many they are."""

    notes: ShiftRegister
    step: Array  # int32


class VarietyState(flax.struct.PyTreeNode):
    """As `MelodyState`, with the window that the reward looks back over."""

    notes: ShiftRegister
    step: Array  # int32
    # Terms see no environment, so its field is told again.
    window: int = flax.struct.field(pytree_node=False)


class TheoryState(flax.struct.PyTreeNode):
    """As `MelodyState`, with what the rules of music theory need and the priming event."""

    notes: ShiftRegister
    step: Array  # int32
    event: Array  # int32: the last event, the priming one at reset
    stats: theory.TheoryStats


class MelodyParams(flax.struct.PyTreeNode):
    """Weights of the reward terms."""

    weights: dict[str, Array]


class TargetParams(flax.struct.PyTreeNode):
    """Weights of the reward terms and the target melody."""

    weights: dict[str, Array]
    target: Array  # int32[T]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Melody(Environment):
    """What all melodies share: a register of notes that ends when it is full."""

    length: int
    lowest_code: ClassVar[int] = theory.TONIC
    """What turns an action into an event of the work."""

    @property
    def horizon(self) -> int:
        return self.length

    @property
    @abc.abstractmethod
    def action_space(self) -> Discrete: ...

    @property
    def default_params(self) -> Any:
        return MelodyParams(self.default_weights)

    def next_state(self, key: Key, state: Any, action: Array, params: Any) -> Any:
        return state.replace(notes=state.notes.push(action), step=state.step + 1)

    def work(self, state: Any, params: Any) -> Melody:
        """The notes so far, from time zero on."""
        actions, is_played = self._actions(state)
        events = jnp.where(is_played, actions + self.lowest_code, 0)
        return Melody(events=events, length=state.step)

    def appearance(self, state: Any, params: Any) -> Array:
        """The piano roll: [T, A, 1], 1 for the action at each time."""
        actions, is_played = self._actions(state)
        roll = jax.nn.one_hot(actions, self.action_space.num, dtype=jnp.float32)
        return jnp.where(is_played[:, None], roll, 0.0)[..., None]

    def relaxed_appearance(self, actions: Array, params: Any) -> Array:
        return actions[..., None]

    def _actions(self, state: Any) -> tuple[Array, Array]:
        """Those so far from time zero on, int32[T], and which of them there are."""
        actions, is_played = state.notes.from_start(state.step)
        return actions[: self.length], is_played[: self.length]


@dataclasses.dataclass(frozen=True, kw_only=True)
class VarietyMelody(_Melody):
    """Use many different notes: the simple music environment of the tutorials.

    The window is a shift register that starts at zeros, so pitch 0 counts as present until the
    zeros have left it.

    | | |
    |---|---|
    | id | `melody-variety` |
    | version | 1 |
    | observation | int32[window], the last notes, oldest first |
    | action | Discrete(num_pitches), a pitch class |
    | reward terms | `variety` (1.0): distinct notes in the window / window |
    | horizon | `length` steps |
    | termination | after `length` steps |

    Attributes:
      length: notes in an episode.
      num_pitches: pitches from middle C up, 2 to 24.
      window: notes that the reward looks back over.
    """

    length: int = 16
    num_pitches: int = 12
    window: int = 16
    terms: tuple[Term, ...] = (music.VARIETY,)

    def __post_init__(self):
        super().__post_init__()
        check_whole("VarietyMelody", "length", self.length, 1, 256)
        check_whole("VarietyMelody", "window", self.window, 1, 256)
        check_whole("VarietyMelody", "num_pitches", self.num_pitches, 2, 24, _TWO_OCTAVES)

    @property
    def observation_space(self) -> Space:
        return MultiDiscrete((self.num_pitches,) * self.window)

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.num_pitches)

    def initial_state(self, key: Key, params: MelodyParams) -> VarietyState:
        register = ShiftRegister.create(max(self.window, self.length), self.num_pitches)
        return VarietyState(register, jnp.int32(0), self.window)

    def observe(self, state: VarietyState, params: MelodyParams) -> Array:
        return state.notes.newest(self.window)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetMelody(_Melody):
    """Reproduce a target melody, note by note.

    | | |
    |---|---|
    | id | `melody-target`; `melody-target-tutorial` has 3 phases, 4 pitches, 5 steps |
    | version | 1 |
    | observation | Discrete(num_phases), the step modulo `num_phases` |
    | action | Discrete(num_pitches), a pitch class |
    | reward terms | `target_match` (1.0): 1 where the note is the target's, else 0 |
    | horizon | `length` steps |
    | termination | after `length` steps |

    The best return is `length` where the target repeats with the period `num_phases`, as the
    presets do.

    Attributes:
      length: notes in an episode.
      num_pitches: pitches from middle C up, 2 to 24.
      num_phases: observations that tell the steps apart; None for one for every step.
      target: default for `params.target`; None for a scale up and down.
    """

    length: int = 16
    num_pitches: int = 12
    num_phases: int | None = None
    target: tuple[int, ...] | None = None
    terms: tuple[Term, ...] = (music.TARGET_MATCH,)

    def __post_init__(self):
        super().__post_init__()
        check_whole("TargetMelody", "length", self.length, 1, 256)
        check_whole("TargetMelody", "num_pitches", self.num_pitches, 2, 24, _TWO_OCTAVES)
        if self.num_phases is not None:
            check_whole("TargetMelody", "num_phases", self.num_phases, 1, 256)
        if self.target is not None and (
            len(self.target) != self.length
            or not all(0 <= note < self.num_pitches for note in self.target)
        ):
            raise ValueError(
                f"TargetMelody: target must be {self.length} notes in "
                f"0..{self.num_pitches - 1}, got {self.target}"
            )

    @property
    def observation_space(self) -> Space:
        return Discrete(self.num_phases or self.length)

    @property
    def action_space(self) -> Discrete:
        return Discrete(self.num_pitches)

    @property
    def default_params(self) -> TargetParams:
        period = 2 * (self.num_pitches - 1)  # up and down the pitches, a new one at every step
        scale = [min(t % period, period - t % period) for t in range(self.length)]
        target = jnp.asarray(self.target or scale, jnp.int32)
        return TargetParams(self.default_weights, target)

    def initial_state(self, key: Key, params: TargetParams) -> MelodyState:
        return MelodyState(ShiftRegister.create(self.length, self.num_pitches), jnp.int32(0))

    def observe(self, state: MelodyState, params: TargetParams) -> Array:
        return state.step % (self.num_phases or self.length)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TheoryMelody(_Melody):
    """RL Tuner's melody: 32 sixteenth notes judged by nine rules of music theory.

    | | |
    |---|---|
    | id | `melody-theory` |
    | version | 1 |
    | observation | Discrete(38), the last event (the priming event at reset) |
    | action | Discrete(38): 0 note-off, 1 hold, 2..37 MIDI 48..83 |
    | reward terms, all weight 1.0 | `key` -1 off C major; `tonic` +3; `repetition` -100; |
    | | `autocorrelation` -3 times the sum of those above .15 at lags 1 to 3; |
    | | `motif` 3 + .3 a pitch; `repeated_motif` 4 + 1 a pitch; `interval` 5 times the table; |
    | | `leap` +5 resolved, -5 doubled; `unique_extrema` +3 each, at the end |
    | horizon | `length` = 32 steps |
    | termination | after `length` steps |

    The priming event, uniform over the first 37 events, is observed but is not part of the
    composition. The last event alone is no Markov state: use a recurrent learner.

    Source: Jaques et al., arXiv 1611.02796, and its released implementation.

    Deviations: codes follow the paper (0 note-off, 1 hold, 2 = MIDI 48) where the released
    encoder swaps the first two and decodes 2 as MIDI 50; the log-likelihood under the Note RNN is a
    separate reward (`wrappers.LikelihoodReward`); a composition ends, where the released code
    goes on and resets by hand.

    Attributes:
      length: events in a composition, 12 to 64.
    """

    length: int = 32
    terms: tuple[Term, ...] = music.RL_TUNER
    lowest_code: ClassVar[int] = 0

    def __post_init__(self):
        super().__post_init__()
        why = (
            " (a bar of eight and a coda of four; the exact autocorrelation fits 32-bit integers "
            "up to 64)"
        )
        check_whole(type(self).__name__, "length", self.length, 12, 64, why)

    @property
    def observation_space(self) -> Space:
        return Discrete(NUM_EVENTS)

    @property
    def action_space(self) -> Discrete:
        return Discrete(NUM_EVENTS)

    def initial_state(self, key: Key, params: MelodyParams) -> TheoryState:
        return TheoryState(
            notes=ShiftRegister.create(self.length, NUM_EVENTS),
            step=jnp.int32(0),
            event=Discrete(NUM_EVENTS - 1).sample(key),
            stats=theory.init_stats(),
        )

    def next_state(
        self, key: Key, state: TheoryState, action: Array, params: MelodyParams
    ) -> TheoryState:
        event = action.astype(jnp.int32)
        return TheoryState(
            notes=state.notes.push(event),
            step=state.step + 1,
            event=event,
            stats=theory.update_stats(state.stats, state.notes, event),
        )

    def observe(self, state: TheoryState, params: MelodyParams) -> Array:
        return state.event

"""Accompany a melody online, frame by frame: with chords, or with a second voice."""

import dataclasses
from typing import Literal, get_args

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import corpora
from creative_rl.corpora.songs import FRAMES_PER_BAR, FRAMES_PER_QUARTER, songs
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import harmony
from creative_rl.ops.events import HOLD, LOWEST_CODE, LOWEST_PITCH, NOTE_OFF, NUM_EVENTS, carried
from creative_rl.rewards import accompaniment as rewards
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.stores.shift_register import ShiftRegister
from creative_rl.typing import Array, Key, Term
from creative_rl.works import chord_voices
from creative_rl.works.score import Score, score_of

Part = Literal["chord", "voice"]
Corpus = Literal["songs", "chorales", "chorales-held-out"]

SILENT = -1
LOWEST_VOICE = 36
NUM_VOICE_EVENTS = 38
"""Note-off, hold, and three octaves from MIDI 36 up."""
MAX_BAR = 16
_NUM_SONGS = 64
_CHORDS_LOWEST = 48
_PIANO, _CELLO, _FLUTE = 0, 42, 73  # General MIDI, counted from 0
_TERMS: dict[str, tuple[Term, ...]] = {"chord": rewards.CHORD_TERMS, "voice": rewards.VOICE_TERMS}
_NUM_PITCHES = NUM_EVENTS - LOWEST_CODE
_SEEN = np.array(  # the observed code of every melody event
    [NOTE_OFF, HOLD]
    + [
        LOWEST_CODE
        + (pitch - LOWEST_PITCH) % 12
        + 12 * min(max((pitch - LOWEST_PITCH) // 12, 0), _NUM_PITCHES // 12 - 1)
        for pitch in range(128)
    ],
    np.int32,
)


class AccompanimentState(flax.struct.PyTreeNode):
    """What has been played, and what of it sounds. Before the first frame there is silence."""

    melody: Array  # int32: which of the melodies
    step: Array  # int32: frames that are over
    actions: ShiftRegister
    melody_pitch: Array  # int32: MIDI, -1 for silence
    chord: Array  # int32: a code of `ops.harmony`; of a voice always 0
    bass: Array  # int32: the voice, or the chord's root above MIDI 36; -1 for silence
    lasted: Array  # int32: frames that chord and bass have been what they are


class AccompanimentParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the melodies, and what counts as a repetition.

    Other melodies replace those of the default: `params.replace(melodies=..., bars=...)`.
    """

    weights: dict[str, Array]
    melodies: Array  # uint8[M, T], T >= num_frames: 0 note-off, 1 hold, 2 + p the MIDI pitch p
    bars: Array  # int32[M]: frames in a bar, 1 to 16; every melody starts on a downbeat
    longest: Array  # int32: frames that a chord, a pitch or a silence may last


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accompaniment(Environment):
    """Play with a melody that is heard only as it goes on.

    A frame is an eighth note. The action for a frame is chosen from the melody's frames before it
    and the own past; the melody's event at the frame is revealed by the observation after it.

    | | |
    |---|---|
    | id | `accompaniment-chord`; `accompaniment-voice` has `part="voice"` |
    | version | 1 |
    | observation | `melody` MultiDiscrete((38,) * window), its last events: 0 note-off, 1 hold, \
2 + k MIDI 48 + k, other octaves folded into these three; `actions` the own last ones; `sounding` \
the chord, or of a voice 0 for silence and 2 + k; `beat` Discrete(16), the place in the bar of the \
frame to come; `time` 0 .. 1 |
    | action | chord: Discrete(61), 0 goes on, else a code of `ops.harmony`; voice: Discrete(38), \
0 note-off, 1 hold, 2 + k MIDI 36 + k |
    | reward terms | chord: `note_in_chord` (1.0), 1 or 0; `voice_leading` (1.0), 0, -0.5 or -1; \
`repetition` (1.0), 0 or -1; `cadence` (4.0), 1 at the end on a tonic triad. voice: `consonance` \
(1.0), 0, 0.5 or 1; `voice_leading`; `range` (1.0), 0 or -1; `repetition`; `cadence` |
    | horizon | `num_frames` steps |
    | termination | after `num_frames` steps |

    The setup is that of ReaLchords and GAPT (online, melody to chord; note-in-chord is their
    measure of harmony) and RL-Duet (arXiv 2002.03082; online, voice to voice).

    Deviations: frames are eighth notes where the sources have sixteenths; the reward is rules that
    are listed above, where theirs are models learned from data that cannot be had offline (an
    adversarial or likelihood reward is a wrapper); melodies are songs made by a rule, or Bach's,
    whose windows end where their frames do and not where a phrase does, so that there the cadence
    asks for a tonic that Bach may not have.

    Attributes:
      part: `chord` or `voice`.
      num_frames: length of the melodies, 8 to 512; eight are a bar of 4/4.
      window: melody events and own actions that are observed, 1 to num_frames.
      corpus: `songs`: 64 melodies in C made by a rule (`corpora.songs`); `chorales`: the sopranos
        of Bach's to train on, `chorales-held-out` the others (`corpora.load_chorales`, needs
        music21).
      terms: the part's where there are none.
    """

    part: Part = "chord"
    num_frames: int = 64
    window: int = 8
    corpus: Corpus = "songs"
    terms: tuple[Term, ...] = ()

    def __post_init__(self):
        for field, names in (("part", Part), ("corpus", Corpus)):
            known, given = get_args(names), getattr(self, field)
            if given not in known:
                raise ValueError(
                    f"Accompaniment: {field} must be one of {', '.join(known)}, got {given!r}"
                )
        if not self.terms:
            object.__setattr__(self, "terms", _TERMS[self.part])
        super().__post_init__()
        check_whole("Accompaniment", "num_frames", self.num_frames, 8, 512)
        check_whole("Accompaniment", "window", self.window, 1, self.num_frames, " (num_frames)")

    @property
    def horizon(self) -> int:
        return self.num_frames

    @property
    def action_space(self) -> Discrete:
        return Discrete(harmony.NUM_CHORDS if self.part == "chord" else NUM_VOICE_EVENTS)

    @property
    def observation_space(self) -> Dict:
        num = self.action_space.num
        return Dict(
            {
                "melody": MultiDiscrete((NUM_EVENTS,) * self.window),
                "actions": MultiDiscrete((num,) * self.window),
                "sounding": Discrete(num),
                "beat": Discrete(MAX_BAR),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> AccompanimentParams:
        melodies, bars = self._melodies()
        return AccompanimentParams(
            weights=self.default_weights,
            melodies=jnp.asarray(melodies),
            bars=jnp.asarray(bars),
            longest=jnp.int32(FRAMES_PER_BAR),
        )

    def _melodies(self) -> tuple[np.ndarray, np.ndarray]:
        """Melodies uint8[M, T] and frames in their bars int32[M]."""
        if self.corpus == "songs":
            melodies = songs(_NUM_SONGS, self.num_frames, 0).melodies
            return melodies, np.full(len(melodies), FRAMES_PER_BAR, np.int32)
        chorales = corpora.load_chorales(length=self.num_frames)
        windows = chorales.train if self.corpus == "chorales" else chorales.held_out
        return windows.melodies, windows.bars

    def initial_state(self, key: Key, params: AccompanimentParams) -> AccompanimentState:
        shape = params.melodies.shape
        if len(shape) != 2 or shape[0] < 1 or params.bars.shape != shape[:1]:
            raise ValueError(
                "Accompaniment: params.melodies must be [M, T], M at least 1, and params.bars [M], "
                f"got {list(shape)} and {list(params.bars.shape)}"
            )
        num_melodies, num_frames = shape
        if num_frames < self.num_frames:
            raise ValueError(
                f"Accompaniment: params.melodies must have at least num_frames = {self.num_frames} "
                f"frames, got {num_frames}; make the environment with num_frames={num_frames}"
            )
        return AccompanimentState(
            melody=jax.random.randint(key, (), 0, num_melodies, jnp.int32),
            step=jnp.int32(0),
            actions=ShiftRegister.create(self.num_frames, self.action_space.num),
            melody_pitch=jnp.int32(SILENT),
            chord=jnp.int32(0),
            bass=jnp.int32(SILENT),
            lasted=jnp.int32(0),
        )

    def next_state(
        self, key: Key, state: AccompanimentState, action: Array, params: AccompanimentParams
    ) -> AccompanimentState:
        action = jnp.clip(action, 0, self.action_space.num - 1).astype(jnp.int32)
        if self.part == "chord":
            chord = jnp.where(action > 0, action, state.chord)
            bass = jnp.where(chord > 0, LOWEST_VOICE + harmony.root(chord), SILENT)
        else:
            chord = state.chord
            bass = _goes_on(action, state.bass, LOWEST_VOICE)
        event = params.melodies[state.melody, state.step].astype(jnp.int32)
        stays = (chord == state.chord) & (bass == state.bass)
        return state.replace(
            step=state.step + 1,
            actions=state.actions.push(action),
            melody_pitch=_goes_on(event, state.melody_pitch, 0),
            chord=chord,
            bass=bass,
            lasted=jnp.where(stays, state.lasted + 1, 1),
        )

    def observe(self, state: AccompanimentState, params: AccompanimentParams) -> dict[str, Array]:
        frames = state.step - self.window + jnp.arange(self.window, dtype=jnp.int32)
        events = params.melodies[state.melody, jnp.maximum(frames, 0)]
        codes = jnp.asarray(_SEEN)[jnp.where(frames >= 0, events, NOTE_OFF)]
        sounding = state.chord
        if self.part == "voice":
            sounding = jnp.where(
                state.bass == SILENT, NOTE_OFF, state.bass - LOWEST_VOICE + LOWEST_CODE
            )
        return {
            "melody": codes,
            "actions": state.actions.newest(self.window),
            "sounding": sounding,
            "beat": jnp.clip(state.step % params.bars[state.melody], 0, MAX_BAR - 1),
            "time": state.step.astype(jnp.float32) / self.num_frames,
        }

    def work(self, state: AccompanimentState, params: AccompanimentParams) -> Score:
        """The melody and what was played to it, so far; chords as symbols and as voices."""
        actions, is_played = state.actions.from_start(state.step)
        melody = params.melodies[state.melody, : self.num_frames].astype(jnp.int32)
        if self.part == "voice":
            voice = jnp.where(actions >= LOWEST_CODE, actions + LOWEST_VOICE, actions)
            return score_of(
                jnp.stack([melody, voice]),
                jnp.zeros_like(actions),
                is_played,
                programs=(_FLUTE, _CELLO),
                names=("melody", "voice"),
                steps_per_quarter=FRAMES_PER_QUARTER,
            )
        lowest = jnp.full_like(actions, _CHORDS_LOWEST)
        return score_of(
            jnp.concatenate([melody[None], chord_voices.chord_voices(actions, lowest)]),
            chord_voices.new_symbols(actions),
            is_played,
            programs=(_FLUTE, *(_PIANO,) * 4),
            names=("melody", *chord_voices.NAMES),
            steps_per_quarter=FRAMES_PER_QUARTER,
        )

    def appearance(self, state: AccompanimentState, params: AccompanimentParams) -> Array:
        """float32[T, 24, 1], 0 or 1: at every frame so far the pitch class of the melody in columns
        0 .. 11, and in 12 .. 23 those of the chord or the voice; without what was played twice."""
        actions, is_played = state.actions.from_start(state.step)
        melody = params.melodies[state.melody, : self.num_frames].astype(jnp.int32)
        if self.part == "chord":
            own = jax.vmap(harmony.chord_mask)(carried(actions, actions > 0))
        else:
            own = _pitch_class_bits(actions, LOWEST_VOICE)
        masks = jnp.stack([_pitch_class_bits(melody, 0), own], axis=1)  # [T, 2]
        classes = (masks[:, :, None] >> jnp.arange(12, dtype=jnp.int32)[None, None]) & 1
        seen = jnp.where(is_played[:, None], classes.reshape(-1, 24), 0)
        return seen.astype(jnp.float32)[..., None]


def _pitch_class_bits(events: Array, lowest: int) -> Array:
    """int32[T]: a bit for the pitch class that sounds, of events whose code 2 is `lowest`."""
    codes = carried(events, events != HOLD)
    pitch_class = (codes - LOWEST_CODE + lowest) % 12
    return jnp.where(codes >= LOWEST_CODE, 1 << pitch_class, 0).astype(jnp.int32)


def _goes_on(event: Array, pitch: Array, lowest: int) -> Array:
    """The pitch that sounds after an event whose code 2 is `lowest`."""
    started = jnp.where(event >= LOWEST_CODE, event - LOWEST_CODE + lowest, SILENT)
    return jnp.where(event == HOLD, pitch, started)

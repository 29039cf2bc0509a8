"""Arrange a piece in four voices for an occasion: phrases, players and dynamics, slot by slot."""

import dataclasses
from typing import Literal, get_args

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import corpora
from creative_rl.corpora.occasions import energy_curves
from creative_rl.corpora.phrases import phrases
from creative_rl.corpora.songs import FRAMES_PER_QUARTER, four_parts
from creative_rl.environment import Environment, check_whole
from creative_rl.ops import orchestration
from creative_rl.ops.events import HOLD, LOWEST_CODE, NOTE_OFF
from creative_rl.ops.orchestration import MARKS, NUM_VOICES, Orchestra
from creative_rl.rewards import arrangement as rewards
from creative_rl.spaces import Box, Dict, MultiDiscrete
from creative_rl.typing import Array, Key, Term
from creative_rl.works.score import Score

Corpus = Literal["songs", "chorales", "chorales-held-out"]
Ensemble = Literal["orchestra", "winds", "strings"]

_VARIATION = 0.1
_NUM_SONGS = 64


class ArrangementState(flax.struct.PyTreeNode):
    """What was chosen, and who plays. Before the first slot there is silence."""

    piece: Array  # int32: which of the pieces
    wanted: Array  # float32[H] in 0..1: the energy of every slot
    step: Array  # int32: slots that are over
    choices: Array  # int32[H, 6]: the actions
    phrase: Array  # int32: of the last slot, -1 before the first
    mark: Array  # int32: of the last slot, -1 before the first
    players: Array  # int32[4]: asked for in the last slot; 0 for none, else 1 + a player
    seats: Array  # int32[4]: who of them sounds
    outside: Array  # float32[4]: share of notes that a player does not have
    heard: Array  # int32[M]: slots of every phrase
    last: Array  # int32[M, 4]: seats when it last sounded
    in_a_row: Array  # int32: slots that the phrase has sounded without a break
    played: Array  # int32[K]: slots that each player has


class ArrangementParams(flax.struct.PyTreeNode):
    """Weights of the reward terms, the pieces, the occasions and the players.

    Others replace those of the default: `params.replace(pieces=..., curves=...)`.
    """

    weights: dict[str, Array]
    pieces: Array  # uint8[P, M, 4, F]: 0 note-off, 1 hold, 2 + p the MIDI pitch p
    curves: Array  # float32[C, H] in 0..1: the energy that an occasion asks for
    variation: Array  # float32: how far a curve is stretched and shifted, at most
    orchestra: Orchestra


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arrangement(Environment):
    """Lay a piece out for an occasion: which phrase sounds in a slot, who plays it, how loud.

    A piece, cut into `M = num_phrases` phrases, and the energy curve of an occasion are drawn at
    reset, uniformly; the curve is stretched about 0.5 and shifted, by up to 0.1 each. An action
    fills one of `H = num_slots` slots; there are K players.

    | | |
    |---|---|
    | id | `arrangement` |
    | version | 1 |
    | observation | `wanted` 0 .. 1, float32[H], the energy of this slot and those after it, 0 \
past the end; `ranges` 0 .. 1, float32[M, 4, 2], lowest and highest note of each phrase and voice, \
MIDI over 127; `before` MultiDiscrete((M + 1, K + 1, K + 1, K + 1, K + 1, 7)), phrase, seats and \
mark of the last slot, phrase and mark from 1, 0 for none; `heard` 0 .. 1, float32[M], slots of a \
phrase over H; `last` MultiDiscrete((K + 1,) * 4 * M), seats when a phrase last sounded; \
`in_a_row` 0 .. 1, slots of the phrase without a break over H; `played` 0 .. 1, float32[K], alike \
of the players; `time` 0 .. 1 |
    | action | MultiDiscrete((M, K + 1, K + 1, K + 1, K + 1, 6)): the phrase; for soprano, alto, \
tenor and bass 0 for silence or 1 + a player; the mark, pp to ff |
    | reward terms | `energy` (2.0), 1 - 2 `ops.orchestration.energy_distance` of mark, number \
of voices and brilliance from what is wanted; `balance` (0.5), 1 where nobody is louder than the \
soprano, else the ratio, 0 without it; `outline` (1.0), -1 for alto or tenor without bass; \
`contrast` (0.5), 1 where 1 to 3 of four seats and mark change, 0.5 for 4; `variation` (1.0), -1 \
where a phrase returns with the same seats; `playability` (2.0), minus the mean over voices of \
notes out of compass, or 1 for a player that is taken or tired; `form` (1.0), 1 for a phrase that \
is new in its turn, -1 for one out of turn or thrice in a row, 2 for ending on the last with all \
heard |
    | horizon | `num_slots` steps |
    | termination | after `num_slots` steps |

    A player plays one voice: the highest that asks for it; the others stay silent. The players are
    those of `ops.orchestration`: `orchestra` has 11, `winds` 5, `strings` 4. What is observed
    decides the reward, so a feed-forward learner will do. The work is a full score, with a staff
    for each player. The sources are those of `rewards.arrangement`.

    Deviations: no published environment or table is followed. A voice is played by one player at
    its own pitch: there are no doublings and no octaves, and one mark holds for all. Textbooks rank
    by words: but for Rimsky-Korsakov's ratios the numbers are ours, and so are the occasions.
    Phrases are all of one length and end where their bars do, not where Bach's fermatas are.

    Attributes:
      num_slots: slots of the arrangement, 2 to 64.
      num_phrases: phrases in a piece, 1 to 16, at most num_slots.
      phrase_frames: eighth notes in a phrase, 4 to 64; eight are a bar of 4/4.
      ensemble: the players to choose from.
      corpus: `songs`: 64 songs in C in four voices made by a rule (`corpora.songs`); `chorales`:
        Bach's to train on, whose bars fill phrases, `chorales-held-out` the others
        (`corpora.load_chorales`, needs music21).
    """

    num_slots: int = 8
    num_phrases: int = 4
    phrase_frames: int = 16
    ensemble: Ensemble = "orchestra"
    corpus: Corpus = "songs"
    terms: tuple[Term, ...] = rewards.ARRANGEMENT

    def __post_init__(self):
        super().__post_init__()
        check_whole("Arrangement", "num_slots", self.num_slots, 2, 64)
        check_whole("Arrangement", "num_phrases", self.num_phrases, 1, 16)
        check_whole("Arrangement", "phrase_frames", self.phrase_frames, 4, 64)
        if self.num_phrases > self.num_slots:
            raise ValueError(
                f"Arrangement: num_phrases must be at most num_slots = {self.num_slots}, so that "
                f"all can be heard, got {self.num_phrases}"
            )
        for field, names in (("ensemble", Ensemble), ("corpus", Corpus)):
            known, given = get_args(names), getattr(self, field)
            if given not in known:
                raise ValueError(
                    f"Arrangement: {field} must be one of {', '.join(known)}, got {given!r}"
                )

    @property
    def horizon(self) -> int:
        return self.num_slots

    @property
    def players(self) -> tuple[str, ...]:
        """Their names in `ops.orchestration.INSTRUMENTS`."""
        return orchestration.ENSEMBLES[self.ensemble]

    @property
    def action_space(self) -> MultiDiscrete:
        seats = (len(self.players) + 1,) * NUM_VOICES
        return MultiDiscrete((self.num_phrases, *seats, len(MARKS)))

    @property
    def observation_space(self) -> Dict:
        num_players, num_phrases = len(self.players), self.num_phrases
        seats = (num_players + 1,) * NUM_VOICES
        return Dict(
            {
                "wanted": Box(0.0, 1.0, (self.num_slots,)),
                "ranges": Box(0.0, 1.0, (num_phrases, NUM_VOICES, 2)),
                "before": MultiDiscrete((num_phrases + 1, *seats, len(MARKS) + 1)),
                "heard": Box(0.0, 1.0, (num_phrases,)),
                "last": MultiDiscrete(seats * num_phrases),
                "in_a_row": Box(0.0, 1.0),
                "played": Box(0.0, 1.0, (num_players,)),
                "time": Box(0.0, 1.0),
            }
        )

    @property
    def default_params(self) -> ArrangementParams:
        return ArrangementParams(
            weights=self.default_weights,
            pieces=jnp.asarray(self._pieces()),
            curves=jnp.asarray(energy_curves(self.num_slots)),
            variation=jnp.float32(_VARIATION),
            orchestra=orchestration.orchestra_of(self.players),
        )

    def _pieces(self) -> np.ndarray:
        """uint8[P, M, 4, F]."""
        length = self.num_phrases * self.phrase_frames
        if self.corpus == "songs":
            return phrases(four_parts(_NUM_SONGS, length, 0), self.num_phrases)
        chorales = corpora.load_chorales(length=length)
        windows = chorales.train if self.corpus == "chorales" else chorales.held_out
        parts = windows.parts[self.phrase_frames % windows.bars == 0]
        if not len(parts):
            raise ValueError(
                f"Arrangement: no chorale's bars fill phrase_frames = {self.phrase_frames}; give a "
                "multiple of 8 for 4/4, or of 6 for 3/4"
            )
        return phrases(parts, self.num_phrases)

    def initial_state(self, key: Key, params: ArrangementParams) -> ArrangementState:
        self._check_params(params)
        key_piece, key_curve, key_variation = jax.random.split(key, 3)
        num_players = len(self.players)
        curve = jax.random.randint(key_curve, (), 0, params.curves.shape[0], jnp.int32)
        stretch, shift = params.variation * Box(-1.0, 1.0, (2,)).sample(key_variation)
        wanted = 0.5 + (1.0 + stretch) * (params.curves[curve] - 0.5) + shift
        silence = jnp.zeros(NUM_VOICES, jnp.int32)
        return ArrangementState(
            piece=jax.random.randint(key_piece, (), 0, params.pieces.shape[0], jnp.int32),
            wanted=jnp.clip(wanted, 0.0, 1.0),
            step=jnp.int32(0),
            choices=jnp.zeros((self.num_slots, NUM_VOICES + 2), jnp.int32),
            phrase=jnp.int32(-1),
            mark=jnp.int32(-1),
            players=silence,
            seats=silence,
            outside=jnp.zeros(NUM_VOICES, jnp.float32),
            heard=jnp.zeros(self.num_phrases, jnp.int32),
            last=jnp.zeros((self.num_phrases, NUM_VOICES), jnp.int32),
            in_a_row=jnp.int32(0),
            played=jnp.zeros(num_players, jnp.int32),
        )

    def _check_params(self, params: ArrangementParams) -> None:
        pieces, curves = params.pieces.shape, params.curves.shape
        players = {leaf.shape for leaf in jax.tree.leaves(params.orchestra)}
        phrase = (self.num_phrases, NUM_VOICES, self.phrase_frames)
        fits = pieces[1:] == phrase and curves[1:] == (self.num_slots,)
        if not fits or 0 in (pieces[0], curves[0]) or players != {(len(self.players),)}:
            raise ValueError(
                f"Arrangement: params.pieces must be {['P', *phrase]}, params.curves "
                f"['C', {self.num_slots}] and the orchestra's arrays [{len(self.players)}], got "
                f"{list(pieces)}, {list(curves)} and {sorted(map(list, players))}; P and C must be "
                "at least 1"
            )

    def next_state(
        self, key: Key, state: ArrangementState, action: Array, params: ArrangementParams
    ) -> ArrangementState:
        most = jnp.array(self.action_space.nums, jnp.int32) - 1
        action = jnp.clip(action, 0, most).astype(jnp.int32)
        phrase, players, mark = action[0], action[1:-1], action[-1]
        events = params.pieces[state.piece, phrase].astype(jnp.int32)
        has_notes = (events >= LOWEST_CODE).any(axis=1)
        seats = jnp.where(has_notes, orchestration.seated(players), 0)
        is_playing = orchestration.plays(seats, len(self.players))
        return state.replace(
            step=state.step + 1,
            choices=state.choices.at[state.step].set(action),
            phrase=phrase,
            mark=mark,
            players=players,
            seats=seats,
            outside=orchestration.share_outside(events, seats, params.orchestra),
            heard=state.heard.at[phrase].add(1),
            last=state.last.at[phrase].set(seats),
            in_a_row=jnp.where(phrase == state.phrase, state.in_a_row + 1, 1),
            played=jnp.where(is_playing, state.played + 1, 0),
        )

    def observe(self, state: ArrangementState, params: ArrangementParams) -> dict[str, Array]:
        slots = state.step + jnp.arange(self.num_slots, dtype=jnp.int32)
        is_ahead = slots < self.num_slots
        ahead = state.wanted[jnp.minimum(slots, self.num_slots - 1)]
        pitches = params.pieces[state.piece].astype(jnp.int32) - LOWEST_CODE
        highest = pitches.max(axis=-1, initial=0)
        lowest = jnp.where(pitches >= 0, pitches, highest[..., None]).min(axis=-1)
        ranges = jnp.stack([lowest, highest], axis=-1).astype(jnp.float32) / 127
        return {
            "wanted": jnp.where(is_ahead, ahead, 0.0),
            "ranges": jnp.clip(ranges, 0.0, 1.0),
            "before": jnp.concatenate(
                [state.phrase[None] + 1, state.seats, state.mark[None] + 1], dtype=jnp.int32
            ),
            "heard": state.heard.astype(jnp.float32) / self.num_slots,
            "last": state.last.ravel(),
            "in_a_row": state.in_a_row.astype(jnp.float32) / self.num_slots,
            "played": state.played.astype(jnp.float32) / self.num_slots,
            "time": state.step.astype(jnp.float32) / self.num_slots,
        }

    def work(self, state: ArrangementState, params: ArrangementParams) -> Score:
        """The slots so far, as a full score: a voice for each player."""
        num_players, num_frames = len(self.players), self.num_slots * self.phrase_frames
        is_over = jnp.arange(self.num_slots, dtype=jnp.int32) < state.step
        seats = jax.vmap(orchestration.seated)(state.choices[:, 1:-1])
        seats = jnp.where(is_over[:, None], seats, 0)
        events = params.pieces[state.piece, state.choices[:, 0]].astype(jnp.int32)  # [H, 4, F]
        starts_late = events[..., :1] == HOLD  # nothing goes on from the slot before
        events = events.at[..., :1].set(jnp.where(starts_late, NOTE_OFF, events[..., :1]))
        numbers = jnp.arange(1, num_players + 1, dtype=jnp.int32)
        has_seat = numbers[:, None, None] == seats[None]  # [K, H, 4], at most one of four
        parts = jnp.where(has_seat[..., None], events[None], NOTE_OFF).sum(axis=2, dtype=jnp.int32)
        loudness = jnp.array(orchestration.VELOCITIES, jnp.int32)[state.choices[:, -1]]
        return Score(
            events=parts.reshape(num_players, num_frames),
            velocities=jnp.broadcast_to(
                jnp.repeat(loudness, self.phrase_frames)[None], (num_players, num_frames)
            ),
            chords=jnp.zeros(num_frames, jnp.int32),
            programs=jnp.array(
                [orchestration.INSTRUMENTS[name].program for name in self.players], jnp.int32
            ),
            length=state.step * self.phrase_frames,
            names=self.players,
            steps_per_quarter=FRAMES_PER_QUARTER,
        )

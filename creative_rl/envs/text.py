"""Write a text with any tokens: for what stands in references, or for rhyme and metre."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.corpora.poem import TYGER
from creative_rl.environment import check_whole
from creative_rl.envs.writing import Writing
from creative_rl.ops import ngrams
from creative_rl.ops import verse as rules
from creative_rl.rewards import text as rewards
from creative_rl.typing import Array, Key, Term
from creative_rl.works.vocabulary import Vocabulary
from creative_rl.works.writing import Text

CHARACTERS = Vocabulary("\n abcdefghijklmnopqrstuvwxyz',.;:!?-")
"""What is written with where nothing else is asked for."""


class TextState(flax.struct.PyTreeNode):
    """The text so far, and what repeats in it or stands in a reference."""

    tokens: Array  # int32[L]
    step: Array  # int32
    num_written: Array  # int32: tokens up to the end
    finished: Array  # bool: nothing more is written
    suffixes: Array  # int32[L]: see `ops.ngrams.common_suffixes`
    matches: Array  # int32[ORDERS]: clipped matches so far


class TextParams(flax.struct.PyTreeNode):
    """Weights of the reward terms and what they compare with."""

    weights: dict[str, Array]
    references: Array  # int32[N, R], -1 behind their ends
    reference_lengths: Array  # int32[N]
    repeat_length: Array  # int32: tokens in a row that must not come again


class VerseState(TextState):
    """As `TextState`, with the lines and words so far."""

    verse: rules.VerseState
    verdict: rules.Verdict  # of the lines that the last token ended


class VerseParams(TextParams):
    """As `TextParams`, with what verse should be."""

    letters: Array  # int32[V, M]: see `ops.verse.letters_of`
    syllables: Array  # int32[P]: of lines, in turn
    rhyme_lag: Array  # int32, 1 to 4: how many lines on one answers; 1 is couplets


@dataclasses.dataclass(frozen=True, kw_only=True)
class FreeText(Writing):
    """Write with any tokens: for what stands in references, and against what is said twice.

    | | |
    |---|---|
    | id | `text` |
    | version | 1 |
    | observation | Discrete(tokens), the last token (a line's end at reset) |
    | action | Discrete(tokens), the next token |
    | reward terms | `repetition` (1.0): -1 where `params.repeat_length` = 4 tokens come again; |
    | | `overlap` (1.0): share of the 1- to 4-grams ending here that a reference has |
    | | may be asked for: `bleu` (BLEU-4 at the end), all of `rewards.text` |
    | horizon | `length` = 64 steps |
    | termination | after `length` steps; with an end token what follows it is nothing |

    Without a vocabulary it writes lower-case letters and its references are the lines of a poem
    (Blake, The Tyger, 1794); with one it has no references, until `with_references` gives some.
    A likelihood, a discriminator or novelty are rewards by wrappers.

    Attributes:
      length: tokens in a text, 1 to 1024.
      observe_step: observations are a dict of the last `token` and the `step`.
      vocabulary: what tokens are, such as `corpora.load_text` finds; a tuple of strings is one,
        None is lower-case letters and some marks.
      ends: add a token that ends a text, after which no other is allowed; lines of a corpus that
        `--corpus` gives are then texts.
      num_subwords: tokens that are made of the characters of such a corpus, by byte-pair encoding;
        None for the characters.
    """

    length: int = 64
    vocabulary: Vocabulary | tuple[str, ...] | None = None
    ends: bool = False
    num_subwords: int | None = None
    terms: tuple[Term, ...] = (rewards.REPETITION, rewards.OVERLAP)

    def __post_init__(self):
        super().__post_init__()
        given = CHARACTERS if self.vocabulary is None else self.vocabulary
        vocabulary = given if isinstance(given, Vocabulary) else Vocabulary(given)
        if self.ends and vocabulary.end is None:
            pieces = (*vocabulary.pieces, "")
            vocabulary = Vocabulary(pieces, vocabulary.joiner, len(pieces) - 1)
        object.__setattr__(self, "vocabulary", vocabulary)
        if self.num_subwords is not None:
            check_whole(type(self).__name__, "num_subwords", self.num_subwords, 2, 1 << 16)

    @property
    def letters(self) -> Vocabulary:
        assert isinstance(self.vocabulary, Vocabulary)
        return self.vocabulary

    @property
    def default_params(self) -> Any:
        is_own = self.letters.pieces[: len(CHARACTERS)] == CHARACTERS.pieces
        lines = [self.letters.encode(line) for line in TYGER] if is_own else []
        return self.with_references(lines)

    def with_references(self, references: Sequence[Sequence[int]], repeat_length: int = 4) -> Any:
        """Params that compare with texts, each a sequence of tokens; with none, nothing is there.

        Every step looks through all of them: some hundreds of lines are plenty.
        """
        rows = [list(row) for row in references] or [[]]
        table = np.full((len(rows), max(1, *map(len, rows))), -1, np.int32)
        for number, row in enumerate(rows):
            table[number, : len(row)] = row
        return TextParams(
            weights=self.default_weights,
            references=jnp.asarray(table),
            reference_lengths=jnp.asarray([len(row) for row in rows], jnp.int32),
            repeat_length=jnp.int32(repeat_length),
        )

    def initial_state(self, key: Key, params: Any) -> Any:
        return TextState(
            tokens=jnp.zeros(self.length, jnp.int32),
            step=jnp.int32(0),
            num_written=jnp.int32(0),
            finished=jnp.bool_(False),
            suffixes=jnp.zeros(self.length, jnp.int32),
            matches=jnp.zeros(ngrams.ORDERS, jnp.int32),
        )

    def next_state(self, key: Key, state: Any, action: Array, params: Any) -> Any:
        token, tokens = self.written(state, action)
        following = self.advanced(state, token, tokens, params)
        # What a text has been ended with stands; only the steps go on.
        stayed = state.replace(tokens=tokens, step=state.step + 1)
        return jax.tree.map(lambda stay, go: jnp.where(state.finished, stay, go), stayed, following)

    def advanced(self, state: Any, token: Array, tokens: Array, params: Any) -> Any:
        """The state of a text that goes on by a token."""
        suffixes = ngrams.common_suffixes(state.suffixes, state.tokens, state.step, token)
        ages = jnp.arange(ngrams.ORDERS, dtype=jnp.int32)
        recent = jnp.where(ages <= state.step, tokens[jnp.maximum(state.step - ages, 0)], -1)
        before = (suffixes[None] >= ages[:, None] + 1).sum(axis=1, dtype=jnp.int32)
        is_match = before < ngrams.reference_counts(params.references, recent)
        is_end = token == (-1 if self.letters.end is None else self.letters.end)
        return state.replace(
            tokens=tokens,
            step=state.step + 1,
            num_written=state.step + 1,
            finished=is_end | (state.step + 1 >= self.length),
            suffixes=suffixes,
            matches=state.matches + is_match,
        )

    def action_mask(self, state: Any, params: Any) -> Array | None:
        if (end := self.letters.end) is None:
            return None
        return ~state.finished | (jnp.arange(len(self.letters), dtype=jnp.int32) == end)

    def work(self, state: Any, params: Any) -> Text:
        is_written = jnp.arange(self.length, dtype=jnp.int32) < state.num_written
        tokens = jnp.where(is_written, state.tokens, 0)
        return Text(tokens=tokens, length=state.num_written, vocabulary=self.letters)

    def examples(self, params: Any) -> Array:
        """The references: the first `length` tokens of each that is so long, else all of it, the
        first token, or the end, behind it."""
        rows = jnp.pad(params.references, ((0, 0), (0, self.length)), constant_values=-1)
        fill = self.letters.end or 0
        return self.looks(jnp.where(rows >= 0, rows, fill)[:, : self.length])


@dataclasses.dataclass(frozen=True, kw_only=True)
class VerseText(FreeText):
    """Write verse: lines that rhyme and have their syllables, told by their spelling.

    | | |
    |---|---|
    | id | `text-verse` |
    | version | 1 |
    | observation | Discrete(tokens), the last token (a line's end at reset) |
    | action | Discrete(tokens), the next token |
    | reward terms | `rhyme` (1.0): 1 for a line that rhymes with the one that it answers to; |
    | | `metre` (1.0): 1 for a line of `params.syllables` syllables, less .5 for each off; |
    | | `repetition` (1.0): -1 where `params.repeat_length` = 4 tokens come again; |
    | | may be asked for: `overlap`, `bleu` |
    | horizon | `length` = 96 steps |
    | termination | after `length` steps; with an end token what follows it is nothing |

    Lines end where a token has a line's end, and the last one with the text. By default they have
    seven syllables, as Blake's, and rhyme in couplets. What counts as a syllable and a rhyme is
    said in `ops.verse`: a rule about letters, which knows no sounds and no words, so that it is to
    go with a likelihood (`wrappers.LikelihoodReward`).

    Attributes:
      length: tokens in a text, 1 to 1024.
      observe_step: observations are a dict of the last `token` and the `step`.
      vocabulary: what tokens are, such as `corpora.load_text` finds; a tuple of strings is one,
        None is lower-case letters and some marks.
      ends: add a token that ends a text, after which no other is allowed; lines of a corpus that
        `--corpus` gives are then texts.
      num_subwords: tokens that are made of the characters of such a corpus, by byte-pair encoding;
        None for the characters.
    """

    length: int = 96
    terms: tuple[Term, ...] = (rewards.RHYME, rewards.METRE, rewards.REPETITION)

    def with_references(self, references: Sequence[Sequence[int]], repeat_length: int = 4) -> Any:
        params = super().with_references(references, repeat_length)
        return VerseParams(
            **_fields(params),
            letters=jnp.asarray(rules.letters_of(self.letters.pieces)),
            syllables=jnp.array([7], jnp.int32),
            rhyme_lag=jnp.int32(1),
        )

    def initial_state(self, key: Key, params: Any) -> Any:
        state = super().initial_state(key, params)
        nothing = rules.Verdict(jnp.float32(0), jnp.float32(0))
        return VerseState(**_fields(state), verse=rules.init(), verdict=nothing)

    def advanced(self, state: Any, token: Array, tokens: Array, params: Any) -> Any:
        following = super().advanced(state, token, tokens, params)
        # The line that a text breaks off in counts as well.
        last = jnp.where(following.finished, rules.LINE, 0)
        codes = jnp.append(params.letters[token], last)
        lines, verdict = rules.read(state.verse, codes, params.syllables, params.rhyme_lag)
        return following.replace(verse=lines, verdict=verdict)


def _fields(node: Any) -> dict[str, Any]:
    """What a node has, for one that has more."""
    return {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}

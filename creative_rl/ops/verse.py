"""Syllables, lines and rhymes by their spelling, a letter at a time.

A declared rule, not a dictionary: a group of vowels (a, e, i, o, u, y) is a syllable, but for a
single silent e at the end of a word that has another (not after a consonant and l, as in "table");
two words rhyme where they end in the same letters from their last syllable's vowels on, and are not
the same word. It errs where English does: "though" and "cough" rhyme, "my" and "high" do not.
"""

import unicodedata
from collections.abc import Sequence

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from creative_rl.typing import Array

BREAK, LINE = 27, 28
"""Codes of what ends a word, and of what ends a line; letters are 1..26, 0 is passed over."""
MOST_LAG = 4
"""Lines that are remembered."""
_VOWELS = sum(1 << "_abcdefghijklmnopqrstuvwxyz".index(letter) for letter in "aeiouy")
_L, _E = 12, 5


class VerseState(flax.struct.PyTreeNode):
    """What the rule needs of the letters so far; letters are remembered as numbers of base 32."""

    last: Array  # int32[3]: the word's last letters, the newest first
    groups: Array  # int32: groups of vowels in the word
    tails: Array  # uint32[2]: its letters from its last group of vowels on, and from the one before
    word: Array  # uint32: all its letters
    syllables: Array  # int32: of the line's words that are whole
    line_tail: Array  # uint32: that the line's last whole word rhymes by
    line_word: Array  # uint32: that word
    tails_before: Array  # uint32[MOST_LAG]: of the lines before, the newest first
    words_before: Array  # uint32[MOST_LAG]
    num_lines: Array  # int32


class Verdict(flax.struct.PyTreeNode):
    """What the lines that ended are worth."""

    rhyme: Array  # float32: of lines that rhyme as they should
    metre: Array  # float32: 1 for a line of the right length, less a half for a syllable off


def init() -> VerseState:
    """Before the first letter."""
    return VerseState(
        last=jnp.zeros(3, jnp.int32),
        groups=jnp.int32(0),
        tails=jnp.zeros(2, jnp.uint32),
        word=jnp.uint32(0),
        syllables=jnp.int32(0),
        line_tail=jnp.uint32(0),
        line_word=jnp.uint32(0),
        tails_before=jnp.zeros(MOST_LAG, jnp.uint32),
        words_before=jnp.zeros(MOST_LAG, jnp.uint32),
        num_lines=jnp.int32(0),
    )


def letters_of(pieces: Sequence[str]) -> np.ndarray:
    """int32[V, M]: the characters of tokens that read so, as codes, without their accents; 0 behind
    the last."""
    rows = [[_code(character) for character in _plain(piece)] for piece in pieces]
    table = np.zeros((len(rows), max(1, *map(len, rows))), np.int32)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table


def read(
    state: VerseState, codes: Array, num_syllables: Array, lag: Array
) -> tuple[VerseState, Verdict]:
    """The state after a token's codes int32[M], and what the lines that ended in it are worth.

    Args:
      state: as it was.
      codes: of the token's characters.
      num_syllables: int32[P]: what lines should have, in turn.
      lag: int32, 1 to `MOST_LAG`: lines come in blocks of twice so many, of which those of the
        second half rhyme with those of the first; 1 is couplets, 2 is alternate rhyme.
    """
    verdict = Verdict(jnp.float32(0), jnp.float32(0))

    def one(
        carry: tuple[VerseState, Verdict], code: Array
    ) -> tuple[tuple[VerseState, Verdict], None]:
        state, verdict = carry
        inside = _with_letter(state, code)
        broken = _close_word(state)
        ended, paid = _close_line(broken, num_syllables, lag)
        is_line, is_break = code == LINE, code >= BREAK
        state = jax.tree.map(
            lambda stay, letter, word, line: jnp.where(
                is_line, line, jnp.where(is_break, word, jnp.where(code > 0, letter, stay))
            ),
            state, inside, broken, ended,
        )  # fmt: skip
        verdict = jax.tree.map(lambda sum, more: sum + jnp.where(is_line, more, 0), verdict, paid)
        return (state, verdict), None

    return jax.lax.scan(one, (state, verdict), codes)[0]


def _with_letter(state: VerseState, code: Array) -> VerseState:
    is_vowel, follows_vowel = _is_vowel(code), _is_vowel(state.last[0])
    letter = code.astype(jnp.uint32)
    begins = is_vowel & ~follows_vowel
    longer = state.tails * jnp.uint32(32) + letter
    tails = jnp.where(begins, jnp.stack([letter, longer[0]]), longer)
    return state.replace(
        last=jnp.concatenate([code[None], state.last[:-1]]),
        groups=state.groups + begins,
        # Before the first vowel there is no tail yet.
        tails=jnp.where(state.groups + begins > 0, tails, jnp.uint32(0)),
        word=state.word * jnp.uint32(32) + letter,
    )


def _close_word(state: VerseState) -> VerseState:
    last, before, third = state.last
    ends_in_e = (last == _E) & (before > 0) & ~_is_vowel(before) & (state.groups > 1)
    is_le = (before == _L) & (third > 0) & ~_is_vowel(third)
    tail = jnp.where(ends_in_e, state.tails[1], state.tails[0])
    count = jnp.maximum(state.groups - (ends_in_e & ~is_le), 1)
    is_word = last > 0
    empty = init()
    return state.replace(
        last=empty.last,
        groups=empty.groups,
        tails=empty.tails,
        word=empty.word,
        syllables=state.syllables + jnp.where(is_word, count, 0),
        line_tail=jnp.where(is_word, tail, state.line_tail),
        line_word=jnp.where(is_word, state.word, state.line_word),
    )


def _close_line(state: VerseState, num_syllables: Array, lag: Array) -> tuple[VerseState, Verdict]:
    is_line = state.syllables > 0
    lag = jnp.clip(lag, 1, MOST_LAG)
    wanted = num_syllables[state.num_lines % num_syllables.shape[0]]
    distance = jnp.abs(state.syllables - wanted).astype(jnp.float32)
    metre = jnp.maximum(1.0 - distance / 2, 0.0)
    answers = (state.num_lines // lag) % 2 == 1
    rhymes = (state.line_tail == state.tails_before[lag - 1]) & (state.line_tail > 0)
    rhymes &= state.line_word != state.words_before[lag - 1]
    paid = Verdict((is_line & answers & rhymes).astype(jnp.float32), jnp.where(is_line, metre, 0.0))

    def remembered(newest: Array, before: Array) -> Array:
        return jnp.where(is_line, jnp.concatenate([newest[None], before[:-1]]), before)

    state = state.replace(
        syllables=jnp.int32(0),
        line_tail=jnp.uint32(0),
        line_word=jnp.uint32(0),
        tails_before=remembered(state.line_tail, state.tails_before),
        words_before=remembered(state.line_word, state.words_before),
        num_lines=state.num_lines + is_line,
    )
    return state, paid


def _is_vowel(code: Array) -> Array:
    return ((jnp.int32(_VOWELS) >> jnp.clip(code, 0, 31)) & 1) == 1


def _plain(piece: str) -> str:
    """Lower case without accents."""
    parts = unicodedata.normalize("NFD", piece.lower())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _code(character: str) -> int:
    if "a" <= character <= "z":
        return ord(character) - ord("a") + 1
    if character in "'\u2019":
        return 0
    return LINE if character == "\n" else BREAK

"""Rewards for texts: an oracle's likelihood, repetition, references, and rules of verse.

A text that its end token has ended earns nothing any more. States have `finished`, and what each
term reads of them; mathematics is in `ops.ngrams`, `ops.verse` and `ops.token_lstm`.
"""

import jax.numpy as jnp

from creative_rl.ops import ngrams
from creative_rl.typing import Array, Term, Transition


def _open(seen: Transition, value: Array) -> Array:
    return jnp.where(seen.state.finished, 0.0, value)


def _log_likelihood(seen: Transition) -> Array:
    return seen.next_state.log_prob


def _repetition(seen: Transition) -> Array:
    longest = ngrams.longest_repeat(seen.next_state.suffixes)
    is_again = longest >= seen.params.repeat_length
    return -_open(seen, is_again.astype(jnp.float32))


def _overlap(seen: Transition) -> Array:
    gained = seen.next_state.matches - seen.state.matches
    return _open(seen, gained.sum(dtype=jnp.float32) / ngrams.ORDERS)


def _bleu(seen: Transition) -> Array:
    now = seen.next_state
    score = ngrams.bleu(now.matches, now.num_written, seen.params.reference_lengths)
    return _open(seen, jnp.where(now.finished, score, 0.0))


def _rhyme(seen: Transition) -> Array:
    return _open(seen, seen.next_state.verdict.rhyme)


def _metre(seen: Transition) -> Array:
    return _open(seen, seen.next_state.verdict.metre)


ORACLE = Term("oracle", _log_likelihood, source="Yu et al., SeqGAN, arXiv 1609.05473, section 4")
"""log p of the token under the oracle, in nats: the mean over an episode is -NLL_oracle."""
REPETITION = Term("repetition", _repetition)
"""-1 for a token that ends a run of `params.repeat_length` tokens which stood there before."""
OVERLAP = Term("overlap", _overlap, source="Papineni et al., ACL 2002, section 2.1")
"""The share of the n-grams, n = 1 to 4, ending in a token that a reference has, each as often as
one reference has it: its sum is that of BLEU's clipped matches, over 4."""
BLEU = Term("bleu", _bleu, source="Papineni et al., ACL 2002; Chen and Cherry 2014, method 1")
"""BLEU-4 of the whole text against the references, paid at its end."""
RHYME = Term("rhyme", _rhyme)
"""1 for a line that rhymes with the one that it answers to (`ops.verse`)."""
METRE = Term("metre", _metre)
"""1 for a line with as many syllables as `params.syllables` asks, less a half for each off."""

"""What SeqGAN's table measures of a model of tokens, and one model in the forms of two learners."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from creative_rl import metrics
from creative_rl.ops import token_lstm
from creative_rl.ops.token_lstm import TokenLSTM
from creative_rl.typing import Array, Key, PyTree
from creative_rl.works import Text
from creative_rl.works.vocabulary import numbered

AT_ONCE = 250
"""Sequences measured side by side."""
NUM_COMPARED = 256
"""Texts that self-BLEU compares."""


class Bounds(NamedTuple):
    """NLL_oracle of the oracle's own texts, and of uniform tokens."""

    floor: float
    uniform: float

    def normal(self, nll: float) -> float:
        """0 for the oracle's own, 1 for uniform tokens."""
        return (nll - self.floor) / (self.uniform - self.floor)


def bounds(oracle: TokenLSTM, key: Key, num: int, length: int) -> Bounds:
    """Of `num` texts each."""
    key_own, key_uniform = jax.random.split(key)
    own = sampled(oracle, key_own, num, length)
    uniform = jax.random.randint(key_uniform, own.shape, 0, oracle.num_tokens, jnp.int32)
    return Bounds(nll(oracle, own), nll(oracle, uniform))


def sampled(model: TokenLSTM, key: Key, num: int, length: int, temperature: float = 1.0) -> Array:
    """int32[num, length], in parts of `AT_ONCE`."""
    return _sampled(model, key, jnp.float32(temperature), num, length)


def nll(model: TokenLSTM, tokens: Array, temperature: float = 1.0) -> float:
    """Nats a token of texts int32[N, T]."""
    return float(_nll(model, jnp.asarray(tokens, jnp.int32), jnp.float32(temperature)))


def measured(
    oracle: TokenLSTM,
    limits: Bounds,
    tokens: Array,
    nll_test: float,
) -> dict[str, float]:
    """A row of the table.

    Args:
      oracle: the judge.
      limits: what its figures lie between.
      tokens: the model's texts, int32[N, T].
      nll_test: of the oracle's texts that the model did not see, under the model.
    """
    of_oracle = nll(oracle, tokens)
    num, length = tokens.shape
    texts = Text(np.asarray(tokens), np.full(num, length, np.int32), numbered(oracle.num_tokens))
    return {
        "nll_oracle": of_oracle,
        "nll_test": nll_test,
        "normalised": limits.normal(of_oracle),
        "self_bleu": metrics.self_bleu(texts, 3, num=NUM_COMPARED),
        "unique": metrics.distinct_works(texts),
    }


def at_temperature(
    model: TokenLSTM,
    oracle: TokenLSTM,
    limits: Bounds,
    test: Array,
    key: Key,
    num: int,
    temperature: float = 1.0,
) -> dict[str, float]:
    """`measured`, of a model whose logits are divided by a temperature."""
    tokens = sampled(model, key, num, test.shape[1], temperature)
    return measured(oracle, limits, tokens, nll(model, test, temperature))


def to_policy(model: TokenLSTM) -> dict[str, Any]:
    """The variables of `networks.Model` with `recurrent="lstm"` that give the same logits."""
    kernel = model.embedding @ model.inputs
    bias = _reordered(model.bias)
    hidden = bias.shape[0] // 4
    bias = bias.at[hidden : 2 * hidden].add(-1.0)  # its cell adds 1 to the forget gate
    cell = {
        "inputs": {"kernel": _reordered(kernel), "bias": bias},
        "recurrent": {"kernel": _reordered(model.recurrent)},
    }
    return {"params": {"cell": cell, "head": {"kernel": model.head, "bias": model.head_bias}}}


def from_policy(variables: Mapping[str, PyTree]) -> TokenLSTM:
    """The inverse of `to_policy`, with embeddings as wide as the gates."""
    cell, head = variables["params"]["cell"], variables["params"]["head"]
    bias = cell["inputs"]["bias"]
    hidden = bias.shape[0] // 4
    bias = _reordered(bias.at[hidden : 2 * hidden].add(1.0))
    return TokenLSTM(
        embedding=_reordered(cell["inputs"]["kernel"]),
        inputs=jnp.eye(4 * hidden, dtype=jnp.float32),
        recurrent=_reordered(cell["recurrent"]["kernel"]),
        bias=bias,
        head=head["kernel"],
        head_bias=head["bias"],
    )


def _reordered(gates: Array) -> Array:
    """The last two of the four gates stand the other way round."""
    into, forget, third, fourth = jnp.split(gates, 4, axis=-1)
    return jnp.concatenate([into, forget, fourth, third], axis=-1)


def _sampled_of(model: TokenLSTM, key: Key, temperature: Array, num: int, length: int) -> Array:
    size = min(num, AT_ONCE)

    def some(key: Key) -> Array:
        return token_lstm.sample(model, key, size, length, temperature=temperature)

    return jax.lax.map(some, jax.random.split(key, -(-num // size))).reshape(-1, length)[:num]


def _nll_of(model: TokenLSTM, tokens: Array, temperature: Array) -> Array:
    def of(row: Array) -> Array:
        return token_lstm.log_probs(model, row[None], temperature=temperature).mean()

    return -jax.lax.map(of, tokens, batch_size=min(len(tokens), AT_ONCE)).mean()


_sampled = jax.jit(_sampled_of, static_argnums=(3, 4))
_nll = jax.jit(_nll_of)

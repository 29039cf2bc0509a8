"""An LSTM over tokens as arrays and pure functions: SeqGAN's oracle, and its generator.

Source: Yu et al., SeqGAN (AAAI 2017), arXiv 1609.05473, section 4: embeddings, one LSTM (Hochreiter
and Schmidhuber 1997, no bias added to the forget gate) and a softmax over all tokens. V tokens,
E the width of an embedding, H of the memory.
"""

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Float, Int

from creative_rl.ops import distributions
from creative_rl.typing import Array, Key

Memory = tuple[Array, Array]
"""Cell and output, float32[*B, H] each."""


class TokenLSTM(flax.struct.PyTreeNode):
    """Weights; gates stand in the order input, forget, output, candidate."""

    embedding: Array
    """float32[V, E]"""
    inputs: Array
    """float32[E, 4 H]"""
    recurrent: Array
    """float32[H, 4 H]"""
    bias: Array
    """float32[4 H]"""
    head: Array
    """float32[H, V]"""
    head_bias: Array
    """float32[V]"""

    @property
    def num_tokens(self) -> int:
        return self.head.shape[1]


def normal(
    key: Key, num_tokens: int, embedding_size: int, memory_size: int, scale: float | Array = 1.0
) -> TokenLSTM:
    """Weights drawn from a normal distribution of deviation `scale`: 1 is SeqGAN's oracle.

    >>> normal(jax.random.key(0), 5000, 32, 32).head.shape
    (32, 5000)
    """
    gates = 4 * memory_size
    shapes = {
        "embedding": (num_tokens, embedding_size),
        "inputs": (embedding_size, gates),
        "recurrent": (memory_size, gates),
        "bias": (gates,),
        "head": (memory_size, num_tokens),
        "head_bias": (num_tokens,),
    }
    keys = jax.random.split(key, len(shapes))
    drawn = {
        name: scale * jax.random.normal(name_key, shape, jnp.float32)
        for (name, shape), name_key in zip(shapes.items(), keys, strict=True)
    }
    return TokenLSTM(**drawn)


def init_memory(lstm: TokenLSTM, shape: tuple[int, ...] = ()) -> Memory:
    """Zeros, for a batch of `shape`."""
    zeros = jnp.zeros((*shape, lstm.recurrent.shape[0]), jnp.float32)
    return zeros, zeros


def step(lstm: TokenLSTM, memory: Memory, token: Int[Array, "*B"]) -> tuple[Memory, Array]:
    """The memory after a token, and the logits float32[*B, V] of the next one."""
    memory = _advance(lstm, memory, _affine(lstm.embedding[token], lstm.inputs, lstm.bias))
    return memory, _affine(memory[1], lstm.head, lstm.head_bias)


def unroll(
    lstm: TokenLSTM, tokens: Int[Array, "N T"], start: int | Array = 0
) -> tuple[Float[Array, "N T V"], Memory]:
    """Logits of every token given those before it, and the memories that they were told from.

    Args:
      lstm: the weights.
      tokens: of N sequences.
      start: what stands before the first; one for all, or int[N].

    Returns:
      The logits, and cells and outputs float32[N, T, H]: at t they know `start` and the tokens
      before t.
    """
    first = jnp.full(tokens.shape[:1], start, tokens.dtype)[:, None]
    before = jnp.concatenate([first, tokens[:, :-1]], axis=1)
    projected = _affine(lstm.embedding[before.T], lstm.inputs, lstm.bias)

    def advance(memory: Memory, x: Array) -> tuple[Memory, Memory]:
        memory = _advance(lstm, memory, x)
        return memory, memory

    _, memories = jax.lax.scan(advance, init_memory(lstm, tokens.shape[:1]), projected)
    cells, outputs = (jnp.swapaxes(leaf, 0, 1) for leaf in memories)
    return _affine(outputs, lstm.head, lstm.head_bias), (cells, outputs)


def log_probs(
    lstm: TokenLSTM,
    tokens: Int[Array, "N T"],
    start: int | Array = 0,
    temperature: float | Array = 1.0,
) -> Float[Array, "N T"]:
    """Log-probability of every token given those before it, in nats.

    It makes N x T x V logits: give many sequences in parts.
    """
    logits, _ = unroll(lstm, tokens, start)
    logits = logits / temperature
    chosen = jnp.take_along_axis(logits, tokens[..., None], axis=-1)[..., 0]
    return chosen - jax.nn.logsumexp(logits, axis=-1)


def sample(
    lstm: TokenLSTM,
    key: Key,
    num: int,
    length: int,
    start: int | Array = 0,
    temperature: float | Array = 1.0,
) -> Int[Array, "N T"]:
    """`num` sequences of `length` tokens, int32, each drawn given those before it.

    Args:
      lstm: the weights.
      key: of all draws.
      num: sequences.
      length: tokens in each.
      start: what stands before the first.
      temperature: that logits are divided by, above 0.
    """

    def draw(carry: tuple[Memory, Array], uniform: Array) -> tuple[tuple[Memory, Array], Array]:
        memory, token = carry
        memory, logits = step(lstm, memory, token)
        token = distributions.categorical_from_uniform(logits / temperature, uniform)
        return (memory, token), token

    carry = (init_memory(lstm, (num,)), jnp.full(num, start, jnp.int32))
    uniforms = jax.random.uniform(key, (length, num), jnp.float32)
    return jax.lax.scan(draw, carry, uniforms)[1].T


def _advance(lstm: TokenLSTM, memory: Memory, projected: Array) -> Memory:
    cell, output = memory
    gates = projected + output @ lstm.recurrent
    into, forget, out, candidate = jnp.split(gates, 4, axis=-1)
    cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(into) * jnp.tanh(candidate)
    return cell, jax.nn.sigmoid(out) * jnp.tanh(cell)


def _affine(x: Array, weights: Array, bias: Array) -> Array:
    product = x @ weights
    return product + jnp.broadcast_to(bias, product.shape)

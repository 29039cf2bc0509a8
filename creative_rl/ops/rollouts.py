"""What unfinished sequences are worth: all their prefixes completed at random, many times at once.

Source: Yu et al., SeqGAN (AAAI 2017), arXiv 1609.05473, equation 4: the action value of a token is
the mean reward of sequences that a roll-out policy completes from it on, that of the last token the
reward itself. N sequences of T tokens.

Prefix n is the first n tokens. Its completion draws T - n tokens, so that of n and T - n together T
of them: they share a row of the batch, one after the other, and no draw is in vain.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from creative_rl.ops import distributions, token_lstm
from creative_rl.ops.token_lstm import TokenLSTM
from creative_rl.typing import Array, Key

Score = Callable[[Array], Array]
"""From sequences int32[M, T] to rewards float32[M]."""


def values(
    policy: TokenLSTM,
    score: Score,
    tokens: Int[Array, "N T"],
    starts: Int[Array, "N"],
    key: Key,
    num_rollouts: int,
) -> Float[Array, "N T"]:
    """The action value of every token.

    Args:
      policy: what completes.
      score: the reward of whole sequences.
      tokens: the sequences.
      starts: what stands before each.
      key: of all draws.
      num_rollouts: completions of every prefix, that the mean is over.
    """
    num, length = tokens.shape
    last = score(tokens)[:, None]
    if length == 1:
        return last
    _, memories = token_lstm.unroll(policy, tokens, starts)

    def once(total: Array, key: Key) -> tuple[Array, None]:
        completed = completions(policy, memories, tokens, starts, key)
        rewards = score(completed.reshape(-1, length))
        return total + rewards.reshape(length - 1, num), None

    # One roll-out after another: their logits, N T / 2 rows of V, are the largest thing there is.
    total, _ = jax.lax.scan(
        once, jnp.zeros((length - 1, num), jnp.float32), jax.random.split(key, num_rollouts)
    )
    return jnp.concatenate([total.T / num_rollouts, last], axis=1)


def completions(
    policy: TokenLSTM,
    memories: token_lstm.Memory,
    tokens: Int[Array, "N T"],
    starts: Int[Array, "N"],
    key: Key,
) -> Int[Array, "P N T"]:
    """Every prefix of 1 to T - 1 = P tokens, completed once.

    Args:
      policy: what completes.
      memories: of `token_lstm.unroll` of the same.
      tokens: the sequences.
      starts: what stands before each.
      key: of the draws.
    """
    num, length = tokens.shape
    first, second = _lanes(length)
    before = jnp.concatenate([starts[:, None], tokens[:, :-1]], axis=1)

    def begin(prefixes: np.ndarray) -> tuple[token_lstm.Memory, Array]:
        """Memories float32[K, N, H] and tokens int32[K, N] that the next draw goes on from."""
        # A memory knows the tokens before its place: the prefix's last one is still to be read.
        cells, outputs = (jnp.moveaxis(leaf[:, prefixes - 1], 1, 0) for leaf in memories)
        return (cells, outputs), before.T[prefixes]

    first_begin, second_begin = begin(first), begin(second)

    def draw(carry, inputs):
        time, uniform = inputs
        is_second = jnp.asarray(second) == time
        memory, token = jax.tree.map(
            lambda old, new: jnp.where(is_second.reshape(-1, *[1] * (old.ndim - 1)), new, old),
            carry,
            second_begin,
        )
        memory, logits = token_lstm.step(policy, memory, token)
        token = distributions.categorical_from_uniform(logits, uniform)
        return (memory, token), token

    uniforms = jax.random.uniform(key, (length, len(first), num), jnp.float32)
    times = jnp.arange(length, dtype=jnp.int32)
    _, drawn = jax.lax.scan(draw, first_begin, (times, uniforms))
    drawn = jnp.transpose(drawn, (1, 2, 0))  # [K, N, T]
    places = np.arange(length)
    # Prefix n draws the token at n first; its partner draws each token at its own place.
    rolled = jnp.take_along_axis(
        drawn,
        jnp.asarray(np.maximum(places - first[:, None], 0))[:, None],
        axis=2,
    )
    completed = []
    for prefix in range(1, length):
        lane = min(prefix, length - prefix) - 1
        source = rolled if prefix == first[lane] else drawn
        completed.append(jnp.where((places < prefix)[None], tokens, source[lane]))
    return jnp.stack(completed)


def _lanes(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Prefixes int[K] that share a row: n and `length - n`; the middle one is with itself."""
    first = np.arange(1, length // 2 + 1)
    return first, length - first

"""A discriminator of token sequences: convolutions of many widths, and a highway layer."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from creative_rl.typing import Array, Key


def _uniform(key: Key, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    return jax.random.uniform(key, shape, dtype, -1.0, 1.0)


class TextCritic(nn.Module):
    """How much a sequence is like those of a corpus.

    Embeddings, for every width a convolution whose greatest response counts (Kim, EMNLP 2014), a
    highway layer (Srivastava et al., arXiv 1505.00387), dropout and one score: SeqGAN's
    discriminator (arXiv 1609.05473, section 3.3), which has two scores and their softmax.

    Attributes:
      num_tokens: of the vocabulary.
      embedding_size: width of the embeddings.
      windows: tokens that the convolutions see at once, none more than a sequence has.
      filters: of each of them.
    """

    num_tokens: int
    embedding_size: int
    windows: tuple[int, ...]
    filters: tuple[int, ...]

    @nn.compact
    def __call__(
        self, tokens: Array, dropout: float | Array = 0.0, key: Key | None = None
    ) -> Array:
        """float32[M]: scores of sequences int32[M, T], above 0 for what is more likely real.

        Args:
          tokens: the sequences.
          dropout: share of the features that are left out, with a key.
          key: of that draw; None leaves nothing out.
        """
        embedded = nn.Embed(self.num_tokens, self.embedding_size, embedding_init=_uniform)(tokens)
        length = tokens.shape[-1]
        found = []
        for window, num in zip(self.windows, self.filters, strict=True):
            # The windows side by side, so that the convolution is one product of matrices.
            steps = length - window + 1
            seen = jnp.concatenate([embedded[:, i : i + steps] for i in range(window)], axis=-1)
            convolution = nn.Dense(
                num,
                kernel_init=nn.initializers.truncated_normal(0.1),
                bias_init=nn.initializers.constant(0.1),
            )
            found.append(nn.relu(convolution(seen).max(axis=1)))
        features = jnp.concatenate(found, axis=-1)
        width = features.shape[-1]
        changed = nn.relu(nn.Dense(width)(features))
        gate = nn.sigmoid(nn.Dense(width)(features))
        features = gate * changed + (1.0 - gate) * features
        if key is not None:
            kept = jax.random.bernoulli(key, 1.0 - dropout, features.shape)
            features = jnp.where(kept, features / (1.0 - dropout), 0.0)
        head = nn.Dense(1, kernel_init=nn.initializers.truncated_normal(0.1), name="head")
        return head(features)[..., 0]

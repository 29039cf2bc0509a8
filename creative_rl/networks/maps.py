"""Networks over maps of tiles, such as those of level design.

Shapes: maps [*B, H, W, C], one-hot or the like in 0..1, D channels after the layers.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Float

from creative_rl.networks.convolutions import patches
from creative_rl.networks.pictures import Layer
from creative_rl.typing import Array


class MapLayers(nn.Module):
    """Convolutions of 3 x 3 with ReLU, as matrix products.

    The maps are brought to -1..1 first, so that what is beyond their edges is neither of both ends.

    Attributes:
      channels: of every convolution, first to last.
    """

    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, maps: Float[Array, "*B H W C"]) -> Float[Array, "*B H W D"]:
        x = 2.0 * maps - 1.0
        for size in self.channels:
            x = nn.relu(Layer(size)(patches(x)))
        return x


class TileLayer(nn.Module):
    """A layer with ReLU for every tile, of its own channels and their means over the map.

    What is asked of a map is often one of a kind, and a convolution sees only some tiles around.
    """

    @nn.compact
    def __call__(self, maps: Float[Array, "*B H W D"]) -> Float[Array, "*B H W D"]:
        means = maps.mean(axis=(-3, -2), keepdims=True)
        x = jnp.concatenate([maps, jnp.broadcast_to(means, maps.shape)], axis=-1)
        return nn.relu(Layer(maps.shape[-1])(x))

"""A reward for what was rarely seen before: exploration for every learner."""

import dataclasses
from typing import Literal

import flax.struct
import jax
import jax.numpy as jnp

from creative_rl.environment import check_whole
from creative_rl.typing import Array, Key, PyTree, Timestep
from creative_rl.wrappers.wrapper import Wrapper, with_term

NO_VISIT = 0
"""The bucket that nothing falls into: at reset, and past the end, where all info is zero."""


class NoveltyRewardParams(flax.struct.PyTreeNode):
    """The wrapped environment's params, the visits so far and the term's weight."""

    env: PyTree
    counts: Array  # uint32[num_buckets]
    weight: Array  # float32


@dataclasses.dataclass(frozen=True)
class NoveltyReward(Wrapper):
    """Adds `weight / sqrt(1 + count)`, the term `novelty`: 1 for what was never seen.

    `count` is how often the bucket of what the step led to was visited in earlier updates; with
    the visit itself this is the bonus of Tang et al. 2017 (arXiv 1611.04717, equation 1), whose
    hash codes stand for states, after the pseudo-counts of Bellemare et al. 2016 (arXiv
    1606.01868), who pay `weight / sqrt(count + 0.01)`. Different things share a bucket with
    probability 1 / (`num_buckets` - 1): take more buckets than there will be things worth telling
    apart.

    The counts are params and so stay as they are inside an episode: `update_params`, which
    learners call once an update, adds its visits. `info["novelty_bucket"]` says where each step
    led, int32 in 1 .. `num_buckets` - 1; 0 stands for no visit.

    Attributes:
      of: what is counted, the `work` so far or the `observation`.
      num_buckets: size of the table of counts, bucket 0 included.
    """

    of: Literal["work", "observation"] = "work"
    num_buckets: int = 2**16

    def __post_init__(self):
        super().__post_init__()
        if self.of not in ("work", "observation"):
            raise ValueError(f"NoveltyReward: of must be work or observation, got {self.of!r}")
        inner = self.env
        while isinstance(inner, Wrapper):
            if isinstance(inner, NoveltyReward):
                raise ValueError("NoveltyReward: one is enough, got one around another")
            inner = inner.env
        check_whole("NoveltyReward", "num_buckets", self.num_buckets, 2, 2**31 - 1)

    @property
    def default_params(self) -> NoveltyRewardParams:
        return self.init_params(self.env.default_params)

    def init_params(self, params: PyTree, weight: float = 1.0) -> NoveltyRewardParams:
        """Params from the wrapped environment's, with nothing visited."""
        counts = jnp.zeros(self.num_buckets, jnp.uint32)
        return NoveltyRewardParams(params, counts, jnp.asarray(weight, jnp.float32))

    def env_params(self, params: NoveltyRewardParams) -> PyTree:
        return params.env

    def with_env_params(
        self, params: NoveltyRewardParams, env_params: PyTree
    ) -> NoveltyRewardParams:
        return params.replace(env=env_params)

    def update_params(
        self, params: NoveltyRewardParams, timesteps: Timestep
    ) -> NoveltyRewardParams:
        """Add the visits of `timesteps` (leaves of any batch shape) to the counts."""
        params = super().update_params(params, timesteps)
        buckets = timesteps.info["novelty_bucket"].reshape(-1)
        visits = jnp.zeros_like(params.counts).at[buckets].add(1).at[NO_VISIT].set(0)
        room = ~params.counts  # up to the largest uint32: a full count stays full
        return params.replace(counts=params.counts + jnp.minimum(visits, room))

    def reset(self, key: Key, params: NoveltyRewardParams) -> tuple[PyTree, Timestep]:
        state, timestep = self.env.reset(key, params.env)
        return state, _with_visit(timestep, jnp.int32(NO_VISIT), jnp.float32(0), jnp.float32(0))

    def transition(
        self, key: Key, state: PyTree, action: Array, params: NoveltyRewardParams
    ) -> tuple[PyTree, Timestep]:
        state, timestep = self.env.transition(key, state, action, params.env)
        bucket = self.bucket(state, timestep, params)
        novelty = jax.lax.rsqrt(1 + params.counts[bucket].astype(jnp.float32))
        return state, _with_visit(timestep, bucket, novelty, params.weight * novelty)

    def bucket(self, state: PyTree, timestep: Timestep, params: NoveltyRewardParams) -> Array:
        """int32 in 1 .. `num_buckets` - 1, of the work or the observation."""
        thing = self.env.work(state, params.env) if self.of == "work" else timestep.observation
        return (1 + hash_tree(thing) % jnp.uint32(self.num_buckets - 1)).astype(jnp.int32)


def hash_tree(tree: PyTree) -> Array:
    """uint32: a hash of all numbers in a pytree, in their order; floats by their bits.

    Every 32-bit word is mixed with its place, and the sums of all are mixed again: two trees of
    one structure that differ anywhere agree with a probability near 2**-32. Negative zero is zero.
    """
    parts = [_words(jnp.asarray(leaf)) for leaf in jax.tree.leaves(tree)]
    if not parts:
        raise ValueError("a hash needs at least one array, got a pytree without leaves")
    words = _mix(jnp.concatenate(parts))
    places = _mix(jnp.arange(1, words.size + 1, dtype=jnp.uint32))
    # Two sums: when a few words happen to make the same sum as others, so do all trees that agree
    # in the rest, and of one sum that would be thousands at once.
    first = _mix(words + places).sum(dtype=jnp.uint32)
    second = _mix(words ^ _mix(places)).sum(dtype=jnp.uint32)
    return _mix(_mix(first) + second)


def _words(leaf: Array) -> Array:
    """The array as uint32[n]: numbers of 64 bits become two words, shorter ones one each."""
    if leaf.dtype == jnp.bool_:
        return leaf.reshape(-1).astype(jnp.uint32)
    if jnp.issubdtype(leaf.dtype, jnp.floating):
        leaf = jnp.where(leaf == 0, jnp.zeros_like(leaf), leaf)
    if leaf.dtype.itemsize == 8:
        return jax.lax.bitcast_convert_type(leaf, jnp.uint32).reshape(-1)
    unsigned = {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32}[leaf.dtype.itemsize]
    return jax.lax.bitcast_convert_type(leaf, unsigned).reshape(-1).astype(jnp.uint32)


def _mix(x: Array) -> Array:
    """The finaliser of MurmurHash3 (32 bits, Appleby): every input bit turns half the output."""
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def _with_visit(timestep: Timestep, bucket: Array, novelty: Array, reward: Array) -> Timestep:
    timestep = with_term(timestep, "novelty", novelty, reward)
    return timestep.replace(info={**timestep.info, "novelty_bucket": bucket})

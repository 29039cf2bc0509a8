"""The novelty reward: hand-computed bonuses and counts, the hash, and what it is for."""

import dataclasses
import itertools
import re

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import PPOConfig
from creative_rl.environment import Environment
from creative_rl.learners import ppo, stream
from creative_rl.spaces import Discrete
from creative_rl.testing import check_environment
from creative_rl.typing import Array, Term
from creative_rl.wrappers import AutoReset, EpisodeLog, LikelihoodReward, NoveltyReward
from creative_rl.wrappers.novelty_reward import NO_VISIT, hash_tree


class LockState(flax.struct.PyTreeNode):
    step: Array  # int32
    opened: Array  # int32: digits right so far; -1 after a wrong one


class LockParams(flax.struct.PyTreeNode):
    weights: dict[str, Array]


@dataclasses.dataclass(frozen=True)
class Lock(Environment):
    """A combination lock: reward 1 for all digits right, nothing before; 1 in 5**8 opens it.

    Digit `t` is right where it equals `3 t % 5`. A wrong one is the end of all hope, not of the
    episode.
    """

    terms: tuple[Term, ...] = (
        Term("open", lambda seen: (seen.next_state.opened == 8).astype(jnp.float32)),
    )
    horizon = 8

    @property
    def observation_space(self):
        return Discrete(10)

    @property
    def action_space(self):
        return Discrete(5)

    @property
    def default_params(self):
        return LockParams(self.default_weights)

    def initial_state(self, key, params):
        return LockState(jnp.int32(0), jnp.int32(0))

    def next_state(self, key, state, action, params):
        right = (state.opened >= 0) & (action == 3 * state.step % 5)
        return LockState(state.step + 1, jnp.where(right, state.opened + 1, -1))

    def observe(self, state, params):
        return state.opened + 1

    def end(self, state, params):
        return state.step >= 8, jnp.bool_(False)

    def work(self, state, params):
        return {"opened": state.opened}


COMBINATION = [3 * step % 5 for step in range(8)]


def play(env, params, actions):
    """The timesteps of one episode as one pytree, leaves [T, 1]: without the start."""
    step = jax.jit(env.step)
    state, start = env.reset(jax.random.key(0), params)
    timesteps = []
    for action in actions:
        state, timestep = step(jax.random.key(1), state, jnp.int32(action), params)
        timesteps.append(timestep)
    return start, jax.tree.map(lambda *rows: jnp.stack(rows)[:, None], *timesteps)


def novelty(timesteps):
    return timesteps.info["reward_terms"]["novelty"][:, 0]


@pytest.mark.parametrize("of", ["work", "observation"])
def test_what_was_never_seen_pays_one_and_less_the_more_often_it_was(of):
    env = NoveltyReward(Lock(), of)
    params = env.init_params(Lock().default_params, weight=0.5)
    start, first = play(env, params, COMBINATION)
    assert float(start.reward) == 0.0 and int(start.info["novelty_bucket"]) == NO_VISIT
    assert float(start.info["reward_terms"]["novelty"]) == 0.0
    # Inside a rollout nothing is counted, so the whole episode is new.
    np.testing.assert_allclose(novelty(first), np.ones(8))
    np.testing.assert_allclose(first.reward[:, 0], [0.5] * 7 + [1.5])
    params = jax.jit(env.update_params)(params, first)
    params = jax.jit(env.update_params)(params, first)
    # Four digits that were right twice before, then one wrong, again and again.
    _, second = play(env, params, [*COMBINATION[:4], 4, 0, 0, 0])
    np.testing.assert_allclose(novelty(second), [1 / np.sqrt(3)] * 4 + [1.0] * 4, rtol=1e-6)
    params = env.update_params(params, second)
    _, third = play(env, params, [0, *COMBINATION[:4], 1, 1, 1])
    expected = [1 / np.sqrt(4)] + [1 / np.sqrt(5)] * 7
    np.testing.assert_allclose(novelty(third), expected, rtol=1e-6)
    np.testing.assert_allclose(third.reward[:, 0], 0.5 * np.asarray(expected), rtol=1e-6)


def test_counts_are_the_visits_of_the_rollout(key):
    """Through the log and the learners' stream, against counting in Python."""
    env = NoveltyReward(crl.make("melody-target", length=3, num_pitches=4), num_buckets=4096)
    logged = EpisodeLog(env)
    params = logged.default_params
    standing = stream.init(logged, key, params, 5)
    step = jax.jit(stream.step, static_argnums=0)
    seen = []
    for time in range(7):
        key_action, key_step = jax.random.split(jax.random.fold_in(key, time))
        actions = jax.random.randint(key_action, (5,), 0, 4)
        keys = stream.step_keys(key_step, 1, 5)[0]
        standing = step(logged, keys, standing, actions, params)
        seen.append(standing.timestep)
    timesteps = jax.tree.map(lambda *rows: jnp.stack(rows), *seen)
    buckets = np.asarray(timesteps.info["novelty_bucket"])
    assert buckets.shape == (7, 5) and (buckets > NO_VISIT).all() and (buckets < 4096).all()
    params = logged.update_params(logged.update_params(params, timesteps), timesteps)
    assert params.counts.dtype == jnp.uint32
    np.testing.assert_array_equal(params.counts, 2 * np.bincount(buckets.ravel(), minlength=4096))


@pytest.mark.parametrize("outside", [lambda env: env, EpisodeLog], ids=["alone", "in a log"])
def test_steps_past_the_end_visit_nothing(outside):
    env = outside(NoveltyReward(Lock()))
    params = env.default_params
    _, timesteps = play(env, params, [*COMBINATION, 0, 0, 0])
    assert (timesteps.info["novelty_bucket"][8:] == NO_VISIT).all()
    assert (novelty(timesteps)[8:] == 0).all() and (timesteps.reward[8:] == 0).all()
    assert int(env.update_params(params, timesteps).counts.sum()) == 8


def test_a_full_count_stays_full():
    env = NoveltyReward(Lock())
    params = env.default_params
    _, timesteps = play(env, params, COMBINATION)
    largest = np.iinfo(np.uint32).max
    full = params.replace(counts=params.counts + jnp.uint32(largest - 1))
    for _ in range(2):
        full = env.update_params(full, timesteps)
    buckets = np.asarray(timesteps.info["novelty_bucket"]).ravel()
    assert (np.asarray(full.counts)[buckets] == largest).all()
    assert float(novelty(play(env, full, COMBINATION)[1]).max()) < 2e-5


class Unigram(nn.Module):
    """Log-odds of the next event, whatever the last one was."""

    def init_memory(self):
        return jnp.int32(0)

    @nn.compact
    def __call__(self, observation, memory):
        return self.param("logits", nn.initializers.normal(1.0), (5,)), memory


def test_params_are_found_and_put_back_at_every_depth():
    inner = NoveltyReward(Lock())
    env = AutoReset(EpisodeLog(LikelihoodReward(inner, Unigram())), mode="cached_pool", pool_size=2)
    params = env.default_params
    _, timesteps = play(inner, inner.default_params, COMBINATION)
    updated = env.update_params(params, timesteps)
    assert jax.tree.structure(updated) == jax.tree.structure(params)
    assert int(updated.env.env.counts.sum()) == 8 and int(params.env.env.counts.sum()) == 0
    unchanged = updated.replace(env=updated.env.replace(env=params.env.env))
    jax.tree.map(
        np.testing.assert_array_equal, jax.tree.leaves(unchanged.env), jax.tree.leaves(params.env)
    )
    plain = EpisodeLog(Lock())
    assert plain.update_params(plain.default_params, timesteps) == plain.default_params


@pytest.mark.parametrize("of, outside", [("work", EpisodeLog), ("observation", lambda env: env)])
def test_it_keeps_the_contract(of, outside):
    env = NoveltyReward(crl.make("melody-target-tutorial"), of, num_buckets=64)
    params = env.init_params(env.env.default_params, weight=0.25)
    weights = {**params.env.weights, "novelty": params.weight}
    params = params.replace(counts=jnp.arange(64, dtype=jnp.uint32))
    check_environment(outside(env), params, weights=weights)


def test_counts_can_be_vmapped():
    env = NoveltyReward(Lock(), num_buckets=32)
    params = env.default_params
    counts = jnp.stack([jnp.full(32, 3, jnp.uint32), jnp.full(32, 8, jnp.uint32)])
    axes = jax.tree.map(lambda _: None, params).replace(counts=0)
    state, _ = env.reset(jax.random.key(0), params)
    _, timesteps = jax.vmap(env.step, (None, None, None, axes))(
        jax.random.key(1), state, jnp.int32(0), params.replace(counts=counts)
    )
    np.testing.assert_allclose(timesteps.reward, [1 / 2, 1 / 3], rtol=1e-6)
    together = jax.vmap(env.update_params, (axes, 0), axes)
    updated = together(params.replace(counts=counts), timesteps)
    assert updated.counts.sum(axis=1).tolist() == [3 * 32 + 1, 8 * 32 + 1]


def murmur(number):
    """MurmurHash3's finaliser, in Python's integers."""
    number ^= number >> 16
    number = number * 0x85EBCA6B % 2**32
    number ^= number >> 13
    number = number * 0xC2B2AE35 % 2**32
    return number ^ (number >> 16)


def test_the_hash_is_of_every_number_in_its_place():
    tree = {
        "a": jnp.asarray([[1, -2], [3, 4]], jnp.int32),
        "b": jnp.asarray([True, False]),
        "c": jnp.asarray(1.5, jnp.float32),
        "d": jnp.asarray([200, 7], jnp.uint8),
        "e": jnp.asarray([-1], jnp.int8),
        "f": jnp.asarray([1.0], jnp.bfloat16),
    }
    words = [1, 2**32 - 2, 3, 4, 1, 0, 0x3FC00000, 200, 7, 255, 0x3F80]
    mixed = [(murmur(word), murmur(place)) for place, word in enumerate(words, 1)]
    first = sum(murmur((word + place) % 2**32) for word, place in mixed) % 2**32
    second = sum(murmur(word ^ murmur(place)) for word, place in mixed) % 2**32
    expected = murmur((murmur(first) + second) % 2**32)
    assert int(hash_tree(tree)) == int(jax.jit(hash_tree)(tree)) == expected
    with jax.enable_x64(True):
        wide = jnp.asarray([2**40 + 5], jnp.int64)
        assert int(hash_tree(wide)) == int(hash_tree(jnp.asarray([5, 2**8], jnp.int32)))
    with pytest.raises(ValueError, match="at least one array"):
        hash_tree({})


@pytest.mark.parametrize(
    "num_symbols, length", [(8, 5), (38, 3), (2, 16), (5, 7), (256, 2), (4, 9)]
)
def test_equal_numbers_hash_equally_and_others_almost_never(num_symbols, length):
    """All words of one length: as near each other as works get."""
    hashed = jax.jit(jax.vmap(hash_tree))
    works = np.asarray(list(itertools.product(range(num_symbols), repeat=length)), np.int32)
    hashes = np.asarray(hashed(works))
    np.testing.assert_array_equal(hashes[::-1], np.asarray(hashed(works[::-1])))
    by_chance = len(works) ** 2 / 2 / 2**32  # pairs that meet: the birthday bound
    met = len(works) - len(np.unique(hashes))
    assert met <= by_chance + 4 * np.sqrt(by_chance) + 1
    # The buckets fill like a fair die's faces: chi-squared within six of its deviations.
    visits = np.bincount(hashes % 4095, minlength=4095)
    share = len(works) / 4095
    assert abs(((visits - share) ** 2 / share).sum() - 4094) < 6 * np.sqrt(2 * 4094)


def test_floats_hash_by_their_bits():
    hashed = jax.jit(jax.vmap(hash_tree))
    floats = (1 + np.arange(2**14) * 2.0**-23).astype(np.float32)  # the last bits differ
    pairs = np.stack([floats, 4 - floats], axis=1)
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    assert len(np.unique(pairs, axis=0)) - len(np.unique(np.asarray(hashed(pairs)))) <= 2
    zeros = jnp.asarray([0.0, -0.0], jnp.float32)
    assert len(set(hashed(zeros).tolist())) == 1 and int(hash_tree(zeros[1])) == int(
        hashed(zeros)[0]
    )


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="of must be work or observation, got 'state'"):
        NoveltyReward(Lock(), "state")
    for size in (1, 2**31, True, 2.5, 4.0, "a", None):
        words = f"num_buckets must be a whole number in 2..{2**31 - 1}, got {size!r}"
        with pytest.raises(ValueError, match=re.escape(words)):
            NoveltyReward(Lock(), num_buckets=size)
    with pytest.raises(ValueError, match="one is enough"):
        NoveltyReward(EpisodeLog(NoveltyReward(Lock())))


def mean_return(learner, state, key):
    """Of 64 episodes of what the policy does in the lock itself."""
    env = Lock()
    params = env.default_params

    def episode(key):
        start = env.reset(key, params)

        def step(carry, key):
            env_state, timestep = carry
            action, _ = learner.act(state, key, timestep, ())
            after = env.step(key, env_state, action, params)
            return after, after[1].reward

        return jax.lax.scan(step, start, jax.random.split(key, 8))[1].sum()

    return jax.vmap(episode)(jax.random.split(key, 64)).mean()


def test_ppo_opens_a_lock_with_it_and_not_without(key):
    config = PPOConfig(num_envs=32, num_steps=16, learning_rate=1e-2, hidden_sizes=(32,))

    @jax.jit
    def train(weight):
        env = NoveltyReward(Lock(), num_buckets=512)
        params = env.default_params.replace(weight=weight)
        learner = ppo(env, config, params)
        state, _ = jax.lax.scan(
            lambda state, _: learner.update(state), learner.init(key), length=60
        )
        return mean_return(learner, state, jax.random.key(1)), state.env_params.counts.sum()

    without, _ = train(jnp.float32(0))
    opened, visits = train(jnp.float32(1))
    assert float(without) == 0.0 and float(opened) > 0.9
    assert int(visits) == 60 * 32 * 16

"""One masked attention over many steps against single steps, and what a step may see."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.networks import Model, clear_memory, last_memory, repeat_memory
from creative_rl.spaces import Discrete

NUM_EVENTS, NUM_OUTPUTS, NUM_BEFORE, NUM_STEPS = 6, 4, 5, 7
STARTS = ([], [0], [3, 4], [1, 6], [6])
"""Of five columns of seven steps each."""
CONTEXTS = (16, 3, 1)


def model(context):
    return Model(
        Discrete(NUM_EVENTS), NUM_OUTPUTS, recurrent="transformer", memory_size=8, num_layers=2,
        num_heads=2, context=context,
    )  # fmt: skip


@pytest.fixture(scope="module")
def variables():
    """The same for every context. Biases are drawn too: at their first zeros much would be even."""
    network = model(3)
    drawn = jax.jit(lambda key: network.init(key, jnp.int32(0), network.init_memory()))
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: leaf + 0.3 * generator.normal(size=leaf.shape).astype(np.float32),
        drawn(jax.random.key(1)),
    )


@pytest.fixture(scope="module")
def events():
    generator = np.random.default_rng(2)
    return generator.integers(0, NUM_EVENTS, (NUM_BEFORE + NUM_STEPS, len(STARTS)), np.int32)


@pytest.fixture(scope="module")
def starts():
    steps = np.arange(NUM_STEPS)[:, None]
    return np.concatenate([np.isin(steps, column) for column in STARTS], axis=1)


@partial(jax.jit, static_argnums=0)
def step_by_step(context, variables, observations, starts, others):
    """Outputs [T, B, 4] for the observations and for others in their place, and all memories."""
    network = model(context)
    fresh = network.init_memory()

    def step(memory, seen):
        observation, start, other = seen
        memory = clear_memory(memory, fresh, start)
        output, following = network.apply(variables, observation, memory)
        peeked, _ = network.apply(variables, other, memory)
        return following, (output, peeked, following)

    memory = repeat_memory(fresh, observations.shape[1])
    return jax.lax.scan(step, memory, (observations, starts, others))[1]


@partial(jax.jit, static_argnums=0)
def unrolled(context, variables, observations, starts, memory, others):
    """Outputs, the last memory, and outputs for others that would have come after each step."""
    network = model(context)
    outputs, memories = network.apply(variables, observations, starts, memory, method="unroll")
    return outputs, last_memory(memories), network.apply(variables, others, memories, method="peek")


@pytest.mark.parametrize("context", CONTEXTS)
def test_unroll_equals_stepping(context, variables, events, starts):
    """Past steps in the cache, starts anywhere, more steps than the context."""
    all_starts = np.concatenate([np.zeros((NUM_BEFORE, len(STARTS)), bool), starts])
    others = (events + 1) % NUM_EVENTS
    expected, peeked, stepped = step_by_step(context, variables, events, all_starts, others)
    memory = jax.tree.map(lambda leaf: leaf[NUM_BEFORE - 1], stepped)
    outputs, last, unroll_peeked = unrolled(
        context, variables, events[NUM_BEFORE:], starts, memory, np.roll(others, -1, 0)[NUM_BEFORE:]
    )
    np.testing.assert_allclose(outputs, expected[NUM_BEFORE:], rtol=1e-5, atol=1e-5)
    jax.tree.map(
        lambda have, want: np.testing.assert_allclose(have, want[-1], rtol=1e-5, atol=1e-5),
        last, stepped,
    )  # fmt: skip
    # What follows a step was cleared where an episode starts; a peek sees the old one go on.
    goes_on = ~starts[1:]
    np.testing.assert_allclose(
        unroll_peeked[:-1][goes_on], peeked[NUM_BEFORE + 1 :][goes_on], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("context", CONTEXTS)
def test_what_a_step_knows(context, variables, events, starts):
    """Itself and, of its episode, what is near enough: no future, no other episode or column."""
    network = model(context)
    memory = repeat_memory(network.init_memory(), len(STARTS))
    observations = events[NUM_BEFORE:]
    run = partial(unrolled, context, variables, starts=starts, memory=memory, others=observations)
    before, _, _ = run(observations=observations)
    reach = 2 * (context - 1)  # through two layers
    for changed in (0, 2, 5):
        different = observations.copy()
        different[changed] = (different[changed] + 1) % NUM_EVENTS
        after, _, _ = run(observations=different)
        differs = (np.asarray(before) != np.asarray(after)).any(axis=-1)
        for t in range(NUM_STEPS):
            is_known = starts[changed + 1 : t + 1].sum(axis=0) == 0
            np.testing.assert_array_equal(differs[t], is_known & (changed <= t <= changed + reach))


def test_equals_a_twin_in_numpy(variables, events):
    """One episode, each step from scratch; rotations as products of complex numbers."""
    outputs, _, _ = step_by_step(3, variables, events, np.zeros(events.shape, bool), events)
    params = jax.tree.map(np.asarray, variables["params"])
    np.testing.assert_allclose(outputs[:, 0], twin(params, events[:, 0], 3), rtol=1e-4, atol=1e-4)


def twin(params, events, context):
    body, num_heads = params["transformer"], 2
    x = dense(body["embed"], np.eye(NUM_EVENTS)[events])
    for layer in range(2):
        block = body[f"blocks_{layer}"]
        size = x.shape[1] // num_heads
        projected = dense(block["attention_in"], normalized(block["before_attention"], x))
        queries, keys, values = projected.reshape(len(x), 3, num_heads, size).swapaxes(0, 1)
        speeds = 10_000.0 ** (-np.arange(size // 2) / (size // 2))
        turn = np.exp(1j * np.arange(len(x))[:, None] * speeds)[:, None]
        queries, keys = (
            turn * (part[..., : size // 2] + 1j * part[..., size // 2 :])
            for part in (queries, keys)
        )
        found = np.zeros_like(values)
        for t in range(len(x)):
            near = slice(max(0, t - context + 1), t + 1)
            scores = (queries[t] * keys[near].conj()).real.sum(-1) / np.sqrt(size)
            weights = np.exp(scores) / np.exp(scores).sum(axis=0)
            found[t] = (weights[..., None] * values[near]).sum(axis=0)
        x = x + dense(block["attention_out"], found.reshape(x.shape))
        hidden = dense(block["dense_in"], normalized(block["before_dense"], x))
        cubed = np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)
        x = x + dense(block["dense_out"], 0.5 * hidden * (1 + np.tanh(cubed)))
    return dense(params["head"], normalized(body["norm"], x))


def dense(params, x):
    return x @ params["kernel"] + params["bias"]


def normalized(params, x):
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt(np.square(centred).mean(-1, keepdims=True) + 1e-6)
    return centred / deviation * params["scale"] + params["bias"]


def test_a_width_that_has_no_pairs_in_its_heads_is_refused():
    with pytest.raises(ValueError, match=r"divisible by 2 \* num_heads = 4, got 6"):
        Model(Discrete(2), 2, recurrent="transformer", memory_size=6).init_memory()

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from creative_rl.networks import MemoryCell, Model, feature_space, features
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete


def test_features_by_hand():
    space = Dict({
        "a": Discrete(3), "b": MultiDiscrete((2, 2)), "c": Box(0, 255, (1, 2), jnp.uint8),
    })  # fmt: skip
    observation = {
        "a": jnp.int32(2), "b": jnp.array([0, 1]), "c": jnp.array([[0, 255]], jnp.uint8),
    }  # fmt: skip
    np.testing.assert_allclose(features(space, observation), [0, 0, 1, 1, 0, 0, 1, 0, 1])
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf] * 4), observation)
    assert features(space, batch).shape == (4, 9)


def test_a_model_of_features_shares_the_variables_of_one_of_observations(key):
    space = Dict({"a": Discrete(3), "b": Box(0.0, 1.0, (2,))})
    model = Model(space, 4, (5,))
    observation = {"a": jnp.array([2, 0]), "b": jnp.array([[0.1, 0.2], [0.3, 0.4]])}
    variables = model.init(key, observation, ())
    seen = features(space, observation)
    assert feature_space(space).shape == (5,)
    outputs, _ = model.clone(space=feature_space(space)).apply(variables, seen, ())
    np.testing.assert_array_equal(outputs, model.apply(variables, observation, ())[0])


def test_an_unknown_memory_is_refused(key):
    cell = MemoryCell("rnn", 5)
    with pytest.raises(ValueError, match="kind must be lstm or gru, got 'rnn'"):
        cell.init(key, jnp.zeros(3), method="project")


def test_lstm_equals_flax(key):
    key_cell, key_x = jax.random.split(key)
    ours, theirs = MemoryCell("lstm", 5), nn.OptimizedLSTMCell(5, kernel_init=nn.initializers.zeros)
    x = jax.random.normal(key_x, (2, 3))
    memory = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf + 0.3]), ours.init_memory())

    def run(cell, memory, x):
        return cell.advance(memory, cell.project(x))

    variables = ours.init(key_cell, memory, x, method=run)
    (cell, output), _ = ours.apply(variables, memory, x, method=run)
    kernel_x = np.split(np.asarray(variables["params"]["inputs"]["kernel"]), 4, axis=1)
    kernel_h = np.split(np.asarray(variables["params"]["recurrent"]["kernel"]), 4, axis=1)
    params = {}
    for index, gate in enumerate("ifgo"):  # flax has no forget bias of one: give it one
        params[f"i{gate}"] = {"kernel": kernel_x[index]}
        bias = np.full(5, 1.0 if gate == "f" else 0.0, np.float32)
        params[f"h{gate}"] = {"kernel": kernel_h[index], "bias": bias}
    (expected_cell, expected), _ = theirs.apply({"params": params}, memory, x)
    np.testing.assert_allclose(cell, expected_cell, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)


def test_gru_by_hand():
    # One unit, every weight 1, biases 0, x = 1, h = .5: r = z = sigmoid(1.5).
    cell = MemoryCell("gru", 1)
    ones = {
        "inputs": {"kernel": jnp.ones((1, 3)), "bias": jnp.zeros(3)},
        "recurrent": {"kernel": jnp.ones((1, 3)), "bias": jnp.zeros(3)},
    }
    _, output = cell.apply(
        {"params": ones}, jnp.array([[0.5]]), jnp.array([[1.0]]),
        method=lambda cell, memory, x: cell.advance(memory, cell.project(x)),
    )  # fmt: skip
    gate = 1 / (1 + np.exp(-1.5))
    np.testing.assert_allclose(output, [[(1 - gate) * np.tanh(1 + gate * 0.5) + gate * 0.5]], 1e-6)


@pytest.mark.parametrize("recurrent", ["none", "lstm", "gru"])
def test_unroll_equals_stepping_with_memory_cleared_at_starts(recurrent, key):
    model = Model(Discrete(6), 4, (8,), recurrent, 5)
    key_model, key_x = jax.random.split(key)
    variables = model.init(key_model, jnp.int32(0), model.init_memory())
    observations = jax.random.randint(key_x, (7, 3), 0, 6)
    starts = jnp.zeros((7, 3), bool).at[0].set(True).at[4, 1].set(True)
    start = jax.tree.map(lambda leaf: jnp.full((3, *leaf.shape), 9.0), model.init_memory())
    outputs, _ = model.apply(variables, observations, starts, start, method="unroll")
    for column in range(3):
        memory = None
        for t in range(7):
            if starts[t, column]:
                memory = model.init_memory()
            output, memory = model.apply(variables, observations[t, column], memory)
            np.testing.assert_allclose(outputs[t, column], output, rtol=1e-5, atol=1e-6)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("recurrent", ["none", "lstm"])
def test_vmapped_initialisation_ends(recurrent, key):
    """Batched orthogonal initialisers hang on two cores; ours must not be of that kind."""
    model = Model(Discrete(38), 38, (64, 64), recurrent, 64)
    init = jax.jit(jax.vmap(lambda k: model.init(k, jnp.int32(0), model.init_memory())))
    for seed in range(5):
        variables = jax.block_until_ready(init(jax.random.split(jax.random.key(seed), 32)))
    kernel = variables["params"]["head"]["kernel"]
    assert len(np.unique(np.asarray(kernel[:, 0, 0]))) == 32


def test_dueling_by_hand():
    """Wang et al. 2016, equation 9, layer by layer in NumPy."""
    model = Model(Discrete(3), 4, (5, 6), dueling=True, activation="relu")
    variables = model.init(jax.random.key(0), jnp.int32(0), ())
    params = jax.tree.map(np.asarray, variables["params"])

    def dense(name, x):
        return x @ params[name]["kernel"] + params[name]["bias"]

    assert params["advantage_stream"]["kernel"].shape == (5, 6)  # in place of the last layer
    x = np.maximum(dense("hidden_0", np.eye(3)), 0)
    value = dense("value", np.maximum(dense("value_stream", x), 0))
    advantages = dense("head", np.maximum(dense("advantage_stream", x), 0))
    expected = value + advantages - advantages.mean(axis=-1, keepdims=True)
    outputs, _ = model.apply(variables, jnp.arange(3), ())
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs.mean(-1), value[:, 0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("recurrent", ["none", "gru"])
def test_dueling_unrolls_as_it_steps(recurrent, key):
    model = Model(Discrete(6), 4, (8,), recurrent, 5, dueling=True)
    key_model, key_x = jax.random.split(key)
    variables = model.init(key_model, jnp.int32(0), model.init_memory())
    streams = {"value_stream", "advantage_stream", "value", "head"}
    assert streams <= set(variables["params"])
    assert not any(name.startswith("hidden") for name in variables["params"])
    observations = jax.random.randint(key_x, (7, 3), 0, 6)
    starts = jnp.zeros((7, 3), bool).at[0].set(True)
    memory = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), model.init_memory())
    outputs, _ = model.apply(variables, observations, starts, memory, method="unroll")
    for t in range(7):
        output, memory = model.apply(variables, observations[t], memory)
        np.testing.assert_allclose(outputs[t], output, rtol=1e-5, atol=1e-6)

"""SeqGAN's benchmark: likelihoods are the oracle's, samples its own, its file is read and no other
thing of it."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference.text_oracle import PlainLSTM

import creative_rl as crl
from creative_rl.corpora.oracle_file import read_oracle
from creative_rl.envs.text_oracle import OracleText
from creative_rl.ops import token_lstm
from creative_rl.stores.sequences import with_start

SMALL = dict(num_tokens=7, length=5, embedding_size=3, memory_size=4)


def as_file(path, lstm, protocol=2):
    """In SeqGAN's order: gates input, forget, output, candidate, three arrays each."""
    gates = [np.split(np.asarray(leaf), 4, -1) for leaf in (lstm.inputs, lstm.recurrent, lstm.bias)]
    arrays = [lstm.embedding, *(part for gate in zip(*gates, strict=True) for part in gate)]
    arrays = [np.asarray(leaf) for leaf in (*arrays, lstm.head, lstm.head_bias)]
    path.write_bytes(pickle.dumps(arrays, protocol))
    return path


@pytest.fixture
def lstm():
    return token_lstm.normal(jax.random.key(3), 7, 3, 4)


def test_log_probs_are_those_of_one_vector_after_the_other(lstm, key):
    tokens = jax.random.randint(key, (3, 5), 0, 7, jnp.int32)
    plain = PlainLSTM(lstm)
    for row, found in zip(np.asarray(tokens), token_lstm.log_probs(lstm, tokens), strict=True):
        plain.reset()
        wanted = [
            plain.log_probs(before)[token]
            for before, token in zip([0, *row[:-1]], row, strict=True)
        ]
        np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_unroll_tells_the_memories_that_steps_have(lstm):
    tokens = jnp.array([[4, 1, 6]], jnp.int32)
    logits, (cells, outputs) = jax.jit(token_lstm.unroll)(lstm, tokens)
    memory, step = token_lstm.init_memory(lstm, (1,)), jax.jit(token_lstm.step)
    for time, before in enumerate([0, 4, 1]):
        memory, stepped = step(lstm, memory, jnp.array([before], jnp.int32))
        np.testing.assert_allclose(logits[:, time], stepped, rtol=1e-5)
        np.testing.assert_allclose(cells[:, time], memory[0], rtol=1e-5)
        np.testing.assert_allclose(outputs[:, time], memory[1], rtol=1e-5)


def test_samples_are_drawn_as_they_are_likely(lstm, key):
    sample = jax.jit(token_lstm.sample, static_argnums=(2, 3))
    drawn = np.asarray(sample(lstm, key, 20_000, 2))
    first = jnp.arange(7, dtype=jnp.int32)[:, None]
    probs = np.exp(token_lstm.log_probs(lstm, first))[:, 0]
    np.testing.assert_allclose(np.bincount(drawn[:, 0], minlength=7) / 20_000, probs, atol=0.015)
    most = probs.argmax()
    pairs = jnp.stack([jnp.full(7, most, jnp.int32), first[:, 0]], 1)
    wanted = np.exp(token_lstm.log_probs(lstm, pairs))[:, 1]
    found = drawn[drawn[:, 0] == most, 1]
    np.testing.assert_allclose(np.bincount(found, minlength=7) / len(found), wanted, atol=0.03)
    cold = np.asarray(sample(lstm, key, 20_000, 2, temperature=1e-3))
    assert (cold == cold[0]).all() and cold[0, 0] == most


def test_temperature_sharpens_what_is_likely(lstm):
    tokens = jnp.arange(7, dtype=jnp.int32)[:, None]
    warm = np.exp(token_lstm.log_probs(lstm, tokens))[:, 0]
    cold = np.exp(token_lstm.log_probs(lstm, tokens, temperature=0.5))[:, 0]
    np.testing.assert_allclose(cold, warm**2 / (warm**2).sum(), rtol=1e-4)


def test_an_episode_earns_its_log_likelihood(lstm, key):
    env = OracleText(**SMALL)
    params = env.with_oracle(lstm)
    tokens = [3, 0, 6, 6, 2]
    state, timestep = env.reset(key, params)
    rewards, step = [], jax.jit(env.step)
    for token in tokens:
        state, timestep = step(key, state, jnp.int32(token), params)
        rewards.append(float(timestep.reward))
    wanted = token_lstm.log_probs(lstm, jnp.array([tokens], jnp.int32))[0]
    np.testing.assert_allclose(rewards, wanted, rtol=1e-4)
    assert crl.works.text(env.work(state, params)) == "3 0 6 6 2" and bool(timestep.terminated)


def test_the_default_oracle_is_seqgans_form_with_weights_of_deviation_one():
    env = crl.make("text-oracle")
    params = env.default_params
    assert (env.action_space.num, env.horizon) == (5000, 20)
    assert params.oracle.embedding.shape == (5000, 32) and params.oracle.head.shape == (32, 5000)
    for leaf in jax.tree.leaves(params.oracle):
        assert leaf.std() == pytest.approx(1.0, abs=0.15)
    other = crl.make("text-oracle", oracle_seed=1).default_params.oracle
    assert (other.bias != params.oracle.bias).all()


def test_sequences_are_windows_that_start_with_the_start(key):
    env = OracleText(**SMALL)
    sequences = env.sequences(key, env.default_params, 6, 3)
    assert (sequences.train.shape, sequences.held_out.shape) == ((6, 6), (3, 6))
    assert sequences.train.dtype == np.uint8 and (sequences.train[:, 0] == 0).all()
    assert with_start(np.zeros((2, 3)), 0, 257).dtype == np.uint16
    assert jax.eval_shape(env.examples, env.default_params).shape == (1000, 5, 3, 1)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_file_of_seqgans_code_is_read(lstm, tmp_path, protocol):
    path = as_file(tmp_path / "target_params.pkl", lstm, protocol)
    jax.tree.map(np.testing.assert_array_equal, read_oracle(path), lstm)
    env = OracleText(**SMALL, oracle=str(path))
    np.testing.assert_array_equal(env.default_params.oracle.head, lstm.head)
    with pytest.raises(ValueError, match=r"must be the oracle's, 7, 3, 4 in .*, got 8, 3, 4$"):
        _ = OracleText(**{**SMALL, "num_tokens": 8}, oracle=str(path)).default_params


class Evil:
    def __reduce__(self):
        return print, ("run",)


ARRAYS = [np.zeros((7, 3), np.float32)] * 15


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (pickle.dumps([Evil()]), "it asks for builtins.print, where only arrays may be"),
        (pickle.dumps(ARRAYS[:14]), "must be a list of 15 arrays, got 14 things"),
        (pickle.dumps({}), "must be a list of 15 arrays, got dict"),
        (pickle.dumps(ARRAYS), r"array 2 must be finite numbers \[3, 7\], got float32\[7, 3\]"),
        (b"", "Ran out of input"),
        (b"rubbish", "."),
    ],
)
def test_any_other_file_is_one_line(tmp_path, content, line, capsys):
    (tmp_path / "o.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=rf"o\.pkl is no pickle of SeqGAN's oracle: .*{line}") as e:
        read_oracle(tmp_path / "o.pkl")
    assert "\n" not in str(e.value) and capsys.readouterr().out == ""
    with pytest.raises(FileNotFoundError):
        read_oracle(tmp_path / "none.pkl")

"""SeqGAN's table: one model in two forms, the frontier by hand, and its rows, goals and picture."""

import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from benchmarks import record
from benchmarks.tables import seqgan, seqgan_models
from benchmarks.tables.seqgan_models import Bounds
from creative_rl.networks import Model, repeat_memory
from creative_rl.ops import token_lstm
from creative_rl.spaces import Discrete


@pytest.mark.parametrize("num", [7, 1500])
def test_a_policy_of_the_model_has_its_logits(num, key):
    """Also where tokens are so many that their weights are looked up."""
    model = token_lstm.normal(key, num, 3, 4)
    network = Model(Discrete(num), num, recurrent="lstm", memory_size=4)
    variables = seqgan_models.to_policy(model)
    tokens = jax.random.randint(key, (2, 5), 0, num, jnp.int32)
    fresh = jax.eval_shape(lambda: network.init(key, jnp.int32(0), network.init_memory()))
    assert jax.tree.map(jnp.shape, fresh) == jax.tree.map(jnp.shape, variables)

    @jax.jit
    def logits(variables):
        before = jnp.pad(tokens[:, :-1], ((0, 0), (1, 0))).T
        memory = repeat_memory(network.init_memory(), 2)
        starts = jnp.zeros(before.shape, jnp.bool_)
        return network.apply(variables, before, starts, memory, method="unroll")[0]

    wanted, _ = jax.jit(token_lstm.unroll)(model, tokens)
    np.testing.assert_allclose(jnp.swapaxes(logits(variables), 0, 1), wanted, rtol=1e-4, atol=1e-4)
    back, _ = jax.jit(token_lstm.unroll)(seqgan_models.from_policy(variables), tokens)
    np.testing.assert_allclose(back, wanted, rtol=1e-4, atol=1e-4)


def test_a_large_space_is_looked_up_with_its_gradient(key):
    def loss(num):
        network = Model(Discrete(num), 3, recurrent="gru", memory_size=2)
        variables = network.init(key, jnp.int32(0), network.init_memory())

        def of(variables):
            return network.apply(variables, jnp.int32(5), network.init_memory())[0].sum()

        return variables, jax.jit(jax.grad(of))(variables)

    variables, gradients = loss(1024)
    kernel = gradients["params"]["cell"]["inputs"]["kernel"]
    assert np.flatnonzero(np.abs(kernel).sum(axis=1)).tolist() == [5]
    assert variables["params"]["cell"]["inputs"]["kernel"].shape == (1024, 6)


def row(nll_test, nll_oracle):
    return {"nll_test": nll_test, "nll_oracle": nll_oracle}


def test_the_frontier_by_hand():
    """NLL_test falls to the second temperature and rises from there."""
    tests = [7.8, 7.6, 7.8, 8.2, 9.0, 10.0]
    oracles = [9.2, 9.0, 8.6, 8.0, 7.4, 6.8]
    found = {
        seqgan.name_of(temperature): row(*pair)
        for temperature, pair in zip(
            seqgan.TEMPERATURES, zip(tests, oracles, strict=True), strict=True
        )
    }
    found["a"] = row(8.2, 7.9)  # where the frontier has 8.0
    found["b"] = row(7.9, 8.6)  # a quarter of the way from 8.6 to 8.0: 8.45
    found["c"] = row(7.0, 8.9)  # before all of it: the best NLL_test has 9.0
    margins = [seqgan.margin(found, name) for name in "abc"]
    np.testing.assert_allclose(margins, [0.1, -0.15, 0.1], atol=0.02)
    assert seqgan.margin(found, "likelihood") == pytest.approx(-0.6, abs=0.02)


def test_limits_are_zero_and_one(key):
    oracle = token_lstm.normal(key, 30, 4, 4)
    limits = seqgan_models.bounds(oracle, key, 200, 6)
    assert limits.floor < limits.uniform
    assert limits.normal(limits.floor) == 0 and limits.normal(limits.uniform) == 1
    tokens = seqgan_models.sampled(oracle, key, 200, 6)
    measured = seqgan_models.measured(oracle, limits, tokens, 3.0)
    assert abs(measured["normalised"]) < 0.3 and 0 < measured["unique"] <= 1
    cold = seqgan_models.at_temperature(oracle, oracle, limits, tokens, key, 200, 0.3)
    assert cold["nll_oracle"] < limits.floor and cold["nll_test"] > limits.floor


def test_the_benchmark_from_its_seeds_to_its_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)

    class Task:
        limits = Bounds(5.0, 11.0)

    def measures(size, task, seed):
        names = ["random", *map(seqgan.name_of, seqgan.TEMPERATURES)]
        found = {n: row(7 + i / 10 + seed / 100, 9 - i / 10) for i, n in enumerate(names)}
        for name in ("SeqGAN", "PPO"):
            found[name] = {**row(7.0, 8.0), "below the frontier": 0.4 - seed}
        return found

    monkeypatch.setattr(seqgan, "make_task", lambda *arguments: Task)
    monkeypatch.setattr(seqgan, "measures", measures)
    seqgan.main(["--quick"])
    assert list(tmp_path.iterdir()) == []
    seqgan.main(["--seeds", "2"])
    found = json.loads((tmp_path / "seqgan.json").read_text())
    by_name = {(line["name"], line["metric"]): line for line in found["rows"]}
    assert by_name["floor", "nll_oracle"]["value"] == 5 and by_name["uniform", "nll_oracle"]
    assert by_name["SeqGAN", "nll_oracle"]["published"] == 8.736
    assert by_name["likelihood", "nll_oracle"]["published"] == 9.038
    assert [goal["reached"] for goal in found["goals"]] == [True, True, False, True]
    assert Image.open(io.BytesIO((tmp_path / "seqgan.png").read_bytes())).size[0] > 500

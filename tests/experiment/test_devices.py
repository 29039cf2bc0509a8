"""The same numbers on one device and on many. Eight virtual devices, in one process of its own."""

import json
import os
import pathlib
import subprocess
import sys

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from experiment.toy_learner import toy_learner
from jax.sharding import PartitionSpec

import creative_rl as crl
from creative_rl import axes
from creative_rl.experiment import devices

HERE = pathlib.Path(__file__).parent
CLOSE = dict(rtol=1e-5, atol=1e-6)
"""Sums are made in another order where environments are divided, or a device has one seed."""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """By name the arrays of every run, and under `said` what else was seen."""
    out = tmp_path_factory.mktemp("devices")
    cache = {
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    done = subprocess.run(
        [sys.executable, HERE / "devices_worker.py", out],
        env={**os.environ, **cache},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = {path.stem: dict(np.load(path)) for path in out.glob("*.npz")}
    return {**runs, "said": json.loads((out / "said.json").read_text())}


def assert_same(one, other, rows=slice(None), **tolerance):
    assert one.keys() == other.keys()
    for name, values in one.items():
        values = values if name.startswith("state") else values[rows]
        if tolerance and np.issubdtype(values.dtype, np.floating):
            np.testing.assert_allclose(values, other[name], err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(values, other[name], err_msg=name)


@pytest.mark.parametrize(
    "name", ["ppo-2", "ppo-4", "ppo-8", "a2c-8", "dqn-8", "seeds-4", "seeds-8"]
)
def test_several_devices_learn_the_same(found, name):
    """Whole numbers, such as states of environments, have the same bits."""
    one = found[name[:-1] + "1"]
    assert one["num_episodes"].sum() > 0
    assert_same(one, found[name], **CLOSE)


def test_seeds_in_pairs_on_several_devices_have_the_same_bits(found):
    """One alone is another program: its products are of matrices, and not of batches of them."""
    assert_same(found["seeds-1"], found["seeds-2"])


@pytest.mark.parametrize("count", [1, 8])
def test_a_run_goes_on_with_another_number_of_devices(found, count):
    assert_same(found["ppo-1"], found[f"resumed-{count}"], rows=slice(2, None), **CLOSE)


def test_what_is_divided_and_what_is_whole(found):
    placed = found["said"]["placed"]
    assert placed == {"stream": [2], "parameters": True, "replay": [16]}
    assert found["said"]["mesh of 6 seeds on 4"] == [2, 2]


def test_seeds_say_nothing_to_each_other_and_gradients_are_summed(found):
    seeds, environments = found["said"]["seeds"][0], found["said"]["environments"][0]
    assert set(seeds) <= {"all-gather"}  # of the metrics, at the end of a call
    assert "all-reduce" in environments


@pytest.mark.parametrize("name", ["seeds", "environments"])
def test_memory_is_that_of_one_device(found, name):
    _, estimate, used = found["said"][name]
    assert 0.4 < estimate / used < 2


def test_what_does_not_divide_is_one_line(found):
    three, nine, six = found["said"]["refused"]
    assert "3 devices cannot share 16 rows (stream/" in three
    assert nine.startswith("train: devices must be at most 8, which is what JAX has here, got 9;")
    assert "3 devices cannot share 16 rows" in six and "of 2 seeds" in six


class Inner(flax.struct.PyTreeNode):
    canvas: jax.Array = flax.struct.field(metadata=axes.PER_ENVIRONMENT)
    step: jax.Array
    size: int = flax.struct.field(pytree_node=False)


class Outer(flax.struct.PyTreeNode):
    policy: dict
    members: Inner = flax.struct.field(metadata=axes.STACKED)
    nothing: None = None


def test_marks_are_found_wherever_they_are():
    inner = Inner(canvas=(0, 1), step=2, size=3)
    specs = axes.partition(Outer(policy={"a": [inner]}, members=inner), is_batched=False)
    deep = specs.policy["a"][0]
    assert deep.canvas == (PartitionSpec("env"),) * 2 and deep.step == PartitionSpec()
    assert deep.size == 3 and specs.nothing is None
    assert specs.members.canvas[0] == PartitionSpec(None, "env")
    specs = axes.partition(Outer(policy={}, members=inner), is_batched=True)
    assert specs.members.canvas[0] == PartitionSpec("population", None, "env")
    assert specs.members.step == PartitionSpec("population", None)


def test_a_learner_without_marks_is_whole_everywhere(key):
    placement = devices.on_mesh(toy_learner(), None, 1)
    assert set(placement.specs) == {PartitionSpec()}


def test_one_device_is_the_plain_path(key):
    learner = toy_learner()
    for count in (None, 1):
        assert devices.place(learner, None, count) is None
    for bad in (0, 2.5, True):
        with pytest.raises(ValueError, match=r"^train: devices must be (at least|a whole)"):
            crl.train(learner, key, 1, devices=bad)
    with pytest.raises(ValueError, match=r"devices must be at most 1, .*'jax_num_cpu_devices', 2"):
        crl.train(learner, key, 1, devices=2)


def test_nothing_is_spread_on_one_device():
    assert axes.num_shares() == 1
    x = jnp.arange(4)
    assert axes.spread(x, axis=0) is x

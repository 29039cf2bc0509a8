"""Two processes on one machine train as one process with two devices does."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from creative_rl.experiment import checkpoint, device_flags, hosts
from creative_rl.experiment.parser import UsageError
from creative_rl.experiment.train_arguments import parse

HERE = pathlib.Path(__file__).parent
WORKER = [sys.executable, str(HERE / "hosts_worker.py")]
COMMAND = [
    *[sys.executable, "-m", "creative_rl.cli", "train", "melody-target-tutorial"],
    *["--learner", "ppo", "--num-envs", "8", "--num-steps", "4", "--num-minibatches", "2"],
    *["--num-epochs", "1", "--hidden-sizes", "4", "--steps", str(30 * 32), "--log", "none"],
]


def address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextlib.contextmanager
def started(*commands):
    """Processes with one device each, killed in the end: SIGTERM does not end them."""
    environment = {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": jax.config.jax_compilation_cache_dir,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        "PYTHONPATH": str(HERE.parents[1]),
    }
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    processes = [subprocess.Popen(command, env=environment, **pipes) for command in commands]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def run_all(*commands):
    """What they print, where all end well."""
    with started(*commands) as processes:
        said = [process.communicate(timeout=120)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(commands), said
    return said


def jobs(command, where, *last):
    return [[*command, where, str(index), *last] for index in range(2)]


def metrics(out):
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The run of two processes, and what they said."""
    out = tmp_path_factory.mktemp("hosts") / "together"
    base = [*COMMAND, "--out", str(out), "--distributed", "--processes", "2", "--coordinator"]
    where = address()
    return out, run_all(*([*base, where, "--process", str(index)] for index in range(2)))


def test_two_processes_learn_as_one_with_two_devices(together, tmp_path):
    out, (first, second) = together
    assert f"completed after 30 updates: {out}" in first and "completed" not in second
    run_all([*COMMAND, "--out", str(tmp_path / "alone"), "--devices", "2"])
    mine, theirs = metrics(out), metrics(tmp_path / "alone")
    assert [record["update"] for record in mine] == list(range(1, 31))
    for record, other in zip(mine, theirs, strict=True):
        assert record.keys() == other.keys()
        for name, value in record.items():
            np.testing.assert_allclose(value, other[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert json.loads((out / "status.json").read_text())["status"] == "completed"
    assert checkpoint.latest_update(out / "checkpoints") == 30


def kill_one(out, at):
    """Start two processes, kill the second when that many updates are logged; the first must end
    too."""
    with started(*jobs([*WORKER, str(out)], address(), "start")) as (first, second):
        deadline = time.monotonic() + 120
        while not (out / "metrics.jsonl").exists() or len(metrics(out)) < at:
            assert first.poll() is None and second.poll() is None, first.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        second.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
        assert first.returncode != 0


@pytest.mark.slow
def test_a_job_that_lost_a_process_goes_on_from_its_checkpoint(together, tmp_path):
    """With the same bits, for it is the same program on as many devices."""
    out = tmp_path / "killed"
    kill_one(out, at=15)
    assert 15 <= len(metrics(out)) < 30 and checkpoint.latest_update(out / "checkpoints") == 10
    run_all(*jobs([*WORKER, str(out)], address(), "resume"))
    assert metrics(out) == metrics(together[0])


@pytest.mark.slow
def test_what_the_first_cannot_do_ends_all_of_them(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with started(*jobs([*WORKER, str(tmp_path / "full")], address(), "start")) as processes:
        said = [process.communicate(timeout=120)[0] for process in processes]
    assert "ValueError" in said[0] and "exists already; choose another --out" in said[0]
    assert "RuntimeError: process 0:" in said[1] and "exists already" in said[1]


def test_alone_nothing_is_asked():
    assert hosts.is_first() and hosts.tell("so") == "so"
    assert hosts.decide(3, True, None) == (3, True, None)
    assert hosts.by_first(lambda: 5) == 5
    with pytest.raises(KeyError):
        hosts.by_first(lambda: {}["lost"])


def test_flags():
    command = ["grid-path", "--learner", "ppo"]
    assert parse(command).where == device_flags.Where()
    assert parse([*command, "--devices", "4"]).where.devices == 4
    job = ["--distributed", "--coordinator", "host:1", "--processes", "2", "--process", "0"]
    where = parse([*command, *job]).where
    assert where.is_job and where.job == ("host:1", 2, 0)
    for flags, words in (
        (["--devices", "0"], "--devices: must be at least 1, got 0"),
        (["--process", "1"], "add --distributed, or leave them out"),
        (["--distributed", "--devices", "2"], "computes on all their devices; leave it out"),
    ):
        with pytest.raises(UsageError, match=words):
            parse([*command, *flags])

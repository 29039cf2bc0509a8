"""The protocol between a benchmark and its processes."""

import os
import time

import pytest

from benchmarks.speed.worker import ROOT, Worker

SERVES = """
import sys, time
from benchmarks.speed import worker
worker.own_the_output()
print("a library that talks on standard output")
def work(number):
    print("and goes on talking")
    time.sleep(0.05)
    return {"steps": number + int(sys.argv[1])}
worker.serve({"who": "me"}, {"work, at large": work})
"""


@pytest.fixture
def start(tmp_path):
    """Starts a worker from its source."""

    def start(source, *arguments, **keywords):
        (tmp_path / "worker_under_test.py").write_text(source)
        path = os.pathsep.join([str(ROOT), str(tmp_path)])
        return Worker("worker_under_test", arguments, environment={"PYTHONPATH": path}, **keywords)

    return start


def test_rounds_are_timed_in_the_worker(start):
    with start(SERVES, "100") as worker:
        assert worker.about == {"who": "me", "units": ["work, at large"]}
        for number in (0, 7):
            begin = time.perf_counter()
            time.sleep(0.3)
            report = worker.run("work, at large", number)
            assert report["steps"] == 100 + number
            waited = time.perf_counter() - begin
            assert 0.05 <= report["seconds"] <= waited - 0.3  # waiting is not measured
            assert report["cpu_seconds"] < report["seconds"]
        assert 5 < worker.stop()["peak_mib"] < 500


def test_a_worker_that_fails_hands_on_its_last_words(start):
    with pytest.raises(RuntimeError, match=r"worker_under_test ended \(1\).*ValueError: too bad"):
        start("raise ValueError('too bad')")


def test_a_worker_that_fails_in_a_round_is_named(start):
    broken = SERVES.replace("time.sleep(0.05)", "raise KeyError('lost')")
    with start(broken, "1") as worker, pytest.raises(RuntimeError, match="KeyError: 'lost'"):
        worker.run("work, at large")


def test_a_worker_that_hangs_is_ended(start):
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match=r"before it answered \(limit 0.5 s\)"):
        start("import time; time.sleep(60)", limit_seconds=0.5)
    assert time.monotonic() - begin < 30


def test_leaving_ends_the_process(start):
    with start(SERVES, "1") as worker:
        process = worker._process
    assert process.poll() is not None

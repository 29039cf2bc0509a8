"""The benchmark of devices: what is compared with what, and its two ends once."""

import pytest

from benchmarks.speed import devices


def report(seconds, loss=0.5):
    return {
        "steps": 100,
        "seconds": seconds,
        "cpu_seconds": 2 * seconds,
        "metrics": {"loss": [loss, loss, loss + 9.0]},
    }


def test_rounds_are_compared_and_the_first_compiles():
    found = {
        unit: {
            0: [report(50.0), report(1.0), report(2.0), report(1.0)],
            1: [report(60.0), report(1.0), report(2.02), report(1.01)],
            2: [report(60.0), report(0.5), report(1.0), report(0.25)],
            8: [report(70.0, loss=0.5 + 2e-6)],
        }
        for unit in devices.UNITS
    }
    rows, goals = devices.summarise(found)
    figures = {(row.name, row.metric): row.value for row in rows}
    assert figures["PPO in melody-theory, plain", "steps/s"] == 100.0
    assert figures["PPO in melody-theory, two devices over plain", "speed ratio"] == 2.0
    assert [goal.reached for goal in goals] == [True] * 3
    assert goals[0].value == pytest.approx(1.01)
    assert goals[2].value == pytest.approx(2e-6)  # the third update does not count


def test_a_worker_steps_on_a_mesh():
    with devices.Worker(devices.WORKER, ["2", "4"]) as worker:
        first = worker.run("stepping")
        assert first["steps"] == 8 * 32 * 4
        assert len(first["metrics"]["reward"]) == 8

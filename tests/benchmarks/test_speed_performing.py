"""Latencies of single events: what is timed, and what is made of the figures."""

import os

import pytest

from benchmarks.speed import performing, performing_worker


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no such choice")
def test_a_worker_takes_one_core(monkeypatch):
    chosen = []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5})
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, cores: chosen.append(cores))
    performing_worker.take_one_core()
    assert chosen == [{3}]


def test_events_are_timed_one_by_one_over_several_pieces(monkeypatch):
    import creative_rl as crl
    from creative_rl.configs import PPOConfig

    env = crl.make("melody-target-tutorial")
    learner = crl.learners.ppo(env, PPOConfig(num_envs=4, hidden_sizes=(4,)))
    monkeypatch.setattr(performing_worker, "performer", lambda task: (env, learner))
    first, found = performing_worker.latencies("a task", 2 * env.horizon + 1)
    assert len(found) == 11 and all(seconds > 0 for seconds in found)
    assert first > 10 * sorted(found)[len(found) // 2]  # the second call compiles nothing


def test_figures_are_milliseconds_and_the_slowest_task_is_asked():
    report = {"latencies": [0.001] * 300 + [0.1], "first": 2.0}
    slower = {"latencies": [0.006] * 100, "first": 3.0}
    rows = performing.rows({"a": report, "b": slower})
    values = {(row.name, row.metric): row.value for row in rows}
    assert values["a", "median latency ms"] == 1.0
    assert values["a", "99th percentile latency ms"] == pytest.approx(1.0)
    assert values["a", "longest latency ms"] == 100.0
    assert values["b", "first event, trace + compile s"] == 3.0
    (goal,) = performing.goals(rows)
    assert goal.value == pytest.approx(6.0) and not goal.reached

"""A trace of updates: what it holds, and that results do not know of it."""

import gzip
import json

import chex
import jax
import numpy as np
import pytest
from experiment.toy_learner import toy_learner

import creative_rl as crl
from creative_rl.experiment.profiling import Profile
from creative_rl.experiment.training import train

QUIET = {"progress": False, "loggers": []}


def test_a_run_is_traced_and_ends_the_same(key, tmp_path):
    """The stages of PPO stand in the trace by their names."""
    config = crl.PPOConfig(num_envs=2, num_steps=4, num_minibatches=1, hidden_sizes=(4,))
    learner = crl.learners.ppo(crl.make("melody-target-tutorial"), config)
    plain = train(learner, key, 8, **QUIET)
    traced = train(learner, key, 8, out=tmp_path, profile=2, **QUIET)
    chex.assert_trees_all_equal(plain.state.variables, traced.state.variables)
    for name, values in plain.metrics.items():
        np.testing.assert_array_equal(values, traced.metrics[name])
    (folder,) = (tmp_path / "profile" / "plugins" / "profile").iterdir()
    with gzip.open(folder / "perfetto_trace.json.gz") as file:
        events = json.load(file)["traceEvents"]
    timed = [event for event in events if event.get("ph") == "X" and "hlo_module" in str(event)]
    assert {event["args"]["hlo_module"] for event in timed} >= {"jit_chunk"}
    assert not any("compile" in event.get("name", "").lower() for event in events)
    (planes,) = folder.glob("*.xplane.pb")
    for stage in (b"collect", b"evaluate", b"learn"):
        assert stage + b"/" in planes.read_bytes()


@pytest.fixture
def tracer(monkeypatch):
    """What was asked of the profiler."""
    asked = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda *_, **__: asked.append("start"))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: asked.append("stop"))
    return asked


def test_tracing_begins_with_the_second_call_and_ends_in_time(tracer, tmp_path, caplog):
    counts = []
    with Profile(tmp_path, 5) as profile:
        for _ in range(4):
            counts.append(profile.before({}, 3))
            tracer.append(counts[-1])
            profile.after({}, counts[-1])
    assert tracer == [3, "start", 3, 2, "stop", 3] and not caplog.records


def test_a_trace_is_written_also_where_the_run_ends_before(tracer, tmp_path, caplog):
    with Profile(tmp_path, 5) as profile:
        for _ in range(2):
            profile.after({}, profile.before({}, 2))
    assert tracer == ["start", "stop"]
    with Profile(tmp_path, 5) as profile:
        profile.after({}, profile.before({}, 2))
    assert tracer == ["start", "stop"]
    assert caplog.messages == [
        "no update was traced: the first call compiles, and there was no other"
    ]


def test_what_cannot_be_traced_is_refused(key, tmp_path):
    with pytest.raises(ValueError, match=r"^train: profile must be at least 1, got 0$"):
        train(toy_learner(), key, 5, out=tmp_path, profile=0, **QUIET)
    with pytest.raises(
        ValueError, match=r"^train: profile is written into out, got out=None; choo"
    ):
        train(toy_learner(), key, 5, profile=2, **QUIET)

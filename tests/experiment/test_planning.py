"""What a run needs is told by its parts, and what would fit, before it is begun."""

import dataclasses
import itertools
import re

import jax
import jax.numpy as jnp
import pytest
from conformance.learner_case import cases
from conformance.test_learners import build

import creative_rl as crl
from creative_rl.experiment import RunSpec, compile_time, memory, plan, planning
from creative_rl.experiment.memory_parts import FIELDS, PARTS, REST, state_parts
from creative_rl.experiment.widths import largest_width

MIB = 2**20
GRID = RunSpec("grid-path", "q_learning", crl.QLearningConfig(num_envs=64))


@pytest.mark.parametrize("name", crl.registry.LEARNERS)
def test_every_field_of_a_state_has_its_part(name):
    """A new field of a learner must be in `FIELDS`, or be a number."""
    case = cases()[name]
    learner = build(name, crl.make(case.task[0], **case.task[1]), case.small)
    state = jax.eval_shape(learner.init, jax.random.key(0))
    for path, leaf in jax.tree.leaves_with_path(state):
        names = [str(getattr(key, "name", getattr(key, "key", ""))) for key in path]
        assert FIELDS.keys() & set(names) or leaf.ndim == 0, names
    assert state_parts(state)[REST] < 64
    assert sum(state_parts(state).values()) == sum(
        leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)
    )


def test_the_parts_of_a_dqn_by_hand():
    config = crl.DQNConfig(num_envs=4, replay_size=1000, batch_size=8, hidden_sizes=(5,))
    learner = crl.learners.dqn(crl.make("melody-target"), config)
    found = memory.parts(learner, num_copies=2)
    assert tuple(found) == memory.PARTS and sum(found.values()) == memory.estimate(
        learner, num_copies=2
    )
    variables = jax.eval_shape(learner.init, jax.random.key(0)).variables
    network = 4 * sum(leaf.size for leaf in jax.tree.leaves(variables))
    assert found["parameters"] == 2 * network  # and the target's
    assert 2 * network <= found["optimiser"] <= 2 * network + 16  # Adam's two means, its counts
    assert 1000 * (1 + 4) < found["replay"] < 1000 * 40
    assert found["saved copies"] == 2 * sum(found[part] for part in PARTS)
    assert min(found.values()) >= 0


def test_a_learner_within_a_learner_is_counted_by_its_own_fields():
    numbers = jnp.zeros(10, jnp.float32)
    state = {
        "members": {"variables": {"replay": numbers}, "opt_state": (numbers, numbers)},
        "weights": numbers[:2],
    }
    found = state_parts(state)
    assert {part: size for part, size in found.items() if size} == {
        "parameters": 40,  # the outermost name decides
        "optimiser": 80,
        "keys and counters": 8,
    }


@pytest.mark.parametrize(
    ("need", "width", "step", "limit", "largest"),
    [
        (lambda n: 1000 + 7 * n, 64, 4, 10_000, 1284),
        (lambda n: 1000 + 7 * n, 4096, 4, 10_000, 1284),  # from above
        (lambda n: 1000 + 7 * n, 64, 1, 10_000, 1285),
        (lambda n: 1000 + 7 * n, 4, 4, 1027, 0),
        (lambda n: 1000 + 7 * n, 4, 4, 1028, 4),
        (lambda n: max(5000, 10 * n), 16, 16, 50_000, 4992),  # flat where it begins
    ],
)
def test_the_largest_width_of_lines(need, width, step, limit, largest):
    assert largest_width(need, width, step, limit) == largest


@pytest.mark.parametrize("width", [8, 512, 65_536])
def test_the_largest_width_of_what_bends(width):
    """Two programs, of which the larger counts, and a square: within a percent, from below."""
    bends = (
        lambda n: max(10_000 + 3 * n, 40 * n),
        lambda n: 100 + n * n // 50,
    )
    for need, limit in itertools.product(bends, (50_000, 1_000_000)):
        calls = []
        found = largest_width(lambda n, c=calls, f=need: c.append(n) or f(n), width, 1, limit)
        best = next(n for n in itertools.count() if need(n + 1) > limit)
        assert need(found) <= limit and found >= 0.97 * best, (found, best)
        assert len(calls) <= 12


def test_a_learner_may_refuse_a_width_that_fits():
    accepts = lambda n: n <= 1000  # noqa: E731
    assert largest_width(lambda n: n, 64, 8, 10**6, accepts) == 1000
    assert largest_width(lambda n: n, 64, 8, 500, accepts) == 496
    assert largest_width(lambda n: n, 1000, 8, 10**6, accepts) == 1000


def test_equations_are_counted_by_hand():
    def program(x):
        x = jax.lax.fori_loop(0, 5, lambda i, x: jnp.sin(x) * 2, x)  # 2, and the loop's index
        x = jax.jit(jnp.cos)(x)  # 1
        return jax.lax.cond(x > 0, lambda x: x + 1, lambda x: -x * 3, x)  # 1 and 2, > and a cast

    assert compile_time.num_equations(jax.make_jaxpr(program)(1.0)) == 9


def test_a_program_twice_as_large_takes_longer():
    chain = lambda num: jax.make_jaxpr(lambda x: [x := jnp.sin(x) for _ in range(num)][-1])(1.0)  # noqa: E731
    small, large = chain(500), chain(1000)
    assert compile_time.num_equations(large) == 1000
    assert 1.2 < compile_time.estimate(large) / compile_time.estimate(small) < 2


def test_a_plan_tells_what_fits():
    found = plan(GRID, available=20 * MIB)
    assert found.fits and found.width_name == "num_envs" and found.width == 64
    found.check()
    config = lambda n: dataclasses.replace(GRID, config=crl.QLearningConfig(num_envs=n))  # noqa: E731
    assert plan(config(found.largest), available=20 * MIB).fits
    assert not plan(config(found.largest * 21 // 20), available=20 * MIB).fits
    words = dict(found.rows())
    assert words["largest num_envs"] == f"{found.largest:,}; asked: 64"
    assert re.fullmatch(r"about \d+ s, by \d+ equations", words["compile time"])
    assert words["free"].startswith("20.0 MiB, of which the run takes ")


def test_what_does_not_fit_is_refused():
    large = dataclasses.replace(GRID, config=crl.QLearningConfig(num_envs=10**6))
    found = plan(large, available=20 * MIB)
    with pytest.raises(ValueError, match=r"but 20\.0 MiB are free, .*; num_envs [\d,]+ would fit"):
        found.check()
    with pytest.raises(ValueError, match=r"too little; most of it is \w+ \(\d\S+ KiB\)"):
        plan(GRID, available=1000).check()


def test_where_memory_is_not_known_all_fits(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    found = plan(GRID)
    assert found.fits and found.largest is None
    found.check()
    assert "free" not in dict(found.rows())


def test_compiling_measures(monkeypatch):
    found = plan(GRID, available=20 * MIB, measure_compile=True)
    assert found.compiled.seconds > 0
    assert found.total == found.compiled.num_bytes + found.parts["saved copies"]
    assert 0.5 < found.total / sum(found.parts.values()) < 2
    assert dict(found.rows())["in all"].startswith("by XLA ")
    half = found.compiled._replace(num_bytes=found.compiled.num_bytes // 2)
    monkeypatch.setattr(planning.compile_time, "compile_it", lambda traced: half)
    again = plan(GRID, available=20 * MIB, measure_compile=True)
    assert 1.8 < again.largest / found.largest < 2.5  # XLA's word counts


def test_a_replay_bounds_the_environments():
    config = crl.DQNConfig(num_envs=16, replay_size=512, batch_size=32)
    found = plan(RunSpec("melody-target-tutorial", "dqn", config), available=2**33)
    assert found.largest == 512
    words = dict(found.rows())
    assert words["largest num_envs"] == "512, the most that the learner takes; asked: 16"


def test_widths_keep_minibatches_even():
    assert planning._step(crl.PPOConfig(num_minibatches=4), 64) == 4
    assert planning._step(crl.PPOConfig(num_minibatches=4), 6) == 6
    assert planning._step(crl.QLearningConfig(), 7) == 1

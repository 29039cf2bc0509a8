"""The need told from shapes is the one that the compiler finds, and what cannot fit is refused."""

import re

import jax
import jax.numpy as jnp
import pytest
from experiment.toy_learner import toy_learner

import creative_rl as crl
from creative_rl.experiment import RunSpec, memory, start
from creative_rl.experiment.chunks import compiled_chunk
from creative_rl.experiment.liveness import peak_bytes
from creative_rl.experiment.training import train

MIB = 2**20


def learner(name, **fields):
    config = {"ppo": crl.PPOConfig, "dqn": crl.DQNConfig}[name](**fields)
    return getattr(crl.learners, name)(crl.make("melody-target"), config)


LEARNERS = {
    "ppo": lambda: learner("ppo", num_envs=128),
    "ppo lstm": lambda: learner("ppo", num_envs=32, recurrent="lstm", memory_size=32),
    "dqn": lambda: learner("dqn", replay_size=500_000),
    "dqn gru": lambda: learner(
        "dqn", num_steps=16, recurrent="gru", batch_size=16, replay_size=1000, memory_size=32
    ),
}


def compiled_bytes(program, *arguments):
    found = program.lower(*arguments).compile().memory_analysis()
    return (
        found.argument_size_in_bytes
        + found.output_size_in_bytes
        - found.alias_size_in_bytes
        + found.temp_size_in_bytes
    )


def traced_bytes(program, *arguments):
    traced = program.trace(*arguments)
    return peak_bytes(traced.jaxpr, [leaf.donated for leaf in jax.tree.leaves(traced.args_info)])


@pytest.mark.parametrize("num_members", [None, 4])
@pytest.mark.parametrize("name", LEARNERS)
def test_the_compiler_finds_about_as_much(name, num_members):
    made = LEARNERS[name]()
    init, update, keys = made.init, made.update, jax.eval_shape(jax.random.key, 0)
    if num_members is not None:
        init, update = jax.vmap(init), jax.vmap(update)
        keys = jax.ShapeDtypeStruct((num_members,), keys.dtype)
    state = jax.eval_shape(init, keys)
    update = jax.jit(update, donate_argnums=0)
    found = compiled_bytes(update, state)
    assert 0.5 < traced_bytes(update, state) / found < 2
    rows = memory.estimate(made, num_members) - traced_bytes(update, state)
    assert -0.1 * found < rows < 9 * MIB  # the metrics of one call


def test_the_whole_program_is_estimated():
    made = learner("ppo", num_envs=512)
    state = jax.eval_shape(made.init, jax.random.key(0))
    chunk = compiled_chunk(made.update, False)
    found = compiled_bytes(chunk, state, jnp.int32(1))
    assert 0.5 < memory.estimate(made) / found < 2
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(jax.jit(made.init)(jax.random.key(0))))
    assert memory.estimate(made, num_copies=3) == memory.estimate(made) + 3 * size


# Programs whose need is counted by hand. `K` numbers of four bytes are 4 KB.
K = 1000


def turns(x):
    """Carries K numbers, stacks K for each of 50 turns, each the product with a K x 10 matrix."""

    def turn(carry, _):
        wide = jnp.tile(carry[:, None], (1, 10))
        return (wide @ jnp.ones((10, 1)))[:, 0], carry

    return jax.lax.scan(turn, x, length=50)


@pytest.mark.parametrize(
    ("function", "donated", "numbers"),
    [
        (lambda x: jnp.sin(x) * 2 + 1, False, 2 * K),  # in and out: nothing between
        (lambda x: jnp.sin(x).sum(), False, K + 1),
        (lambda x: x.reshape(10, -1).reshape(-1), False, K),  # the same buffer
        (lambda x: (jnp.sin(x)[:, None] @ x[None]).sum(0), False, 2 * K + K * K),  # all are whole
        (lambda x: x.at[3].set(1.0), True, K),  # in place
        (lambda x: x.at[3].set(1.0), False, 2 * K),
        (lambda x: (x.at[3].set(1.0), x), True, 2 * K),  # the old one is still asked for
        (lambda x: jnp.sort(jnp.sort(x)), False, 3 * K),
        (lambda x: jax.lax.fori_loop(0, 9, lambda i, y: y.at[i].set(0.0), x), True, K),
        (lambda x: jax.lax.cond(x[0] > 0, jnp.sin, lambda x: jnp.sort(-x), x), False, 3 * K),
        # carry, stack, and in a turn: wide, the vector of ones, the product
        (turns, True, K + 50 * K + 10 * K + 10 + K),
    ],
)  # fmt: skip
def test_counted_by_hand(function, donated, numbers):
    program = jax.jit(function, donate_argnums=0 if donated else ())
    found = traced_bytes(program, jax.ShapeDtypeStruct((K,), jnp.float32)) / 4
    assert abs(found - numbers) <= 4  # indices and predicates


def test_what_vmap_makes_of_a_cond_that_changes_nothing_is_free():
    """Both branches leave the large array as it is, so the selection of it is no copy."""

    def update(x, flag):
        y = jax.lax.cond(flag, lambda x: x[:2] * 2, lambda x: x[:2], x)
        return x, y

    program = jax.jit(jax.vmap(update), donate_argnums=0)
    found = traced_bytes(
        program,
        jax.ShapeDtypeStruct((8, K), jnp.float32),
        jax.ShapeDtypeStruct((8,), jnp.bool_),
    )
    assert found < 4 * 8 * (K + 10)


def test_refuses_and_says_what_fits():
    made = learner("ppo", num_envs=8, num_steps=4)
    limit = 50 * MIB
    with pytest.raises(ValueError) as error:
        memory.check(made, 100_000, limit=limit)
    words = str(error.value)
    assert re.fullmatch(
        r"memory: training 100,000 learners side by side needs about \d\S* GiB, but 50\.0 MiB are "
        r"free, which is \d\S* GiB too little; \d+ would fit",
        words,
    ), words
    fitting = int(words.split()[-3])
    assert memory.estimate(made, fitting) <= limit < memory.estimate(made, fitting * 3 // 2)
    memory.check(made, fitting, limit=limit)


def test_one_that_is_too_large_names_its_largest_part():
    made = learner("dqn", replay_size=10**9)
    held = jax.live_arrays()  # kept, so that none of other tests' goes in between
    with pytest.raises(ValueError, match=r"training needs about \d+\.\d GiB, but 1.00 GiB are fr"):
        memory.check(made, limit=2**30)
    with pytest.raises(ValueError, match=r"make the state's replay/\S+ \(\d+\.\d+ GiB\) smaller"):
        memory.check(made, 3, limit=2**30)
    assert len(jax.live_arrays()) == len(held)


def test_where_nothing_is_known_all_fits(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    memory.check(learner("dqn", replay_size=10**9))


def test_no_members_are_refused():
    with pytest.raises(ValueError, match="num_members must be at least 1, got 0"):
        memory.estimate(toy_learner(), 0)


def test_training_refuses_before_it_makes_anything(monkeypatch, tmp_path, key):
    monkeypatch.setattr(memory, "available_bytes", lambda: 9 * MIB)
    made = learner("ppo", num_envs=4, num_steps=4)
    with pytest.raises(ValueError, match="1,000,000 learners side by side needs about"):
        train(made, key, 1, num_seeds=1_000_000, out=tmp_path / "run", progress=False)
    spec = RunSpec("melody-target", "dqn", crl.DQNConfig(replay_size=10**9), num_updates=1)
    with pytest.raises(ValueError, match="replay"):
        start(spec, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
    result = train(toy_learner(), key, 1, check_memory=False, progress=False)
    assert result.status == "completed"


def test_the_machines_memory_and_the_groups(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_ROOT", tmp_path)
    if jax.default_backend() != "cpu":
        pytest.skip("an accelerator tells itself")
    assert memory.available_bytes() is None
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 900 kB\nMemAvailable:     600 kB\n")
    assert memory.available_bytes() == 600 * 1024
    (tmp_path / "proc/self/cgroup").write_text("0::/jobs/mine\n")
    group = tmp_path / "sys/fs/cgroup/jobs"
    (group / "mine").mkdir(parents=True)
    (group / "memory.max").write_text("500000\n")
    (group / "memory.current").write_text("300000\n")
    (group / "memory.stat").write_text("anon 200000\ninactive_file 40000\n")
    (group / "mine/memory.max").write_text("max\n")
    assert memory.available_bytes() == 240_000  # that of the group which it is in
    (tmp_path / "proc/self/cgroup").write_text("3:cpu:/\n2:memory:/mine\n0::/elsewhere\n")
    group = tmp_path / "sys/fs/cgroup/memory/mine"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("90000\n")
    (group / "memory.usage_in_bytes").write_text("95000\n")
    (group / "memory.stat").write_text("total_inactive_file 1000\n")
    assert memory.available_bytes() == 0  # and not less


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (2**20, "1.00 MiB"), (150 * 2**30, "150 GiB")]
)
def test_sizes_are_shown_with_three_digits(size, text):
    assert memory.shown(size) == text

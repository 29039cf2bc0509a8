"""Sweeps from their file to their tables: planned, trained in groups, gone on with, told."""

import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.cli import main
from creative_rl.experiment import memory, open_run, resume
from creative_rl.experiment.opening import load_states
from creative_rl.experiment.records import final, read_records
from creative_rl.experiment.sweeping import driver, file, groups, tables, training, workers
from creative_rl.experiment.sweeping import results as trial_results
from creative_rl.experiment.sweeping.results import read_result

BASE = """
seeds = 2
[base]
environment = "grid-path"
learner = "q_learning"
steps = 960
num_envs = 4
env.size = 3
"""
GRID = BASE + "[space]\nlearning_rate = [0.1, 0.5]\nweights.goal = [1, 2]\n"


def sweep(path, text, out=None, **options):
    path.mkdir(parents=True, exist_ok=True)
    (path / "mine.toml").write_text(text)
    found = file.read(path / "mine.toml", **options)
    return driver.Sweep(found, out or path / "out", say=lambda line: None)


def run(path, text, worker=workers.here, **options):
    made = sweep(path, text, **options)
    assert made.run(worker) is None
    return made


def counted(calls):
    """`workers.here`, that notes the trials of every group."""

    def work(found, tell):
        calls.extend(group.job.ids for group in found)
        return workers.here(found, tell)

    return work


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return run(tmp_path_factory.mktemp("grid"), GRID)


def by_point(made, **point):
    (found,) = [t for t in made.known.values() if dict(t.point) == {**point}]
    return made.out / "trials" / found.id


def test_trials_that_differ_in_numbers_are_one_group(tmp_path):
    text = GRID.replace("[space]", "[space]\nnum_envs = [2, 4]\nenv.size = [3, 4]")
    made = sweep(tmp_path, text)
    found, _ = made._first()
    assert len(found) == 16
    members = groups.grouped(found)
    assert [len(group) for group in members] == [4, 4, 4, 4]
    for group in members:
        statics = {(t.spec.config.num_envs, t.spec.env_overrides["size"]) for t in group}
        assert len(statics) == 1


def test_a_trial_learns_as_it_does_alone_and_its_folder_is_a_run(grid):
    path = by_point(grid, **{"learning_rate": 0.5, "weights.goal": 2.0})
    opened = open_run(path)
    spec = opened.run.spec
    assert (spec.config.learning_rate, dict(spec.weights)) == (0.5, {"goal": 2.0})
    assert (spec.num_updates, spec.num_seeds) == (15, 2)
    keys = jax.vmap(jax.random.key)(np.arange(2, dtype=np.uint32))
    alone = crl.train(opened.learner, keys, 15, progress=False)
    states = load_states(opened)
    np.testing.assert_allclose(states.table, alone.state.table, rtol=1e-5, atol=1e-6)
    losses = np.array([record["loss"] for record in read_records(path / "metrics.jsonl")])
    np.testing.assert_allclose(losses, alone.metrics["loss"], rtol=1e-4)
    assert resume(path, progress=False, loggers=[])[1] is None  # nothing is left to do
    assert opened.run.status == {"status": "completed", "num_updates": 15}


def test_what_is_trained_never_runs_twice_and_more_is_added(grid, tmp_path):
    calls = []
    text = GRID.replace("0.1, 0.5", "0.5, 0.9, 0.1")
    before = {path: path.stat().st_mtime_ns for path in grid.out.glob("trials/*/result.json")}
    assert len(before) == 4
    more = run(grid.out.parent, text, counted(calls), out=grid.out)
    assert [len(ids) for ids in calls] == [2]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(tables.result_rows(more.out)) == 6 * 2
    assert not (more.out / "groups").exists()
    calls.clear()
    (more.out / "plan.json").unlink(missing_ok=True)
    (more.out / "sweep.json").unlink()  # as its message says, where it is damaged
    run(grid.out.parent, text, counted(calls), out=grid.out)
    assert calls == []


def test_tables_are_read_by_pandas_and_duckdb(grid):
    pandas, duckdb = pytest.importorskip("pandas"), pytest.importorskip("duckdb")
    rows = tables.result_rows(grid.out)
    frame = pandas.read_csv(grid.out / "results.csv")
    assert len(frame) == len(rows) and set(frame.status) == {"completed"}
    assert {"param_learning_rate", "param_weights_goal", "seed", "score", "loss"} <= set(frame)
    found = duckdb.sql(
        "select param_learning_rate, avg(loss) from "
        f"'{grid.out}/results.parquet' group by all order by 1"
    ).fetchall()
    for rate, loss in found:
        own = [row["loss"] for row in rows if row["param_learning_rate"] == rate]
        assert loss == pytest.approx(np.mean(own))
    curve = duckdb.sql(
        f"select count(*), max(steps), min(update) from '{grid.out}/curves.parquet'"
    ).fetchall()
    assert curve == [(len(rows) * 15, 960, 1)]
    last = read_records(grid.out / "trials" / rows[0]["trial"] / "metrics.jsonl")
    assert rows[0]["loss"] == pytest.approx(final(last)["loss"][rows[0]["seed"]])


def test_the_last_tenth_counts_over_episodes():
    records = [
        {"update": 10, "steps": 10, "seconds": 0.0, "loss": [9.0, 9.0], "num_episodes": [1, 1]},
        {
            "update": 19, "steps": 19, "seconds": 0.0, "loss": [1.0, 2.0],
            "num_episodes": [3, 0], "episode_return": [2.0, None],
        },
        {
            "update": 20, "steps": 20, "seconds": 0.0, "loss": [11.0, 12.0],
            "num_episodes": [1, 0], "episode_return": [6.0, None],
        },
    ]  # fmt: skip
    found = final(records)
    # The second record sums up nine updates, of which it does not tell the last one apart.
    assert found["loss"] == [2.0, 3.0]
    assert found["episode_return"][0] == 3.0 and np.isnan(found["episode_return"][1])
    assert final([]) == {}


def test_the_plan_tells_groups_memory_and_time(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(GRID)
    assert main(["sweep", str(path), "--out", str(tmp_path / "out"), "--plan"]) == 0
    told = capsys.readouterr().out
    assert "mine: 4 trials, 4 to train in 1 group, a program each" in told
    assert "KiB" in told or "MiB" in told
    assert "about" in told and "one after another" in told
    assert not (tmp_path / "out" / "trials").exists()
    (measured,) = json.loads((tmp_path / "out" / "plan.json").read_text()).values()
    assert all(seconds > 0 for seconds in measured)
    again = sweep(tmp_path, GRID)
    (group,) = again.plan()  # without another probe
    assert [group.compile_seconds, group.update_seconds] == measured
    assert group.seconds == pytest.approx(measured[0] + 15 * measured[1])


def test_a_group_that_does_not_fit_is_cut(tmp_path, monkeypatch):
    made = sweep(tmp_path, GRID)
    chosen, stretch = made._first()
    (whole,), _ = groups.plan(chosen, "out", stretch)
    monkeypatch.setattr(memory, "available_bytes", lambda: int(0.7 * whole.memory_bytes))
    monkeypatch.setattr(
        memory, "estimate", lambda *a, **k: whole.memory_bytes * a[1] // len(whole.built.keys)
    )
    parts, errors = groups.plan(chosen, "out", stretch)
    assert [len(part.job.ids) for part in parts] == [2, 2] and errors == {}
    assert [id for part in parts for id in part.job.ids] == list(whole.job.ids)
    made.num_workers = 2  # each has half of that, and one trial fits
    assert [len(part.job.ids) for part in made._groups(chosen, stretch)[0]] == [1, 1, 1, 1]


def test_broken_trials_are_told_and_the_rest_goes_on(tmp_path, capsys, monkeypatch):
    text = BASE + "[space]\nenv.size = [1, 3, 4]\nlearning_rate = [0.5]\n"
    path = tmp_path / "mine.toml"
    path.write_text(text)
    trained = training.train

    def train(learner, keys, *arguments, **options):
        if jax.eval_shape(learner.init, keys[0]).inner.table.shape[0] == 16:
            raise MemoryError("no room\nfor this")
        return trained(learner, keys, *arguments, **options)

    monkeypatch.setattr(training, "train", train)
    out = tmp_path / "out"
    assert main(["sweep", str(path), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "cannot run: grid-path-q_learning (env.size 1, learning_rate 0.5): " in told
    rows = {row["param_env_size"]: row for row in tables.result_rows(out)}
    assert [rows[size]["status"] for size in (1, 3, 4)] == ["refused", "completed", "failed"]
    assert "size must be a whole number in 2..64, got 1" in rows[1]["error"]
    assert rows[4]["error"] == "MemoryError: no room for this"
    assert rows[3]["score"] is not None and rows[4]["score"] is None
    assert "failed: MemoryError: no room for this" in told and "refused: " in told
    monkeypatch.undo()
    calls = []
    run(tmp_path, text, counted(calls))  # what failed is tried again, what is refused is not
    assert [len(ids) for ids in calls] == [1]
    assert [row["status"] for row in tables.result_rows(out)][-1] == "completed"


def test_where_no_trial_can_run_it_is_told_and_the_code_is_1(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(BASE + "[space]\nenv.size = [1]\n")
    command = ["sweep", str(path), "--out", str(tmp_path / "out")]
    assert main([*command, "--plan"]) == 1
    told, error = capsys.readouterr()
    assert "mine: 1 trial, none can run\n  cannot run: grid-path-q_learning (env.size 1)" in told
    words = "no trial can run, 1 trial asked for; mend what is told above"
    assert error == f"creative-rl: error: {path}: {words}\n"
    assert main(command) == 1
    assert "refused: " in capsys.readouterr().out


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"a": 1}', b'{"a": [1.0, null]}'])
def test_a_damaged_plan_is_one_line(tmp_path, data):
    made = sweep(tmp_path, GRID)
    made.out.mkdir()
    (made.out / "plan.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"cannot read .*plan\.json \(.+\); remove it") as error:
        made._measures()
    assert "\n" not in str(error.value)
    (made.out / "plan.json").write_text('{"a": [1.5, 0.25]}')
    assert made._measures() == {"a": [1.5, 0.25]}


def test_an_unknown_metric_is_refused_before_training(tmp_path):
    made = run(tmp_path, GRID.replace("seeds = 2", "seeds = 2\nmetric = 'episode_retrun'"))
    rows = tables.result_rows(made.out)
    assert {row["status"] for row in rows} == {"failed"}
    assert "unknown metric 'episode_retrun'; did you mean episode_return" in rows[0]["error"]


def test_members_that_diverge_are_told(tmp_path, monkeypatch):
    text = BASE + "[space]\ngamma = [0.5, 0.9]\n"
    factory = crl.learners.q_learning

    def fragile(env, config, params=None):
        learner = factory(env, config, params)

        def update(state):
            state, metrics = learner.update(state)
            bad = (config.gamma > 0.7) & (state.num_updates > 5)
            return state, metrics | {"loss": jax.numpy.where(bad, jax.numpy.nan, metrics["loss"])}

        return learner._replace(update=update)

    module = sys.modules["creative_rl.learners.q_learning"]
    monkeypatch.setattr(module, "q_learning", fragile)
    made = run(tmp_path, text)
    rows = tables.result_rows(made.out)
    assert [row["status"] for row in rows] == ["completed"] * 2 + ["diverged"] * 2
    assert rows[2]["error"] == "no seed stayed finite" and rows[2]["score"] is None
    assert rows[0]["score"] is not None


HALVING = (
    """
search = "halving"
num_trials = 4
eta = 2
rungs = 2
metric = "loss"
direction = "min"
"""
    + BASE.replace("seeds = 2", "seeds = 1")
    + "[space]\nlearning_rate = {low = 0.1, high = 0.9}\n"
)


def test_halving_goes_on_with_the_better_half(tmp_path):
    calls = []
    made = run(tmp_path, HALVING, counted(calls))
    assert [len(ids) for ids in calls] == [4, 2]
    results = {id: read_result(made.out, id) for id in calls[0]}
    for ids, survivors in itertools.pairwise(calls):
        rung = calls.index(ids)
        scores = {id: results[id]["history"][rung]["final"]["loss"][0] for id in ids}
        assert set(survivors) == set(sorted(ids, key=scores.get)[: len(ids) // 2])
    best = calls[-1][0]
    assert [entry["num_updates"] for entry in results[best]["history"]] == [8, 15]
    # It has learned what it would have learned at once, and it is a run like any other.
    opened = open_run(made.out / "trials" / best)
    alone = crl.train(
        opened.learner, jax.vmap(jax.random.key)(np.zeros(1, np.uint32)), 15, progress=False
    )
    np.testing.assert_allclose(load_states(opened).table, alone.state.table, rtol=1e-5, atol=1e-6)
    updates = [row["update"] for row in read_records(opened.run.path / "metrics.jsonl")]
    assert updates == list(range(1, 16))
    rows = tables.result_rows(made.out)
    assert sorted(row["status"] for row in rows) == ["completed"] * 2 + ["stopped"] * 2
    calls.clear()
    run(tmp_path, HALVING, counted(calls))
    assert calls == []
    stopped = next(row["trial"] for row in rows if row["status"] == "stopped")
    _, went_on = resume(made.out / "trials" / stopped, progress=False, loggers=[])
    assert went_on.num_updates == 15  # by hand, after all
    found = read_result(made.out, stopped)
    last = read_records(made.out / "trials" / stopped / "metrics.jsonl")
    assert [entry["num_updates"] for entry in found["history"]] == [8, 15]
    assert found["history"][0] == results[stopped]["history"][0]
    assert found["history"][1]["final"] == trial_results.finals(last, [False])
    assert found["steps"] == last[-1]["steps"]
    assert (found["status"], found["num_updates"]) == ("completed", 15)
    run(tmp_path, HALVING, counted(calls))
    assert calls == []
    assert sorted(row["status"] for row in tables.result_rows(made.out)) == ["completed"] * 3 + [
        "stopped"
    ]


def test_a_trial_has_the_steps_of_its_sweep_and_a_copy_has_its_own(grid, tmp_path):
    path = by_point(grid, **{"learning_rate": 0.5, "weights.goal": 2.0})
    before = {file: file.read_bytes() for file in path.glob("*.json*")}
    words = "is a trial of a sweep, whose file says 960 steps for all of them, got --steps 1280;"
    with pytest.raises(ValueError, match=words):
        resume(path, total_steps=1280, progress=False, loggers=[])
    assert {file: file.read_bytes() for file in path.glob("*.json*")} == before
    assert resume(path, total_steps=960, progress=False, loggers=[])[1] is None
    shutil.copytree(path, tmp_path / "copy")
    _, went_on = resume(tmp_path / "copy", total_steps=1280, progress=False, loggers=[])
    assert went_on.num_updates == 20


def test_a_trial_that_diverges_by_hand_says_so(grid, tmp_path):
    shutil.copytree(grid.out, tmp_path / "out")
    id = by_point(grid, **{"learning_rate": 0.5, "weights.goal": 2.0}).name
    trial_results.rewrite(tmp_path / "out" / "trials" / id, 2, "diverged", "loss is not finite")
    found = read_result(tmp_path / "out", id)
    assert (found["status"], found["error"]) == ("diverged", "loss is not finite")
    rows = [row for row in tables.result_rows(tmp_path / "out") if row["trial"] == id]
    assert [row["score"] for row in rows] == [None, None] and found["diverged"] == [True, True]


def test_halving_needs_an_update_in_its_first_rung(tmp_path):
    made = sweep(tmp_path, HALVING.replace("rungs = 2", "rungs = 5"))
    found, errors = made._groups(*made._first())
    assert found == [] and len(errors) == 4
    assert {words.partition(",")[0] for words in errors.values()} == {
        "rungs: the first trains for one in 16 of 15 updates"
    }


def test_optuna_is_asked_and_told(tmp_path):
    optuna = pytest.importorskip("optuna")
    text = f"""
search = "optuna"
num_trials = 5
batch = 3
metric = "loss"
direction = "min"
{BASE}
[space]
learning_rate = {{low = 0.1, high = 0.9}}
"""
    made = sweep(tmp_path, text)

    def stopped(found, tell):
        return signal.SIGTERM

    assert made.run(stopped) == signal.SIGTERM
    calls = []
    made = run(tmp_path, text, counted(calls))
    asked = [id for ids in calls for id in ids]
    assert len(asked) == len(set(asked)) == 5  # the first three are those asked for before
    backend = optuna.storages.journal.JournalFileBackend(str(made.out / "optuna.log"))
    study = optuna.load_study(
        study_name="grid-path-q_learning", storage=optuna.storages.JournalStorage(backend)
    )
    assert {t.state.name for t in study.trials} == {"COMPLETE"} and len(study.trials) == 5
    rows = tables.result_rows(made.out)
    for trial in study.trials:
        own = [
            r["score"] for r in rows if r["param_learning_rate"] == trial.params["learning_rate"]
        ]
        assert trial.value == pytest.approx(np.mean(own))


def test_a_folder_is_of_one_sweep(grid, tmp_path):
    (tmp_path / "other.toml").write_text(GRID)
    with pytest.raises(ValueError, match="holds the sweep mine with budget None, not other"):
        driver.Sweep(file.read(tmp_path / "other.toml"), grid.out)
    with pytest.raises(ValueError, match="exists already and is no sweep; choose another --out"):
        driver.Sweep(file.read(tmp_path / "other.toml"), tmp_path)
    with pytest.raises(ValueError, match="is no sweep; start one with: creative-rl sweep"):
        tables.read_about(tmp_path)


TWO = (
    BASE
    + """
[space]
learning_rate = [0.1, 0.5]
[[tasks]]
name = "short"
[[tasks]]
name = "long"
steps = 600_000
"""
)


def environment():
    """Of processes that share this one's compiled programs and source."""
    root = pathlib.Path(crl.__file__).parents[1]
    return {
        **os.environ,
        "PYTHONPATH": str(root),
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }


def wait_for(what, process):
    for _ in range(600):
        if found := what():
            return found
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("it did not come")


@pytest.mark.parametrize(
    ("number", "num_workers"),
    [(signal.SIGKILL, 1), pytest.param(signal.SIGTERM, 2, marks=pytest.mark.slow)],
)
def test_a_driver_that_is_stopped_goes_on_where_it_was(number, num_workers, tmp_path):
    (tmp_path / "mine.toml").write_text(TWO)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "creative_rl.cli", "sweep", str(tmp_path / "mine.toml")]
    command += ["--out", str(out), "--workers", str(num_workers)]
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    results, rows = out / "trials", out / "groups"
    wait_for(lambda: len(list(results.glob("*/result.json"))) == 2, process)
    wait_for(lambda: [p for p in rows.glob("*/metrics.jsonl") if p.stat().st_size], process)
    process.send_signal(number)
    told, errors = process.communicate(timeout=60)
    before = {path: path.stat().st_mtime_ns for path in results.glob("*/result.json")}
    assert len(before) == 2
    if number == signal.SIGTERM:
        assert process.returncode == 128 + number, errors
        assert "the same command goes on where it was" in told
        saved = [int(p.name) for p in rows.glob("*/checkpoints/*") if p.name.isdigit()]
        assert max(saved) > 1
    calls = []
    made = run(tmp_path, TWO, counted(calls))
    assert [len(ids) for ids in calls] == [2]  # the long one
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {row["status"] for row in tables.result_rows(made.out)} == {"completed"}
    trial = made.out / "trials" / calls[0][0]
    updates = [row["update"] for row in read_records(trial / "metrics.jsonl")]
    assert updates == sorted(set(updates)) and updates[-1] == 600_000 // 64


def test_a_worker_that_is_killed_begins_again_and_then_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", environment())
    spawned = []
    spawn = workers._spawn

    def killed(job):
        process = spawn(job)
        spawned.append(process)
        if len(spawned) == 1:
            process.kill()
        return process

    monkeypatch.setattr(workers, "_spawn", killed)
    made = run(tmp_path / "one", GRID, workers.processes(2))
    assert len(spawned) == 2
    assert {row["status"] for row in tables.result_rows(made.out)} == {"completed"}

    def always_killed(job):
        process = spawn(job)
        process.kill()
        return process

    monkeypatch.setattr(workers, "_spawn", always_killed)
    made = run(tmp_path / "two", GRID, workers.processes(1))
    rows = tables.result_rows(made.out)
    assert {row["status"] for row in rows} == {"failed"}
    assert "its process ended 4 times, last with -9" in rows[0]["error"]


@pytest.mark.slow  # most of it is Ray's start
def test_ray_trains_groups_as_tasks(tmp_path, monkeypatch):
    pytest.importorskip("ray")
    code = """
import sys
from creative_rl.experiment.sweeping import driver, file, workers
import os
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
made = driver.Sweep(file.read(sys.argv[1]), sys.argv[2])
assert made.run(workers.on_ray("auto")) is None
ray.shutdown()
"""
    (tmp_path / "mine.toml").write_text(GRID)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "mine.toml"), str(tmp_path / "out")],
        env=environment(), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert {row["status"] for row in tables.result_rows(tmp_path / "out")} == {"completed"}

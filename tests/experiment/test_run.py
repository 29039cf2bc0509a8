"""The run directory is made whole or not at all, and says what it cannot be."""

import json

import pytest

from creative_rl.experiment.lock import lock
from creative_rl.experiment.run import Run, default_path
from creative_rl.experiment.spec import RunSpec

SPEC = RunSpec("melody-target", "ppo")


def test_create_and_open(tmp_path):
    out = tmp_path / "deep" / "run"
    run = Run.create(SPEC, 3, out)
    again = Run.open(out)
    assert (again.spec, again.config) == (SPEC, run.config)
    assert list(out.parent.iterdir()) == [out] and [p.name for p in out.iterdir()] == [
        "config.json"
    ]
    config = json.loads((out / "config.json").read_text())
    assert config["hash"] == SPEC.hash and config["environment"] == {
        "id": "melody-target",
        "version": 3,
    }
    assert {"python", "jax", "jaxlib", "flax", "optax", "numpy", "creative_rl"} <= {
        *config["versions"]
    }
    assert config["device"] and config["created"].endswith("+00:00") and "commit" in config


def test_default_path_names_what_is_run():
    name = default_path(RunSpec("some.package:Thing", "ppo")).name
    assert name.startswith("some.package_Thing-ppo-") and len(name.split("-")[-1]) == 6


def test_existing_directory_is_refused_and_kept(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for taken in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ValueError, match=r"exists already; choose another --out$"):
            Run.create(SPEC, 1, taken)
    with pytest.raises(ValueError, match="cannot make a run directory"):
        Run.create(SPEC, 1, tmp_path / "notes.txt" / "run")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "empty").mkdir()
    Run.create(SPEC, 1, tmp_path / "empty")
    with pytest.raises(ValueError, match=r"exists already; choose another --out, or .* resume"):
        Run.create(SPEC, 1, tmp_path / "empty")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"cannot be read \(Expecting .*\); put a copy back, or start a new run"),
        ("[1]", r"cannot be read \(it must hold an object\); put a copy back"),
        ('{"spec": {}}', r"config\.json lacks format, hash, environment, versions; put a copy"),
        ('{"format": 99}', "is a run of format 99, this creative_rl reads format 1"),
    ],
)
def test_what_is_no_run(tmp_path, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        Run.open(tmp_path)
    assert "\n" not in str(error.value)


def test_missing(tmp_path):
    with pytest.raises(ValueError, match="there is no run"):
        Run.open(tmp_path / "none")
    with pytest.raises(ValueError, match=r"it has no config\.json"):
        Run.open(tmp_path)


def test_another_environment_version(tmp_path):
    run = Run.create(SPEC, 1, tmp_path / "run")
    run.check_environment(1)
    with pytest.raises(ValueError, match="version 1 of melody-target, this is version 2"):
        run.check_environment(2)


def test_damaged_spec_names_the_file(tmp_path):
    run = Run.create(SPEC, 1, tmp_path / "run")
    config = run.config | {"spec": run.config["spec"] | {"learner": "pppo"}}
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: unknown learner 'pppo'"):
        _ = Run.open(run.path).spec


def test_damaged_status_names_the_file(tmp_path):
    run = Run.create(SPEC, 1, tmp_path / "run")
    assert run.status == {}
    (run.path / "status.json").write_text("[]")
    with pytest.raises(ValueError, match=r"status\.json cannot be read .*object\); remove it"):
        _ = run.status


def test_lock_is_for_one_and_is_let_go(tmp_path):
    with lock(tmp_path), pytest.raises(RuntimeError, match="in use by process"), lock(tmp_path):
        pass
    with lock(tmp_path):
        pass
    (tmp_path / "lock").write_text("999999")  # left by a process that was killed
    with lock(tmp_path):
        pass

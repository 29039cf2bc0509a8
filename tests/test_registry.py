import dataclasses
import inspect
import re
import subprocess
import sys

import pytest

import creative_rl as crl
from creative_rl import learners, registry
from creative_rl.environment import Environment
from creative_rl.typing import Learner


@pytest.fixture
def clean_registry(monkeypatch):
    monkeypatch.setattr(registry.lookup, "_registered", {})


@pytest.mark.parametrize("id", sorted(registry.ENVIRONMENTS))
def test_every_id_makes_an_environment_with_a_specs_table(id):
    env = crl.make(id)
    assert isinstance(env, Environment) and crl.make(id) == env
    table = [line.strip() for line in type(env).__doc__.splitlines() if line.strip()[:1] == "|"]
    cells = {row.split("|")[1].strip(): row.split("|")[2].strip() for row in table}
    assert f"`{id}`" in cells["id"]
    assert cells["version"] == str(env.version)
    for needed in ("observation", "action", "horizon", "termination"):
        assert cells[needed]
    everything = "\n".join(table)
    for term in env.terms:
        assert f"`{term.name}`" in everything, f"{id}: the table leaves out {term.name}"


@pytest.mark.parametrize("id", sorted(registry.ENVIRONMENTS))
def test_every_keyword_of_a_variant_is_a_field(id):
    entry = registry.ENVIRONMENTS[id]
    names = {field.name for field in dataclasses.fields(registry.load(entry.target))}
    assert set(entry.keywords) <= names
    assert entry.summary and not entry.summary.endswith(".")


@pytest.mark.parametrize("name", sorted(registry.LEARNERS))
def test_every_learner_has_a_factory_and_a_config(name):
    entry = registry.learner_entry(name)
    assert callable(registry.load(entry.target))
    assert dataclasses.is_dataclass(registry.load(entry.config))
    factory = registry.load(entry.target)
    assert factory.__annotations__["return"] is Learner
    parameters = inspect.signature(factory).parameters
    assert entry.takes_prior == ("prior_variables" in parameters)
    assert entry.needs_corpus == ("sequences" in parameters) == ("params" not in parameters)
    assert entry.takes_corpus == (entry.needs_corpus or "examples" in parameters)
    assert name in learners.__all__ and getattr(learners, name) is factory
    config = registry.load(entry.config)
    assert getattr(crl, config.__name__) is getattr(crl.configs, config.__name__) is config


def test_no_learner_is_offered_that_has_no_row():
    # What is built around learners, and what reads their states, has none.
    around = ["demonstrate", "elite_works", "ensemble", "music_codec", "of_members", "rule_policy"]
    around.append("sequence_model")
    assert learners.__all__ == sorted([*registry.LEARNERS, *around])


def test_keywords_override_the_variant():
    assert crl.make("melody-target-tutorial").num_pitches == 4
    assert crl.make("melody-target-tutorial", num_pitches=5).num_pitches == 5


def test_unknown_ids_name_the_near_ones():
    with pytest.raises(ValueError, match=r"unknown environment 'melody-theroy'; did you mean .*th"):
        crl.make("melody-theroy")
    with pytest.raises(ValueError, match=r"unknown environment 'zzz'; known: .*melody-variety\b"):
        crl.make("zzz")
    with pytest.raises(ValueError, match=r"unknown learner 'pppo'; did you mean ppo"):
        registry.learner_entry("pppo")


@pytest.mark.parametrize("id", ["CartPole-v1", "Breakout-MinAtar", "Catch-bsuite"])
def test_ids_of_gymnax_name_the_way_from_there(id):
    line = rf"unknown environment '{id}'.*; .*interop\.from_gymnax"
    for refused in (crl.make, lambda id: crl.experiment.RunSpec(id, "ppo")):
        with pytest.raises(ValueError, match=line):
            refused(id)


def test_unknown_fields_name_the_near_ones():
    with pytest.raises(ValueError, match=r"melody-theory: unknown field 'lenght'; did you mean le"):
        crl.make("melody-theory", lenght=16)


def test_a_path_names_anybodys_environment():
    env = crl.make("creative_rl.envs.melody:TargetMelody", length=3)
    assert env == crl.make("melody-target", length=3)


@pytest.mark.parametrize("target", ["no_such_package.envs:Env", "creative_rl.envs.melody:Nothing"])
def test_paths_to_nothing_are_one_clear_line(target):
    with pytest.raises(ValueError, match=rf"cannot load '{target}' \(.*\); write it as"):
        crl.make(target)


def test_register(clean_registry):
    crl.register("mine", lambda **keywords: keywords)
    assert "mine" in crl.environment_ids()
    assert crl.make("mine", size=3) == {"size": 3}


@pytest.mark.parametrize("id", ["", "a:b"])
def test_register_refuses_empty_ids_and_paths(clean_registry, id):
    with pytest.raises(ValueError, match=re.escape(f"non-empty and without ':', got {id!r}")):
        crl.register(id, dict)


def test_register_never_replaces(clean_registry):
    crl.register("mine", dict)
    for id in ("mine", "melody-theory"):
        with pytest.raises(ValueError, match=f"'{id}' is registered already"):
            crl.register(id, list)
    assert crl.make("mine") == {}


def test_the_tables_are_read_without_jax():
    code = (
        "import sys, creative_rl.registry, creative_rl.configs;"
        "creative_rl.registry.environment_ids(); creative_rl.configs.PPOConfig();"
        "print([name for name in ('jax', 'flax', 'numpy', 'optax') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr

"""A spec survives JSON, and refuses what is not one."""

import dataclasses
import json

import pytest

from creative_rl import configs
from creative_rl.experiment.spec import RunSpec

SPECS = [
    RunSpec("melody-theory", "dqn"),
    RunSpec(
        "melody-target",
        "ppo",
        configs.PPOConfig(hidden_sizes=(8, 16), recurrent="gru", gamma=0.5),
        {"target": (0, 1), "length": 2},
        seed=3,
        num_seeds=4,
        num_updates=7,
        prior="runs/prior",
        prior_weight=0.25,
        prior_config=configs.LikelihoodConfig(memory_size=12),
    ),
    RunSpec("melody-theory", "likelihood", corpus="default", corpus_sizes=(9, 2, 33)),
    RunSpec("melody-theory", "music_vae", corpus="default", corpus_sizes=(9, 2, 33)),
]


@pytest.mark.parametrize("spec", SPECS)
def test_round_trip(spec):
    again = RunSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec and again.hash == spec.hash


def test_hash_is_of_the_content():
    values = SPECS[1].to_dict()
    shuffled = dict(reversed(values.items()))
    assert RunSpec.from_dict(shuffled).hash == SPECS[1].hash
    hashes = {spec.hash for spec in SPECS}
    hashes.add(dataclasses.replace(SPECS[0], seed=1).hash)
    assert len(hashes) == 5 and all(len(value) == 64 for value in hashes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"enviroment": "x"}, "run spec: unknown field 'enviroment'; did you mean environment"),
        ({"config": {"gama": 0.5}}, "PPOConfig: unknown field 'gama'; did you mean gamma"),
        ({"config": {"gamma": 2.0}}, "gamma must be between 0 and 1"),
        ({"learner": "pppo"}, "unknown learner 'pppo'; did you mean ppo"),
        ({"environment": "melody"}, "unknown environment 'melody'; did you mean"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"num_seeds": 0}, "num_seeds must be at least 1, got 0"),
        ({"num_seeds": 2**21}, "num_seeds must be at most 1048576, got 2097152"),
        ({"num_updates": None}, "num_updates must be a whole number, got None"),
        ({"num_updates": 0}, "num_updates must be"),
        ({"corpus": "default"}, "ppo takes none"),
        ({"learner": "likelihood"}, "needs a corpus"),
        ({"learner": "music_vae"}, "the learner music_vae needs a corpus: give --corpus SOURCE"),
        ({"learner": "sac", "prior": "runs/x"}, "a prior is tuned by the learners ppo and dqn"),
        ({"prior_weight": -1.0}, "prior_weight must be"),
        ({"prior_weight": float("nan")}, "prior_weight must be"),
    ],
)
def test_refuses(change, message):
    values = {"environment": "melody-target", "learner": "ppo", **change}
    with pytest.raises(ValueError, match=message) as error:
        RunSpec.from_dict(values)
    assert "\n" not in str(error.value)


def test_missing_field():
    with pytest.raises(ValueError, match="the field 'learner' is missing"):
        RunSpec.from_dict({"environment": "melody-target"})

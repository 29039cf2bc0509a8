import ast
import dataclasses
import inspect
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl import configs, learners
from creative_rl.configs import (
    A2CConfig,
    DQNConfig,
    LikelihoodConfig,
    MusicVAEConfig,
    PPOConfig,
    QLearningConfig,
    ReinforceConfig,
    SACConfig,
    SpiralConfig,
    shared,
    validate,
)
from creative_rl.configs.fields import TransformerFields
from creative_rl.registry import LEARNERS, load

ALL = tuple(load(entry.config) for entry in LEARNERS.values())


@pytest.mark.parametrize("config", ALL, ids=LEARNERS)
def test_the_defaults_are_valid(config):
    validate(config())


def test_every_config_is_tested():
    found = [value for value in vars(configs).values() if dataclasses.is_dataclass(value)]
    assert set(found) == set(ALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_envs": True}, "num_envs must be a whole number of at least 1, got True"),
        ({"hidden_sizes": 64}, "hidden_sizes must be a tuple of sizes of at least 1, got 64"),
        ({"hidden_sizes": ()}, r"hidden_sizes must be a tuple of sizes of at least 1, got \(\)"),
        ({"learning_rate": None}, "learning_rate must be a finite number, got None"),
        ({"normalize_advantages": 3}, "normalize_advantages must be True or False, got 3"),
        ({"decay_updates": 1.5}, "decay_updates must be a whole number, got 1.5"),
        ({"num_envs": 0}, "num_envs must be a whole number of at least 1, got 0"),
        ({"num_envs": 2.5}, "num_envs must be a whole number of at least 1, got 2.5"),
        ({"hidden_sizes": (8, 0)}, r"hidden_sizes must be a tuple .* got \(8, 0\)"),
        ({"recurrent": "rnn"}, "recurrent must be one of none, lstm, gru, transformer, got 'rnn'"),
        ({"num_layers": 0}, "num_layers must be a whole number of at least 1, got 0"),
        ({"num_heads": 1.5}, "num_heads must be a whole number of at least 1, got 1.5"),
        ({"context": 0}, "context must be a whole number of at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number, got nan"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number, got inf"),
        ({"gamma": 1.01}, "gamma must be between 0 and 1, got 1.01"),
        ({"gamma": -0.01}, "gamma must be between 0 and 1, got -0.01"),
        ({"gae_lambda": 2.0}, "gae_lambda must be between 0 and 1, got 2.0"),
        ({"clip_eps": 0.0}, "clip_eps must be greater than 0, got 0.0"),
        ({"max_grad_norm": -1.0}, "max_grad_norm must be greater than 0, got -1.0"),
        ({"entropy_coef": -0.1}, "entropy_coef must not be negative, got -0.1"),
        ({"decay_updates": -1}, "decay_updates must not be negative, got -1"),
        ({"decay_updates": 2**31}, "decay_updates must be at most 2147483647, got 2147483648"),
        ({"learning_rate": np.float64(-1)}, r"learning_rate must be greater than 0, got .*-1"),
        ({"gamma": np.array([0.9, 0.8])}, "gamma must be one number, a sweep runs over many"),
    ],
)
def test_values_out_of_range_are_refused(change, message):
    with pytest.raises(ValueError, match=f"PPOConfig: {message}"):
        validate(PPOConfig(**change))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (DQNConfig(target_tau=1.5), "DQNConfig: target_tau must be between 0 and 1, got 1.5"),
        (DQNConfig(epsilon_end=-1.0), "epsilon_end must be between 0 and 1"),
        (DQNConfig(epsilon_steps=-1), "epsilon_steps must not be negative"),
        (LikelihoodConfig(patience=0), "LikelihoodConfig: patience must be greater than 0, got 0"),
        (LikelihoodConfig(label_smoothing=1.2), "label_smoothing must be between 0 and 1"),
        (LikelihoodConfig(recurrent="none"), "must be one of lstm, gru, transformer, got 'none'"),
        (DQNConfig(recurrent="transformer"), "one of none, lstm, gru, got 'transformer'"),
        (PPOConfig(target_kl=0.0), "PPOConfig: target_kl must be greater than 0, got 0.0"),
        (PPOConfig(value_clip_eps=0.0), "value_clip_eps must be greater than 0, got 0.0"),
        (PPOConfig(robust_steps=-1), "robust_steps must be a whole number of at least 0, got -1"),
        (PPOConfig(robust_coef=-0.5), "robust_coef must not be negative, got -0.5"),
        (PPOConfig(robust_radius=-0.1), "robust_radius must not be negative, got -0.1"),
        (PPOConfig(kl_early_stop=1), "kl_early_stop must be True or False, got 1"),
        (A2CConfig(rms_decay=1.1), "A2CConfig: rms_decay must be between 0 and 1, got 1.1"),
        (A2CConfig(num_steps=None), "num_steps must be a whole number of at least 1, got None"),
        (ReinforceConfig(num_steps=0), "num_steps must be a whole number of at least 1, got 0"),
        (ReinforceConfig(num_steps=2.0), "num_steps must be a whole number of at least 1, got 2.0"),
        (ReinforceConfig(baseline=None), "baseline must be True or False, got None"),
        (DQNConfig(burn_in=-1), "burn_in must be a whole number of at least 0, got -1"),
        (DQNConfig(burn_in=True), "burn_in must be a whole number of at least 0, got True"),
        (DQNConfig(sequence_length=0), "sequence_length must be a whole number of at least 1"),
        (DQNConfig(n_step=0), "n_step must be a whole number of at least 1, got 0"),
        (DQNConfig(target="v"), "target must be one of q, psi, g, got 'v'"),
        (DQNConfig(exploration="greedy"), "exploration must be one of epsilon, boltzmann, got 'g"),
        (DQNConfig(temperature=0.0), "temperature must be greater than 0, got 0.0"),
        (DQNConfig(priority_exponent=1.5), "priority_exponent must be between 0 and 1, got 1.5"),
        (DQNConfig(importance_exponent=-0.1), "importance_exponent must be between 0 and 1"),
        (DQNConfig(importance_steps=-1), "importance_steps must not be negative, got -1"),
        (DQNConfig(target_interval=0), "target_interval must be greater than 0, got 0"),
        (SACConfig(temperature=0), "SACConfig: temperature must be greater than 0, got 0"),
        (SACConfig(target_entropy_scale=-1.0), "target_entropy_scale must not be negative"),
        (SACConfig(target_tau=-0.1), "target_tau must be between 0 and 1, got -0.1"),
        (
            MusicVAEConfig(event_dropout=1.5),
            "MusicVAEConfig: event_dropout must be between 0 and 1",
        ),
        (MusicVAEConfig(free_bits=-1.0), "free_bits must not be negative, got -1.0"),
        (MusicVAEConfig(segment_length=0), "segment_length must be a whole number of at least 1"),
        (QLearningConfig(initial_value=math.inf), "initial_value must be a finite number, got inf"),
    ],
)
def test_values_out_of_range_are_refused_in_all_configs(config, message):
    with pytest.raises(ValueError, match=message):
        validate(config)


@pytest.mark.parametrize("limit", [{"gamma": 0.0}, {"gamma": 1.0}, {"entropy_coef": 0.0}])
def test_the_ends_of_ranges_are_allowed(limit):
    validate(PPOConfig(**limit))


@pytest.mark.parametrize(
    "config",
    [
        ReinforceConfig(num_steps=None),
        ReinforceConfig(num_steps=1),
        DQNConfig(burn_in=0),
        PPOConfig(robust_steps=0, robust_coef=0.0, robust_radius=0.0),
        DQNConfig(priority_exponent=0.0, importance_exponent=1.0, importance_steps=0),
        SACConfig(target_entropy_scale=0.0, target_tau=1.0),
        SACConfig(temperature=1),
        QLearningConfig(initial_value=-2.0),
        A2CConfig(rms_decay=0.0),
    ],
)
def test_the_ends_of_ranges_are_allowed_in_all_configs(config):
    validate(config)


def test_another_config_is_refused_by_name():
    with pytest.raises(ValueError, match="config must be a PPOConfig, got A2CConfig"):
        validate(A2CConfig(), PPOConfig)


def test_tracers_and_arrays_pass():
    jax.jit(lambda rate: validate(PPOConfig(learning_rate=rate)))(-1.0)
    validate(PPOConfig(learning_rate=jnp.float32(-1.0)))


@pytest.mark.parametrize("config", [*ALL, TransformerFields], ids=[*LEARNERS, "transformer_fields"])
def test_every_field_has_a_line_about_it(config):
    (definition,) = ast.parse(inspect.getsource(config)).body
    body = definition.body
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            said = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            assert said and following.value.value.strip(), f"{statement.target.id} has no doc"


def test_what_several_configs_share_comes_by_name_alone():
    assert PPOConfig(8, 16) == PPOConfig(num_envs=8, num_steps=16)
    with_context = [config for config in ALL if hasattr(config(), "context")]
    assert with_context == [config for config in ALL if issubclass(config, TransformerFields)]


def test_what_two_configs_share_goes_from_one_to_the_other():
    config = SpiralConfig(num_steps=3, gamma=0.5)
    handed = shared(config, QLearningConfig)
    assert handed == {
        "num_envs": 64, "num_steps": 3, "learning_rate": 3e-4, "gamma": 0.5,
        "epsilon_end": 0.05, "epsilon_steps": 25_000,
    }  # fmt: skip
    assert QLearningConfig(**handed).epsilon_start == QLearningConfig().epsilon_start


@pytest.mark.parametrize("config", ALL, ids=LEARNERS)
def test_static_fields_are_static_in_the_pytree(config):
    assert learners  # its modules register the configs
    fields = dataclasses.fields(config)
    numbers = [field.name for field in fields if not field.metadata.get("static")]
    paths = jax.tree_util.tree_flatten_with_path(config())[0]
    assert [entry.name for (entry,), _ in paths] == numbers


def test_learning_rates_batch_in_one_trace():
    env = crl.make("melody-target-tutorial")
    small = PPOConfig(num_envs=2, num_steps=5, num_epochs=1, num_minibatches=1, hidden_sizes=(4,))
    traces = []

    @jax.jit
    def weights_after(config):
        traces.append(config)

        def run(config):
            learner = learners.ppo(env, config)
            state, _ = learner.update(learner.init(jax.random.key(0)))
            return jax.flatten_util.ravel_pytree(state.variables)[0]

        axes = jax.tree.map(lambda _: None, config)
        axes = dataclasses.replace(axes, learning_rate=0)
        return jax.vmap(run, (axes,))(config)

    def moved(rates):
        config = dataclasses.replace(small, learning_rate=jnp.asarray(rates, jnp.float32))
        return weights_after(config)

    still, slow, fast = moved([1e-9, 1e-3, 1e-2])
    assert 5 < float(jnp.linalg.norm(fast - still) / jnp.linalg.norm(slow - still)) < 20
    moved([0.1, 0.2, 0.3])
    assert len(traces) == 1

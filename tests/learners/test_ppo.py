import dataclasses
import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case

import creative_rl as crl
from creative_rl.configs import PPOConfig
from creative_rl.envs.melody import TargetMelody
from creative_rl.learners import ppo
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset, EpisodeLog, LikelihoodReward

CASE = Case(
    small=PPOConfig(
        num_envs=4,
        num_steps=6,
        num_epochs=2,
        num_minibatches=2,
        hidden_sizes=(8,),
        memory_size=4,
        num_layers=1,
        context=4,
    ),
    recurrences=("none", "lstm", "transformer"),
    probe=PPOConfig(
        num_envs=32,
        num_steps=8,
        gamma=GAMMA,
        learning_rate=5e-3,
        hidden_sizes=(16,),
        memory_size=16,
    ),
    probe_updates=100,
)

SMALL = PPOConfig(num_envs=8, num_steps=8, num_epochs=2, num_minibatches=2)
LSTM = dataclasses.replace(SMALL, recurrent="lstm", memory_size=8)


TRANSFORMER = dataclasses.replace(
    SMALL, recurrent="transformer", memory_size=8, num_layers=1, context=5
)


@pytest.mark.parametrize(
    "config", [SMALL, LSTM, TRANSFORMER], ids=["feed-forward", "lstm", "transformer"]
)
def test_the_first_gradient_step_sees_the_policy_that_acted(config, key):
    """Recomputed log-probabilities equal those of the rollout, memories and resets included."""
    config = dataclasses.replace(config, num_epochs=1, num_minibatches=1, num_steps=11)
    learner = ppo(crl.make("melody-theory", length=12), config)
    state = learner.init(key)
    update = jax.jit(learner.update)
    for _ in range(3):  # episodes of 12 in segments of 11: borders fall everywhere
        state, metrics = update(state)
        assert abs(float(metrics["approximate_kl"])) < 1e-6


@pytest.mark.parametrize("config", [SMALL, LSTM], ids=["feed-forward", "lstm"])
def test_learns_a_target_melody(config, key):
    config = dataclasses.replace(config, num_envs=16, num_steps=16, learning_rate=1e-2)
    learner = ppo(crl.make("melody-target", length=8, num_pitches=5), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 80))
    _, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][0]) < 3
    assert float(metrics["episode_return"][-1]) > 7.5


def test_learning_rates_are_numbers_not_programs():
    env = crl.make("melody-target", length=4)

    @jax.jit
    @chex.assert_max_traces(n=1)
    def first_loss(config, key):
        learner = ppo(env, config)
        state, _ = learner.update(learner.init(key))
        return learner.update(state)[1]["value_loss"]

    keys = jax.random.split(jax.random.key(0), 2)
    rates = jnp.array([1e-4, 1e-2])
    configs = dataclasses.replace(SMALL, learning_rate=rates)
    in_axes = dataclasses.replace(jax.tree.map(lambda _: None, SMALL), learning_rate=0)
    population = jax.vmap(first_loss, (in_axes, 0))(configs, keys)
    assert population.shape == (2,) and population[0] != population[1]


def test_a_decayed_learning_rate_stops_learning(key):
    config = dataclasses.replace(SMALL, decay_updates=2, learning_rate=1e-2)
    learner = ppo(crl.make("melody-target", length=4), config)
    update = jax.jit(learner.update)
    states = [learner.init(key)]
    for _ in range(3):
        states.append(update(states[-1])[0])
    head = [np.asarray(s.variables["actor"]["params"]["head"]["kernel"]) for s in states]
    assert np.abs(head[1] - head[0]).max() > 0
    assert np.abs(head[2] - head[1]).max() > 0  # all gradient steps of an update share a rate
    np.testing.assert_array_equal(head[3], head[2])


def test_starts_from_given_variables_and_learns_from_a_likelihood_reward(key):
    env = crl.make("melody-theory", length=12)
    donor = ppo(env, LSTM).init(key).variables["actor"]
    model = crl.networks.Model(env.observation_space, 38, recurrent="lstm", memory_size=8)
    listener = LikelihoodReward(env, model)
    params = listener.init_params(env.default_params, donor, weight=0.5)
    learner = ppo(listener, LSTM, params=params, prior_variables=donor)
    state = learner.init(jax.random.key(5))
    chex.assert_trees_all_equal(state.variables["actor"], donor)
    _, metrics = jax.jit(learner.update)(state)
    # The donor's head is small: the prior is nearly uniform over 38 events.
    np.testing.assert_allclose(metrics["term_log_likelihood"], -np.log(38), atol=0.01)


def test_sizes_that_do_not_divide_are_refused_before_tracing():
    env = crl.make("melody-target")
    with pytest.raises(ValueError, match=r"num_minibatches must divide .* = 64, got 5; 4 does"):
        ppo(env, dataclasses.replace(SMALL, num_minibatches=5))
    with pytest.raises(ValueError, match=r"divisible by 2 \* num_heads = 6, got 8"):
        ppo(env, dataclasses.replace(TRANSFORMER, num_heads=3))
    with pytest.raises(ValueError, match=r"num_minibatches must divide num_envs = 8, got 16"):
        ppo(env, dataclasses.replace(LSTM, num_minibatches=16))
    with pytest.raises(ValueError, match="learning_rate must be greater than 0, got -1"):
        ppo(env, dataclasses.replace(SMALL, learning_rate=-1.0))


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("melody-target", {}, r"takes maps Box\(H, W, C\) .*, got Discrete"),
        ("level-zelda-narrow", {}, r"takes maps .*, got Box.* and Discrete.*9"),
        ("level-zelda-wide", {"robust_steps": 1}, "takes no .*'none' and robust_steps=1; leave it"),
        ("level-zelda-wide", {"recurrent": "gru"}, "takes no memory .*'gru'"),
    ],
)
def test_acting_by_tile_is_refused_without_tiles(name, fields, message):
    with pytest.raises(ValueError, match=f"ppo: by_tile {message}"):
        ppo(crl.make(name), dataclasses.replace(SMALL, by_tile=True, **fields))


def test_environments_that_reset_themselves_are_refused():
    env = EpisodeLog(AutoReset(crl.make("melody-target")))
    with pytest.raises(ValueError, match="give it one without AutoReset"):
        ppo(env, SMALL)


def test_masks_on_structured_actions_are_refused_with_the_way_out():
    class Chords(TargetMelody):
        @property
        def action_space(self):
            return MultiDiscrete((2, 3))

        def action_mask(self, state, params):
            return jnp.ones((2, 3), bool)

    with pytest.raises(ValueError, match="FlattenActions turns MultiDiscrete into") as refused:
        ppo(Chords(), SMALL)
    assert "\n" not in str(refused.value)


@dataclasses.dataclass(frozen=True)
class NamedMatch(probes.MatchProbe):
    """With observations in a dict, the useful one beside a constant one."""

    @property
    def observation_space(self):
        return Dict({"bit": Discrete(2), "noise": Box(-1.0, 1.0, (2,))})

    def observe(self, state, params):
        return {"bit": state.draw, "noise": jnp.full(2, 0.5, jnp.float32)}


@pytest.mark.parametrize(
    "probe",
    [*probes.BOX_PROBES, *probes.MULTI_PROBES, NamedMatch()],
    ids=lambda probe: type(probe).__name__,
)
def test_other_actions_and_observations(probe):
    config = PPOConfig(num_envs=32, num_steps=8, gamma=0.5, learning_rate=5e-3, hidden_sizes=(16,))
    probes.check_solves(lambda env: ppo(env, config), probe, gamma=0.5, num_updates=120)


STEPS = PPOConfig(num_envs=8, num_steps=8, num_minibatches=1, hidden_sizes=(8,), learning_rate=1e-2)


def one_update(key, **changes):
    learner = ppo(crl.make("melody-target-tutorial"), dataclasses.replace(STEPS, **changes))
    return jax.jit(learner.update)(learner.init(key))


def test_an_early_stop_leaves_the_parameters_of_the_steps_before(key):
    """One minibatch an epoch, so that `num_epochs=k` are the first k of more steps."""
    states, kls = [], []
    for num_epochs in range(1, 4):
        state, metrics = one_update(key, num_epochs=num_epochs)
        states.append(state)
        kls.append(num_epochs * float(metrics["approximate_kl"]) - sum(kls))
    # What each step found before it moved: nothing at first, then more and more.
    assert abs(kls[0]) < 1e-6 < kls[1] < kls[2]
    stopping = jax.jit(
        lambda target_kl: one_update(key, num_epochs=3, kl_early_stop=True, target_kl=target_kl)
    )
    for num_done in (1, 2):
        state, metrics = stopping((kls[num_done - 1] + kls[num_done]) / 2)
        chex.assert_trees_all_close(
            state.variables, states[num_done - 1].variables, rtol=1e-4, atol=1e-6
        )
        chex.assert_trees_all_close(
            state.opt_state, states[num_done - 1].opt_state, rtol=1e-4, atol=1e-9
        )
        np.testing.assert_allclose(metrics["stopped"], (3 - num_done) / 3, rtol=1e-6)
        moved = state.variables["actor"]["params"]["head"]["kernel"]
        further = states[num_done].variables["actor"]["params"]["head"]["kernel"]
        assert np.abs(np.asarray(moved - further)).max() > 1e-4


def test_a_stop_holds_for_the_rest_of_the_update_and_not_longer(key):
    """A tiny target allows the first step alone, at which the policy has not moved."""
    learner = ppo(
        crl.make("melody-target-tutorial"),
        dataclasses.replace(STEPS, num_minibatches=2, kl_early_stop=True, target_kl=1e-9),
    )
    state, update = learner.init(key), jax.jit(learner.update)
    for _ in range(3):
        kernel = np.asarray(state.variables["actor"]["params"]["head"]["kernel"])
        state, metrics = update(state)
        assert float(metrics["stopped"]) == 7 / 8
        step = np.abs(np.asarray(state.variables["actor"]["params"]["head"]["kernel"]) - kernel)
        assert 0 < step.max() < 1.01e-2


def test_after_a_stop_minibatches_that_moved_less_are_not_learned_either():
    """Four minibatches: on the third the policy has moved by more than the target allows, on the
    fourth, with the same parameters, by less."""
    key = jax.random.key(5)  # where it is in this order
    first_epoch, metrics = one_update(key, num_minibatches=2, num_epochs=1)
    second_kl = 2 * float(metrics["approximate_kl"])
    stopping = jax.jit(
        lambda target_kl: one_update(
            key, num_minibatches=2, num_epochs=2, kl_early_stop=True, target_kl=target_kl
        )
    )
    # Stopped after two, the last two are looked at with the same parameters.
    _, metrics = stopping(second_kl * 1.01)
    assert float(metrics["stopped"]) == 2 / 4
    target_kl = (4 * float(metrics["approximate_kl"]) - second_kl) / 2
    assert target_kl > second_kl
    state, metrics = stopping(target_kl)  # between the two: their mean
    assert float(metrics["stopped"]) == 2 / 4
    chex.assert_trees_all_close(state.variables, first_epoch.variables, rtol=1e-4, atol=1e-6)
    chex.assert_trees_all_close(state.opt_state, first_epoch.opt_state, rtol=1e-4, atol=1e-9)


def test_a_stop_that_never_comes_changes_no_bit(key):
    plain, _ = one_update(key, num_minibatches=4)
    stopping, metrics = one_update(key, num_minibatches=4, kl_early_stop=True, target_kl=1e9)
    chex.assert_trees_all_equal(plain, stopping)
    assert float(metrics["stopped"]) == 0.0


@pytest.mark.parametrize("clip_value_loss", [False, True])
def test_the_value_loss_by_hand(clip_value_loss, key):
    """One state of value 1: what the critic says before each of two steps is the whole loss."""

    def run(num_epochs):
        config = dataclasses.replace(
            STEPS, num_epochs=num_epochs, clip_value_loss=clip_value_loss, value_clip_eps=1e-4
        )
        learner = ppo(probes.ConstantProbe(), config)
        state = learner.init(key)
        return state, *jax.jit(learner.update)(state)

    def value(state):
        model = crl.networks.Model(Discrete(1), 1, (8,))
        return float(model.apply(state.variables["critic"], jnp.int32(0), ())[0][0])

    start, middle, _ = run(1)
    _, _, metrics = run(2)
    first, second = value(start), value(middle)
    assert (second - 1) ** 2 < 0.99 * (first - 1) ** 2
    expected = [0.5 * (first - 1) ** 2, 0.5 * (second - 1) ** 2]
    if clip_value_loss:  # the value kept near the old one is the worse
        kept = first + np.clip(second - first, -1e-4, 1e-4)
        expected[1] = 0.5 * (kept - 1) ** 2
    np.testing.assert_allclose(metrics["value_loss"], np.mean(expected), rtol=1e-4)


def test_entropy_in_the_reward_settles_on_the_softmax_of_the_rewards(key):
    """KL control to a uniform prior: the optimum is softmax(reward / c), whatever c's scale."""
    env = crl.make("melody-target", length=1, num_pitches=2)
    params = env.default_params.replace(weights={"target_match": jnp.float32(3.0)})
    config = PPOConfig(
        num_envs=256, num_steps=4, hidden_sizes=(8,), learning_rate=3e-2, entropy_coef=0.0,
        entropy_reward_coef=2.0, decay_updates=150,
    )  # fmt: skip
    learner = ppo(env, config, params=params)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 150))
    _, metrics = run(learner.init(key))
    share = float(metrics["term_target_match"][-20:].mean())
    assert abs(share - 1 / (1 + np.exp(-1.5))) < 0.02


ROBUST = PPOConfig(
    num_envs=32, num_steps=8, num_minibatches=1, hidden_sizes=(16,), learning_rate=1e-2,
    robust_steps=2, robust_radius=0.3,
)  # fmt: skip


def test_without_robust_steps_the_program_is_the_same():
    """The other robust fields are not in it, nor is any gradient's sign."""

    def program(**changes):
        learner = ppo(NamedMatch(), dataclasses.replace(ROBUST, **changes))
        state = jax.eval_shape(learner.init, jax.random.key(0))
        return str(jax.make_jaxpr(learner.update)(state))

    plain, signs_of_numbers = program(robust_steps=0), re.compile(r":f32\[[\d,]+\] = sign ")
    assert plain == program(robust_steps=0, robust_coef=7.0, robust_radius=0.7)
    assert not signs_of_numbers.search(plain) and signs_of_numbers.search(program())


def test_a_robust_loss_without_weight_changes_nothing_but_the_metrics(key):
    """With one minibatch, whose order is all that the other key changes."""
    plain, before = one_update(key)
    robust, after = one_update(key, robust_steps=2, robust_coef=0.0)
    chex.assert_trees_all_close(plain.variables, robust.variables, rtol=1e-4, atol=1e-6)
    assert after.keys() - before.keys() == {"robust_divergence"}
    assert float(after["robust_divergence"]) > 0


def test_a_robust_policy_moves_less_under_attack_and_is_as_good(key):
    """The same program learns with and without weight; one bit of the observation decides."""

    def learned(robust_coef):
        learner = ppo(NamedMatch(), dataclasses.replace(ROBUST, robust_coef=robust_coef))
        step = lambda state, _: learner.update(state)  # noqa: E731
        return jax.lax.scan(step, learner.init(key), None, 60)[1]

    metrics = jax.jit(jax.vmap(learned))(jnp.array([0.0, 1.0]))
    plain, robust = np.asarray(metrics["robust_divergence"][:, -10:]).mean(axis=1)
    assert robust < 0.5 * plain
    assert np.asarray(metrics["episode_return"][:, -10:]).mean(axis=1).min() > 0.95


def test_the_robust_divergence_of_a_policy_with_a_memory(key):
    """Nothing where the radius is zero."""

    @jax.jit
    def divergence(radius):
        config = dataclasses.replace(LSTM, robust_steps=1, robust_radius=radius)
        learner = ppo(NamedMatch(), config)
        return learner.update(learner.init(key))[1]["robust_divergence"]

    assert float(divergence(0.0)) < 1e-9 < float(divergence(0.2))

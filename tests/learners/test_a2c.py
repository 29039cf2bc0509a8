"""A2C against an objective that is written step by step, and PPO against the same one."""

import dataclasses

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case
from reference import rollouts

import creative_rl as crl
from creative_rl.configs import A2CConfig, PPOConfig
from creative_rl.learners import a2c, ppo
from creative_rl.networks import Model
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=A2CConfig(num_envs=4, num_steps=6, hidden_sizes=(8,), memory_size=4),
    recurrences=("none", "gru"),
    probe=A2CConfig(
        num_envs=32,
        num_steps=8,
        gamma=GAMMA,
        learning_rate=1e-2,
        hidden_sizes=(16,),
        memory_size=16,
    ),
    probe_updates=300,
)

ENV = rollouts.Drift(num_envs=3, num_steps=7)
TINY = dict(
    num_envs=3, num_steps=7, hidden_sizes=(4,), memory_size=3, gamma=0.8, max_grad_norm=1e9,
    entropy_coef=0.3, value_coef=0.7, gae_lambda=1.0, normalize_advantages=False,
)  # fmt: skip
# Without a memory of squares RMSProp tells the gradient: its square, and by the step its sign.
A2C = A2CConfig(rms_decay=0.0, **TINY)
# Of Adam's first moment a tenth is the new gradient.
PPO = PPOConfig(num_epochs=1, num_minibatches=1, **TINY)


def flat(tree):
    return np.asarray(jax.flatten_util.ravel_pytree(tree)[0])


def moments(state, name):
    """A moment of the optimiser, in the order of the variables."""
    found = [
        leaf
        for path, leaf in jax.tree_util.tree_flatten_with_path(state.opt_state)[0]
        if jax.tree_util.keystr(path).endswith(f".{name}")
    ]
    assert len(found) == 1
    return np.asarray(found[0]).ravel()


def gradient_of_a2c(before, after):
    sign = np.sign(flat(after.variables) - flat(before.variables))
    return -sign * np.sqrt(moments(after, "nu"))


def gradient_of_ppo(before, after):
    return (moments(after, "mu") - 0.9 * moments(before, "mu")) * 10


def slow_gradient(env, before, after, config):
    def walk(variables):
        first, starts = before.stream.timestep.observation, before.stream.starts
        seen = after.env_params.seen
        return rollouts.walk(env, config, variables, first, starts, before.memory, seen)

    steps, advantages = walk(before.variables), []
    for row in steps:
        for t, step in enumerate(row):
            if config.gae_lambda == 1.0:  # the n-step return, as the paper has it
                advantages.append(rollouts.return_from(row, t, config.gamma) - step.value)
            else:
                advantages.append(rollouts.advantage_from(row, t, config.gamma, config.gae_lambda))
    advantages = np.array(advantages)
    goals = advantages + np.array([step.value for row in steps for step in row])

    def total(variables):
        row = [step for row in walk(variables) for step in row]
        return rollouts.objective(row, advantages, goals, config)

    return flat(jax.grad(total)(before.variables))


CASES = {
    "n-step returns": {},
    "generalised estimates": {"gae_lambda": 0.6},
    "normalised": {"normalize_advantages": True},
    "gru": {"recurrent": "gru"},
    "masked": {},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("factory", "config", "gradient_of"),
    [(a2c, A2C, gradient_of_a2c), (ppo, PPO, gradient_of_ppo)],
    ids=["a2c", "ppo"],
)
def test_the_gradient_is_that_of_the_objective_step_by_step(factory, config, gradient_of, case):
    """PPO's first step, too: at ratio one nothing is clipped, so A2C is its special case
    (Huang et al., arXiv 2205.09123). The second update starts within episodes."""
    config = dataclasses.replace(config, **CASES[case])
    env = dataclasses.replace(ENV, masked=case == "masked")
    learner = factory(env, config)
    update = jax.jit(learner.update)
    before = learner.init(jax.random.key(1))
    for _ in range(2):
        after, metrics = update(before)
        expected = slow_gradient(env, before, after, config)
        np.testing.assert_allclose(gradient_of(before, after), expected, rtol=2e-3, atol=1e-5)
        assert int(metrics["num_episodes"]) >= 3
        before = after
    seen = after.env_params.seen
    if env.masked:
        answered_to = seen["observation"]["action"][:-1]
        assert (seen["led_to"]["action"][1:] != answered_to).all()
    assert seen["terminated"].any() and seen["truncated"].any()
    assert not before.stream.starts.all()


@pytest.mark.parametrize(("factory", "config"), [(a2c, A2C), (ppo, PPO)], ids=["a2c", "ppo"])
def test_act_draws_from_what_is_allowed(factory, config, key):
    env = dataclasses.replace(ENV, masked=True)
    learner = factory(env, config)
    state = learner.init(key)
    _, timestep = env.reset(key, env.default_params)
    act = jax.vmap(lambda key: learner.act(state, key, timestep, ())[0])
    assert set(act(jax.random.split(key, 64)).tolist()) == {1, 2}


@pytest.mark.parametrize(("factory", "config"), [(a2c, A2C), (ppo, PPO)], ids=["a2c", "ppo"])
def test_memories_follow_the_episodes(factory, config):
    """After an update they are what the old networks remember of the steps of open episodes."""
    config = dataclasses.replace(config, recurrent="gru")
    learner = factory(ENV, config)
    update = jax.jit(learner.update)
    before = learner.init(jax.random.key(1))
    for _ in range(2):
        after, _ = update(before)
        seen = after.env_params.seen
        observations, starts = jax.tree.map(
            lambda first, later: jnp.concatenate([first[None], later[:-1]]),
            (before.stream.timestep.observation, before.stream.starts),
            (seen["observation"], seen["terminated"] | seen["truncated"]),
        )
        for name, width in (("actor", 3), ("critic", 1)):
            model = Model(ENV.observation_space, width, (4,), "gru", 3)
            start = before.memory[name]
            _, memories = model.apply(
                before.variables[name], observations, starts, start, method="unroll"
            )
            np.testing.assert_allclose(after.memory[name], memories[-1], rtol=1e-4, atol=1e-6)
        before = after


def test_learns_a_target_melody(key):
    config = A2CConfig(num_envs=32, num_steps=8, learning_rate=5e-3)
    learner = a2c(crl.make("melody-target", length=8, num_pitches=5), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 300))
    _, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][0]) < 3
    assert float(metrics["episode_return"][-20:].mean()) > 7.5


@pytest.mark.parametrize(
    "probe", [*probes.BOX_PROBES, *probes.MULTI_PROBES], ids=lambda probe: type(probe).__name__
)
def test_other_action_spaces(probe):
    config = A2CConfig(num_envs=64, num_steps=4, gamma=0.5, learning_rate=1e-2, hidden_sizes=(16,))
    probes.check_solves(lambda env: a2c(env, config), probe, gamma=0.5, num_updates=400)


@pytest.mark.parametrize("recurrent", ["none", "gru"])
def test_values_go_on_beyond_a_truncation(recurrent):
    """With rollouts that are longer, shorter, and out of step with episodes of 4."""
    for num_steps in (3, 6):
        config = A2CConfig(
            num_envs=16, num_steps=num_steps, gamma=0.5, learning_rate=1e-2, hidden_sizes=(8,),
            recurrent=recurrent, memory_size=8,
        )  # fmt: skip
        probes.check_solves(
            lambda env, config=config: a2c(env, config),
            probes.TruncationProbe(),
            gamma=0.5,
            num_updates=300,
        )


def test_one_update_is_one_step_of_at_most_the_learning_rate(key):
    config = dataclasses.replace(A2C, learning_rate=1e-2, decay_updates=2)
    learner = a2c(ENV, config)
    update = jax.jit(learner.update)
    states = [learner.init(key)]
    for _ in range(3):
        states.append(update(states[-1])[0])
    steps = np.abs(np.diff([flat(state.variables) for state in states], axis=0)).max(axis=1)
    np.testing.assert_allclose(steps, [1e-2, 5e-3, 0.0], rtol=0.02, atol=1e-9)
    assert [int(state.num_updates) for state in states] == [0, 1, 2, 3]


def test_gradients_are_clipped_by_their_global_norm(key):
    learner = a2c(ENV, dataclasses.replace(A2C, max_grad_norm=0.01))
    before = learner.init(key)
    after, _ = jax.jit(learner.update)(before)
    np.testing.assert_allclose(np.linalg.norm(gradient_of_a2c(before, after)), 0.01, rtol=1e-3)
    assert np.linalg.norm(slow_gradient(ENV, before, after, A2C)) > 0.02


def test_refusals():
    env = crl.make("melody-target")
    with pytest.raises(ValueError, match="a2c resets its environments; give it one without"):
        a2c(AutoReset(env), A2C)
    with pytest.raises(ValueError, match="A2CConfig: rms_decay must be between 0 and 1, got 2"):
        a2c(env, dataclasses.replace(A2C, rms_decay=2.0))


def test_numbers_may_be_tracers(key):
    def moved(learning_rate):
        learner = a2c(ENV, dataclasses.replace(A2C, learning_rate=learning_rate))
        state = learner.init(key)
        after, _ = learner.update(state)
        return jnp.abs(jax.flatten_util.ravel_pytree(after.variables)[0]
            - jax.flatten_util.ravel_pytree(state.variables)[0]).max()  # fmt: skip

    rates = jnp.array([1e-3, 1e-2])
    np.testing.assert_allclose(jax.vmap(moved)(rates), rates, rtol=0.02)

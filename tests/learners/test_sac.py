"""SAC against losses that are computed by hand, and the temperature against its target."""

import dataclasses
import math

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case

import creative_rl as crl
from creative_rl.configs import SACConfig
from creative_rl.envs.melody import TargetMelody
from creative_rl.learners import sac
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.testing import probes
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=SACConfig(
        num_envs=4,
        num_steps=2,
        num_epochs=2,
        batch_size=8,
        replay_size=64,
        hidden_sizes=(8,),
        learning_starts=16,
    ),
    probe=SACConfig(
        num_envs=16,
        num_steps=2,
        num_epochs=2,
        gamma=GAMMA,
        learning_rate=5e-3,
        batch_size=64,
        replay_size=1024,
        hidden_sizes=(16,),
        learning_starts=64,
        target_tau=0.05,
        temperature=0.1,
        target_entropy_scale=0.1,
    ),
    probe_updates=600,
)

SMALL = SACConfig(
    num_envs=1, num_epochs=1, batch_size=4, replay_size=64, hidden_sizes=(3,), learning_starts=0,
    gamma=0.5, temperature=0.2,
)  # fmt: skip
PROBE = SACConfig(
    num_envs=16, num_steps=2, num_epochs=2, gamma=0.5, learning_rate=5e-3, batch_size=64,
    replay_size=2048, hidden_sizes=(32,), learning_starts=64, target_tau=0.05, temperature=0.1,
)  # fmt: skip


# One transition of discrete actions: identity hidden layers make every head a table.

LOGITS = np.array([[1, 0, -1, 0.5], [0, 2, 1, -1], [0, 0, 0, 0]], np.float32)
FIRST = np.array([[1, 2, 4, 8], [0, 1, 7, 2], [0, 0, 0, 0]], np.float32)
SECOND = np.array([[3, 1, 5, 6], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32)
TARGETS = (
    np.array([[0, 0, 0, 0], [9, 1, 3, 2], [0, 0, 0, 0]], np.float32),
    np.array([[0, 0, 0, 0], [4, 5, 1, 6], [0, 0, 0, 0]], np.float32),
)


class Terminated(TargetMelody):
    def end(self, state, params):
        return state.step >= 1, jnp.bool_(False)


class Truncated(TargetMelody):
    def end(self, state, params):
        return jnp.bool_(False), state.step >= 1


class Masked(TargetMelody):
    """At first the second action is forbidden, then the last."""

    def action_mask(self, state, params):
        return jnp.arange(4) != jnp.where(state.step == 0, 1, 3)


def tables(variables, values):
    params = {
        "hidden_0": {"kernel": np.eye(3, dtype="f"), "bias": np.zeros(3, "f")},
        "head": {"kernel": values, "bias": np.zeros(values.shape[1], "f")},
    }
    assert jax.tree.map(np.shape, params) == jax.tree.map(np.shape, dict(variables["params"]))
    return {"params": jax.tree.map(jnp.asarray, params)}


def with_tables(state):
    variables = {
        "actor": tables(state.variables["actor"], LOGITS),
        "critics": [
            tables(critic, values)
            for critic, values in zip(state.variables["critics"], (FIRST, SECOND), strict=True)
        ],
        "log_temperature": state.variables["log_temperature"],
    }
    targets = [
        tables(critic, values) for critic, values in zip(state.target_critics, TARGETS, strict=True)
    ]
    return state.replace(variables=variables, target_critics=targets)


def policy(logits, mask):
    weights = np.where(mask, np.exp(logits.astype(np.float64)), 0.0)
    probs = weights / weights.sum()
    return probs, -(probs * np.log(np.where(probs > 0, probs, 1.0))).sum()


def first_gradient(state):
    """By variable: of Adam's first moment a tenth is the gradient."""
    (mu,) = [
        leaf
        for path, leaf in jax.tree_util.tree_flatten_with_path(state.opt_state)[0]
        if jax.tree_util.keystr(path).endswith(".mu")
    ]
    _, unravel = jax.flatten_util.ravel_pytree(state.variables)
    return unravel(mu.ravel() * 10)


MELODY = dict(length=5, num_pitches=4, num_phases=3, target=(0, 2, 1, 0, 2))


@pytest.mark.parametrize(
    ("kind", "bootstraps", "allowed", "next_allowed"),
    [
        (TargetMelody, True, [1, 1, 1, 1], [1, 1, 1, 1]),
        (Terminated, False, [1, 1, 1, 1], [1, 1, 1, 1]),
        (Truncated, True, [1, 1, 1, 1], [1, 1, 1, 1]),
        (Masked, True, [1, 0, 1, 1], [1, 1, 1, 0]),
    ],
    ids=["goes on", "terminated", "truncated", "masked"],
)
def test_one_transition_by_hand(kind, bootstraps, allowed, next_allowed, key):
    """Losses and gradients of Christodoulou 2019, equations 3 and 10 to 12, in NumPy."""
    learner = sac(kind(**MELODY), SMALL)
    before = with_tables(learner.init(key))
    after, metrics = jax.jit(learner.update)(before)
    item = after.replay.layout.unpack({n: m[0] for n, m in after.replay.items.items()})
    action, reward, mask = int(item.choice), float(item.reward), np.array(allowed, bool)
    assert (int(item.observation), int(item.next_observation)) == (0, 1)
    assert mask[action] and reward == float(action == 0)

    next_probs, next_entropy = policy(LOGITS[1], np.array(next_allowed, bool))
    next_value = (next_probs * np.minimum(*[t[1] for t in TARGETS])).sum() + 0.2 * next_entropy
    target = reward + 0.5 * next_value * bootstraps
    errors = np.array([FIRST[0, action] - target, SECOND[0, action] - target])
    np.testing.assert_allclose(metrics["loss"], np.mean(errors**2), rtol=1e-5)
    q_mean = (FIRST[0, action] + SECOND[0, action]) / 2
    np.testing.assert_allclose(metrics["q_mean"], q_mean, rtol=1e-5)
    probs, entropy = policy(LOGITS[0], mask)
    np.testing.assert_allclose(metrics["entropy"], entropy, rtol=1e-5)

    gradient = first_gradient(after)
    for critic, error in zip(gradient["critics"], errors, strict=True):
        bias = np.asarray(critic["params"]["head"]["bias"])
        np.testing.assert_allclose(bias, 2 * error * np.eye(4)[action], rtol=1e-5, atol=1e-6)
    # Of E[0.2 log pi - Q]: the softmax's slopes times what each action is worth beyond the mean.
    worth = 0.2 * np.log(np.where(probs > 0, probs, 1.0)) - np.minimum(FIRST[0], SECOND[0])
    bias = np.asarray(gradient["actor"]["params"]["head"]["bias"])
    np.testing.assert_allclose(bias, probs * (worth - (probs * worth).sum()), rtol=1e-4, atol=1e-5)
    excess = entropy - 0.5 * math.log(mask.sum())
    np.testing.assert_allclose(gradient["log_temperature"], excess, rtol=1e-5)


# One transition of continuous actions: with a policy of hardly any noise and linear critics.


def continuous_state(state, mean, values):
    """Both critics are `values[0] * action + values[1]`, their targets `values[2:]` likewise."""

    def linear(variables, slope, offset):
        params = jax.tree.map(jnp.zeros_like, variables["params"])
        # relu(a) - relu(-a) = a. The action comes first among the features.
        kernel = params["hidden_0"]["kernel"].at[0].set(jnp.array([1.0, -1.0, 0.0]))
        head = jnp.array([[slope], [-slope], [0.0]])
        return {
            "params": {
                "hidden_0": {**params["hidden_0"], "kernel": kernel},
                "head": {"kernel": head, "bias": jnp.full(1, offset)},
            }
        }

    actor = jax.tree.map(jnp.zeros_like, state.variables["actor"])
    actor["params"]["head"]["bias"] = jnp.array([mean, -99.0])
    online, targets = values
    critics, target_critics = (
        [linear(critic, *line) for critic, line in zip(state.target_critics, lines, strict=True)]
        for lines in (online, targets)
    )
    variables = {**state.variables, "actor": actor, "critics": critics}
    return state.replace(variables=variables, target_critics=target_critics)


@dataclasses.dataclass(frozen=True)
class Slider(probes.Probe):
    """One number, of which twice is the reward, for ever, or for one step."""

    is_short: bool = False
    terms: tuple = probes._reward(lambda seen: 2 * seen.action)

    @property
    def observation_space(self):
        return Discrete(1)

    @property
    def action_space(self):
        return Box(-3.0, 3.0)

    def observe(self, state, params):
        return jnp.int32(0)

    def end(self, state, params):
        return jnp.bool_(self.is_short), jnp.bool_(False)

    def mean_value(self, gamma):
        return None


@pytest.mark.parametrize("is_short", [False, True])
def test_one_transition_of_a_box_by_hand(is_short, key):
    """The critics see the action before it is stretched to the bounds."""
    config = dataclasses.replace(SMALL, temperature=1e-9, automatic_temperature=False)
    learner = sac(Slider(is_short=is_short), config)
    lines = ([(1.0, 0.5), (-2.0, 3.0)], [(4.0, 1.0), (-1.0, 2.0)])
    state = continuous_state(learner.init(key), 0.9, lines)
    after, metrics = jax.jit(learner.update)(state)
    item = after.replay.layout.unpack({n: m[0] for n, m in after.replay.items.items()})
    assert 0 < abs(float(item.choice[0]) - 0.9) < 5 * math.exp(-5)
    a, next_a = math.tanh(float(item.choice[0])), math.tanh(0.9)
    np.testing.assert_allclose(item.reward, 2 * 3 * a, rtol=1e-5)
    target = 6 * a + 0.5 * min(4 * next_a + 1, 2 - next_a) * (not is_short)
    expected = ((a + 0.5 - target) ** 2 + (3 - 2 * a - target) ** 2) / 2
    np.testing.assert_allclose(metrics["loss"], expected, rtol=0.03)
    # The policy climbs the smaller online critic, a + 0.5, by its slope and that of tanh.
    bias = first_gradient(after)["actor"]["params"]["head"]["bias"]
    np.testing.assert_allclose(bias[0], -(1 - next_a**2), rtol=0.02)


def test_the_value_of_a_box_has_the_entropy_of_the_policy(key):
    """Critics of zero: the target is 0.5 x 2 x the entropy, but for the noise of one draw."""
    config = dataclasses.replace(
        SMALL, temperature=2.0, automatic_temperature=False, batch_size=64, replay_size=64,
        num_envs=64,
    )  # fmt: skip
    learner = sac(Slider(), config)
    zero = [(0.0, 0.0), (0.0, 0.0)]
    state = continuous_state(learner.init(key), 0.0, (zero, zero))
    _, metrics = jax.jit(learner.update)(state)
    entropy = 0.5 * math.log(2 * math.pi * math.e) - 5.0
    np.testing.assert_allclose(metrics["entropy"], entropy, atol=0.3)
    # Squares of the targets: the mean's, and the variance of one draw's -log pi, which is 1/2.
    np.testing.assert_allclose(metrics["loss"], entropy**2 + 0.5, rtol=0.15)


# Temperature and targets.


@pytest.mark.parametrize("start", [0.005, 2.0])
@pytest.mark.parametrize(
    ("probe", "entropy", "temperature"),
    [
        # Action 1 is worth 1 more: at odds of exp(1 / 0.478) the entropy is log(2) / 2.
        (probes.ActionProbe(), 0.5 * math.log(2), 0.478),
        # The value falls by 2 d^2 with the distance d in units of -1 .. 1, so the best density is
        # normal, of variance temperature / 4, whose entropy is -1 at this temperature.
        (probes.BoxMatchProbe(), -2.0, 4 * math.exp(-2) / (2 * math.pi * math.e)),
    ],
    ids=["discrete", "box"],
)
def test_the_temperature_settles_where_the_entropy_is_the_target(
    probe, entropy, temperature, start, key
):
    config = dataclasses.replace(PROBE, temperature=start, learning_rate=1e-2)
    learner = sac(probe, config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, length=1000))
    _, metrics = run(learner.init(key))
    assert abs(float(metrics["entropy"][-200:].mean()) - entropy) < 0.05
    np.testing.assert_allclose(metrics["temperature"][-200:].mean(), temperature, rtol=0.15)


@pytest.mark.parametrize(("bias", "direction"), [(0.0, -1), (9.0, 1)], ids=["uniform", "certain"])
def test_the_temperature_falls_above_the_target_and_rises_below(bias, direction, key):
    """The target is log(4) / 2; a new policy has log(4), one that likes a single action nothing."""
    config = dataclasses.replace(SMALL, learning_rate=1e-2)
    learner = sac(crl.make("melody-target-tutorial"), config)
    state = learner.init(key)
    head = state.variables["actor"]["params"]["head"]
    head["bias"] = head["bias"].at[1].set(bias)
    state, metrics = jax.jit(learner.update)(state)
    expected = math.log(0.2) + direction * 1e-2  # Adam's first step is the learning rate
    np.testing.assert_allclose(state.variables["log_temperature"], expected, rtol=1e-4)
    np.testing.assert_allclose(metrics["temperature"], math.exp(expected), rtol=1e-4)


class Narrow(probes.ConstantProbe):
    """One of its two actions is allowed, at the start the first, then the second."""

    num_steps = 2

    def action_mask(self, state, params):
        return jnp.arange(2) == state.step % 2


def test_the_target_entropy_is_of_the_allowed_actions(key):
    """With one action allowed the entropy is 0 and so is the target: the temperature stays."""
    learner = sac(Narrow(), dataclasses.replace(SMALL, learning_rate=1e-2))
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, length=20))
    _, metrics = run(learner.init(key))
    np.testing.assert_allclose(metrics["temperature"], 0.2, rtol=1e-5)


def test_a_target_entropy_out_of_reach_is_refused():
    config = dataclasses.replace(SMALL, target_entropy_scale=2.0)
    with pytest.raises(ValueError, match=r"target_entropy_scale must be below 2 for Discrete"):
        sac(crl.make("melody-target-tutorial"), config)
    sac(probes.BoxMatchProbe(), config)


def test_a_fixed_temperature_stays(key):
    config = dataclasses.replace(SMALL, automatic_temperature=False, learning_rate=1e-2)
    learner = sac(crl.make("melody-target-tutorial"), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, length=5))
    state, metrics = run(learner.init(key))
    np.testing.assert_allclose(metrics["temperature"], 0.2, rtol=1e-6)
    assert float(state.variables["log_temperature"]) == np.log(np.float32(0.2))


def test_the_targets_move_by_their_share_at_every_gradient_step(key):
    config = dataclasses.replace(SMALL, target_tau=0.25, learning_rate=1e-2)
    learner = sac(crl.make("melody-target-tutorial"), config)
    update = jax.jit(learner.update)
    before = learner.init(key)
    for _ in range(2):
        after, _ = update(before)
        expected = jax.tree.map(
            lambda old, new: 0.75 * old + 0.25 * new,
            before.target_critics,
            after.variables["critics"],
        )
        for want, found in zip(
            *map(jax.tree.leaves, (expected, after.target_critics)), strict=True
        ):
            np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-7)
        before = after
    first, second = jax.tree.leaves(after.variables["critics"])[1::2][:2]
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_the_two_critics_start_apart_and_the_targets_equal_to_them(key):
    state = sac(crl.make("melody-target-tutorial"), SMALL).init(key)
    first, second = (critic["params"]["head"]["kernel"] for critic in state.variables["critics"])
    assert not np.array_equal(first, second)
    for online, target in zip(
        *map(jax.tree.leaves, (state.variables["critics"], state.target_critics)), strict=True
    ):
        np.testing.assert_array_equal(online, target)


# Before learning starts.


def test_nothing_is_learned_before_the_start_and_actions_are_random(key):
    config = dataclasses.replace(SMALL, num_envs=32, learning_starts=96)
    learner = sac(crl.make("melody-target-tutorial"), config)
    state = learner.init(key)
    # A policy that would always play note 3.
    variables = jax.tree.map(jnp.copy, state.variables)
    variables["actor"]["params"]["head"]["bias"] = jnp.array([0.0, 0.0, 0.0, 99.0])
    state, update = state.replace(variables=variables), jax.jit(learner.update)
    head, shares = np.asarray(variables["critics"][0]["params"]["head"]["kernel"]), []
    moved = []
    for _ in range(4):
        size = int(state.replay.size)
        state, _ = update(state)
        slots = {name: matrix[: state.replay.size] for name, matrix in state.replay.items.items()}
        if size < 64:
            shares.append((state.replay.layout.unpack(slots).choice == 3).mean())
        kernel = state.variables["critics"][0]["params"]["head"]["kernel"]
        moved.append(not np.array_equal(kernel, head))
    assert moved == [False, False, True, True]
    assert 0.05 < float(shares[-1]) < 0.45


# Learning.


@pytest.mark.parametrize("probe", probes.BOX_PROBES, ids=lambda probe: type(probe).__name__)
def test_continuous_actions(probe):
    probes.check_solves(lambda env: sac(env, PROBE), probe, gamma=0.5, num_updates=500)


@dataclasses.dataclass(frozen=True)
class NamedMatch(probes.MatchProbe):
    """With observations in a dict, the useful one beside a constant one."""

    @property
    def observation_space(self):
        return Dict({"bit": Discrete(2), "noise": Box(-1.0, 1.0, (2,))})

    def observe(self, state, params):
        return {"bit": state.draw, "noise": jnp.full(2, 0.5, jnp.float32)}


def test_observations_may_be_trees():
    config = dataclasses.replace(PROBE, target_entropy_scale=0.2)
    probes.check_solves(lambda env: sac(env, config), NamedMatch(), gamma=0.5, num_updates=400)


def test_learns_a_target_melody(key):
    config = dataclasses.replace(PROBE, target_entropy_scale=0.1, gamma=0.9)
    learner = sac(crl.make("melody-target-tutorial"), config)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, length=800))
    _, metrics = run(learner.init(key))
    assert float(metrics["episode_return"][:5].mean()) < 3
    ended = np.asarray(metrics["num_episodes"][-100:])
    returns = (np.asarray(metrics["episode_return"][-100:]) * ended).sum() / ended.sum()
    assert returns > 4.7


# Refusals.


@pytest.mark.parametrize(
    ("env", "change", "message"),
    [
        (TargetMelody(), {"replay_size": 3}, "sac: batch_size must be at most replay_size = 3, "),
        (
            TargetMelody(),
            {"num_envs": 65},
            r"sac: num_envs \* num_steps must be at most replay_size = 64, got 65",
        ),
        (
            probes.MultiMatchProbe(),
            {},
            "sac takes Discrete or Box actions, got Multi.*FlattenActions turns MultiDiscrete into",
        ),
        (AutoReset(TargetMelody()), {}, "sac resets its environments; give it one without"),
        (TargetMelody(), {"temperature": 0.0}, "SACConfig: temperature must be greater than 0"),
    ],
)
def test_refusals_are_one_line(env, change, message):
    with pytest.raises(ValueError, match=message) as refused:
        sac(env, dataclasses.replace(SMALL, **change))
    assert "\n" not in str(refused.value)

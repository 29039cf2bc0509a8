"""Analytic policy gradients against a derivative taken by hand, and on drawings."""

import dataclasses
import math
from typing import Any, ClassVar, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conformance.learner_case import Case

from creative_rl.configs import APGConfig
from creative_rl.environment import Environment
from creative_rl.envs.pen_drawing import GridDrawing
from creative_rl.envs.stroke_drawing import StrokeDrawing
from creative_rl.learners import apg
from creative_rl.spaces import Box
from creative_rl.testing import check_learner
from creative_rl.typing import Array, Term
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=APGConfig(num_envs=4, hidden_sizes=(8,)),
    task=("drawing-pixels", {"height": 4, "width": 4, "differentiable": True}),
)

GOAL = 0.5
DRAWING = StrokeDrawing(height=8, width=8, num_steps=2, differentiable=True)
TINY = APGConfig(num_envs=4, hidden_sizes=(8,))


class WalkState(flax.struct.PyTreeNode):
    place: Array
    step: Array


class WalkParams(NamedTuple):
    weights: dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Walk(Environment):
    """From 0, two steps of at most 1 along a line; costs the squared distance to the goal after
    each. Best: `GOAL`, then 0."""

    differentiable: ClassVar[bool] = True
    terms: tuple[Term, ...] = (
        Term("near", lambda seen: -jnp.square(seen.next_state.place - GOAL), source="this test"),
    )
    horizon: int | None = 2

    @property
    def observation_space(self):
        return Box(-2.0, 2.0, (1,))

    @property
    def action_space(self):
        return Box(-1.0, 1.0, (1,))

    @property
    def default_params(self):
        return WalkParams(self.default_weights)

    def initial_state(self, key, params):
        return WalkState(jnp.float32(0), jnp.int32(0))

    def next_state(self, key, state, action, params):
        return WalkState(state.place + action[0], state.step + 1)

    def observe(self, state, params):
        return state.place[None]

    def end(self, state, params):
        return state.step >= 2, jnp.bool_(False)

    def work(self, state, params):
        return state.place


def trained(learner, key, num_updates):
    """The state at the end, and the metrics of all updates."""
    run = jax.jit(lambda s: jax.lax.scan(lambda s, _: learner.update(s), s, length=num_updates))
    return run(learner.init(key))


def first_gradient(state):
    """Of the head's kernel and bias: of Adam's first moment a tenth is the new gradient."""
    (mu,) = [part.mu for part in jax.tree.leaves(state.opt_state, is_leaf=is_adam) if is_adam(part)]
    return 10 * mu["params"]["head"]["kernel"], 10 * mu["params"]["head"]["bias"]


def is_adam(part):
    return isinstance(part, optax.ScaleByAdamState)


@pytest.mark.parametrize("gamma", [1.0, 0.5])
def test_the_gradient_is_the_derivative_through_both_steps(key, gamma):
    # Where x is not negative, an action is tanh(b + k x), with next to no noise.
    b, k = 0.5, 0.7
    config = APGConfig(num_envs=4096, hidden_sizes=(1,), gamma=gamma, max_grad_norm=1e9)
    learner = apg(Walk(), config)
    state = learner.init(key)
    layers = {
        "hidden_0": {"kernel": jnp.ones((1, 1)), "bias": jnp.zeros(1)},
        "head": {"kernel": jnp.array([[k, 0.0]]), "bias": jnp.array([b, -4.9])},
    }
    state, metrics = jax.jit(learner.update)(state.replace(variables={"params": layers}))

    first = math.tanh(b)
    second = math.tanh(b + k * first)
    slope_1, slope_2 = 1 - first**2, 1 - second**2
    miss_1, miss_2 = first - GOAL, first + second - GOAL
    by_b = 2 * miss_1 * slope_1 + gamma * 2 * miss_2 * (slope_1 + slope_2 * (1 + k * slope_1))
    by_k = gamma * 2 * miss_2 * slope_2 * first
    kernel, bias = first_gradient(state)
    np.testing.assert_allclose([bias[0], kernel[0, 0]], [by_b, by_k], rtol=1e-2)
    np.testing.assert_allclose(metrics["episode_return"], -(miss_1**2) - miss_2**2, rtol=1e-2)


def test_a_decayed_learning_rate_stops_learning(key):
    learner = apg(Walk(), dataclasses.replace(TINY, decay_updates=1))
    update, states = jax.jit(learner.update), [learner.init(key)]
    for _ in range(2):
        states.append(update(states[-1])[0])
    start, middle, end = (state.variables["params"]["head"]["kernel"] for state in states)
    assert (start != middle).any()
    np.testing.assert_array_equal(middle, end)


def test_it_finds_the_best_actions(key):
    learner = apg(Walk(), APGConfig(hidden_sizes=(16,), learning_rate=1e-2, decay_updates=300))
    state, metrics = trained(learner, key, 300)
    actions = []
    for place in (0.0, GOAL):
        _, timestep = Walk().reset(key, Walk().default_params)
        timestep = timestep.replace(observation=jnp.float32([place]))
        actions.append(float(learner.act(state, key, timestep, ())[0][0]))
    np.testing.assert_allclose(actions, [GOAL, 0.0], atol=0.02)
    assert metrics["episode_return"][0] < -0.5
    assert metrics["episode_return"][-1] > -0.01


def test_entropy_in_the_objective_keeps_the_policy_wide(key):
    config = APGConfig(hidden_sizes=(16,), learning_rate=1e-2)
    narrow, wide = (
        trained(apg(Walk(), dataclasses.replace(config, entropy_coef=coef)), key, 200)[1]
        for coef in (0.0, 0.1)
    )
    assert narrow["entropy"][-1] < wide["entropy"][-1] - 1
    assert wide["episode_return"][-1] < narrow["episode_return"][-1]


def test_the_contract_on_a_drawing():
    check_learner(apg(DRAWING, TINY), DRAWING)


def test_it_learns_to_paint_one_picture(key):
    params = DRAWING.default_params
    params = params.replace(targets=params.targets[:1])
    config = dataclasses.replace(TINY, hidden_sizes=(32,), learning_rate=3e-3)
    state, metrics = trained(apg(DRAWING, config, params), key, 200)
    np.testing.assert_array_equal(state.env_params.targets, params.targets)
    # Of 1 at most: what is left is a share of the empty canvas's error.
    assert metrics["episode_return"][0] < 0.3
    assert metrics["episode_return"][-20:].mean() > 0.8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Watched(Walk):
    """Its params count the episodes that ended and sum the places where they did."""

    @property
    def default_params(self):
        return WatchedParams(self.default_weights, jnp.int32(0), jnp.float32(0))

    def update_params(self, params, timesteps):
        ends = timesteps.observation[..., 0] * timesteps.ended
        return params._replace(
            num=params.num + timesteps.ended.sum(dtype=jnp.int32), places=params.places + ends.sum()
        )


class WatchedParams(NamedTuple):
    weights: dict[str, Any]
    num: Array
    places: Array


def test_what_the_environment_learns_stays_in_the_state(key):
    state, metrics = trained(apg(Watched(), TINY), key, 5)
    assert state.env_params.num == 5 * TINY.num_envs
    assert 0 < abs(float(state.env_params.places)) < 2 * 5 * TINY.num_envs
    np.testing.assert_array_equal(metrics["num_episodes"], [TINY.num_envs] * 5)


@pytest.mark.parametrize(
    ("env", "change", "message"),
    [
        (
            StrokeDrawing(height=8, width=8),
            {},
            "apg differentiates through the environment.*have them with differentiable=True",
        ),
        (
            GridDrawing(height=8, width=8, differentiable=True),
            {},
            r"apg takes Box actions, got Discrete\(.*; take a learner for such actions",
        ),
        (Walk(horizon=None), {}, "apg plays whole episodes to a horizon, and .* has none"),
        (AutoReset(Walk()), {}, "apg resets its environments; give it one without AutoReset"),
        (Walk(), {"gamma": 1.5}, "APGConfig: gamma must be"),
        (Walk(), {"num_envs": 0}, "APGConfig: num_envs must be"),
    ],
)
def test_refusals_are_one_line(env, change, message):
    with pytest.raises(ValueError, match=message) as refused:
        apg(env, dataclasses.replace(TINY, **change))
    assert "\n" not in str(refused.value)

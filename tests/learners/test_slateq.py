"""SlateQ: an update by hand, what it learns of a user that is solved exactly, and refusals."""

import dataclasses
from typing import ClassVar

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import SlateQConfig
from creative_rl.environment import Environment
from creative_rl.experiment.rollouts import rollout
from creative_rl.learners.slateq import _chosen_items, _with_nothing, slateq
from creative_rl.networks import Model
from creative_rl.spaces import Box, Dict, Discrete, MultiDiscrete
from creative_rl.typing import Array, Candidates, Term
from creative_rl.wrappers import AutoReset, FlattenActions

SMALL = SlateQConfig(
    num_envs=4,
    num_steps=4,
    num_epochs=1,
    batch_size=8,
    replay_size=64,
    hidden_sizes=(8,),
    learning_starts=16,
)
TASK = {"num_topics": 4, "num_candidates": 4, "slate_size": 2, "num_steps": 8}
CASE = Case(small=SMALL, task=("recommendation-interest", TASK))


class ShopState(flax.struct.PyTreeNode):
    step: Array
    chosen: Array  # which item, or NOTHING
    choice: Array


class ShopParams(flax.struct.PyTreeNode):
    weights: dict
    prices: Array  # float32[4]


NOTHING = -1


def _price(seen):
    chosen = seen.next_state.chosen
    return jnp.where(chosen == NOTHING, 0.0, seen.params.prices[jnp.maximum(chosen, 0)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shop(Environment):
    """Four items, scores 1, 2, 3 and 4, and 2 for nothing; whoever buys item 3 never comes back.

    Others come back `num_steps` times; then it is truncated.
    """

    num_steps: int = 4
    slate_size: int = 2
    terms: tuple[Term, ...] = (Term("price", _price),)
    scores: ClassVar[tuple] = (1.0, 2.0, 3.0, 4.0)

    @property
    def observation_space(self):
        return Dict({"user": Box(0.0, 1.0, (1,)), "choice": Discrete(self.slate_size + 1)})

    @property
    def action_space(self):
        return MultiDiscrete((4,) * self.slate_size)

    @property
    def default_params(self):
        return ShopParams(self.default_weights, jnp.array([1.0, 2.0, 0.5, 3.0], jnp.float32))

    def initial_state(self, key, params):
        return ShopState(jnp.int32(0), jnp.int32(NOTHING), jnp.int32(0))

    def next_state(self, key, state, action, params):
        scores = jnp.append(jnp.asarray(self.scores, jnp.float32)[action], 2.0)
        place = jax.random.categorical(key, jnp.log(scores)).astype(jnp.int32)
        bought = place < self.slate_size
        item = action[jnp.minimum(place, self.slate_size - 1)].astype(jnp.int32)
        return ShopState(
            state.step + 1, jnp.where(bought, item, NOTHING), jnp.where(bought, place + 1, 0)
        )

    def observe(self, state, params):
        return {"user": jnp.ones(1, jnp.float32), "choice": state.choice}

    def candidates(self, observation, params):
        return Candidates(
            user=observation["user"],
            items=jnp.eye(4, dtype=jnp.float32),
            scores=jnp.asarray(self.scores, jnp.float32),
            nothing=jnp.float32(2.0),
            choice=observation["choice"],
        )

    def end(self, state, params):
        is_gone = state.chosen == 3
        return is_gone, ~is_gone & (state.step >= self.num_steps)

    def work(self, state, params):
        return {"step": state.step}


GAMMA = 0.5
SCORES, PRICES = np.array(Shop.scores), np.array([1.0, 2.0, 0.5, 3.0])
SLATES = [(a, b) for a in range(4) for b in range(a)]


def chances(slate):
    """Of the four items, and of nothing."""
    masses = np.zeros(5)
    masses[list(slate)] = SCORES[list(slate)]
    masses[4] = 2.0
    return masses / masses.sum()


def item_values(value):
    """Of choices, nothing last, with this value of who comes back."""
    return np.append(PRICES, 0.0) + GAMMA * value * np.array([1, 1, 1, 0, 1])


def solved(choose):
    """The value of who comes, where `choose(values of choices)` is the slate that is shown."""
    value = 0.0
    for _ in range(100):
        values = item_values(value)
        value = chances(choose(values)) @ values
    return value


def best(values):
    return max(SLATES, key=lambda slate: chances(slate) @ values)


def trained(config, num_updates=400, env=None):
    learner = slateq(env or Shop(), config)
    result = crl.train(learner, jax.random.key(0), num_updates=num_updates, progress=False)
    return learner, result


def told_values(state, config):
    """The network's values of choices, nothing last."""
    model = Model(Box(-np.inf, np.inf, (6,)), 1, config.hidden_sizes, activation="relu")
    items = np.eye(5, dtype=np.float32)
    seen = np.concatenate([np.ones((5, 1), np.float32), items], axis=1)
    return np.asarray(model.apply(state.variables, jnp.asarray(seen), ())[0])[:, 0]


LEARNING = SlateQConfig(
    num_envs=16,
    num_steps=2,
    num_epochs=2,
    batch_size=128,
    replay_size=4096,
    hidden_sizes=(16,),
    gamma=GAMMA,
    learning_rate=5e-3,
    epsilon_end=1.0,
    learning_starts=200,
)


@pytest.mark.parametrize("target", ["optimal", "greedy"])
def test_the_values_are_those_of_the_shop(target):
    config = dataclasses.replace(LEARNING, target=target)
    learner, result = trained(config)
    value = solved(best)
    np.testing.assert_allclose(told_values(result.state, config), item_values(value), atol=0.1)
    timestep = Shop().reset(jax.random.key(0), Shop().default_params)[1]
    action, _ = learner.act(result.state, jax.random.key(0), timestep, ())
    assert set(action.tolist()) == set(best(item_values(value)))


def test_sarsa_values_what_is_shown():
    """All slates at random: the value is the mean over them."""
    config = dataclasses.replace(LEARNING, target="sarsa")
    _, result = trained(config)
    value = 0.0
    for _ in range(100):
        value = np.mean([chances(slate) @ item_values(value) for slate in SLATES])
    np.testing.assert_allclose(told_values(result.state, config), item_values(value), atol=0.1)


def test_nothing_as_the_end_overrates_being_chosen():
    config = dataclasses.replace(LEARNING, nothing="zero")
    _, result = trained(config)
    value = 0.0
    for _ in range(100):
        values = item_values(value) * np.array([1, 1, 1, 1, 0])
        value = max(chances(slate) @ values for slate in SLATES)
    values = told_values(result.state, config)
    np.testing.assert_allclose(values[:4], item_values(value)[:4], atol=0.1)


# Updates by hand.


def test_what_is_learned_from_is_what_was_chosen():
    """With weights of zero the values are zero: the loss is the mean square of the rewards."""
    config = dataclasses.replace(
        SMALL, num_envs=64, num_steps=2, replay_size=128, batch_size=128, learning_starts=0
    )
    for nothing in ("learned", "zero"):
        learner = slateq(Shop(), dataclasses.replace(config, nothing=nothing))
        state = learner.init(jax.random.key(0))
        zeros = jax.tree.map(jnp.zeros_like, state.variables)
        state = state.replace(variables=zeros, target_variables=jax.tree.map(jnp.copy, zeros))
        _, metrics = jax.jit(learner.update)(state)
        squares = np.mean([chances(slate)[:4] @ PRICES**2 for slate in SLATES])
        if nothing == "zero":
            squares /= np.mean([chances(slate)[:4].sum() for slate in SLATES])
        assert float(metrics["loss"]) == pytest.approx(squares, rel=0.35)
        assert float(metrics["q_mean"]) == 0.0


def test_the_chosen_item_is_found_by_its_place():
    told = Candidates(
        user=jnp.ones((3, 1)),
        items=jnp.broadcast_to(10 * jnp.eye(4), (3, 4, 4)),
        scores=jnp.ones((3, 4)),
        nothing=jnp.ones(3),
        choice=jnp.zeros(3, jnp.int32),
    )
    slate = jnp.array([[3, 1], [3, 1], [0, 2]], jnp.int32)
    found = _chosen_items(told, slate, jnp.array([1, 0, 2], jnp.int32))
    expected = [[0, 0, 0, 10, 0], [0, 0, 0, 0, 1], [0, 0, 10, 0, 0]]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(_with_nothing(told.items)[0, 0], [0, 0, 0, 0, 1])


def test_slates_of_one_are_plain_actions():
    class Single(Shop):
        @property
        def action_space(self):
            return Discrete(4)

        def next_state(self, key, state, action, params):
            return super().next_state(key, state, action[None], params)

    env = Single(slate_size=1)
    learner, result = trained(LEARNING, 200, env)
    assert rollout(env, env.default_params, learner, result.state, jax.random.key(0), 2)
    timestep = env.reset(jax.random.key(0), env.default_params)[1]
    action, _ = learner.act(result.state, jax.random.key(0), timestep, ())
    assert action.shape == () and action.dtype == jnp.int32


# Refusals.


class Uneven(Shop):
    @property
    def action_space(self):
        return MultiDiscrete((4, 3))


@pytest.mark.parametrize(
    ("env", "config", "message"),
    [
        (crl.make("melody-target"), SMALL, "TargetMelody has no candidates to recommend"),
        (crl.make("drawing-digits"), SMALL, "slateq takes Discrete or MultiDiscrete actions"),
        (Uneven(), SMALL, "slateq fills every place of a slate from the same candidates"),
        (Shop(slate_size=5), SMALL, "slates are of distinct items, got 5 places for 4"),
        (AutoReset(Shop()), SMALL, "slateq resets its environments"),
        (Shop(), dataclasses.replace(SMALL, batch_size=65), "batch_size must be at most replay_si"),
        (Shop(), dataclasses.replace(SMALL, num_envs=17), r"num_envs \* num_steps must be at most"),
        (Shop(), dataclasses.replace(SMALL, serve="best"), "serve must be one of top, greedy, opt"),
        (
            crl.make("recommendation-interest", num_candidates=60, slate_size=5),
            SMALL,
            "optimal slates are the best of at most 16384, got 5461512, 5 of 60 items; set target",
        ),
    ],
)
def test_what_does_not_fit_is_refused(env, config, message):
    with pytest.raises(ValueError, match=message):
        slateq(env, config)


def test_flat_actions_are_no_places():
    with pytest.raises(ValueError, match="actions are places of the 4 candidates, got Discrete"):
        slateq(FlattenActions(Shop()), SMALL)

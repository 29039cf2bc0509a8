"""DAgger: whose answers are kept, who plays, what is hidden, what it learns; and refusals."""

import dataclasses
import math

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import DAggerConfig
from creative_rl.environment import Environment
from creative_rl.learners.dagger import dagger
from creative_rl.spaces import Box, Dict, Discrete
from creative_rl.stores import replay
from creative_rl.typing import Array, Term
from creative_rl.wrappers import AutoReset

SMALL = DAggerConfig(
    num_envs=4, num_steps=2, batch_size=8, replay_size=32, hidden_sizes=(8,), rule_steps=8
)
CASE = Case(small=SMALL, task=("sculpture-boxes", {"sees_target": True, "num_steps": 6}))


class PathState(flax.struct.PyTreeNode):
    place: Array
    side: Array  # which end is asked for
    step: Array


class PathParams(flax.struct.PyTreeNode):
    weights: dict


@dataclasses.dataclass(frozen=True, kw_only=True)
class Path(Environment):
    """Five places in a row, from the middle to the end that is asked for: 0 to the left, 1 to the
    right, 2 stays. The rule reads the `answer`; `picture` shows it too, in numbers of its own."""

    terms: tuple[Term, ...] = (Term("there", lambda seen: 1.0 * _is_there(seen.next_state)),)
    horizon = 6

    @property
    def observation_space(self):
        return Dict({"place": Discrete(5), "picture": Box(-1.0, 1.0, (2,)), "answer": Discrete(2)})

    @property
    def action_space(self):
        return Discrete(3)

    @property
    def default_params(self):
        return PathParams(self.default_weights)

    def initial_state(self, key, params):
        side = jax.random.bernoulli(key).astype(jnp.int32)
        return PathState(jnp.int32(2), side, jnp.int32(0))

    def next_state(self, key, state, action, params):
        place = state.place + jnp.array([-1, 1, 0], jnp.int32)[action]
        return state.replace(place=jnp.clip(place, 0, 4), step=state.step + 1)

    def observe(self, state, params):
        seen = 2.0 * state.side.astype(jnp.float32) - 1.0
        return {"place": state.place, "picture": jnp.stack([seen, -seen]), "answer": state.side}

    def action_mask(self, state, params):
        return jnp.stack([state.place > 0, state.place < 4, _is_there(state)])

    def rule_action(self, observation):
        end = 4 * observation["answer"]
        return jnp.where(observation["place"] == end, 2, observation["answer"]).astype(jnp.int32)

    @property
    def rule_sees(self):
        return ("answer",)

    def work(self, state, params):
        return {"place": state.place}


def _is_there(state):
    return state.place == 4 * state.side


def ignorant(learner):
    """Its first state, with weights of zero: it goes left wherever it can."""
    state = learner.init(jax.random.key(0))
    return state.replace(variables=jax.tree.map(jnp.zeros_like, state.variables))


def test_the_rules_answers_are_kept_whoever_plays():
    env = Path()
    learner = dagger(env, dataclasses.replace(SMALL, num_steps=8, rule_steps=0))
    state, metrics = jax.jit(learner.update)(ignorant(learner))
    steps = replay.take(state.replay, jnp.arange(32)).items
    assert set(steps.observation) == {"place", "picture"}
    place, picture = steps.observation["place"][0], steps.observation["picture"][0]
    answer = (picture[:, 0] > 0).astype(jnp.int32)
    expected = jax.vmap(env.rule_action)({"place": place, "answer": answer})
    np.testing.assert_array_equal(steps.action[0], expected)
    # The policy played, which goes left: it came to where the rule never goes.
    assert ((place == 0) & (answer == 1)).any() and (place <= 2).all()
    assert float(metrics["ruled"]) == 0.0
    assert steps.action_mask[0][jnp.arange(32), steps.action[0]].all()


def test_the_rule_plays_first_and_then_the_policy():
    config = dataclasses.replace(SMALL, num_steps=6, rule_steps=48, learning_rate=1e-9)
    learner = dagger(Path(), config)
    state, update = ignorant(learner), jax.jit(learner.update)
    ruled, returns = [], []
    for _ in range(3):
        state, metrics = update(state)
        ruled.append(float(metrics["ruled"]))
        returns.append(float(metrics["episode_return"]))
    assert ruled == [1.0, 1.0, 0.0]
    assert returns[:2] == [5.0, 5.0]  # the rule is there after two steps, and six are paid
    assert returns[2] < 5.0  # to the left, whatever is asked for


def test_masked_actions_cost_nothing():
    learner = dagger(Path(), dataclasses.replace(SMALL, num_steps=1, batch_size=32))
    _, metrics = jax.jit(learner.update)(learner.init(jax.random.key(0)))
    assert float(metrics["loss"]) == pytest.approx(math.log(2), abs=0.02)  # two ways, none to stay


def test_it_learns_the_rule_from_what_it_sees():
    env = Path()
    config = dataclasses.replace(SMALL, num_envs=16, batch_size=64, replay_size=512)
    learner = dagger(env, dataclasses.replace(config, learning_rate=1e-2, rule_steps=400))
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 150))
    state, metrics = run(learner.init(jax.random.key(1)))
    assert float(metrics["agreement"][-20:].mean()) > 0.99
    assert float(metrics["agreement"][0]) < 0.9
    for side in (0, 1):
        for place in range(5):
            path = PathState(jnp.int32(place), jnp.int32(side), jnp.int32(0))
            seen = env.observe(path, env.default_params)
            expected = int(env.rule_action(seen))
            del seen["answer"]
            timestep = env.reset(jax.random.key(0), env.default_params)[1]
            timestep = timestep.replace(
                observation=seen, action_mask=env.action_mask(path, env.default_params)
            )
            assert int(learner.act(state, jax.random.key(0), timestep, ())[0]) == expected


def test_what_is_hidden_of_a_sculpture_is_the_target():
    env = crl.make("sculpture-boxes", sees_target=True)
    assert env.rule_sees == ("target",) and crl.make("sculpture-boxes").rule_sees == ()
    shown = {name for name, _ in env.observation_space.items()} - set(env.rule_sees)
    assert shown == {name for name, _ in crl.make("sculpture-boxes").observation_space.items()}


@pytest.mark.parametrize(
    ("env", "config", "message"),
    [
        (crl.make("melody-target"), SMALL, "dagger: TargetMelody has no rule to act by"),
        (crl.make("sculpture-boxes"), SMALL, "dagger: BoxSculpture: its rule reads the target"),
        (crl.make("drawing-digits"), SMALL, "dagger takes Discrete actions"),
        (AutoReset(Path()), SMALL, "dagger resets its environments"),
        (Path(), dataclasses.replace(SMALL, batch_size=33), "batch_size must be at most replay_si"),
        (Path(), dataclasses.replace(SMALL, num_envs=17), r"num_envs \* num_steps must be at most"),
        (Path(), dataclasses.replace(SMALL, rule_steps=-1), "rule_steps must not be negative"),
    ],
)
def test_what_does_not_fit_is_refused(env, config, message):
    with pytest.raises(ValueError, match=message) as caught:
        dagger(env, config)
    assert "\n" not in str(caught.value)

"""Ensembles: that they act by what was pooled, learn as their members do, and keep the contract."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import creative_rl as crl
from creative_rl.configs import ReinforceConfig
from creative_rl.experiment import rollout
from creative_rl.learners.ensemble import ensemble, of_members
from creative_rl.spaces import Discrete
from creative_rl.testing import check_learner
from creative_rl.typing import Learner, Policy, Timestep

REINFORCE = ReinforceConfig(num_envs=2, hidden_sizes=(4,), baseline=False)


class Space:
    """An environment's face: all that an ensemble of a table asks for."""

    action_space, horizon = Discrete(3), None


def table(choose):
    """A learner whose state is its logits float32[A]; its memory counts the steps."""

    def outputs(state, timestep, memory):
        return state, memory + 1

    policy = Policy(outputs, choose)

    def init(key):
        return jax.random.normal(key, (3,))

    def update(state):
        count = (state > 0).sum(dtype=jnp.int32)
        return state + 1, {"num_episodes": count, "episode_return": state[0], "loss": state[0]}

    return Learner(init, update, policy.act, lambda: jnp.int32(0), 5, policy=policy)


def best(key, logits):
    return logits.argmax().astype(jnp.int32)


def drawn(key, logits):
    return jax.random.categorical(key, logits).astype(jnp.int32)


TIMESTEP = Timestep(jnp.int32(0), jnp.float32(0), jnp.bool_(False), jnp.bool_(False), {})
LOGITS = jnp.log(jnp.array([[0.6, 0.399, 0.001], [0.001, 0.399, 0.6]]))


def test_draws_follow_the_mean_of_the_members_probabilities():
    learner = ensemble(Space(), table(drawn), 2)
    state = of_members(LOGITS, weights=[3, 1])
    act = jax.vmap(learner.act, (None, 0, None, None))
    actions, memory = act(
        state, jax.random.split(jax.random.key(0), 4000), TIMESTEP, learner.init_memory()
    )
    shares = np.bincount(actions, minlength=3) / 4000
    np.testing.assert_allclose(shares, [0.45025, 0.399, 0.15075], atol=0.03)
    np.testing.assert_array_equal(memory, np.ones((4000, 2)))


@pytest.mark.parametrize(("pooling", "action"), [("mixture", 1), ("product", 1)])
def test_the_best_action_is_that_of_all_together(pooling, action):
    learner = ensemble(Space(), table(best), 2, pooling)
    act = jax.jit(learner.act)

    def chosen(weights):
        memory = learner.init_memory()
        return int(act(of_members(LOGITS, weights), jax.random.key(0), TIMESTEP, memory)[0])

    assert chosen(None) == action  # which neither takes alone
    assert (chosen([1, 0]), chosen([0, 1])) == (0, 2)
    assert act._cache_size() == 1  # weights are numbers


def test_members_learn_as_they_do_alone():
    member = table(best)
    learner = ensemble(Space(), member, 3, weights=[1, 1, 2])
    state = learner.init(jax.random.key(0))
    alone = [member.init(key) for key in jax.random.split(jax.random.key(0), 3)]
    np.testing.assert_allclose(state.members, jnp.stack(alone))
    np.testing.assert_allclose(state.weights, [0.25, 0.25, 0.5])
    state, metrics = learner.update(state)
    np.testing.assert_allclose(state.members, jnp.stack(alone) + 1)
    assert learner.steps_per_update == 15
    counts = np.array([(logits > 0).sum() for logits in alone])
    returns = np.array([logits[0] for logits in alone])
    assert metrics["num_episodes"] == counts.sum() and metrics["num_episodes"].dtype == jnp.int32
    np.testing.assert_allclose(metrics["loss"], returns.mean(), rtol=1e-6)
    np.testing.assert_allclose(
        metrics["episode_return"], (counts * returns).sum() / counts.sum(), rtol=1e-5
    )


def test_an_ensemble_keeps_the_contract():
    """Of members without a `cond` that takes keys: under `vmap` both of its branches do, which the
    checker of key reuse takes for one key consumed twice."""
    env = crl.make("melody-target-tutorial")
    member = crl.learners.reinforce(env, REINFORCE)
    check_learner(ensemble(env, member, 2, "product"), env, num_updates=1, num_works=2)


def test_seeds_that_were_trained_are_played_together():
    """With a say for one alone, all play as that one does."""
    env = crl.make("melody-target-tutorial")
    member = crl.learners.reinforce(env, REINFORCE)
    seeds = crl.train(member, jax.random.key(0), 1, num_seeds=2, progress=False).state
    state = of_members(seeds, weights=[0, 1])
    played = rollout(env, state.env_params, ensemble(env, member, 2), state, jax.random.key(1), 8)
    second = jax.tree.map(lambda leaf: leaf[1], seeds)
    alone = rollout(env, second.env_params, member, second, jax.random.key(1), 8)
    jax.tree.map(np.testing.assert_array_equal, played, alone)


def test_what_cannot_be_pooled_is_refused():
    env, member = Space(), table(best)
    with pytest.raises(ValueError, match=r"must have a policy, .* got one without, .*act"):
        ensemble(env, member._replace(policy=None), 2)
    with pytest.raises(ValueError, match=r"num_members must be a whole number .* got 0"):
        ensemble(env, member, 0)
    with pytest.raises(ValueError, match="pooling must be one of mixture, product, got 'mean'"):
        ensemble(env, member, 2, "mean")
    for weights in ([1.0], [1.0, -1.0], [0.0, 0.0], [1.0, float("nan")], [1.0, float("inf")]):
        with pytest.raises(ValueError, match="weights must be 2 finite numbers of at least 0"):
            ensemble(env, member, 2, weights=weights)
    untyped = inspect.unwrap(ensemble)
    for nonsense in ("ab", ["a", "b"], {0: 1.0}):
        with pytest.raises(ValueError, match="weights must be 2 finite numbers of at least 0"):
            untyped(env, member, 2, weights=nonsense)
    with pytest.raises(ValueError, match=r"pooling must be one of .*, got \['mixture'\]"):
        untyped(env, member, 2, ["mixture"])
    with pytest.raises(ValueError, match=r"ensemble takes a learner, such as .* got str"):
        untyped(env, "ppo", 2)
    with pytest.raises(ValueError, match="ensemble takes Discrete actions"):
        ensemble(crl.make("drawing-copy"), member, 2)
    with pytest.raises(ValueError, match="leading axis of one size"):
        of_members({"w": jnp.zeros((2, 3)), "b": jnp.zeros(3)})


@pytest.mark.parametrize(
    ("state", "given"),
    [(of_members(jnp.zeros((3, 3))), "3 members"), (LOGITS, "ArrayImpl")],
)
def test_states_of_others_are_not_acted_with(state, given):
    learner = ensemble(Space(), table(best), 2)
    with pytest.raises(ValueError, match=f"state must be of 2 members, as from .*, got {given}"):
        inspect.unwrap(learner.policy.outputs)(state, TIMESTEP, learner.init_memory())

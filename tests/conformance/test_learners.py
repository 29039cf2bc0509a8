"""Every learner of the registry keeps the contract and solves the probe problems."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, cases

import creative_rl as crl
from creative_rl.registry import LEARNERS, load
from creative_rl.spaces import Discrete
from creative_rl.stores.sequences import Sequences
from creative_rl.testing import check_learner, probes
from creative_rl.typing import Learner, Policy
from creative_rl.wrappers import Wrapper

# A vmapped program that deadlocks is stopped, and not waited for.
pytestmark = pytest.mark.timeout(180)

CASES = cases()
PROBED = {name: case for name, case in CASES.items() if case.probe is not None}


def build(name, env, config):
    arguments = (env, config)
    if LEARNERS[name].needs_corpus:
        windows = np.random.default_rng(0).integers(0, env.action_space.num, (12, 6), np.uint8)
        arguments += (Sequences(train=windows[:8], held_out=windows[8:]),)
    return load(LEARNERS[name].target)(*arguments)


def test_every_learner_is_held_to_the_suite():
    assert set(CASES) == set(LEARNERS)
    for name, case in CASES.items():
        assert isinstance(case.small, load(LEARNERS[name].config)) and case.recurrences


@pytest.mark.parametrize(
    ("name", "recurrent"), [(name, kind) for name in CASES for kind in CASES[name].recurrences]
)
def test_registered_learners(name, recurrent):
    id, fields = CASES[name].task
    env = crl.make(id, **fields)
    config = CASES[name].small
    if hasattr(config, "recurrent"):
        config = dataclasses.replace(config, recurrent=recurrent)
    check_learner(build(name, env, config), env)


@pytest.mark.parametrize(
    ("name", "probe"),
    [
        (name, probe)
        for name, case in PROBED.items()
        for probe in probes.VALUE_PROBES * case.has_values + probes.ACTION_PROBES
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_probe_problems(name, probe):
    probes.check_solves(
        lambda env: build(name, env, PROBED[name].probe),
        probe,
        gamma=GAMMA,
        num_updates=PROBED[name].probe_updates,
    )


@pytest.mark.parametrize(
    ("name", "recurrent"),
    [(name, "gru") for name in PROBED if hasattr(PROBED[name].probe, "recurrent")]
    + [(name, "transformer") for name in PROBED if hasattr(PROBED[name].probe, "context")],
)
def test_memory_probe(name, recurrent):
    config = dataclasses.replace(PROBED[name].probe, recurrent=recurrent, gamma=0.9)
    if recurrent == "transformer":
        config = dataclasses.replace(config, num_layers=1, context=3)
    probes.check_solves(
        lambda env: build(name, env, config),
        probes.MemoryProbe(),
        gamma=0.9,
        num_updates=2 * PROBED[name].probe_updates,
    )


@pytest.mark.parametrize("recurrent", ["gru", "transformer"])
def test_recurrent_values_go_on_beyond_a_truncation(recurrent):
    case = PROBED["ppo"]
    config = dataclasses.replace(
        case.probe, recurrent=recurrent, num_minibatches=1, memory_size=8, num_layers=1, context=3
    )
    probes.check_solves(
        lambda env: build("ppo", env, config),
        probes.TruncationProbe(),
        gamma=case.probe.gamma,
        num_updates=case.probe_updates,
    )


def test_every_learner_of_environments_has_its_probes():
    # The probes' actions have no gradients, which apg needs, and are no items to choose from, as
    # those of slateq are; dagger imitates a rule, which they lack: all have problems of their own.
    acting = {name for name, entry in LEARNERS.items() if ".reinforcement:" in entry.config}
    assert set(PROBED) == acting - {"apg", "dagger", "slateq"}
    for case in PROBED.values():
        assert case.probe.gamma == GAMMA and case.probe_updates > 0


class Blind(Wrapper):
    """Shows zeros."""

    def observe(self, state, params):
        return self.observation_space.zeros()

    def reset(self, key, params):
        return self._hide(self.env.reset(key, params))

    def transition(self, key, state, action, params):
        return self._hide(self.env.transition(key, state, action, params))

    def _hide(self, step):
        return step[0], step[1].replace(observation=self.observation_space.zeros())


class TruncationEnds(Wrapper):
    """Says `terminated` where the environment says `truncated`."""

    def end(self, state, params):
        terminated, truncated = self.env.end(state, params)
        return terminated | truncated, jnp.zeros_like(truncated)

    def transition(self, key, state, action, params):
        state, timestep = self.env.transition(key, state, action, params)
        terminated, truncated = self.end(state, params)
        return state, timestep.replace(terminated=terminated, truncated=truncated)


@pytest.mark.parametrize(
    ("probe", "hinder", "gamma", "message"),
    [
        (probes.ObservationProbe(), Blind, GAMMA, r"certain, but loss stays at (0\.9|1\.0)"),
        (probes.MemoryProbe(), None, GAMMA, r"the best return is 1.0, but the policy gets 0\."),
        # Taken for an end: 1 / (1 - 0.75 * 0.5) = 1.6.
        (probes.TruncationProbe(), TruncationEnds, GAMMA, r"is 2.000, but q_mean is 1\.(5|6)"),
        (probes.DiscountProbe(), None, 0.99, r"the mean value is 0.750, but q_mean is (0.9|1.0)"),
    ],
    ids=["reads nothing", "remembers nothing", "takes truncation for an end", "discounts wrongly"],
)
def test_each_probe_fails_without_its_ability(probe, hinder, gamma, message):
    config = dataclasses.replace(PROBED["dqn"].probe, gamma=gamma)
    with pytest.raises(AssertionError, match=message):
        probes.check_solves(
            lambda env: build("dqn", hinder(env) if hinder else env, config),
            probe,
            gamma=GAMMA,
            num_updates=400,
        )


# The suites can fail. Below is a learner of a few lines, that keeps the contract, and what breaks
# one rule of it at a time.


class Toy:
    """Adds noise to a matrix; acts at random."""

    shared = False

    def init(self, key):
        key, key_w = jax.random.split(key)
        w = jnp.ones((2, 2), jnp.float32) if self.shared else jax.random.normal(key_w, (2, 2), "f4")
        return {"key": key, "w": w, "step": jnp.int32(0)}

    def update(self, state):
        key, key_w = jax.random.split(state["key"])
        w = state["w"] + self.noise(key_w)
        return {"key": key, "w": w, "step": state["step"] + 1}, self.metrics(w)

    def noise(self, key):
        return jax.random.normal(key, (2, 2), jnp.float32)

    def metrics(self, w):
        return {"mean": w.mean()}

    def act(self, state, key, timestep, memory):
        return Discrete(2).sample(key), memory

    def init_memory(self):
        return jnp.zeros(3, jnp.float32)

    def generate(self, state, key, num):
        return {"works": state["w"][None] + jax.random.normal(key, (num, 1, 1), jnp.float32)}

    def learner(self, steps_per_update=1):
        return Learner(
            self.init, self.update, self.act, self.init_memory, steps_per_update, self.generate
        )


def test_the_toy_keeps_the_contract():
    check_learner(Toy().learner(), probes.MatchProbe())


class ReusedKey(Toy):
    def noise(self, key):
        return jax.random.normal(key, (2, 2), jnp.float32) * jax.random.uniform(key, (2, 2), "f4")


class OldKeyKept(Toy):
    def update(self, state):
        new, metrics = super().update(state)
        return {**new, "key": state["key"]}, metrics


class WeakCounter(Toy):
    def init(self, key):
        return {**super().init(key), "step": jnp.asarray(0)}


class SharedBuffer(Toy):
    def init(self, key):
        state = super().init(key)
        return {**state, "old": state["w"]}

    def update(self, state):
        new, metrics = super().update(state)
        return {**new, "old": state["w"]}, metrics


class BorrowedBuffer(Toy):
    def __init__(self):
        self.start = jnp.ones((2, 2), jnp.float32)

    def init(self, key):
        return {**super().init(key), "w": self.start}


class GrowingState(Toy):
    def update(self, state):
        new, metrics = super().update(state)
        return {**new, "w": jnp.concatenate([new["w"], new["w"]])}, metrics


class NanMetric(Toy):
    def metrics(self, w):
        return {"log": jnp.log(-jnp.abs(w).mean() - 1)}


class VectorMetric(Toy):
    def metrics(self, w):
        return {"rows": w.mean(0)}


class NanState(Toy):
    def noise(self, key):
        return super().noise(key) / 0

    def metrics(self, w):
        return {"one": jnp.float32(1)}


class SameForAllKeys(Toy):
    shared = True

    def noise(self, key):
        return jax.random.normal(jax.random.key(0), (2, 2), jnp.float32)


class HiddenState(Toy):
    def __init__(self):
        self.count = itertools.count()

    def noise(self, key):
        count = jax.pure_callback(
            lambda: np.float32(next(self.count)), jax.ShapeDtypeStruct((), jnp.float32),
            vmap_method="sequential",
        )  # fmt: skip
        return super().noise(key) + count


class ActsOutside(Toy):
    def act(self, state, key, timestep, memory):
        return Discrete(2).sample(key) + 2, memory


class ActsInFloats(Toy):
    def act(self, state, key, timestep, memory):
        return Discrete(2).sample(key).astype(jnp.float32), memory


class MemoryGrows(Toy):
    def act(self, state, key, timestep, memory):
        return Discrete(2).sample(key), jnp.concatenate([memory, memory])


class ChoosesOtherwise(Toy):
    def learner(self):
        def outputs(state, timestep, memory):
            return jnp.zeros(2), memory

        policy = Policy(outputs, lambda key, outputs: 1 - Discrete(2).sample(key))
        return super().learner()._replace(policy=policy)


class TooFewWorks(Toy):
    def generate(self, state, key, num):
        return super().generate(state, key, 1)


class WorksOfNoKey(Toy):
    draws = itertools.count()

    def generate(self, state, key, num):
        return {"works": jnp.full((num, 1), next(self.draws), jnp.float32)}


BROKEN = {
    ReusedKey: "init and update must consume every key once",
    OldKeyKept: "init and update must consume every key once",
    WeakCounter: r"every array must have a dtype of its own, but in init .*step.* weakly",
    SharedBuffer: r"a buffer of its own, .*, but .*w.* shares that of .*old",
    BorrowedBuffer: r"a buffer of its own, .*, but .*w.* shares that of .*w",
    GrowingState: r"update must keep the state's tree, shapes and dtypes, but .*w.*\[4,2\]",
    NanMetric: r"metrics must be finite, but in update 1 .*log.* is not",
    VectorMetric: "metrics must be arrays without axes, but rows is",
    NanState: "a state must never hold NaN, but .*w.* does",
    SameForAllKeys: "every key must learn parameters of its own",
    HiddenState: "an update from a saved and restored state must be bit-equal|under vmap",
    ActsOutside: "act must give actions inside Discrete.*action 1 was",
    ActsInFloats: r"act must give an action like the action space's, but .*float32\[\]",
    MemoryGrows: r"act must keep the form of init_memory\(\), but .*\[6\]",
    ChoosesOtherwise: "policy must choose as act does, but its choice .* is",
    TooFewWorks: "generate must return 3 works along the first axis",
    WorksOfNoKey: "generate must be the same for the same key",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_broken_learners_are_caught(broken):
    with pytest.raises(AssertionError, match=f"(?s){BROKEN[broken]}"):
        check_learner(broken().learner(), probes.MatchProbe())


@pytest.mark.parametrize("steps", [0, 1.5])
def test_steps_per_update_is_a_whole_number(steps):
    with pytest.raises(AssertionError, match="steps_per_update must be a whole number"):
        check_learner(Toy().learner(steps))

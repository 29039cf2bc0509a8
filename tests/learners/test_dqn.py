import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import GAMMA, Case

import creative_rl as crl
from creative_rl.configs import DQNConfig
from creative_rl.envs.melody import TargetMelody
from creative_rl.learners import dqn
from creative_rl.spaces import Discrete
from creative_rl.stores import replay
from creative_rl.testing import check_learner, probes
from creative_rl.wrappers import LikelihoodReward

CASE = Case(
    small=DQNConfig(
        num_envs=4,
        num_steps=4,
        batch_size=8,
        replay_size=64,
        hidden_sizes=(8,),
        memory_size=4,
        learning_starts=32,
        target_interval=2,
        sequence_length=4,
    ),
    recurrences=("none", "lstm"),
    probe=DQNConfig(
        num_envs=16,
        num_steps=4,
        gamma=GAMMA,
        learning_rate=3e-3,
        batch_size=64,
        replay_size=1024,
        hidden_sizes=(16,),
        memory_size=16,
        learning_starts=64,
        target_interval=20,
        epsilon_steps=4000,
    ),
    probe_updates=600,
)

SMALL = DQNConfig(
    num_envs=4, num_steps=1, batch_size=16, replay_size=64, learning_starts=16, hidden_sizes=(16,),
    target_interval=2, epsilon_steps=1000, learning_rate=3e-3,
)  # fmt: skip
GRU = dataclasses.replace(
    SMALL, recurrent="gru", memory_size=16, num_steps=6, sequence_length=5, replay_size=1536,
    batch_size=8, target_interval=20,
)  # fmt: skip
VARIANTS = {
    "plain": {"double": False},
    "double": {"double": True},
    "dueling": {"dueling": True},
    "n-step": {"n_step": 3},
    "prioritised": {"prioritized": True},
    "prioritised n-step": {"prioritized": True, "n_step": 3},
    "boltzmann": {"exploration": "boltzmann", "temperature": 1.0},
    "psi": {"target": "psi", "temperature": 0.1},
    "g": {"target": "g", "temperature": 0.1},
}
RECURRENT_VARIANTS = {
    "plain": {"double": False},
    "double": {"double": True},
    "burn-in": {"burn_in": 2, "sequence_length": 3},
    "prioritised": {"prioritized": True, "n_step": 2, "burn_in": 1, "sequence_length": 4},
    "dueling": {"dueling": True},
}
CASES = [
    *((name, dataclasses.replace(SMALL, **change)) for name, change in VARIANTS.items()),
    *(
        (f"gru, {name}", dataclasses.replace(GRU, **change))
        for name, change in RECURRENT_VARIANTS.items()
    ),
]
IDS = [name for name, _ in CASES]
CONFIGS = [config for _, config in CASES]


def after(learner, key, num_updates):
    run = jax.jit(
        lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, length=num_updates)
    )
    return run(learner.init(key))


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_learns_a_target_melody(config, key):
    # Three names for five steps, which only memory tells apart.
    num_phases = 5 if config.recurrent == "none" else 3
    config = dataclasses.replace(config, replay_size=max(config.replay_size, 1024))
    env = crl.make("melody-target-tutorial", num_phases=num_phases)
    learner = dqn(env, config)
    state, _ = after(learner, key, 600)

    def episode(key):
        key_reset, key_steps = jax.random.split(key)
        carry = (*env.reset(key_reset, env.default_params), learner.init_memory())

        def step(carry, key):
            env_state, timestep, memory = carry
            key_act, key_step = jax.random.split(key)
            action, memory = learner.act(state, key_act, timestep, memory)
            env_state, timestep = env.step(key_step, env_state, action, env.default_params)
            return (env_state, timestep, memory), timestep.reward

        return jax.lax.scan(step, carry, jax.random.split(key_steps, 5))[1].sum()

    returns = jax.jit(jax.vmap(episode))(jax.random.split(key, 16))
    assert returns.mean() > (4.5 if config.target != "q" else 4.99)


@pytest.mark.parametrize("config", CONFIGS, ids=IDS)
def test_keeps_the_contract(config):
    env = crl.make("melody-target-tutorial")
    config = dataclasses.replace(config, replay_size=192, learning_starts=24)
    check_learner(dqn(env, config), env)


@pytest.mark.parametrize(
    "change",
    [VARIANTS["prioritised n-step"], VARIANTS["dueling"], VARIANTS["n-step"]],
    ids=["prioritised n-step", "dueling", "n-step"],
)
@pytest.mark.parametrize("probe", [probes.DiscountProbe(), probes.TruncationProbe()])
def test_variants_find_the_values(change, probe):
    config = DQNConfig(
        num_envs=16, num_steps=4, gamma=0.5, learning_rate=3e-3, batch_size=64, replay_size=1024,
        hidden_sizes=(16,), learning_starts=64, target_interval=20, epsilon_steps=4000, **change,
    )  # fmt: skip
    probes.check_solves(lambda env: dqn(env, config), probe, gamma=0.5, num_updates=1200)


@pytest.mark.parametrize("burn_in", [0, 2])
def test_recurrent_values_go_on_beyond_a_truncation(burn_in):
    config = DQNConfig(
        num_envs=16, num_steps=4, gamma=0.5, learning_rate=3e-3, batch_size=32, replay_size=1024,
        recurrent="gru", memory_size=8, sequence_length=4, burn_in=burn_in, learning_starts=64,
        target_interval=20, epsilon_steps=4000,
    )  # fmt: skip
    probes.check_solves(
        lambda env: dqn(env, config), probes.TruncationProbe(), gamma=0.5, num_updates=800
    )


def test_nothing_is_learned_before_the_start(key):
    learner = dqn(crl.make("melody-target"), dataclasses.replace(SMALL, learning_starts=12))
    update = jax.jit(learner.update)
    state = learner.init(key)
    kernel = np.asarray(state.variables["params"]["head"]["kernel"])
    moved = []
    for _ in range(4):
        state, _ = update(state)
        moved.append(
            bool((np.asarray(state.variables["params"]["head"]["kernel"]) != kernel).any())
        )
    assert moved == [False, False, True, True]


def test_nothing_is_learned_before_a_whole_window_is_there(key):
    config = dataclasses.replace(SMALL, learning_starts=0, n_step=3, prioritized=True)
    learner = dqn(crl.make("melody-target"), config)
    update = jax.jit(learner.update)
    state, losses = learner.init(key), []
    for _ in range(4):
        state, metrics = update(state)
        losses.append(float(metrics["loss"]) + float(metrics["q_mean"]))
    assert [loss != 0 for loss in losses] == [False, False, True, True]


def test_the_target_network_follows_by_interval_and_share(key):
    config = dataclasses.replace(
        SMALL, learning_starts=0, target_interval=3, target_tau=0.25, learning_rate=1e-2
    )
    learner = dqn(crl.make("melody-target"), config)
    update = jax.jit(learner.update)
    state = learner.init(key)
    first = state.target_variables["params"]["head"]["kernel"]
    for _ in range(2):
        state, _ = update(state)
        np.testing.assert_array_equal(state.target_variables["params"]["head"]["kernel"], first)
    state, _ = update(state)
    online = state.variables["params"]["head"]["kernel"]
    np.testing.assert_allclose(
        state.target_variables["params"]["head"]["kernel"], 0.75 * first + 0.25 * online, rtol=1e-5
    )


def test_epsilon_falls_in_a_line(key):
    config = dataclasses.replace(SMALL, epsilon_start=1.0, epsilon_end=0.2, epsilon_steps=16)
    learner = dqn(crl.make("melody-target"), config)
    update = jax.jit(learner.update)
    state, epsilons = learner.init(key), []
    for _ in range(6):
        state, metrics = update(state)
        epsilons.append(float(metrics["epsilon"]))
    np.testing.assert_allclose(epsilons, [1.0, 0.8, 0.6, 0.4, 0.2, 0.2], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"replay_size": 8}, "batch_size must be at most replay_size = 8, got 16"),
        ({"num_envs": 100}, r"num_envs \* num_steps must be at most replay_size = 64, got 100"),
        ({"n_step": 20}, r"num_envs \* n_step must be at most replay_size = 64, got 80"),
        (
            {"recurrent": "gru", "sequence_length": 9, "burn_in": 8},
            r"num_envs \* \(burn_in \+ sequence_length\) must be at most replay_size = 64, got 68",
        ),
        (
            {"recurrent": "gru", "n_step": 9},
            "n_step must be at most sequence_length = 8, got 9",
        ),
        ({"burn_in": 2}, "burn_in warms up a memory, got 2 with recurrent='none'; leave it out"),
        ({"target": "sarsa"}, "target must be one of q, psi, g, got 'sarsa'"),
        ({"burn_in": -1}, "burn_in must be a whole number of at least 0, got -1"),
        ({"temperature": 0.0}, "temperature must be greater than 0, got 0.0"),
        ({"priority_exponent": 1.5}, "priority_exponent must be between 0 and 1, got 1.5"),
    ],
)
def test_impossible_configs_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dqn(crl.make("melody-target"), dataclasses.replace(SMALL, **change))


def test_schedules_hold_beyond_two_billion_steps(key):
    learner = dqn(crl.make("melody-target"), SMALL)
    update = jax.jit(learner.update)
    state, _ = update(learner.init(key))
    kernel = np.asarray(state.variables["params"]["head"]["kernel"])
    state, metrics = update(state.replace(num_updates=jnp.int32(2**30)))
    assert abs(float(metrics["epsilon"]) - SMALL.epsilon_end) < 1e-6
    assert (np.asarray(state.variables["params"]["head"]["kernel"]) != kernel).any()


# What follows is computed by hand: identity hidden layers make the head's kernel a table of values
# by observation. The tutorial's first note is 0, and observation 0 leads to observation 1.

ONLINE = np.array([[1, 2, 4, 8], [0, 1, 7, 2], [0, 0, 0, 0]], np.float32)
TARGET = np.array([[0, 0, 0, 0], [9, 1, 3, 2], [0, 0, 0, 0]], np.float32)
BY_HAND = dataclasses.replace(
    SMALL, num_envs=1, batch_size=4, hidden_sizes=(3,), learning_starts=0, gamma=0.5
)


def table(variables, values):
    params = dict(variables["params"])
    params["hidden_0"] = {"kernel": np.eye(3, dtype=np.float32), "bias": np.zeros(3, "f")}
    params["head"] = {"kernel": values, "bias": np.zeros(4, "f")}
    return {"params": jax.tree.map(jnp.asarray, params)}


def first_update(env, config, key, params=None):
    """State and metrics after an update, and the action and reward that it learned from."""
    learner = dqn(env, config, params)
    state = learner.init(key)
    state = state.replace(
        variables=table(state.variables, ONLINE), target_variables=table(state.variables, TARGET)
    )
    state, metrics = jax.jit(learner.update)(state)
    item = crl.stores.replay.take(state.replay, jnp.zeros(1, jnp.int32)).items
    return state, metrics, int(item.action[0, 0]), float(item.reward[0, 0])


def soft_maximum(values, temperature):
    return temperature * np.log(np.exp(np.asarray(values, np.float64) / temperature).sum())


@pytest.mark.parametrize(
    ("change", "next_value"),
    [
        ({"double": True}, 3.0),  # the online table likes note 2 best, which the target values at 3
        ({"double": False}, 9.0),
        ({"target": "psi", "temperature": 2.0}, soft_maximum(TARGET[1], 2.0)),
        ({"target": "g", "temperature": 2.0}, soft_maximum(TARGET[1], 2.0) - 2 * np.log(4)),
    ],
    ids=["double", "plain", "psi", "g, uniform prior"],
)
def test_the_loss_of_one_transition_by_hand(change, next_value, key):
    config = dataclasses.replace(BY_HAND, **change)
    _, metrics, action, reward = first_update(crl.make("melody-target-tutorial"), config, key)
    assert reward == float(action == 0)
    expected = (ONLINE[0, action] - (reward + 0.5 * next_value)) ** 2
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


class Masked(TargetMelody):
    """On even steps the last note is forbidden, on odd ones the first and the third."""

    def action_mask(self, state, params):
        return jnp.where(state.step % 2 == 0, jnp.arange(4) < 3, jnp.arange(4) % 2 == 1)


MASKED = Masked(length=5, num_pitches=4, num_phases=3)


@pytest.mark.parametrize(
    ("change", "next_value"),
    [
        ({"double": True}, 2.0),  # of the two allowed ones the online table likes the last best
        ({"target": "g", "temperature": 2.0}, soft_maximum(TARGET[1, [1, 3]], 2.0) - 2 * np.log(2)),
    ],
    ids=["double", "g"],
)
def test_the_next_value_is_of_what_is_allowed_there(change, next_value, key):
    config = dataclasses.replace(BY_HAND, **change)
    _, metrics, action, reward = first_update(MASKED, config, key)
    expected = (ONLINE[0, action] - (reward + 0.5 * next_value)) ** 2
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


def test_only_what_is_allowed_is_done(key):
    """At random or not; the table likes the forbidden note best."""
    config = dataclasses.replace(
        BY_HAND, num_envs=64, num_steps=2, replay_size=128, learning_starts=10**6,
        epsilon_start=0.5,
    )  # fmt: skip
    learner = dqn(MASKED, config)
    state = learner.init(key)
    state = state.replace(variables=table(state.variables, ONLINE))
    _, timestep = MASKED.reset(key, MASKED.default_params)
    assert int(learner.act(state, key, timestep, ())[0]) == 2
    state, _ = jax.jit(learner.update)(state)
    items = crl.stores.replay.take(state.replay, jnp.arange(128, dtype=jnp.int32)).items
    first, second = np.split(np.asarray(items.action[0]), 2)
    assert set(first.tolist()) == {0, 1, 2} and set(second.tolist()) == {1, 3}


class Uneven:
    """A prior that knows its mind, whatever it hears."""

    log_probs = np.log(np.array([0.1, 0.2, 0.3, 0.4], np.float32))

    def init_memory(self):
        return ()

    def init(self, key, observation, memory):
        return {}

    def apply(self, variables, observation, memory):
        return jnp.asarray(self.log_probs), memory


def test_g_learning_weighs_the_next_values_by_the_prior(key):
    env = LikelihoodReward(crl.make("melody-target-tutorial"), Uneven(), observe_prior=True)
    params = env.init_params(env.env.default_params, {}, weight=0.0)
    config = dataclasses.replace(BY_HAND, target="g", temperature=2.0)
    _, metrics, action, reward = first_update(env, config, key, params)
    assert reward == float(action == 0)
    weighed = 2.0 * np.log((np.exp(Uneven.log_probs) * np.exp(TARGET[1] / 2.0)).sum())
    expected = (ONLINE[0, action] - (reward + 0.5 * weighed)) ** 2
    np.testing.assert_allclose(metrics["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize("target", ["psi", "g"])
def test_the_policy_is_the_softmax_of_the_values_and_the_prior(target, key):
    env = LikelihoodReward(
        crl.make("melody-target-tutorial"), Uneven(), observe_prior=target == "g"
    )
    learner = dqn(env, dataclasses.replace(BY_HAND, target=target, temperature=2.0))
    state = learner.init(key)
    state = state.replace(variables=table(state.variables, ONLINE))
    _, timestep = env.reset(key, env.default_params)
    act = jax.vmap(lambda key: learner.act(state, key, timestep, ())[0])
    actions = np.asarray(act(jax.random.split(key, 20_000)))
    weights = np.exp(ONLINE[0] / 2.0) * (np.exp(Uneven.log_probs) if target == "g" else 1.0)
    shares = weights / weights.sum()
    found = np.bincount(actions, minlength=4) / len(actions)
    np.testing.assert_allclose(found, shares, atol=4 * 0.5 / len(actions) ** 0.5)


def test_boltzmann_exploration_draws_from_the_softmax(key):
    config = dataclasses.replace(
        SMALL, num_envs=512, replay_size=16384, num_steps=16, hidden_sizes=(3,),
        exploration="boltzmann", temperature=4.0, learning_starts=10**6,
    )  # fmt: skip
    learner = dqn(crl.make("melody-target-tutorial"), config)
    state = learner.init(key)
    state, _ = jax.jit(learner.update)(state.replace(variables=table(state.variables, ONLINE)))
    items = crl.stores.replay.take(state.replay, jnp.arange(8192, dtype=jnp.int32)).items
    first = np.asarray(items.action[0])[np.asarray(items.observation[0]) == 0]
    shares = np.exp(ONLINE[0] / 4) / np.exp(ONLINE[0] / 4).sum()
    found = np.bincount(first, minlength=4) / len(first)
    np.testing.assert_allclose(found, shares, atol=4 * 0.5 / len(first) ** 0.5)


def test_n_steps_are_summed_by_hand(key):
    """Three steps from observation 0: their rewards, and the value of where they led (phase 0)."""
    config = dataclasses.replace(BY_HAND, n_step=3, num_steps=3, batch_size=1, double=False)
    env = crl.make("melody-target-tutorial")
    target = TARGET.copy()
    target[0] = [1, 2, 5, 0]
    learner = dqn(env, config)
    state = learner.init(key)
    state = state.replace(
        variables=table(state.variables, ONLINE), target_variables=table(state.variables, target)
    )
    state, metrics = jax.jit(learner.update)(state)
    window = crl.stores.replay.take(state.replay, jnp.zeros(1, jnp.int32), 3).items
    rewards = np.asarray(window.reward[:, 0])
    expected = ONLINE[0, int(window.action[0, 0])] - (
        rewards[0] + 0.5 * rewards[1] + 0.25 * rewards[2] + 0.125 * 5
    )
    np.testing.assert_allclose(metrics["loss"], expected**2, rtol=1e-5)


def test_priorities_follow_the_errors(key):
    config = dataclasses.replace(
        BY_HAND, prioritized=True, num_steps=4, batch_size=4, priority_exponent=1.0,
        importance_exponent=1.0, learning_rate=1e-9, target_interval=1000,
    )  # fmt: skip
    env = crl.make("melody-target-tutorial")
    learner = dqn(env, config)
    state = learner.init(key)
    state = state.replace(
        variables=table(state.variables, ONLINE), target_variables=table(state.variables, TARGET)
    )
    update = jax.jit(learner.update)
    given = {1.0}  # what steps get that wait for their first turn
    for _ in range(12):
        state, _ = update(state)
        given.add(float(state.priorities.largest))
    slots = jnp.arange(48, dtype=jnp.int32)
    steps = jax.tree.map(
        lambda leaf: np.asarray(leaf[0]), crl.stores.replay.take(state.replay, slots).items
    )
    online, target = (
        jax.device_get(v["params"]["head"]["kernel"])
        for v in (state.variables, state.target_variables)
    )
    best = online[steps.next_observation].argmax(-1)
    goal = steps.reward + 0.5 * (1 - steps.terminated) * target[steps.next_observation, best]
    errors = np.abs(online[steps.observation, steps.action] - goal) + 1e-6
    kept = np.asarray(state.priorities.levels[0])[:48]
    seen = ~np.isin(kept, list(given))
    assert seen.sum() >= 8
    np.testing.assert_allclose(kept[seen], errors[seen], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(("start", "steps", "exponent"), [(0.5, 10**9, 0.5), (0.5, 4, 1.0)])
def test_weights_undo_the_priorities(start, steps, exponent, key):
    """Two kinds of steps, one drawn nine times as often: the gradient's share of it is undone."""
    config = dataclasses.replace(
        BY_HAND, prioritized=True, num_steps=4, batch_size=512, replay_size=512,
        importance_exponent=start, importance_steps=steps, double=False, max_grad_norm=1e6,
        target_interval=1000,
    )  # fmt: skip
    learner = dqn(crl.make("melody-target-tutorial"), config)
    state = learner.init(key)
    state = state.replace(
        variables=table(state.variables, ONLINE), target_variables=table(state.variables, TARGET)
    )
    update = jax.jit(learner.update)
    # Before the first gradient: steps 0 .. 3 are in, then their priorities are set by hand.
    waiting = dqn(
        crl.make("melody-target-tutorial"), dataclasses.replace(config, learning_starts=10**6)
    )
    state, _ = jax.jit(waiting.update)(state)
    state, _ = jax.jit(waiting.update)(state)
    order = state.priorities
    slots = jnp.arange(8, dtype=jnp.int32)
    given = jnp.where(slots < 4, 9.0, 1.0)
    order = crl.stores.priorities.assign(order, slots, given)
    state = state.replace(priorities=order)
    before = state
    after, metrics = update(state)  # adds four steps of the largest priority, 9
    shares = np.array([9, 9, 9, 9, 1, 1, 1, 1, 9, 9, 9, 9]) / 76
    items = crl.stores.replay.take(after.replay, jnp.arange(12, dtype=jnp.int32)).items
    steps_ = jax.tree.map(lambda leaf: np.asarray(leaf[0]), items)
    goal = steps_.reward + 0.5 * (1 - steps_.terminated) * TARGET[steps_.next_observation].max(-1)
    errors = ONLINE[steps_.observation, steps_.action] - goal
    # The head's bias of action a moves against the weighted errors of a; Adam's first step has a
    # fixed length, so that what is compared is the moment that it keeps.
    stores = crl.stores
    added = jnp.arange(8, 12, dtype=jnp.int32)
    order = stores.priorities.assign(order, added, jnp.full(4, 9.0))
    drawn = np.asarray(stores.priorities.sample(order, jax.random.split(before.key, 4)[3], 512))
    weights = (12 * shares[drawn]) ** -exponent
    weights /= weights.max()
    slope = np.zeros(4)
    np.add.at(slope, steps_.action[drawn], 2 * weights * errors[drawn] / 512)
    flat, unravel = jax.flatten_util.ravel_pytree(before.variables)
    moments = [leaf for leaf in jax.tree.leaves(after.opt_state) if leaf.shape == flat.shape]
    (first,) = [moment for moment in moments if (moment < 0).any()]
    found = np.asarray(unravel(first)["params"]["head"]["bias"]) / 0.1
    np.testing.assert_allclose(found, slope, rtol=1e-4, atol=1e-6)
    assert np.isfinite(metrics["loss"])


def test_windows_that_are_cut_off_or_unfinished_have_no_priority(key):
    config = dataclasses.replace(BY_HAND, prioritized=True, n_step=3, num_steps=1, replay_size=16)
    learner = dqn(crl.make("melody-target-tutorial"), config)
    update = jax.jit(learner.update)
    state = learner.init(key)
    for count in range(1, 24):
        state, _ = update(state)
        kept = np.asarray(state.priorities.levels[0])[:16]
        newest = np.arange(max(count - 2, 0), count) % 16  # their windows are unfinished
        whole = np.setdiff1d(np.arange(min(count, 16)), newest)
        assert (kept[whole] > 0).all()
        assert (np.delete(kept, whole) == 0).all()


def test_a_sequence_has_the_priority_of_its_largest_and_mean_error(key):
    env = crl.make("melody-target", length=64)
    config = dataclasses.replace(
        GRU, num_envs=1, num_steps=8, batch_size=1, sequence_length=8, replay_size=8, gamma=0.0,
        learning_starts=0, prioritized=True, priority_exponent=1.0, learning_rate=1e-9,
    )  # fmt: skip
    learner = dqn(env, config)
    before = learner.init(key)
    state, _ = jax.jit(learner.update)(before)
    window = crl.stores.replay.take(state.replay, jnp.int32([0]), 8)
    steps = jax.tree.map(lambda leaf: leaf[:, 0], window.items)
    model = crl.networks.Model(
        env.observation_space, env.action_space.num, recurrent="gru", memory_size=16,
        activation="relu",
    )  # fmt: skip
    memory, errors = steps.memory[0], []
    for t in range(8):
        values, memory = model.apply(before.variables, steps.observation[t], memory)
        errors.append(abs(float(values[steps.action[t]] - steps.reward[t])))
    expected = 0.9 * max(errors) + 0.1 * np.mean(errors)
    np.testing.assert_allclose(state.priorities.levels[0][0], expected, rtol=1e-4)


class SmallIntegers(probes.MatchProbe):
    """Its actions are bytes, and its state keeps them."""

    @property
    def action_space(self):
        return Discrete(2, jnp.uint8)

    def initial_state(self, key, params):
        state = super().initial_state(key, params)
        return state.replace(action=state.action.astype(jnp.uint8))


def test_actions_have_the_type_of_their_space():
    check_learner(dqn(SmallIntegers(), SMALL), SmallIntegers())


def test_a_stored_memory_is_what_the_network_remembered(key):
    """Each step's memory equals the one that the network gets from its episode's start."""
    env = crl.make("melody-target", length=7)
    config = dataclasses.replace(
        GRU, num_envs=2, num_steps=12, learning_starts=10**6, replay_size=48
    )
    learner = dqn(env, config)
    state, _ = jax.jit(learner.update)(learner.init(key))
    model = crl.networks.Model(
        env.observation_space, env.action_space.num, recurrent="gru", memory_size=16,
        activation="relu",
    )  # fmt: skip
    steps = crl.stores.replay.take(state.replay, jnp.int32([0]), 7)
    assert bool(steps.mask.all()) and bool(steps.items.starts[0, 0])
    memory = model.init_memory()
    for t in range(7):
        np.testing.assert_allclose(steps.items.memory[t, 0], memory, atol=1e-6)
        observation = jax.tree.map(lambda leaf, t=t: leaf[t, 0], steps.items.observation)
        _, memory = model.apply(state.variables, observation, memory)
    following = crl.stores.replay.take(state.replay, jnp.int32([14]), 1)  # the next episode
    assert bool(following.items.starts[0, 0]) and not following.items.memory.any()


def test_the_recurrent_loss_equals_a_slow_twin(key):
    """One sequence, step by step in Python, with both networks' memories."""
    env = crl.make("melody-target", length=9)
    config = dataclasses.replace(
        GRU, num_envs=1, num_steps=9, batch_size=1, sequence_length=6, burn_in=3, replay_size=9,
        learning_starts=0, double=True, n_step=2, gamma=0.9, target_interval=1000,
    )  # fmt: skip
    learner = dqn(env, config)
    state = learner.init(key)
    other = learner.init(jax.random.key(9)).variables
    state = state.replace(target_variables=other)
    online = state.variables
    state, metrics = jax.jit(learner.update)(state)
    model = crl.networks.Model(
        env.observation_space, env.action_space.num, recurrent="gru", memory_size=16,
        activation="relu",
    )  # fmt: skip
    window = crl.stores.replay.take(state.replay, jnp.int32([0]), 9)
    steps = jax.tree.map(lambda leaf: leaf[:, 0], window.items)

    def at(t):
        return jax.tree.map(lambda leaf: leaf[t], steps)

    memory = target_memory = model.init_memory()
    chosen, beyond = [], []
    for t in range(9):
        values, memory = model.apply(online, at(t).observation, memory)
        _, target_memory = model.apply(other, at(t).observation, target_memory)
        chosen.append(float(values[at(t).action]))
        guide, _ = model.apply(online, at(t).next_observation, memory)
        next_values, _ = model.apply(other, at(t).next_observation, target_memory)
        beyond.append(float(next_values[int(np.argmax(guide))]) * (not bool(at(t).terminated)))
    rewards = np.asarray(steps.reward)
    errors = []
    for t in range(9):  # the window starts an episode, so that no burn-in is needed
        goal = rewards[t] + 0.9 * (rewards[t + 1] + 0.9 * beyond[t + 1] if t < 8 else beyond[t])
        errors.append(chosen[t] - goal)
    np.testing.assert_allclose(metrics["loss"], np.mean(np.square(errors)), rtol=1e-4)


def test_steps_of_the_burn_in_do_not_count_inside_an_episode(key):
    env = crl.make("melody-target", length=64)
    config = dataclasses.replace(
        GRU, num_envs=1, num_steps=8, batch_size=1, sequence_length=2, burn_in=6, replay_size=8,
        learning_starts=0, gamma=0.0, learning_rate=1e-9,
    )  # fmt: skip
    learner = dqn(env, config)
    update = jax.jit(learner.update)
    state, _ = update(learner.init(key))
    before = state
    state, metrics = update(state)  # the ring now holds steps 8 .. 15 of the episode
    window = crl.stores.replay.take(state.replay, jnp.int32([0]), 8)
    steps = jax.tree.map(lambda leaf: leaf[:, 0], window.items)
    assert not bool(steps.starts[0]) and bool(window.mask.all())
    model = crl.networks.Model(
        env.observation_space, env.action_space.num, recurrent="gru", memory_size=16,
        activation="relu",
    )  # fmt: skip
    memory, errors = steps.memory[0], []
    for t in range(8):
        observation = jax.tree.map(lambda leaf, t=t: leaf[t], steps.observation)
        values, memory = model.apply(before.variables, observation, memory)
        errors.append(float(values[steps.action[t]] - steps.reward[t]))
    np.testing.assert_allclose(metrics["loss"], np.mean(np.square(errors[6:])), rtol=1e-4)


def test_a_prior_does_not_start_a_dueling_network():
    with pytest.raises(ValueError, match="no dueling streams; leave dueling out"):
        dqn(crl.make("melody-target"), dataclasses.replace(SMALL, dueling=True), None, {})


def test_a_warm_start_plays_the_rule_and_then_explores(key):
    env = crl.make("dialogue", num_rows=20, max_turn=16)
    config = dataclasses.replace(
        SMALL, warm_start_steps=16, epsilon_start=1.0, epsilon_end=0.5, epsilon_steps=8,
        learning_starts=64,
    )  # fmt: skip
    learner = dqn(env, config)
    update, state, epsilons = jax.jit(learner.update), learner.init(key), []
    for number in range(6):
        expected = jax.vmap(env.rule_action)(state.stream.timestep.observation)
        slots = state.replay.position + jnp.arange(4, dtype=jnp.int32)
        state, metrics = update(state)
        epsilons.append(float(metrics["epsilon"]))
        taken = replay.take(state.replay, slots).items.action[0]
        assert (taken == expected).all() == (number < 4)
    assert epsilons == [1.0] * 5 + [0.75]


def test_a_warm_start_needs_a_rule():
    config = dataclasses.replace(SMALL, warm_start_steps=16)
    with pytest.raises(ValueError, match="dqn: TargetMelody has no rule to act by"):
        dqn(TargetMelody(), config)

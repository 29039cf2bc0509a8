import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import LikelihoodConfig
from creative_rl.envs.melody import TheoryMelody
from creative_rl.learners import likelihood
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=LikelihoodConfig(batch_size=4, num_steps=2, memory_size=4, num_layers=1, context=4),
    recurrences=("lstm", "gru", "transformer"),
    task=("melody-theory", {}),
)

CONFIG = LikelihoodConfig(
    batch_size=8, num_steps=10, memory_size=16, learning_rate=2e-2, patience=3
)


def alternating(num: int, length: int = 12) -> jnp.ndarray:
    """Two events in turn, starting with either."""
    return (14 + 2 * ((np.arange(length + 1) + np.arange(num)[:, None]) % 2)).astype(np.uint8)


@pytest.fixture
def sequences():
    return Sequences(jnp.asarray(alternating(32)), jnp.asarray(alternating(4)))


def test_learns_what_can_be_learned_and_composes_it(sequences, key):
    learner = likelihood(crl.make("melody-theory", length=12), CONFIG, sequences)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 25))
    state, metrics = run(learner.init(key))
    # The alternation is certain, so the likelihood goes to one.
    assert float(metrics["best_held_out_nll"][-1]) < 0.02
    works = jax.jit(learner.generate, static_argnums=2)(state, key, 20)
    steps = np.abs(np.diff(np.asarray(works.events), axis=1))
    assert (steps[:, 4:] == 2).mean() > 0.9


@pytest.mark.parametrize("recurrent", ["lstm", "gru", "transformer"])
def test_negative_log_likelihood_of_unpredictable_events_is_their_entropy(recurrent, key):
    events = 2 + jax.random.randint(key, (600, 13), 0, 4).astype(jnp.uint8)
    config = dataclasses.replace(CONFIG, recurrent=recurrent, batch_size=64)
    learner = likelihood(
        crl.make("melody-theory", length=12), config, Sequences(events[:500], events[500:])
    )
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 10))
    _, metrics = run(learner.init(key))
    np.testing.assert_allclose(metrics["best_held_out_nll"][-1], np.log(4), atol=0.02)


class Masked(TheoryMelody):
    """Allows the two highest notes."""

    def action_mask(self, state, params):
        return jnp.arange(38) >= 36


def test_act_draws_from_what_is_allowed(sequences, key):
    env = Masked(length=12)
    learner = likelihood(env, CONFIG, sequences)
    state, (_, timestep) = learner.init(key), env.reset(key, env.default_params)
    act = jax.vmap(lambda key: learner.act(state, key, timestep, learner.init_memory())[0])
    assert set(act(jax.random.split(key, 64)).tolist()) == {36, 37}


def test_stops_when_held_out_sequences_get_no_better_and_stays(key):
    # What is held out contradicts what is trained on: the first update is the best.
    train = jnp.full((8, 13), 14, jnp.uint8)
    held_out = jnp.full((2, 13), 20, jnp.uint8)
    learner = likelihood(crl.make("melody-theory", length=12), CONFIG, Sequences(train, held_out))
    update = jax.jit(learner.update)
    state, finished = learner.init(key), []
    for _ in range(8):
        state, metrics = update(state)
        finished.append(bool(metrics["finished"]))
    assert finished.index(True) == int(state.num_updates) - 1 < 7
    assert int(state.num_worse) == CONFIG.patience
    frozen, _ = update(state)
    jax.tree.map(
        np.testing.assert_array_equal,
        frozen.replace(key=jax.random.key_data(frozen.key)),
        state.replace(key=jax.random.key_data(state.key)),
    )
    best, last = state.best_variables["params"], state.variables["params"]
    assert (np.asarray(best["head"]["bias"]) != np.asarray(last["head"]["bias"])).any()


def test_what_it_cannot_learn_from_is_refused(sequences):
    theory = crl.make("melody-theory")
    with pytest.raises(ValueError, match="batch_size must be at most sequences = 32, got 64"):
        likelihood(theory, dataclasses.replace(CONFIG, batch_size=64), sequences)
    with pytest.raises(ValueError, match="held-out sequences, got none"):
        likelihood(theory, CONFIG, sequences.replace(held_out=sequences.held_out[:0]))
    with pytest.raises(ValueError, match="predicts events from the last one"):
        likelihood(crl.make("melody-target"), CONFIG, sequences)
    with pytest.raises(ValueError, match="likelihood resets its environments"):
        likelihood(AutoReset(theory), CONFIG, sequences)


@pytest.mark.parametrize("part", ["train", "held_out"])
@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda events: events.at[0, 0].set(99), r"of the environment, 0\.\.37, got 99; take one"),
        (lambda events: events.astype(int).at[0, 0].set(-1), r"0\.\.37, got -1; take one"),
        (lambda events: events.astype(float), r"whole numbers \[N, T\] .* got float32\[\d+, 13\]"),
        (lambda events: events[:, :1], r"with T of at least 2, got uint8\[\d+, 1\]"),
        (lambda events: events[:, 0], r"whole numbers \[N, T\] .* got uint8\[\d+\]"),
    ],
)
def test_events_that_are_no_actions_are_refused(sequences, part, spoil, line):
    spoiled = sequences.replace(**{part: spoil(getattr(sequences, part))})
    with pytest.raises(ValueError, match=f"likelihood: events must be .*{line}"):
        likelihood(crl.make("melody-theory"), CONFIG, spoiled)


def test_without_a_horizon_it_predicts_and_composes_nothing():
    env = crl.make("grid-path")
    assert env.horizon is None
    examples = Examples(
        env.observation_space.zeros((8, 3)), jnp.zeros((8, 3), env.action_space.dtype)
    )
    learner = likelihood(env, CONFIG, Demonstrations(examples, examples))
    assert learner.generate is None


def test_smoothing_all_the_way_learns_the_uniform_distribution(sequences, key):
    config = dataclasses.replace(CONFIG, label_smoothing=1.0, patience=100)
    learner = likelihood(crl.make("melody-theory", length=12), config, sequences)
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 10))
    _, metrics = run(learner.init(key))
    np.testing.assert_allclose(metrics["nll"][-1], np.log(38), atol=0.05)

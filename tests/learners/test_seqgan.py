"""SeqGAN: what a prefix is worth by hand, its phases, and that a taste is learned."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conformance.learner_case import Case

import creative_rl as crl
from creative_rl.configs import SeqGANConfig
from creative_rl.learners import seqgan
from creative_rl.ops import rollouts, token_lstm
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.wrappers import AutoReset

CASE = Case(
    small=SeqGANConfig(
        batch_size=4,
        embedding_size=3,
        memory_size=4,
        num_rollouts=2,
        num_discriminator_rounds=1,
        num_discriminator_epochs=1,
        discriminator_embedding=3,
        windows=(2,),
        filters=(2,),
        baseline=True,
        pretrain_updates=1,
        discriminator_pretrain_updates=1,
    )
)
ENV = crl.make("text", length=4, vocabulary=("a", "b"))


def certain(num_tokens: int = 3) -> token_lstm.TokenLSTM:
    """After token k it writes k + 1, and after the last the first: embeddings are one-hot, and the
    gates let the last token alone through."""
    eye = jnp.eye(num_tokens, dtype=jnp.float32)
    zeros = jnp.zeros((num_tokens, num_tokens), jnp.float32)
    return token_lstm.TokenLSTM(
        embedding=eye,
        inputs=jnp.concatenate([zeros, zeros, zeros, 20 * eye], axis=1),
        recurrent=jnp.zeros((num_tokens, 4 * num_tokens), jnp.float32),
        bias=jnp.repeat(jnp.array([20, -20, 20, 0], jnp.float32), num_tokens),
        head=100 * jnp.roll(eye, 1, axis=1),
        head_bias=jnp.zeros(num_tokens, jnp.float32),
    )


@pytest.mark.parametrize("length", [2, 3, 4, 5])
def test_prefixes_are_completed_as_the_policy_goes_on(length, key):
    tokens = jax.random.randint(key, (6, length), 0, 3, jnp.int32)
    starts = jnp.zeros(6, jnp.int32)
    policy = certain()
    _, memories = jax.jit(token_lstm.unroll)(policy, tokens, starts)
    complete = jax.jit(rollouts.completions)
    found = np.asarray(complete(policy, memories, tokens, starts, key))
    assert found.shape == (length - 1, 6, length)
    for prefix in range(1, length):
        for row, made in zip(np.asarray(tokens), found[prefix - 1], strict=True):
            wanted = row[:prefix].tolist()
            while len(wanted) < length:
                wanted.append((wanted[-1] + 1) % 3)
            assert made.tolist() == wanted


def test_values_are_means_of_a_known_reward(key):
    """The reward counts a token; the policy writes it with a known probability at every place."""
    logits = jnp.log(jnp.array([0.2, 0.8], jnp.float32))
    blind = jax.tree.map(jnp.zeros_like, token_lstm.normal(key, 2, 1, 1)).replace(head_bias=logits)
    tokens = jnp.array([[0, 1, 0, 1, 1]] * 400 + [[1, 1, 1, 1, 1]] * 400, jnp.int32)

    def count(tokens):
        return tokens.sum(axis=1).astype(jnp.float32)

    found = np.asarray(
        rollouts.values(blind, count, tokens, jnp.zeros(800, jnp.int32), key, num_rollouts=3)
    )
    assert found.shape == (800, 5)
    for rows, row in ((found[:400], tokens[0]), (found[400:], tokens[-1])):
        so_far = np.cumsum(np.asarray(row))
        wanted = so_far + 0.8 * np.arange(4, -1, -1)
        np.testing.assert_allclose(rows.mean(axis=0), wanted, atol=0.08)
        assert (rows[:, -1] == so_far[-1]).all()
    # Draws of a prefix do not depend on those of others, and not on each other.
    assert len(np.unique(found[:400, 0])) > 4


def test_a_sequence_of_one_token_is_worth_its_reward(key):
    policy = certain()
    tokens = jnp.array([[0], [2]], jnp.int32)
    found = rollouts.values(
        policy, lambda t: t[:, 0] * 0.5, tokens, jnp.zeros(2, jnp.int32), key, 4
    )
    assert found.tolist() == [[0.0], [1.0]]


def windows(*texts, num=32):
    rows = [ENV.letters.encode(text) for text in texts]
    return jnp.asarray([[0, *rows[i % len(rows)]] for i in range(num)], jnp.uint8)


CONFIG = SeqGANConfig(
    batch_size=16, embedding_size=4, memory_size=8, num_rollouts=4, num_discriminator_rounds=1,
    num_discriminator_epochs=2, windows=(1, 2), filters=(8, 8), discriminator_embedding=4,
    pretrain_updates=0, discriminator_pretrain_updates=3, discriminator_learning_rate=1e-2,
)  # fmt: skip


def test_the_generator_learns_what_the_discriminator_takes_for_real(key):
    """Without any likelihood, from the discriminator alone."""
    part = windows("abab")
    config = dataclasses.replace(
        CONFIG, baseline=True, policy_learning_rate=3e-2, windows=(1, 4), num_rollouts=2
    )
    learner = seqgan(ENV, config, Sequences(part, part[:2]))
    run = jax.jit(lambda state: jax.lax.scan(lambda s, _: learner.update(s), state, None, 60))
    state, metrics = run(learner.init(key))
    assert metrics["phase"].tolist() == [1] * 3 + [2] * 57
    works = learner.generate(state, key, 40)
    share = np.mean(
        [ENV.letters.decode(row.tolist()) == "abab" for row in np.asarray(works.tokens)]
    )
    assert share > 0.5  # by chance 1 in 16
    assert metrics["held_out_nll"][-1] < metrics["held_out_nll"][0] / 2


def test_phases_train_what_is_theirs(key):
    part = windows("aabb", "bbaa")
    config = dataclasses.replace(
        CONFIG, pretrain_updates=1, discriminator_pretrain_updates=1, rollout_decay=0.75
    )
    learner = seqgan(ENV, config, Sequences(part, part[:2]))
    update = jax.jit(learner.update)
    states, told = [learner.init(key)], []
    for phase in range(3):
        state, metrics = update(states[-1])
        assert int(metrics["phase"]) == phase
        states.append(state)
        told.append(metrics)
    assert learner.steps_per_update == 32
    rows = part[:2].astype(jnp.int32)
    nll = -token_lstm.log_probs(states[1].generator, rows[:, 1:], rows[:, 0]).mean()
    np.testing.assert_allclose(told[0]["held_out_nll"], nll, rtol=1e-4)
    assert told[0]["nll"] < np.log(2) + 0.05 and told[1]["discriminator_loss"] > 0

    def same(name, a, b):
        pairs = zip(*(jax.tree.leaves(getattr(states[i], name)) for i in (a, b)), strict=True)
        return all(np.array_equal(x, y) for x, y in pairs)

    assert not same("generator", 0, 1) and same("discriminator", 0, 1)
    assert same("generator", 1, 2) and not same("discriminator", 1, 2)
    assert not same("generator", 2, 3) and not same("discriminator", 2, 3)
    for lagging, generator in ((states[1].rollout, states[1].generator),):
        jax.tree.map(np.testing.assert_array_equal, lagging, generator)
    old, new, now = states[2].rollout, states[3].generator, states[3].rollout
    np.testing.assert_allclose(now.head, 0.75 * old.head + 0.25 * new.head, rtol=1e-5)
    np.testing.assert_array_equal(now.embedding, new.embedding)


def test_demonstrations_are_learned_by_their_actions(key):
    env = crl.make("melody-target-tutorial")
    examples = Examples(jnp.zeros((16, 5), jnp.int32), jnp.ones((16, 5), jnp.int32))
    learner = seqgan(env, CONFIG, Demonstrations(examples, examples))
    assert learner.policy is None  # it sees its own actions, not three states
    state, metrics = jax.eval_shape(lambda: learner.update(learner.init(key)))
    assert state.sequences.train.actions.shape == (16, 5) and metrics["held_out_nll"].shape == ()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"windows": (1, 5)}, "windows must be at most the horizon = 4, got 5"),
        ({"windows": (1,)}, "windows and filters must be as many, got 1 and 2"),
        ({"batch_size": 64}, "batch_size must be at most sequences = 32, got 64"),
        ({"dropout": 1.0}, "SeqGANConfig: dropout must be below 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, line):
    part = windows("abab")
    with pytest.raises(ValueError, match=line):
        seqgan(ENV, dataclasses.replace(CONFIG, **change), Sequences(part, part))


def test_what_it_cannot_learn_from_is_refused():
    part = windows("abab")
    with pytest.raises(ValueError, match=r"sequences must have horizon = 4 actions .*, got 3"):
        seqgan(ENV, CONFIG, Sequences(part[:, :4], part))
    with pytest.raises(ValueError, match="of held-out sequences, got none"):
        seqgan(ENV, CONFIG, Sequences(part, part[:0]))
    with pytest.raises(ValueError, match="seqgan resets its environments"):
        seqgan(AutoReset(ENV), CONFIG, Sequences(part, part))
    with pytest.raises(ValueError, match="seqgan plays whole episodes to a horizon"):
        seqgan(crl.make("grid-path"), CONFIG, Sequences(part, part))

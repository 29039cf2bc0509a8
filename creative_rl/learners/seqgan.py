"""SeqGAN: a generator of sequences learns by likelihood, then from a discriminator's opinion.

Source: Yu et al., SeqGAN (AAAI 2017), arXiv 1609.05473, algorithm 1, with the sizes and numbers of
its released code: an LSTM, whose tokens are paid by Monte-Carlo roll-outs of a policy that lags
behind it; a discriminator of convolutions with a highway layer; both are trained before they meet.

An update is an epoch of likelihood in the first phase, a round of the discriminator in the second
and one adversarial round in the third: a policy gradient step, a step of the roll-out policy, and
rounds of the discriminator.

Deviations: the discriminator has one score for two; gradients of rewards stay a sum over a batch,
as released, where the paper has a mean; the last batch of an epoch that is not full is left out.
"""

from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import SeqGANConfig, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.networks.text_critic import TextCritic
from creative_rl.ops import distributions, rollouts, token_lstm
from creative_rl.ops.token_lstm import TokenLSTM
from creative_rl.spaces import Discrete
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(SeqGANConfig)

_SAMPLED_AT_ONCE = 512
"""Sequences that are sampled or measured side by side: their logits fit a cache."""


class SeqGANState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is."""

    generator: TokenLSTM
    rollout: TokenLSTM  # the generator, some updates ago
    discriminator: PyTree  # variables
    opt_state: PyTree  # of likelihood
    policy_opt_state: PyTree
    discriminator_opt_state: PyTree
    sequences: Sequences | Demonstrations
    measures: dict[str, Array]  # of what each phase did last
    key: Key
    num_updates: Array  # int32


class SeqGANMemory(flax.struct.PyTreeNode):
    """What an episode goes on from."""

    lstm: token_lstm.Memory
    token: Array  # int32: the last one; the first where there is none


def seqgan(env: Any, config: SeqGANConfig, sequences: Sequences | Demonstrations) -> Learner:
    """Build the learner.

    Metrics: `phase` (0 likelihood, 1 discriminator, 2 adversarial), `held_out_nll` in nats a token
    of held-out sequences after the update, and, of the last update that had one, `nll` of the
    sequences trained on, `reward` (the discriminator's mean probability of the sequences that the
    generator is paid for), `discriminator_loss` and `discriminator_accuracy` (0.5 is a tie).
    `steps_per_update` counts the sequences of an epoch, whatever the phase.

    Args:
      env: environment with `Discrete` actions and a fixed horizon, not wrapped in `AutoReset`, in
        which works are created. Where its observations are as many as its actions they are taken
        for the last one, as in `text` and `melody-theory`; else the generator sees its own.
      config: static fields shape the program, the others may be tracers.
      sequences: windows of one event before it and `horizon` actions, [N, horizon + 1]; or
        demonstrations, of which the actions are learned.

    Raises:
      ValueError: a field is out of range, events are no actions of the environment or not as many
        as its horizon, or there are fewer sequences than `batch_size` to train on or none held out.

    Example:
      >>> import creative_rl as crl
      >>> env = crl.make("text", length=4, vocabulary=("a", "b"))
      >>> config = SeqGANConfig(batch_size=2, windows=(1, 2), filters=(4, 4), num_rollouts=1)
      >>> windows = jnp.zeros((4, 5), jnp.uint8)
      >>> learner = seqgan(env, config, Sequences(windows, windows))
      >>> state, metrics = jax.jit(learner.update)(learner.init(jax.random.key(0)))
      >>> int(metrics["phase"]), learner.generate(state, jax.random.key(1), 3).tokens.shape
      (0, (3, 4))
    """
    validate(config, SeqGANConfig)
    num_train = _check(env, config, sequences)
    num_tokens, length, batch_size = env.action_space.num, env.horizon, config.batch_size
    sees_last = env.observation_space == Discrete(num_tokens)
    num_batches = num_train // batch_size
    num_samples = num_train if config.num_samples is None else config.num_samples
    critic: Any = TextCritic(
        num_tokens, config.discriminator_embedding, config.windows, config.filters
    )
    clip = optax.clip_by_global_norm(config.max_grad_norm)
    optimizer = optax.chain(clip, optax.adam(config.learning_rate))
    policy_optimizer = optax.chain(clip, optax.adam(config.policy_learning_rate))
    discriminator_optimizer = optax.adam(config.discriminator_learning_rate)

    def init(key: Key) -> SeqGANState:
        key, key_generator, key_critic = jax.random.split(as_key(key), 3)
        sizes = num_tokens, config.embedding_size, config.memory_size
        generator = token_lstm.normal(key_generator, *sizes, config.init_scale)
        discriminator = critic.init(key_critic, jnp.zeros((1, length), jnp.int32))
        return SeqGANState(
            generator=generator,
            rollout=jax.tree.map(jnp.copy, generator),
            discriminator=discriminator,
            opt_state=optimizer.init(generator),
            policy_opt_state=policy_optimizer.init(generator),
            discriminator_opt_state=discriminator_optimizer.init(discriminator),
            sequences=jax.tree.map(jnp.array, sequences),
            measures={
                "nll": jnp.log(jnp.float32(num_tokens)),
                "reward": jnp.float32(0.5),
                "discriminator_loss": jnp.log(jnp.float32(2)),
                "discriminator_accuracy": jnp.float32(0.5),
            },
            key=key,
            num_updates=jnp.int32(0),
        )

    def rows_of(part: Any, rows: Array) -> tuple[Array, Array]:
        """What stands before sequences, int32[N], and they, int32[N, T]."""
        events = _windows(part)[rows].astype(jnp.int32)
        return (events[:, 0] if sees_last else jnp.zeros_like(events[:, 0])), events[:, 1:]

    def write(generator: TokenLSTM, part: Any, key: Key, num: int) -> tuple[Array, Array]:
        """New sequences, and what stood before them, drawn from the corpus."""
        key_rows, key_write = jax.random.split(key)
        starts, _ = rows_of(part, jax.random.randint(key_rows, (num,), 0, num_train))
        if num <= (size := _SAMPLED_AT_ONCE):
            return starts, token_lstm.sample(generator, key_write, num, length, starts)
        padded = jnp.pad(starts, (0, -num % size)).reshape(-1, size)

        def some(inputs: tuple[Array, Key]) -> Array:
            return token_lstm.sample(generator, inputs[1], size, length, inputs[0])

        keys = jax.random.split(key_write, padded.shape[0])
        tokens = jax.lax.map(some, (padded, keys))
        return starts, tokens.reshape(-1, length)[:num]

    def likelihood_step(carry, rows):
        generator, opt_state, part = carry
        starts, tokens = rows_of(part, rows)

        def nll_of(generator: TokenLSTM) -> Array:
            return -token_lstm.log_probs(generator, tokens, starts).mean()

        nll, gradients = jax.value_and_grad(nll_of)(generator)
        updates, opt_state = optimizer.update(gradients, opt_state, generator)
        return (optax.apply_updates(generator, updates), opt_state, part), nll

    def learn_likelihood(state: SeqGANState, rows: Array) -> SeqGANState:
        """Gradient steps on rows int32[K, B]."""
        carry = (state.generator, state.opt_state, state.sequences.train)
        (generator, opt_state, _), nll = jax.lax.scan(likelihood_step, carry, rows)
        measures = {**state.measures, "nll": nll.mean()}
        return state.replace(generator=generator, opt_state=opt_state, measures=measures)

    def discriminator_step(carry, inputs):
        variables, opt_state = carry
        tokens, is_real, key = inputs

        def loss_of(variables: PyTree) -> tuple[Array, tuple[Array, Array]]:
            scores = critic.apply(variables, tokens, config.dropout, key)
            loss = optax.sigmoid_binary_cross_entropy(scores, is_real.astype(jnp.float32)).mean()
            head = variables["params"]["head"]
            l2 = 0.5 * (jnp.square(head["kernel"]).sum() + jnp.square(head["bias"]).sum())
            accuracy = ((scores > 0) == is_real).mean(dtype=jnp.float32)
            return loss + config.l2_coef * l2, (loss, accuracy)

        gradients, measured = jax.grad(loss_of, has_aux=True)(variables)
        updates, opt_state = discriminator_optimizer.update(gradients, opt_state, variables)
        return (optax.apply_updates(variables, updates), opt_state), measured

    def discriminator_round(state: SeqGANState, key: Key) -> SeqGANState:
        """New sequences, and passes over them and as many of the corpus."""
        key_write, key_real, key_epochs = jax.random.split(key, 3)
        train = state.sequences.train
        _, fake = write(state.generator, train, key_write, num_samples)
        rows = jax.random.permutation(key_real, num_train)[: min(num_samples, num_train)]
        _, real = rows_of(train, rows)
        pool = jnp.concatenate([real, fake])
        is_real = jnp.arange(pool.shape[0], dtype=jnp.int32) < real.shape[0]
        num_steps = max(pool.shape[0] // batch_size, 1)

        def epoch(carry, key):
            key_rows, key_steps = jax.random.split(key)
            rows = jax.random.permutation(key_rows, pool.shape[0])
            rows = rows[: num_steps * batch_size].reshape(num_steps, -1)
            keys = jax.random.split(key_steps, num_steps)

            def one(carry, inputs):
                rows, key = inputs
                return discriminator_step(carry, (pool[rows], is_real[rows], key))

            carry, measured = jax.lax.scan(one, carry, (rows, keys))
            return carry, jax.tree.map(jnp.mean, measured)

        carry = (state.discriminator, state.discriminator_opt_state)
        keys = jax.random.split(key_epochs, config.num_discriminator_epochs)
        (variables, opt_state), (losses, accuracies) = jax.lax.scan(epoch, carry, keys)
        measured = {"discriminator_loss": losses[-1], "discriminator_accuracy": accuracies[-1]}
        return state.replace(
            discriminator=variables,
            discriminator_opt_state=opt_state,
            measures={**state.measures, **measured},
        )

    def generator_step(state: SeqGANState, key: Key) -> tuple[SeqGANState, None]:
        key_write, key_rollouts = jax.random.split(key)
        starts, tokens = write(state.generator, state.sequences.train, key_write, batch_size)

        def probability(tokens: Array) -> Array:
            return jax.nn.sigmoid(critic.apply(state.discriminator, tokens))

        rewards = rollouts.values(
            state.rollout, probability, tokens, starts, key_rollouts, config.num_rollouts
        )
        paid = rewards - rewards.mean(axis=0, keepdims=True) if config.baseline else rewards

        def loss_of(generator: TokenLSTM) -> Array:
            return -(token_lstm.log_probs(generator, tokens, starts) * paid).sum()

        gradients = jax.grad(loss_of)(state.generator)
        updates, opt_state = policy_optimizer.update(
            gradients, state.policy_opt_state, state.generator
        )
        state = state.replace(
            generator=optax.apply_updates(state.generator, updates),
            policy_opt_state=opt_state,
            measures={**state.measures, "reward": rewards[:, -1].mean()},
        )
        return state, None

    def likelihood_phase(state: SeqGANState, key: Key) -> SeqGANState:
        rows = jax.random.permutation(key, num_train)[: num_batches * batch_size]
        state = learn_likelihood(state, rows.reshape(num_batches, batch_size))
        # The roll-out policy is born of the generator that adversarial training starts from.
        return state.replace(rollout=jax.tree.map(jnp.copy, state.generator))

    def adversarial_phase(state: SeqGANState, key: Key) -> SeqGANState:
        key_generator, key_rows, key_discriminator = jax.random.split(key, 3)
        keys = jax.random.split(key_generator, config.num_generator_steps)
        state, _ = jax.lax.scan(generator_step, state, keys)
        if config.num_likelihood_steps:
            shape = (config.num_likelihood_steps, batch_size)
            state = learn_likelihood(state, jax.random.randint(key_rows, shape, 0, num_train))
        decay = config.rollout_decay
        lagging = jax.tree.map(
            lambda old, new: decay * old + (1 - decay) * new, state.rollout, state.generator
        )
        # Embeddings do not lag, as released.
        embedding = jnp.copy(state.generator.embedding)
        state = state.replace(rollout=lagging.replace(embedding=embedding))

        def one(state: SeqGANState, key: Key) -> tuple[SeqGANState, None]:
            return discriminator_round(state, key), None

        keys = jax.random.split(key_discriminator, config.num_discriminator_rounds)
        return jax.lax.scan(one, state, keys)[0]

    def held_out_nll(state: SeqGANState) -> Array:
        part = state.sequences.held_out
        rows = jnp.arange(_windows(part).shape[0], dtype=jnp.int32)

        def of(row: Array) -> Array:
            starts, tokens = rows_of(part, row[None])
            return -token_lstm.log_probs(state.generator, tokens, starts).mean()

        if rows.shape[0] <= _SAMPLED_AT_ONCE:
            return jax.vmap(of)(rows).mean()
        return jax.lax.map(of, rows, batch_size=_SAMPLED_AT_ONCE).mean()

    def update(state: SeqGANState) -> tuple[SeqGANState, dict[str, Array]]:
        key, key_phase = jax.random.split(state.key)
        first = jnp.asarray(config.pretrain_updates, jnp.int32)
        second = first + jnp.asarray(config.discriminator_pretrain_updates, jnp.int32)
        phase = (state.num_updates >= first).astype(jnp.int32) + (state.num_updates >= second)
        phases = [likelihood_phase, discriminator_round, adversarial_phase]
        state = jax.lax.switch(phase, phases, state, key_phase)
        state = state.replace(key=key, num_updates=state.num_updates + 1)
        return state, {"phase": phase, "held_out_nll": held_out_nll(state), **state.measures}

    def init_memory() -> SeqGANMemory:
        zeros = jnp.zeros(config.memory_size, jnp.float32)
        return SeqGANMemory((zeros, zeros), jnp.int32(0))

    def outputs(
        state: SeqGANState, timestep: Timestep, memory: SeqGANMemory
    ) -> tuple[Array, SeqGANMemory]:
        token = timestep.observation if sees_last else memory.token
        lstm, logits = token_lstm.step(state.generator, memory.lstm, token)
        return distributions.mask_logits(logits, timestep.action_mask), memory.replace(lstm=lstm)

    def choose(key: Key, outputs: Array) -> Array:
        uniform = jax.random.uniform(as_key(key), outputs.shape[:-1], jnp.float32)
        return distributions.categorical_from_uniform(outputs, uniform)

    policy = Policy(outputs, choose)

    def act(
        state: SeqGANState, key: Key, timestep: Timestep, memory: SeqGANMemory
    ) -> tuple[Array, SeqGANMemory]:
        token, memory = policy.act(state, key, timestep, memory)
        return token, memory.replace(token=token)

    def generate(state: SeqGANState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], sampled token by token."""
        return compose(env, env.default_params, partial(act, state), init_memory, key, num)

    steps = num_batches * batch_size
    return Learner(init, update, act, init_memory, steps, generate, policy if sees_last else None)


def _windows(part: Any) -> Any:
    """[N, T + 1]: events, the first of which is before the sequence."""
    return jnp.pad(part.actions, ((0, 0), (1, 0))) if isinstance(part, Examples) else part


def _check(env: Any, config: SeqGANConfig, sequences: Sequences | Demonstrations) -> int:
    """How many there are to train on; refuse what cannot be learned, or not here."""
    requirements.never_resets("seqgan", env)
    num_tokens = requirements.num_actions("seqgan", env)
    length = requirements.fixed_horizon("seqgan", env)
    num_train, num_held_out = requirements.sequences_in(
        "seqgan", sequences, num_tokens, config.batch_size
    )
    if num_held_out < 1:
        raise ValueError("seqgan: its likelihood is of held-out sequences, got none")
    found = _windows(sequences.train).shape[1] - 1
    if found != length:
        raise ValueError(
            f"seqgan writes what the environment lets it, so sequences must have horizon = "
            f"{length} actions and one event before them, got {found}"
        )
    if len(config.windows) != len(config.filters):
        raise ValueError(
            f"seqgan: windows and filters must be as many, got {len(config.windows)} and "
            f"{len(config.filters)}"
        )
    requirements.at_most("seqgan", "windows", max(config.windows), "the horizon", length)
    return num_train

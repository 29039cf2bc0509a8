"""A sequence model trained by maximum likelihood, with early stopping on held-out sequences.

It is RL Tuner's Note RNN (Jaques et al., arXiv 1611.02796): an LSTM that predicts the next event
from the last one. Its variables serve as a reward (`wrappers.LikelihoodReward`) and as a
policy's start.
"""

from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import LikelihoodConfig, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.networks import Model, repeat_memory
from creative_rl.ops import distributions
from creative_rl.spaces import Discrete
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(LikelihoodConfig)


class LikelihoodState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is."""

    variables: PyTree
    best_variables: PyTree
    """those with the best held-out likelihood: what `act`, `generate` and rewards use"""
    best_nll: Array  # float32: nats an event
    nll: Array  # float32: of the last update's batches
    num_worse: Array  # int32: updates since the best
    opt_state: PyTree
    sequences: Sequences
    key: Key
    num_updates: Array  # int32


def sequence_model(env: Any, config: LikelihoodConfig) -> Model:
    """The network: events in, logits of the next event out."""
    return Model(
        space=env.observation_space,
        num_outputs=requirements.num_actions("likelihood", env),
        recurrent=config.recurrent,
        memory_size=config.memory_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        context=config.context,
    )


def likelihood(env: Any, config: LikelihoodConfig, sequences: Sequences) -> Learner:
    """Build the learner.

    Args:
      env: environment whose observations are the last event and whose actions are the next
        (equal `Discrete` spaces), such as `melody-theory`; `generate` composes in it.
      config: static fields shape the program, the others may be tracers.
      sequences: windows of events below the number of actions.

    Raises:
      ValueError: the spaces differ, a field is out of range, or there are fewer sequences than
        `batch_size` to train on or none held out.
    """
    validate(config, LikelihoodConfig)
    model = sequence_model(env, config)
    num_events = requirements.num_actions("likelihood", env)
    if env.observation_space != Discrete(num_events):
        raise ValueError(
            "likelihood predicts actions from the last one, so observations must be "
            f"{env.action_space}, got {env.observation_space}"
        )
    num_train, num_held_out = sequences.train.shape[0], sequences.held_out.shape[0]
    requirements.at_most("likelihood", "batch_size", config.batch_size, "sequences", num_train)
    if num_held_out < 1:
        raise ValueError("likelihood: early stopping needs held-out sequences, got none")
    fresh = model.init_memory()
    optimizer = optax.chain(
        optax.clip_by_global_norm(config.max_grad_norm), optax.adam(config.learning_rate)
    )

    def init(key: Key) -> LikelihoodState:
        key, key_model = jax.random.split(as_key(key))
        observation = env.observation_space.zeros()
        variables = model.init(key_model, observation, fresh)
        return LikelihoodState(
            variables=variables,
            best_variables=jax.tree.map(jnp.copy, variables),
            best_nll=jnp.float32(jnp.finfo(jnp.float32).max),
            nll=jnp.log(jnp.float32(num_events)),
            num_worse=jnp.int32(0),
            opt_state=optimizer.init(variables),
            sequences=jax.tree.map(jnp.asarray, sequences),
            key=key,
            num_updates=jnp.int32(0),
        )

    def negative_log_likelihood(variables: PyTree, windows: Array) -> tuple[Array, Array]:
        """Mean nats an event of uint8[B, T + 1]: the smoothed loss, and the plain one."""
        events = windows.astype(jnp.int32).T  # [T + 1, B]
        starts = jnp.zeros(events[:-1].shape, jnp.bool_)
        memory = repeat_memory(fresh, windows.shape[0])
        logits, _ = model.apply(variables, events[:-1], starts, memory, method="unroll")
        nll = -distributions.categorical_log_prob(logits, events[1:]).mean()
        uniform = -jax.nn.log_softmax(logits).mean()
        smoothing = config.label_smoothing
        return (1.0 - smoothing) * nll + smoothing * uniform, nll

    def gradient_step(carry, rows):
        variables, opt_state, windows = carry
        gradients, nll = jax.grad(negative_log_likelihood, has_aux=True)(variables, windows[rows])
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        return (optax.apply_updates(variables, updates), opt_state, windows), nll

    def learn(state: LikelihoodState) -> LikelihoodState:
        key, key_rows = jax.random.split(state.key)
        rows = jax.random.randint(key_rows, (config.num_steps, config.batch_size), 0, num_train)
        carry = (state.variables, state.opt_state, state.sequences.train)
        (variables, opt_state, _), nll = jax.lax.scan(gradient_step, carry, rows)
        _, held_out_nll = negative_log_likelihood(variables, state.sequences.held_out)
        is_better = held_out_nll < state.best_nll
        return state.replace(
            variables=variables,
            best_variables=jax.tree.map(
                lambda new, old: jnp.where(is_better, new, old), variables, state.best_variables
            ),
            best_nll=jnp.minimum(held_out_nll, state.best_nll),
            nll=nll.mean(),
            num_worse=jnp.where(is_better, 0, state.num_worse + 1),
            opt_state=opt_state,
            key=key,
            num_updates=state.num_updates + 1,
        )

    def is_finished(state: LikelihoodState) -> Array:
        return state.num_worse >= config.patience

    def update(state: LikelihoodState) -> tuple[LikelihoodState, dict[str, Array]]:
        """Learn, or, once finished, leave everything as it is."""
        state = jax.lax.cond(is_finished(state), lambda state: state, learn, state)
        return state, {
            "nll": state.nll,
            "best_held_out_nll": state.best_nll,
            "num_worse": state.num_worse,
            "finished": is_finished(state),
        }

    def act(
        state: LikelihoodState, key: Key, timestep: Timestep, memory: PyTree
    ) -> tuple[Array, PyTree]:
        logits, memory = model.apply(state.best_variables, timestep.observation, memory)
        logits = distributions.mask_logits(logits, timestep.action_mask)
        return distributions.categorical_sample(as_key(key), logits), memory

    def generate(state: LikelihoodState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], sampled event by event."""
        return compose(env, env.default_params, partial(act, state), model.init_memory, key, num)

    examples = config.num_steps * config.batch_size
    return Learner(init, update, act, model.init_memory, examples, generate)

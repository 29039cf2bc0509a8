"""A sequence model trained by maximum likelihood, with early stopping on held-out sequences.

Of events it is RL Tuner's Note RNN (Jaques et al., arXiv 1611.02796): an LSTM that predicts the
next event from the last one. Of demonstrations it is behaviour cloning (Pomerleau, "ALVINN", NIPS
1988): it predicts the action from what was observed so far. Its variables serve as a reward
(`wrappers.LikelihoodReward`) and as a policy's start.
"""

from functools import partial
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import spread
from creative_rl.configs import LikelihoodConfig, shared, validate
from creative_rl.learners import requirements
from creative_rl.learners.composing import compose
from creative_rl.networks import Model, repeat_memory
from creative_rl.ops import distributions
from creative_rl.spaces import Discrete
from creative_rl.stores.demonstrations import Demonstrations, Examples
from creative_rl.stores.sequences import Sequences
from creative_rl.typing import Array, Key, Learner, Policy, PyTree, Timestep, as_key

jax.tree_util.register_dataclass(LikelihoodConfig)


class LikelihoodState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is."""

    variables: PyTree
    best_variables: PyTree  # by held-out likelihood: what `act`, `generate` and rewards use
    best_nll: Array  # float32: nats an action
    nll: Array  # float32: of the last update's batches
    num_worse: Array  # int32: updates since the best
    opt_state: PyTree
    sequences: Sequences | Demonstrations
    key: Key
    num_updates: Array  # int32


def sequence_model(env: Any, config: LikelihoodConfig) -> Model:
    """The network: observations in, logits of the next action out."""
    return Model(
        space=env.observation_space,
        num_outputs=requirements.num_actions("likelihood", env),
        **shared(config, Model),
    )


def likelihood(
    env: Any, config: LikelihoodConfig, sequences: Sequences | Demonstrations
) -> Learner:
    """Build the learner.

    Args:
      env: environment with `Discrete` actions, not wrapped in `AutoReset`; `generate` composes in
        it, where it has a horizon. To learn from `Sequences` its observations are the last event
        and its actions the next (equal spaces), as in `melody-theory`.
      config: static fields shape the program, the others may be tracers.
      sequences: windows of events below the number of actions; or demonstrations in the
        environment, such as `demonstrating.demonstrate` plays. Masked actions are predicted as all
        others, and not taken.

    Raises:
      ValueError: observations are not what the sequences have, events are no actions of the
        environment, a field is out of range, or there are fewer sequences than `batch_size` to
        train on or none held out.
    """
    validate(config, LikelihoodConfig)
    model = sequence_model(env, config)
    num_events = requirements.num_actions("likelihood", env)
    num_train = _check(env, config, sequences)
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
            sequences=jax.tree.map(jnp.array, sequences),
            key=key,
            num_updates=jnp.int32(0),
        )

    def negative_log_likelihood(variables: PyTree, part: Array | Examples) -> tuple[Array, Array]:
        """Mean nats an action: the smoothed loss, and the plain one."""
        observations, actions = _time_first(part)
        starts = jnp.zeros(actions.shape, jnp.bool_)
        memory = repeat_memory(fresh, actions.shape[1])
        logits, _ = model.apply(variables, observations, starts, memory, method="unroll")
        nll = -distributions.categorical_log_prob(logits, actions).mean()
        uniform = -jax.nn.log_softmax(logits).mean()
        smoothing = config.label_smoothing
        return (1.0 - smoothing) * nll + smoothing * uniform, nll

    def gradient_step(carry, rows):
        variables, opt_state, part = carry
        batch = spread(jax.tree.map(lambda leaf: leaf[rows], part), axis=0)
        gradients, nll = jax.grad(negative_log_likelihood, has_aux=True)(variables, batch)
        updates, opt_state = optimizer.update(gradients, opt_state, variables)
        return (optax.apply_updates(variables, updates), opt_state, part), nll

    @jax.named_scope("learn")
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

    def outputs(state: LikelihoodState, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        logits, memory = model.apply(state.best_variables, timestep.observation, memory)
        return distributions.mask_logits(logits, timestep.action_mask), memory

    def choose(key: Key, outputs: Array) -> Array:
        return distributions.categorical_sample(as_key(key), outputs)

    policy = Policy(outputs, choose)

    def generate(state: LikelihoodState, key: Key, num: int) -> PyTree:
        """`num` works, leaves [num, ...], sampled action by action."""
        act = partial(policy.act, state)
        return compose(env, env.default_params, act, model.init_memory, key, num)

    examples = config.num_steps * config.batch_size
    composes = generate if env.horizon is not None else None
    return Learner(init, update, policy.act, model.init_memory, examples, composes, policy)


def _time_first(part: Array | Examples) -> tuple[PyTree, Array]:
    """Observations, leaves [T, B, ...], and the actions int32[T, B] that answered to them.

    Of windows of events uint8[B, T + 1] these are each event and the next.
    """
    if isinstance(part, Examples):
        observations = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), part.observations)
        return observations, part.actions.astype(jnp.int32).T
    events = part.astype(jnp.int32).T
    return events[:-1], events[1:]


def _check(env: Any, config: LikelihoodConfig, sequences: Sequences | Demonstrations) -> int:
    """Refuse what cannot be learned from, or not in this environment; how many train."""
    requirements.never_resets("likelihood", env)
    num_events = requirements.num_actions("likelihood", env)
    is_of_events = not isinstance(sequences, Demonstrations)
    if is_of_events and env.observation_space != Discrete(num_events):
        raise ValueError(
            "likelihood predicts events from the last one, so observations must be the last of "
            f"{num_events} actions, as in melody-theory; those of {type(env).__name__} are a "
            f"{type(env.observation_space).__name__}, which takes Demonstrations"
        )
    num_train, num_held_out = requirements.sequences_in(
        "likelihood", sequences, num_events, config.batch_size
    )
    for part, name in ((sequences.train, "train"), (sequences.held_out, "held_out")):
        if isinstance(part, Examples):
            _check_examples(env, part, name)
    if num_held_out < 1:
        raise ValueError("likelihood: early stopping needs held-out sequences, got none")
    return num_train


def _check_examples(env: Any, part: Examples, name: str) -> None:
    """Refuse examples that are not the environment's, by their structure and shapes."""
    num, length = part.actions.shape
    expected = jax.eval_shape(lambda: env.observation_space.zeros((num, length)))
    wanted, given = (
        (jax.tree.structure(tree), [leaf.shape for leaf in jax.tree.leaves(tree)])
        for tree in (expected, part.observations)
    )
    if wanted != given:
        raise ValueError(
            f"likelihood: observations of {name} must be [N, T, ...] = [{num}, {length}, ...] of "
            f"{env.observation_space}, got {jax.tree.map(jnp.shape, part.observations)}"
        )

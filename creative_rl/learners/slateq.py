"""SlateQ: the long-term value of every item, and slates made of them.

Source: Ie et al., "SlateQ" (arXiv 1905.12767). A user takes one item of a slate, or nothing, by a
choice model that is known; so the value of a slate is that of its items, each weighted with the
probability of its choice (section 4.1):

    Q(s, A) = sum over i in A and nothing of P(i | s, A) Q(s, i)
    Q(s, i) <- r + gamma Q(s', A')                     for the item i that was chosen.

A' is the slate that was shown next (SARSA), or the best by top-k, greedy or exact optimisation
(section 4.3): `target` and `serve` are chosen apart, so that QL-OT-TS of the paper is
`SlateQConfig(target="optimal", serve="top")`.

Deviations: choosing nothing has a learned value of its own, as an item without features, where
RecSim's released agents take it for zero, which overrates being chosen (`nothing="zero"`: then only
choices are learned from); only termination cuts the bootstrap; a SARSA step whose next slate is not
known, because the episode was truncated there, takes the one that would be served.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.configs import SlateQConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements, stream
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model
from creative_rl.ops import losses, schedules, slates
from creative_rl.spaces import Box, Discrete, MultiDiscrete
from creative_rl.stores import replay
from creative_rl.typing import Array, Candidates, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(SlateQConfig)


class SlateQState(flax.struct.PyTreeNode):
    """Everything that a run of SlateQ is; saving it is an exact checkpoint."""

    variables: PyTree
    target_variables: PyTree
    opt_state: PyTree
    replay: replay.Replay  # of `Step`
    env_params: PyTree
    stream: stream.Stream
    key: Key
    num_updates: Array  # int32


class Step(NamedTuple):
    """What is replayed."""

    observation: PyTree
    slate: Array  # int32[k]
    reward: Array
    terminated: Array
    next_observation: PyTree  # what the step led to, before any reset


def slateq(env: Any, config: SlateQConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: environment with `candidates`, whose actions are places of them: `MultiDiscrete` with
        equal entries, or `Discrete` for slates of one; not wrapped in `AutoReset`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: the environment has no candidates or other actions, a config field is out of
        range, the replay is smaller than a batch or than what one update adds, or there are too
        many slates to compare.
    """
    validate(config, SlateQConfig)
    requirements.never_resets("slateq", env)
    num_items, size = _slate_sizes(env)
    if "optimal" in (config.target, config.serve):
        most, num = slates.MOST_SLATES, slates.num_slates(num_items, size)
        if num > most:
            raise ValueError(
                f"slateq: optimal slates are the best of at most {most}, got {num}, {size} of "
                f"{num_items} items; set target and serve to greedy or top"
            )
    for name, number in (
        ("batch_size", config.batch_size),
        ("num_envs * num_steps", config.num_envs * config.num_steps),
    ):
        requirements.at_most("slateq", name, number, "replay_size", config.replay_size)
    logged_env, action_space = EpisodeLog(env), env.action_space
    steps_per_update = config.num_envs * config.num_steps
    learns_nothing = config.nothing == "learned"
    length = 2 if config.target == "sarsa" else 1
    select = slates.SELECT[config.serve]
    given = env.default_params if params is None else params
    told = jax.eval_shape(env.candidates, env.observation_space.zeros(), given)
    if told.items.shape[0] != num_items:
        raise ValueError(
            f"slateq: actions are places of the {told.items.shape[0]} candidates, got "
            f"{env.action_space}; leave out what numbers slates"
        )
    model = Model(
        space=Box(-jnp.inf, jnp.inf, (told.user.shape[0] + told.items.shape[1] + 1,)),
        num_outputs=1,
        activation="relu",
        **shared(config, Model),
    )
    optimizer = optax.flatten(
        optax.chain(
            optax.clip_by_global_norm(config.max_grad_norm), optax.adam(config.learning_rate)
        )
    )

    def init(key: Key) -> SlateQState:
        key, key_model, key_reset = jax.random.split(as_key(key), 3)
        variables = model.init(key_model, model.space.zeros(), ())
        env_params = start_params(env, params)
        current = stream.init(logged_env, key_reset, env_params, config.num_envs)
        one = jax.tree.map(lambda leaf: leaf[0], current.timestep)
        item = Step(
            observation=one.observation,
            slate=jnp.zeros(size, jnp.int32),
            reward=one.reward,
            terminated=one.terminated,
            next_observation=one.observation,
        )
        return SlateQState(
            variables=variables,
            target_variables=jax.tree.map(jnp.copy, variables),
            opt_state=optimizer.init(variables),
            replay=replay.init(item, config.replay_size, config.num_envs, config.num_steps),
            env_params=env_params,
            stream=current,
            key=key,
            num_updates=jnp.int32(0),
        )

    def values_of(variables: PyTree, user: Array, items: Array) -> Array:
        """float32[...]: values of items [..., F + 1], the last a mark of choosing nothing."""
        seen = jnp.concatenate(
            [jnp.broadcast_to(user, (*items.shape[:-1], user.shape[-1])), items], axis=-1
        )
        return model.apply(variables, seen, ())[0][..., 0]

    def valued(variables: PyTree, told: Candidates) -> tuple[Array, Array]:
        """Advantages [B, m] of all candidates over choosing nothing, and its value [B]."""
        items = _with_nothing(told.items)
        values = values_of(variables, told.user[:, None], items)
        if not learns_nothing:
            return values[:, 1:], jnp.zeros_like(values[:, 0])
        return values[:, 1:] - values[:, :1], values[:, 0]

    def best_slates(select: slates.Select, told: Candidates, advantages: Array) -> Array:
        """int32[B, k]."""

        def of_one(scores: Array, advantages: Array, nothing: Array) -> Array:
            return select(scores, advantages, nothing, size)

        return jax.vmap(of_one)(told.scores, advantages, told.nothing)

    def candidates(observation: PyTree, env_params: PyTree) -> Candidates:
        return jax.vmap(env.candidates, (0, None))(observation, env_params)

    def num_steps(num_updates: Array) -> Array:
        return schedules.environment_steps(num_updates, steps_per_update)

    def epsilon(num_updates: Array) -> Array:
        return schedules.linear(
            config.epsilon_start, config.epsilon_end, config.epsilon_steps, num_steps(num_updates)
        )

    def as_action(slate: Array) -> Array:
        """The slate [..., k] as the environment takes it."""
        slate = slate.astype(action_space.dtype)
        return slate[..., 0] if isinstance(action_space, Discrete) else slate

    def collect(state: SlateQState, key_noise: Key, key_step: Key) -> tuple[SlateQState, Timestep]:
        share = epsilon(state.num_updates)

        def step(current, randomness):
            noise, keys = randomness
            observation = current.timestep.observation
            told = candidates(observation, state.env_params)
            advantages, _ = valued(state.variables, told)
            served = best_slates(select, told, advantages)
            random = jax.vmap(lambda uniform: slates.random_slate(uniform, size))(noise[:, 1:])
            slate = jnp.where(noise[:, :1] < share, random, served)
            following = stream.step(logged_env, keys, current, as_action(slate), state.env_params)
            after = following.timestep
            collected = Step(
                observation=observation,
                slate=slate,
                reward=after.reward,
                terminated=after.terminated,
                next_observation=after.info["final_observation"],
            )
            return following, (collected, after)

        # All randomness at once: in the loop, small draws would cost more than the network.
        shape = (config.num_steps, config.num_envs)
        randomness = (
            jax.random.uniform(key_noise, (*shape, 1 + num_items)),
            stream.step_keys(key_step, *shape),
        )
        current, (steps, timesteps) = jax.lax.scan(step, state.stream, randomness)
        state = state.replace(
            env_params=logged_env.update_params(state.env_params, timesteps),
            stream=current,
            replay=replay.add(state.replay, steps, timesteps.ended),
        )
        return state, timesteps

    def next_value(
        target_variables: PyTree, after: Candidates, shown: Array, is_known: Array
    ) -> Array:
        """Of what the steps led to, [B]; `shown` are the next slates where they are known."""
        advantages, of_nothing = valued(target_variables, after)
        method = config.serve if config.target == "sarsa" else config.target
        following = best_slates(slates.SELECT[method], after, advantages)
        if config.target == "sarsa":
            following = jnp.where(is_known[:, None], shown, following)
        gain = jax.vmap(slates.slate_value)(after.scores, advantages, after.nothing, following)
        return of_nothing + gain

    def loss_fn(
        variables: PyTree, target_variables: PyTree, windows: replay.Windows, env_params: PyTree
    ) -> tuple[Array, dict[str, Array]]:
        steps = jax.tree.map(lambda leaf: leaf[0], windows.items)
        before = candidates(steps.observation, env_params)
        after = candidates(steps.next_observation, env_params)
        value = next_value(target_variables, after, windows.items.slate[-1], windows.mask[-1])
        target = losses.q_learning_target(steps.reward, steps.terminated, value, config.gamma)
        chosen = _chosen_items(before, steps.slate, after.choice)
        predicted = values_of(variables, before.user, chosen)
        counts = windows.mask[0]
        if not learns_nothing:
            counts &= after.choice > 0
        total = jnp.maximum(counts.sum(), 1)
        error = jnp.where(counts, predicted - jax.lax.stop_gradient(target), 0.0)
        loss = jnp.square(error).sum() / total
        return loss, {"loss": loss, "q_mean": jnp.where(counts, predicted, 0.0).sum() / total}

    def learn(state: SlateQState, keys: Key) -> tuple[PyTree, PyTree, dict[str, Array]]:
        def gradient_step(carry, key):
            variables, opt_state = carry
            windows = replay.sample(state.replay, key, config.batch_size, length)
            gradients, metrics = jax.grad(loss_fn, has_aux=True)(
                variables, state.target_variables, windows, state.env_params
            )
            updates, opt_state = optimizer.update(gradients, opt_state, variables)
            return (optax.apply_updates(variables, updates), opt_state), metrics

        learned, metrics = jax.lax.scan(gradient_step, (state.variables, state.opt_state), keys)
        return *learned, jax.tree.map(jnp.mean, metrics)

    def wait(state: SlateQState, keys: Key) -> tuple[PyTree, PyTree, dict[str, Array]]:
        return state.variables, state.opt_state, dict.fromkeys(("loss", "q_mean"), jnp.float32(0))

    def update(state: SlateQState) -> tuple[SlateQState, dict[str, Array]]:
        keys = jax.random.split(state.key, 3 + config.num_epochs)
        share = epsilon(state.num_updates)
        state, timesteps = collect(state.replace(key=keys[0]), keys[1], keys[2])
        num_updates = state.num_updates + 1
        first = jnp.maximum(config.learning_starts, length * config.num_envs)  # a whole window
        variables, opt_state, metrics = jax.lax.cond(
            num_steps(num_updates) >= first, learn, wait, state, keys[3:]
        )
        tau = jnp.where(num_updates % config.target_interval == 0, config.target_tau, 0.0)
        state = state.replace(
            variables=variables,
            target_variables=optax.incremental_update(variables, state.target_variables, tau),
            opt_state=opt_state,
            num_updates=num_updates,
        )
        return state, metrics | episode_metrics(timesteps) | {"epsilon": share}

    def act(state: SlateQState, key: Key, timestep: Timestep, memory: PyTree):
        """The slate that `serve` makes; the key is not needed."""
        observation = jax.tree.map(lambda leaf: leaf[None], timestep.observation)
        told = candidates(observation, state.env_params)
        advantages, _ = valued(state.variables, told)
        return as_action(best_slates(select, told, advantages)[0]), memory

    return Learner(init, update, act, tuple, steps_per_update)


def _slate_sizes(env: Any) -> tuple[int, int]:
    """How many candidates there are, and how many of them are in a slate."""
    requirements.one_of("slateq", env, (Discrete, MultiDiscrete))
    space = env.action_space
    nums = (space.num,) if isinstance(space, Discrete) else space.nums
    if len(set(nums)) > 1:
        raise ValueError(
            f"slateq fills every place of a slate from the same candidates, got {space}; take a "
            "learner for such actions"
        )
    num_items, size = nums[0], len(nums)
    if size > num_items:
        raise ValueError(
            f"slateq: slates are of distinct items, got {size} places for {num_items} candidates"
        )
    return num_items, size


def _with_nothing(items: Array) -> Array:
    """float32[B, 1 + m, F + 1]: choosing nothing is the first, marked in the last feature."""
    marked = jnp.pad(items, ((0, 0), (1, 0), (0, 1)))
    return marked.at[:, 0, -1].set(1.0)


def _chosen_items(told: Candidates, slate: Array, choice: Array) -> Array:
    """float32[B, F + 1]: of slates [B, k] what was chosen, as `_with_nothing` has it."""
    place = jnp.maximum(choice, 1) - 1
    item = jnp.take_along_axis(slate, place[:, None], axis=1)[:, 0]
    number = jnp.where(choice > 0, item + 1, 0)
    return jnp.take_along_axis(_with_nothing(told.items), number[:, None, None], axis=1)[:, 0]

"""Analytic policy gradients: the return of whole episodes, differentiated through the environment.

Where an environment's steps are differentiable, the gradient of the return with respect to the
policy is there exactly, and no critic and no likelihood ratio has to estimate it. Actions are draws
of a squashed normal whose noise is fixed beforehand (reparameterised), which smooths the returns
over the actions that are near; `act` takes the most likely one.

Sources: Heess et al., "Learning Continuous Control Policies by Stochastic Value Gradients" (NeurIPS
2015, SVG(inf)); as `apg` in Brax (Freeman et al., arXiv 2106.13281, section 5). Learning to Paint
(ICCV 2019) learns through its renderer in the same way, one step at a time.
"""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from creative_rl.axes import spread
from creative_rl.configs import APGConfig, shared, validate
from creative_rl.environment import start_params
from creative_rl.learners import requirements
from creative_rl.learners.summary import episode_metrics
from creative_rl.networks import Model
from creative_rl.ops import schedules
from creative_rl.spaces import Box
from creative_rl.typing import Array, Key, Learner, PyTree, Timestep, as_key
from creative_rl.wrappers import EpisodeLog

jax.tree_util.register_dataclass(APGConfig)


class APGState(flax.struct.PyTreeNode):
    """Everything that a run of the learner is; saving it is an exact checkpoint."""

    variables: PyTree
    opt_state: PyTree
    env_params: PyTree
    key: Key
    num_updates: Array  # int32


def apg(env: Any, config: APGConfig, params: PyTree = None) -> Learner:
    """Build the learner.

    Args:
      env: differentiable environment with bounded `Box` actions and a fixed horizon, such as
        `make("drawing-copy", differentiable=True)`.
      config: static fields shape the program, the others may be tracers.
      params: environment params, the environment's defaults where None.

    Raises:
      ValueError: gradients do not flow through the environment, its actions are of another kind,
        it has no horizon, or a config field is out of range.
    """
    validate(config, APGConfig)
    requirements.one_of("apg", env, (Box,))
    requirements.never_resets("apg", env)
    requirements.is_differentiable("apg", env)
    head = requirements.action_head("apg", env, params)
    horizon = requirements.fixed_horizon("apg", env)
    logged_env = EpisodeLog(env)
    model = Model(
        space=env.observation_space,
        num_outputs=head.num_outputs,
        head_scale=0.1,
        **shared(config, Model),
    )
    optimizer = optax.chain(
        optax.clip_by_global_norm(config.max_grad_norm),
        optax.adam(schedules.linear_decay(config.learning_rate, config.decay_updates)),
    )

    def init(key: Key) -> APGState:
        key, key_model = jax.random.split(as_key(key))
        variables = model.init(key_model, env.observation_space.zeros(), ())
        return APGState(
            variables=variables,
            opt_state=optimizer.init(variables),
            env_params=start_params(env, params),
            key=key,
            num_updates=jnp.int32(0),
        )

    def play(
        variables: PyTree, env_params: PyTree, key: Key
    ) -> tuple[Array, tuple[Timestep, Array]]:
        """Minus the objective; the timesteps, leaves [T, B], and the policy's mean entropy."""
        key_reset, key_noise, key_steps = jax.random.split(key, 3)
        starts = spread(jax.random.split(key_reset, config.num_envs), axis=0)
        env_state, timestep = jax.vmap(logged_env.reset, (0, None))(starts, env_params)
        shape = (horizon, config.num_envs)

        # What happens inside a step is computed again on the way back: canvases are large.
        @jax.checkpoint
        def step(carry, randomness):
            env_state, observation = carry
            noise, keys = randomness
            outputs, _ = model.apply(variables, observation, ())
            action = head.action(head.choose(outputs, noise))
            env_state, timestep = jax.vmap(logged_env.transition, (0, 0, 0, None))(
                keys, env_state, action, env_params
            )
            return (env_state, timestep.observation), (timestep, head.entropy(outputs))

        randomness = (head.noise(key_noise, shape), jax.random.split(key_steps, shape))
        _, (timesteps, entropies) = jax.lax.scan(
            step, (env_state, timestep.observation), randomness
        )
        discounts = config.gamma ** jnp.arange(horizon, dtype=jnp.float32)
        objective = (discounts[:, None] * timesteps.reward).sum(0).mean()
        entropy = entropies.mean()
        loss = -objective - config.entropy_coef * entropy
        return loss, (timesteps, entropy)

    def update(state: APGState) -> tuple[APGState, dict[str, Array]]:
        key, key_play = jax.random.split(state.key)
        gradients, (timesteps, entropy) = jax.grad(play, has_aux=True)(
            state.variables, state.env_params, key_play
        )
        updates, opt_state = optimizer.update(gradients, state.opt_state, state.variables)
        state = state.replace(
            variables=optax.apply_updates(state.variables, updates),
            opt_state=opt_state,
            env_params=logged_env.update_params(state.env_params, timesteps),
            key=key,
            num_updates=state.num_updates + 1,
        )
        metrics = {"entropy": entropy, "gradient_norm": optax.tree.norm(gradients)}
        return state, metrics | episode_metrics(timesteps)

    def act(state: APGState, key: Key, timestep: Timestep, memory: PyTree) -> tuple[Array, PyTree]:
        """The most likely action."""
        outputs, _ = model.apply(state.variables, timestep.observation, ())
        return head.action(head.best(outputs)), memory

    return Learner(init, update, act, tuple, horizon * config.num_envs)

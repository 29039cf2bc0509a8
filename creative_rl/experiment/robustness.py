"""What a policy still reaches when what it sees is perturbed to mislead it.

What is perturbed, and the unit of a radius, are those of `learners.ppo`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import flax.errors
import jax
import jax.numpy as jnp

from creative_rl.configs import A2CConfig, PPOConfig, ReinforceConfig, shared
from creative_rl.environment import check_whole
from creative_rl.experiment.rollouts import MAX_STEPS
from creative_rl.learners import requirements
from creative_rl.networks import Model, feature_space, features
from creative_rl.ops import distributions, losses
from creative_rl.ops.action_heads import ActionHead, action_head
from creative_rl.ops.perturbation import projected_gradient
from creative_rl.spaces import Discrete
from creative_rl.typing import Array, Key, PyTree, as_key

ATTACKS = ("divergence", "best_action", "lowest_value")
"""What the attacker wants, as losses for `ops.perturbation.projected_gradient`.

`divergence`: a policy far from the true one, by KL (Zhang et al., arXiv 2003.08938, the maximal
action difference attack). `best_action`: its best action is unlikely (Huang et al., arXiv
1702.02284, section 3). `lowest_value`: the value that it expects is low (after Pattanaik et al.,
arXiv 1712.03632, section 4); that of an action is the reward that the environment would give and
the critic's value of what would come, so this attacker has a model, and needs `Discrete` actions.
What it makes large is the logarithm of the expected regret, which has a slope where a policy is
sure.
"""


def attacked_returns(
    env: Any,
    params: PyTree,
    config: PPOConfig | A2CConfig | ReinforceConfig,
    variables: PyTree,
    key: Key,
    num: int,
    *,
    attack: str,
    radius: float | Array,
    num_steps: int = 10,
) -> Array:
    """float32[num]: undiscounted returns of episodes in which every observation is attacked.

    A pure function, to be compiled, and mapped over variables and radii. The policy acts by draws,
    and knows nothing of the attack; the attacker knows the policy and the state. With the same key
    the episodes of all attacks and radii have the same starts and draws.

    Args:
      env: the environment, not wrapped in `AutoReset`.
      params: its params.
      config: what the learner was built with.
      variables: of "actor" and, for `lowest_value`, "critic", as `state.variables` has them.
      key: of all episodes.
      num: episodes, at least 1.
      attack: one of `ATTACKS`.
      radius: how far any feature may be moved, at least 0; 0 for no attack.
      num_steps: gradients for every perturbation, 1 to 10,000.

    Raises:
      ValueError: an unknown attack, or one that the actions or the variables do not allow;
        variables of networks that the config does not describe; or an argument is none of these.
    """
    _check(env, config, variables, attack)
    _check_numbers(num, radius, num_steps)
    head = action_head(env.action_space)
    actor, critic = (_seeing_model(env, config, size) for size in (head.num_outputs, 1))
    _check_sizes(actor, variables, "actor")
    if attack == "lowest_value":
        _check_sizes(critic, variables, "critic")
    step = env.step if env.horizon is None else env.transition

    def policy(seen: Array, memory: PyTree, action_mask: Array | None) -> tuple[Array, PyTree]:
        outputs, memory = actor.apply(variables["actor"], seen, memory)
        return distributions.mask_logits(outputs, action_mask), memory

    def action_values(key: Key, env_state: PyTree, memory: PyTree) -> Array:
        """float32[A]: what each action would lead to."""
        actions = jnp.arange(env.action_space.num, dtype=env.action_space.dtype)
        _, next_timestep = jax.vmap(step, (None, None, 0, None))(key, env_state, actions, params)
        seen = features(env.observation_space, next_timestep.observation)
        value, _ = jax.vmap(critic.apply, (None, 0, None))(variables["critic"], seen, memory)
        return losses.q_learning_target(
            next_timestep.reward, next_timestep.terminated, value[:, 0], config.gamma
        )

    def advance(carry: PyTree, keys: Key) -> tuple[PyTree, None]:
        env_state, timestep, memory, total = carry
        seen = features(env.observation_space, timestep.observation)
        values = None
        if attack == "lowest_value":
            _, critic_memory = critic.apply(variables["critic"], seen, memory["critic"])
            memory = {**memory, "critic": critic_memory}
            values = action_values(keys[3], env_state, critic_memory)
        outputs, _ = policy(seen, memory["actor"], timestep.action_mask)
        damage_fn = _damage_fn(attack, head, outputs, values)
        worst = projected_gradient(
            keys[0],
            lambda seen: damage_fn(policy(seen, memory["actor"], timestep.action_mask)[0]),
            seen,
            radius,
            num_steps,
        )
        outputs, actor_memory = policy(worst, memory["actor"], timestep.action_mask)
        action = head.draw(keys[1], outputs)
        env_state, timestep = step(keys[2], env_state, action, params)
        memory = {**memory, "actor": actor_memory}
        return (env_state, timestep, memory, total + timestep.reward), None

    def play(index: Array) -> Array:
        key_reset, key_steps = jax.random.split(jax.random.fold_in(as_key(key), index))
        env_state, timestep = env.reset(key_reset, params)
        memory = {"actor": actor.init_memory(), "critic": critic.init_memory()}
        carry = (env_state, timestep, memory, jnp.float32(0))
        keys = jax.random.split(key_steps, (env.horizon or MAX_STEPS, 4))
        (*_, total), _ = jax.lax.scan(advance, carry, keys)
        return total

    return jax.vmap(play)(jnp.arange(num))


def _seeing_model(
    env: Any, config: PPOConfig | A2CConfig | ReinforceConfig, num_outputs: int
) -> Model:
    """A learner's network from the features on, which takes the learner's variables."""
    space = feature_space(env.observation_space)
    return Model(space=space, num_outputs=num_outputs, **shared(config, Model))


def _damage_fn(
    attack: str, head: ActionHead, outputs: Array, values: Array | None
) -> Callable[[Array], Array]:
    """What is to be large, of the outputs that a perturbation leads to; see `ATTACKS`.

    `values` are those of the actions, where the attack is `lowest_value`.
    """
    if values is not None:
        is_worse = values < values.max()
        regret = jnp.where(is_worse, values.max() - values, 1.0)
        log_regret = distributions.mask_logits(jnp.log(regret), is_worse)
        return lambda moved: jax.nn.logsumexp(jax.nn.log_softmax(moved) + log_regret)
    if attack == "divergence":
        return lambda moved: head.divergence(outputs, moved)
    best = head.best(outputs)
    return lambda moved: -head.log_prob(moved, best)


def _check(env: Any, config: Any, variables: PyTree, attack: str) -> None:
    requirements.never_resets("attacked_returns", env)
    if not isinstance(config, PPOConfig | A2CConfig | ReinforceConfig):
        raise ValueError(
            "attacked_returns: config must be that of a ppo, a2c or reinforce learner, got "
            f"{type(config).__name__}"
        )
    if not isinstance(variables, Mapping) or "actor" not in variables:
        given = list(variables) if isinstance(variables, Mapping) else type(variables).__name__
        raise ValueError(
            "attacked_returns: variables must have the networks by name, actor among them, as "
            f"state.variables, got {given}"
        )
    if attack not in ATTACKS:
        raise ValueError(
            f"attacked_returns: attack must be one of {', '.join(ATTACKS)}, got {attack!r}"
        )
    if attack == "lowest_value" and not (
        isinstance(env.action_space, Discrete) and "critic" in variables
    ):
        raise ValueError(
            "attacked_returns: lowest_value needs Discrete actions and the variables of a critic, "
            f"got {env.action_space} and {', '.join(variables)}; take another attack"
        )


def _check_numbers(num: int, radius: float | Array, num_steps: int) -> None:
    check_whole("attacked_returns", "num", num, 1, 2**31 - 1)
    check_whole("attacked_returns", "num_steps", num_steps, 1, 10_000)
    if isinstance(radius, int | float) and not 0 <= radius < math.inf:
        raise ValueError(
            f"attacked_returns: radius must be a finite number of at least 0, got {radius}"
        )


def _check_sizes(model: Model, variables: PyTree, name: str) -> None:
    try:
        jax.eval_shape(model.apply, variables[name], model.space.zeros(), model.init_memory())
    except flax.errors.FlaxError:
        raise ValueError(
            f"attacked_returns: the variables of the {name} are not of a network with this "
            "config's sizes; give the config that the learner was built with"
        ) from None

"""Floating-point operations of one environment step, its share of learning included, by hand.

Only products of matrices are counted, two operations for each weight and sample; activations, the
optimizer, the replay and the environment come on top. So what a machine could do if it did nothing
but these products, at its best rate, is a ceiling that no learner with the same settings passes.
"""

import itertools

from benchmarks.speed import settings

CARTPOLE = (4, 2)
PENDULUM = (3, 1)
"""Numbers in an observation, and actions or numbers in an action."""


def forward(sizes: tuple[int, ...]) -> int:
    """Of one sample through dense layers of these widths, inputs first."""
    return 2 * sum(wide * high for wide, high in itertools.pairwise(sizes))


def gradient(sizes: tuple[int, ...]) -> int:
    """Forward and backward: every layer again for its weights, and all but the first for inputs."""
    return 3 * forward(sizes) - forward(sizes[:2])


def ppo_step(task: settings.PPOTask) -> float:
    """Acting and valuing once; then in every epoch the gradients of both networks."""
    num_features, num_actions = CARTPOLE
    hidden = (num_features, task.hidden_size, task.hidden_size)
    policy, value = (*hidden, num_actions), (*hidden, 1)
    learning = gradient(policy) + gradient(value)
    return forward(policy) + forward(value) + task.num_epochs * learning


def dqn_step(task: settings.DQNTask) -> float:
    """Acting; and of a batch, the target network's values and the gradient of the other's.

    There is one batch for a step of all environments.
    """
    num_features, num_actions = CARTPOLE
    values = (num_features, *task.hidden_sizes, num_actions)
    learning = forward(values) + gradient(values)
    return forward(values) + task.batch_size / task.num_envs * learning


def sac_step(task: settings.SACTask) -> float:
    """Acting; and of a batch, the gradients of policy and critics, with what their losses need.

    The critics learn towards the target critics' values of the policy's next actions. The policy
    learns through the critics: forward, and backward for their inputs alone.
    """
    num_features, num_numbers = PENDULUM
    policy = (num_features, *task.hidden_sizes, 2 * num_numbers)  # means and deviations
    critic = (num_features + num_numbers, *task.hidden_sizes, 1)
    targets = forward(policy) + 2 * forward(critic)
    critics = 2 * gradient(critic)
    through_critics = 2 * 2 * forward(critic)
    learning = targets + critics + gradient(policy) + through_critics
    return forward(policy) + task.batch_size / task.num_envs * learning


def per_step(task: settings.Task) -> float:
    """Operations of one environment step, those of learning from it included."""
    count = {
        settings.PPOTask: ppo_step,
        settings.DQNTask: dqn_step,
        settings.SACTask: sac_step,
    }
    return count[type(task)](task)


def largest_product(task: settings.Task) -> tuple[int, int, int]:
    """Samples of a gradient step, and the widths of both hidden layers."""
    if isinstance(task, settings.PPOTask):
        samples = task.steps_per_update // task.num_minibatches
        return samples, task.hidden_size, task.hidden_size
    return task.batch_size, *task.hidden_sizes

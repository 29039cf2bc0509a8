"""What the contenders train: the same task, sizes and numbers for all. Imports nothing heavy.

And the names that a benchmark and its worker share, since not every benchmark may load JAX.
"""

import dataclasses

ENVIRONMENT = "CartPole-v1"
CONTINUOUS = "Pendulum-v1"

MELODY_PPO, MELODY_DQN = "melody-ppo-lstm", "melody-dqn-gru"
"""Groups of `training` beside its tasks: recurrent learners on melodies."""
LEVEL_PPO = "level-ppo-600"
"""Another: PPO on labyrinths of 16 x 16 tiles, 600 of them side by side."""
EXPERIMENT, BARE, KEPT = "experiment", "bare", "kept"
"""A group, and its units: the compiled loop, and the same with logs and checkpoints."""

PLAIN, BARE_LOOP = "plain", "bare"
"""Units of `environments`: a plain Python environment, and the bare reward over a window."""

SHORT, LONG = "short", "long"
"""Tasks of `strokes`."""
SURFACE, ARRAY, PILLOW, COPY = "skia-surface", "skia-array", "pillow", "copy"
"""Units of `strokes` beside its widths."""

UNIFORM, PRIORITISED = "add + sample", "prioritised sample + update"
"""Tasks of `replay`."""


@dataclasses.dataclass(frozen=True)
class PPOTask:
    """PPO on CartPole, as purejaxrl's default: 64x64 tanh, 4 epochs of 4 minibatches.

    Attributes:
      num_envs: environments side by side.
      num_steps: steps of each in an update.
      num_updates: updates in one round.
      torch_updates: updates in one round of a PyTorch contender, which takes longer.
    """

    num_envs: int
    num_steps: int
    num_updates: int
    torch_updates: int
    num_epochs: int = 4
    num_minibatches: int = 4
    hidden_size: int = 64
    learning_rate: float = 2.5e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip_eps: float = 0.2
    entropy_coef: float = 0.01
    value_coef: float = 0.5
    max_grad_norm: float = 0.5

    @property
    def steps_per_update(self) -> int:
        return self.num_envs * self.num_steps


@dataclasses.dataclass(frozen=True)
class DQNTask:
    """DQN on CartPole, as purejaxrl's default: one gradient step for a step of all environments.

    Only learning starts sooner, so that nearly all of a round is learning.

    Attributes:
      num_updates: steps of all environments in one round.
      torch_updates: as many for a PyTorch contender.
    """

    num_updates: int
    torch_updates: int
    num_envs: int = 10
    replay_size: int = 10_000
    batch_size: int = 128
    hidden_sizes: tuple[int, int] = (120, 84)
    learning_rate: float = 2.5e-4
    gamma: float = 0.99
    learning_starts: int = 1_000
    target_steps: int = 500
    epsilon_start: float = 1.0
    epsilon_end: float = 0.05
    epsilon_steps: int = 250_000


@dataclasses.dataclass(frozen=True)
class SACTask:
    """SAC on Pendulum, as the default of Stable-Baselines3: a gradient step for every step.

    Attributes:
      hidden_sizes: of the policy and both critics, relu.
      num_updates: steps, and gradient steps, in one round.
      torch_updates: as many for a PyTorch contender.
      learning_starts: none, so that all of a round is learning.
      target_tau: share of the critics that moves into their targets at every gradient step.
    """

    hidden_sizes: tuple[int, int]
    num_updates: int
    torch_updates: int
    num_envs: int = 1
    replay_size: int = 100_000
    batch_size: int = 256
    learning_rate: float = 3e-4
    gamma: float = 0.99
    learning_starts: int = 0
    target_tau: float = 0.005


Task = PPOTask | DQNTask | SACTask
NARROW, WIDE, DQN = "ppo-4x128", "ppo-2048x16", "dqn-10"
SAC, SAC_WIDE = "sac-1x64", "sac-1x256"
LEARNING_STEPS = 500_000
"""Environment steps after which CartPole should be learned."""


def tasks(quick: bool) -> dict[str, Task]:
    """By name; quick ones are too short to learn from, and rough."""
    if quick:
        return {
            NARROW: PPOTask(4, 128, num_updates=100, torch_updates=4),
            DQN: DQNTask(num_updates=3_000, torch_updates=400),
            SAC: SACTask((64, 64), num_updates=1_000, torch_updates=150),
        }
    return {
        NARROW: PPOTask(4, 128, num_updates=LEARNING_STEPS // 512, torch_updates=24),
        WIDE: PPOTask(2048, 16, num_updates=30, torch_updates=1),
        DQN: DQNTask(num_updates=20_000, torch_updates=1_500),
        SAC: SACTask((64, 64), num_updates=6_000, torch_updates=700),
        SAC_WIDE: SACTask((256, 256), num_updates=800, torch_updates=300),
    }

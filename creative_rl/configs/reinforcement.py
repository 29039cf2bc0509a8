"""Learners that act for rewards."""

import dataclasses
from typing import Literal

from creative_rl.configs.fields import (
    TransformerFields,
    decay,
    positive,
    share,
    signed,
    static,
    unit,
)

__all__ = [
    "A2CConfig",
    "APGConfig",
    "DAggerConfig",
    "DQNConfig",
    "PPOConfig",
    "QLearningConfig",
    "ReinforceConfig",
    "SACConfig",
    "SlateQConfig",
]

Recurrence = Literal["none", "lstm", "gru", "transformer"]
ReplayedRecurrence = Literal["none", "lstm", "gru"]
Activation = Literal["tanh", "relu"]


@dataclasses.dataclass(frozen=True)
class PPOConfig(TransformerFields):
    """Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347)."""

    num_envs: int = static(64)
    """environments stepped side by side"""
    num_steps: int = static(32)
    """steps of every environment in one update"""
    num_epochs: int = static(4)
    """passes over the collected steps in one update"""
    num_minibatches: int = static(4)
    """gradient steps in one pass"""
    hidden_sizes: tuple[int, ...] = static((64, 64))
    """widths of the hidden layers of policy and value function"""
    activation: Activation = static("tanh")
    """of the hidden layers"""
    by_tile: bool = static(False)
    """the policy convolves maps whose actions are numbered by tile, and acts tile by tile"""
    channels: tuple[int, ...] = static((32, 32))
    """of the convolutions of maps, first to last"""
    recurrent: Recurrence = static("none")
    """memory of policy and value function"""
    memory_size: int = static(100)
    """width of the memory, where there is one"""
    normalize_advantages: bool = static(True)
    """subtract mean and divide by deviation in each minibatch"""
    clip_value_loss: bool = static(True)
    """keep the value near the old one, too"""
    kl_early_stop: bool = static(False)
    """end an update's gradient steps once the policy has moved by more than `target_kl`"""
    robust_steps: int = static(0, least=0)
    """gradients in the search for the worst perturbation of what the policy sees; 0 for none"""
    learning_rate: float = positive(2.5e-4)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    gae_lambda: float = unit(0.95)
    """decay of the advantage estimate (Schulman et al. 2016, arXiv 1506.02438)"""
    clip_eps: float = positive(0.2)
    """how far the probability ratio may move in one update"""
    value_clip_eps: float = positive(0.2)
    """how far the value may move in one update, with `clip_value_loss`"""
    target_kl: float = positive(0.02)
    """nats between old and new policy at which learning stops, with `kl_early_stop`"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    entropy_reward_coef: float = 0.0
    """weight of -log pi(a|s) in the reward; that of a likelihood reward makes it KL control"""
    value_coef: float = 0.5
    """weight of the value loss"""
    robust_coef: float = 0.1
    """weight of the policy's change under the worst perturbation, with `robust_steps`"""
    robust_radius: float = 0.1
    """how far it may move a feature: a number in its own unit, an entry of a one-hot of 0..1"""
    max_grad_norm: float = positive(0.5)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class A2CConfig(TransformerFields):
    """Advantage actor-critic (Mnih et al. 2016, arXiv 1602.01783)."""

    num_envs: int = static(64)
    """environments stepped side by side"""
    num_steps: int = static(8)
    """steps of every environment in one update, which is one gradient step"""
    hidden_sizes: tuple[int, ...] = static((64, 64))
    """widths of the hidden layers of policy and value function"""
    activation: Activation = static("tanh")
    """of the hidden layers"""
    recurrent: Recurrence = static("none")
    """memory of policy and value function"""
    memory_size: int = static(100)
    """width of the memory"""
    normalize_advantages: bool = static(False)
    """subtract mean and divide by deviation in each update"""
    learning_rate: float = positive(7e-4)
    """step size of RMSProp"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    rms_decay: float = decay(0.99)
    """share of the old mean square that RMSProp keeps"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    gae_lambda: float = unit(1.0)
    """decay of the advantage estimate; 1 is the n-step return of the paper"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    value_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = positive(0.5)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class ReinforceConfig(TransformerFields):
    """REINFORCE with reward-to-go (Williams 1992, Machine Learning 8)."""

    num_envs: int = static(64)
    """episodes played side by side in one update"""
    num_steps: int | None = static(None)
    """most steps of an episode; None for the environment's horizon"""
    hidden_sizes: tuple[int, ...] = static((64, 64))
    """widths of the hidden layers"""
    activation: Activation = static("tanh")
    """of the hidden layers"""
    recurrent: Recurrence = static("none")
    """memory of policy and baseline"""
    memory_size: int = static(100)
    """width of the memory"""
    baseline: bool = static(True)
    """subtract a learned value from the return; it also stands in for what a truncation hides"""
    normalize_advantages: bool = static(False)
    """subtract mean and divide by deviation over all steps of an update"""
    learning_rate: float = positive(1e-3)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    value_coef: float = 0.5
    """weight of the baseline's loss"""
    max_grad_norm: float = positive(0.5)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class DQNConfig:
    """Deep Q-learning (Mnih et al. 2015, Nature 518)."""

    num_envs: int = static(16)
    """environments stepped side by side"""
    num_steps: int = static(1)
    """steps of every environment in one update"""
    num_epochs: int = static(1)
    """gradient steps in one update"""
    batch_size: int = static(128)
    """transitions (with memory: sequences) in one gradient step"""
    replay_size: int = static(10_000)
    """steps kept"""
    hidden_sizes: tuple[int, ...] = static((120, 84))
    """widths of the hidden layers"""
    recurrent: ReplayedRecurrence = static("none")
    """memory of the Q-network; the replay keeps it for every step, so no transformer's"""
    memory_size: int = static(100)
    """width of the memory"""
    sequence_length: int = static(8)
    """steps of a replayed sequence that are learned from, with memory"""
    burn_in: int = static(0, least=0)
    """steps before those that only warm up the memory (R2D2)"""
    target: Literal["q", "psi", "g"] = static("q")
    """Q-learning, or psi- or G-learning, regularised by entropy or a prior (arXiv 1611.02796)"""
    double: bool = static(True)
    """choose with the online network, value with the target (van Hasselt 2016); q-learning only"""
    dueling: bool = static(False)
    """separate streams for value and advantages (Wang et al. 2016)"""
    n_step: int = static(1)
    """rewards summed before the bootstrap; with memory at most `sequence_length`"""
    prioritized: bool = static(False)
    """replay by the size of the error (Schaul et al. 2016)"""
    exploration: Literal["epsilon", "boltzmann"] = static("epsilon")
    """random actions at a rate, or all actions by the softmax of their values"""
    warm_start_steps: int = static(0, least=0)
    """environment steps that the environment's own rule plays first; epsilon counts after them"""
    learning_rate: float = positive(2.5e-4)
    """step size of Adam"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    learning_starts: int = 1_000
    """environment steps before the first gradient"""
    target_interval: int = positive(50)
    """updates between moves of the target network"""
    target_tau: float = unit(1.0)
    """share of the online network in a move of the target; 1 copies it, less is Polyak's mean"""
    epsilon_start: float = unit(1.0)
    """first share of random actions"""
    epsilon_end: float = unit(0.05)
    """last share of random actions"""
    epsilon_steps: int = 25_000
    """environment steps from first to last"""
    temperature: float = positive(1.0)
    """of Boltzmann exploration, and c of psi- and G-learning, in units of the reward"""
    priority_exponent: float = unit(0.6)
    """how much priorities count, 0 for not at all"""
    importance_exponent: float = unit(0.4)
    """how much of the priorities' bias is corrected at the start"""
    importance_steps: int = 100_000
    """environment steps after which all of it is"""
    max_grad_norm: float = positive(10.0)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class SACConfig:
    """Soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905)."""

    num_envs: int = static(8)
    """environments stepped side by side"""
    num_steps: int = static(1)
    """steps of every environment in one update"""
    num_epochs: int = static(8)
    """gradient steps in one update"""
    batch_size: int = static(256)
    """transitions in one gradient step"""
    replay_size: int = static(100_000)
    """steps kept"""
    hidden_sizes: tuple[int, ...] = static((64, 64))
    """widths of the hidden layers of policy and critics"""
    automatic_temperature: bool = static(True)
    """learn the temperature that keeps the policy at the target entropy"""
    learning_rate: float = positive(3e-4)
    """step size of Adam"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    learning_starts: int = 1_000
    """environment steps before the first gradient, with random actions"""
    target_tau: float = unit(0.005)
    """share of the online critics that moves into the targets at every gradient step"""
    temperature: float = positive(1.0)
    """weight of the entropy, where it is learned the first one"""
    target_entropy_scale: float = 1.0
    """times the usual target: -1 nat for each dimension, or 0.5 log(A) for A discrete actions"""


@dataclasses.dataclass(frozen=True)
class APGConfig:
    """Analytic policy gradients, SVG(inf) (Heess et al. 2015, arXiv 1510.09142)."""

    num_envs: int = static(32)
    """episodes played side by side in one update"""
    hidden_sizes: tuple[int, ...] = static((256, 256))
    """widths of the hidden layers of the policy"""
    activation: Activation = static("relu")
    """of the hidden layers"""
    learning_rate: float = positive(1e-3)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    entropy_coef: float = 0.0
    """weight of the policy's entropy in the objective"""
    max_grad_norm: float = positive(1.0)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class QLearningConfig:
    """Tabular Q-learning (Watkins and Dayan 1992, Machine Learning 8)."""

    num_envs: int = static(16)
    """environments stepped side by side, which share one table"""
    num_steps: int = static(16)
    """steps of every environment in one update; the table learns after each"""
    learning_rate: float = share(0.5)
    """share of the error that a visit takes away; 1 replaces the entry"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    initial_value: float = signed(0.0)
    """what the table starts from; above the best return it makes the learner explore"""
    epsilon_start: float = unit(1.0)
    """first share of random actions"""
    epsilon_end: float = unit(0.05)
    """last share of random actions"""
    epsilon_steps: int = 10_000
    """environment steps from first to last"""


@dataclasses.dataclass(frozen=True)
class DAggerConfig:
    """DAgger, imitation of the environment's rule (Ross et al. 2011, arXiv 1011.0686)."""

    num_envs: int = static(32)
    """environments stepped side by side"""
    num_steps: int = static(4)
    """steps of every environment in one update"""
    num_epochs: int = static(1)
    """gradient steps in one update"""
    batch_size: int = static(256)
    """steps in one gradient step"""
    replay_size: int = static(32_768)
    """steps kept, each with what the rule would have done"""
    hidden_sizes: tuple[int, ...] = static((128, 128))
    """widths of the hidden layers of the policy"""
    activation: Activation = static("relu")
    """of the hidden layers"""
    learning_rate: float = positive(1e-3)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    rule_steps: int = 10_000
    """environment steps that the rule plays, and the policy after them"""
    max_grad_norm: float = positive(10.0)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class SlateQConfig:
    """SlateQ, values of items for whole slates (Ie et al. 2019, arXiv 1905.12767)."""

    num_envs: int = static(32)
    """environments stepped side by side"""
    num_steps: int = static(4)
    """steps of every environment in one update"""
    num_epochs: int = static(4)
    """gradient steps in one update"""
    batch_size: int = static(256)
    """transitions in one gradient step"""
    replay_size: int = static(65_536)
    """steps kept"""
    hidden_sizes: tuple[int, ...] = static((64, 64))
    """widths of the hidden layers of the network that values an item for a user"""
    target: Literal["sarsa", "top", "greedy", "optimal"] = static("optimal")
    """the slate that follows: the one that was shown (SARSA), or the best that this finds"""
    serve: Literal["top", "greedy", "optimal"] = static("optimal")
    """how slates are made: the items with most value and score, one by one, or the best of all"""
    nothing: Literal["learned", "zero"] = static("learned")
    """value of choosing nothing; zero, as in RecSim's agents, takes it for the end"""
    learning_rate: float = positive(1e-3)
    """step size of Adam"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    learning_starts: int = 1_000
    """environment steps before the first gradient"""
    target_interval: int = positive(4)
    """updates between moves of the target network"""
    target_tau: float = unit(1.0)
    """share of the online network in a move of the target; 1 copies it, less is Polyak's mean"""
    epsilon_start: float = unit(1.0)
    """first share of random slates"""
    epsilon_end: float = unit(0.05)
    """last share of random slates"""
    epsilon_steps: int = 50_000
    """environment steps from first to last"""
    max_grad_norm: float = positive(10.0)
    """global norm at which gradients are clipped"""

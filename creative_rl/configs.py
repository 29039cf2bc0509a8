"""The configs of all learners: frozen dataclasses that are also pytrees.

A field marked `static()` changes shapes or control flow, so it is part of the compiled program;
any other field is a number and may be a tracer, so that `jax.vmap` runs over it. This module
imports no JAX: command lines read it before anything is compiled. The marks are those that
`jax.tree_util.register_dataclass` understands; each learner's module registers its own config.
"""

import dataclasses
import math
import numbers
from typing import Any, Literal

Recurrence = Literal["none", "lstm", "gru"]
Activation = Literal["tanh", "relu"]
AdversarialLoss = Literal["non_saturating", "least_squares", "hinge", "wasserstein"]
PictureNetwork = Literal["mlp", "conv"]


def static(default: Any) -> Any:
    """A field that is part of the compiled program."""
    return dataclasses.field(default=default, metadata={"static": True})


def share(default: float) -> Any:
    """A field above 0 and up to 1, where its name would allow more."""
    return dataclasses.field(default=default, metadata={"share": True})


@dataclasses.dataclass(frozen=True)
class PPOConfig:
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
    learning_rate: float = 2.5e-4
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = 0.99
    """discount of future rewards"""
    gae_lambda: float = 0.95
    """decay of the advantage estimate (Schulman et al. 2016, arXiv 1506.02438)"""
    clip_eps: float = 0.2
    """how far the probability ratio may move in one update"""
    value_clip_eps: float = 0.2
    """how far the value may move in one update, with `clip_value_loss`"""
    target_kl: float = 0.02
    """nats between old and new policy at which learning stops, with `kl_early_stop`"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    entropy_reward_coef: float = 0.0
    """weight of -log pi(a|s) in the reward; that of a likelihood reward makes it KL control"""
    value_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class A2CConfig:
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
    learning_rate: float = 7e-4
    """step size of RMSProp"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    rms_decay: float = 0.99
    """share of the old mean square that RMSProp keeps"""
    gamma: float = 0.99
    """discount of future rewards"""
    gae_lambda: float = 1.0
    """decay of the advantage estimate; 1 is the n-step return of the paper"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    value_coef: float = 0.5
    """weight of the value loss"""
    max_grad_norm: float = 0.5
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class ReinforceConfig:
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
    learning_rate: float = 1e-3
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = 0.99
    """discount of future rewards"""
    entropy_coef: float = 0.01
    """weight of the policy's entropy in the loss"""
    value_coef: float = 0.5
    """weight of the baseline's loss"""
    max_grad_norm: float = 0.5
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
    recurrent: Recurrence = static("none")
    """memory of the Q-network"""
    memory_size: int = static(100)
    """width of the memory"""
    sequence_length: int = static(8)
    """steps of a replayed sequence that are learned from, with memory"""
    burn_in: int = static(0)
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
    learning_rate: float = 2.5e-4
    """step size of Adam"""
    gamma: float = 0.99
    """discount of future rewards"""
    learning_starts: int = 1_000
    """environment steps before the first gradient"""
    target_interval: int = 50
    """updates between moves of the target network"""
    target_tau: float = 1.0
    """share of the online network in a move of the target; 1 copies it, less is Polyak's mean"""
    epsilon_start: float = 1.0
    """first share of random actions"""
    epsilon_end: float = 0.05
    """last share of random actions"""
    epsilon_steps: int = 25_000
    """environment steps from first to last"""
    temperature: float = 1.0
    """of Boltzmann exploration, and c of psi- and G-learning, in units of the reward"""
    priority_exponent: float = 0.6
    """how much priorities count, 0 for not at all"""
    importance_exponent: float = 0.4
    """how much of the priorities' bias is corrected at the start"""
    importance_steps: int = 100_000
    """environment steps after which all of it is"""
    max_grad_norm: float = 10.0
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
    learning_rate: float = 3e-4
    """step size of Adam"""
    gamma: float = 0.99
    """discount of future rewards"""
    learning_starts: int = 1_000
    """environment steps before the first gradient, with random actions"""
    target_tau: float = 0.005
    """share of the online critics that moves into the targets at every gradient step"""
    temperature: float = 1.0
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
    learning_rate: float = 1e-3
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    gamma: float = 0.99
    """discount of future rewards"""
    entropy_coef: float = 0.0
    """weight of the policy's entropy in the objective"""
    max_grad_norm: float = 1.0
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
    gamma: float = 0.99
    """discount of future rewards"""
    initial_value: float = 0.0
    """what the table starts from; above the best return it makes the learner explore"""
    epsilon_start: float = 1.0
    """first share of random actions"""
    epsilon_end: float = 0.05
    """last share of random actions"""
    epsilon_steps: int = 10_000
    """environment steps from first to last"""


@dataclasses.dataclass(frozen=True)
class SpiralConfig:
    """A policy that draws and a discriminator that judges (Ganin et al. 2018, arXiv 1804.01118)."""

    policy: Literal["ppo", "dqn"] = static("ppo")
    """what learns to draw; dqn takes discrete pens"""
    num_envs: int = static(64)
    """environments stepped side by side"""
    num_steps: int = static(10)
    """steps of every environment in one update"""
    num_epochs: int = static(4)
    """passes over the collected steps (dqn: gradient steps) in one update"""
    num_minibatches: int = static(4)
    """gradient steps in one pass; ppo only"""
    batch_size: int = static(128)
    """transitions in one gradient step; dqn only"""
    replay_size: int = static(10_000)
    """steps kept; dqn only"""
    hidden_sizes: tuple[int, ...] = static((256, 128))
    """widths of the hidden layers of the policy"""
    num_probes: int = static(64)
    """drawings and examples that recall and variety are measured on"""
    learning_rate: float = 3e-4
    """step size of the policy's Adam"""
    decay_updates: int = 0
    """the policy's learning rate falls linearly to zero over this many updates; ppo only"""
    gamma: float = 0.99
    """discount of future rewards"""
    gae_lambda: float = 0.95
    """decay of the advantage estimate; ppo only"""
    clip_eps: float = 0.2
    """how far the probability ratio may move in one update; ppo only"""
    entropy_coef: float = 1e-3
    """weight of the policy's entropy in the loss; ppo only"""
    learning_starts: int = 1_000
    """environment steps before the first gradient; dqn only"""
    target_interval: int = 50
    """updates between copies of the target network; dqn only"""
    epsilon_end: float = 0.05
    """last share of random actions; dqn only"""
    epsilon_steps: int = 25_000
    """environment steps from random actions to that; dqn only"""
    discriminator_learning_rate: float = 5e-4
    """step size of the discriminator's Adam"""
    gradient_penalty: float = 1.0
    """weight of the discriminator's squared slope at examples (R1)"""


@dataclasses.dataclass(frozen=True)
class DQNGANConfig:
    """A DQN that instructs a generator, judged by a discriminator (Mnih et al. 2015; Goodfellow
    et al. 2014)."""

    num_instructions: int = static(8)
    """actions of the DQN"""
    content_length: int = static(1)
    """environment steps that one instruction makes; divides the horizon"""
    num_envs: int = static(32)
    """environments stepped side by side"""
    num_steps: int = static(4)
    """instructions in every environment in one update"""
    num_epochs: int = static(4)
    """gradient steps of the DQN in one update"""
    batch_size: int = static(128)
    """instructions in one gradient step of the DQN"""
    replay_size: int = static(10_000)
    """instructions kept"""
    hidden_sizes: tuple[int, ...] = static((120, 84))
    """widths of the hidden layers of the Q-network"""
    gan_steps: int = static(4)
    """steps of discriminator and generator in one update"""
    gan_batch_size: int = static(64)
    """works, and as many examples, in each of them"""
    noise_size: int = static(32)
    """width of the generator's noise"""
    generator_sizes: tuple[int, ...] = static((256, 256))
    """widths of the hidden layers of the generator"""
    discriminator_sizes: tuple[int, ...] = static((256, 256))
    """widths of the hidden layers of the discriminator"""
    loss: AdversarialLoss = static("non_saturating")
    """what generator and discriminator minimise"""
    archive_size: int = static(256)
    """works that novelty compares with"""
    learning_rate: float = 2.5e-4
    """step size of the DQN's Adam"""
    generator_learning_rate: float = 5e-4
    """step size of the generator's Adam; 0 leaves it as it is"""
    discriminator_learning_rate: float = 5e-4
    """step size of the discriminator's Adam"""
    gradient_penalty: float = 1.0
    """weight of the discriminator's squared gradient at examples (R1)"""
    instruction_coef: float = 0.1
    """weight of how well the instruction can be read off the content (InfoGAN)"""
    environment_weight: float = 1.0
    """of the environment's reward"""
    discriminator_weight: float = 1.0
    """of the discriminator's opinion in the reward"""
    novelty_weight: float = 1.0
    """of the distance to earlier works in the reward"""
    gamma: float = 0.99
    """discount of future rewards"""
    learning_starts: int = 1_000
    """instructions before the DQN's first gradient"""
    target_interval: int = 50
    """updates between copies of the target network"""
    epsilon_start: float = 1.0
    """first share of random instructions"""
    epsilon_end: float = 0.05
    """last share of random instructions"""
    epsilon_steps: int = 25_000
    """instructions from first to last"""


@dataclasses.dataclass(frozen=True)
class LikelihoodConfig:
    """Maximum-likelihood sequence model; RL Tuner's Note RNN by default (arXiv 1611.02796)."""

    batch_size: int = static(128)
    """sequences in one gradient step"""
    num_steps: int = static(20)
    """gradient steps in one update"""
    recurrent: Literal["lstm", "gru"] = static("lstm")
    """kind of memory"""
    memory_size: int = static(100)
    """width of the memory"""
    patience: int = 8
    """updates without a better held-out likelihood before training stops"""
    learning_rate: float = 5e-3
    """step size of Adam"""
    label_smoothing: float = 0.0
    """probability mass spread over all events in the training target"""
    max_grad_norm: float = 5.0
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class GANConfig:
    """Generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661)."""

    batch_size: int = static(64)
    """pictures in one gradient step"""
    num_steps: int = static(16)
    """gradient steps of the generator in one update"""
    num_critic: int = static(1)
    """gradient steps of the discriminator before each of the generator's"""
    network: PictureNetwork = static("conv")
    """hidden layers, or convolutions that double and halve the picture (DCGAN)"""
    hidden_sizes: tuple[int, ...] = static((256, 256))
    """widths of the hidden layers of both networks, with `mlp`"""
    channels: tuple[int, ...] = static((64, 128))
    """of the convolutions, from the picture inwards, with `conv`"""
    latent_size: int = static(100)
    """width of the noise that a picture is made from"""
    loss: AdversarialLoss = static("non_saturating")
    """what both networks minimise"""
    penalty: Literal["none", "interpolated", "zero"] = static("none")
    """of the score's slope: towards 1 between pictures (WGAN-GP), or to 0 at real ones (R1)"""
    spectral_norm: bool = static(False)
    """divide the discriminator's weights by their greatest singular value (Miyato et al. 2018)"""
    normalize: bool = static(True)
    """pixel normalisation in the generator (Karras et al. 2018)"""
    augment: bool = static(False)
    """show the discriminator pictures moved and brightened (Zhao et al. 2020): for few examples"""
    num_probes: int = static(128)
    """generated and real pictures that recall and variety are measured on"""
    penalty_coef: float = 10.0
    """weight of the penalty"""
    augment_share: float = share(1.0)
    """probability that a picture is changed, with `augment`"""
    learning_rate: float = 2e-4
    """step size of the generator's Adam"""
    discriminator_learning_rate: float = 2e-4
    """step size of the discriminator's Adam; two time scales (Heusel et al. 2017)"""
    adam_beta1: float = 0.5
    """share of the old mean gradient that Adam keeps"""
    adam_beta2: float = 0.999
    """share of the old mean square that Adam keeps"""
    ema_decay: float = 0.999
    """share of the old mean of the generator's weights kept at a step; the mean is what creates"""


@dataclasses.dataclass(frozen=True)
class VAEConfig:
    """Variational autoencoder (Kingma and Welling 2014, arXiv 1312.6114)."""

    batch_size: int = static(64)
    """pictures in one gradient step"""
    num_steps: int = static(16)
    """gradient steps in one update"""
    network: PictureNetwork = static("conv")
    """hidden layers, or convolutions that halve and double the picture"""
    hidden_sizes: tuple[int, ...] = static((256, 256))
    """widths of the hidden layers of both networks, with `mlp`"""
    channels: tuple[int, ...] = static((64, 128))
    """of the convolutions, from the picture inwards, with `conv`"""
    latent_size: int = static(16)
    """width of the code of a picture"""
    likelihood: Literal["bernoulli", "gaussian"] = static("bernoulli")
    """of a pixel given the code"""
    normalize: bool = static(True)
    """pixel normalisation in the decoder (Karras et al. 2018)"""
    num_probes: int = static(128)
    """generated and real pictures that recall and variety are measured on"""
    beta: float = 1.0
    """weight of the divergence from the prior (Higgins et al. 2017); 1 is the likelihood bound"""
    pixel_scale: float = 0.1
    """standard deviation of a pixel in 0..1, with the Gaussian likelihood"""
    learning_rate: float = 1e-3
    """step size of Adam"""
    ema_decay: float = 0.99
    """share of the old mean of the weights kept at a step; the mean is what creates"""


def validate(config: Any, config_class: type | None = None) -> None:
    """Refuse values outside their range, by the rules that the fields' names carry.

    Numbers that are tracers or arrays pass: their ranges are the caller's. Raises `ValueError`
    naming the field, the rule and the value; also where `config` is no `config_class`.
    """
    if config_class is not None and not isinstance(config, config_class):
        raise ValueError(f"config must be a {config_class.__name__}, got {type(config).__name__}")
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        rule = _broken_rule(field, value)
        if rule is not None:
            raise ValueError(f"{type(config).__name__}: {field.name} must {rule}, got {value!r}")


_UNIT_FIELDS = {
    "gamma", "gae_lambda", "rms_decay", "target_tau", "epsilon_start", "epsilon_end",
    "priority_exponent", "importance_exponent", "label_smoothing", "ema_decay", "adam_beta1",
    "adam_beta2",
}  # fmt: skip
_POSITIVE_FIELDS = {
    "learning_rate", "clip_eps", "value_clip_eps", "target_kl", "temperature", "max_grad_norm",
    "patience", "target_interval", "discriminator_learning_rate", "pixel_scale",
}  # fmt: skip
_LARGEST = 2**31 - 1
"""Whole numbers are int32 in compiled programs."""
_SIGNED_FIELDS = {"initial_value"}
_MAY_BE_ZERO = {"burn_in"}
_BELOW_ONE_FIELDS = {"rms_decay", "adam_beta1", "adam_beta2", "ema_decay"}
"""Shares kept of an old mean."""


def _broken_rule(field: dataclasses.Field, value: Any) -> str | None:
    """The rule that `value` breaks, as the end of a sentence, or None."""
    if isinstance(field.default, str):
        choices = getattr(field.type, "__args__", ())
        return None if value in choices else f"be one of {', '.join(choices)}"
    if isinstance(field.default, tuple):
        whole = isinstance(value, tuple) and all(_is_whole(n) and n >= 1 for n in value)
        return None if whole and value else "be a tuple of sizes of at least 1"
    if isinstance(field.default, bool):
        return None if isinstance(value, bool) else "be True or False"
    if field.metadata.get("static"):
        least = 0 if field.name in _MAY_BE_ZERO else 1
        if (_is_whole(value) and value >= least) or (value is None and field.default is None):
            return None
        return f"be a whole number of at least {least}"
    return _broken_number_rule(field, value)


def _broken_number_rule(field: dataclasses.Field, value: Any) -> str | None:
    """As `_broken_rule`, for plain fields; of arrays and tracers only the number of axes counts."""
    if hasattr(value, "dtype") and not isinstance(value, numbers.Real):
        return "be one number, a sweep runs over many" if value.ndim else None
    if isinstance(field.default, int):
        if not _is_number(value, numbers.Integral):
            return "be a whole number"
        if value > _LARGEST:
            return f"be at most {_LARGEST}"
    if not _is_number(value, numbers.Real) or not math.isfinite(value):
        return "be a finite number"
    if field.metadata.get("share") and not 0 < value <= 1:
        return "be greater than 0 and at most 1"
    if field.name in _BELOW_ONE_FIELDS and value == 1:
        return "be below 1, at which nothing new is kept"
    if field.name in _UNIT_FIELDS and not 0 <= value <= 1:
        return "be between 0 and 1"
    if field.name in _POSITIVE_FIELDS and value <= 0:
        return "be greater than 0"
    return "not be negative" if value < 0 and field.name not in _SIGNED_FIELDS else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)

"""Learners that create after examples."""

import dataclasses
from typing import Literal

from creative_rl.configs.fields import (
    TransformerFields,
    decay,
    positive,
    share,
    static,
    unit,
)

__all__ = [
    "DQNGANConfig",
    "GANConfig",
    "LikelihoodConfig",
    "MusicVAEConfig",
    "SeqGANConfig",
    "SpiralConfig",
    "VAEConfig",
    "VideoGANConfig",
]

AdversarialLoss = Literal["non_saturating", "least_squares", "hinge", "wasserstein"]
PictureNetwork = Literal["mlp", "conv"]


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
    learning_rate: float = positive(3e-4)
    """step size of the policy's Adam"""
    decay_updates: int = 0
    """the policy's learning rate falls linearly to zero over this many updates; ppo only"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    gae_lambda: float = unit(0.95)
    """decay of the advantage estimate; ppo only"""
    clip_eps: float = positive(0.2)
    """how far the probability ratio may move in one update; ppo only"""
    entropy_coef: float = 1e-3
    """weight of the policy's entropy in the loss; ppo only"""
    learning_starts: int = 1_000
    """environment steps before the first gradient; dqn only"""
    target_interval: int = positive(50)
    """updates between copies of the target network; dqn only"""
    epsilon_end: float = unit(0.05)
    """last share of random actions; dqn only"""
    epsilon_steps: int = 25_000
    """environment steps from random actions to that; dqn only"""
    discriminator_learning_rate: float = positive(5e-4)
    """step size of the discriminator's Adam"""
    penalty_coef: float = 1.0
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
    """newest works, that novelty compares with; an update makes gan_steps * gan_batch_size"""
    learning_rate: float = positive(2.5e-4)
    """step size of the DQN's Adam"""
    generator_learning_rate: float = 5e-4
    """step size of the generator's Adam; 0 leaves it as it is"""
    discriminator_learning_rate: float = positive(5e-4)
    """step size of the discriminator's Adam"""
    penalty_coef: float = 1.0
    """weight of the discriminator's squared gradient at examples (R1)"""
    instruction_coef: float = 0.1
    """weight of how well the instruction can be read off the content (InfoGAN)"""
    environment_weight: float = 1.0
    """of the environment's reward"""
    discriminator_weight: float = 1.0
    """of the discriminator's opinion in the reward"""
    novelty_weight: float = 1.0
    """of the distance to the archive's works in the reward"""
    gamma: float = unit(0.99)
    """discount of future rewards"""
    learning_starts: int = 1_000
    """instructions before the DQN's first gradient"""
    target_interval: int = positive(50)
    """updates between copies of the target network"""
    epsilon_start: float = unit(1.0)
    """first share of random instructions"""
    epsilon_end: float = unit(0.05)
    """last share of random instructions"""
    epsilon_steps: int = 25_000
    """instructions from first to last"""


@dataclasses.dataclass(frozen=True)
class LikelihoodConfig(TransformerFields):
    """Maximum-likelihood sequence model; RL Tuner's Note RNN by default (arXiv 1611.02796)."""

    batch_size: int = static(128)
    """sequences in one gradient step"""
    num_steps: int = static(20)
    """gradient steps in one update"""
    recurrent: Literal["lstm", "gru", "transformer"] = static("lstm")
    """kind of memory"""
    memory_size: int = static(100)
    """width of the memory"""
    patience: int = positive(8)
    """updates without a better held-out likelihood before training stops"""
    learning_rate: float = positive(5e-3)
    """step size of Adam"""
    label_smoothing: float = unit(0.0)
    """probability mass spread over all events in the training target"""
    max_grad_norm: float = positive(5.0)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class GANConfig:
    """Generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661)."""

    batch_size: int = static(64)
    """pictures in one gradient step"""
    num_steps: int = static(16)
    """gradient steps of the generator in one update"""
    num_discriminator_steps: int = static(1)
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
    learning_rate: float = positive(2e-4)
    """step size of the generator's Adam"""
    discriminator_learning_rate: float = positive(2e-4)
    """step size of the discriminator's Adam; two time scales (Heusel et al. 2017)"""
    decay_updates: int = 0
    """both learning rates fall linearly to zero over this many updates; 0 keeps them"""
    adam_beta1: float = decay(0.5)
    """share of the old mean gradient that Adam keeps"""
    adam_beta2: float = decay(0.999)
    """share of the old mean square that Adam keeps"""
    ema_decay: float = decay(0.999)
    """share of the old mean of the generator's weights kept at a step; the mean is what creates"""


@dataclasses.dataclass(frozen=True)
class VideoGANConfig:
    """Generative adversarial network of clips (Tulyakov et al. 2018, arXiv 1707.04993)."""

    batch_size: int = static(16)
    """clips in one gradient step"""
    num_steps: int = static(8)
    """gradient steps of the generator in one update"""
    num_discriminator_steps: int = static(1)
    """gradient steps of the critics before each of the generator's"""
    channels: tuple[int, ...] = static((16, 32, 64, 128))
    """of all networks, from the picture inwards; each layer halves height, width and length"""
    content_size: int = static(32)
    """width of the noise that is the same in every frame"""
    motion_size: int = static(16)
    """width of the noise that the frames' codes are made from"""
    code_size: int = static(16)
    """width of what a frame has of its own"""
    hidden_size: int = static(128)
    """width of the layers that make those codes and the content's style"""
    num_pictures: int = static(4)
    """frames of a clip that are judged each by itself, drawn anew at a step"""
    loss: AdversarialLoss = static("non_saturating")
    """what all networks minimise"""
    spectral_norm: bool = static(False)
    """divide the critics' weights by their greatest singular value (Miyato et al. 2018)"""
    num_probes: int = static(16)
    """generated and real clips that recall, variety and drift are measured on"""
    penalty_coef: float = 0.3
    """weight of the critics' squared slopes at real clips and frames (R1)"""
    learning_rate: float = positive(2e-3)
    """step size of the generator's Adam"""
    discriminator_learning_rate: float = positive(2e-3)
    """step size of the critics' Adam; two time scales (Heusel et al. 2017)"""
    decay_updates: int = 0
    """both learning rates fall linearly to zero over this many updates; 0 keeps them"""
    adam_beta1: float = decay(0.0)
    """share of the old mean gradient that Adam keeps"""
    adam_beta2: float = decay(0.99)
    """share of the old mean square that Adam keeps"""
    ema_decay: float = decay(0.99)
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
    pixel_scale: float = positive(0.1)
    """standard deviation of a pixel in 0..1, with the Gaussian likelihood"""
    learning_rate: float = positive(1e-3)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    ema_decay: float = decay(0.99)
    """share of the old mean of the weights kept at a step; the mean is what creates"""


@dataclasses.dataclass(frozen=True)
class MusicVAEConfig:
    """Recurrent variational autoencoder of music (Roberts et al. 2018, arXiv 1803.05428)."""

    batch_size: int = static(128)
    """sequences in one gradient step"""
    num_steps: int = static(20)
    """gradient steps in one update"""
    recurrent: Literal["lstm", "gru"] = static("lstm")
    """kind of the memories of encoder and decoder"""
    hierarchical: bool = static(True)
    """whether a conductor plans segments; else the decoder is the source's flat one"""
    segment_length: int = static(4)
    """events in a segment, which the encoder reads at once, and the conductor plans"""
    encoder_size: int = static(128)
    """width of each of the encoder's two memories, one for either direction"""
    memory_size: int = static(256)
    """width of the decoder's memory"""
    latent_size: int = static(64)
    """width of the code of a sequence"""
    beta: float = 0.2
    """weight of the divergence from the prior (Higgins et al. 2017); 1 is the likelihood bound"""
    free_bits: float = 48.0
    """bits of a sequence's divergence, in total, that cost nothing (Kingma et al. 2016)"""
    warmup_updates: int = 0
    """updates in which beta rises from 0, in a line"""
    event_dropout: float = unit(0.0)
    """share of last events that the decoder does not see in training (Bowman et al. 2016)"""
    learning_rate: float = positive(3e-3)
    """step size of Adam"""
    decay_updates: int = 0
    """learning rate falls linearly to zero over this many updates; 0 keeps it"""
    max_grad_norm: float = positive(1.0)
    """global norm at which gradients are clipped"""


@dataclasses.dataclass(frozen=True)
class SeqGANConfig:
    """A generator of sequences paid by a discriminator (Yu et al. 2017, arXiv 1609.05473)."""

    batch_size: int = static(64)
    """sequences in one gradient step"""
    embedding_size: int = static(32)
    """width of the generator's embeddings"""
    memory_size: int = static(32)
    """width of the generator's memory"""
    num_rollouts: int = static(16)
    """completions of every prefix that a token's value is the mean of"""
    num_generator_steps: int = static(1)
    """policy gradient steps in an adversarial update"""
    num_likelihood_steps: int = static(0, least=0)
    """likelihood gradient steps in an adversarial update; 0 as published"""
    num_discriminator_rounds: int = static(5)
    """times that the discriminator gets new sequences in an adversarial update"""
    num_discriminator_epochs: int = static(3)
    """passes over them, and as many of the corpus"""
    num_samples: int | None = static(None)
    """sequences that are new in such a round; None for as many as the corpus trains with"""
    discriminator_embedding: int = static(64)
    """width of the discriminator's embeddings"""
    windows: tuple[int, ...] = static((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20))
    """tokens that the discriminator's convolutions see at once"""
    filters: tuple[int, ...] = static((100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160))
    """of each of them"""
    baseline: bool = static(False)
    """take the mean reward at each place off the rewards; off as published"""
    pretrain_updates: int = 120
    """first updates, an epoch of likelihood each"""
    discriminator_pretrain_updates: int = 50
    """updates after those, a round of the discriminator each"""
    learning_rate: float = positive(1e-2)
    """step size of the generator's Adam for likelihood"""
    policy_learning_rate: float = positive(1e-2)
    """step size of the generator's Adam for rewards"""
    discriminator_learning_rate: float = positive(1e-4)
    """step size of the discriminator's Adam"""
    rollout_decay: float = decay(0.8)
    """share of the roll-out policy that is kept in an adversarial update"""
    dropout: float = decay(0.25)
    """share of the discriminator's features that are left out while it learns"""
    l2_coef: float = 0.2
    """weight of the squares of the discriminator's last layer in its loss"""
    init_scale: float = positive(0.1)
    """deviation of the generator's first weights"""
    max_grad_norm: float = positive(5.0)
    """global norm at which the generator's gradients are clipped"""

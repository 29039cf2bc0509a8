"""All learners, by name."""

from creative_rl.registry.entries import LearnerEntry

LEARNERS: dict[str, LearnerEntry] = {
    "ppo": LearnerEntry(
        "creative_rl.learners.ppo:ppo",
        "creative_rl.configs.reinforcement:PPOConfig",
        "proximal policy optimisation, feed-forward or recurrent",
        takes_prior=True,
    ),
    "a2c": LearnerEntry(
        "creative_rl.learners.a2c:a2c",
        "creative_rl.configs.reinforcement:A2CConfig",
        "advantage actor-critic, one gradient step a rollout",
    ),
    "reinforce": LearnerEntry(
        "creative_rl.learners.reinforce:reinforce",
        "creative_rl.configs.reinforcement:ReinforceConfig",
        "whole episodes, rewards to go, and a learned baseline",
    ),
    "sac": LearnerEntry(
        "creative_rl.learners.sac:sac",
        "creative_rl.configs.reinforcement:SACConfig",
        "soft actor-critic, for continuous or discrete actions",
    ),
    "dqn": LearnerEntry(
        "creative_rl.learners.dqn:dqn",
        "creative_rl.configs.reinforcement:DQNConfig",
        "deep Q-learning: double, dueling, n-step, prioritised, recurrent; psi- and G-learning",
        takes_prior=True,
    ),
    "q_learning": LearnerEntry(
        "creative_rl.learners.q_learning:q_learning",
        "creative_rl.configs.reinforcement:QLearningConfig",
        "tabular Q-learning, for environments whose observations can be numbered",
    ),
    "slateq": LearnerEntry(
        "creative_rl.learners.slateq:slateq",
        "creative_rl.configs.reinforcement:SlateQConfig",
        "SlateQ: values of items for whole slates, by SARSA or Q-learning, for recommenders",
    ),
    "dagger": LearnerEntry(
        "creative_rl.learners.dagger:dagger",
        "creative_rl.configs.reinforcement:DAggerConfig",
        "DAgger: imitates the environment's rule, which may see more than the policy",
    ),
    "apg": LearnerEntry(
        "creative_rl.learners.apg:apg",
        "creative_rl.configs.reinforcement:APGConfig",
        "analytic policy gradients, through environments that are differentiable",
    ),
    "map_elites": LearnerEntry(
        "creative_rl.learners.map_elites:map_elites",
        "creative_rl.configs.evolution:MAPElitesConfig",
        "MAP-Elites: an archive of works that differ, each the best of its kind",
    ),
    "spiral": LearnerEntry(
        "creative_rl.learners.spiral:spiral",
        "creative_rl.configs.generative:SpiralConfig",
        "a policy that draws (PPO or DQN) and a discriminator that judges",
    ),
    "dqn_gan": LearnerEntry(
        "creative_rl.learners.dqn_gan:dqn_gan",
        "creative_rl.configs.generative:DQNGANConfig",
        "a DQN instructs a generator; discriminator, environment and novelty pay it",
        takes_corpus=True,
    ),
    "gan": LearnerEntry(
        "creative_rl.learners.gan:gan",
        "creative_rl.configs.generative:GANConfig",
        "generative adversarial network, for pictures: layers or DCGAN, four losses",
    ),
    "video_gan": LearnerEntry(
        "creative_rl.learners.video_gan:video_gan",
        "creative_rl.configs.generative:VideoGANConfig",
        "generative adversarial network of clips: one critic sees how they move, one how they look",
    ),
    "vae": LearnerEntry(
        "creative_rl.learners.vae:vae",
        "creative_rl.configs.generative:VAEConfig",
        "variational autoencoder, for pictures",
    ),
    "music_vae": LearnerEntry(
        "creative_rl.learners.music_vae:music_vae",
        "creative_rl.configs.generative:MusicVAEConfig",
        "recurrent variational autoencoder of music (MusicVAE): bars to a latent vector and back",
        takes_corpus=True,
        needs_corpus=True,
    ),
    "seqgan": LearnerEntry(
        "creative_rl.learners.seqgan:seqgan",
        "creative_rl.configs.generative:SeqGANConfig",
        "SeqGAN: a generator of sequences, a discriminator, and roll-outs for every token",
        takes_corpus=True,
        needs_corpus=True,
    ),
    "likelihood": LearnerEntry(
        "creative_rl.learners.likelihood:likelihood",
        "creative_rl.configs.generative:LikelihoodConfig",
        "maximum-likelihood sequence model with early stopping",
        takes_corpus=True,
        needs_corpus=True,
    ),
}

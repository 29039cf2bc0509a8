"""Learners, one file each: factories that bind an environment and a config.

What they share is beside them: requirements, stream, summary, composing, picture_learning,
describing, and demonstrating, whose `demonstrate` plays known actions and `rule_policy` an
environment's own rule. What else a learner's file offers is named here too, because the learner
itself takes the name of its file.
"""

from creative_rl.learners.a2c import a2c
from creative_rl.learners.apg import apg
from creative_rl.learners.dagger import dagger
from creative_rl.learners.demonstrating import demonstrate, rule_policy
from creative_rl.learners.dqn import dqn
from creative_rl.learners.dqn_gan import dqn_gan
from creative_rl.learners.ensemble import ensemble, of_members
from creative_rl.learners.gan import gan
from creative_rl.learners.likelihood import likelihood, sequence_model
from creative_rl.learners.map_elites import elite_works, map_elites
from creative_rl.learners.music_vae import music_codec, music_vae
from creative_rl.learners.ppo import ppo
from creative_rl.learners.q_learning import q_learning
from creative_rl.learners.reinforce import reinforce
from creative_rl.learners.sac import sac
from creative_rl.learners.seqgan import seqgan
from creative_rl.learners.slateq import slateq
from creative_rl.learners.spiral import spiral
from creative_rl.learners.vae import vae
from creative_rl.learners.video_gan import video_gan

__all__ = [
    "a2c",
    "apg",
    "dagger",
    "demonstrate",
    "dqn",
    "dqn_gan",
    "elite_works",
    "ensemble",
    "gan",
    "likelihood",
    "map_elites",
    "music_codec",
    "music_vae",
    "of_members",
    "ppo",
    "q_learning",
    "reinforce",
    "rule_policy",
    "sac",
    "seqgan",
    "sequence_model",
    "slateq",
    "spiral",
    "vae",
    "video_gan",
]

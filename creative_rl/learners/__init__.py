"""Learners, one file each: factories that bind an environment and a config."""

from creative_rl.learners.a2c import a2c
from creative_rl.learners.dqn import dqn
from creative_rl.learners.likelihood import likelihood
from creative_rl.learners.ppo import ppo
from creative_rl.learners.q_learning import q_learning
from creative_rl.learners.reinforce import reinforce
from creative_rl.learners.sac import sac

__all__ = ["a2c", "dqn", "likelihood", "ppo", "q_learning", "reinforce", "sac"]

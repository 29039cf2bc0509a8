"""Learners, one file each: factories that bind an environment and a config."""

from creative_rl.learners.dqn import dqn
from creative_rl.learners.likelihood import likelihood
from creative_rl.learners.ppo import ppo

__all__ = ["dqn", "likelihood", "ppo"]

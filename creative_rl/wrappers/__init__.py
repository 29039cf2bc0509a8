"""Environments around environments."""

from creative_rl.wrappers.adversarial_reward import AdversarialReward
from creative_rl.wrappers.auto_reset import AutoReset
from creative_rl.wrappers.episode_log import EpisodeLog
from creative_rl.wrappers.flatten_actions import FlattenActions
from creative_rl.wrappers.generated_content import GeneratedContent
from creative_rl.wrappers.likelihood_reward import LikelihoodReward
from creative_rl.wrappers.novelty_reward import NoveltyReward
from creative_rl.wrappers.originality_reward import OriginalityReward
from creative_rl.wrappers.ranked_slates import RankedSlates
from creative_rl.wrappers.slate_actions import SlateActions
from creative_rl.wrappers.wrapper import Wrapper

__all__ = [
    "AdversarialReward",
    "AutoReset",
    "EpisodeLog",
    "FlattenActions",
    "GeneratedContent",
    "LikelihoodReward",
    "NoveltyReward",
    "OriginalityReward",
    "RankedSlates",
    "SlateActions",
    "Wrapper",
]

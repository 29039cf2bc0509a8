"""Flax modules."""

from creative_rl.networks.content import ContentGenerator, InstructionReader
from creative_rl.networks.features import feature_space, features
from creative_rl.networks.memory import MemoryCell
from creative_rl.networks.model import Model, clear_memory, last_memory, repeat_memory
from creative_rl.networks.music import MusicDecoder, MusicEncoder
from creative_rl.networks.pictures import PictureDecoder, PictureEncoder
from creative_rl.networks.transformer import Transformer

__all__ = [
    "ContentGenerator",
    "InstructionReader",
    "MemoryCell",
    "Model",
    "MusicDecoder",
    "MusicEncoder",
    "PictureDecoder",
    "PictureEncoder",
    "Transformer",
    "clear_memory",
    "feature_space",
    "features",
    "last_memory",
    "repeat_memory",
]

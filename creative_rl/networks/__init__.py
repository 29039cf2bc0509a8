"""Flax modules."""

from creative_rl.networks.content import ContentGenerator, InstructionReader
from creative_rl.networks.features import features
from creative_rl.networks.memory import MemoryCell
from creative_rl.networks.model import Model, clear_memory, repeat_memory
from creative_rl.networks.pictures import PictureDecoder, PictureEncoder

__all__ = [
    "ContentGenerator",
    "InstructionReader",
    "MemoryCell",
    "Model",
    "PictureDecoder",
    "PictureEncoder",
    "clear_memory",
    "features",
    "repeat_memory",
]

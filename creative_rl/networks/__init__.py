"""Flax modules."""

from creative_rl.networks.features import features
from creative_rl.networks.memory import MemoryCell
from creative_rl.networks.model import Model, clear_memory, repeat_memory

__all__ = ["MemoryCell", "Model", "clear_memory", "features", "repeat_memory"]

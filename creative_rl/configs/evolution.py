"""Learners that evolve whole works."""

import dataclasses

from creative_rl.configs.fields import share, signed, static, unit

__all__ = ["MAPElitesConfig"]


@dataclasses.dataclass(frozen=True)
class MAPElitesConfig:
    """MAP-Elites, an archive of works that differ (Mouret and Clune 2015, arXiv 1504.04909)."""

    batch_size: int = static(256)
    """solutions tried in one update, each in an episode of its own"""
    num_steps: int | None = static(None)
    """actions of a solution; None for the environment's horizon"""
    descriptors: str = static("")
    """what works differ in, NAME or NAME:LOW:HIGH with commas between; empty for the work's own"""
    cells: tuple[int, ...] = static((32, 32))
    """into how many parts the range of each descriptor is cut"""
    random_updates: int = 1
    """first updates, in which all solutions are drawn at random"""
    mutation_rate: float = share(0.05)
    """share of a solution's numbers that are drawn anew"""
    crossover_rate: float = unit(0.5)
    """share of solutions that take a stretch of their actions from a second elite"""
    fitness_floor: float = signed(0.0)
    """subtracted from every elite's return in the QD score: the least return that there can be"""

"""The archive of levels that is filled on both sides: PCGRL's binary, any tile at a time."""

ID = "level-binary-wide"
STEPS = 64
"""Actions of a solution."""
BATCH = 256
"""Solutions tried in one update."""
CELLS = (32, 32)
"""By the longest way and the share of walls, in the ranges of `metrics.descriptors`."""
DESCRIPTORS = ("path_length", "wall_share")
MUTATION_RATE = 0.05
CROSSOVER_RATE = 0.5

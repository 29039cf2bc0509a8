"""A grid of elites as a dict, one solution at a time: `creative_rl.stores.archive`."""

import math


class PlainArchive:
    """Cells by their place in the grid, each `(fitness, descriptors, solution)`."""

    def __init__(self, shape, ranges):
        self.shape, self.ranges, self.elites = shape, ranges, {}

    def cell(self, descriptors):
        places = []
        for value, num, (low, high) in zip(descriptors, self.shape, self.ranges, strict=True):
            ends = [low + (high - low) * (place + 1) / num for place in range(num - 1)]
            places.append(sum(value >= end for end in ends))
        return tuple(places)

    def add(self, batch):
        """Each of `(solution, fitness, descriptors)` in turn; an equal comes too late. How many
        cells have a new elite."""
        before = dict(self.elites)
        for solution, fitness, descriptors in batch:
            if not all(map(math.isfinite, (fitness, *descriptors))):
                continue
            cell = self.cell(descriptors)
            if cell not in self.elites or fitness > self.elites[cell][0]:
                self.elites[cell] = (fitness, descriptors, solution)
        return sum(before.get(cell) is not elite for cell, elite in self.elites.items())

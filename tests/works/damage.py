"""A file's bytes, cut and overwritten at random."""

import random


def damaged_copies(data, num=300):
    """The same copies of the same bytes every time."""
    rng = random.Random(0)
    for _ in range(num):
        damaged = bytearray(data[: rng.randrange(1, len(data))] if rng.random() < 0.3 else data)
        for _ in range(rng.randrange(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        yield bytes(damaged)

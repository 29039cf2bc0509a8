"""How much energy an occasion asks for, from its start to its end."""

import numpy as np

OCCASIONS = {
    "procession": (0.4, 0.5, 0.55, 0.65, 0.75),
    "ceremony": (0.3, 0.65, 0.9, 0.65, 0.35),
    "lullaby": (0.45, 0.4, 0.3, 0.2, 0.15),
    "film": (0.2, 0.25, 0.4, 0.9, 0.5),
    "dance": (0.5, 0.8, 0.8, 0.8, 0.6),
    "elegy": (0.2, 0.3, 0.5, 0.3, 0.15),
}
"""Energy in 0..1 at the start, the quarters and the end: what we think of them, no measurement."""


def energy_curves(num_slots: int) -> np.ndarray:
    """float32[C, num_slots]: the curves of `OCCASIONS`, straight lines between their five places.

    >>> energy_curves(9)[2].round(3).astype(str).tolist()  # a lullaby
    ['0.45', '0.425', '0.4', '0.35', '0.3', '0.25', '0.2', '0.175', '0.15']
    """
    slots = np.linspace(0, 1, num_slots)
    places = np.linspace(0, 1, 5)
    curves = [np.interp(slots, places, curve) for curve in OCCASIONS.values()]
    return np.array(curves, np.float32)

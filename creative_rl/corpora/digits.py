"""Scikit-learn's handwritten digits: 1,797 pictures of 8 x 8 pixels.

Source: the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin and
Kaynak 1998), which lies inside the package. The package is found, not imported: that would cost
two seconds, and reading the file costs milliseconds.
"""

import functools
import gzip
import importlib.util
import pathlib

import numpy as np

NUM_PICTURES = 1797
NUM_TRAIN = 1297
SIDE = 8
HIGHEST = 16
"""Level of full ink."""


@functools.cache
def read() -> tuple[np.ndarray, np.ndarray]:
    """Ink uint8[1797, 8, 8] in 0..16 and labels uint8[1797] in 0..9, both read-only.

    Raises:
      ImportError: scikit-learn is not installed, or installed without the file.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("digits are inside scikit-learn: pip install 'creative_rl[data]'")
    path = pathlib.Path(spec.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    try:
        with gzip.open(path, "rt") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise ImportError(
            f"cannot read the digits of scikit-learn in {path} ({error}); reinstall the package: "
            "pip install --force-reinstall scikit-learn"
        ) from error
    table.flags.writeable = False
    return table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1]


def pictures(indices: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Digits as uint8[N, 8, 8, 1] in 0..255, white on black, all of them or those at `indices`."""
    ink, _ = read()
    return np.rint(ink[indices] * (255 / HIGHEST)).astype(np.uint8)[..., None]


def split(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Indices of 1,297 digits to learn from and of the 500 others, each in random order."""
    order = np.random.default_rng(seed).permutation(NUM_PICTURES)
    return order[:NUM_TRAIN], order[NUM_TRAIN:]

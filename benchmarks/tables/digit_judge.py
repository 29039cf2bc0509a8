"""The judge of generated 8 x 8 digits: distances in the features of a small classifier.

Scikit-learn's 1,797 digits are split at random into 1,297 to learn from and 500 to compare with.
Features are the 64 hidden units of a classifier of the former (97.6 % right on the latter). In
pixels the Frechet distance is of no use: there one Gaussian comes out near a mixture of twenty.
"""

from collections.abc import Callable, Mapping

import numpy as np

from creative_rl import metrics
from creative_rl.corpora import digits

NUM_SAMPLES = digits.NUM_TRAIN
"""How many samples are judged: as many as a sampler learned from."""
NUM_NEIGHBOURS = 5
HIGHER_IS_BETTER = {"fid": False, "precision": True, "recall": True, "inception_score": True}

_HIDDEN = 64
_MAX_ITERATIONS = 500  # training stops by itself, after some 350
_PIXELS = digits.SIDE**2


class DigitJudge:
    """Judges samples against the 500 test digits of a split.

    Attributes:
      train: float64[1297, 64] in 0..1, what samplers may learn from; the digits of
        `digits.split(seed)`, so with seed 0 those of `load_pictures("digits-train", 8, 8)`.
      test: float64[500, 64] in 0..1.
      accuracy: of the classifier on `test`, 0..1.
    """

    def __init__(self, seed: int = 0):
        """Split the digits and train the classifier, both by `seed`, in about a second.

        Raises:
          ImportError: scikit-learn is not installed.
        """
        from sklearn.neural_network import MLPClassifier

        ink, labels = digits.read()
        ink = ink.reshape(-1, _PIXELS) / digits.HIGHEST
        train, test = digits.split(seed)
        self.train, self.test = ink[train], ink[test]
        self._classifier = MLPClassifier((_HIDDEN,), max_iter=_MAX_ITERATIONS, random_state=seed)
        self._classifier.fit(self.train, labels[train])
        self.accuracy = float(self._classifier.score(self.test, labels[test]))
        self._test_features = self.features(self.test)

    def features(self, samples: np.ndarray) -> np.ndarray:
        """The classifier's hidden units, float64[N, 64], at least 0; samples as in `measure`."""
        weights, biases = self._classifier.coefs_[0], self._classifier.intercepts_[0]
        return np.maximum(_flat(samples) @ weights + biases, 0)

    def measure(self, samples: np.ndarray) -> dict[str, float]:
        """Fid, precision, recall and inception score of samples.

        Args:
          samples: float[N, 64] in 0..1, or uint8[N, 8, 8] or [N, 8, 8, 1]; with N other than
            `NUM_SAMPLES` the figures do not compare with those published.

        Raises:
          ValueError: another shape or type, too few samples, or values out of range.
        """
        flat = _flat(samples)
        features = self.features(flat)
        precision, recall = metrics.precision_recall(self._test_features, features, NUM_NEIGHBOURS)
        return {
            "fid": metrics.frechet_distance(self._test_features, features),
            "precision": precision,
            "recall": recall,
            "inception_score": metrics.inception_score(self._classifier.predict_proba(flat)),
        }


def _flat(samples: np.ndarray) -> np.ndarray:
    """Samples as float64[N, 64] in 0..1."""
    samples = np.asarray(samples)
    is_picture = samples.dtype == np.uint8 and samples.shape[1:] in ((8, 8), (8, 8, 1))
    if not is_picture and (samples.dtype.kind != "f" or samples.shape[1:] != (_PIXELS,)):
        raise ValueError(
            "digits are float[N, 64] in 0..1, uint8[N, 8, 8] or uint8[N, 8, 8, 1], got "
            f"{samples.dtype}{list(samples.shape)}"
        )
    flat = samples.reshape(-1, _PIXELS).astype(np.float64) / (255 if is_picture else 1)
    if flat.size and not (flat.min() >= 0 and flat.max() <= 1):
        raise ValueError(f"digits as floats lie in 0..1, got {flat.min():g}..{flat.max():g}")
    return flat


# Samplers without a network: from the digits to learn from, float64[N, 64], and a seed to
# `NUM_SAMPLES` samples, clipped to 0..1.

_RIDGE = 1e-3  # on covariances: some pixels are never inked
_KDE_COMPONENTS = 15
_KDE_BANDWIDTH = 3.79  # in levels of ink, 0..16


def real_digits(train: np.ndarray, seed: int) -> np.ndarray:
    """The digits to learn from themselves: what no sampler of as many samples should beat."""
    return train


def gaussian_mixture(train: np.ndarray, seed: int) -> np.ndarray:
    """Twenty Gaussians with full covariances."""
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(20, reg_covar=_RIDGE, random_state=seed).fit(train)
    return np.clip(mixture.sample(NUM_SAMPLES)[0], 0, 1)


def kernel_density(train: np.ndarray, seed: int) -> np.ndarray:
    """A Gaussian around every digit, in the space of the first 15 principal components."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import KernelDensity

    components = PCA(_KDE_COMPONENTS, random_state=seed)
    projected = components.fit_transform(train * digits.HIGHEST)
    density = KernelDensity(bandwidth=_KDE_BANDWIDTH).fit(projected)
    drawn = components.inverse_transform(density.sample(NUM_SAMPLES, random_state=seed))
    return np.clip(drawn / digits.HIGHEST, 0, 1)


def one_gaussian(train: np.ndarray, seed: int) -> np.ndarray:
    """One Gaussian with the mean and the full covariance of all digits."""
    covariance = np.cov(train.T) + _RIDGE * np.eye(train.shape[1])
    generator = np.random.default_rng(seed)
    return np.clip(generator.multivariate_normal(train.mean(axis=0), covariance, NUM_SAMPLES), 0, 1)


def uniform_noise(train: np.ndarray, seed: int) -> np.ndarray:
    """Every pixel on its own, even over 0..1."""
    return np.random.default_rng(seed).random((NUM_SAMPLES, train.shape[1]))


BASELINES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "real digits": real_digits,
    "Gaussian mixture, 20": gaussian_mixture,
    "kernel density, PCA 15": kernel_density,
    "one Gaussian": one_gaussian,
    "uniform noise": uniform_noise,
}
"""By name in the table, the best first."""


def measure_baselines(judge: DigitJudge, seed: int) -> dict[str, dict[str, float]]:
    """By sampler and measure, what the samplers reach before a judge; `seed` drives them."""
    return {name: judge.measure(sampler(judge.train, seed)) for name, sampler in BASELINES.items()}

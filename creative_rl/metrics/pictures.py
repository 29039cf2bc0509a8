"""How near generated pictures are to real ones, and how diverse: measured on features, in NumPy.

Features are what a network makes of the pictures (the published tables use Inception's), so
figures compare only where network, sample counts and preprocessing are the same. Letters: `N`
real and `M` made samples, `F` features, `K` classes.
"""

import numpy as np
import numpy.typing as npt

_CHUNK = 2**24  # distances held at a time
_TOLERANCE = 1e-3  # of probabilities' sums, in float32 from many classes


def frechet_distance(real: npt.ArrayLike, made: npt.ArrayLike) -> float:
    """Squared Frechet distance of the Gaussians fitted to two sets of features, at least 0.

    `|mean_r - mean_m|^2 + tr(C_r) + tr(C_m) - 2 tr((C_r C_m)^(1/2))`, with covariances divided by
    N - 1. It shrinks with more samples: compare at equal counts. Symmetric in its arguments.

    The last trace is the sum of the singular values of `R_r R_m^T`, where `R^T R` are the
    covariances: no covariance is squared, so singular ones (dead features, fewer samples than
    features) do no harm.

    Source: Heusel et al. 2017, arXiv 1706.08500, equation 6.

    Args:
      real: float[N, F], N at least 2.
      made: float[M, F], M at least 2.

    Raises:
      ValueError: another shape, or numbers that are not finite.
    """
    real, made = _pair(real, made, "frechet_distance", at_least=2)
    shift = real.mean(axis=0) - made.mean(axis=0)
    root_real, root_made = _root(real), _root(made)
    overlap = np.linalg.svd(root_real @ root_made.T, compute_uv=False).sum()
    distance = (shift**2).sum() + (root_real**2).sum() + (root_made**2).sum() - 2 * overlap
    return max(float(distance), 0.0)


def _root(features: np.ndarray) -> np.ndarray:
    """R[min(N, F), F] such that `R^T R` is the covariance."""
    centred = features - features.mean(axis=0)
    return np.linalg.qr(centred, mode="r") / np.sqrt(len(features) - 1)


def precision_recall(real: npt.ArrayLike, made: npt.ArrayLike, k: int = 5) -> tuple[float, float]:
    """Share of made samples among the real ones, and of real samples among the made: 0..1 each.

    A sample is among others where it lies in the ball around one of them that reaches to that
    one's k-th nearest neighbour (itself not counted, the surface included). Precision falls with
    bad samples, recall with missing ones. Exact, O((N + M)^2 F).

    Source: Kynkaanniemi et al. 2019, arXiv 1904.06991, equations 1 and 2.

    Args:
      real: float[N, F], N > k.
      made: float[M, F], M > k.
      k: neighbours, at least 1; the paper has 3.

    Returns:
      precision and recall.

    Raises:
      ValueError: k or a shape is out of range, or there are numbers that are not finite.
    """
    if k < 1:
        raise ValueError(f"precision_recall: k must be at least 1 neighbour, got {k}")
    real, made = _pair(real, made, "precision_recall", at_least=k + 1)
    return _share_inside(made, real, k), _share_inside(real, made, k)


def _share_inside(queries: np.ndarray, others: np.ndarray, k: int) -> float:
    """Share of `queries` inside the ball of any of `others`."""
    from scipy.spatial.distance import cdist

    rows = max(1, _CHUNK // len(others))
    # The nearest of all is the sample itself, or its double: either is at distance 0.
    radii = np.concatenate(
        [
            np.partition(cdist(others[i : i + rows], others), k, axis=1)[:, k]
            for i in range(0, len(others), rows)
        ]
    )
    num_inside = sum(
        (cdist(queries[i : i + rows], others) <= radii).any(axis=1).sum()
        for i in range(0, len(queries), rows)
    )
    return float(num_inside / len(queries))


def inception_score(probabilities: npt.ArrayLike) -> float:
    """Exponential of the mean divergence of a classifier's answers from their mean: 1..K.

    High where every answer is sure and the classes are even. It knows nothing of the real
    pictures. Computed once over all samples; the paper averages over ten parts of 5,000.

    Source: Salimans et al. 2016, arXiv 1606.03498, section 4.

    Args:
      probabilities: float[M, K], rows that sum to 1.

    Raises:
      ValueError: another shape, or rows that are no probabilities.
    """
    rows = _features(probabilities, "inception_score: probabilities", at_least=1)
    sums = rows.sum(axis=1)
    if rows.min() < 0 or np.abs(sums - 1).max() > _TOLERANCE:
        raise ValueError(
            "inception_score: probabilities must be at least 0 and sum to 1 in every row, got "
            f"least {rows.min():g} and sums {sums.min():g}..{sums.max():g}"
        )
    rows = rows / sums[:, None]
    return float(np.exp(_entropy(rows.mean(axis=0)) - _entropy(rows).mean()))


def vendi_score(features: npt.ArrayLike, order: float = 1.0) -> float:
    """Effective number of different samples, 1..min(M, F), by the cosine of their features.

    1 where all features point one way, M where every two are at right angles. As
    `vendi_score_of_kernel` on the matrix of cosines, in O(M F min(M, F)).

    Source: Friedman and Dieng 2022, arXiv 2210.02410, section 3.1; orders: Pasarkar and Dieng
    2023, arXiv 2310.12952.

    Args:
      features: float[M, F], no row all 0.
      order: above 0, infinity allowed; 1 is the paper's, less heeds rare samples more, 2 is the
        inverse of the mean squared cosine.

    Raises:
      ValueError: another shape, a row of zeros, or an order out of range.
    """
    _check_order(order, "vendi_score")
    features = _features(features, "vendi_score: features", at_least=1)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    if not lengths.all():
        raise ValueError(
            f"vendi_score: features need a direction, row {int(lengths.argmin())} is all 0"
        )
    roots = np.linalg.svd(features / lengths / np.sqrt(len(features)), compute_uv=False)
    return _hill_number(roots**2, order)


def vendi_score_of_kernel(kernel: npt.ArrayLike, order: float = 1.0) -> float:
    """Effective number of different samples, 1..M, by a matrix of their similarities.

    The exponential of the entropy of the eigenvalues of `kernel / M` (Renyi's, of `order`).
    Sources as of `vendi_score`.

    Args:
      kernel: float[M, M], symmetric and positive semi-definite with a diagonal of ones.
      order: above 0, infinity allowed.

    Raises:
      ValueError: no such matrix, or an order out of range.
    """
    _check_order(order, "vendi_score_of_kernel")
    kernel = _features(kernel, "vendi_score_of_kernel: kernel", at_least=1)
    if kernel.shape[0] != kernel.shape[1]:
        raise ValueError(f"vendi_score_of_kernel: kernel must be [M, M], got {list(kernel.shape)}")
    if not np.allclose(kernel, kernel.T):
        raise ValueError(
            "vendi_score_of_kernel: kernel must be symmetric, got values that differ across its "
            f"diagonal by up to {np.abs(kernel - kernel.T).max():g}"
        )
    if not np.allclose(kernel.diagonal(), 1):
        raise ValueError(
            "vendi_score_of_kernel: a sample's similarity to itself must be 1, got "
            f"{kernel.diagonal().min():g}..{kernel.diagonal().max():g} on the diagonal"
        )
    values = np.linalg.eigvalsh(kernel / len(kernel))
    if values[0] < -_TOLERANCE:
        raise ValueError(
            "vendi_score_of_kernel: kernel must be positive semi-definite, got the eigenvalue "
            f"{values[0] * len(kernel):g}"
        )
    return _hill_number(np.clip(values, 0, None), order)


def _check_order(order: float, name: str) -> None:
    if not order > 0:
        raise ValueError(f"{name}: order must be above 0, got {order}")


def _hill_number(shares: np.ndarray, order: float) -> float:
    """Effective number of kinds with these shares, which sum to 1 up to rounding."""
    shares = shares / shares.sum()
    if order == 1:
        return float(np.exp(_entropy(shares)))
    if np.isinf(order):
        return float(1 / shares.max())
    return float((shares**order).sum() ** (1 / (1 - order)))


def _entropy(shares: np.ndarray) -> np.ndarray | np.floating:
    """Shannon's, in nats, over the last axis; a share of 0 adds 0."""
    return -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=-1)


def _pair(
    real: npt.ArrayLike, made: npt.ArrayLike, name: str, at_least: int
) -> tuple[np.ndarray, np.ndarray]:
    real = _features(real, f"{name}: real", at_least)
    made = _features(made, f"{name}: made", at_least)
    if real.shape[1] != made.shape[1]:
        raise ValueError(
            f"{name}: real and made must have the same features, got {list(real.shape)} and "
            f"{list(made.shape)}"
        )
    return real, made


def _features(values: npt.ArrayLike, what: str, at_least: int) -> np.ndarray:
    """The values as float64[N, F], or one line that says what is wrong."""
    features = np.asarray(values, np.float64)
    if features.ndim != 2 or features.shape[0] < at_least or features.shape[1] < 1:
        raise ValueError(
            f"{what} must be [N, F], N at least {at_least} and F at least 1, got "
            f"{list(features.shape)}"
        )
    if not np.isfinite(features).all():
        raise ValueError(f"{what} must be finite, got NaN or infinity")
    return features

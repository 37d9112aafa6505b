"""Distances between the distributions of two samples."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer, positive, real
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.progress import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch._core import Rows
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = [
    "check_columns",
    "energy_distance",
    "frechet_distance",
    "kernel_parameters",
    "median_distance",
    "mmd",
    "polynomial_parameters",
]

MEDIAN_ROWS = 2000
"""Rows whose pairwise distances make the default bandwidth."""

MOST_DEGREE = 64
"""The largest degree of the polynomial kernel."""

LARGEST_MAGNITUDE = 1e150
"""The largest parameter of a kernel, as of the data: its square does not overflow."""


def frechet_distance(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the Fréchet distance between the Gaussians fitted to two samples.

    ‖μ_X − μ_Y‖² + tr(Σ_X + Σ_Y − 2(Σ_XΣ_Y)^{1/2}) with covariances of ddof = 1 [1]_ [2]_: the
    squared 2-Wasserstein distance of the two Gaussians. The last trace is the sum of singular
    values of a product of factors, so the result is never negative or complex and nothing is added
    to the diagonal. It is biased upwards by about d/n: compare it with its null at equal sizes.

    Parameters
    ----------
    reference
        Embeddings X, n ≥ 2 rows, of human data.
    candidate
        Embeddings Y, m ≥ 2 rows, with as many columns.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in squared units of the embeddings.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or one row.

    Notes
    -----
    One pass of O((n + m)·d²) and O(min(n, d)³); O(d²) memory besides the embeddings.

    References
    ----------
    .. [1] Dowson & Landau (1982), The Fréchet distance between multivariate normal distributions.
    .. [2] Heusel et al. (2017), GANs trained by a two time-scale update rule.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> human = np.random.default_rng(0).normal(size=(1000, 3))
    >>> round(tw.metrics.frechet_distance(human, human + [1.0, 2.0, 2.0]), 9)
    9.0
    """
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return _core.frechet_distance(x, y, settings)


def mmd(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    kernel: Literal["polynomial", "gaussian"] = "polynomial",
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    bandwidth: float | None = None,
    unbiased: bool = True,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the squared maximum mean discrepancy between two samples, over all pairs.

    MMD² = mean k(x, x') + mean k(y, y') − 2 mean k(x, y) [1]_. With the default polynomial kernel
    it is the kernel inception distance without the noise of subsets; with the Gaussian kernel at σ
    = 10 on CLIP embeddings it is CMMD.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    kernel
        ``"polynomial"``, (γ⟨x, y⟩ + c)^degree, or ``"gaussian"``, exp(−‖x−y‖²/2σ²).
    degree
        Exponent of the polynomial kernel, from 1 to 64.
    gamma
        γ of the polynomial kernel; 1/d by default.
    coef0
        c of the polynomial kernel.
    bandwidth
        σ of the Gaussian kernel. By default the median distance of the rows of X and Y together, or
        of 2,000 of them where there are more, drawn from each in proportion with a fixed seed. So
        swapped arguments have the same; samples of other candidates have another, and values of
        several candidates compare only under one that is given.
    unbiased
        Whether to leave each row's pair with itself out (U-statistic; may be negative) or keep it
        (V-statistic).
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        Squared MMD, in the units of the kernel; its expectation is 0 for equal distributions if
        unbiased.

    Raises
    ------
    InputError
        Bad data, an unknown kernel, or parameters that are no kernel's.

    Notes
    -----
    (n + m)²/2 inner products of d columns; O(n + m) memory besides the embeddings. The polynomial
    kernel is summed without the large parts that cancel, about a median of X in each column: offset
    data keep their digits, and a few far rows do not cost the others theirs. Kernel values and sums
    are float64. So are inner products, unless both samples are float16 or float32 with 64 columns
    or more and 1,024 rows or more in all: those are centred and multiplied in float32, 64 columns
    at a time. What that loses is random from pair to pair: about a millionth
    of the standard error that the result has anyway. Pairs so close that their distance would
    cancel are measured again as Σ(x−y)² in float64.

    References
    ----------
    .. [1] Gretton et al. (2012), A kernel two-sample test.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> human = np.random.default_rng(0).normal(size=(200, 3))
    >>> near = tw.metrics.mmd(human[:100], human[100:], kernel="gaussian")
    >>> far = tw.metrics.mmd(human[:100], human[100:] + 1.0, kernel="gaussian")
    >>> bool(abs(near) < 0.02 < far)
    True
    """
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    check_columns(x, y)
    parameters = kernel_parameters(
        [x, y], kernel, degree=degree, gamma=gamma, coef0=coef0, bandwidth=bandwidth
    )
    with running(threads, progress) as settings:
        return _core.mmd(x, y, kernel, parameters, unbiased, settings)


def energy_distance(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    unbiased: bool = True,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the energy distance E = 2E‖x−y‖ − E‖x−x'‖ − E‖y−y'‖ between two samples.

    This is E itself [1]_, not its square root (which some libraries return) nor its half.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    unbiased
        Whether to leave each row's pair with itself out (U-statistic; may be negative) or keep it
        (V-statistic).
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In the units of the embeddings; its expectation is 0 for equal distributions if unbiased.

    Raises
    ------
    InputError
        Bad data or different numbers of columns.

    Notes
    -----
    (n + m)²/2 inner products of d columns; O(n + m) memory besides the embeddings. Distances are
    ‖x‖² + ‖y‖² − 2⟨x, y⟩ of centred rows, and Σ(x−y)² where that would cancel: copies are exactly
    0 apart. What is summed is ‖x‖ + ‖y‖ − ‖x−y‖, whose lengths cancel in E, so that a far row does
    not cost the others their digits. All is float64, but for the inner products of samples that are
    both float16 or float32 with 64 columns or more and 1,024 rows or more in all: those are
    float32, 64 columns at a time. What that loses is random from pair to pair: about a millionth of
    the standard error that the result has anyway.

    References
    ----------
    .. [1] Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances.

    Examples
    --------
    >>> import tailwatch as tw
    >>> import numpy as np
    >>> tw.metrics.energy_distance(np.zeros((2, 1)), np.full((2, 1), 3.0))
    6.0
    """
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return _core.mmd(x, y, "distance", [], unbiased, settings)


def check_columns(reference: Rows, candidate: Rows) -> None:
    """Fail unless both samples have the same number of columns."""
    expected, got = reference.shape[1], candidate.shape[1]
    if expected != got:
        raise DimensionError(
            argument="candidate", expected=f"{expected} columns as in reference", got=str(got)
        )


def kernel_parameters(
    samples: Sequence[Rows],
    kernel: str,
    *,
    degree: int,
    gamma: float | None,
    coef0: float,
    bandwidth: float | None,
) -> list[float]:
    """Check the parameters of a kernel and fill in those that are left to the data."""
    if kernel == "polynomial" and bandwidth is not None:
        msg = f"the polynomial kernel has no bandwidth, got {bandwidth}"
        raise InputError(
            msg,
            argument="bandwidth",
            expected="None with the polynomial kernel",
            got=repr(bandwidth),
        )
    if kernel == "gaussian" and gamma is not None:
        msg = f"the Gaussian kernel has no gamma, got {gamma}"
        raise InputError(
            msg,
            argument="gamma",
            expected="None with the Gaussian kernel",
            got=repr(gamma),
            hint="its scale is `bandwidth`",
        )
    if kernel == "polynomial":
        columns = samples[0].shape[1]
        return polynomial_parameters(columns, degree=degree, gamma=gamma, coef0=coef0)
    if kernel == "gaussian":
        if bandwidth is None:
            return [median_distance(samples)]
        return [positive(bandwidth, "bandwidth", most=LARGEST_MAGNITUDE)]
    raise InputError(argument="kernel", expected="'polynomial' or 'gaussian'", got=repr(kernel))


def polynomial_parameters(
    columns: int, *, degree: int = 3, gamma: float | None = None, coef0: float = 1.0
) -> list[float]:
    """Check the parameters of the polynomial kernel and fill in γ = 1/d."""
    degree = integer(degree, "degree", most=MOST_DEGREE)
    gamma = 1.0 / columns if gamma is None else positive(gamma, "gamma", most=LARGEST_MAGNITUDE)
    constant = real(coef0, "coef0")
    if abs(constant) > LARGEST_MAGNITUDE:
        expected = f"a number from -{LARGEST_MAGNITUDE:g} to {LARGEST_MAGNITUDE:g}"
        raise InputError(argument="coef0", expected=expected, got=repr(coef0))
    return [float(degree), gamma, constant]


def median_distance(samples: Sequence[Rows]) -> float:
    """Return the median of all pairwise distances in the pooled rows of `samples`.

    If more than half of them are 0, the median of the others. Beyond 2,000 rows, those of 2,000
    rows drawn with a fixed seed, from each sample in proportion to its size, so that the order of
    the samples does not matter. The distances are measured a few rows at a time, so that an
    interruption is answered between them.
    """
    from scipy.spatial.distance import cdist

    total = sum(sample.shape[0] for sample in samples)
    pooled = []
    for sample in samples:
        rows = sample.shape[0]
        taken = rows if total <= MEDIAN_ROWS else max(1, round(MEDIAN_ROWS * rows / total))
        inside = np.sort(_core.sample(rows, taken, 0, "bandwidth"))
        pooled.append(sample.take(inside).to_numpy().astype(np.float64))
    points = np.concatenate(pooled)
    # Squares of what is large or small would overflow or vanish; a power of two loses no digit.
    unit = math.ldexp(1.0, math.frexp(float(np.abs(points).max()))[1])
    points /= unit
    every = np.empty(len(points) * (len(points) - 1) // 2)
    filled = 0
    for first in range(0, len(points), 64):
        upper = np.triu_indices(min(64, len(points) - first), 1, len(points) - first)
        every[filled : filled + len(upper[0])] = cdist(points[first : first + 64], points[first:])[
            upper
        ]
        filled += len(upper[0])
    median = float(np.median(every, overwrite_input=True)) if len(every) else 0.0
    if median == 0 and every.any():
        median = float(np.median(every[every > 0]))
    # Where all rows are equal, the kernel is 1 whatever its bandwidth.
    return median * unit or 1.0

"""Divergences with inference of their own: a distance without bias, a test of equality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.distributions import t_quantile
from tailwatch.embeddings import as_embeddings
from tailwatch.metrics.embeddings.divergence import check_columns, kernel_parameters
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["ExtrapolatedDistance", "MMDTest", "frechet_distance_extrapolated", "mmd_test"]

MOST_POINTS = 4
"""Numbers of parts that a line is drawn through."""


@dataclass(frozen=True, slots=True)
class ExtrapolatedDistance:
    """A distance extrapolated to infinitely many rows, and the line it was read from.

    Attributes
    ----------
    value
        End of the line, at 1/N = 0: an estimate of the distance of the distributions. It may be
        negative, as an estimate of zero without bias must be at times.
    standard_error
        Standard error of `value`.
    low, high
        Interval of `value` (95 %, or the `confidence` asked for).
    slope
        Rise of the line from one size to the next: the bias of the distance of all rows.
    shares
        The sizes, as shares of all rows of both samples: 1, 1/2, …
    distances
        The mean distance at each size, first that of all rows.
    """

    value: float
    standard_error: float
    low: float
    high: float
    slope: float
    shares: tuple[float, ...]
    distances: tuple[float, ...]


def frechet_distance_extrapolated(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    points: int = 2,
    confidence: float = 0.95,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ExtrapolatedDistance:
    """Extrapolate the Fréchet distance to samples of infinite size, where it has no bias.

    The Fréchet distance of samples is too large by a term in 1/N. A straight line through its
    values at several N, as a function of 1/N, ends where N is infinite [1]_; on images that is
    called FID∞. The sizes are N/1, N/2, …, N/`points`, that is evenly spaced in 1/N, and both
    samples are cut, since the bias comes from both. At size N/j both are cut at random, without
    replacement, into j parts, and the distance is the mean over the parts and over several cuts (15
    for j = 2, 4 beyond): every cut uses all rows, so that what is linear in their sampling error is
    the same at all sizes and does not tilt the line, as it does where each size is one subset.

    Parameters
    ----------
    reference
        Embeddings X, n ≥ 64 rows, of human data.
    candidate
        Embeddings Y, m ≥ 64 rows, with as many columns.
    points
        Sizes that the line goes through, from 2 to 4. Two give the least error. More show whether
        the line is straight: with 2·d rows or fewer in the smallest part it is not, and the value
        is too low or too high by what the curve bends.
    confidence
        Confidence of the interval.
    seed
        Seed of the cuts.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    ExtrapolatedDistance
        Value with standard error and interval, and the line, in squared units of the embeddings.

    Raises
    ------
    InputError
        Bad data, fewer than 64 rows, or too few or too many points.

    Notes
    -----
    One pass of O((n + m)·d²), and 31 distances of O(min(n, d)³) for two points, 43 for three, 59
    for four; memory for 32 covariances of each sample, or for the samples where n ≤ 2·d. The
    standard error comes from the halves of the 15 cuts into two; the value is taken for normal,
    with the degrees of freedom that 30 halves of 32 groups of rows have. Without a fourth moment
    there is no such error: with tails as heavy as those of t with three degrees of freedom the
    interval is too short.

    References
    ----------
    .. [1] Chong & Forsyth (2020), Effectively unbiased FID and Inception Score and where to find
       them.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(2000, 16)), 0.5 * rng.normal(size=(2000, 16))
    >>> found = tw.metrics.frechet_distance_extrapolated(human, shrunk)
    >>> found.low < 4.0 < found.high  # 16·(1 − 0.5)²
    True
    >>> found.distances[0] == tw.metrics.frechet_distance(human, shrunk)
    False
    """
    points = integer(points, "points", least=2, most=MOST_POINTS)
    confidence = share(confidence, "confidence")
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        value, error, degrees, slope, distances = _core.frechet_distance_extrapolated(
            x, y, points, seed, settings
        )
    margin = t_quantile(0.5 + confidence / 2, degrees) * error
    return ExtrapolatedDistance(
        value=value,
        standard_error=error,
        low=value - margin,
        high=value + margin,
        slope=slope,
        shares=tuple(1 / parts for parts in range(1, points + 1)),
        distances=tuple(distances),
    )


@dataclass(frozen=True, slots=True)
class MMDTest:
    """Whether two samples are of one distribution, by their kernel means.

    Attributes
    ----------
    statistic
        The cross-MMD over its standard error; standard normal under equal distributions, large
        under different ones.
    p_value
        One-sided: the share of a standard normal beyond `statistic`.
    squared_mmd
        The cross-MMD itself, an unbiased estimate of the squared MMD; may be negative.
    standard_error
        Standard error of `squared_mmd` given the second halves.
    bandwidth
        σ of the Gaussian kernel; ``None`` of the polynomial one.
    """

    statistic: float
    p_value: float
    squared_mmd: float
    standard_error: float
    bandwidth: float | None


def mmd_test(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    kernel: Literal["gaussian", "polynomial"] = "gaussian",
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    bandwidth: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> MMDTest:
    """Test by the cross-MMD whether two samples have the same distribution, without permutations.

    Each sample is split at random into halves X₁, X₂ and Y₁, Y₂ [1]_. With the witness f(z) = mean
    k(z, X₂) − mean k(z, Y₂), U_X and U_Y its means over X₁ and Y₁, and σ̂² = mean (f − U_X)²/n₁ +
    mean (f − U_Y)²/m₁ (means over X₁ and Y₁), the statistic is (U_X − U_Y)/σ̂. Given the second
    halves it is a difference of two means of independent numbers over its standard error, and so
    asymptotically standard normal under equal distributions, in any dimension and for any kernel.

    Parameters
    ----------
    reference
        Embeddings X, n ≥ 4 rows, of human data.
    candidate
        Embeddings Y, m ≥ 4 rows, with as many columns.
    kernel
        ``"gaussian"``, exp(−‖x−y‖²/2σ²), which sees any difference, or ``"polynomial"``,
        (γ⟨x, y⟩ + c)^degree, which sees moments up to `degree`.
    degree, gamma, coef0
        Parameters of the polynomial kernel, as in :func:`mmd`.
    bandwidth
        σ of the Gaussian kernel; by default the median distance, as in :func:`mmd`.
    seed
        Seed of the halves.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    MMDTest
        Statistic, p-value, squared MMD with its standard error (in units of the kernel).

    Raises
    ------
    InputError
        Bad data, fewer than four rows, an unknown kernel, or parameters that are no kernel's.

    Notes
    -----
    (n + m)²/4 inner products of d columns, a fraction of what a permutation test takes; O(n + m)
    memory besides the embeddings. The price is power: splitting costs about as much as having √2
    times fewer rows. The halves are one random choice, and another seed gives another p-value;
    to try several and report the least is no test. Rows must be independent: copies and near-copies
    within a sample make the p-value too small. With few rows (n₁ < 30, say) or a heavy-tailed
    polynomial kernel the normal is an approximation. If all rows are equal, the statistic is 0; if
    the witness has no variance but a difference, it is infinite.

    Precision is that of :func:`mmd`.

    References
    ----------
    .. [1] Shekhar, Kim & Ramdas (2022), A permutation-free kernel two-sample test.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human = rng.normal(size=(500, 16))
    >>> fresh, shrunk = rng.normal(size=(500, 16)), 0.8 * rng.normal(size=(500, 16))
    >>> tw.metrics.mmd_test(human, fresh).p_value > 0.05
    True
    >>> tw.metrics.mmd_test(human, shrunk).p_value < 0.001
    True
    """
    from scipy.special import ndtr

    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    check_columns(x, y)
    parameters = kernel_parameters(
        [x, y], kernel, degree=degree, gamma=gamma, coef0=coef0, bandwidth=bandwidth
    )
    with running(threads, progress) as settings:
        squared, error, statistic = _core.cross_mmd(x, y, kernel, parameters, seed, settings)
    return MMDTest(
        statistic=statistic,
        p_value=float(ndtr(-statistic)),
        squared_mmd=squared,
        standard_error=error,
        bandwidth=parameters[0] if kernel == "gaussian" else None,
    )

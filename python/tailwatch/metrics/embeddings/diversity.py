"""How a sample spreads, how many rows or modes it amounts to, and the dimension that it fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, positive, real
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.divergence import LARGEST_MAGNITUDE, median_distance
from tailwatch.progress import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = [
    "DISCARD",
    "IntrinsicDimension",
    "Spectrum",
    "intrinsic_dimension",
    "rke",
    "spectrum",
    "vendi_score",
]

DISCARD = 0.1
"""Share of the largest ratios that Facco et al. leave out."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """How the variance of a sample is spread over directions.

    Attributes
    ----------
    eigenvalues
        Eigenvalues of the covariance (ddof = 1), descending, shape (d,), in squared units of the
        embeddings.
    trace
        Sum of the eigenvalues: the total variance.
    log_det
        Sum of the logarithms of the eigenvalues; −∞ if one is 0.
    effective_rank
        exp of the entropy of the eigenvalues' shares [1]_, from 1 to d; 0 for a constant sample.
    participation_ratio
        (Σλ)²/Σλ², from 1 to d; 0 for a constant sample.
    """

    eigenvalues: NDArray[np.float64]
    trace: float
    log_det: float
    effective_rank: float
    participation_ratio: float


def spectrum(
    embeddings: EmbeddingsLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Spectrum:
    """Measure how the variance of a sample is spread over directions.

    Parameters
    ----------
    embeddings
        Embeddings, at least 2 rows.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    Spectrum
        Eigenvalues of the covariance and what follows from them. Eigenvalues that rounding alone
        can explain are 0.

    Raises
    ------
    InputError
        Bad data, or fewer than 2 rows.

    Notes
    -----
    One pass of O(n·d²) and one eigendecomposition of O(min(n, d)³); O(d²) memory besides the
    embeddings.

    References
    ----------
    .. [1] Roy & Vetterli (2007), The effective rank: a measure of effective dimensionality.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> square = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(tw.metrics.spectrum(square).effective_rank, 6)
    2.0
    """
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return Spectrum(*_core.spectrum(rows, settings))


def vendi_score(
    embeddings: EmbeddingsLike,
    *,
    q: float = 1.0,
    truncation: int | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the diversity of a sample: the effective number of different rows.

    exp of the Rényi entropy of order q of the eigenvalues λ of K/n, with K the n × n matrix of
    cosines ⟨x, x'⟩/‖x‖‖x'‖ [1]_ [2]_: exp(−Σ λ ln λ) at q = 1, else (Σ λ^q)^(1/(1−q)), in the limit
    1/max λ at q = ∞. k groups of equally many rows, equal within a group and orthogonal between
    groups, have a score of k at any q. Larger q count rare directions less.

    The cosine knows directions and no lengths: a common offset of all rows makes them alike and the
    score small. Embeddings with a mean far from 0 may have to be centred first, which is a choice
    and is not made here. The score grows with the number of rows: compare it at equal sizes, or
    truncate it. With a *truncation* t only the t largest eigenvalues count, and the mass of the
    others is spread evenly over these, λ + (1 − Σλ)/t, so that the score of far more than t rows is
    that of the distribution, however many they are [3]_.

    Parameters
    ----------
    embeddings
        Embeddings, n ≥ 1 rows, none of them zero.
    q
        Order, from 0 to ``math.inf``.
    truncation
        t, at least 1; by default all eigenvalues count. The score is then at most t.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 1, all rows point one way, to min(n, d), or to `truncation` if that is less.

    Raises
    ------
    InputError
        Bad data, a row of zeros (named: it has no direction), `q` below 0 or `truncation` below 1.

    Notes
    -----
    O(n·d·min(n, d)) time for the smaller of the two matrices with these eigenvalues, UUᵀ/n and
    UᵀU/n of the rows U divided by their lengths, and O(min(n, d)³) for its eigenvalues, which q = 2
    does without; O(d·min(n, d)) memory besides the embeddings. Results differ by roundings between
    machines.

    Float64 embeddings are multiplied in float64. Float32 and float16 ones of n > d ≥ 64 columns and
    at least 1,024 rows, at q = 1 and q ≥ 2, are multiplied in float32 by runs of 64 rows, the runs
    added up in float64. The matrix is then off by at most 8.5e-6 in the Frobenius norm relative to
    its trace, which can move the logarithm of the score by at most 0.002 for 768 columns (0.0005 at
    q = 2); roundings cancel, and what is seen is about 1e-9, or 1e-6 where most eigenvalues are 0.
    Give float64 where that counts.

    Eigenvalues up to min(n, d)·2.2e-16 times the largest are what rounding leaves of 0 and count as
    0. At q = 0 the score is the number of those above, which is the rank only if directions of less
    than about 1e-7 of the largest singular value do not matter; below 1, roundings of the data (in
    float32, 1e-7 of a value) count much.

    References
    ----------
    .. [1] Friedman & Dieng (2023), The Vendi score: a diversity evaluation metric for machine
       learning.
    .. [2] Pasarkar & Dieng (2024), Cousins of the Vendi score: a family of similarity-based
       diversity metrics for science and machine learning.
    .. [3] Ospanov & Farnia (2024), On the statistical complexity of estimating Vendi scores from
       empirical data. arXiv 2410.21719.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rows = np.repeat(np.eye(4), 25, axis=0)
    >>> round(tw.metrics.vendi_score(rows), 9)
    4.0
    """
    order = real(q, "q")
    if not order >= 0:
        raise InputError(argument="q", expected="a number of at least 0", got=repr(q))
    kept = None if truncation is None else integer(truncation, "truncation")
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return _core.vendi_score(rows, order, kept, settings)


def rke(
    embeddings: EmbeddingsLike,
    *,
    bandwidth: float | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Count the modes of a sample: its order-2 Rényi kernel entropy [1]_.

    exp(−ln ‖K/n‖²) = n² / Σ k(x, x')² over all pairs, a row with itself among them, with the
    Gaussian kernel k = exp(−‖x−x'‖²/2σ²). M groups of equally many rows, each much narrower than σ
    and much farther than σ from the others, have a score of M; groups of shares p have 1/Σp².

    Parameters
    ----------
    embeddings
        Embeddings, n ≥ 1 rows.
    bandwidth
        σ: what is nearer is one mode. By default the median distance of the rows (of 2,000 of them
        where there are more), which is a scale of the whole sample: the score is then a soft number
        of a few units. Give a bandwidth between the width of a mode and the distance of modes to
        count them, and the same one to all samples that are compared.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 1, all rows are one mode, to n, each is its own.

    Raises
    ------
    InputError
        Bad data, or a `bandwidth` that is not positive.

    See Also
    --------
    vendi_score : Entropies of the cosine kernel.

    Notes
    -----
    It misleads where σ is less than the distance of neighbours: each row is then a mode, and the
    score grows with n. It knows modes by their mass: a rare one hardly counts (one row in a hundred
    adds 2 %); :func:`mode_coverage` counts rare ones.

    n²/2 inner products of d columns, O(n) memory besides the embeddings. Not in the panels of
    :func:`tailwatch.compare`: half-samples would need the pairs of each half.

    References
    ----------
    .. [1] Jalali, Li & Farnia (2023), An information-theoretic evaluation of generative models in
       learning multi-modal distributions.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> modes = 100.0 * np.repeat(np.eye(4), 25, axis=0)
    >>> rows = modes + 0.1 * np.random.default_rng(0).normal(size=(100, 4))
    >>> round(tw.metrics.rke(rows, bandwidth=10.0), 2)
    4.0
    """
    if bandwidth is not None:
        bandwidth = positive(bandwidth, "bandwidth", most=LARGEST_MAGNITUDE)
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        scale = median_distance([rows]) if bandwidth is None else bandwidth
        return _core.rke(rows, scale, settings)


@dataclass(frozen=True, slots=True)
class IntrinsicDimension:
    """The dimension of the set that rows lie on.

    Attributes
    ----------
    value
        The estimated dimension.
    standard_error
        Standard error of the estimate as a random number; it does not hold the bias by curvature,
        edges and noise.
    rows
        Number of different rows.
    """

    value: float
    standard_error: float
    rows: int


def intrinsic_dimension(
    embeddings: EmbeddingsLike,
    *,
    discard: float = DISCARD,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> IntrinsicDimension:
    """Estimate the intrinsic dimension of a sample from the two nearest neighbours of each row.

    Where the density hardly changes within the distance to the second neighbour, the ratio μ =
    r₂/r₁ of the distances of a row to its two nearest others has the distribution function 1 −
    μ^(−d) [1]_. The estimate is that of maximum likelihood, corrected for bias, (r − 1)/(Σ ln μ +
    (N − r)·ln μ_r) with the sum over the r smallest of N ratios and μ_r the largest of them: the
    others, for which the assumption fails first, count only as that large. Facco et al. leave them
    out and fit a line to the same ratios, which has no standard error. Here it is that of the
    likelihood, with the covariance of the ratios of neighbours, which share distances.

    A row that repeats another says where rows are often, not where they can be, and is left out.

    Parameters
    ----------
    embeddings
        Embeddings, at least 3 different rows.
    discard
        Share of the largest ratios that count as censored, from 0 to below 1.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    IntrinsicDimension
        Estimate, standard error, and the number of different rows.

    Raises
    ------
    InputError
        Bad data, fewer than 3 different rows or ratios kept, or all ratios kept are 1, as on a
        lattice.

    Notes
    -----
    O(n²·d) time, twice that where rows repeat; besides the embeddings, a byte for each of their
    values and O(n) memory. The dimension is that at the scale of the nearest neighbours: noise in
    all columns makes it larger, coarse rounding smaller, and from about 10 on too few rows reach
    their neighbours before the density changes and it is too small (23 for the 32 columns of a
    normal distribution with 2,000 rows).

    References
    ----------
    .. [1] Facco, d'Errico, Rodriguez & Laio (2017), Estimating the intrinsic dimension of datasets
       by a minimal neighborhood information.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> plane = rng.uniform(size=(2000, 2)) @ rng.normal(size=(2, 64))
    >>> found = tw.metrics.intrinsic_dimension(plane)
    >>> bool(abs(found.value - 2) < 4 * found.standard_error)
    True
    """
    share = real(discard, "discard")
    if not 0 <= share < 1:
        expected = "a number from 0 to below 1"
        raise InputError(argument="discard", expected=expected, got=repr(discard))
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return IntrinsicDimension(*_core.intrinsic_dimension(rows, share, settings))

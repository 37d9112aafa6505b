"""Exact nearest neighbours; divergences between densities, and entropy of one, from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tailwatch import _core
from tailwatch.arguments import integer, positive
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.diversity import DISCARD
from tailwatch.progress import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption, Settings

__all__ = ["knn_divergence", "knn_entropy", "knn_jensen_shannon", "nearest_neighbors"]


def nearest_neighbors(
    queries: EmbeddingsLike,
    base: EmbeddingsLike,
    *,
    k: int,
    exclude_self: bool = False,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the k rows of `base` nearest to each row of `queries`, exactly.

    Distances are Euclidean, √Σ(x−y)², in float64 from the original values: a far origin or a
    duplicate costs no digits. Ties go to the lower row number. The result is the same to the bit
    for any number of threads, any chunking and any instruction set.

    Parameters
    ----------
    queries
        Embeddings, n rows.
    base
        Embeddings, m rows, with as many columns.
    k
        Neighbours per query, from 1 to m (m − 1 with `exclude_self`).
    exclude_self
        Whether `queries` and `base` are the same rows and a row is not its own neighbour. Its
        duplicates still are.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    distances : numpy.ndarray of float64, shape (n, k)
        Ascending in each row, in the units of the embeddings.
    indices : numpy.ndarray of int64, shape (n, k)
        Row numbers in `base`.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or `k` larger than the rows there are.

    Notes
    -----
    O(n·m·d) time; besides the embeddings, a byte for each of their values and O((n + m)·k) memory.
    From 16 columns on, most pairs are told apart by 8-bit codes and bounds on what these miss; what
    may count is measured. Data in tight clusters far apart leave more to be measured, and take
    longer. Differences below about 1e-154 square to 0.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> base = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    >>> distances, indices = tw.metrics.nearest_neighbors(base, base, k=1, exclude_self=True)
    >>> distances.tolist(), indices.tolist()
    ([[5.0], [5.0], [5.0]], [[1], [0], [1]])
    """
    k = integer(k, "k")
    of_queries = as_embeddings(queries, "queries").handle()
    of_base = as_embeddings(base, "base").handle()
    with running(threads, progress) as settings:
        return _core.nearest_neighbors(of_queries, of_base, k, exclude_self, settings)


MOST_DIMENSION = 1e9
"""The largest dimension that a divergence is multiplied by."""


def knn_divergence(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    k: int = 5,
    dimension: Literal["ambient", "intrinsic"] | float | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Estimate the Kullback–Leibler divergence of the candidate from the reference.

    KL(Y‖X) ≈ (d/m)·Σ_y ln(ν(y)/ρ(y)) + ln(n/(m−1)) [1]_ [2]_: ν(y) is the distance of a row of Y to
    its k-th nearest row of X, ρ(y) that to its k-th nearest other row of Y. It asks how surprising
    the candidate is to who knows the reference: rows where human data are rare count much, human
    data that the candidate no longer reaches hardly at all.

    The estimate is consistent, but slow in many columns, and its bias has either sign: distances
    are those of densities smoothed over balls of k rows. Of N(0, I) and a candidate moved by 1,
    whose divergence is 0.5, it gives 0.46 in 2 columns with 1,000 rows each (0.38 with 250, 0.49
    with 4,000), 0.35 in 8 and 0.27 in 32; of one that has 0.8 of the standard deviation, 0.10 for
    0.09, 0.65 for 0.35 and 3.4 for 1.4. Samples of different sizes are smoothed differently (−0.27
    for equal distributions in 32 columns with 2,000 and 1,000 rows): compare at equal sizes, and
    beside the null, as :func:`tailwatch.compare` does.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    k
        The neighbour that distances reach to, at most n and m − 1.
    dimension
        d, which the result is proportional to but for the last term. By default and with
        ``"ambient"`` the number of columns. With ``"intrinsic"``, right where the data lie on a
        manifold of fewer dimensions, the value of
        :func:`~tailwatch.metrics.intrinsic_dimension` of the reference. Or a positive number.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In nats; 0 when nothing happened, below it at times, as an estimate of zero must be.
        Infinite where k + 1 rows of the candidate are equal and less than k of the reference equal
        them: the candidate then has an atom, which no density has.

    Raises
    ------
    InputError
        Bad data, a `k` or a `dimension` out of range, or a row of the candidate that k or more rows
        of the reference equal: the reference then has an atom, and the estimate would be −∞. A
        larger `k` leaves copies behind; :func:`~tailwatch.metrics.knn_jensen_shannon` counts them.

    See Also
    --------
    knn_jensen_shannon : Symmetric, bounded, and without a dimension.

    Notes
    -----
    O((m² + nm)·d) time; besides the embeddings, a byte for each of their values and O((n + m)·k)
    memory. Distances below about 1e-154 square to 0 and count as copies.

    References
    ----------
    .. [1] Wang, Kulkarni & Verdú (2009), Divergence estimation for multidimensional densities via
       k-nearest-neighbor distances.
    .. [2] Pérez-Cruz (2008), Kullback–Leibler divergence estimation of continuous distributions.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, moved = rng.normal(size=(20_000, 2)), rng.normal(size=(20_000, 2)) + [1.0, 0.0]
    >>> round(tw.metrics.knn_divergence(human, moved), 1)  # ‖(1, 0)‖²/2
    0.5
    """
    k = integer(k, "k")
    chosen = _checked(dimension)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        d = _number_of(chosen, x, settings)
        return _core.knn_divergence(x, y, k, d, settings)


def knn_jensen_shannon(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    k: int = 5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Estimate the Jensen–Shannon divergence between two samples.

    JS = ½KL(X‖M) + ½KL(Y‖M) with M = ½X + ½Y, an equal mixture whatever the sizes of the samples.
    The density of M at a row is read from its neighbours in the pooled sample: the closed ball of a
    row of X that reaches to its k-th nearest other row of X holds κ of them (k, or more where
    distances tie) and c rows of Y, so that X has about p = κ/(n−1) of its mass in the ball, Y about
    q = c/m and M about (p+q)/2. Then

    KL(X‖M) ≈ mean of [ln p − ln κ + ψ(κ)] − [ln ½(p+q) − ln s + ψ(s)], s = (p+q)²/(p²/κ + q²/c),

    and KL(Y‖M) likewise. The digamma terms take off what the logarithm of a small count is short
    of; s is how many rows were seen of the mixture, κ + c at equal sizes, where the estimate is
    that of mutual information between row and sample by Ross [1]_. For unequal sizes it was derived
    here, with Satterthwaite's degrees of freedom. Last, J is adjusted for chance to
    ln 2 · (J − J₀)/(ln 2 − J₀) as mutual information is by Vinh et al. [2]_: under equal
    distributions c is negative hypergeometric whatever they are, and J₀ the mean of J.

    No dimension enters and rows may coincide: where balls have radius zero, masses of atoms are
    compared. Under equal distributions there is no bias, in any number of columns and at any sizes
    (but where rows coincide). Apart from there the balls smooth the densities, and with them the
    divergence: of N(0, I) and a candidate moved by 1, whose divergence is 0.111, it gives 0.116 in
    2 columns with 1,000 rows each, 0.108 in 8 and 0.078 in 32. Where a candidate shrinks in many
    columns the estimate fails: the rows nearest to any row are then the candidate's, the reference
    seems to be amid it, and the result is below 0 (0.8 of the standard deviation: 0.035 for 0.089
    in 8 columns, −0.23 for 0.285 in 32). Tails are then what to look at, or
    :func:`knn_divergence`.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    k
        The neighbour that balls reach to, less than n and m.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In nats: 0 when nothing happened, below it at times; ln 2 = 0.693 where no row is among
        those of the other sample.

    Raises
    ------
    InputError
        Bad data, or `k` not below the rows of either sample.

    See Also
    --------
    knn_divergence : Kullback–Leibler divergence.

    Notes
    -----
    O((n² + m² + nm)·d) time; besides the embeddings, a byte for each of their values and
    O((n + m)·k) memory. Where distances tie, as copies make them, each tied sample is searched once
    more. A candidate that repeats rows of the reference is nearer to it than a fresh sample, and
    the result is then below 0.

    References
    ----------
    .. [1] Ross (2014), Mutual information between discrete and continuous data sets.
    .. [2] Vinh, Epps & Bailey (2010), Information theoretic measures for clusterings comparison.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, far = rng.normal(size=(500, 8)), rng.normal(size=(400, 8)) + 100.0
    >>> round(tw.metrics.knn_jensen_shannon(human, far), 3)
    0.693
    """
    k = integer(k, "k")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return _core.knn_jensen_shannon(x, y, k, settings)


def knn_entropy(
    embeddings: EmbeddingsLike,
    *,
    k: int = 5,
    dimension: float | Literal["ambient", "intrinsic"] | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Estimate the differential entropy of a sample from nearest neighbours.

    H = ψ(n) − ψ(k) + ln V + (d/n) Σ ln r(x), with r(x) the distance of a row to its k-th nearest
    other row and V = π^(d/2)/Γ(d/2 + 1) the volume of the unit ball [1]_ [2]_. It falls as a
    sample contracts or its rows draw together: by d·ln 2 when all distances are halved. The data
    that a loop learns from lose entropy on the way from generalisation to memorisation.

    Parameters
    ----------
    embeddings
        Embeddings, n rows.
    k
        The neighbour that distances reach to, less than n.
    dimension
        d. By default and with ``"ambient"`` the number of columns. With ``"intrinsic"``, right
        where the data lie on a manifold of fewer dimensions, the value of
        :func:`~tailwatch.metrics.intrinsic_dimension`. Or a positive number. Entropies of several
        samples compare only in one dimension: give a number.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In nats of a density per unit volume, so that it may be negative and changes with the unit
        of the embeddings. −∞ where more than `k` rows are equal: the law then has an atom, which no
        density has. A larger `k` leaves copies behind.

    Raises
    ------
    InputError
        Bad data, or a `k` or a `dimension` out of range.

    See Also
    --------
    knn_divergence : The difference of two densities.

    Notes
    -----
    It misleads in many columns, where even thousands of rows are far apart and the density changes
    within a ball: of N(0, I) with 1,000 rows it is off by −0.03 in 2 columns, 0.8 in 16 and 10 in
    64, with 4,000 by −0.01, 0.5 and 9. Compare samples of one size.

    O(n²·d) time; besides the embeddings, a byte for each of their values and O(n·k) memory. The
    standard error is about that of a mean: the standard deviation of d·ln r(x) over √n.

    References
    ----------
    .. [1] Kozachenko & Leonenko (1987), Sample estimate of the entropy of a random vector.
    .. [2] Goria, Leonenko, Mergel & Novi Inverardi (2005), A new class of random vector entropy
       estimators.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> square = np.random.default_rng(0).uniform(size=(20_000, 2)) * [2.0, 3.0]
    >>> round(tw.metrics.knn_entropy(square), 1)  # ln 6
    1.8
    """
    k = integer(k, "k")
    chosen = _checked(dimension)
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return _core.knn_entropy(rows, k, _number_of(chosen, rows, settings), settings)


def _checked(dimension: object) -> Literal["ambient", "intrinsic"] | float:
    if dimension is None or (isinstance(dimension, str) and dimension == "ambient"):
        return "ambient"
    if isinstance(dimension, str):
        if dimension == "intrinsic":
            return "intrinsic"
        expected = "'ambient', 'intrinsic' or a number"
        raise InputError(argument="dimension", expected=expected, got=repr(dimension))
    return positive(dimension, "dimension", most=MOST_DIMENSION)


def _number_of(
    dimension: Literal["ambient", "intrinsic"] | float, reference: Rows, settings: Settings
) -> float:
    if dimension == "ambient":
        return float(reference.shape[1])
    if dimension == "intrinsic":
        return _core.intrinsic_dimension(reference, DISCARD, settings)[0]
    return dimension

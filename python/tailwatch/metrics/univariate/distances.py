"""Distances between two samples of numbers: of the numbers, and of their shares in common bins."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.univariate.values import pair_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.univariate.values import ValuesLike
    from tailwatch.progress import ProgressOption

__all__ = [
    "energy_distance",
    "jensen_shannon",
    "population_stability_index",
    "wasserstein_distance",
]

MOST_BINS = 2**20
"""Bins that the core counts in."""

MOST_SMOOTHING = 1e6
"""Rows that an empty bin may count as."""


def wasserstein_distance(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    counts: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the 1-Wasserstein (earth mover's) distance between two samples of numbers.

    W₁ = ∫|F(v) − G(v)| dv = ∫|F⁻¹(t) − G⁻¹(t)| dt with the distribution functions F and G of the
    samples [1]_: the mean distance that mass must move. Two samples of one distribution are about
    its spread over √n apart.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array; with `counts`, a frame.
    candidate
        Numbers Y, as many as there are.
    counts
        Name of the column of counts: `reference` and `candidate` are then frames of two columns,
        numbers and how often each was seen.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in units of the numbers.

    Raises
    ------
    InputError
        An empty sample; a null, NaN or infinity; numbers that no one type holds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory. A single far outlier moves it: see
    :func:`hill_index` for whether the mean exists at all.

    References
    ----------
    .. [1] Villani (2003), Topics in Optimal Transportation, 2.2.

    Examples
    --------
    >>> import polars as pl
    >>> from tailwatch.metrics import univariate
    >>> univariate.wasserstein_distance(pl.Series([0, 1, 3]), pl.Series([5, 6, 8]))
    5.0
    >>> seen = pl.DataFrame({"length": [0, 1, 3], "n": [1, 1, 1]})
    >>> made = pl.DataFrame({"length": [0, 1], "n": [10, 20]})
    >>> round(univariate.wasserstein_distance(seen, made, counts="n"), 4)
    0.6667
    """
    with pair_of(reference, candidate, threads, progress, counts=counts) as (x, y, dtype, settings):
        return _core.wasserstein_distance(x.for_core(), y.for_core(), dtype, settings)


def energy_distance(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    counts: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the energy distance between two samples of numbers.

    E = 2E|x − y| − E|x − x'| − E|y − y'| = 2∫(F(v) − G(v))² dv between the two empirical
    distributions [1]_ (pairs of an observation with itself included), by sorting and not by pairs.
    It is the square of what ``scipy.stats.energy_distance`` returns, and twice the Cramér distance.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array; with `counts`, a frame.
    candidate
        Numbers Y, as many as there are.
    counts
        Name of the column of counts: `reference` and `candidate` are then frames of two columns,
        numbers and how often each was seen.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in units of the numbers. Two samples of one distribution are about its spread times
        1/n + 1/m apart.

    Raises
    ------
    InputError
        An empty sample; a null, NaN or infinity; numbers that no one type holds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory.

    References
    ----------
    .. [1] Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> univariate.energy_distance(np.array([0, 2]), np.array([1, 3]))
    1.0
    """
    with pair_of(reference, candidate, threads, progress, counts=counts) as (x, y, dtype, settings):
        return _core.univariate_energy_distance(x.for_core(), y.for_core(), dtype, settings)


def population_stability_index(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    bins: int = 10,
    smoothing: float = 0.5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the population stability index of a candidate on quantile bins of the reference.

    Σ (pᵢ − qᵢ) ln(pᵢ/qᵢ) over b bins, with the shares p of X and q of Y: KL(p‖q) + KL(q‖p). Bin i
    holds the i-th of b equal parts of X. A number that is tied reaches over as many parts as its
    ties fill, and counts in each in proportion, in Y as in X; a number of Y that lies between two
    parts counts half in both, one beyond all of X in the outermost. Where X and Y together hold at
    most b different numbers, each of these is a bin instead. So −X and −Y have the same index.

    By custom 0.1 calls for a look and 0.25 for action [1]_; but where nothing happened it is about
    (b − 1)(1/n + 1/m), which small samples exceed by themselves [2]_.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array.
    candidate
        Numbers Y, as many as there are.
    bins
        Number b of bins, from 2 to 2**20.
    smoothing
        Added to every count, so that an empty bin counts as a fraction of a row; from 0 to 10⁶.
        With 0 a bin that only one sample reaches makes the index infinite.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in nats.

    Raises
    ------
    InputError
        An empty sample; a null, NaN or infinity; numbers that no one type holds; a number of bins
        or a smoothing out of bounds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory. It does not see what happens within a bin: of the
    tails, only how many rows lie in the outermost bins.

    References
    ----------
    .. [1] Siddiqi (2006), Credit Risk Scorecards.
    .. [2] Yurdakul & Naranjo (2020), Statistical properties of the population stability index.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> scores = np.random.default_rng(0).normal(size=20_000)
    >>> round(univariate.population_stability_index(scores, scores + 0.5), 1)
    0.2

    Of few numbers, such as stars from 1 to 5, each is a bin:

    >>> seen, made = np.repeat([1, 5], [90, 10]), np.repeat([1, 5], [10, 90])
    >>> round(univariate.population_stability_index(seen, made, smoothing=0), 2)  # 1.6 ln 9
    3.52
    """
    number = isinstance(smoothing, Real) and not isinstance(smoothing, bool)
    if not number or not 0 <= smoothing <= MOST_SMOOTHING:
        expected = f"a number from 0 to {MOST_SMOOTHING:,.0f}"
        raise InputError(argument="smoothing", expected=expected, got=repr(smoothing))
    p, q = _shares(reference, candidate, bins, threads, progress, of_both=False, added=smoothing)
    with np.errstate(divide="ignore"):
        logs = np.log(p) - np.log(q)
    # No bin is empty of both samples.
    return float(np.sum((p - q) * logs))


def jensen_shannon(
    reference: ValuesLike,
    candidate: ValuesLike,
    *,
    bins: int = 10,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the Jensen–Shannon divergence of two samples on quantile bins of their mixture.

    H((p + q)/2) − (H(p) + H(q))/2 over b bins, with the shares p of X and q of Y. Bin i holds the
    i-th of b equal parts of the mixture, in which both samples weigh a half [1]_. A number that is
    tied reaches over as many parts as its ties fill, and counts in each in proportion, in both
    samples alike. Where X and Y together hold at most b different numbers, each of these is a bin
    instead. So −X and −Y have the same divergence. The square of
    ``scipy.spatial.distance.jensenshannon``.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array.
    candidate
        Numbers Y, as many as there are.
    bins
        Number b of bins, from 2 to 2**20.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0 to ln 2, in nats; symmetric. About (b − 1)(1/n + 1/m)/8 where nothing happened.

    Raises
    ------
    InputError
        An empty sample; a null, NaN or infinity; numbers that no one type holds; a number of bins
        out of bounds.

    Notes
    -----
    O(n log n + m log m) time, O(n + m) memory.

    References
    ----------
    .. [1] Lin (1991), Divergence measures based on the Shannon entropy.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> far = univariate.jensen_shannon(np.arange(100), np.arange(100) + 1000)
    >>> round(far, 4)  # ln 2
    0.6931
    """
    p, q = _shares(reference, candidate, bins, threads, progress, of_both=True, added=0.0)
    middle = (p + q) / 2
    return max(0.0, (_entropy_against(p, middle) + _entropy_against(q, middle)) / 2)


def _entropy_against(share: NDArray[np.float64], middle: NDArray[np.float64]) -> float:
    """Return the Kullback–Leibler divergence of shares from others that are zero nowhere else."""
    held = share > 0
    return math.fsum(share[held] * np.log(share[held] / middle[held]))


def _shares(
    reference: ValuesLike,
    candidate: ValuesLike,
    bins: int,
    threads: int | None,
    progress: ProgressOption,
    *,
    of_both: bool,
    added: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    bins = integer(bins, "bins", least=2, most=MOST_BINS)
    with pair_of(reference, candidate, threads, progress) as (x, y, dtype, settings):
        found = _core.bin_counts(x.for_core(), y.for_core(), dtype, bins, of_both, settings)
    first, second = (np.array(counts, dtype=np.float64) + added for counts in found)
    return first / first.sum(), second / second.sum()

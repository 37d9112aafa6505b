"""Distances between two samples of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.metrics.univariate.pairs import pair_of

if TYPE_CHECKING:
    from tailwatch.metrics.univariate.values import ValuesLike
    from tailwatch.progress import ProgressOption

__all__ = ["energy_distance", "wasserstein_distance"]


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

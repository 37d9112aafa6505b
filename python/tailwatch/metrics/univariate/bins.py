"""Shares of two samples of numbers in common bins."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.univariate.pairs import pair_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.univariate.values import ValuesLike
    from tailwatch.progress import ProgressOption

__all__ = ["jensen_shannon", "population_stability_index"]


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

    Σ (pᵢ − qᵢ) ln(pᵢ/qᵢ) over the bins between the quantiles 1/b, 2/b, … of X, with the shares p of
    X and q of Y: KL(p‖q) + KL(q‖p). Each edge is the smallest number of X up to which there is that
    share, and belongs to the bin below it; where numbers are tied, bins fall together. By custom
    0.1 calls for a look and 0.25 for action [1]_; but where nothing happened it is about
    (b − 1)(1/n + 1/m), which small samples exceed by themselves [2]_.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array.
    candidate
        Numbers Y, as many as there are.
    bins
        Number b of quantile bins, at least 2.
    smoothing
        Added to every count, so that an empty bin counts as a fraction of a row. With 0 an empty
        bin makes the index infinite.
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
        An empty sample; a null, NaN or infinity; numbers that no one type holds; fewer than two
        bins; a negative smoothing.

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
    """
    if isinstance(smoothing, bool) or not isinstance(smoothing, Real) or not 0 <= smoothing < 1e6:
        message = f"smoothing: expected a number from 0, got {smoothing!r}"
        raise InputError(message)
    p, q = _shares(reference, candidate, bins, threads, progress, of_both=False, added=smoothing)
    with np.errstate(divide="ignore"):
        logs = np.log(p) - np.log(q)
    # Bins of the reference's quantiles are never empty of it.
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

    H((p + q)/2) − (H(p) + H(q))/2 with the shares p of X and q of Y in the bins between the
    quantiles 1/b, 2/b, … of the mixture, in which both samples weigh a half [1]_. Each edge is the
    smallest number up to which there is that share, and belongs to the bin below it; where numbers
    are tied, bins fall together. The square of ``scipy.spatial.distance.jensenshannon``.

    Parameters
    ----------
    reference
        Numbers X: a 1-D array, list, Polars Series or Arrow array.
    candidate
        Numbers Y, as many as there are.
    bins
        Number b of quantile bins, at least 2.
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
        An empty sample; a null, NaN or infinity; numbers that no one type holds; fewer than two
        bins.

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
    bins = integer(bins, "bins", least=2)
    with pair_of(reference, candidate, threads, progress) as (x, y, dtype, settings):
        found = _core.bin_counts(x.for_core(), y.for_core(), dtype, bins, of_both, settings)
    first, second = (np.array(counts, dtype=np.float64) + added for counts in found)
    return first / first.sum(), second / second.sum()

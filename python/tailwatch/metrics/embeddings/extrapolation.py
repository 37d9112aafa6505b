"""The Fréchet distance that infinitely many rows would show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.embeddings import as_embeddings
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["ExtrapolatedDistance", "frechet_distance_extrapolated"]

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
    from scipy.stats import t

    points = integer(points, "points", least=2, most=MOST_POINTS)
    confidence = share(confidence, "confidence")
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        value, error, degrees, slope, distances = _core.frechet_distance_extrapolated(
            x, y, points, seed, settings
        )
    margin = float(t.ppf(0.5 + confidence / 2, degrees)) * error
    return ExtrapolatedDistance(
        value=value,
        standard_error=error,
        low=value - margin,
        high=value + margin,
        slope=slope,
        shares=tuple(1 / parts for parts in range(1, points + 1)),
        distances=tuple(distances),
    )

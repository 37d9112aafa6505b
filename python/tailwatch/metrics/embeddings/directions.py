"""Along directions: optimal transport, the mass of the tails, and the direction that tells most.

The file is long because the last has its estimator, variance and interval here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer, number_text, real, share
from tailwatch.distributions import clopper_pearson_interval, normal_quantile, normal_tail
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.divergence import check_columns
from tailwatch.metrics.embeddings.probe import (
    LARGEST_FIT,
    Probe,
    TrainingRows,
    check_finite,
    content_folds,
    even_bounds,
    fit_probe,
)
from tailwatch.progress import reporting, running

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.io.part import Matrix
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = [
    "Area",
    "DirectionalTails",
    "ProbeAUC",
    "area_between",
    "directional_tails",
    "probe_auc",
    "sliced_wasserstein",
]

MOST_DIRECTIONS = 1_000_000
"""Each of them is a unit vector that is kept, and a sort of the rows."""

MOST_PROJECTIONS = 1_000_000
"""Directions at most; of more than 268 columns the core takes fewer, 2 GiB of numbers."""


@dataclass(frozen=True, slots=True)
class DirectionalTails:
    """Tail mass of a candidate along directions, over that of the reference.

    Attributes
    ----------
    mean
        Mean over the directions: 1 = tails kept, towards 0 = lost, far above 1 = widened.
    minimum
        The smallest.
    share_under_half
        Share of the directions under 0.5.
    ratios
        One value per direction, shape (q,).
    directions
        Unit vectors, shape (q, d): leading principal axes of the reference first.
    """

    mean: float
    minimum: float
    share_under_half: float
    ratios: NDArray[np.float64]
    directions: NDArray[np.float64]


def directional_tails(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    level: float = 0.01,
    directions: int = 256,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> DirectionalTails:
    """Measure the share of the candidate beyond the reference's quantiles along directions.

    For a unit direction u: the share of Y beyond the α/2 and 1 − α/2 quantiles of X along u (linear
    interpolation), over α. Rows on a quantile count in proportion, by the share of the rows of X
    there with which α/2 of X lies beyond. Up to half of the directions are the leading principal
    axes of X, the others are uniform on the sphere. For N(0, 1) against N(0, σ²) every ratio tends
    to Φ(−z/σ)/Φ(−z) with z = Φ⁻¹(1 − α/2). The axes are fitted to X: with few rows for its columns
    (n < 10·d, say) fresh data spread less along them and the mean lies below 1 even if nothing
    happened; read it beside its null (:func:`tailwatch.compare`).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    level
        The share α of X beyond its two quantiles.
    directions
        Number q of directions.
    seed
        Seed of the random directions.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    DirectionalTails
        Mean, minimum, share of directions under 0.5, and the ratios (from 0, without unit).

    Raises
    ------
    InputError
        Bad data, a level outside (0, 1), or no direction.

    Notes
    -----
    O((n + m)·d·q) time plus one eigendecomposition of min(n, d)³; O(n + m) memory besides the
    embeddings. Linear in the rows: the tail metric for the largest data.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(20_000, 4)), 0.8 * rng.normal(size=(20_000, 4))
    >>> found = tw.metrics.directional_tails(human, shrunk, level=0.05)
    >>> round(found.mean, 1)  # Φ(−1.96/0.8)/Φ(−1.96) = 0.286
    0.3
    """
    level = share(level, "level")
    directions = integer(directions, "directions", most=MOST_DIRECTIONS)
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        vectors = _core.directions(x, directions, seed, settings)
        ratios = _core.directional_tails(x, y, vectors, level, settings)
    return DirectionalTails(
        mean=float(ratios.mean()),
        minimum=float(ratios.min()),
        share_under_half=float((ratios < 0.5).mean()),
        ratios=ratios,
        directions=vectors,
    )


def sliced_wasserstein(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    p: float = 2,
    projections: int = 256,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the sliced Wasserstein distance between two samples.

    SW_p = (mean over unit directions u of W_p^p(u·X, u·Y))^(1/p) [1]_ [2]_, with directions uniform
    on the sphere. On a line W_p^p is ∫|F⁻¹(t) − G⁻¹(t)|^p dt, exact for the samples whatever their
    sizes. For isotropic Gaussians N(0, I) and N(μ, σ²I) it is, per direction and for p = 2,
    (u·μ)² + (1 − σ)². Two samples of one distribution are apart too, by about 1/√n times their
    spread along a direction: compare it with its null at equal sizes (:func:`tailwatch.compare`).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    p
        Exponent, from 1 and finite. With 2 outliers weigh more than with 1; as it grows, the
        largest difference along any direction is all that is left.
    projections
        Number q of directions, up to a million, and with d columns to 2²⁸/d. The error that is left
        by taking some of all directions falls as 1/√q, and is the same for all samples that are
        measured under one seed.
    seed
        Seed of the directions.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in units of the embeddings. The same bits for any number of threads and any
        chunking; other instruction sets differ by roundings.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, p under 1, or no projection.

    Notes
    -----
    O((n + m)·q·(d + log(n + m))) time; memory of some ten numbers for each row and thread, besides
    the embeddings. A difference in few of many columns shows in few directions, by 1/d of its
    square: the Fréchet distance sees it better.

    References
    ----------
    .. [1] Rabin et al. (2011), Wasserstein barycenter and its application to texture mixing.
    .. [2] Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> human = np.random.default_rng(0).normal(size=(10_000, 8))
    >>> round(tw.metrics.sliced_wasserstein(human, 0.8 * human), 1)  # 1 − 0.8
    0.2
    >>> tw.metrics.sliced_wasserstein(human, human)
    0.0
    """
    p = _exponent(p)
    projections = integer(projections, "projections", most=MOST_PROJECTIONS)
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        directions = _core.projections(x.shape[1], projections, seed, settings)
        return _core.sliced_wasserstein(x, y, directions, p, settings)


def _exponent(p: object) -> float:
    exponent = real(p, "p")
    if not 1 <= exponent < math.inf:
        raise InputError(argument="p", expected="a finite number of at least 1", got=number_text(p))
    return exponent


FOLDS: Final = 5
FEW_ROWS: Final = 10
"""Told apart wrongly, or rightly: with fewer the interval is at least the binomial one."""


@dataclass(frozen=True, slots=True)
class ProbeAUC:
    """How well a linear probe tells two samples apart, by rows that it was not fitted to.

    Attributes
    ----------
    value
        Probability that a candidate row has a larger score than a reference row of its fold, ties
        counting half: 1/2 where nothing tells them apart, 1 where all rows are told apart.
    low, high
        Interval of that probability (95 %, or the `confidence` asked for).
    p_value
        Of equal distributions: one-sided, that the value is so large.
    standard_error
        Of `value`.
    null_error
        Its standard error where the distributions are equal.
    """

    value: float
    low: float
    high: float
    p_value: float
    standard_error: float
    null_error: float


def probe_auc(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ProbeAUC:
    r"""Measure how well a linear classifier tells the candidate from the reference.

    A classifier two-sample test [1]_. Rows go to five folds by a hash of their values, so that
    copies of a row are in one fold. Of each fold, the rows are scored by an L2-regularised logistic
    regression on standardised columns that was fitted to the other folds, both samples weighing
    the same. The value is the share of all pairs of a reference and a candidate row of one fold in
    which the candidate row has the larger score, ties counting half: a mean of the areas under the
    ROC curves of the folds. Scores of different folds are not held against each other, since those
    of different models have no common zero.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    confidence
        Confidence of the interval.
    seed
        Seed of the rows that enter, where there are more than 200,000.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    ProbeAUC
        The value with its interval and p-value.

    Raises
    ------
    InputError
        Bad data, or rows so few of which differ that no fold can be left out.

    Notes
    -----
    Given its model, the rows of a fold are independent of it: if both distributions are equal the
    area of each fold is 1/2 on average, exactly, and its variance that of the Mann–Whitney
    statistic. So the null is 1/2. The areas of K folds are *not* independent of each other. Of a
    linear rule fitted to noise, that of fold k is as Δ_k·Σ_l Δ_l over the other folds l, with Δ the
    differences of means: folds k and l share the term Δ_k·Δ_l, their correlation is 1/(K − 1), and
    the variance of the mean twice that of independent areas. That is the variance under the null;
    the p-value is that of a normal deviation.

    Where the distributions differ, each area estimates that of its own model, with DeLong's
    variance [2]_; the interval is for their mean (LeDell et al. [3]_). The correlation of folds
    falls with the share of a model that is noise, which shows in how far the models of different
    folds agree: with c the mean correlation of their scores within samples, that share is
    (K − 1)(1 − c), and the variance DeLong's times one plus it. The interval is made on the logit
    scale and, near 0 and 1, reaches at least as far as the binomial one of the smaller sample.

    Rows count as independent: those of a sample that repeats its own rows are fewer than they seem.
    Only what a linear rule can see counts: 1/2 does not mean that the distributions are equal.

    Some hundred passes over the rows for each fold, in time; O((n + m)·d) memory.

    References
    ----------
    .. [1] Lopez-Paz & Oquab (2017), Revisiting classifier two-sample tests, ICLR.
    .. [2] DeLong, DeLong & Clarke-Pearson (1988), Comparing the areas under two or more correlated
       receiver operating characteristic curves, Biometrics 44.
    .. [3] LeDell, Petersen & van der Laan (2015), Computationally efficient confidence intervals
       for cross-validated area under the ROC curve estimates, Electronic Journal of Statistics 9.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, moved = rng.normal(size=(1000, 8)), 0.5 + rng.normal(size=(1000, 8))
    >>> found = tw.metrics.probe_auc(human, moved)
    >>> bool(found.low < 0.841 < found.high)  # Φ(0.5·√8/√2)
    True
    """
    confidence = share(confidence, "confidence")
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference")
    y = as_embeddings(candidate, "candidate")
    with reporting(progress) as report:
        area = area_between(x.handle(), y.handle(), seed=seed, threads=threads, report=report)
    low, high = area.interval(confidence)
    return ProbeAUC(area.value, low, high, area.p_value, area.error, area.null_error)


@dataclass(frozen=True, slots=True)
class Area:
    """An area under ROC curves, and what its interval is made of.

    Attributes
    ----------
    value
        The area.
    error
        Its standard error.
    null_error
        That where the distributions are equal.
    rows
        Of the smaller sample.
    """

    value: float
    error: float
    null_error: float
    rows: int

    @property
    def p_value(self) -> float:
        """Of equal distributions: that the area is so large."""
        # All scores are equal where no column varies.
        if self.null_error == 0:
            return 1.0
        return normal_tail((self.value - 0.5) / self.null_error)

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the bounds of the area."""
        from scipy.special import expit, logit

        value, ends = self.value, [self.value]
        margin = normal_quantile(0.5 + confidence / 2) * self.error
        if 0 < value < 1:
            slope = value * (1 - value)
            ends += [float(expit(logit(value) + side * margin / slope)) for side in (-1, 1)]
        # Near the ends few pairs are told apart wrongly, and their variance shows little.
        if min(value, 1 - value) * self.rows < FEW_ROWS:
            ends += clopper_pearson_interval(value * self.rows, self.rows, confidence)
        return min(ends), max(ends)


def area_between(
    x: Rows, y: Rows, *, seed: int, threads: int | None, report: ProgressReport
) -> Area:
    """Return the area of :func:`probe_auc` between two samples of rows."""
    check_columns(x, y)
    bounds = even_bounds(FOLDS)
    samples = [
        _training_rows(rows, name, bounds, seed, threads)
        for rows, name in ((x, "reference"), (y, "candidate"))
    ]
    probe = fit_probe(samples[0], samples[1], bounds, report)
    # Scores of all rows by the model of each fold.
    scores = [
        np.stack([_scores(probe, sample, fold, threads) for fold in range(FOLDS)])
        for sample in samples
    ]
    areas, variances, nulls, pairs = [], [], [], []
    for fold in range(FOLDS):
        of_x, of_y = (
            one[fold, sample.folds == fold] for one, sample in zip(scores, samples, strict=True)
        )
        if len(of_x) and len(of_y):
            area, variance = _area(of_x, of_y)
            areas.append(area)
            variances.append(variance)
            nulls.append(_null_variance(of_x, of_y))
            pairs.append(len(of_x) * len(of_y))
    if not pairs:
        raise InputError(
            argument="candidate",
            expected="rows in a fold of reference rows",
            got="none: too few rows differ",
        )
    weights = np.array(pairs) / sum(pairs)
    value = float(weights @ areas)
    variance = float(weights**2 @ variances) * (1 + _noise(scores))
    null_error = math.sqrt(2 * float(weights**2 @ nulls))
    return Area(value, math.sqrt(variance), null_error, min(len(one.rows) for one in samples))


def _training_rows(
    rows: Rows, argument: str, bounds: NDArray[np.uint64], seed: int, threads: int | None
) -> TrainingRows:
    count, most = rows.shape[0], LARGEST_FIT // 2
    if count > most:
        rows = rows.take(_core.sample(count, most, seed, "probe"))
    values: Matrix = rows.to_numpy()
    check_finite(values, np.arange(len(values)), argument)
    return TrainingRows(values, content_folds(values, bounds, threads), argument)


def _scores(
    probe: Probe, sample: TrainingRows, fold: int, threads: int | None
) -> NDArray[np.float64]:
    """Score all rows of a sample by the model of one fold."""
    folds = np.full(len(sample.rows), fold, np.uint8)
    return probe.score(sample.rows, sample.argument, folds=folds, threads=threads).astype(
        np.float64
    )


def _area(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Return the area between scores, and DeLong's variance of it."""
    of_y, of_x = _below(x, y), 1 - _below(y, x)
    variance = sum(
        float(part.var(ddof=1)) / len(part) if len(part) > 1 else 0.25 for part in (of_x, of_y)
    )
    return float(of_y.mean()), variance


def _below(base: NDArray[np.float64], queries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of some scores below each of others, ties counting half."""
    ranked = np.sort(base)
    below = np.searchsorted(ranked, queries, "left") + np.searchsorted(ranked, queries, "right")
    found: NDArray[np.float64] = below / (2 * len(base))
    return found


def _null_variance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the variance of the area of two samples of one distribution, given the ties."""
    n, m = len(x), len(y)
    _, tied = np.unique(np.concatenate([x, y]), return_counts=True)
    rows, tied = n + m, tied.astype(np.float64)
    correction = float((tied**3 - tied).sum()) / (rows * (rows - 1))
    return (rows + 1 - correction) / (12 * n * m)


def _noise(scores: list[NDArray[np.float64]]) -> float:
    """Return the share of the models that is noise, by how their scores agree within samples."""
    centred = np.concatenate([one - one.mean(axis=1, keepdims=True) for one in scores], axis=1)
    lengths = np.linalg.norm(centred, axis=1)
    if not (lengths > 0).all():
        return 1.0
    directions = centred / lengths[:, None]
    together = directions @ directions.T
    folds = len(together)
    agreement = (float(together.sum()) - folds) / (folds * (folds - 1))
    return min(max((folds - 1) * (1 - agreement), 0.0), 1.0)

"""Metrics of neighbours and of equal rows.

Balls, tails, authenticity and divergences come of searches; copies and duplicates of hashes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.arguments import tail_size
from tailwatch.comparison.estimates import (
    Binomial,
    CountedRows,
    Estimate,
    HalfSamples,
    NoInterval,
)
from tailwatch.comparison.halves import hashes_of
from tailwatch.comparison.metrics.family import estimate_from, over, paired, required, without_value
from tailwatch.distributions import binomial_at_least
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.tail_test import TailCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.halves import Candidate, Halves
    from tailwatch.comparison.metrics.family import Panel, Whole
    from tailwatch.progress import Settings

__all__ = [
    "Authenticity",
    "Copies",
    "Duplicates",
    "KnnDivergence",
    "KnnJensenShannon",
    "Neighborhoods",
    "odds_ratio",
    "variance_of_change",
]


class Neighborhoods:
    """Balls, tails and rarity, from one set of searches."""

    OWN = "clipped_density_of_a"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human, self._panel = halves.bounded[0], halves.bounded_whole, panel
        parts = "halves and three quarters" if "density" in panel.names else "halves"
        self._prepared = _core.prepare_neighbors(
            halves.bounded, panel.replicates(parts), panel.levels, panel.k, settings
        )

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield each metric with its null and what its error is known from."""
        rows = self._a.shape[0]
        found = required(paired(self._prepared, (self._a, candidate.bounded), settings))
        own = next(values[0] for metric, _, values, _ in found if metric == self.OWN)
        clipped = {
            "clipped_density": partial(over, level=float(own)),
            "clipped_coverage": partial(good_shares, rows=rows, k=self._panel.k),
        }
        for metric, level, values, nulls in found:
            if metric == self.OWN:
                continue
            if metric == "density":
                error = HalfSamples(values, nulls, "ratio", kept=0.75)
            elif metric in clipped:
                error = HalfSamples(values, nulls, "share", rows, present=clipped[metric], most=1.0)
            elif level is None:
                error = HalfSamples(values, nulls, "share", rows)
            elif metric in {"tail_coverage", "tail_recall"}:
                error = HalfSamples(values, nulls, "share", tail_size(level, rows))
            elif metric == "tail_odds_ratio":
                tail = tail_size(level, 2 * rows)
                odds = partial(odds_ratio, tail=tail, reference=rows, candidate=rows)
                error = HalfSamples(values, nulls, "share", tail, present=odds)
                estimate = estimate_from(metric, level, error)
                yield replace(estimate, tail_rows=float(values[0]) * tail)
                continue
            else:
                present = partial(over, level=level)
                error = HalfSamples(values, nulls, "share", rows, present=present)
            yield estimate_from(metric, level, error)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield each metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        n, m, levels = x.shape[0], y.shape[0], self._panel.levels
        found, pooled = _core.whole_neighbor_metrics(x, y, levels, self._panel.k, settings)
        counts = {
            level: TailCounts.of(tail, n, m) for level, tail in zip(levels, pooled, strict=True)
        }
        for metric, level, counted in found:
            value, tail = np.array(counted), None
            if metric in {"tail_mass", "tail_supported_mass"} and level is not None:
                value = over(value, level=level)
            elif metric == "tail_odds_ratio" and level is not None:
                tail = counts[level]
                value = odds_ratio(value, tail=tail.places, reference=n, candidate=m)
            yield metric, level, float(value), tail


def odds_ratio(
    share: NDArray[np.float64], *, tail: int, reference: int, candidate: int
) -> NDArray[np.float64]:
    """Odds of a candidate row in the pooled tail over those of a reference row.

    Parameters
    ----------
    share
        Of the tail's rows, those of the candidate.
    tail, reference, candidate
        Rows in the tail and in the samples. A side of less than half a row counts as half a row,
        so that the odds are finite.
    """
    of_candidate = share * tail
    of_reference = np.maximum(tail - of_candidate, 0.5)
    # One product over another: equal counts have odds of 1, to the last bit.
    found: NDArray[np.float64] = (of_candidate * np.maximum(reference - of_reference, 0.5)) / (
        np.maximum(candidate - of_candidate, 0.5) * of_reference
    )
    return found


def good_shares(covered: NDArray[np.float64], *, rows: int, k: int) -> NDArray[np.float64]:
    """Return the share of good rows of a candidate by how it covers as many of the reference.

    Parameters
    ----------
    covered
        Mean over reference balls of the candidate rows in each, cut at k, over k.
    rows
        Of the reference, and of the candidate.
    k
        The neighbour that balls reach to.

    Returns
    -------
    numpy.ndarray
        Up to 2, where balls are as full as twice as many good rows would make them.
    """
    return np.array(_core.good_shares(covered, rows, rows, k))


class Authenticity:
    """How much of a candidate is no copy, with one half of the reference as training data."""

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human = halves.bounded[0], halves.bounded_whole
        self._prepared = _core.prepare_authenticity(halves.bounded, panel.replicates(), settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = required(paired(self._prepared, (self._a, candidate.bounded), settings))
        for metric, level, values, nulls in found:
            error = HalfSamples(values, nulls, "share", self._a.shape[0])
            yield estimate_from(metric, level, error)

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        value = _core.authenticity(self._human, candidate.bounded_whole, settings)
        yield "authenticity", None, value, None


class KnnDivergence:
    """Kullback–Leibler divergence from nearest neighbours."""

    NAME = "knn_divergence"
    INFINITE = "more than k rows are equal where less than k of the reference are"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._a, self._human, self._k = halves.bounded[0], halves.bounded_whole, panel.k
        # The number of columns, as tailwatch.metrics.knn_divergence takes it.
        self._dimension = float(self._a.shape[1])
        self._prepared = _core.prepare_knn_divergence(
            halves.bounded, panel.replicates(), self._dimension, panel.k, settings
        )

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = paired(self._prepared, (self._a, candidate.bounded), settings)
        if isinstance(found, NoValue):
            yield without_value(self.NAME, self._prepared, found)
            return
        for metric, level, values, nulls in found:
            if math.isfinite(values[0]) and math.isfinite(nulls[0]):
                yield estimate_from(metric, level, HalfSamples(values, nulls, "signed"))
            else:
                value, null = float(values[0]), float(nulls[0])
                yield Estimate(metric, level, value, null, NoInterval(self.INFINITE))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        try:
            value = _core.knn_divergence(x, y, self._k, self._dimension, settings)
        except InputError:
            # All rows may hold copies that no half holds enough of.
            yield self.NAME, None, None, None
        else:
            yield self.NAME, None, value, None


class KnnJensenShannon:
    """Jensen–Shannon divergence from nearest neighbours."""

    NAME = "knn_jensen_shannon"
    REASON = (
        "its balls count rows of both samples, which each half-sample would have to search anew"
    )

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        (self._a, b), self._human, self._k = halves.bounded, halves.bounded_whole, panel.k
        self._null = _core.knn_jensen_shannon(self._a, b, panel.k, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null."""
        value = _core.knn_jensen_shannon(self._a, candidate.bounded, self._k, settings)
        yield Estimate(self.NAME, None, value, self._null, NoInterval(self.REASON))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows."""
        x, y = self._human, candidate.bounded_whole
        yield self.NAME, None, _core.knn_jensen_shannon(x, y, self._k, settings), None


class Copies:
    """Rows that are rows of the reference: exactly, and once both are divided by their lengths.

    A is what is copied. The null is the share of human rows B that are rows of A, as where human
    data hold duplicates; values on all rows count copies of any human row.

    Given A, rows of B and of C are as likely to be copies if both are of one law: of the copies in
    both, those in C are binomial. Where no human row is there twice, more is known: of n human and
    m candidate rows nm pairs are of both and n²/2 of human rows alone, so that of equal pairs, if
    they come by chance, 2m/(2m + n) are of both.
    """

    NAMES = ("copies", "normalised_copies")

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        del panel
        (self._a, b), self._human = halves.rows, halves.whole
        self._nulls = _core.copies(self._a, b, settings)
        self._is_distinct = (
            len(np.unique(hashes_of(self._human, settings))) == halves.whole.shape[0]
        )

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield both metrics with their nulls."""
        rows = self._a.shape[0]
        found = _core.copies(self._a, candidate.rows, settings)
        for name, count, null in zip(self.NAMES, found, self._nulls, strict=True):
            p_value = binomial_at_least(count, count + null)
            error = Binomial(rows, rows)
            yield Estimate(name, None, count / rows, null / rows, error, p_value=p_value)

    def alone(self, rows: Rows, settings: Settings) -> dict[str, int]:
        """Return how many of some candidate rows are copies."""
        return dict(zip(self.NAMES, _core.copies(self._a, rows, settings), strict=True))

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield both metrics on all rows."""
        found = _core.copies(self._human, candidate.whole, settings)
        n, m = self._human.shape[0], candidate.whole.shape[0]
        by_chance = (2 * m / (2 * m + n)) ** found[0] if self._is_distinct else None
        for name, count, p_value in zip(self.NAMES, found, (by_chance, None), strict=True):
            yield name, None, count / m, p_value


class Duplicates:
    """Rows that equal another row of their own sample.

    The null is the share among all human rows: of a discrete law more rows repeat more often, and
    of a candidate no more rows enter than there are human ones.
    """

    NAME = "duplicates"

    def __init__(self, halves: Halves, panel: Panel, settings: Settings) -> None:
        self._seed = panel.seed
        self._human = hashes_of(halves.whole, settings)

    def estimates(self, candidate: Candidate, settings: Settings) -> Iterator[Estimate]:
        """Yield the metric with its null and what its error is known from."""
        found = Repetition.of(self._human, hashes_of(candidate.rows, settings))
        (null, of_null), (value, total) = found.share(0), found.share(1)
        error = Binomial(total, of_null)
        yield Estimate(self.NAME, None, value, null, error, p_value=found.p_value())

    def wholes(self, candidate: Candidate, settings: Settings) -> Iterator[Whole]:
        """Yield the metric on all rows, as many as there are human ones at most."""
        hashes, most = hashes_of(candidate.whole, settings), len(self._human)
        if len(hashes) > most:
            hashes = hashes[_core.sample(len(hashes), most, self._seed, "duplicates")]
        found = Repetition.of(self._human, hashes)
        value, total = found.share(1)
        yield self.NAME, None, value, CountedRows(len(hashes), total, found.p_value())


ROUNDING = 1e-12
"""Of a sum of probabilities that a Fourier transform gave."""

LARGE = 16
"""Equal rows that are no copies of each other but draws of a value of the law, as many as that."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """How many rows of each sample are equal, group by group of equal rows.

    A row and its copies are one draw of the law. Of such groups those of the candidate are as
    likely to be so as its share f of all rows, if both samples repeat their rows alike: the larger
    of the numbers of repeated rows that a group has in the two samples falls to the candidate with
    probability f. Where equal rows come by chance that holds too, or the candidate has fewer, as
    the smaller sample. Groups of :data:`LARGE` rows and more would be one draw too; they are taken
    for draws of one value, each of the candidate with probability f.

    Attributes
    ----------
    counts
        Rows of each group in the human sample, and in the candidate.
    rows
        Of both samples.
    """

    counts: tuple[NDArray[np.int64], NDArray[np.int64]]
    rows: tuple[int, int]

    @classmethod
    def of(cls, human: NDArray[np.uint64], candidate: NDArray[np.uint64]) -> Repetition:
        """Count equal hashes."""
        rows = len(human), len(candidate)
        _, places = np.unique(np.concatenate([human, candidate]), return_inverse=True)
        groups = int(places.max()) + 1
        of_human, of_candidate = (
            np.bincount(part, minlength=groups) for part in np.split(places, [rows[0]])
        )
        return cls((of_human, of_candidate), rows)

    def share(self, sample: int) -> tuple[float, float]:
        """Return the share of rows that equal another, and of how many independent rows it is."""
        groups, rows = repeated(self.counts[sample]), self.rows[sample]
        together = np.where(groups < LARGE, groups**2, groups).sum() / max(groups.sum(), 1)
        return float(groups.sum() / rows), float(rows / max(together, 1.0))

    def p_value(self) -> float:
        """Return the probability that the candidate repeats so many rows, or more."""
        human, candidate = self.counts
        share = self.rows[1] / sum(self.rows)
        small = human + candidate < LARGE
        more = repeated(candidate[small]) - repeated(human[small])
        sizes, times = np.unique(np.abs(more[more != 0]), return_counts=True)
        large = int((human + candidate)[~small].sum())
        count = int(more[more > 0].sum() + candidate[~small].sum())
        sizes, times = np.append(sizes, 1), np.append(times, large)
        return sum_at_least(count, sizes, times, share)


def variance_of_change(new: NDArray[np.uint64], old: NDArray[np.uint64]) -> float:
    """Return the variance of the change of the share of repeated rows between two samples.

    A share of repeated rows is a ratio of sums over values: of the rows that equal another one,
    f(N) = N·1[N ≥ 2], and of all rows, N. To first order it varies as the sum over values of
    e = f(N) − D·N, over the number of rows, D the share (linearised, Efron & Tibshirani 1993, and
    as clusters in survey sampling). Values are independent, whether equal rows are copies of one
    draw or draws of one value, and so are the samples; so the sum of squares of e − e₀ is unbiased
    for the variance of the change if nothing changed, and too large by a squared difference else.
    Rows that both samples have cancel. Rows of a value that :data:`LARGE` and more are of are taken
    for draws, as for the share itself; which of them both samples have by chance cannot be told, so
    that none of these cancels.

    Parameters
    ----------
    new, old
        Hashes of the rows of both samples, equally many.
    """
    rows = len(new)
    _, places = np.unique(np.concatenate([new, old]), return_inverse=True)
    groups = int(places.max()) + 1
    counts = [np.bincount(part, minlength=groups) for part in np.split(places, [rows])]
    shares = [float(repeated(of).sum()) / rows for of in counts]
    excess = [repeated(of) - share * of for of, share in zip(counts, shares, strict=True)]
    large = np.maximum(*counts) >= LARGE
    draws = sum(of[large] * (1 - share) ** 2 for of, share in zip(counts, shares, strict=True))
    small = float(((excess[0] - excess[1])[~large] ** 2).sum())
    together = small + float(np.sum(draws))
    return together / rows**2


def repeated(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of groups that equal another row."""
    return np.where(groups > 1, groups, 0)


def sum_at_least(
    count: int, sizes: NDArray[np.int64], times: NDArray[np.int64], share: float
) -> float:
    """Return the probability that a sum is at least `count`.

    Of so many terms (`times`) of each size, each is there with probability `share`. The
    probabilities are the Fourier transform of their generating function, whose rounding Hoeffding's
    bound (1963) undercuts far out.
    """
    most = int(sizes @ times)
    if count <= 0:
        return 1.0
    roots = np.exp(-2j * np.pi * np.arange(most + 1) / (most + 1))
    generating = np.ones(most + 1, np.complex128)
    for size, number in zip(sizes.tolist(), times.tolist(), strict=True):
        generating *= (1 - share + share * roots**size) ** number
    exact = float(np.fft.ifft(generating).real[count:].sum())
    beyond = max(count - share * most, 0.0)
    bound = math.exp(-2 * beyond**2 / float(sizes**2 @ times))
    return min(max(exact, 0.0) + ROUNDING, bound, 1.0)

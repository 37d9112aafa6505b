"""A distribution-free test of whether the tails are shared."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.distributions import normal_quantile, normal_tail
from tailwatch.embeddings import as_embeddings
from tailwatch.metrics.embeddings.tail_law import TailLaw
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["TailCounts", "TailTest", "as_independent", "tail_test", "tail_test_of_counts"]


@dataclass(frozen=True, slots=True)
class TailCounts:
    """Rows of a pooled tail, by where they come from.

    Attributes
    ----------
    places
        Places of the tail.
    beyond, tied
        Rows of reference and candidate that are rarer than the edge of the tail, and that are as
        rare: these share the places that are left.
    rows
        All rows of reference and candidate.
    design_effect
        Variance of the candidate's rows in the tail over that of independent rows.
    """

    places: int
    beyond: tuple[int, int]
    tied: tuple[int, int]
    rows: tuple[int, int]
    design_effect: float = 1.0

    @classmethod
    def of(
        cls,
        found: tuple[int, tuple[int, int], tuple[int, int], float],
        reference: int,
        candidate: int,
    ) -> TailCounts:
        """Make counts of what the core found in a pooled sample."""
        places, beyond, tied, design_effect = found
        return cls(places, beyond, tied, (reference, candidate), design_effect)

    @property
    def candidate(self) -> float:
        """Rows of the candidate in the tail, tied ones in proportion."""
        (_, beyond), (_, tied) = self.beyond, self.tied
        return beyond + tied * (self.places - sum(self.beyond)) / sum(self.tied)

    @property
    def law(self) -> TailLaw:
        """Law of the candidate's rows in the tail, given the ties."""
        return TailLaw.of(
            beyond=sum(self.beyond),
            tied=sum(self.tied),
            places=self.places - sum(self.beyond),
            rows=sum(self.rows),
            candidate=self.rows[1],
        )

    @property
    def units(self) -> int:
        """Rows of the candidate in the tail, in units of that law."""
        law, (_, beyond), (_, tied) = self.law, self.beyond, self.tied
        return law.tied * beyond + law.places * tied if law.tied else beyond + tied

    @property
    def variance_ratio(self) -> float:
        """Variance of the candidate's rows in the tail over that of independent rows all unequal.

        Of e rows tied for r places each weighs r/e, which varies less than r of them would that
        are told apart at random.
        """
        law = self.law
        if not law.tied:
            return self.design_effect
        squares, mean = law.beyond + law.places**2 / law.tied, law.tail / law.rows
        return self.design_effect * (squares / law.rows - mean**2) / (mean - mean**2)

    def swapped(self) -> TailCounts:
        """Return the counts with the samples in each other's place."""
        return replace(self, beyond=self.beyond[::-1], tied=self.tied[::-1], rows=self.rows[::-1])

    def as_independent(self, probability: float) -> float:
        """Return the one-sided probability that independent rows have where these have another.

        A deviation of z standard deviations of these rows is one of z·√D of independent rows, D the
        design effect.
        """
        return as_independent(probability, self.design_effect)

    def p_value(self) -> float:
        """Return the two-sided probability of a count no more probable than this."""
        found = self.law.p_value(self.units)
        if self.design_effect == 1:
            return found
        return 2 * _scaled(found / 2, 1 / math.sqrt(self.design_effect))


@dataclass(frozen=True, slots=True)
class TailTest:
    """Who is in the tail of the pooled sample.

    Attributes
    ----------
    odds_ratio
        Odds of a candidate row in the tail over those of a reference row (conditional maximum
        likelihood); 1 when nothing happened, towards 0 when the candidate lost its tails, above 1
        when it widened.
    low, high
        Exact conditional 95 % interval of the odds ratio (the `confidence` asked for).
    p_value
        Two-sided, exact under equal distributions.
    rows
        Rows in the tail.
    tied
        Rows as rare as the edge of the tail where it has no place for all of them: they count in
        proportion; 0 if there are none.
    design_effect
        Variance of the candidate's rows in the tail over that of independent rows; 1 unless rows
        are copies of rows of their own sample.
    """

    odds_ratio: float
    low: float
    high: float
    p_value: float
    rows: int
    tied: int = 0
    design_effect: float = 1.0


def tail_test(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    level: float = 0.05,
    k: int = 5,
    confidence: float = 0.95,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> TailTest:
    """Test whether the candidate has its share of the rarest rows.

    Both samples are pooled, every row is ranked by its distance to its k-th nearest other pooled
    row, and the ⌈α(n+m)⌉ rarest are taken. Rows tied at the edge of this tail count in proportion:
    of e rows for r places, each is in the tail by r/e. If both distributions are equal, any of the
    pooled rows are as likely to be the candidate's, whatever the distribution and the dimension: so
    the null is exactly 1, and the p-value is exact, given the ties.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    level
        The share α of the pooled rows that is their tail.
    k
        The neighbour that rarity is measured to; less than n + m.
    confidence
        Confidence of the interval.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    TailTest
        Odds ratio with interval, p-value, rows in the tail, rows tied at its edge, design effect.

    Raises
    ------
    InputError
        Bad data, a level outside (0, 1), or `k` larger than the rows allow.

    Notes
    -----
    Without ties this is Fisher's exact test [1]_, and the odds ratio that of his noncentral
    hypergeometric distribution. With ties, the candidate's rows in the tail are T = a + r·b/e, of
    which a lie beyond the edge and b at it, and their law given the ties is that of two numbers
    that are multivariate hypergeometric. Outcomes are ordered by Fisher's probability of T. The
    interval comes from the family P_ω(T) ∝ P(T)·ω^T; its ends, as the odds ratio, are given as
    the odds under which Fisher's law, which would tell tied rows apart at random, has the same mean
    number of rows in the tail. Where samples change places, the odds ratio and the ends of its
    interval are inverted; a sample against itself has odds of 1. If all rows are equally rare,
    odds are 1 and nothing bounds them.

    The test takes rows for independent. Where equal rows keep to one sample, as copies of its own
    rows do, a row counts for less: Fisher's intraclass correlation ρ of what sample a row is of is
    estimated over pairs of equal rows outside the tail. If it is more than 4 standard deviations
    above 0, a deviation of T counts as one of 1/√D times its size, with the design effect [2]_
    D = 1 + ρ·Σs(s − 1)/Σs over the groups of s equal rows in the tail. Equal rows of a discrete
    distribution are independent: their ρ is 0, D is 1, and the test exact.

    T takes few values where the tail is small or most of the rows in it are tied: then equal
    distributions are rejected less often than the p-value says, never more often.

    O((n + m)²·d) time; besides the embeddings, a byte for each of their values and O(n + m)
    memory. Added noise raises the odds ratio;
    copies and lost modes lower it.

    References
    ----------
    .. [1] Fisher (1935), The logic of inductive inference.
    .. [2] Kish (1965), Survey sampling; Fisher (1925), Statistical methods for research workers,
       for the intraclass correlation.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(1000, 16)), 0.8 * rng.normal(size=(1000, 16))
    >>> found = tw.metrics.tail_test(human, shrunk)
    >>> bool(found.high < 0.2 and found.p_value < 1e-6)
    True
    """
    k = integer(k, "k")
    level = share(level, "level")
    confidence = share(confidence, "confidence")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        found = _core.pooled_tail(x, y, level, k, settings)
    return tail_test_of_counts(TailCounts.of(found, x.shape[0], y.shape[0]), confidence)


def tail_test_of_counts(counts: TailCounts, confidence: float) -> TailTest:
    """Test whether the candidate has its share of a tail, given the counts.

    Parameters
    ----------
    counts
        Counts of the pooled tail.
    confidence
        Confidence of the interval.

    Returns
    -------
    TailTest
        Odds ratio with interval, p-value, rows in the tail, rows tied at its edge.
    """
    # Each pair of samples is computed in one of its orders, so that the other inverts every bit.
    order = [counts.rows, counts.beyond, counts.tied]
    if [pair[1] for pair in order] > [pair[0] for pair in order]:
        found = tail_test_of_counts(counts.swapped(), confidence)
        odds, low, high = map(_inverse, (found.odds_ratio, found.high, found.low))
        return replace(found, odds_ratio=odds, low=low, high=high)
    law, units = counts.law, counts.units
    if law.support[0] == law.support[1]:
        return TailTest(1.0, 0.0, math.inf, 1.0, counts.places, law.tied, counts.design_effect)
    error = counts.as_independent((1 - confidence) / 2)
    low, high = (law.limit(units, error, upper=upper) for upper in (False, True))
    shared = law.without_ties
    log_odds = 0.0 if law.side(units) == 0 else shared.log_odds_of(units / law.unit)
    if law.tied:
        low, high = (
            end if math.isinf(end) else shared.log_odds_of(law.mean(end)) for end in (low, high)
        )
    odds, least, largest = map(math.exp, (log_odds, low, high))
    return TailTest(
        odds, least, largest, counts.p_value(), counts.places, law.tied, counts.design_effect
    )


def as_independent(probability: float, variance_ratio: float) -> float:
    """Return the one-sided probability that independent rows have where others have another.

    Parameters
    ----------
    probability
        That of the others.
    variance_ratio
        Their variance over that of independent rows.
    """
    return probability if variance_ratio == 1 else _scaled(probability, math.sqrt(variance_ratio))


def _scaled(probability: float, factor: float) -> float:
    """Return the probability of a normal deviation `factor` times as far out."""
    return normal_tail(-normal_quantile(probability) * factor)


def _inverse(odds: float) -> float:
    return 1 / odds if odds else math.inf

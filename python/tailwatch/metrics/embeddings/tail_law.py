"""The exact law of a candidate's rows in a pooled tail, in which tied rows count in proportion.

Of N pooled rows, m of them the candidate's, s lie beyond the edge of a tail of t places and e are
tied at it, for r = t − s places. With a of the first and b of the second the candidate's, its rows
in the tail are

    T = a + r·b/e.

Under equal distributions every choice of m of the N rows is as likely. So, given the ties, (a, b)
is multivariate hypergeometric, and the law of T is known exactly, whatever the distribution of the
data. It is embedded in the exponential family

    P_ω(T) ∝ P(T)·ω^T,

which without ties is Fisher's noncentral hypergeometric distribution of odds ratio ω. Given T
alone, outcomes are ordered by Fisher's probability of T, its factorials continued by the gamma
function: log-concave in T, unchanged when the samples change places, and his own without ties.

Probabilities are sums over a and b of a product of three log-concave terms, in a, in b and in
a + b, over the window around the mean that holds all but some 1e-17 of the mass. Cost: the
width of the window of a times that of b, some (18·√s/2)·(18·√e/2) at most.

References: Fisher (1935), The logic of inductive inference; Agresti (1992), A survey of exact
inference for contingency tables; Bernstein (1946) for the reach of the window.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]

__all__ = ["TailLaw"]

CELLS = 1 << 21
"""Pairs (a, b) that are looked at at a time: bounds the memory."""

AS_PROBABLE = 1e-7
"""Relative difference below which two probabilities are the same but for rounding."""

FAR_OUT = 1e-7
"""Probabilities above this are right to ten digits in the window around the mean."""


@dataclass(frozen=True)
class TailLaw:
    """The law of T, given the ties.

    Attributes
    ----------
    beyond, tied
        Rows beyond the edge, s, and at it, e; those at it count as beyond if all have a place.
    places
        Places that the rows at the edge share, r < e; 0 without ties.
    rest
        The other rows.
    candidate
        Rows of the candidate, m.

    Notes
    -----
    T is handled as a whole number of units: U = e·a + r·b, or a without ties.
    """

    beyond: int
    tied: int
    places: int
    rest: int
    candidate: int

    @classmethod
    def of(cls, *, beyond: int, tied: int, places: int, rows: int, candidate: int) -> TailLaw:
        """Make the law; rows at the edge that all have a place are not tied for it."""
        rest = rows - beyond - tied
        if places == tied:
            return cls(beyond + tied, 0, 0, rest, candidate)
        return cls(beyond, tied, places, rest, candidate)

    @property
    def unit(self) -> int:
        """Units of a row."""
        return max(self.tied, 1)

    @property
    def rows(self) -> int:
        """All rows."""
        return self.beyond + self.tied + self.rest

    @property
    def tail(self) -> int:
        """Places of the tail."""
        return self.beyond + self.places

    @cached_property
    def support(self) -> tuple[int, int]:
        """The smallest and the largest U."""
        m, s, e = self.candidate, self.beyond, self.tied
        # Rows that the rest leaves are at the edge rather than beyond, or the other way round.
        few, many = max(m - self.rest, 0), min(m, s)
        least = self.places * min(few, e) + self.unit * max(few - e, 0)
        return least, self.unit * many + self.places * min(m - many, e)

    @property
    def without_ties(self) -> TailLaw:
        """Law if rarities within the edge were told apart, at random: Fisher's."""
        return TailLaw(self.tail, 0, 0, self.rows - self.tail, self.candidate)

    def side(self, units: float) -> int:
        """Return −1, 0 or 1: whether U is below, at or above its mean under equal laws."""
        excess = units * self.rows - self.tail * self.candidate * self.unit
        return (excess > 0) - (excess < 0)

    def mean(self, log_odds: float) -> float:
        """Return the mean of T under odds."""
        return _TiltedLaw(self, log_odds).mean()

    def log_odds_of(self, mean: float) -> float:
        """Return the odds under which T has a mean; infinite at the ends of the support."""
        least, largest = (units / self.unit for units in self.support)
        if mean <= least:
            return -math.inf
        if mean >= largest:
            return math.inf
        return self._root(lambda log_odds: self.mean(log_odds) - mean)

    def limit(self, units: int, error: float, *, upper: bool) -> float:
        """Return the log odds under which U is as far out as this with probability `error`.

        Parameters
        ----------
        units
            The observed U.
        error
            Probability of U at most this, or at least.
        upper
            Whether at most: these are the largest odds that do not make it surprising.
        """
        if units == self.support[1 if upper else 0]:
            return math.inf if upper else -math.inf

        def surprise(log_odds: float) -> float:
            tilted = _TiltedLaw(self, log_odds)
            share = tilted.at_most(units) if upper else tilted.at_least(units)
            return float(np.clip(_log(share / error) * (-1 if upper else 1), -1e3, 1e3))

        return self._root(surprise)

    def p_value(self, units: int) -> float:
        """Return the probability of a T no more probable than this, under equal distributions."""
        if self.support[0] == self.support[1]:
            return 1.0
        other, below = self._other_side(units / self.unit)
        if below is None:
            return 1.0
        found = self.at_most(units) if below else self.at_least(units)
        if other is not None:
            rounded = math.ceil(other * self.unit) if below else math.floor(other * self.unit)
            found += self.at_least(rounded) if below else self.at_most(rounded)
        return min(found, 1.0)

    def at_most(self, units: int) -> float:
        """Return P(U ≤ `units`) under equal distributions."""
        return self._far(units, above=False)

    def at_least(self, units: int) -> float:
        """Return P(U ≥ `units`) under equal distributions."""
        return self._far(units, above=True)

    def _far(self, units: int, *, above: bool) -> float:
        least, largest = self.support
        if units > largest or units < least:
            return float((units < least) == above)
        if least == largest:
            return 1.0
        near = _TiltedLaw(self, 0.0)
        found = near.at_least(units) if above else near.at_most(units)
        if found > FAR_OUT:
            return found
        # Far out, the mass is summed where it is: around the odds that would make it usual.
        inner = min(max(float(units), least + 0.5), largest - 0.5)
        return _TiltedLaw(self, self.log_odds_of(inner / self.unit)).untilted(units, above=above)

    def _other_side(self, count: float) -> tuple[float | None, bool | None]:
        """Return the T beyond the mode that is as probable as this, and if this is below the mode.

        The latter is ``None`` if nothing is more probable.
        """
        from scipy.optimize import brentq
        from scipy.special import digamma, gammaln

        t, m, rest = self.tail, self.candidate, self.rows - self.tail - self.candidate
        ends = float(max(0, -rest)), float(min(t, m))

        def log(count: float) -> float:
            parts = np.array([count, t - count, m - count, rest + count])
            return -float(gammaln(parts + 1).sum())

        def slope(count: float) -> float:
            up, down = np.array([t - count, m - count]), np.array([count, rest + count])
            return float(digamma(up + 1).sum() - digamma(down + 1).sum())

        if slope(ends[0]) <= 0 or slope(ends[1]) >= 0:
            mode = ends[0] if slope(ends[0]) <= 0 else ends[1]
        else:
            mode = float(brentq(slope, *ends, xtol=1e-13))
        # A little nearer to the mode, so that what is as probable is there in spite of rounding.
        level = log(count) + AS_PROBABLE
        if log(mode) <= level:
            return None, None
        below = count < mode
        end = ends[1] if below else ends[0]
        if log(end) > level:
            return None, below
        return float(brentq(lambda other: log(other) - level, mode, end, xtol=1e-13)), below

    def _root(self, rising: Callable[[float], float]) -> float:
        """Return the log odds at which a rising function of them is 0."""
        from scipy.optimize import brentq

        reach = _TiltedLaw(self, 0.0).information ** -0.5
        low, high = -reach, reach
        while rising(high) < 0:
            low, high = high, 2 * high
        while rising(low) > 0:
            low, high = 2 * low, low
        return float(brentq(rising, low, high, xtol=1e-14 * reach, rtol=1e-14))


class _TiltedLaw:
    """The law under odds: the terms of its sums, in the window that holds the mass."""

    def __init__(self, law: TailLaw, log_odds: float) -> None:
        self.law = law
        self.log_odds = log_odds
        self.share = law.places / law.unit
        m = law.candidate
        sizes = np.array([law.beyond, law.tied, law.rest], dtype=np.float64)
        tilts = log_odds * np.array([1.0, self.share, 0.0])
        chances, slope = _independent(sizes, tilts, m)
        means, variances = sizes * chances, sizes * chances * (1 - chances)
        self.information = max(float(variances[0] + self.share**2 * variances[1]), 1e-12)
        # Bernstein: beyond this reach lies less than e^−40 of a sum of independent rows.
        reach = 9 * np.sqrt(variances) + 36
        low = np.maximum(np.floor(means - reach), 0).astype(np.int64)
        high = np.minimum(np.ceil(means + reach), sizes).astype(np.int64)
        # All three add up to m, which bounds each by the others.
        least_c, most_c = m - high[2], m - low[2]
        self.a = np.arange(max(low[0], least_c - high[1]), min(high[0], most_c - low[1]) + 1)
        self.b = np.arange(max(low[1], least_c - high[0]), min(high[1], most_c - low[0]) + 1)
        c = np.arange(self.a[0] + self.b[0], self.a[-1] + self.b[-1] + 1)
        middle = np.round(means[:2]).astype(np.int64)
        # What is linear in each term at the mean goes to the others: all are largest there.
        logs = (
            _log_choose(law.beyond, self.a) + (tilts[0] + slope) * (self.a - middle[0]),
            _log_choose(law.tied, self.b) + (tilts[1] + slope) * (self.b - middle[1]),
            _log_choose(law.rest, m - c) - slope * (c - middle.sum()),
        )
        heights = [float(each.max()) for each in logs]
        self.of_a, self.of_b, self.of_c = (
            np.exp(each - height) for each, height in zip(logs, heights, strict=True)
        )
        self.height = sum(heights)
        self.middle = float(middle[0] + self.share * middle[1])
        self.windows = np.lib.stride_tricks.sliding_window_view(self.of_c, len(self.b))

    @cached_property
    def total(self) -> float:
        """Mass of the window, in units of its own."""
        return float(self._all(self.of_b).sum())

    def mean(self) -> float:
        """Return the mean of T."""
        of_a, of_b = self._all(self.of_b), self._all(self.of_b * self.b)
        return float(of_a @ self.a + self.share * of_b.sum()) / self.total

    def at_least(self, units: int) -> float:
        """Return P(U ≥ `units`)."""
        return self._part(units, above=True, untilted=False) / self.total

    def at_most(self, units: int) -> float:
        """Return P(U ≤ `units`)."""
        return self._part(units, above=False, untilted=False) / self.total

    def untilted(self, units: int, *, above: bool) -> float:
        """Return the probability of U at least, or at most, `units` under equal distributions."""
        found = _log(self._part(units, above=above, untilted=True)) + self.height
        # In units of the observed T, of which the sum has taken the tilt.
        found -= self.log_odds * (units / self.law.unit - self.middle)
        return math.exp(min(found - float(_log_choose(self.law.rows, self.law.candidate)), 0.0))

    def _all(self, of_b: Array) -> Array:
        """Sum over all b, for each a."""
        step = max(CELLS // len(self.b), 1)
        parts = [self.windows[start : start + step] @ of_b for start in range(0, len(self.a), step)]
        found: Array = self.of_a * np.concatenate(parts)
        return found

    def _part(self, units: int, *, above: bool, untilted: bool) -> float:
        """Sum over all pairs with U at least, or at most, `units`."""
        law, total = self.law, 0.0
        step = max(CELLS // len(self.b), 1)
        for start in range(0, len(self.a), step):
            part = slice(start, start + step)
            a = self.a[part, None]
            counted = law.unit * a + law.places * self.b
            chosen = counted >= units if above else counted <= units
            weights = np.where(chosen, self.of_b, 0.0)
            if untilted:
                away = np.where(chosen, (counted - units) / law.unit, 0.0)
                weights *= np.exp(-self.log_odds * away)
            total += float(self.of_a[part] @ (self.windows[part] * weights).sum(axis=1))
        return total


def _independent(sizes: Array, tilts: Array, total: int) -> tuple[Array, float]:
    """Return the chances of independent rows of the candidate that make `total` the mean number.

    Their odds are e^tilt in each group, times a number whose logarithm is returned too.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    groups = list(zip(sizes.tolist(), tilts.tolist(), strict=True))

    def excess(shift: float) -> float:
        # Scalars: arrays of three would take most of the time.
        return math.fsum(n / (1 + math.exp(min(-tilt - shift, 700))) for n, tilt in groups) - total

    even = math.log(total / (float(sizes.sum()) - total))
    found, high = even - float(tilts.max()), even - float(tilts.min())
    if high > found:
        found = float(brentq(excess, found - 1e-9, high + 1e-9))
    chances: Array = expit(tilts + found)
    return chances, found


def _log_choose(n: int, k: Index | int) -> Array:
    """Return log C(n, k); −∞ where there is no such choice."""
    from scipy.special import gammaln

    k = np.asarray(k, dtype=np.float64)
    inside = np.clip(k, 0, n)
    found = gammaln(n + 1) - gammaln(inside + 1) - gammaln(n - inside + 1)
    return np.where(inside == k, found, -np.inf)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf

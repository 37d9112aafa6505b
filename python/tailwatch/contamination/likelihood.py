"""Likelihood of the share of synthetic rows, with finite templates (Barlow & Beeston 1993).

Three histograms over the same B bins are seen: human rows a₀, synthetic rows a₁ and the target m,
of n₀, n₁ and N rows. None of the three is known without error, so the expected counts of the
templates are parameters too, and are profiled out.

==========  ================================================
here        there
==========  ================================================
π           share of synthetic rows in the target
P₀, P₁      N(1−π)/n₀ and Nπ/n₁: target rows per reference row
A_jb        expected counts of reference j
f_b         Σ_j P_j A_jb, expected counts of the target
==========  ================================================

At the maximum over A, with one t per bin: A_jb = a_jb/(1 + P_j t_b) and f_b = m_b/(1 − t_b), so
that t_b ∈ [−1/max P, 1] solves m/(1−t) = Σ_j P_j a_j/(1 + P_j t). Cleared of its denominators that
is a quadratic, whose larger root is taken in the form that does not cancel; no iteration is needed.
Where reference j has the larger P and no count, the root may fall below −1/P_j; then t stays there
and A_j is what remains of f.

Expected counts with free totals are the Poisson form; it lets the references' sizes be uncertain,
though they are known, and its intervals are too long where they are small. A Poisson likelihood is
that of three multinomials times that of the totals. So the templates that maximise it at π are
those that maximise the multinomial one at the share that they amount to, ρ = P₁ΣA₁/Σf, and its
value there is the Poisson one less that of the totals: L(ρ) = Σ [c ln(e/c) − (e−c)] + Σ_totals
[(E−n) − n ln(E/n)], for counts c and expected counts e of all bins of the three histograms, with
totals n and E. As π goes from 0 to 1, so does ρ, and at the maximum they are equal, with totals as
seen. L is relative to the saturated likelihood, 0 where the templates explain the target: its terms
are as small as the misfit, whatever N. By the envelope theorem the Poisson slope is −N Σ_b t_b
(A_1b/n₁ − A_0b/n₀). Cost O(B) for each π.

π̂ maximises L on [0, 1], and the interval is {π : 2(L(π̂) − L(π)) ≤ χ²₁}, ends 0 and 1 included. A
fixed grid, dense towards both ends, finds the summit and the brackets; a root of L′ then gives π̂,
where a maximum itself is known to half the digits only. Were the likelihood of two summits, the
interval would span both. That takes some hundred evaluations of L.

Reference: R. Barlow, C. Beeston, *Fitting using finite Monte Carlo samples*, Computer Physics
Communications 77 (1993).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tailwatch.distributions import chi_squared_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "BinCounts",
    "Interval",
    "TemplateFit",
    "fit_templates",
    "profile",
    "profile_interval",
    "slope",
]

Floats: TypeAlias = "NDArray[np.float64]"

_TAIL = np.geomspace(1e-7, 0.02, 12)
GRID = np.concatenate([[0.0], _TAIL, np.linspace(0.03, 0.97, 48), 1 - _TAIL[::-1], [1.0]])


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between two bounds.

    Attributes
    ----------
    value
        The estimate; NaN where there is nothing to estimate from.
    low, high
        Bounds, with ``low <= value <= high``.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BinCounts:
    """Three histograms over the same bins, as float64.

    Attributes
    ----------
    human, synthetic
        The references; each has a row.
    target
        The target.
    """

    human: Floats
    synthetic: Floats
    target: Floats

    @classmethod
    def of(
        cls, human: NDArray[np.int64], synthetic: NDArray[np.int64], target: NDArray[np.int64]
    ) -> BinCounts:
        """Take integer histograms."""
        return cls(*(np.asarray(counts, np.float64) for counts in (human, synthetic, target)))

    def rates(self, shares: Floats) -> tuple[Floats, Floats]:
        """Return P₀ and P₁ as columns, a row for each share."""
        rows, share = self.target.sum(), np.asarray(shares, np.float64)[:, np.newaxis]
        return rows * (1 - share) / self.human.sum(), rows * share / self.synthetic.sum()


@dataclass(frozen=True, slots=True)
class TemplateFit:
    """Templates at their maximum, for each of some shares: arrays of shares × bins.

    Attributes
    ----------
    t
        The root of each bin.
    human, synthetic
        Expected counts A₀ and A₁ of the references.
    target
        Expected counts f of the target.
    """

    t: Floats
    human: Floats
    synthetic: Floats
    target: Floats


def fit_templates(counts: BinCounts, shares: Floats) -> TemplateFit:
    """Maximise over the templates, for each of `shares`."""
    p0, p1 = counts.rates(shares)
    m, a0, a1 = counts.target, counts.human, counts.synthetic
    upper = np.maximum(p0, p1)
    with np.errstate(divide="ignore"):
        lower = np.where(upper > 0, -1 / upper, -np.inf)
    root = _larger_root(
        p0 * p1 * (m + a0 + a1),
        m * (p0 + p1) + p0 * a0 + p1 * a1 - p0 * p1 * (a0 + a1),
        m - p0 * a0 - p1 * a1,
    )
    # Without a target row in the bin, all that its templates can do is to shrink.
    t = np.where(m > 0, np.clip(root, lower, 1), 1.0)
    human, f_human = _template(a0, p0, t)
    synthetic, f_synthetic = _template(a1, p1, t)
    # A reference without a count that is wanted all the same: what is left of f is its own.
    wanted = np.where(m > 0, m / np.where(t < 1, 1 - t, 1), 0)
    missing = np.maximum(wanted - f_human - f_synthetic, 0)
    to_human = (p0 >= p1) & (a0 == 0)
    to_synthetic = (p0 < p1) & (a1 == 0)
    human = human + np.where(to_human, missing / np.where(p0 > 0, p0, 1), 0)
    synthetic = synthetic + np.where(to_synthetic, missing / np.where(p1 > 0, p1, 1), 0)
    return TemplateFit(t, human, synthetic, p0 * human + p1 * synthetic)


def profile(counts: BinCounts, parameters: Floats) -> tuple[Floats, Floats]:
    """Return points of the profile likelihood of the share.

    Parameters
    ----------
    counts
        The histograms.
    parameters
        Values of π, ascending from 0 to 1 along the curve.

    Returns
    -------
    numpy.ndarray
        ρ, the share of synthetic rows; 0 and 1 at 0 and 1, and π̂ at the maximum.
    numpy.ndarray
        The multinomial log likelihood at ρ, relative to the saturated one.
    """
    fitted = fit_templates(counts, parameters)
    p0, p1 = counts.rates(parameters)
    heights = np.zeros(len(parameters))
    for seen, excess, expected in (
        (counts.target, -fitted.t, fitted.target),
        (counts.human, p0 * fitted.t, fitted.human),
        (counts.synthetic, p1 * fitted.t, fitted.synthetic),
    ):
        total, rows = expected.sum(axis=1), seen.sum()
        heights += _deviation(seen, excess, expected).sum(axis=1)
        # The sum is the Poisson likelihood; what it says of the totals is taken out.
        heights += (total - rows) - rows * np.log(total / rows)
    synthetic = (p1 * fitted.synthetic).sum(axis=1)
    return synthetic / fitted.target.sum(axis=1), heights


def slope(counts: BinCounts, share: float) -> float:
    """Return the derivative of the Poisson form, 0 at the common maximum, at one π."""
    fitted = fit_templates(counts, np.array([share]))
    moved = fitted.synthetic / counts.synthetic.sum() - fitted.human / counts.human.sum()
    return float(-counts.target.sum() * (fitted.t * moved).sum())


def profile_interval(counts: BinCounts, confidence: float) -> Interval:
    """Estimate the share of synthetic rows.

    Parameters
    ----------
    counts
        Histograms of both references and the target.
    confidence
        Of the interval.

    Returns
    -------
    Interval
        NaN in [0, 1] for an empty target, or where one bin is all there is.
    """
    if not counts.target.sum() or len(counts.target) < 2:
        return Interval(np.nan, 0.0, 1.0)
    found = _summit(counts)
    points = np.unique(np.append(GRID, found))
    shares, heights = profile(counts, points)
    level = float(heights[points == found][0]) - chi_squared_quantile(confidence, 1) / 2
    inside = np.flatnonzero(heights >= level)
    first, last = int(inside[0]), int(inside[-1])
    low = shares[0] if first == 0 else _crossing(counts, level, *points[first - 1 : first + 1])
    high = (
        shares[-1]
        if last == len(points) - 1
        else _crossing(counts, level, *points[last : last + 2])
    )
    return Interval(found, float(min(low, found)), float(max(high, found)))


def _larger_root(square: Floats, linear: Floats, constant: Floats) -> Floats:
    """Solve square·t² + linear·t + constant = 0 with square ≥ 0, where roots are real."""
    reach = np.sqrt(np.maximum(linear * linear - 4 * square * constant, 0))
    divisor = np.where(linear > 0, linear + reach, 2 * square)
    dividend = np.where(linear > 0, -2 * constant, reach - linear)
    return dividend / np.where(divisor > 0, divisor, 1)


def _template(counts: Floats, rate: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Return A = a/(1 + P t) and P·A; nothing where there is no count."""
    scale = np.where(counts > 0, 1 + rate * t, 1)
    expected = np.where(counts > 0, counts / np.where(scale > 0, scale, np.nan), 0)
    return expected, rate * expected


def _deviation(counts: Floats, excess: Floats, expected: Floats) -> Floats:
    """Return c ln(e/c) − (e − c), where e = c/(1 + excess)."""
    seen = counts > 0
    logarithm = np.log1p(np.where(seen, excess, 0))
    # The two parts nearly cancel where the excess is small, so e − c is not taken as a difference.
    change = np.where(seen, -counts * excess / (1 + np.where(seen, excess, 0)), expected)
    return np.asarray(-counts * logarithm - change)


def _summit(counts: BinCounts) -> float:
    from scipy.optimize import brentq

    points = GRID
    for _ in range(2):
        top = int(profile(counts, points)[1].argmax())
        left, summit, right = points[max(top - 1, 0)], points[top], points[top + 1 :][:1]
        # At an end of [0, 1] the slope may point outwards; within, it leads to the maximum.
        rises = slope(counts, summit) > 0
        ends = (summit, right[0] if len(right) else summit) if rises else (left, summit)
        if ends[0] == ends[1]:
            break
        if slope(counts, ends[0]) > 0 > slope(counts, ends[1]):
            return float(brentq(lambda share: slope(counts, share), *ends, xtol=1e-15, rtol=1e-14))
        # Far from any fit, two summits may stand between neighbours of the grid: look closer.
        points = np.linspace(left, right[0] if len(right) else summit, 65)
    return float(summit)


def _crossing(counts: BinCounts, level: float, left: float, right: float) -> float:
    """Return the share at which the likelihood crosses `level` between two values of π."""
    from scipy.optimize import brentq

    def above(parameter: float) -> float:
        return float(profile(counts, np.array([parameter]))[1][0]) - level

    crossing = float(brentq(above, left, right, xtol=1e-13, rtol=1e-12))
    return float(profile(counts, np.array([crossing]))[0][0])

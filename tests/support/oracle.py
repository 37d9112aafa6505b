"""Brute-force float64 readings of the metric definitions, in plain NumPy and SciPy.

Each function says in the fewest steps what a metric *is*: all pairs, no blocking, no shortcut.
Nothing here is imported by the package; the tests compare the package with these readings, and
these readings with the peers (SciPy, scikit-learn, prdc).

Symbols: ``x`` is the reference (n rows), ``y`` the candidate (m rows), both with d columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.spatial
import scipy.special
import scipy.stats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = [
    "PRDC",
    "Spectrum",
    "TailRow",
    "TailTest",
    "authenticity",
    "clipped_coverage",
    "clipped_density",
    "clipped_density_of",
    "copies",
    "coverage_null",
    "directional_ratios",
    "distances",
    "energy_distance",
    "exact_polynomial_mmd",
    "frechet_by_eigenvalues",
    "frechet_by_rows",
    "frechet_by_sqrtm",
    "gaussian_kernel",
    "good_share",
    "intrinsic_dimension",
    "knn_divergence",
    "knn_entropy",
    "knn_jensen_shannon",
    "median_distance",
    "mmd",
    "nearest_neighbors",
    "polynomial_kernel",
    "prdc",
    "radii",
    "rke",
    "spectrum",
    "squared_distances",
    "tail_coverage",
    "tail_size",
    "tail_test",
    "tail_weights",
    "to_mixture",
    "vendi_score",
]


# --- neighbours


def squared_distances(a: Array, b: Array) -> Array:
    """Σ(a−b)² for every pair of rows, float64, measured on the differences."""
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    squared: Array = scipy.spatial.distance.cdist(a, b, "sqeuclidean")
    return squared


def distances(a: Array, b: Array) -> Array:
    """Euclidean distance of every pair of rows."""
    return np.sqrt(squared_distances(a, b))


def nearest_neighbors(
    queries: Array, base: Array, k: int, *, exclude_self: bool = False
) -> tuple[Array, Index]:
    """Return the k nearest rows of ``base``, ascending, ties by lower index."""
    squared = squared_distances(queries, base)
    if exclude_self:
        np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.sqrt(np.take_along_axis(squared, order, axis=1)), order.astype(np.int64)


def radii(x: Array, k: int) -> Array:
    """r_k: distance from each row to its k-th nearest *other* row."""
    return nearest_neighbors(x, x, k, exclude_self=True)[0][:, -1]


# --- manifold coverage


@dataclass(frozen=True)
class PRDC:
    """Precision, recall, density, coverage."""

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(x: Array, y: Array, k: int) -> PRDC:
    """PRDC with closed balls (a row on the sphere is inside)."""
    between = distances(x, y)
    in_x_balls = between <= radii(x, k)[:, None]
    in_y_balls = between <= radii(y, k)[None, :]
    n, m = between.shape
    return PRDC(
        precision=int(in_x_balls.any(axis=0).sum()) / m,
        recall=int(in_y_balls.any(axis=1).sum()) / n,
        density=int(in_x_balls.sum()) / (k * m),
        coverage=int(in_x_balls.any(axis=1).sum()) / n,
    )


def coverage_null(n: int, m: int, k: int) -> float:
    """E[coverage] of equal distributions: 1 − Π_{i<k} (n−1−i)/(n+m−1−i)."""
    return 1.0 - math.prod((n - 1 - i) / (n + m - 1 - i) for i in range(k))


def clipped_density_of(x: Array, y: Array, k: int, *, own: bool = False) -> float:
    """Mean over ``y`` of the clipped balls of ``x`` that hold a row, cut at k, over k."""
    r = radii(x, k)
    held = distances(x, y) <= np.minimum(r, np.median(r))[:, None]
    if own:
        np.fill_diagonal(held, val=False)
    return float(np.minimum(held.sum(axis=0), k).mean()) / k


def clipped_density(x: Array, y: Array, k: int) -> float:
    """Over what the reference's own rows have, cut at 1."""
    return min(clipped_density_of(x, y, k) / clipped_density_of(x, x, k, own=True), 1.0)


def good_share(covered: float, n: int, m: int, k: int) -> float:
    """Share of good rows under which E min(number in a ball, k)/k is so much; cut at 1."""
    number = np.arange(k)

    def expected(good: int) -> float:
        chances = scipy.stats.betabinom.pmf(number, good, k, n - k)
        return 1.0 - float(((k - number) * chances).sum()) / k

    at = np.array([expected(good) for good in range(m + 1)])
    return float(np.interp(covered, at, np.arange(m + 1))) / m


def clipped_coverage(x: Array, y: Array, k: int) -> float:
    """Candidate rows in the balls of ``x``, cut at k, as a share of good rows."""
    held = (distances(x, y) <= radii(x, k)[:, None]).sum(axis=1)
    return good_share(float(np.minimum(held, k).mean()) / k, len(x), len(y), k)


def copies(x: Array, y: Array) -> tuple[int, int]:
    """Rows of ``y`` that equal one of ``x``, and that do in float32 when both have length 1."""
    tolerance = 4 * 2.0**-24 + (x.shape[1] + 8) * 2.0**-52
    exact = (squared_distances(y, x) == 0.0).any(axis=1)
    u, v = (z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-300) for z in (x, y))
    near = (distances(v, u) <= tolerance).any(axis=1)
    return int(exact.sum()), int((exact | near).sum())


# --- tails


def tail_size(level: float, rows: int) -> int:
    """⌈level · rows⌉ of the decimal number meant: 0.07 · 100 is 7, not 7.000000000000001."""
    return math.ceil(round(level * rows, 9))


def tail_weights(rarity: Array, level: float) -> Array:
    """By how much each row is among the ⌈level · rows⌉ rarest; ties share the last places."""
    size = tail_size(level, len(rarity))
    edge = np.sort(rarity)[::-1][size - 1]
    beyond, tied = rarity > edge, rarity == edge
    weights: Array = np.where(tied, (size - beyond.sum()) / tied.sum(), beyond.astype(np.float64))
    return weights


@dataclass(frozen=True)
class TailRow:
    """One level of tail coverage."""

    level: float
    rows: int
    coverage: float
    recall: float
    mass: float
    supported_mass: float


def tail_coverage(x: Array, y: Array, levels: Sequence[float], k: int) -> list[TailRow]:
    """Coverage, recall, mass and supported mass of the tail of ``x``, per level."""
    between = distances(x, y)
    r_x, r_y = radii(x, k), radii(y, k)
    in_x_balls = between <= r_x[:, None]
    in_y_balls = between <= r_y[None, :]
    supported = in_x_balls.any(axis=0)
    rarity_of_y = np.sort(between, axis=0)[k - 1]
    m = len(y)
    result = []
    for level in levels:
        weights = tail_weights(r_x, level)
        size = tail_size(level, len(x))
        edge = r_x[weights > 0].min()
        # Of the candidate's rows at the edge, the share of the reference's there that is inside.
        at_edge = weights[r_x == edge][0]
        rare = np.where(rarity_of_y == edge, at_edge, rarity_of_y > edge)
        result.append(
            TailRow(
                level=level,
                rows=size,
                coverage=float(weights @ in_x_balls.any(axis=1)) / size,
                recall=float(weights @ in_y_balls.any(axis=1)) / size,
                mass=float(rare.sum()) / m,
                supported_mass=float(rare @ supported) / m,
            )
        )
    return result


@dataclass(frozen=True)
class TailTest:
    """Odds of a candidate row in the pooled tail against a reference row."""

    odds_ratio: float
    low: float
    high: float
    p_value: float
    rows: int


def tail_test(x: Array, y: Array, level: float, k: int) -> TailTest:
    """Pool, take the rarest ⌈level · (n+m)⌉ by pooled k-NN distance, and test who is in it."""
    n, m = len(x), len(y)
    rarity = radii(np.concatenate([x, y]), k)
    weights = tail_weights(rarity, level)
    t = tail_size(level, n + m)
    if set(weights) <= {0.0, 1.0}:
        y_in = int(weights[n:].sum())
        table = np.array([[y_in, m - y_in], [t - y_in, n - t + y_in]])
        odds = scipy.stats.contingency.odds_ratio(table, kind="conditional")
        interval = odds.confidence_interval(confidence_level=0.95)
        return TailTest(
            odds_ratio=float(odds.statistic),
            low=float(interval.low),
            high=float(interval.high),
            p_value=float(scipy.stats.fisher_exact(table, alternative="two-sided").pvalue),
            rows=t,
        )
    beyond, tied = int((weights == 1).sum()), int(((weights > 0) & (weights < 1)).sum())
    return tied_test(beyond, tied, t - beyond, n + m, m, float(weights[n:].sum()))


def tied_test(s: int, e: int, r: int, rows: int, m: int, count: float) -> TailTest:
    """All pairs (a, b), each with its probability: no window, no shortcut."""
    a, b = (axis.ravel() for axis in np.mgrid[: s + 1, : e + 1])
    there = (m - a - b >= 0) & (m - a - b <= rows - s - e)
    a, b = a[there], b[there]
    values = a + r * b / e
    logs = _log_choose(s, a) + _log_choose(e, b) + _log_choose(rows - s - e, m - a - b)
    shared = np.arange(max(0, s + r + m - rows), min(s + r, m) + 1)
    logs_shared = _log_choose(s + r, shared) + _log_choose(rows - s - r, m - shared)

    def under(values: Array, logs: Array, log_odds: float) -> Array:
        weights = np.exp(logs + log_odds * values - (logs + log_odds * values).max())
        return weights / weights.sum()

    def odds_with(mean: float) -> float:
        if mean <= shared[0] or mean >= shared[-1]:
            return 0.0 if mean <= shared[0] else math.inf
        return math.exp(_zero(lambda z: under(shared, logs_shared, z) @ shared - mean))

    def end(chosen: Mask, sign: float) -> float:
        if chosen.all():
            return 0.0 if sign > 0 else math.inf
        found = _zero(lambda z: sign * (under(values, logs, z)[chosen].sum() - 0.025))
        return odds_with(float(under(values, logs, found) @ values))

    order = _log_choose(s + r, values) + _log_choose(rows - s - r, m - values)
    of_count = float(_log_choose(s + r, count) + _log_choose(rows - s - r, m - count))
    return TailTest(
        odds_ratio=odds_with(count),
        low=end(values >= count - 1e-9, 1.0),
        high=end(values <= count + 1e-9, -1.0),
        p_value=float(under(values, logs, 0.0)[order <= of_count + 1e-9].sum()),
        rows=s + r,
    )


def _log_choose(n: int, k: Array | float) -> Array:
    gammaln = scipy.special.gammaln
    logs: Array = gammaln(n + 1) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n + 1, k))
    return logs


def _zero(rising: Callable[[float], float]) -> float:
    return float(scipy.optimize.brentq(rising, -200.0, 200.0, xtol=1e-13))


def directional_ratios(x: Array, y: Array, level: float, directions: Array) -> Array:
    """Share of ``y`` beyond the level/2 and 1−level/2 quantiles of ``x``, over level.

    Rows on a quantile count by what it takes for level/2 of ``x`` to lie beyond.
    """
    along_x, along_y = x @ directions.T, y @ directions.T
    beyond = np.zeros(len(directions))
    for sign in (1, -1):
        quantiles = np.quantile(sign * along_x, level / 2, axis=0, method="linear")
        below, at = ((sign * along_x) < quantiles).sum(axis=0), (sign * along_x) == quantiles
        share = (len(x) * level / 2 - below) / np.maximum(at.sum(axis=0), 1)
        beyond += ((sign * along_y) < quantiles).mean(axis=0)
        beyond += share * ((sign * along_y) == quantiles).mean(axis=0)
    return beyond / level


def authenticity(training: Array, candidate: Array) -> float:
    """Share of rows farther from their nearest training row than that is from its nearest other.

    Of equally near training rows, each counts as much.
    """
    others = squared_distances(training, training)
    np.fill_diagonal(others, np.inf)
    between = squared_distances(candidate, training)
    nearest = between == between.min(axis=1, keepdims=True)
    farther = nearest & (between > others.min(axis=1)[None])
    return float((farther.sum(axis=1) / nearest.sum(axis=1)).mean())


# --- dimension


def intrinsic_dimension(x: Array, discard: float) -> tuple[float, float, int]:
    """Return the dimension by the two nearest neighbours, its standard error, the rows used."""
    x = np.unique(x, axis=0)
    rows, columns = len(x), 2
    (near, index) = nearest_neighbors(x, x, columns, exclude_self=True)
    logs = np.log(near[:, 1] / near[:, 0])
    kept = rows - int(discard * rows)
    cut = np.sort(logs)[kept - 1]
    value = (kept - 1) / np.minimum(logs, cut).sum()
    residual = (logs <= cut) - value * np.minimum(logs, cut)
    beside = np.zeros((rows, rows), dtype=bool)
    beside[np.arange(rows)[:, None], index] = True
    dependent = beside | beside.T | np.eye(rows, dtype=bool)
    variance = max(float(residual @ dependent @ residual), kept)
    return float(value), float(value * math.sqrt(variance) / kept), rows


# --- divergences


def knn_divergence(x: Array, y: Array, k: int, dimension: float) -> float:
    """(d/m) Σ ln(ν_k(y)/ρ_k(y)) + ln(n/(m−1))."""
    to_x = nearest_neighbors(y, x, k)[0][:, -1]
    to_y = radii(y, k)
    n, m = len(x), len(y)
    return float(dimension * np.log(to_x / to_y).mean() + math.log(n / (m - 1)))


def knn_entropy(x: Array, k: int, dimension: float) -> float:
    """ψ(n) − ψ(k) + ln V + (d/n) Σ ln r."""
    ln_volume = dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2 + 1)
    digammas = scipy.special.digamma(len(x)) - scipy.special.digamma(k)
    return float(digammas + ln_volume + dimension * np.log(radii(x, k)).mean())


def rke(x: Array, bandwidth: float) -> float:
    """1/‖K/n‖² of the Gaussian kernel."""
    kernel = np.exp(-squared_distances(x, x) / (2 * bandwidth**2))
    return float(1 / ((kernel / len(x)) ** 2).sum())


def knn_jensen_shannon(x: Array, y: Array, k: int) -> float:
    """½KL(X‖M) + ½KL(Y‖M), row by row, from counts in closed balls, adjusted for chance."""
    n, m = len(x), len(y)
    found = (to_mixture(x, y, k) + to_mixture(y, x, k)) / 2
    by_chance = (_by_chance(k, n, m) + _by_chance(k, m, n)) / 2
    return math.log(2) * (found - by_chance) / (math.log(2) - by_chance)


def to_mixture(x: Array, y: Array, k: int) -> float:
    """KL(X‖M), not adjusted."""
    n, m = len(x), len(y)
    terms = []
    for row in range(n):
        own = np.delete(((x - x[row]) ** 2).sum(axis=1), row)
        other = ((y - x[row]) ** 2).sum(axis=1)
        radius = np.sort(own)[k - 1]
        inside, there = int((own <= radius).sum()), int((other <= radius).sum())
        terms.append(_term(inside, there, n, m))
    return float(np.mean(terms))


def _term(inside: int, there: int, n: int, m: int) -> float:
    p, q = inside / (n - 1), there / m
    seen = (p + q) ** 2 / (p**2 / inside + (q**2 / there if there else 0.0))
    log_p = math.log(p) - math.log(inside) + scipy.special.digamma(inside)
    log_m = math.log((p + q) / 2) - math.log(seen) + scipy.special.digamma(seen)
    return float(log_p - log_m)


def _by_chance(k: int, n: int, m: int) -> float:
    """Mean term of equal densities: rows of Y that come before the k-th of n − 1 of X at random."""
    orders = math.comb(n - 1 + m, m)
    # c of Y and k − 1 of X in any order, the k-th of X, and then the others in any order.
    share = [
        math.comb(k - 1 + c, c) * math.comb(n - 1 - k + m - c, m - c) / orders for c in range(m + 1)
    ]
    return sum(share[c] * _term(k, c, n, m) for c in range(m + 1))


def _moments(x: Array) -> tuple[Array, Array]:
    x = np.asarray(x, dtype=np.float64)
    return x.mean(axis=0), np.atleast_2d(np.cov(x, rowvar=False, ddof=1))


def _symmetric_root(matrix: Array) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T


def frechet_by_sqrtm(x: Array, y: Array) -> float:
    """‖μ−ν‖² + tr(S + T − 2(ST)^½) with the matrix square root of the product."""
    (mean_x, cov_x), (mean_y, cov_y) = _moments(x), _moments(y)
    root = np.real(scipy.linalg.sqrtm(cov_x @ cov_y))
    gap = mean_x - mean_y
    return float(gap @ gap + np.trace(cov_x) + np.trace(cov_y) - 2.0 * np.trace(root))


def frechet_by_eigenvalues(x: Array, y: Array) -> float:
    """Return the same number through the symmetric S^½ T S^½, which never turns complex."""
    (mean_x, cov_x), (mean_y, cov_y) = _moments(x), _moments(y)
    half = _symmetric_root(cov_x)
    inner = half @ cov_y @ half
    values = np.linalg.eigvalsh((inner + inner.T) / 2.0)
    gap = mean_x - mean_y
    trace_root = np.sqrt(np.clip(values, 0.0, None)).sum()
    return float(gap @ gap + np.trace(cov_x) + np.trace(cov_y) - 2.0 * trace_root)


def frechet_by_rows(x: Array, y: Array) -> float:
    """Return the same number for covariances of any rank, from the centred rows themselves.

    With S = AᵀA and T = BᵀB, tr (ST)^½ is the sum of the singular values of ABᵀ.
    """
    (mean_x, cov_x), (mean_y, cov_y) = _moments(x), _moments(y)
    a = (x - mean_x) / math.sqrt(len(x) - 1)
    b = (y - mean_y) / math.sqrt(len(y) - 1)
    gap = mean_x - mean_y
    trace_root = scipy.linalg.svdvals(a @ b.T).sum()
    return float(gap @ gap + np.trace(cov_x) + np.trace(cov_y) - 2.0 * trace_root)


def polynomial_kernel(a: Array, b: Array, degree: int, gamma: float, coef0: float) -> Array:
    """(γ⟨a,b⟩ + c)^degree."""
    return (gamma * (a @ b.T) + coef0) ** degree


def gaussian_kernel(a: Array, b: Array, bandwidth: float) -> Array:
    """exp(−‖a−b‖² / 2σ²)."""
    return np.exp(-squared_distances(a, b) / (2.0 * bandwidth**2))


def median_distance(x: Array, y: Array) -> float:
    """Median of the distances of all pairs i < j of the pooled sample."""
    pooled = np.concatenate([x, y])
    return float(np.median(distances(pooled, pooled)[np.triu_indices(len(pooled), k=1)]))


def _within(matrix: Array, *, unbiased: bool) -> np.longdouble:
    """Mean over the pairs of one sample: i ≠ j (U-statistic) or all (V-statistic)."""
    n = len(matrix)
    if not unbiased:
        return _between(matrix)
    off_diagonal = matrix.sum(dtype=np.longdouble) - np.trace(matrix, dtype=np.longdouble)
    return off_diagonal / (n * (n - 1))


def _between(matrix: Array) -> np.longdouble:
    return matrix.sum(dtype=np.longdouble) / matrix.size


def mmd(k_xx: Array, k_yy: Array, k_xy: Array, *, unbiased: bool) -> float:
    """Squared MMD from the three full kernel matrices, summed in extended precision."""
    within = _within(k_xx, unbiased=unbiased) + _within(k_yy, unbiased=unbiased)
    return float(within - 2.0 * _between(k_xy))


def exact_polynomial_mmd(x: Array, y: Array) -> float:
    """Unbiased MMD² of (⟨a,b⟩/d + 1)³ in rational arithmetic, for rows on the grid of 2⁻¹⁰."""
    d, unit = x.shape[1], 2**20
    whole = [[[int(value) for value in row] for row in rows * 2.0**10] for rows in (x, y)]

    def total(a: list[list[int]], b: list[list[int]], *, same: bool) -> int:
        return sum(
            (sum(p * q for p, q in zip(u, v, strict=True)) + d * unit) ** 3
            for i, u in enumerate(a)
            for j, v in enumerate(b)
            if not (same and i == j)
        )

    first, second = whole
    n, m = len(first), len(second)
    value = (
        Fraction(total(first, first, same=True), n * (n - 1))
        + Fraction(total(second, second, same=True), m * (m - 1))
        - Fraction(2 * total(first, second, same=False), n * m)
    )
    return float(value / (d * unit) ** 3)


def cross_mmd(k_1x: Array, k_1y: Array, k_2x: Array, k_2y: Array) -> tuple[float, float]:
    """The cross-MMD and its standard error, from the kernel of each first half with each second.

    The columns of ``k_1x`` and ``k_2x`` are X₂, those of ``k_1y`` and ``k_2y`` Y₂; the rows of the
    first two are X₁, of the others Y₁.
    """
    of_x, of_y = (
        a.mean(axis=1, dtype=np.longdouble) - b.mean(axis=1, dtype=np.longdouble)
        for a, b in ((k_1x, k_1y), (k_2x, k_2y))
    )
    error = np.sqrt(of_x.var() / len(of_x) + of_y.var() / len(of_y))
    return float(of_x.mean() - of_y.mean()), float(error)


def mauve(p: Array, q: Array, *, scaling: float = 5.0, points: int = 25) -> float:
    """Area under the divergence frontier of two histograms, as the authors compute it."""
    p, q = p / p.sum(), q / q.sum()
    curve = [[1.0, 0.0]]
    for w in np.linspace(1e-6, 1 - 1e-6, points):
        mixed = w * p + (1 - w) * q
        divergences = [scipy.special.rel_entr(one, mixed).sum() for one in (q, p)]
        curve.append(np.exp(-scaling * np.array(divergences)).tolist())
    x, y = np.array([*curve, [0.0, 1.0]]).T
    return float(np.trapezoid(y[::-1], x[::-1]))


def energy_distance(x: Array, y: Array, *, unbiased: bool) -> float:
    """E = 2E‖x−y‖ − E‖x−x'‖ − E‖y−y'‖ (not its root, not its half)."""
    within = _within(distances(x, x), unbiased=unbiased) + _within(
        distances(y, y), unbiased=unbiased
    )
    return float(2.0 * _between(distances(x, y)) - within)


# --- spectrum


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of the covariance and what is read from them."""

    eigenvalues: Array
    trace: float
    log_det: float
    effective_rank: float
    participation_ratio: float


def spectrum(x: Array) -> Spectrum:
    """Eigenvalues (descending) through the singular values of the centred rows."""
    x = np.asarray(x, dtype=np.float64)
    n, d = x.shape
    singular = scipy.linalg.svdvals(x - x.mean(axis=0))
    values = np.zeros(d)
    values[: len(singular)] = singular**2 / (n - 1)
    share = values[values > 0] / values.sum()
    return Spectrum(
        eigenvalues=values,
        trace=float(values.sum()),
        log_det=float(np.log(values).sum()) if (values > 0).all() else -math.inf,
        effective_rank=float(np.exp(-(share * np.log(share)).sum())),
        participation_ratio=float(values.sum() ** 2 / (values**2).sum()),
    )


def vendi_score(x: Array, q: float) -> float:
    """exp of the Rényi entropy of the squared singular values of the unit rows over √n."""
    x = np.asarray(x, dtype=np.float64)
    units = x / np.sqrt((x**2).sum(axis=1, keepdims=True))
    share = scipy.linalg.svdvals(units) ** 2 / len(x)
    share = share[share > 1e-14]
    if q == 1:
        return float(np.exp(-(share * np.log(share)).sum()))
    if q == math.inf:
        return float(1 / share.max())
    return float((share**q).sum() ** (1 / (1 - q)))

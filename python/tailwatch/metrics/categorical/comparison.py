"""Two tables of counts beside what chance does: divergences with intervals, nulls, p-values; χ².

Plug-in divergences of two samples are above 0 where nothing happened. What they then are is found
by permutation: labels of both tables are shuffled and dealt out again in the same numbers. How far
they would stray if the samples were drawn again is found by half-sampling, as in
:func:`tailwatch.compare`: the divergence of random halves, taken without replacement, strays as
far around their mean as that of whole samples does.

Pearson's X² = Σ (x − t·n/N)²·(1/e + 1/f) over the types, t = x + y, e and f the expected counts
n·t/N and m·t/N, is the statistic of a 2 × types contingency table (Pearson 1900); its p-value is
by permutation where expected counts are small.

All draw from urns of counts and never touch a label: O(types · replicates).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.distributions import chi_squared_tail, t_quantile
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import as_pairs
from tailwatch.metrics.categorical.divergences import SHARES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Integers

__all__ = ["MOST_REPLICATES", "ChiSquare", "chi_square", "compare_counts", "equal_shares"]

MOST_REPLICATES = 100_000
"""Replicates of an interval: the quantiles of more are no better known."""

_MOST = {"total_variation": 1.0, "jensen_shannon": float(np.log(2.0)), "hellinger": 1.0}
# NumPy draws from urns of fewer labels.
_LARGEST_URN = 10**9
# Numbers in memory at a time.
_BLOCK = 1_000_000
# Permutations of the test of equal shares, and the hypergeometric numbers that all of them together
# may draw, some two seconds.
_PERMUTATIONS, _FEWEST_PERMUTATIONS = 10_000, 1_000
_DRAWS = 10_000_000


def compare_counts(
    reference: CountsLike,
    candidate: CountsLike,
    *,
    replicates: int = 200,
    confidence: float = 0.95,
    seed: int = 0,
) -> pl.DataFrame:
    """Return divergences of two tables of counts with intervals, nulls and p-values.

    Parameters
    ----------
    reference, candidate
        Labels or counts, as in :func:`total_variation`; at least two labels each, and fewer than
        10⁹ in all.
    replicates
        Half-samples for the intervals, and permutations for the null; at least 20.
    confidence
        Confidence of intervals and null.
    seed
        Seed of half-samples and permutations.

    Returns
    -------
    polars.DataFrame
        One row each for ``total_variation``, ``jensen_shannon`` and ``hellinger`` (``metric``):

        - ``value`` with ``low`` and ``high``: what samples of n and m labels from these two
          sources show, ± t · the standard deviation over half-samples;
        - ``null`` with ``null_low`` and ``null_high``: mean and quantiles of what they would show
          if both sources had equal shares, and ``standard_error``, its standard deviation;
        - ``p_value``: share of the permutations that reach the value, (1 + those)/(1 + replicates).

    Raises
    ------
    InputError
        As in :func:`total_variation`; too few or too many labels, too few replicates.

    Notes
    -----
    The interval is for the divergence that samples of these sizes show, bias included, which is why
    the null stands beside it: the divergence of the populations is smaller than the value by about
    as much as the null is above 0. Near the null the interval is wider than it need be.

    Labels must be independent. Tokens of a document are not:
    :func:`tailwatch.metrics.text.compare_documents` draws documents.

    O(n + m + types · replicates) time, O(types) memory.

    Examples
    --------
    >>> import tailwatch as tw
    >>> human, model = {"a": 500, "b": 300, "c": 200}, {"a": 620, "b": 300, "c": 80}
    >>> found = tw.metrics.categorical.compare_counts(human, model)
    >>> found["metric"].to_list()
    ['total_variation', 'jensen_shannon', 'hellinger']
    >>> (found["null_high"] < found["low"]).all(), found["p_value"].max() < 0.01
    (True, True)
    """
    replicates = integer(replicates, "replicates", least=20, most=MOST_REPLICATES)
    confidence = share(confidence, "confidence")
    seed = integer(seed, "seed", least=0)
    pairs = as_pairs(reference, candidate)
    n, m = pairs.totals
    for name, labels in (("reference", n), ("candidate", m)):
        if labels < 2:
            raise InputError(argument=name, expected="at least two labels", got=str(labels))
    if n + m >= _LARGEST_URN:
        expected = "fewer than 10**9 labels in both tables"
        raise InputError(argument="candidate", expected=expected, got=str(n + m))
    x, y = pairs.each()
    rng = np.random.Generator(np.random.Philox(seed))
    halves = _measured(_halves(rng, x, y, replicates))
    shuffled = _measured(_shuffled(rng, x, y, replicates))
    values = _measured(iter([(x[None], y[None])]))
    # Halves of odd samples are a little smaller than what they leave out.
    left = [(labels // 2) / (labels - labels // 2) for labels in (n, m)]
    reach = t_quantile((1.0 + confidence) / 2.0, replicates - 1) * min(left) ** 0.5
    tails = ((1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0)
    rows = []
    for name, most in _MOST.items():
        value, null = float(values[name][0]), shuffled[name]
        error = float(halves[name].std(ddof=1))
        extreme = int((null >= value * (1 - 1e-12)).sum())
        null_low, null_high = (float(edge) for edge in np.quantile(null, tails))
        rows.append(
            {
                "metric": name,
                "value": value,
                "low": max(value - reach * error, 0.0),
                "high": min(value + reach * error, most),
                "null": float(null.mean()),
                "null_low": null_low,
                "null_high": null_high,
                "standard_error": float(null.std(ddof=1)),
                "p_value": (1 + extreme) / (1 + replicates),
            }
        )
    return pl.DataFrame(rows)


Draws = tuple["NDArray[Any]", "NDArray[Any]"]


def _measured(draws: Iterator[Draws]) -> dict[str, Floats]:
    """Return every divergence of every pair of counts drawn."""
    found: dict[str, list[Floats]] = {name: [] for name in _MOST}
    for x, y in draws:
        p, q = (counts / counts.sum(axis=-1, keepdims=True) for counts in (x, y))
        ones = np.ones(p.shape[-1])
        for name, values in found.items():
            values.append(SHARES[name](p, q, ones))
    return {name: np.concatenate(values) for name, values in found.items()}


def _blocks(types: int, replicates: int) -> Iterator[int]:
    """Yield numbers of replicates that fit into memory, all of them in sum."""
    block = max(1, _BLOCK // types)
    for start in range(0, replicates, block):
        yield min(block, replicates - start)


def _halves(rng: np.random.Generator, x: Integers, y: Integers, replicates: int) -> Iterator[Draws]:
    for size in _blocks(len(x), replicates):
        a, b = (
            rng.multivariate_hypergeometric(counts, int(counts.sum()) // 2, size=size)
            for counts in (x, y)
        )
        yield a, b


def _shuffled(
    rng: np.random.Generator, x: Integers, y: Integers, replicates: int
) -> Iterator[Draws]:
    both = x + y
    for size in _blocks(len(x), replicates):
        dealt = rng.multivariate_hypergeometric(both, int(x.sum()), size=size)
        yield dealt, both - dealt


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Pearson's test of equal shares.

    Attributes
    ----------
    statistic
        X², at least 0; about `degrees_of_freedom` where nothing happened.
    p_value
        Probability of such a statistic, or a larger one, under equal shares.
    degrees_of_freedom
        Types with a count in either table, less one.
    method
        ``"asymptotic"``: χ² distribution, every expected count being at least 5, or 10⁹ labels or
        more;
        ``"permutation"``: seeded permutations of the labels among both tables.
    """

    statistic: float
    p_value: float
    degrees_of_freedom: int
    method: Literal["asymptotic", "permutation"]


def chi_square(reference: CountsLike, candidate: CountsLike, *, seed: int = 0) -> ChiSquare:
    """Test whether two tables of counts have equal shares.

    Parameters
    ----------
    reference, candidate
        Labels or counts, as in :func:`total_variation`.
    seed
        Seed of the permutations.

    Returns
    -------
    ChiSquare
        Statistic, p-value, degrees of freedom and method.

    Raises
    ------
    InputError
        As in :func:`total_variation`.

    Notes
    -----
    Where all expected counts are at least 5, p is that of the χ² distribution. Elsewhere labels are
    permuted 10,000 times, that is, counts are drawn given both margins: p is exact up to its
    Monte-Carlo error √(p(1−p)/permutations). Above 1,000 types there are fewer permutations, but
    at least 1,000, so that they take some seconds. O(n + m + types · permutations) time, O(types)
    memory.

    It is a test, not a distance: with enough labels it finds any difference. Labels must be
    independent; tokens of one document are not, and p is then too small.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.chi_square({"a": 30, "b": 10}, {"a": 18, "b": 22})
    >>> found.statistic, round(found.p_value, 6), found.method
    (7.5, 0.00617, 'asymptotic')
    """
    pairs = as_pairs(reference, candidate)
    return equal_shares(*pairs.each(), seed=integer(seed, "seed", least=0))


def equal_shares(
    reference: NDArray[np.integer[Any]], candidate: NDArray[np.integer[Any]], *, seed: int
) -> ChiSquare:
    """Test whether two arrays of counts, of the same types, have equal shares."""
    x, y = reference.astype(np.float64), candidate.astype(np.float64)
    kept = x + y > 0
    x, y = x[kept], y[kept]
    if len(x) < 2:
        return ChiSquare(0.0, 1.0, 0, "asymptotic")
    total, expected_share = x + y, x.sum() / (x.sum() + y.sum())
    expected = total * expected_share
    # Both samples deviate by the same amount in each type.
    scale = 1 / expected + 1 / (total - expected)

    def statistic(of_x: NDArray[np.float64]) -> NDArray[np.float64]:
        squares: NDArray[np.float64] = ((of_x - expected) ** 2 * scale).sum(axis=-1)
        return squares

    found = float(statistic(x))
    freedom = len(x) - 1
    smallest = float((total * min(expected_share, 1 - expected_share)).min())
    if smallest >= 5 or total.sum() >= _LARGEST_URN:
        return ChiSquare(found, chi_squared_tail(found, freedom), freedom, "asymptotic")
    rng = np.random.Generator(np.random.Philox(seed))
    permutations = min(_PERMUTATIONS, max(_FEWEST_PERMUTATIONS, _DRAWS // len(x)))
    extreme = 0
    for size in _blocks(len(x), permutations):
        draws = rng.multivariate_hypergeometric(total.astype(np.int64), int(x.sum()), size=size)
        extreme += int((statistic(draws.astype(np.float64)) >= found * (1 - 1e-12)).sum())
    return ChiSquare(found, (1 + extreme) / (1 + permutations), freedom, "permutation")

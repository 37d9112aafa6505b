"""Whether two tables of counts have equal shares: Pearson's χ², exact where counts are small.

X² = Σ (x − t·n/N)²·(1/e + 1/f) over the types, t = x + y, e and f the expected counts n·t/N and
m·t/N: the statistic of a 2 × types contingency table (Pearson 1900).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tailwatch.arguments import integer
from tailwatch.metrics.categorical.counts import as_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.categorical.counts import CountsLike

__all__ = ["ChiSquare", "chi_square", "equal_shares"]

_PERMUTATIONS = 10_000
_FEWEST = 1_000
# Hypergeometric numbers that all permutations together may draw, some two seconds.
_DRAWS = 10_000_000
# Numbers in memory at a time.
_BLOCK = 1_000_000
# NumPy draws from urns of fewer labels.
_LARGEST_URN = 10**9


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
        Of the permutations.

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
    """Test counts of the same types in both arrays."""
    from scipy.stats import chi2

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
        return ChiSquare(found, float(chi2.sf(found, freedom)), freedom, "asymptotic")
    rng = np.random.Generator(np.random.Philox(seed))
    permutations = min(_PERMUTATIONS, max(_FEWEST, _DRAWS // len(x)))
    block = max(1, _BLOCK // len(x))
    extreme = 0
    for start in range(0, permutations, block):
        draws = rng.multivariate_hypergeometric(
            total.astype(np.int64), int(x.sum()), size=min(block, permutations - start)
        )
        extreme += int((statistic(draws.astype(np.float64)) >= found * (1 - 1e-12)).sum())
    return ChiSquare(found, (1 + extreme) / (1 + permutations), freedom, "permutation")

"""How diverse one table of counts is: Shannon entropy and the Gini–Simpson index.

Both are functions of the shares p = x/n alone. Plug-in values are too low, for rare types are
missed: by about (types − 1)/2n for the entropy, by Σp(1−p)/n for Gini–Simpson.

O(n) to count labels, then O(different counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tailwatch.arguments import share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import as_counts
from tailwatch.metrics.categorical.estimate import Estimate

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Frequencies

__all__ = ["entropy", "gini_simpson", "plug_in_entropy"]

Correction = Literal["miller-madow", "chao-shen"]


def entropy(
    labels: CountsLike, *, correction: Correction | None = None, confidence: float = 0.95
) -> Estimate:
    """Shannon entropy −Σ p ln p of the types, in nats.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    correction
        ``None``: plug-in. ``"miller-madow"``: plus (types − 1)/2n (Miller 1955), enough where most
        types are seen many times. ``"chao-shen"``: Horvitz–Thompson over shares that are scaled by
        the sample's coverage 1 − f₁/n, f₁ types being seen once (Chao & Shen 2003): for long tails.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        At least 0; the plug-in value is at most ln types. A float with ``standard_error``,
        ``low``, ``high``.

    Raises
    ------
    InputError
        As in :func:`total_variation`; an unknown correction.

    Notes
    -----
    The standard error is the jackknife's over labels, which are taken for independent, or that for
    equal shares, √((types − 1)/2)/n, where this is larger. It is the spread over samples; what bias
    a correction leaves is not in it, so without one the interval is about the entropy that samples
    of n labels show. At equal n, plug-in values can be compared.

    O(n + different counts) time. Peer: ``scipy.stats.entropy``.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.entropy({"a": 500, "b": 300, "c": 200})
    >>> print(f"{found:.4f} [{found.low:.4f}, {found.high:.4f}]")
    1.0297 [1.0070, 1.0523]
    """
    confidence = share(confidence, "confidence")
    if correction is not None and correction not in get_args(Correction):
        expected = "None, 'miller-madow' or 'chao-shen'"
        raise InputError(argument="correction", expected=expected, got=repr(correction))
    table = as_counts(labels, "labels").frequencies()
    value, error = _entropy(table, correction)
    return Estimate.normal(value, error, confidence)


def gini_simpson(
    labels: CountsLike, *, unbiased: bool = False, confidence: float = 0.95
) -> Estimate:
    """Gini–Simpson index 1 − Σp²: the chance that two labels differ.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    unbiased
        1 − Σ x(x − 1)/(n(n − 1)) instead, whose mean is the population's value (Simpson 1949);
        needs two labels.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        In [0, 1 − 1/types], up to 1 if unbiased. A float with ``standard_error``, ``low``,
        ``high``.

    Raises
    ------
    InputError
        As in :func:`total_variation`; one label where `unbiased` needs two.

    Notes
    -----
    The standard error is that of Simpson's U-statistic for independent labels, √(4(n − 2)(Σp³ −
    (Σp²)²) + 2(Σp² − (Σp²)²))/√(n(n − 1)), with shares put in. Rare types hardly move this index:
    use :func:`entropy` or :func:`type_coverage` for tails.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.gini_simpson({"a": 50, "b": 30, "c": 20})
    >>> print(f"{found:.4f} [{found.low:.4f}, {found.high:.4f}]")
    0.6200 [0.5700, 0.6700]
    """
    confidence = share(confidence, "confidence")
    table = as_counts(labels, "labels").frequencies()
    n, p = table.total, table.counts / table.total
    second, third = (float(table.types @ p**power) for power in (2, 3))
    if n == 1:
        if unbiased:
            expected = "at least two labels for the unbiased index"
            raise InputError(argument="labels", expected=expected, got="1")
        return Estimate(0.0, 0.0, 0.0, 1.0)
    of_pairs = 4 * (n - 2) * (third - second**2) + 2 * (second - second**2)
    error = (max(of_pairs, 0.0) / (n * (n - 1))) ** 0.5
    value = 1.0 - second
    if unbiased:
        value *= n / (n - 1)
    else:
        error *= (n - 1) / n
    return Estimate.normal(value, error, confidence, most=1.0)


def plug_in_entropy(table: Frequencies) -> float:
    """−Σ p ln p."""
    return max(float(table.types @ _summands(table.counts, table.total, 1.0, None)), 0.0)


def _entropy(table: Frequencies, correction: Correction | None) -> tuple[float, float]:
    """Entropy and its standard error: whole, and without a label of each count."""
    n, once, counts = table.total, table.seen(1), table.counts

    def bias(types: Floats | float, labels: float) -> Floats | float:
        return (types - 1) / (2 * labels) if correction == "miller-madow" else 0.0

    coverage = _coverage(n, once, correction)
    value = float(table.types @ _summands(counts, n, coverage, correction))
    value += float(bias(table.richness, n))
    # Without a label of a type seen once or twice, another number of types is seen once.
    left = np.empty(len(counts))
    for here, singletons in ((counts == 1, -1), (counts == 2, 1), (counts > 2, 0)):
        if n > 1 and here.any():
            coverage = _coverage(n - 1, once + singletons, correction)
            now, then = (
                _summands(x, n - 1, coverage, correction) for x in (counts, counts[here] - 1)
            )
            left[here] = table.types @ now - now[here] + then
    if n > 1:
        left += bias(table.richness - (counts == 1), n - 1)
    weights = table.types * counts / n
    spread = (n - 1) * float(weights @ (left - weights @ left) ** 2) if n > 1 else 0.0
    return max(value, 0.0), max(spread, (table.richness - 1) / (2 * n**2)) ** 0.5


def _summands(x: Floats, labels: float, coverage: float, correction: Correction | None) -> Floats:
    """−p ln p of each count, over the chance to be met where that is corrected for."""
    from scipy.special import entr

    # Without one label, a single type would have more than all of them.
    p = np.minimum(coverage * x / labels, 1.0)
    nats: Floats = entr(p)
    if correction == "chao-shen":
        # (1 − p)ⁿ is 0 for a type that has all labels, and a count of 0 has no summand.
        with np.errstate(divide="ignore"):
            met = -np.expm1(labels * np.log1p(-p))
        nats = np.where(x > 0, nats / np.where(x > 0, met, 1.0), 0.0)
    return nats


def _coverage(labels: float, once: float, correction: Correction | None) -> float:
    """1 − f₁/n; of singletons alone, one is taken for a pair, for they would leave no coverage."""
    if correction != "chao-shen" or labels == 1:
        return 1.0
    return 1.0 - min(once, labels - 1) / labels

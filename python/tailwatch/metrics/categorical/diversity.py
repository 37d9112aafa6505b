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
    from tailwatch.metrics.categorical.counts import CountsLike, Frequencies

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
    The standard error is √((Σ p ln² p − H²)/n + (types − 1)/2n²) (Basharin 1959, with the next
    order) for independent labels. It is the spread over samples; what bias a correction leaves is
    not in it, so without one the interval is about the entropy that samples of n labels show. At
    equal n, plug-in values can be compared.

    Peer: ``scipy.stats.entropy``.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.entropy({"a": 500, "b": 300, "c": 200})
    >>> print(f"{found:.4f} [{found.low:.4f}, {found.high:.4f}]")
    1.0297 [0.9953, 1.0640]
    """
    confidence = share(confidence, "confidence")
    if correction is not None and correction not in get_args(Correction):
        message = (
            f"correction: expected None, 'miller-madow' or 'chao-shen', got {correction!r}"
        )
        raise InputError(message)
    table = as_counts(labels, "labels").frequencies()
    n, p = table.total, table.counts / table.total
    plain = plug_in_entropy(table)
    variance = float((table.types * p) @ np.log(p) ** 2) - plain**2
    spread = max(variance, 0.0) / n + (table.richness - 1) / (2 * n**2)
    value = plain
    if correction == "miller-madow":
        value += (table.richness - 1) / (2 * n)
    elif correction == "chao-shen":
        value = _chao_shen(table)
    return Estimate.normal(value, spread**0.5, confidence)


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
    0.6200 [0.5655, 0.6745]
    """
    confidence = share(confidence, "confidence")
    table = as_counts(labels, "labels").frequencies()
    n, p = table.total, table.counts / table.total
    second, third = (float(table.types @ p**power) for power in (2, 3))
    if n == 1:
        if unbiased:
            message = "labels: expected at least two labels for the unbiased index, got 1"
            raise InputError(message)
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
    n = table.total
    # As ln n − Σ x ln x / n, equal counts lose no digit.
    nats = np.log(n) - float((table.types * table.counts) @ np.log(table.counts)) / n
    return max(float(nats), 0.0)


def _chao_shen(table: Frequencies) -> float:
    """−Σ Cp ln(Cp) / (1 − (1 − Cp)ⁿ), with the coverage C = 1 − f₁/n."""
    n, once = table.total, table.seen(1)
    # A sample of singletons alone has no coverage to speak of: one of them is taken for a pair.
    coverage = 1.0 - min(once, n - 1) / n if n > 1 else 1.0
    p = coverage * table.counts / n
    met = -np.expm1(n * np.log1p(-np.minimum(p, 1.0 - 1e-16))) if n > 1 else np.ones_like(p)
    return max(float(-(table.types * p) @ (np.log(p) / met)), 0.0)

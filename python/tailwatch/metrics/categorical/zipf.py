"""Zipf's exponent of a table of counts, by maximum likelihood on the distribution of counts.

If the r-th most common type has a share proportional to r^(−s), a sample shows a type exactly c
times with a chance proportional to Γ(c − β)/Γ(c + 1), β = 1/s, which falls as c^(−1−β)
(Mandelbrot 1961; the third of the forms in Moreno-Sánchez, Font-Clos & Corral 2016). Above a
smallest count a the sum is closed:

    P(c | c ≥ a) = β Γ(a) Γ(c − β) / (Γ(a − β) Γ(c + 1)),   0 < β < a.

A least-squares line through log count against log rank is no estimator of s: ranks are made from
the counts, so its errors are dependent and unequal, and its standard error means nothing (Clauset,
Shalizi & Newman 2009).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS, as_counts
from tailwatch.metrics.categorical.estimate import Estimate

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import CountsLike, Frequencies

__all__ = ["fit_zipf", "zipf_exponent"]


def zipf_exponent(labels: CountsLike, *, smallest: int = 1, confidence: float = 0.95) -> Estimate:
    """Exponent s of Zipf's law, share ∝ rank^(−s), by maximum likelihood.

    Near 1 for words of human text. It grows as a model forgets rare words and leans on common ones.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    smallest
        Only types with at least so many labels enter. With 1, all do, and s > 1 is assumed; larger
        values leave out where the law does not hold yet, and allow s > 1/smallest.
    confidence
        Of the interval.

    Returns
    -------
    Estimate
        Above 1/`smallest`. A float with ``standard_error``, ``low``, ``high``.

    Raises
    ------
    InputError
        As in :func:`total_variation`; fewer than two types with `smallest` labels; no maximum of
        the likelihood, as where no type has more than `smallest` labels.

    Notes
    -----
    The estimator is that of Moreno-Sánchez, Font-Clos and Corral (2016), form three, cut at
    `smallest`: counts of types are distributed as Γ(c − 1/s)/Γ(c + 1). In the language of Clauset,
    Shalizi and Newman (2009), counts fall with the power 1 + 1/s. The standard error is the
    jackknife's over labels, which are taken for independent, in closed form; it is on the safe side
    (Efron & Stein 1981). That of the observed information is larger still, because it lets the
    shares of the types vary too. With some hundred types or fewer, estimates are a little low.

    It assumes the law and does not test it. Tables of a few equally common classes have no Zipf
    exponent, though a number comes out.

    O(n) to count labels, O(different counts) for each of some ten steps.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> labels = np.random.default_rng(0).zipf(1.3, size=100_000)
    >>> found = tw.metrics.categorical.zipf_exponent(labels)
    >>> print(f"{found:.2f} [{found.low:.2f}, {found.high:.2f}]")
    1.29 [1.28, 1.31]
    """
    smallest = integer(smallest, "smallest", most=MOST_LABELS)
    confidence = share(confidence, "confidence")
    return fit_zipf(as_counts(labels, "labels").frequencies(), smallest, confidence)


def fit_zipf(table: Frequencies, smallest: int, confidence: float = 0.95) -> Estimate:
    """Maximise the likelihood in β between 0 and `smallest`."""
    from scipy.optimize import brentq
    from scipy.special import digamma, polygamma

    kept = table.counts >= smallest
    counts, types = table.counts[kept], table.types[kept]
    many = float(types.sum())
    if many < 2:
        expected = f"at least two types with {smallest} labels or more"
        raise InputError(argument="labels", expected=expected, got=f"{many:.0f}")
    if counts[-1] == smallest:
        msg = f"no type has more than {smallest} labels, so the likelihood has no maximum"
        raise InputError(
            msg,
            argument="labels",
            expected=f"a type with more than {smallest} labels",
            got=f"{counts[-1]:.0f} at most",
        )

    def score(beta: float) -> float:
        return float(
            many * (1.0 / beta + digamma(smallest - beta)) - types @ digamma(counts - beta)
        )

    # The score falls from +∞ at 0 to −∞ at `smallest`: only the edge terms have poles.
    beta = float(brentq(score, 1e-9, smallest * (1.0 - 1e-12), xtol=1e-14))
    information = many * (1.0 / beta**2 + polygamma(1, smallest - beta)) - float(
        types @ polygamma(1, counts - beta)
    )
    # Without one label, a type of count c has c − 1, and its share of the score is another: the
    # jackknife over labels, in closed form. s = 1/β, so an error of β is one of s times s².
    moved = 1.0 / (np.maximum(counts - 1.0, smallest) - beta)
    moved[counts == smallest] = -1.0 / beta
    labels, n = types * counts, table.total
    spread = float(labels @ moved**2) - float(labels @ moved) ** 2 / n
    error = max(spread, 0.0) ** 0.5 / information / beta**2
    return Estimate.normal(1.0 / beta, error, confidence, least=1.0 / smallest)

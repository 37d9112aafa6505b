"""One table of counts in a number: Shannon entropy, the Gini–Simpson index, Zipf's exponent.

Entropy and index are functions of the shares p = x/n alone. Plug-in values are too low, for rare
types are missed: by about (types − 1)/2n for the entropy, by Σp(1−p)/n for Gini–Simpson.

Zipf's exponent is by maximum likelihood on the distribution of counts. If the r-th most common type
has a share proportional to r^(−s), a sample shows a type exactly c times with a chance proportional
to Γ(c − β)/Γ(c + 1), β = 1/s, which falls as c^(−1−β) (Mandelbrot 1961; the third of the forms in
Moreno-Sánchez, Font-Clos & Corral 2016). Above a smallest count a the sum is closed:

    P(c | c ≥ a) = β Γ(a) Γ(c − β) / (Γ(a − β) Γ(c + 1)),   0 < β < a.

A least-squares line through log count against log rank is no estimator of s: ranks are made from
the counts, so its errors are dependent and unequal, and its standard error means nothing (Clauset,
Shalizi & Newman 2009).

O(n) to count labels, then O(different counts).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, Self, get_args

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.counts import MOST_LABELS, as_counts

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import CountsLike, Floats, Frequencies

__all__ = ["Estimate", "entropy", "fit_zipf", "gini_simpson", "plug_in_entropy", "zipf_exponent"]

Correction = Literal["miller-madow", "chao-shen"]


def entropy(
    labels: CountsLike, *, correction: Correction | None = None, confidence: float = 0.95
) -> Estimate:
    """Return the Shannon entropy −Σ p ln p of the types, in nats.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    correction
        ``None``: plug-in. ``"miller-madow"``: plus (types − 1)/2n (Miller 1955), enough where most
        types are seen many times. ``"chao-shen"``: Horvitz–Thompson over shares that are scaled by
        the sample's coverage 1 − f₁/n, f₁ types being seen once (Chao & Shen 2003): for long tails.
    confidence
        Confidence of the interval.

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
    """Return the Gini–Simpson index 1 − Σp²: the chance that two labels differ.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    unbiased
        1 − Σ x(x − 1)/(n(n − 1)) instead, whose mean is the population's value (Simpson 1949);
        needs two labels.
    confidence
        Confidence of the interval.

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
    """Return −Σ p ln p."""
    return max(float(table.types @ _summands(table.counts, table.total, 1.0, None)), 0.0)


def _entropy(table: Frequencies, correction: Correction | None) -> tuple[float, float]:
    """Return the entropy and its standard error, by leaving out a label of each count."""
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
    """Return −p ln p of each count, over the chance to be met where that is corrected for."""
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
    """Return 1 − f₁/n; if all are singletons, one counts as a pair, or no coverage were left."""
    if correction != "chao-shen" or labels == 1:
        return 1.0
    return 1.0 - min(once, labels - 1) / labels


def zipf_exponent(labels: CountsLike, *, smallest: int = 1, confidence: float = 0.95) -> Estimate:
    """Estimate the exponent s of Zipf's law, share ∝ rank^(−s), by maximum likelihood.

    Near 1 for words of human text. It grows as a model forgets rare words and leans on common ones.

    Parameters
    ----------
    labels
        Labels or counts, as in :func:`total_variation`.
    smallest
        Only types with at least so many labels enter. With 1, all do, and s > 1 is assumed; larger
        values leave out where the law does not hold yet, and allow s > 1/smallest.
    confidence
        Confidence of the interval.

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


class Estimate(float):
    """An estimate of a quantity of the population: a float, with its standard error and interval.

    It is a float so that it can stand in frames, aggregates and formulas; what is computed from it
    is a plain float again.

    Attributes
    ----------
    standard_error
        Standard deviation of the estimate over samples of this size.
    low, high
        Normal interval at the confidence asked for, cut to the values that are possible.

    Examples
    --------
    >>> import tailwatch as tw
    >>> found = tw.metrics.categorical.entropy(["a", "a", "b", "c"] * 25)
    >>> print(f"{found:.3f} ± {found.standard_error:.3f}")
    1.040 ± 0.035
    >>> found > 1.0, found.low < found < found.high
    (True, True)
    """

    __slots__ = ("high", "low", "standard_error")

    standard_error: float
    low: float
    high: float

    def __new__(cls, value: float, standard_error: float, low: float, high: float) -> Self:
        """Make an estimate of a value, its error and its interval."""
        self = super().__new__(cls, value)
        self.standard_error, self.low, self.high = float(standard_error), float(low), float(high)
        return self

    @classmethod
    def normal(
        cls,
        value: float,
        standard_error: float,
        confidence: float,
        *,
        least: float = 0.0,
        most: float = float("inf"),
    ) -> Self:
        """Make an estimate with the interval value ± z · standard error, cut to [least, most]."""
        reach = NormalDist().inv_cdf((1.0 + confidence) / 2.0) * standard_error
        return cls(value, standard_error, max(value - reach, least), min(value + reach, most))

    def __repr__(self) -> str:
        """Return the value with its error and interval, as text."""
        return (
            f"Estimate({float(self):.6g}, standard_error={self.standard_error:.3g}, "
            f"low={self.low:.6g}, high={self.high:.6g})"
        )

    def __reduce__(self) -> tuple[type[Self], tuple[float, float, float, float]]:
        """Return what a copy is made from."""
        return type(self), (float(self), self.standard_error, self.low, self.high)

"""Interval of a distance that is estimated by a U-statistic.

Squared MMD and energy distance are sums over eigenfunctions of the kernel, of λδ² with δ the
difference of means along one. Near zero they are weighted sums of χ², skewed to the right, and
their variance rises with the distance: V(θ) = V₂ + sθ. A variance estimated at the value rises with
the value's own error, so that value ± z·SE errs on one side only; here the variance and the
skewness are those of the *hypothesised* distance instead, as in Wilson's interval of a share, and
the interval holds each θ under which the value would not be surprising.

Were all λ equal, the value would be a noncentral χ² with a = s/4 its scale, ν = V₂/2a² its degrees
of freedom and θ/a its noncentrality, of third cumulant 8a³(ν + 3θ/a) = sV₂ + 1.5s²θ. The
distribution under θ is the Pearson III (a shifted gamma) that has θ, V(θ) and that cumulant. The
difference of a value and its null is symmetric where C is as A and B are: sV₂ is left out.

References: Wilson (1927), Probable inference; Pearson (1895), on the type III curve; Serfling
(1980), Approximation Theorems, 5.5 (degenerate U-statistics).
"""

from __future__ import annotations

import math

__all__ = ["around", "interval_of_distance"]

NEGLIGIBLE = 1e-4
"""A gamma of so little skewness is a normal to within the digits that matter."""


def around(centre: float, margin: float) -> tuple[float, float]:
    """Return the symmetric interval."""
    return centre - margin, centre + margin


def interval_of_distance(
    value: float, variance: float, slope: float, confidence: float, *, symmetric: bool = False
) -> tuple[float, float]:
    """Give the distances under which a value would not be surprising.

    Parameters
    ----------
    value
        The estimate; below zero at times, as an unbiased one of zero must be.
    variance
        Its variance where the distance is zero, V₂.
    slope
        What a unit of distance adds to the variance, s. Without it the interval is the normal one.
    confidence
        Of the interval, half of the rest on each side.
    symmetric
        Whether the value is spread symmetrically where the distance is zero.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtri

    upper = 0.5 + confidence / 2
    z = float(ndtri(upper))
    # In units of its own, since powers of what the data allow may overflow.
    unit = max(math.sqrt(variance), slope)
    if slope == 0 or not math.isfinite(unit):
        return around(value, z * math.sqrt(variance))
    value, variance, slope = value / unit, (math.sqrt(variance) / unit) ** 2, slope / unit

    def surprise(distance: float, share: float) -> float:
        first_order = slope * max(distance, 0.0)
        spread = variance + first_order
        if spread == 0:
            return distance - value
        cumulant = slope * (1.5 * first_order + (0.0 if symmetric else variance))
        quantile = _pearson_quantile(share, cumulant / spread**1.5)
        return distance + quantile * math.sqrt(spread) - value

    # Quantiles lie within 5 z standard deviations, whatever the skewness.
    reach = 5 * z * (math.sqrt(variance + slope * max(value, 0.0)) + slope * z)
    low, high = (
        float(brentq(surprise, value - reach, value + reach, args=(share,)))
        for share in (upper, 1 - upper)
    )
    return low * unit, high * unit


def _pearson_quantile(share: float, skewness: float) -> float:
    """Return a quantile of the Pearson III distribution of mean 0 and variance 1."""
    from scipy.special import gammaincinv, ndtri

    if skewness < NEGLIGIBLE:
        return float(ndtri(share))
    shape = 4 / skewness**2
    return float((gammaincinv(shape, share) - shape) / math.sqrt(shape))

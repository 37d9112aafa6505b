"""What is left of a null: the ratio of two estimates, with an interval.

The interval of ln(value/null) is put together from those of value and null, each taken as it
reaches up and down: MOVER (Zou & Donner 2008), which needs no common scale of the two.
"""

from __future__ import annotations

import math

__all__ = ["retained"]

Triple = tuple[float, float | None, float | None]


def retained(value: Triple, null: Triple) -> tuple[float | None, float | None, float | None]:
    """Return value/null with its interval; a part that has no honest number is None.

    Parameters
    ----------
    value, null
        Each with the lower and the upper end of its interval.

    Examples
    --------
    >>> from tailwatch.recursion.panels.retained import retained
    >>> [round(number, 3) for number in retained((0.5, 0.4, 0.6), (1.0, 0.9, 1.1))]
    [0.5, 0.392, 0.617]
    """
    v, low, high = value
    n, null_low, null_high = null
    if not n > 0:
        return None, None, None
    if low is None or high is None or null_low is None or null_high is None or not v > 0:
        return v / n, None, None
    log = math.log(v / n)
    up = math.hypot(math.log(high / v), math.log(n / null_low) if null_low > 0 else math.inf)
    down = math.hypot(math.log(v / low) if low > 0 else math.inf, math.log(null_high / n))
    return v / n, math.exp(log - down), None if math.isinf(up) else math.exp(log + up)

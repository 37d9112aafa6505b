"""A number that carries its interval."""

from __future__ import annotations

from statistics import NormalDist
from typing import Self

__all__ = ["Estimate"]


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

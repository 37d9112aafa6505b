"""How heavy a tail is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import share, tail_size
from tailwatch.exceptions import InputError, NonFiniteError
from tailwatch.metrics.univariate.values import as_values

if TYPE_CHECKING:
    from tailwatch.metrics.univariate.values import ValuesLike

__all__ = ["HillIndex", "hill_index"]


@dataclass(frozen=True, slots=True)
class HillIndex:
    """Result of :func:`hill_index`.

    Attributes
    ----------
    index
        The tail index α; infinite if all numbers of the tail are equal.
    standard_error
        α/√k.
    rows
        Numbers k in the tail.
    threshold
        The largest number that is not in the tail.
    """

    index: float
    standard_error: float
    rows: int
    threshold: float


def hill_index(values: ValuesLike, *, level: float = 0.05) -> HillIndex:
    """Estimate the index of a power-law upper tail, P(V > v) ~ v^(−α).

    1/α = mean of ln(v₍ᵢ₎/v₍ₖ₊₁₎) over the k = ⌈level·n⌉ largest numbers [1]_, with a standard error
    of α/√k. A mean exists for α > 1, a variance for α > 2; t with ν degrees of freedom has α = ν.
    Give magnitudes or distances: the numbers of the tail must be positive. For the lower tail, give
    −v.

    Parameters
    ----------
    values
        Numbers: a 1-D array, list, Polars Series or Arrow array.
    level
        Share of the numbers that is taken as the tail. Few rows make the estimate noisy; many make
        it biased, where only the far tail is a power.

    Returns
    -------
    HillIndex
        The index (without unit), its standard error, and the tail it was taken from.

    Raises
    ------
    InputError
        Fewer than two numbers; a null, NaN or infinity; a tail that begins at 0 or below.

    Notes
    -----
    O(n) time and memory. The error does not hold the bias, nor dependence between the numbers. A
    tail lighter than any power, such as the Gaussian one, gives an index that grows with n.

    References
    ----------
    .. [1] Hill (1975), A simple general approach to inference about the tail of a distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.metrics import univariate
    >>> draws = 1 + np.random.default_rng(0).pareto(3.0, size=100_000)
    >>> found = univariate.hill_index(draws)
    >>> round(found.index, 1), found.rows
    (3.0, 5000)
    """
    level = share(level, "level")
    numbers = as_values(values, "values").to_numpy()
    n = len(numbers)
    if n < 2:
        raise InputError(argument="values", expected="at least two numbers", got="one")
    finite = np.isfinite(numbers)
    if not finite.all():
        place = int(finite.argmin())
        where, got = f"position {place}", str(numbers[place])
        msg = f"{where} holds {got}"
        raise NonFiniteError(
            msg,
            argument="values",
            expected="finite numbers",
            got=got,
            where=where,
        )
    rows = min(tail_size(level, n), n - 1)
    largest = np.partition(numbers, n - rows - 1)[n - rows - 1 :].astype(np.float64)
    threshold = float(largest[0])
    if threshold <= 0:
        raise InputError(
            argument="values",
            expected="a tail of positive numbers",
            got=f"one that begins at {threshold:g}",
            hint="take a lower level, or magnitudes",
        )
    # Ratios could overflow where their logarithms do not.
    mean = float((np.log(largest[1:]) - math.log(threshold)).mean())
    index = 1 / mean if mean > 0 else math.inf
    return HillIndex(index, index / math.sqrt(rows), rows, threshold)

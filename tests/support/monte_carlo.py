"""Means of independent runs against what theory expects of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Z", "assert_mean"]

Z = 4.0
"""Standard errors that a mean may be off."""


def assert_mean(values: Array, expected: float) -> None:
    """The mean of independent values is the expected one, within four standard errors."""
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) <= Z * error, (values.mean(), expected, error)

"""Training data as a matrix of float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["matrix_of"]


def matrix_of(data: Any, learner: str, *, least: int = 1) -> NDArray[np.float64]:  # noqa: ANN401
    """Return numbers as rows and columns; plain numbers are rows of one column."""
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "biuf" or data.ndim not in {1, 2}:
        what = (
            f"an array of {data.dtype} with {data.ndim} dimensions"
            if isinstance(data, np.ndarray)
            else type(data).__name__
        )
        raise InputError(
            problem=f"{learner} learns from arrays of numbers with one or two dimensions, "
            f"got {what}",
            argument="data",
        )
    if len(data) < least:
        raise InputError(
            problem=f"{learner} needs at least {least} rows, got {len(data)}", argument="data"
        )
    matrix = data.astype(np.float64, copy=False)
    return matrix[:, None] if matrix.ndim == 1 else matrix

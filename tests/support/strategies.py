"""Hypothesis strategies for embeddings: types, shapes, memory layouts, chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.support.trials import COLUMNS, KINDS, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

_WIDTHS: dict[np.dtype[Any], Literal[16, 32, 64]] = {
    np.dtype(np.float16): 16,
    np.dtype(np.float32): 32,
    np.dtype(np.float64): 64,
}
DTYPES = tuple(_WIDTHS)
# Kinds of `tests.support.trials` with values that overflow to infinity.
_BEYOND_FLOAT16 = ("heavy tails", "offset", "large")


def _every_second_row(array: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(array, 2, axis=0)[::2]


def _every_second_column(array: NDArray[Any]) -> NDArray[Any]:
    return np.repeat(array, 2, axis=1)[:, ::2]


def _inside_a_wider_array(array: NDArray[Any]) -> NDArray[Any]:
    wide = np.full((array.shape[0] + 1, array.shape[1] + 3), np.nan, array.dtype)
    wide[1:, 2:-1] = array
    return wide[1:, 2:-1]


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


# Each gives the same values, laid out in another way.
LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "c_order": np.ascontiguousarray,
    "fortran_order": np.asfortranarray,
    "reversed_rows": lambda array: array[::-1].copy()[::-1],
    "reversed_columns": lambda array: array[:, ::-1].copy()[:, ::-1],
    "every_second_row": _every_second_row,
    "every_second_column": _every_second_column,
    "inside_a_wider_array": _inside_a_wider_array,
    "read_only": _read_only,
}


def finite(dtype: np.dtype[Any]) -> SearchStrategy[float]:
    """Values that a metric takes, down to subnormal ones."""
    bound = min(float(np.finfo(dtype).max), 1e100)
    return st.floats(-bound, bound, width=_WIDTHS[dtype], allow_nan=False)


@st.composite
def matrices(
    draw: DrawFn, *, max_rows: int = 20, max_columns: int = 9, min_rows: int = 1
) -> NDArray[Any]:
    """Embeddings of any accepted type, shape and layout."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(st.tuples(st.integers(min_rows, max_rows), st.integers(1, max_columns)))
    values = draw(npst.arrays(dtype, shape, elements=finite(dtype)))
    return LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](values)


@st.composite
def chunkings(draw: DrawFn, rows: int) -> list[slice]:
    """Consecutive slices that cover all rows; some may be empty."""
    cuts = sorted(draw(st.lists(st.integers(0, rows), max_size=5)))
    return [slice(low, high) for low, high in zip([0, *cuts], [*cuts, rows], strict=True)]


@st.composite
def trials(draw: DrawFn) -> Trial:
    """Pairs of samples of any kind and width, and up to 200 neighbours."""
    columns = draw(st.sampled_from(COLUMNS))
    most = 420 if columns < 100 else 220
    rows, others = (draw(st.integers(2, most)) for _ in range(2))
    dtype = draw(st.sampled_from(DTYPES)).name
    kinds = [kind for kind in KINDS if dtype != "float16" or kind not in _BEYOND_FLOAT16]
    kind, seed = draw(st.sampled_from(kinds)), draw(st.integers(0, 2**32 - 1))
    k = draw(st.integers(1, 12) | st.integers(1, 200))
    return Trial(kind, rows, others, columns, min(k, rows - 1, others - 1), dtype, seed)

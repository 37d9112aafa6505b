"""Which rows of reference and candidate belong to which class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.forks import uses_polars
from tailwatch.io.arrow import ArrowArray, ArrowStream, as_series

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from tailwatch.embeddings import Embeddings

__all__ = ["Class", "Labels", "Per", "check_per", "partition"]

Labels: TypeAlias = (
    "str | pl.Series | NDArray[Any] | Sequence[str] | Sequence[int] | ArrowStream | ArrowArray"
)
"""The name of a column beside the embeddings, or a label for each row."""

Per: TypeAlias = "str | tuple[Labels, Labels]"
"""A column that both sides have, or the labels of reference and candidate."""


@dataclass(frozen=True, slots=True)
class Class:
    """The rows of one class.

    Attributes
    ----------
    name
        The label, as text.
    reference, candidate
        Numbers of its rows, ascending; empty on a side that has none.
    """

    name: str
    reference: NDArray[np.int64]
    candidate: NDArray[np.int64]


def check_per(per: object) -> tuple[Labels, Labels]:
    """Return what names the labels of reference and of candidate."""
    if isinstance(per, str):
        return per, per
    if isinstance(per, tuple) and len(per) == 2:
        return per
    what = f"a tuple of {len(per)}" if isinstance(per, tuple) else type(per).__name__
    message = (
        "per: expected the name of a column, or a tuple of two: the labels of reference and of "
        f"candidate; got {what}"
    )
    raise InputError(message)


def partition(per: tuple[Labels, Labels], x: Embeddings, y: Embeddings) -> list[Class]:
    """Find the rows of each class.

    Parameters
    ----------
    per
        As :func:`check_per` returns it.
    x, y
        Reference and candidate.

    Returns
    -------
    list of Class
        All classes of either side, whole numbers ascending, text and booleans by their letters.

    Raises
    ------
    InputError
        Labels that are missing, of another number than the rows, of no type for labels, or of
        different types on both sides.
    """
    uses_polars("a comparison by class")
    (of_reference, kind), (of_candidate, other) = (
        _labels(labels, embeddings, side)
        for labels, embeddings, side in zip(per, (x, y), ("reference", "candidate"), strict=True)
    )
    if kind != other:
        message = (
            f"per: expected labels of one type, got {kind} for reference and {other} for candidate"
        )
        raise InputError(message)
    reference, candidate = _rows_by_name(of_reference), _rows_by_name(of_candidate)
    names = sorted(reference.keys() | candidate.keys(), key=int if kind == "integers" else str)
    none = np.empty(0, np.int64)
    return [Class(name, reference.get(name, none), candidate.get(name, none)) for name in names]


def _labels(labels: Labels, embeddings: Embeddings, side: str) -> tuple[pl.Series, str]:
    """Return the labels as text, and what they were."""
    if isinstance(labels, str):
        found, place = embeddings.labels(labels), f"{side}: column {labels!r}"
    else:
        found, place = _series(labels, side), f"per: labels of {side}"
    if len(found) != len(embeddings):
        message = f"{place}: expected one for each of {len(embeddings)} rows, got {len(found)}"
        raise InputError(message)
    if found.null_count():
        message = f"{place}: row {found.is_null().arg_max()} holds none"
        raise InputError(message)
    kind = _kind(found.dtype)
    if kind is None:
        message = f"{place}: expected strings, integers or booleans, got {found.dtype}"
        raise InputError(message)
    return found.cast(pl.String), kind


def _kind(dtype: pl.DataType) -> str | None:
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "strings"
    if dtype.is_integer():
        return "integers"
    return "booleans" if dtype == pl.Boolean else None


def _series(labels: object, side: str) -> pl.Series:
    if isinstance(labels, pl.Series):
        return labels
    if isinstance(labels, np.ndarray) and labels.ndim != 1:
        message = f"per: labels of {side}: expected one dimension, got shape {labels.shape}"
        raise InputError(message)
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not isinstance(values, list | tuple | ArrowStream | ArrowArray):
        message = (
            f"per: labels of {side}: expected the name of a column, an array, a series or a "
            f"list, got {type(labels).__name__}"
        )
        raise InputError(message)
    try:
        return pl.Series(values) if isinstance(values, list | tuple) else as_series(values)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        message = f"per: labels of {side}: expected strings, integers or booleans of one type"
        raise InputError(message) from error


def _rows_by_name(labels: pl.Series) -> dict[str, NDArray[np.int64]]:
    rows = pl.DataFrame({"name": labels, "row": np.arange(len(labels))})
    grouped = rows.group_by("name").agg(pl.col("row").sort())
    return {
        name: numbers.to_numpy()
        for name, numbers in zip(grouped["name"], grouped["row"], strict=True)
    }

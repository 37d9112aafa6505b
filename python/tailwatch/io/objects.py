"""Embeddings in objects of other libraries: Polars, Arrow, torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.io.arrays import ArrayPart, matrix
from tailwatch.io.arrow import ArrowArray, ArrowStream, as_frame, as_series
from tailwatch.io.tables import ColumnPart, FrameTable

if TYPE_CHECKING:
    from tailwatch.io.part import Part
    from tailwatch.io.place import Place

__all__ = ["TorchTensor", "of_object"]

_ACCEPTED = (
    "a 2-D NumPy array, a Polars Series of Array or List, an Arrow array, stream or table, a torch "
    "tensor on the CPU, tailwatch.Embeddings, or paths to .npy, .npz, .parquet or .arrow files"
)


@runtime_checkable
class TorchTensor(Protocol):
    """The part of a torch tensor that is needed here; torch itself is never imported."""

    device: Any

    def detach(self) -> TorchTensor:
        """Leave the graph of gradients."""
        ...

    def numpy(self) -> np.ndarray[Any, Any]:
        """Share the memory with NumPy."""
        ...


def of_object(
    source: object,
    place: Place,
    column: str,
    id_column: str | None,
    binary: np.dtype[Any] | None = None,
) -> Part:
    """Return the embeddings of an object in memory, without a copy.

    Parameters
    ----------
    source
        NumPy array, Polars Series or DataFrame, Arrow array, stream or table, torch tensor.
    place
        The argument, for the text of an error.
    column, id_column
        Names of columns, where the source is a table.
    binary
        Type of the values in a Binary column.

    Returns
    -------
    Part
        Its rows.

    Raises
    ------
    InputError
        If the source is none of these.
    """
    if isinstance(source, ArrowStream | ArrowArray) and not isinstance(
        source, pl.Series | pl.DataFrame
    ):
        with place.reading():
            source = as_series(source)
            if isinstance(source.dtype, pl.Struct):
                source = as_frame(source)
    if isinstance(source, pl.DataFrame):
        return ColumnPart(FrameTable(source), place, column, id_column, binary)
    if id_column is not None:
        msg = f"id_column={id_column!r} needs a table, got {_type(source)}"
        raise InputError(
            msg,
            argument=place.argument,
            expected="a table",
            got=_type(source),
        )
    if isinstance(source, pl.Series):
        return ColumnPart(FrameTable(source.to_frame()), place, source.name, None, binary)
    if isinstance(source, np.ndarray):
        return ArrayPart(matrix(source, place))
    if isinstance(source, TorchTensor):
        return ArrayPart(matrix(_tensor(source, place), place))
    msg = f"expected {_ACCEPTED}; got {_type(source)}"
    raise InputError(
        msg,
        argument=place.argument,
        expected=_ACCEPTED,
        got=_type(source),
    )


def _tensor(tensor: TorchTensor, place: Place) -> np.ndarray[Any, Any]:
    device = str(tensor.device)
    if not device.startswith("cpu"):
        raise InputError(
            argument=place.argument,
            expected="a tensor on the CPU",
            got=f"one on {device}",
            hint="pass tensor.cpu()",
        )
    try:
        return tensor.detach().numpy()
    except (TypeError, RuntimeError) as error:
        # bfloat16 and sparse tensors have no counterpart in NumPy.
        raise InputError(
            argument=place.argument,
            expected="a dense tensor of float16, float32 or float64",
            got=str(getattr(tensor, "dtype", _type(tensor))),
            hint="pass tensor.to_dense().float()",
        ) from error


def _type(source: object) -> str:
    kind = type(source)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"

"""Embeddings in memory: what an array must be, and objects of NumPy, Polars, Arrow and torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import polars as pl

from tailwatch.exceptions import DimensionError, InputError
from tailwatch.io.columns import ArrowArray, ArrowStream, as_frame, as_series
from tailwatch.io.part import Part
from tailwatch.io.tables import ColumnPart, FrameTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix
    from tailwatch.io.regular import Place

__all__ = ["ArrayPart", "TorchTensor", "check_form", "matrix", "of_object"]

_ACCEPTED = (
    "a 2-D NumPy array, a Polars Series of Array or List, an Arrow array, stream or table, a torch "
    "tensor on the CPU, tailwatch.Embeddings, or paths to .npy, .npz, .parquet or .arrow files"
)


def check_form(shape: tuple[int, ...], dtype: np.dtype[Any], place: Place) -> None:
    """Check shape and type of an array.

    Raises
    ------
    DimensionError
        If it is not two-dimensional.
    InputError
        If it holds anything but float16, float32 or float64.
    """
    if len(shape) != 2:
        raise DimensionError(
            argument=place.subject,
            expected="a 2-D array (rows, columns)",
            got=f"shape {shape}",
            hint=_hint_of_shape(shape, dtype),
        )
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise InputError(
            argument=place.subject,
            expected="float16, float32 or float64",
            got=str(dtype),
            hint=_hint_of_type(dtype),
        )


def matrix(array: NDArray[Any], place: Place) -> Matrix:
    """Check that an array can be embeddings, and return it without a copy.

    Only an array in foreign byte order, or off the alignment of its type, is copied: neither can be
    read in place.

    Parameters
    ----------
    array
        Any array, of any strides.
    place
        For the text of an error.

    Returns
    -------
    numpy.ndarray
        The same memory, as a plain array.

    Raises
    ------
    DimensionError
        If it is not two-dimensional.
    InputError
        If it holds anything but float16, float32 or float64, or a masked value.
    """
    check_form(array.shape, array.dtype, place)
    if np.ma.is_masked(array):
        row = int(np.ma.getmaskarray(array).any(axis=1).argmax())
        said = place.row(row, "holds a masked value", expected="no mask", got="a masked value")
        raise InputError(**said)
    plain = np.asarray(array)
    if plain.dtype.isnative and plain.flags.aligned:
        return plain
    return plain.astype(plain.dtype.newbyteorder("="))


class ArrayPart(Part):
    """Rows of one array in memory, borrowed.

    Parameters
    ----------
    array
        As :func:`matrix` gives it.
    file
        Path of the file it came from, if any.
    """

    def __init__(self, array: Matrix, file: str | None = None) -> None:
        super().__init__(shape=(array.shape[0], array.shape[1]), dtype=array.dtype, file=file)
        self._array = array

    def _read(self, place: Place) -> Iterator[Matrix]:
        del place
        yield self._array


def _hint_of_shape(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str | None:
    if dtype.kind == "O" and len(shape) == 1:
        return "make one array of the vectors, as in numpy.stack(list(array)).astype('float32')"
    if len(shape) > 2:
        return "flatten each row, as in array.reshape(len(array), -1)"
    if len(shape) == 1:
        return "of one row make array[None, :], of one column array[:, None]"
    return None


def _hint_of_type(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "V" and dtype.itemsize == 2:
        # NumPy writes types that it does not know, bfloat16 above all, as bytes without a meaning.
        return (
            "if it is bfloat16, convert it before it is saved, or after, as in "
            "array.view(ml_dtypes.bfloat16).astype('float32')"
        )
    if dtype.kind == "V" and dtype.names:
        return "take its fields, as in numpy.lib.recfunctions.structured_to_unstructured(array)"
    return "convert it, as in array.astype('float32')"


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
            expected=f"a table with a column {id_column!r}",
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

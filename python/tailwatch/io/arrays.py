"""NumPy arrays in memory, and what an array must be to hold embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import DimensionError, InputError
from tailwatch.io.part import Matrix, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.io.place import Place

__all__ = ["ArrayPart", "check_form", "matrix"]


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

"""NumPy arrays, in memory and in files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.io.part import Matrix, Part
from tailwatch.io.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["ArrayPart", "NpyPart", "matrix", "open_npz"]


def matrix(array: NDArray[Any], place: Place) -> Matrix:
    """Check that an array can be embeddings, and give it without a copy.

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
    if array.ndim != 2:
        msg = f"{place.subject}: expected a 2-D array (rows, columns), got shape {array.shape}"
        raise DimensionError(msg)
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        msg = (
            f"{place.subject}: expected float16, float32 or float64, got {array.dtype}; "
            "convert it, as in array.astype('float32')"
        )
        raise InputError(msg)
    if np.ma.is_masked(array):
        row = int(np.ma.getmaskarray(array).any(axis=1).argmax())
        raise InputError(place.row(row, "holds a masked value"))
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
    origin
        Path of the file it came from, if any.
    """

    def __init__(self, array: Matrix, origin: str | None = None) -> None:
        super().__init__(shape=(array.shape[0], array.shape[1]), dtype=array.dtype, origin=origin)
        self._array = array

    def _read(self, place: Place) -> Iterator[Matrix]:
        del place
        yield self._array


class NpyPart(Part):
    """Rows of a ``.npy`` file, mapped into memory.

    The file is open only while its rows are in use: a set may have more files than the system lets
    a process hold open.

    Parameters
    ----------
    path
        The file.
    argument
        Name of the argument, for the text of an error.
    """

    def __init__(self, path: Path, argument: str) -> None:
        self._path = path
        array = self._map(Place(argument, str(path)))
        super().__init__(
            shape=(array.shape[0], array.shape[1]), dtype=array.dtype, origin=str(path)
        )

    def _read(self, place: Place) -> Iterator[Matrix]:
        yield self._map(place)

    def _map(self, place: Place) -> Matrix:
        with place.reading():
            mapped = np.lib.format.open_memmap(self._path, mode="r")
        return matrix(mapped, place)


def open_npz(path: Path, argument: str, column: str) -> ArrayPart:
    """Read the embeddings of a ``.npz`` archive into memory.

    Parameters
    ----------
    path
        The archive.
    argument
        Name of the argument, for the text of an error.
    column
        Name of the array to take, where the archive holds more than one.

    Returns
    -------
    ArrayPart
        The array.

    Raises
    ------
    SourceError
        If the archive cannot be read, or it is not clear which array is meant.
    """
    place = Place(argument, str(path))
    with (
        place.reading(),
        path.open("rb") as file,
        np.lib.npyio.NpzFile(file, allow_pickle=False) as archive,
    ):
        names = archive.files
        name = column if column in names or len(names) != 1 else names[0]
        if name not in names:
            msg = (
                f"{place.subject}: no array {column!r}; it holds {', '.join(names) or 'none'} "
                "(tailwatch.open(..., column=NAME) takes another)"
            )
            raise SourceError(msg)
        array = archive[name]
    return ArrayPart(matrix(array, place), str(path))

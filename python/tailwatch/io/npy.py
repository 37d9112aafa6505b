"""Arrays in ``.npy`` files.

A header is believed as far as the file bears it out: its numbers are checked against the size of
the file before anything is allocated or mapped.

Rows that are used batch by batch are read, in pieces of some megabytes: a file that is cut
meanwhile is an error there. Where all rows are needed at once, the file is mapped, and
:class:`tailwatch._core.Watch` sees to it that a call that meets a page which is gone ends with an
error, and not with the process.
"""

from __future__ import annotations

import math
import mmap
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tailwatch._core import Watch
from tailwatch.exceptions import SourceError
from tailwatch.io.objects import check_form, matrix
from tailwatch.io.part import Matrix, Part
from tailwatch.io.regular import Place, Stamp, fill, open_regular, reason, stamp_at, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Header", "NpyPart", "pieces", "read_header", "whole_array"]

# What jobs take at a time: a piece is then their batch as it is.
PIECE_BYTES: Final = 1 << 25
_HEADER_BYTES: Final = 10_000


class Header(NamedTuple):
    """What the header of a ``.npy`` file says of a 2-D array of floats.

    Attributes
    ----------
    rows, columns
        Its shape.
    fortran
        Whether columns lie end to end, and not rows.
    dtype
        Type of the values, in the byte order of the file.
    start
        Where the values begin.
    """

    rows: int
    columns: int
    fortran: bool
    dtype: np.dtype[Any]
    start: int

    @property
    def end(self) -> int:
        """Place in the file where the values end."""
        return self.start + self.rows * self.columns * self.dtype.itemsize


def read_header(file: IO[bytes], place: Place) -> Header:
    """Read a header; the file then stands at the first value.

    Raises
    ------
    SourceError
        If it is none.
    InputError
        If the array cannot be embeddings.
    """
    shape, fortran, dtype = _read_header(file, place)
    if not all(type(count) is int and 0 <= count < 1 << 62 for count in shape):
        said = f"its header is damaged: it says shape {shape}"
        raise place.unreadable(said)
    check_form(shape, dtype, place)
    rows, columns = shape
    return Header(rows, columns, fortran, dtype, file.tell())


def _read_header(file: IO[bytes], place: Place) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type from a header, unchecked."""
    damaged = "its header is damaged"
    try:
        version = np.lib.format.read_magic(file)
        # Version 3 is for names of fields, which no array of floats has.
        if version == (1, 0):
            read = np.lib.format.read_array_header_1_0
        elif version == (2, 0):
            read = np.lib.format.read_array_header_2_0
        else:
            damaged = f"its version is {version[0]}.{version[1]}, not 1.0 or 2.0"
            raise ValueError(damaged)  # noqa: TRY301  (said as those of NumPy are)
        return read(file, max_header_size=_HEADER_BYTES)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise place.unreadable(reason(error)) from error
    except Exception as error:
        # A parser of Python's that is led astray raises nearly anything, MemoryError among it.
        raise place.unreadable(damaged) from error


def whole_array(path: Path, place: Place) -> NDArray[Any]:
    """Read an array of any shape and type; objects, which are pickled, are refused.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    with open_regular(path, place) as file:
        shape, fortran, dtype = _read_header(file, place)
        left = stamp_of(file).size - file.tell()
        if dtype.hasobject:
            said = "it holds pickled objects, which are not read"
            raise place.unreadable(said)
        said = f"its header says shape {shape} of {dtype}; the file has {left} bytes"
        if not all(type(count) is int and count >= 0 for count in shape):
            raise place.unreadable(said)
        if math.prod(shape) * dtype.itemsize != left:
            raise place.unreadable(said)
        found = np.empty(left, np.uint8)
        with place.reading():
            if not fill(file, found.data):
                raise EOFError(said)
            return found.view(dtype).reshape(shape, order="F" if fortran else "C")


def pieces(header: Header, read: Callable[[memoryview, int], None]) -> Iterator[Matrix]:
    """Yield the rows as arrays of some megabytes, in native byte order.

    Parameters
    ----------
    header
        Header of the array.
    read
        Fills a buffer with the bytes from a place in the file on.
    """
    rows, columns, fortran, dtype, start = header
    step = max(PIECE_BYTES // max(columns * dtype.itemsize, 1), 1)
    for low in range(0, rows, step):
        high = min(low + step, rows)
        if fortran:
            piece = np.empty((columns, high - low), dtype)
            for column, values in enumerate(piece):
                at = start + (column * rows + low) * dtype.itemsize
                read(values.view(np.uint8).data, at)
            piece = piece.T
        else:
            piece = np.empty((high - low, columns), dtype)
            at = start + low * columns * dtype.itemsize
            read(piece.reshape(-1).view(np.uint8).data, at)
        yield piece.astype(dtype.newbyteorder("="), copy=False)


class NpyPart(Part):
    """Rows of a ``.npy`` file.

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
        self._mapped: _MappedFile | None = None
        place = Place(argument, str(path))
        with open_regular(path, place) as file:
            self._opened = stamp_of(file)
            header = _checked(file, place)
        super().__init__(
            shape=(header.rows, header.columns),
            dtype=header.dtype.newbyteorder("="),
            file=str(path),
        )

    def load(self, argument: str, first_row: int) -> list[Matrix]:
        """Return all rows at once: mapped, where their form lets them be used as they lie."""
        place = Place(argument, self.file, first_row)
        if self._held is None:
            self._held = [self._map(place)] if self.rows else []
        if self._mapped is not None and self._mapped.has_changed(self._path):
            raise self._changed_meanwhile(place)
        return self._held

    def stream(self, argument: str, first_row: int) -> Iterator[Matrix]:
        """Yield all rows, in order, read in pieces: the map is for compiled code alone."""
        yield from self._counted(Place(argument, self.file, first_row))

    def _read(self, place: Place) -> Iterator[Matrix]:
        with open_regular(self._path, place) as file:
            before = stamp_of(file)
            header = _checked(file, place)
            if before.is_another(self._opened):
                raise self._changed(place)
            yield from pieces(header, lambda buffer, at: self._fill(file, buffer, at, place))
            if before.is_written_to(stamp_of(file)):
                raise self._changed_meanwhile(place)

    def _fill(self, file: IO[bytes], buffer: memoryview, at: int, place: Place) -> None:
        with place.reading():
            file.seek(at)
            if not fill(file, buffer):
                raise self._changed_meanwhile(place)

    def _map(self, place: Place) -> Matrix:
        with open_regular(self._path, place) as file:
            stamp = stamp_of(file)
            header = _checked(file, place)
            if stamp.is_another(self._opened):
                raise self._changed(place)
            with place.reading():
                mapped = mmap.mmap(file.fileno(), header.end, access=mmap.ACCESS_READ)
        self._mapped = _MappedFile(mapped, header, place, stamp)
        array = np.asarray(self._mapped)
        return matrix(array.T if header.fortran else array, place)

    def _changed_meanwhile(self, place: Place) -> SourceError:
        return SourceError(
            f"{self._path} changed while it was read",
            argument=place.argument,
            expected="a file that nobody writes to meanwhile",
            got="another size or time of change",
            where=self.file,
        )


class _MappedFile:
    """A map of a file, as NumPy takes it: arrays over it keep this, and with it the watch."""

    def __init__(self, mapped: mmap.mmap, header: Header, place: Place, stamp: Stamp) -> None:
        rows, columns, fortran, dtype, start = header
        whole = np.frombuffer(mapped, np.uint8)
        self._watch = Watch(whole, place.subject)
        self._stamp = stamp
        self.__array_interface__ = {
            "version": 3,
            "shape": (columns, rows) if fortran else (rows, columns),
            "typestr": dtype.str,
            "data": (whole.ctypes.data + start, True),
        }

    def has_changed(self, path: Path) -> bool:
        """Return whether the file was written to since; another one may have its name by now."""
        if self._watch.torn:
            return True
        try:
            found = stamp_at(path)
        except OSError:
            return False
        return found.inode == self._stamp.inode and self._stamp.is_written_to(found)


def _checked(file: IO[bytes], place: Place) -> Header:
    """Read a header, and hold it to the size of the file."""
    header = read_header(file, place)
    size = stamp_of(file).size
    if header.end != size:
        bytes_said = math.prod((header.rows, header.columns, header.dtype.itemsize))
        msg = (
            f"its header says {header.rows} × {header.columns} values of {header.dtype}, which are "
            f"{bytes_said} bytes; the file has {size - header.start}"
        )
        raise place.unreadable(msg)
    return header

"""Arrays in ``.npz`` archives: ``.npy`` files in a ZIP, stored or deflated.

Nothing of the archive is held: the array is unpacked in pieces each time it is read. Sizes are
checked against each other and against the most that deflation can do, before anything is allocated.

References
----------
J. Gailly, M. Adler, "zlib technical details": at most 1032 to 1.
"""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from tailwatch.exceptions import SourceError
from tailwatch.io.npy import Header, pieces, read_header
from tailwatch.io.part import Matrix, Part
from tailwatch.io.regular import Place, Stamp, fill, open_regular, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NpzPart"]

_SUFFIX: Final = ".npy"
_LARGEST_RATIO: Final = 1032
_LISTED: Final = 30


class NpzPart(Part):
    """Rows of one array of a ``.npz`` archive.

    Parameters
    ----------
    path
        The archive.
    argument
        Name of the argument, for the text of an error.
    column
        Name of the array to take, where the archive holds more than one.

    Raises
    ------
    SourceError
        If the archive cannot be read, or it is not clear which array is meant.
    """

    def __init__(self, path: Path, argument: str, column: str) -> None:
        self._path = path
        self._column = column
        self._opened: Stamp | None = None
        place = Place(argument, str(path))
        with self._member(place) as (_, header):
            super().__init__(
                shape=(header.rows, header.columns),
                dtype=header.dtype.newbyteorder("="),
                file=str(path),
            )

    def _read(self, place: Place) -> Iterator[Matrix]:
        with self._member(place) as (member, header):
            # Columns that lie end to end cannot be cut into rows before all are there.
            turned = header._replace(rows=header.columns, columns=header.rows, fortran=False)
            lies = turned if header.fortran else header
            found = pieces(lies, lambda buffer, _: _fill(member, buffer, place))
            if header.fortran:
                yield np.concatenate(list(found)).T
            else:
                yield from found

    @contextmanager
    def _member(self, place: Place) -> Iterator[tuple[IO[bytes], Header]]:
        """Open the array, and read its header."""
        with open_regular(self._path, place) as file:
            before = stamp_of(file)
            if self._opened is None:
                self._opened = before
            elif before.is_another(self._opened):
                raise self._changed(place)
            with place.reading():
                archive = zipfile.ZipFile(file)
            with archive:
                info = self._chosen(archive, place)
                with place.reading():
                    _check_sizes(info, before.size)
                    member = archive.open(info)
                with member:
                    header = read_header(member, place)
                    if header.end != info.file_size:
                        said = (
                            f"the header of {info.filename!r} says {header.rows} × "
                            f"{header.columns} values of {header.dtype}, and it holds "
                            f"{info.file_size - header.start} bytes"
                        )
                        raise place.unreadable(said)
                    yield member, header
            if before.is_written_to(stamp_of(file)):
                raise self._changed(place)

    def _chosen(self, archive: zipfile.ZipFile, place: Place) -> zipfile.ZipInfo:
        members = {info.filename.removesuffix(_SUFFIX): info for info in archive.infolist()}
        names = list(members)
        name = self._column if self._column in names or len(names) != 1 else names[0]
        if name in members:
            return members[name]
        more = [f"and {len(names) - _LISTED} more"] if len(names) > _LISTED else []
        listed = ", ".join(names[:_LISTED] + more) or "none"
        msg = f"no array {name!r}; it holds {listed}"
        raise SourceError(
            msg,
            argument=place.subject,
            expected=f"an array {name!r}",
            got=listed,
            hint="column takes the name of another",
        )


def _check_sizes(info: zipfile.ZipInfo, size: int) -> None:
    """Hold what the archive says of a member to the size of the archive."""
    most = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _LARGEST_RATIO}.get(info.compress_type)
    if most is None:
        message = f"{info.filename!r} is neither stored nor deflated"
        raise ValueError(message)
    if not 0 <= info.compress_size <= size or not 0 <= info.file_size <= most * info.compress_size:
        message = (
            f"{info.filename!r} is said to hold {info.file_size} bytes, packed into "
            f"{info.compress_size}, in an archive of {size}"
        )
        raise ValueError(message)


def _fill(member: IO[bytes], buffer: memoryview, place: Place) -> None:
    with place.reading():
        if not fill(member, buffer):
            message = "an array ends before its last value"
            raise EOFError(message)

"""Parquet where Polars is not enough: damage, memory, and bytes that are always the same.

=====================  =========================================================================
:func:`verify_pages`   compares the pages of columns with the checksums in their headers
:func:`pages`          reads a column of vectors in pieces of some megabytes, by pyarrow
:func:`sink`           writes a table as it is computed, the same bytes every time
=====================  =========================================================================

Spark and other writers of the JVM put a CRC-32 of each page into its header, which readers ignore
unless told otherwise. Footer and headers are structs in the compact protocol of Thrift; lengths in
them are checked against the bytes that there are before anything is made of them, and depth is
bounded. Polars decodes whole row groups, several at a time: of a file that was written as one row
group, all is in memory, twice. pyarrow decodes page by page, and nested columns in a fifth of the
time.

Whatever reads runs in the process that decodes (:mod:`tailwatch.io.decoder`): either library may
end its process where a file is damaged.

Cost of checksums: the bytes of these columns are read once more; about a gigabyte a second.

References
----------
Apache Parquet, "Data pages: checksumming" (format/src/main/thrift/parquet.thrift, `PageHeader`).

Apache Thrift, "Thrift compact protocol encoding" (doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

import errno
import importlib
import os
import re
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import polars as pl

from tailwatch.background import wait_for
from tailwatch.io.columns import as_series

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["pages", "sink", "verify_pages"]

_MAGIC: Final = b"PAR1"
_FOOTER_BYTES: Final = 1 << 28
# Headers are short, unless they repeat long values as minimum and maximum.
_HEADER_BYTES: Final = (1 << 12, 1 << 24)
# Fields of the structs, by the names of parquet.thrift.
_ROW_GROUPS: Final = 4
_COLUMNS: Final = 1
_META_DATA: Final = 3
_PATH, _COMPRESSED, _DATA_AT, _DICTIONARY_AT = 3, 7, 9, 11
_PAGE_BYTES, _CRC = 3, 4
_READ_BYTES = 1 << 20
_ROWS_PER_GROUP = 262_144
_CODE = re.compile(r"os error (\d+)")
# What only writing can meet; a file that cannot be read is the source's fault.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}
# Bounds of Thrift.
_DEPTH: Final = 32
_VARINT_BYTES: Final = 10


def verify_pages(file: BinaryIO, columns: Collection[str]) -> int:
    """Compare the pages of some columns with their checksums.

    Parameters
    ----------
    file
        A Parquet file.
    columns
        Names of columns; all that is nested in one belongs to it.

    Returns
    -------
    int
        Pages that had a checksum. Where the first page of a column has none, its others are not
        looked at: a writer writes them all or none.

    Raises
    ------
    ValueError
        A page is not what its checksum says, or the pages cannot be followed.
    """
    size = file.seek(0, 2)
    wanted = {name.encode("utf-8", "surrogatepass") for name in columns}
    checked = 0
    for number, group in enumerate(_footer(file, size).get(_ROW_GROUPS, [])):
        for chunk in group.get(_COLUMNS, []):
            described = chunk.get(_META_DATA)
            if described is None or (described.get(_PATH) or [b""])[0] not in wanted:
                continue
            name = b".".join(described[_PATH]).decode("utf-8", "backslashreplace")
            for page, (crc, data) in enumerate(_pages(file, described, size)):
                if zlib.crc32(data) != crc:
                    message = (
                        f"page {page} of column {name!r} in row group {number} is not what its "
                        "checksum says: the file is damaged"
                    )
                    raise ValueError(message)
                checked += 1
    return checked


def _footer(file: BinaryIO, size: int) -> dict[int, Any]:
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or not 0 < length <= min(size - 8, _FOOTER_BYTES):
        message = "the footer cannot be found"
        raise ValueError(message)
    file.seek(size - 8 - length)
    return _read_struct(file.read(length))[0]


def _pages(file: BinaryIO, described: dict[int, Any], size: int) -> Iterator[tuple[int, bytes]]:
    """Yield checksum and bytes of each page of a column chunk, or nothing if it has none."""
    starts = [described[field] for field in (_DATA_AT, _DICTIONARY_AT) if described.get(field)]
    at = min(starts)
    end = at + described[_COMPRESSED]
    if not 0 < at <= end <= size:
        message = "a column lies outside of the file"
        raise ValueError(message)
    while at < end:
        header, length = _header(file, at, end)
        if header.get(_CRC) is None:
            return
        count = header[_PAGE_BYTES]
        at += length + count
        if count < 0 or at > end:
            message = "a page lies outside of its column"
            raise ValueError(message)
        file.seek(at - count)
        yield header[_CRC] & 0xFFFFFFFF, file.read(count)


def _header(file: BinaryIO, at: int, end: int) -> tuple[dict[int, Any], int]:
    few, many = _HEADER_BYTES
    file.seek(at)
    start = file.read(min(few, end - at))
    try:
        return _read_struct(start)
    except ValueError:
        return _read_struct(start + file.read(min(many, end - at - len(start))))


def pages(path: str, column: str, dtype: pl.DataType, rows: int) -> Iterator[pl.Series]:
    """Yield a column of vectors in pieces, by pyarrow.

    Parameters
    ----------
    path
        The file.
    column
        Name of the column; without a point, which pyarrow takes for a path into a nested column.
    dtype
        Its type, as Polars has it.
    rows
        Rows of a piece.
    """
    opened = importlib.import_module("pyarrow.parquet").ParquetFile
    with (
        open(path, "rb") as file,  # noqa: PTH123  (of a descriptor, where a name is no text)
        opened(
            file, buffer_size=_READ_BYTES, pre_buffer=False, page_checksum_verification=True
        ) as reader,
    ):
        for batch in reader.iter_batches(rows, columns=[column], use_threads=False):
            values = batch.column(column)
            # Polars trusts offsets and lengths; a damaged file must not get past this line.
            values.validate(full=True)
            yield as_series(values).cast(dtype)


def sink(rows: pl.LazyFrame, path: Path) -> None:
    """Write a table as it is computed, a few row groups in memory.

    Parameters
    ----------
    rows
        The table.
    path
        The file to make or replace.

    Raises
    ------
    OSError
        The file cannot be written; a full disk, for one.
    """
    try:
        wait_for(
            lambda: rows.sink_parquet(
                path,
                row_group_size=_ROWS_PER_GROUP,
                maintain_order=True,
                engine="streaming",
            )
        )
    except pl.exceptions.PolarsError as error:
        # Polars tells of a full disk by an error of its own, the system's code in its text.
        code = _CODE.search(str(error))
        if code is None or int(code[1]) not in _OF_WRITING:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error


def _read_struct(data: bytes) -> tuple[dict[int, Any], int]:
    """Return the fields of a struct of Thrift by their numbers, and where its bytes end.

    Raises
    ------
    ValueError
        The bytes hold no whole struct.
    """
    reader = _ThriftReader(data)
    try:
        return reader.struct(0), reader.at
    except IndexError:
        message = "the bytes end within a struct"
        raise ValueError(message) from None


class _ThriftReader:
    """A place in bytes of Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > _DEPTH:
            message = f"structs are more than {_DEPTH} deep"
            raise ValueError(message)
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._zigzag()
            # A bool as a field is told by its type alone.
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401, PLR0911  (by type)
        if kind in (1, 2):
            return self._byte() == 1
        if kind == 3:
            return (self._byte() ^ 128) - 128
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            return self._list(depth)
        if kind == 11:
            return self._map(depth)
        if kind == 12:
            return self.struct(depth + 1)
        message = f"no type has the number {kind}"
        raise ValueError(message)

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4
        if count == 15:
            count = self._varint()
        self._check(count)
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> dict[Any, Any]:
        count = self._varint()
        if not count:
            return {}
        self._check(count)
        kinds = self._byte()
        return {
            repr(self._value(kinds >> 4, depth + 1)): self._value(kinds & 15, depth + 1)
            for _ in range(count)
        }

    def _check(self, count: int) -> None:
        if count > len(self._data) - self.at:
            message = f"{count} items are more than the bytes that are left"
            raise ValueError(message)

    def _bytes(self, count: int) -> bytes:
        self._check(count)
        self.at += count
        return self._data[self.at - count : self.at]

    def _byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 7 * _VARINT_BYTES, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        message = "a number is longer than 64 bits"
        raise ValueError(message)

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

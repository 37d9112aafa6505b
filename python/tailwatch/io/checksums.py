"""Checksums of the pages of a Parquet file, where it has them.

Spark and other writers of the JVM put a CRC-32 of each page into its header; readers ignore it
unless told otherwise. Here the pages of the wanted columns are compared with it before a value of
them is used.

Cost: the bytes of these columns are read once more; about a gigabyte a second.

References
----------
Apache Parquet, "Data pages: checksumming" (format/src/main/thrift/parquet.thrift, `PageHeader`).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tailwatch.io.thrift import read_struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["verify_pages"]

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
    return read_struct(file.read(length))[0]


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
        return read_struct(start)
    except ValueError:
        return read_struct(start + file.read(min(many, end - at - len(start))))

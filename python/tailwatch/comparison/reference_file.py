"""A reference in one file: human rows and what they are prepared for, nothing that is executed.

===========================  ==========================================================
bytes                        content
===========================  ==========================================================
16                           ``tailwatch-human1``
32                           SHA-256 of all that follows; in hexadecimal, the fingerprint
4                            length of the header, little-endian
length                       header: JSON in ASCII, keys sorted, without spaces
rest                         rows one after the other, little-endian, of the widest of
                             the types that they had
===========================  ==========================================================

The header has the ``arguments`` of the reference, its ``name``, ``shape`` and ``dtype``. A file is
valid only if its length is that of such rows and its digest is right, so whatever was changed in it
is noticed. Metrics of neighbours and kernels need the rows themselves, so a file has all of them:
n·d values and some hundred bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from tailwatch.comparison.request import Request
from tailwatch.embeddings import Embeddings
from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.io.objects import ArrayPart
from tailwatch.io.place import Place
from tailwatch.io.regular import fill, open_regular
from tailwatch.text_form import path_text
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SUFFIX", "fingerprint_of", "read_reference", "write_reference"]

SUFFIX: Final = ".tailwatch"
MAGIC: Final = b"tailwatch-human1"
_DIGEST, _LENGTH = 32, 4
LARGEST_HEADER: Final = 1 << 20
PIECE: Final = 1 << 22
"""Bytes that are read and hashed at a time."""
_FIELDS: Final = {"arguments", "dtype", "name", "shape"}
_TYPES: Final = {"float16": "<f2", "float32": "<f4", "float64": "<f8"}


def fingerprint_of(embeddings: Embeddings, request: Request) -> str:
    """Return the fingerprint: 64 hexadecimal digits over rows, name and arguments."""
    digest = hashlib.sha256()
    for piece in _content(embeddings, request):
        digest.update(piece)
    return digest.hexdigest()


def write_reference(embeddings: Embeddings, request: Request, path: Path) -> Path:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written.
    """

    def write(file: Path) -> None:
        digest = hashlib.sha256()
        with file.open("wb") as opened:
            opened.write(MAGIC + bytes(_DIGEST))
            for piece in _content(embeddings, request):
                digest.update(piece)
                opened.write(piece)
            opened.seek(len(MAGIC))
            opened.write(digest.digest())

    return write_atomically(path, write)


def read_reference(path: Path, argument: str) -> tuple[Embeddings, Request]:
    """Read and check a file.

    Parameters
    ----------
    path
        The file.
    argument
        Name of the argument, which every error starts with.

    Raises
    ------
    SourceError
        It cannot be read, is no reference, or not as it was written.
    """
    place = Place(argument, path_text(path))
    try:
        with open_regular(path, place) as opened, place.reading():
            return _read(opened, argument)
    except _Unfit as error:
        raise SourceError(
            argument=argument,
            expected="a file that Reference.save wrote",
            got=str(error),
            where=path_text(path),
        ) from error


class _Unfit(TailwatchError):
    """What is wrong with the content of a file."""


def _refuse(got: str) -> NoReturn:
    raise _Unfit(got)


def _content(embeddings: Embeddings, request: Request) -> Iterator[bytes]:
    """Yield header and rows."""
    dtype = str(embeddings.dtype)
    header = _text(
        {
            "arguments": _arguments(request),
            "dtype": dtype,
            "name": embeddings.name,
            "shape": list(embeddings.shape),
        }
    )
    rows = (np.ascontiguousarray(some, _TYPES[dtype]).tobytes() for some in embeddings.batches())
    yield from chain([len(header).to_bytes(_LENGTH, "little"), header], rows)


def _arguments(request: Request) -> dict[str, Any]:
    arguments = request.arguments()
    # Of each interval, which a comparison is asked for, not a reference.
    del arguments["confidence"]
    return arguments


def _text(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _read(opened: IO[bytes], argument: str) -> tuple[Embeddings, Request]:
    size = opened.seek(0, 2)
    opened.seek(0)
    start = bytearray(len(MAGIC) + _DIGEST + _LENGTH)
    if not fill(opened, memoryview(start)) or not start.startswith(MAGIC):
        _refuse("another file")
    length = int.from_bytes(start[-_LENGTH:], "little")
    if length > min(LARGEST_HEADER, size):
        _refuse("a file that is damaged")
    text = bytearray(length)
    if not fill(opened, memoryview(text)):
        _refuse("a file that is damaged")
    header = _header(bytes(text))
    rows, columns = header["shape"]
    dtype = np.dtype(_TYPES[header["dtype"]])
    if len(start) + length + rows * columns * dtype.itemsize != size:
        _refuse("a file that is damaged")
    # The size is that of the file, so that no claim takes memory that the file has not.
    matrix = np.empty((rows, columns), dtype)
    digest = hashlib.sha256(start[-_LENGTH:] + text)
    buffer: Any = matrix.reshape(-1).view(np.uint8).data
    for first in range(0, len(buffer), PIECE):
        piece = buffer[first : first + PIECE]
        if not fill(opened, piece):
            _refuse("a file that is damaged")
        digest.update(piece)
    if digest.digest() != start[len(MAGIC) : -_LENGTH]:
        _refuse("a file that is damaged")
    try:
        request = Request.of(**header["arguments"])
        matches = _arguments(request) == header["arguments"]
    except (TailwatchError, TypeError) as error:
        _refuse(f"arguments of no reference: {error}")
    if not matches:
        _refuse("arguments of no reference")
    native = matrix.astype(dtype.newbyteorder("="), copy=False)
    return Embeddings([ArrayPart(native)], name=header["name"], argument=argument), request


def _header(text: bytes) -> dict[str, Any]:
    """Return the header, if it is one that :func:`_content` writes."""
    try:
        header = json.loads(text.decode("ascii"))
        canonical = _text(header) == text
    except (ValueError, RecursionError):
        canonical = False
    if not canonical or not isinstance(header, dict) or set(header) != _FIELDS:
        _refuse("a file that is damaged")
    shape, name, arguments = header["shape"], header["name"], header["arguments"]
    good = (
        isinstance(shape, list)
        and len(shape) == 2
        and all(type(count) is int and count > 0 for count in shape)
        and math.prod(shape) < 1 << 60
        and isinstance(name, str)
        and isinstance(arguments, dict)
        and header["dtype"] in _TYPES
    )
    if not good:
        _refuse("a header of no reference")
    return header

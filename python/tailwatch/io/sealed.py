"""Sealed bytes: a header and arrays that are checked, and never executed.

==========  =================================================================================
bytes       content
==========  =================================================================================
16 or 17    what it is, such as ``tailwatch-model1``
32          SHA-256 of all that follows; in hexadecimal, the fingerprint
4           length of the header, little-endian
length      header: JSON in ASCII, keys sorted, without spaces
rest        arrays, little-endian, rows first, as the header says
==========  =================================================================================

They are what references, models and counts are kept in, and what travels between processes
(:class:`Portable`). There is one way to write a content, so whatever was changed in it is noticed.
Contents are written and read in pieces: neither side holds them twice. No claim of a header takes
memory that the file has not, since the sizes of all arrays are compared with that of the file
before there is one.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tailwatch.exceptions import InputError
from tailwatch.io.regular import fill
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    Shape = tuple[str, str, tuple[int, ...]]
    """Name, type and shape of an array; no length is below 0."""

    Shapes = Callable[[Any], Iterable[Shape]]
    """What says of a header which arrays follow it."""

__all__ = [
    "Another",
    "Content",
    "Damaged",
    "Invalid",
    "Portable",
    "content_of",
    "fingerprint_of",
    "open_sealed",
    "seal",
    "write_sealed",
]

LARGEST_HEADER: Final = 1 << 24
PIECE: Final = 1 << 22
"""Bytes that are read and hashed at a time."""

_DIGEST: Final = 32
_LENGTH: Final = 4


class Another(Exception):
    """The bytes are no such thing as was asked for; the text says what they are."""


class Damaged(Exception):
    """The bytes are not those that were written."""


class Invalid(Exception):
    """The digest is right, but nothing that is written like this has such a content."""


class Portable(ABC):
    """To bytes and back, by name and by pickle alike."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return all that this is as bytes that :meth:`from_bytes` checks."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Make one of what :meth:`to_bytes` returned; nothing in it is executed.

        Parameters
        ----------
        data
            The bytes, which are checked.

        Returns
        -------
        Self
            Equal in every bit to the object that the bytes are of.

        Raises
        ------
        SourceError
            The bytes are of something else, or are not as :meth:`to_bytes` returned them.
        """
        return cls._of_bytes(bytes(data))

    @classmethod
    @abstractmethod
    def _of_bytes(cls, data: bytes) -> Self:
        """Check the bytes and make one of them."""

    def __reduce__(self) -> tuple[Callable[[bytes], Self], tuple[bytes]]:
        """Travel between processes as checked bytes."""
        return type(self).from_bytes, (self.to_bytes(),)


UNFIT: Final = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError)
"""What Python raises of a header that nobody wrote; an `InputError` is a `ValueError`."""


class Content(NamedTuple):
    """What was sealed.

    Attributes
    ----------
    header
        What JSON gives.
    arrays
        By name, in the byte order of this machine.
    """

    header: Any
    arrays: dict[str, NDArray[Any]]


def content_of(
    header: Mapping[str, Any], arrays: Iterable[tuple[NDArray[Any], str]]
) -> Iterator[bytes]:
    """Yield the bytes of a header and of arrays, each with the type to write it in.

    An array may come in pieces of some rows, one after the other.
    """
    text = _text(header)
    yield len(text).to_bytes(_LENGTH, "little") + text
    for array, dtype in arrays:
        yield np.ascontiguousarray(array, dtype).tobytes()


def fingerprint_of(content: Iterable[bytes]) -> str:
    """Return the SHA-256 of a content, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()


def seal(magic: bytes, content: Iterable[bytes]) -> bytes:
    """Return a content behind what it is and its digest."""
    whole = b"".join(content)
    return magic + hashlib.sha256(whole).digest() + whole


def write_sealed(path: Path, magic: bytes, content: Iterable[bytes]) -> Path:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written.
    """

    def write(file: Path) -> None:
        digest = hashlib.sha256()
        with file.open("wb") as opened:
            opened.write(magic + bytes(_DIGEST))
            for piece in content:
                digest.update(piece)
                opened.write(piece)
            opened.seek(len(magic))
            opened.write(digest.digest())

    return write_atomically(path, write)


def open_sealed(source: IO[bytes] | bytes, magic: bytes, shapes: Shapes) -> Content:
    """Check sealed bytes, and return what is in them.

    Parameters
    ----------
    source
        The bytes, or a file that is open for reading.
    magic
        What they have to be.
    shapes
        Says of a header which arrays follow it; an error of its own is one of the header.

    Raises
    ------
    Another
        The bytes are of something else.
    Damaged
        They are not as they were written.
    Invalid
        They are, but by somebody else: not in the one form of a header and the arrays it tells of.
    OSError
        The file cannot be read.
    """
    opened = io.BytesIO(source) if isinstance(source, bytes) else source
    size = opened.seek(0, 2)
    opened.seek(0)
    start = bytearray(min(size, len(magic) + _DIGEST))
    if not fill(opened, memoryview(start)) or not start.startswith(magic):
        # The last byte is the version of the form.
        known = start[: len(magic)].startswith(magic[:-1]) and len(start) >= len(magic)
        raise Another("another version of the form" if known else "another file")
    digest = hashlib.sha256()
    unfit: Exception | None = None
    try:
        header = _header(opened, size - len(start), digest)
        found = _empty(shapes(header), size - opened.tell())
    except UNFIT as error:
        unfit, header, found = error, None, {}
    for array in found.values():
        _fill(opened, array, digest)
    if unfit is not None:
        while piece := opened.read(PIECE):
            digest.update(piece)
    if digest.digest() != start[len(magic) :]:
        raise Damaged
    if unfit is not None:
        raise Invalid(str(unfit)) from unfit
    native = {
        name: array.astype(array.dtype.newbyteorder("="), copy=False)
        for name, array in found.items()
    }
    return Content(header, native)


def _text(header: Any) -> bytes:  # noqa: ANN401  (values of JSON)
    """Return the one text of a header."""
    return json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _header(opened: IO[bytes], left: int, digest: Any) -> Any:  # noqa: ANN401
    """Read the header; what was read is in the digest, whether it will do or not."""
    start = opened.read(_LENGTH)
    digest.update(start)
    length = int.from_bytes(start, "little")
    if len(start) < _LENGTH or length > min(LARGEST_HEADER, left - _LENGTH):
        raise InputError(
            argument="header",
            expected=f"at most {LARGEST_HEADER} bytes within the file",
            got=f"{length}",
        )
    text = bytearray(length)
    fill(opened, memoryview(text))
    digest.update(text)
    header = json.loads(text.decode("ascii"))
    if _text(header) != text:
        raise InputError(argument="header", expected="the form in which it is written")
    return header


def _empty(shapes: Iterable[Shape], left: int) -> dict[str, NDArray[Any]]:
    """Return arrays of the bytes that are left, which they have to take up."""
    known, start = list(shapes), 0
    for name, dtype, shape in known:
        start += math.prod(shape) * np.dtype(dtype).itemsize
        if start > left:
            message = f"expected shape {list(shape)}, which is more than there is"
            expected = f"at most {left} bytes"
            raise InputError(message, argument=name, expected=expected, got=f"{start}")
    if start != left:
        raise InputError(argument="arrays", expected=f"{start} bytes", got=f"{left}")
    return {name: np.empty(shape, dtype) for name, dtype, shape in known}


def _fill(opened: IO[bytes], array: NDArray[Any], digest: Any) -> None:  # noqa: ANN401
    buffer: Any = array.reshape(-1).view(np.uint8).data
    for first in range(0, len(buffer), PIECE):
        piece = buffer[first : first + PIECE]
        if not fill(opened, piece):
            # Somebody has cut it meanwhile.
            raise Damaged
        digest.update(piece)

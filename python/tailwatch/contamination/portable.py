"""What travels between processes as bytes that are checked, and never as code.

==========  =================================================================================
bytes       content
==========  =================================================================================
16 or 17    what it is, such as ``tailwatch-model1``
32          SHA-256 of all that follows
4           length of the header, little-endian
length      header: JSON in ASCII, keys sorted, without spaces
rest        arrays, little-endian, rows first
==========  =================================================================================
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["LENGTH", "Portable", "content_of", "seal", "take_arrays", "unseal"]

LENGTH: Final = 4
"""Bytes of the length of a header."""

_DIGEST: Final = 32


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


def content_of(header: Mapping[str, Any], arrays: Iterable[tuple[NDArray[Any], str]]) -> bytes:
    """Return the bytes of a header and of arrays, each with the type to write it in."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    written = (np.ascontiguousarray(array, dtype).tobytes() for array, dtype in arrays)
    return b"".join([len(text).to_bytes(LENGTH, "little"), text, *written])


def seal(magic: bytes, content: bytes) -> bytes:
    """Return a content behind what it is and its digest."""
    return magic + hashlib.sha256(content).digest() + content


def unseal(magic: bytes, data: bytes) -> bytes | None:
    """Return the content of sealed bytes; None if their digest is that of another one."""
    content = data[len(magic) + _DIGEST :]
    return content if seal(magic, content) == data else None


def take_arrays(
    content: memoryview, shapes: Iterable[tuple[str, str, tuple[int, ...]]]
) -> dict[str, NDArray[Any]]:
    """Take arrays from the bytes behind a header, which they have to fill.

    Parameters
    ----------
    content
        The bytes.
    shapes
        Name, type and shape of each array; no length is below 0.

    Raises
    ------
    InputError
        The bytes are fewer or more.
    """
    arrays, start = {}, 0
    for name, dtype, shape in shapes:
        stop = start + math.prod(shape) * np.dtype(dtype).itemsize
        if stop > len(content):
            message = f"expected shape {list(shape)}, which is more than there is"
            raise InputError(message, argument=name, expected=f"at most {len(content)} bytes")
        # A copy, which is aligned and native.
        own = np.dtype(dtype).newbyteorder("=")
        arrays[name] = np.frombuffer(content[start:stop], dtype).reshape(shape).astype(own)
        start = stop
    if start != len(content):
        raise InputError(argument="arrays", expected=f"{start} bytes", got=f"{len(content)}")
    return arrays

"""Messages between a process and the process that reads files for it.

A message is a head of JSON, which says what it is, and a body of bytes that follows it:
``<length of the head: u32> <length of the body: u64> <head> <body>``. Both ends are of one
installation and neither trusts a file, so nothing that is sent can run.
"""

from __future__ import annotations

import io
import json
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Body", "Head", "as_body", "frame_of", "packed", "received"]

Head = dict[str, Any]
Body = memoryview
_LENGTHS: Final = struct.Struct("<IQ")


def packed(head: Head, body: bytes | memoryview = b"") -> bytes:
    """Give all of a message but its body."""
    text = json.dumps(head).encode("ascii")
    return _LENGTHS.pack(len(text), memoryview(body).nbytes) + text


def received(fill: Callable[[memoryview], None]) -> tuple[Head, NDArray[np.uint8]]:
    """Take one message.

    Parameters
    ----------
    fill
        Fills a buffer with the next bytes, or raises an error.

    Returns
    -------
    dict
        The head.
    numpy.ndarray
        The bytes of the body.
    """
    lengths = bytearray(_LENGTHS.size)
    fill(memoryview(lengths))
    head_bytes, body_bytes = _LENGTHS.unpack(lengths)
    text = bytearray(head_bytes)
    fill(memoryview(text))
    # Pages are touched as the bytes arrive.
    body = np.empty(body_bytes, np.uint8)
    fill(body.data)
    return json.loads(text), body


def as_body(frame: pl.DataFrame) -> memoryview:
    """Turn a frame into bytes."""
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer)
    return buffer.getbuffer()


def frame_of(body: NDArray[np.uint8]) -> pl.DataFrame:
    """Turn what :func:`as_body` gave into the frame that it was."""
    return pl.read_ipc_stream(io.BytesIO(body.data))

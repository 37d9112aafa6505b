"""The process that decodes files for another one, so that its death is survived.

Libraries that decode Parquet and Arrow end their process where a damaged file asks them to allocate
what nobody has, or leads them out of their buffers. So they run here: requests come on standard
input, a line of JSON each, and messages go to standard output. The other side is
:mod:`tailwatch.io.decoding`.

===========  =======================================================================
request      answer
===========  =======================================================================
``open``     ``rows``, and an empty frame with the columns
``stream``   a batch for it and for every ``next``, then ``end``
``whole``    all of a table as one batch; also of CSV
===========  =======================================================================

A message is a head of JSON, which says what it is, and a body of bytes that follows it:
``<length of the head: u32> <length of the body: u64> <head> <body>``. Both ends are of one
installation and neither trusts a file, so nothing that is sent can run.

A batch is a frame; or the bare values of a column of vectors, if they are whole and of the length
and type that were asked for. Any of them may be answered by ``error``. What an answer may take of
memory is bounded by the size of the file (:data:`SPARE_BYTES`, :data:`TIMES_SIZE`), not by what the
file says of itself. The process ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import re
import signal
import stat
import struct
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import polars as pl

from tailwatch._core import verify_pages
from tailwatch.exceptions import InputError
from tailwatch.io.columns import views
from tailwatch.io.regular import Place, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "SPARE_BYTES",
    "TIMES_SIZE",
    "Head",
    "as_body",
    "frame_of",
    "packed",
    "received",
    "serve",
]

Head = dict[str, Any]
_LENGTHS: Final = struct.Struct("<IQ")
SPARE_BYTES: Final = 1 << 30
TIMES_SIZE: Final = 64
_ARROW_MAGIC: Final = b"ARROW1"
_PIECE_BYTES: Final = 1 << 24
_PIECE_ROWS: Final = 16_384

_Answer = tuple[Head, bytes | memoryview]


def packed(head: Head, body: bytes | memoryview = b"") -> bytes:
    """Return the lengths and the head of a message, which its body follows."""
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
    """Turn the bytes of :func:`as_body` into the frame that they were."""
    return pl.read_ipc_stream(io.BytesIO(body.data))


def serve() -> None:
    """Answer requests until there are none."""
    # Ctrl-C at a terminal reaches every process of it; the one that asks decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    # What a library prints must not get between two messages.
    os.dup2(2, 1)
    requests: queue.SimpleQueue[Head] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    _send(out, ({"ready": True}, b""))
    while True:
        _answer(requests.get(), requests, out)


def _listen(requests: queue.SimpleQueue[Head]) -> None:
    """Queue requests as they come; end with standard input, even while a library is at work."""
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)


def _answer(request: Head, requests: queue.SimpleQueue[Head], out: BinaryIO) -> None:
    try:
        with _opened(request["path"]) as (path, size):
            _bound_memory(size)
            for number, answer in enumerate(_answers(request, path)):
                if number:
                    requests.get()
                _send(out, answer)
    except MemoryError:
        bound = f"{SPARE_BYTES >> 30} GiB and {TIMES_SIZE} times its size"
        _send(out, ({"error": f"it asks for more memory than {bound}", "state": "spent"}, b""))
    except pl.exceptions.PanicException as error:
        # A library's locks and threads may be in any state now.
        _send(out, ({"error": reason(error), "state": "panicked"}, b""))
    except Exception as error:  # noqa: BLE001  (who asked says what it means)
        _send(out, ({"error": reason(error), "state": "fine"}, b""))


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[str, int]]:
    """Return a name by which the libraries can open the file, and its size."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            message = "it is no regular file"
            raise OSError(message)
        try:
            path.encode()
        except UnicodeEncodeError:
            # Polars takes names in UTF-8 only.
            path = f"/proc/self/fd/{descriptor}"
        yield path, found.st_size
    finally:
        os.close(descriptor)


def _bound_memory(size: int) -> None:
    """Bound what the process may allocate from here on, where the system can."""
    try:
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except (ImportError, OSError):
        return
    now = re.search(r"VmData:\s*(\d+) kB", status)
    if now is not None:
        bound = 1024 * int(now[1]) + SPARE_BYTES + TIMES_SIZE * size
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        if most == resource.RLIM_INFINITY or bound < most:
            resource.setrlimit(resource.RLIMIT_DATA, (bound, most))


def _answers(request: Head, path: str) -> Iterator[_Answer]:
    asked = request["do"]
    if asked == "open":
        schema, rows = _outline(path, request["kind"])
        yield {"rows": rows}, as_body(pl.DataFrame(schema=schema))
    elif asked == "whole":
        yield {}, as_body(_whole(path, request))
    else:
        yield from _stream(request, path)
        yield {"end": True}, b""


def _outline(path: str, kind: str) -> tuple[pl.Schema, int]:
    if _is_arrow_stream(path, kind):
        frame = pl.read_ipc_stream(path)
        return frame.schema, frame.height
    scan = _scan(path, kind)
    return scan.collect_schema(), int(scan.select(pl.len()).collect().item())


def _whole(path: str, request: Head) -> pl.DataFrame:
    kind = request["kind"]
    if kind == "csv":
        return pl.read_csv(path)
    if _is_arrow_stream(path, kind):
        return pl.read_ipc_stream(path)
    if kind == "parquet":
        verify_pages(path, request["columns"] or list(_scan(path, kind).collect_schema()))
    found = _scan(path, kind)
    return (found if request["columns"] is None else found.select(request["columns"])).collect()


def _stream(request: Head, path: str) -> Iterator[_Answer]:
    columns, kind, vectors = request["columns"], request["kind"], request["vectors"]
    rows = _PIECE_ROWS
    if vectors is not None:
        width = np.dtype(vectors["dtype"]).itemsize * max(vectors["columns"], 1)
        rows = min(max(_PIECE_BYTES // width, 1), rows)
    limit = request["rows"]
    for frame in _frames(path, kind, columns, rows, limit):
        if vectors is not None:
            yield from _values(frame[columns[0]], vectors)
        else:
            yield {"rows": frame.height}, as_body(frame)


def _values(series: pl.Series, vectors: Head) -> Iterator[_Answer]:
    """Yield the values of vectors, or the column itself where they are not what was asked for."""
    dtype = np.dtype(vectors["dtype"])
    try:
        arrays = list(views(series, vectors["columns"], Place(""), dtype))
    except InputError:
        yield {"rows": len(series)}, as_body(series.to_frame())
        return
    for array in arrays:
        little = array.astype(dtype.newbyteorder("<"), copy=False)
        yield {"rows": len(array), "values": True}, little.reshape(-1).view(np.uint8).data


def _frames(
    path: str, kind: str, columns: list[str], rows: int, limit: int | None
) -> Iterator[pl.DataFrame]:
    if _is_arrow_stream(path, kind):
        frame = pl.read_ipc_stream(path, columns=columns or None)
        yield from frame.head(limit).iter_slices(rows) if limit else frame.iter_slices(rows)
        return
    scan = _scan(path, kind)
    if kind == "parquet" and limit is None:
        verify_pages(path, columns)
    wanted = scan.select(columns)
    if limit is not None:
        yield wanted.head(limit).collect()
        return
    yield from wanted.collect_batches(
        chunk_size=rows, lazy=True, engine="streaming", maintain_order=True
    )


def _scan(path: str, kind: str) -> pl.LazyFrame:
    # A scan remembers the footer: of a file that has changed since, it would read nonsense.
    scan = partial(pl.scan_parquet if kind == "parquet" else pl.scan_ipc, path)
    return scan(glob=False, hive_partitioning=False)


def _is_arrow_stream(path: str, kind: str) -> bool:
    if kind != "arrow":
        return False
    with open(path, "rb") as file:  # noqa: PTH123  (of a descriptor, where a name is no text)
        return file.read(len(_ARROW_MAGIC)) != _ARROW_MAGIC


def _send(out: BinaryIO, answer: _Answer) -> None:
    head, body = answer
    for part in (packed(head, body), body):
        left: Any = memoryview(part)
        while left:
            left = left[out.write(left) :]

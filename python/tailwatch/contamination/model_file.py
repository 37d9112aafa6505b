"""A model in one file: numbers and text, nothing that can be executed.

===========================  ==========================================================
bytes                        content
===========================  ==========================================================
16                           ``tailwatch-model1``
32                           SHA-256 of all that follows; in hexadecimal, the fingerprint
4                            length of the header, little-endian
length                       header: JSON in ASCII, keys sorted, without spaces
rest                         arrays, little-endian, rows first, in the order of the header
===========================  ==========================================================

There is one way to write a state, so a file is valid only if writing what was read gives its bytes
again: whatever was changed in it, by accident or on purpose, is noticed. Two models have the same
fingerprint if, and only if, all that they know is equal.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tailwatch.contamination.scoring import Probe
from tailwatch.contamination.state import ModelState, check_state
from tailwatch.exceptions import InputError, SourceError
from tailwatch.text_form import path_text, shown
from tailwatch.writing import kind_of, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["fingerprint_of", "read_state", "state_bytes", "state_of", "write_state"]

MAGIC: Final = b"tailwatch-model1"
_DIGEST, _LENGTH = 32, 4
_START = len(MAGIC) + _DIGEST
LARGEST_FILE = 1 << 30
"""No model comes near it; a larger file is not read."""
LARGEST_HEADER = 1 << 24

_TYPES: Final[dict[str, str]] = {
    "weights": "<f8",
    "intercepts": "<f8",
    "bounds": "<u8",
    "edges": "<f4",
    "thresholds": "<f4",
    "human": "<i8",
    "synthetic": "<i8",
    "calibration": "<f4",
}
_FIELDS: Final = {"encoder", "fitted_on", "rows", "seed", "shapes", "strata"}


def fingerprint_of(state: ModelState) -> str:
    """Give the fingerprint: 64 hexadecimal digits over all that the model knows."""
    return hashlib.sha256(_content(state)).hexdigest()


def write_state(state: ModelState, path: Path) -> None:
    """Write a file that appears whole or not at all.

    Raises
    ------
    OSError
        The folder does not exist, or the file cannot be written.
    """
    data = state_bytes(state)
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def state_bytes(state: ModelState) -> bytes:
    """Give the bytes of a file, as a model travels between processes too."""
    content = _content(state)
    return MAGIC + hashlib.sha256(content).digest() + content


def read_state(path: Path) -> ModelState:
    """Read and check a file.

    Raises
    ------
    SourceError
        If it cannot be read, is no model, or not the file that was written.
    """
    name = path_text(path)
    try:
        data = _read(path)
    except OSError as error:
        message = f"cannot read {name}: {error.strerror}"
        raise SourceError(
            message, argument="model", expected="a file that can be read", got=error.strerror
        ) from error
    return state_of(data, name)


def state_of(data: bytes, name: str) -> ModelState:
    """Check the bytes of a file, and give the state in arrays of its own.

    Parameters
    ----------
    data
        The bytes.
    name
        What they came from, for the text of an error.

    Raises
    ------
    SourceError
        If they are no model, or not those that were written.
    """
    if not data.startswith(MAGIC) or len(data) < _START + _LENGTH:
        message = f"{name} is not a tailwatch model"
        raise _unfit(message, name, "a file that save() wrote", "another file")
    if hashlib.sha256(data[_START:]).digest() != data[len(MAGIC) : _START]:
        message = f"{name} is damaged: its bytes are not those that were written"
        raise _unfit(message, name, "the bytes that were written", "other bytes")
    try:
        state = _parsed(data[_START:])
        check_state(state)
        _check_canonical(state, data[_START:])
    except (InputError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        message = f"{name} is not a valid tailwatch model: {error}"
        raise _unfit(message, name, "what fit() gives", f"{error}") from error
    return state


def _read(path: Path) -> bytes:
    """Read a regular file, or nothing of one that is larger than any model."""
    # Without waiting for whoever writes to a FIFO.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(
                argument="model",
                expected="a regular file",
                got=kind_of(found.st_mode),
                where=path_text(path),
            )
        return file.read() if found.st_size <= LARGEST_FILE else b""


def _unfit(message: str, name: str, expected: str, got: str) -> SourceError:
    return SourceError(message, argument="model", expected=expected, got=got, where=name)


def _content(state: ModelState) -> bytes:
    header = {
        "encoder": state.encoder,
        "fitted_on": list(state.fitted_on),
        "rows": list(state.rows),
        "seed": state.seed,
        "shapes": {name: list(array.shape) for name, array in state.arrays().items()},
        "strata": list(state.strata),
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    arrays = (
        np.ascontiguousarray(array, _TYPES[name]).tobytes()
        for name, array in state.arrays().items()
    )
    return b"".join([len(text).to_bytes(_LENGTH, "little"), text, *arrays])


def _check_canonical(state: ModelState, content: bytes) -> None:
    if _content(state) != content:
        raise InputError(argument="header", expected="the form in which it is written")


def _parsed(content: bytes) -> ModelState:
    length = int.from_bytes(content[:_LENGTH], "little")
    end = _LENGTH + length
    if length > LARGEST_HEADER or end > len(content):
        raise InputError(
            argument="header",
            expected=f"at most {LARGEST_HEADER} bytes within the file",
            got=f"{length}",
        )
    header = json.loads(content[_LENGTH:end].decode("ascii"))
    if not isinstance(header, dict) or set(header) != _FIELDS:
        raise InputError(argument="header", expected=f"the fields {', '.join(sorted(_FIELDS))}")
    arrays = _arrays(header["shapes"], memoryview(content)[end:])
    fitted_on, rows = (_integers(header[name], name, 2) for name in ("fitted_on", "rows"))
    encoder, strata = header["encoder"], header["strata"]
    texts = [*([] if encoder is None else [encoder]), *strata]
    if not isinstance(strata, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(argument="header", expected="text for the encoder and each of the strata")
    return ModelState(
        Probe(arrays["weights"], arrays["intercepts"], arrays["bounds"]),
        arrays["edges"],
        arrays["thresholds"],
        arrays["human"],
        arrays["synthetic"],
        arrays["calibration"],
        tuple(strata),
        encoder,
        (fitted_on[0], fitted_on[1]),
        (rows[0], rows[1]),
        _integers([header["seed"]], "seed", 1)[0],
    )


def _arrays(shapes: object, content: memoryview) -> dict[str, NDArray[Any]]:
    if not isinstance(shapes, dict) or set(shapes) != set(_TYPES):
        raise InputError(argument="header", expected=f"the shapes of {', '.join(_TYPES)}")
    arrays, start = {}, 0
    for name, kind in _TYPES.items():
        shape = _integers(shapes[name], name, 2 if name in {"weights", "human"} else 1)
        stop = start + math.prod(shape) * np.dtype(kind).itemsize
        if stop > len(content):
            message = f"expected shape {shape}, which is more than the file holds"
            raise InputError(message, argument=name, expected=f"at most {len(content)} bytes")
        # A copy, which is aligned and native.
        own = np.dtype(kind).newbyteorder("=")
        arrays[name] = np.frombuffer(content[start:stop], kind).reshape(shape).astype(own)
        start = stop
    if start != len(content):
        raise InputError(argument="arrays", expected=f"{start} bytes", got=f"{len(content)}")
    return arrays


def _integers(values: object, name: str, count: int) -> list[int]:
    good = isinstance(values, list) and len(values) == count
    if not isinstance(values, list) or not good or not all(_is_count(value) for value in values):
        raise InputError(
            argument=f"header: {name}",
            expected=f"{count} integers of at least 0",
            got=shown(values),
        )
    return values


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63

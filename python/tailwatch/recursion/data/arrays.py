"""NumPy arrays of any number of axes; the first one counts rows."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import DimensionError, InputError, NonFiniteError
from tailwatch.recursion.data.kind import Kind
from tailwatch.recursion.data.stored import KINDS as WRITABLE
from tailwatch.recursion.data.stored import read_array

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["ARRAYS"]

FILE = "samples.npy"


def _check(data: Array, argument: str) -> None:
    if not data.ndim:
        raise DimensionError(
            argument=argument,
            expected="an array of at least one dimension",
            got="a single value",
        )
    if data.dtype.kind not in WRITABLE:
        raise InputError(
            argument=argument,
            expected="numbers, booleans or strings",
            got=f"dtype {data.dtype}",
        )
    if data.dtype.kind in "fc" and not np.isfinite(data).all():
        row = int(np.argwhere(~np.isfinite(data))[0][0])
        raise NonFiniteError(
            problem=f"row {row} holds a value that is not finite", argument=argument
        )


def _check_joins(data: Array, human: Array, argument: str) -> None:
    if data.shape[1:] != human.shape[1:]:
        raise DimensionError(
            argument=argument,
            expected=f"rows of shape {human.shape[1:]}",
            got=str(data.shape[1:]),
        )
    text = (data.dtype.kind in "SU", human.dtype.kind in "SU")
    if text[0] != text[1]:
        raise InputError(
            argument=argument,
            expected=f"values like {human.dtype} as in data",
            got=str(data.dtype),
        )


def _fingerprint(data: Array) -> str:
    rows = np.ascontiguousarray(data)
    rows = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(f"{rows.dtype.str} {data.shape} ".encode())
    digest.update(rows.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _write(data: Array, directory: Path) -> None:
    np.save(directory / FILE, np.ascontiguousarray(data), allow_pickle=False)


ARRAYS = Kind(
    name="a NumPy array",
    holds=lambda data: isinstance(data, np.ndarray),
    check=_check,
    check_joins=_check_joins,
    length=len,
    take=lambda data, indices: data[indices],
    concat=np.concatenate,
    describe=lambda data: f"array of {data.dtype}, rows of shape {list(data.shape[1:])}",
    can_write=lambda _: True,
    fingerprint=_fingerprint,
    write=_write,
    read=lambda _, directory: read_array(directory, FILE),
)

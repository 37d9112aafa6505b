"""Data of the user's own kind, such as a folder of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError
from tailwatch.recursion.data.kind import Kind
from tailwatch.recursion.protocols import RowSet, StoredRowSet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["ROW_SETS"]

FOLDER = "samples"


def _check_joins(data: RowSet, human: RowSet, argument: str) -> None:
    if type(data) is not type(human):
        raise InputError(
            argument=argument,
            expected=f"{type(human).__name__} as data is",
            got=type(data).__name__,
        )


def _write(data: Any, directory: Path) -> None:  # noqa: ANN401
    folder = directory / FOLDER
    folder.mkdir()
    data.save(folder)


def _concat(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    first, *others = parts
    return first.concat(others)


def _holds(data: Any) -> bool:  # noqa: ANN401
    return not isinstance(data, type) and isinstance(data, RowSet)


ROW_SETS = Kind(
    name="an object with __len__, take and concat",
    holds=_holds,
    check=lambda _data, _argument: None,
    check_joins=_check_joins,
    length=len,
    take=lambda data, indices: data.take(indices),
    concat=_concat,
    describe=lambda data: f"{type(data).__module__}.{type(data).__qualname__}",
    can_write=lambda data: isinstance(data, StoredRowSet),
    fingerprint=lambda data: data.fingerprint(),
    write=_write,
    read=lambda like, directory: type(like).load(directory / FOLDER),
)

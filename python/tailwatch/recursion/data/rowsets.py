"""Data of the user's own kind, such as a folder of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

from tailwatch.exceptions import InputError
from tailwatch.recursion.data.kind import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ROW_SETS", "RowSet", "StoredRowSet"]

FOLDER = "samples"


@runtime_checkable
class RowSet(Protocol):
    """Data of the user's own kind, for example a folder of files.

    Optional, and used where it is there: ``origins() -> dict[str, int]``, which counts the rows by
    who made them, ``"human"``, ``"pseudo"`` or ``"unknown"``. A training set with rows of unknown
    origin has no ``human_fraction``, and an ``unknown_fraction`` instead.
    """

    def __len__(self) -> int:
        """Count the rows."""
        ...

    def take(self, indices: NDArray[np.int64]) -> Self:
        """Return the rows of these numbers, in this order."""
        ...

    def concat(self, others: Sequence[Self]) -> Self:
        """Return these rows followed by those of the others, in their order."""
        ...


@runtime_checkable
class StoredRowSet(RowSet, Protocol):
    """A `RowSet` that a run directory can hold."""

    def save(self, directory: Path) -> object:
        """Write the rows into a directory that is there and empty; the same bytes each time."""
        ...

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote."""
        ...

    def fingerprint(self) -> str:
        """Return a string that is another for other rows, or for rows in another order."""
        ...


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

"""Arrow data of any library as Polars columns, without a copy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import polars as pl

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["ArrowArray", "ArrowStream", "as_frame", "as_series", "pyarrow"]


@runtime_checkable
class ArrowStream(Protocol):
    """Object that gives its data as a stream of Arrow arrays."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


@runtime_checkable
class ArrowArray(Protocol):
    """Object that gives its data as one Arrow array."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...


class _Opaque:
    """An Arrow stream of which nothing else is known.

    Polars recognizes the classes of pyarrow and joins their chunks; a stream keeps them.
    """

    def __init__(self, source: ArrowStream) -> None:
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._source.__arrow_c_stream__(requested_schema)


def as_series(source: ArrowStream | ArrowArray) -> pl.Series:
    """Import Arrow data chunk by chunk; a table becomes a column of structs."""
    return pl.Series(_Opaque(source) if isinstance(source, ArrowStream) else source)


def as_frame(structs: pl.Series) -> pl.DataFrame:
    """Give a column of structs as a table."""
    return structs.struct.unnest()


def pyarrow() -> ModuleType | None:
    """Import pyarrow, which tailwatch uses where it is installed but does not depend on."""
    try:
        return importlib.import_module("pyarrow")
    except ImportError:
        return None

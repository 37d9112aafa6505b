"""Polars frames and series."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.exceptions import DimensionError, InputError, SourceError
from tailwatch.recursion.data.kind import Kind
from tailwatch.recursion.data.stored import read_table
from tailwatch.text_form import path_text
from tailwatch.writing import fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FRAMES", "SERIES"]

FILE = "samples.parquet"


def _check_frame(data: pl.DataFrame, argument: str) -> None:
    if not data.width:
        raise DimensionError(
            argument=argument, expected="a frame with at least one column", got="none"
        )


def _check_columns(data: pl.DataFrame, human: pl.DataFrame, argument: str) -> None:
    if data.schema != human.schema:
        raise InputError(
            argument=argument,
            expected=f"the columns {_columns(human)} of data",
            got=_columns(data),
        )


def _check_type(data: pl.Series, human: pl.Series, argument: str) -> None:
    if data.dtype != human.dtype:
        raise InputError(
            argument=argument,
            expected=f"values of type {human.dtype} as in data",
            got=str(data.dtype),
        )


def _columns(frame: pl.DataFrame) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in frame.schema.items())


def _fingerprint(data: pl.DataFrame) -> str:
    # Bytes of the Arrow format depend on how rows lie in chunks, and on what memory holds where
    # there is no value; those of one chunk as it is read from a file do not.
    if any(each.null_count() or each.dtype.is_nested() for each in data):
        stored = BytesIO()
        data.rechunk().write_parquet(stored)
        data = pl.read_parquet(stored.getvalue())
    file = BytesIO()
    data.rechunk().write_ipc(
        file,
        compression="uncompressed",
        compat_level=pl.CompatLevel.oldest(),
        record_batch_size=None,
    )
    return hashlib.sha256(file.getbuffer()).hexdigest()


def _write(data: pl.DataFrame, directory: Path) -> None:
    fill(directory / FILE, data.rechunk().write_parquet)


def _read_series(like: pl.Series, directory: Path) -> pl.Series:
    table = read_table(directory, FILE)
    if table.columns != ["values"]:
        raise SourceError(
            argument="directory",
            expected="a table with the column values",
            got=", ".join(table.columns),
            where=path_text(directory / FILE),
        )
    return table["values"].alias(like.name)


def _concat_series(parts: Sequence[pl.Series]) -> pl.Series:
    return pl.concat([part.alias(parts[0].name) for part in parts])


FRAMES = Kind(
    name="a Polars frame",
    holds=lambda data: isinstance(data, pl.DataFrame),
    check=_check_frame,
    check_joins=_check_columns,
    length=lambda data: data.height,
    take=lambda data, indices: data[indices],
    concat=pl.concat,
    describe=lambda data: f"frame with {_columns(data)}",
    can_write=lambda _: True,
    fingerprint=_fingerprint,
    write=_write,
    read=lambda _, directory: read_table(directory, FILE),
)

SERIES = Kind(
    name="a Polars series",
    holds=lambda data: isinstance(data, pl.Series),
    check=lambda _data, _argument: None,
    check_joins=_check_type,
    length=len,
    take=lambda data, indices: data.gather(indices),
    concat=_concat_series,
    describe=lambda data: f"series of {data.dtype}",
    can_write=lambda _: True,
    # The name of a series says nothing of its rows.
    fingerprint=lambda data: _fingerprint(data.alias("values").to_frame()),
    write=lambda data, directory: _write(data.alias("values").to_frame(), directory),
    read=_read_series,
)

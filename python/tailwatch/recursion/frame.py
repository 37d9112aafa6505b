"""The frame of a run: one row per generation and metric, or level of a metric.

A stable schema, for scripts, reports and results years apart:

===================  =======  ================================================================
column               type     content
===================  =======  ================================================================
``run``              String   name of the run, by default that of its policy
``generation``       Int64    1 is the first fit, of human data
``group``            String   ``panel``, ``moments``, ``risk``, ``parameter``, ``model``,
                              ``loop``
``metric``           String   what was measured
``level``            Float64  tail level, where it has one
``value``            Float64  the measurement, with its interval ``low`` to ``high``
``null``             Float64  what a fresh human sample of the same size gives, with
                              ``null_low`` and ``null_high``
``retention``        Float64  value over null, or for divergences their distance in standard
                              errors, with ``retention_low`` and ``retention_high``
``direction``        String   ``higher``, ``lower``, ``match`` (the null), or ``none``
``theory``           Float64  what theory expects of this metric, where there is a closed form
``n_training``       Int64    rows that the generation learnt from
``n_sample``         Int64    rows that it sampled
``n_reference``      Int64    human rows that entered the number
``n_candidate``      Int64    other rows that entered it
``method``           String   how the interval was made, or why there is none
===================  =======  ================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["GROUPS", "SCHEMA", "Row", "frame_of", "rows_from"]

SCHEMA: dict[str, type[pl.DataType]] = {
    "run": pl.String,
    "generation": pl.Int64,
    "group": pl.String,
    "metric": pl.String,
    "level": pl.Float64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "null": pl.Float64,
    "null_low": pl.Float64,
    "null_high": pl.Float64,
    "retention": pl.Float64,
    "retention_low": pl.Float64,
    "retention_high": pl.Float64,
    "direction": pl.String,
    "theory": pl.Float64,
    "n_training": pl.Int64,
    "n_sample": pl.Int64,
    "n_reference": pl.Int64,
    "n_candidate": pl.Int64,
    "method": pl.String,
}
"""Columns of the frame."""

GROUPS = ("panel", "moments", "risk", "parameter", "model", "loop")
"""What a row is about, in the order of the frame."""

Row: TypeAlias = "dict[str, Any]"
"""A row of the frame; columns that are not there are null."""


def frame_of(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Make a frame of rows."""
    table = [[row.get(column) for column in SCHEMA] for row in rows]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def rows_from(frame: Any, group: str, argument: str) -> list[Row]:  # noqa: ANN401  (checked here)
    """Take rows that a model measured itself."""
    if not isinstance(frame, pl.DataFrame) or not {"metric", "value"} <= set(frame.columns):
        columns = frame.columns if isinstance(frame, pl.DataFrame) else type(frame).__name__
        message = f"{argument}: expected a frame with the columns metric and value, got {columns}"
        raise InputError(message)
    unknown = [column for column in frame.columns if column not in SCHEMA]
    if unknown:
        message = f"{argument}: expected columns of the run's frame, got {unknown[0]!r} too"
        raise InputError(message)
    given = {"direction": "none", "method": "measured by the model"}
    return [{**given, **row, "group": group} for row in frame.to_dicts()]

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
``standard_error``   Float64  of the null of a divergence
``retention``        Float64  value over null, or for divergences their distance in standard
                              errors, with ``retention_low`` and ``retention_high``
``direction``        String   ``higher``, ``lower``, ``match`` (the null), or ``none``
``theory``           Float64  what theory expects of this metric, where there is a closed form
``n_training``       Int64    rows that the generation learnt from
``n_sample``         Int64    rows that it sampled
``n_reference``      Int64    human rows that entered the number
``n_candidate``      Int64    other rows that entered it
``tail_rows``        Float64  of the odds in a pooled tail: the samples' rows in it, tied ones in
                              proportion
``p_value``          Float64  of the generation being another human sample, where there is a test
``method``           String   how the interval was made
``reason``           String   why there is no interval, or no value; what else has to be said of the
                              data
===================  =======  ================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.recursion.theory.fits import MOST_GENERATIONS, MOST_ROWS
from tailwatch.text_form import shown, storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["GROUPS", "MEASURED", "SCHEMA", "Row", "checked", "frame_of", "joined", "rows_from"]

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
    "standard_error": pl.Float64,
    "retention": pl.Float64,
    "retention_low": pl.Float64,
    "retention_high": pl.Float64,
    "direction": pl.String,
    "theory": pl.Float64,
    "n_training": pl.Int64,
    "n_sample": pl.Int64,
    "n_reference": pl.Int64,
    "n_candidate": pl.Int64,
    "tail_rows": pl.Float64,
    "p_value": pl.Float64,
    "method": pl.String,
    "reason": pl.String,
}
"""Columns of the frame."""

OF_THE_RUN = frozenset({"run", "generation", "group", "theory", "n_training", "n_sample"})

MEASURED = {name: dtype for name, dtype in SCHEMA.items() if name not in OF_THE_RUN}
"""Columns that whoever measures fills; the others say which generation it was."""

GROUPS = ("panel", "moments", "risk", "parameter", "model", "loop")
"""What a row is about, in the order of the frame."""

Row: TypeAlias = "dict[str, Any]"
"""A row of the frame; columns that are not there are null."""

DIRECTIONS = ("higher", "lower", "match", "none")
NEVER_NULL = ("run", "generation", "group", "metric", "direction", "n_training", "n_sample")
COUNTS = ("generation", "n_training", "n_sample", "n_reference", "n_candidate")
LARGEST_FRAME = 10_000_000


def checked(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return a frame that was read, if a run can have written it.

    Raises
    ------
    SourceError
        Other columns, or values that no run writes.
    """

    def require(right: bool, expected: str, got: str) -> None:  # noqa: FBT001
        if not right:
            raise SourceError(argument="directory", expected=expected, got=got, where=where)

    columns = [*frame.schema.items()]
    other = next((pair for pair in columns if SCHEMA.get(pair[0]) != pair[1]), None)
    require(other is None, "the columns of a run's frame", f"{other}")
    missing = [name for name in SCHEMA if name not in frame.columns]
    require(not missing, "the columns of a run's frame", f"none named {', '.join(missing)}")
    require(0 < frame.height <= LARGEST_FRAME, f"1 to {LARGEST_FRAME:,} rows", f"{frame.height:,}")
    for name in NEVER_NULL:
        require(not frame[name].null_count(), f"a value of {name} in each row", "null")
    for name in COUNTS:
        least, most = (1, MOST_GENERATIONS) if name == "generation" else (0, MOST_ROWS)
        outside = frame.filter(~pl.col(name).is_between(least, most))[name]
        require(outside.is_empty(), f"{name} from {least} to {most:,}", str(outside.first()))
    for name, known in (("group", GROUPS), ("direction", DIRECTIONS)):
        unknown = frame.filter(~pl.col(name).is_in(known))[name]
        require(unknown.is_empty(), f"{name} out of {', '.join(known)}", shown(unknown.first()))
    levels = frame["level"].drop_nulls()
    require(
        bool(levels.is_between(0, 1, closed="right").all()) and not levels.is_nan().any(),
        "levels above 0 and at most 1",
        str(levels.to_list()[:5]),
    )
    require(frame["run"].n_unique() == 1, "the frame of one run", f"{frame['run'].n_unique()}")
    return frame.select(*SCHEMA)


def frame_of(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Make a frame of rows."""
    table = [[_cell(row.get(column)) for column in SCHEMA] for row in rows]
    return pl.DataFrame(table, schema=SCHEMA, orient="row")


def _cell(value: Any) -> Any:  # noqa: ANN401
    # Names that a model gives to its parameters may hold anything.
    return storable(value) if isinstance(value, str) else value


def joined(*parts: str | None) -> str | None:
    """Join what has to be said of a number; None if nothing has."""
    return "; ".join(part for part in parts if part) or None


def rows_from(frame: Any, group: str, argument: str) -> list[Row]:  # noqa: ANN401  (checked here)
    """Return the rows that a model measured itself."""
    if not isinstance(frame, pl.DataFrame) or not {"metric", "value"} <= set(frame.columns):
        columns = frame.columns if isinstance(frame, pl.DataFrame) else type(frame).__name__
        expected = "a frame with the columns metric and value"
        raise InputError(argument=argument, expected=expected, got=str(columns))
    unknown = [column for column in frame.columns if column not in SCHEMA]
    if unknown:
        expected = "columns of the run's frame"
        raise InputError(argument=argument, expected=expected, got=f"{unknown[0]!r} too")
    given = {"direction": "none", "method": "measured by the model"}
    return [{**given, **row, "group": group} for row in frame.to_dicts()]

"""Tables of rows, a Parquet file for each shard, and the second pass, which completes them.

The table of the first pass has identifiers, the column that names groups, score, hash and copies of
each row; that of the second has probability, p- and q-value too. A table that was written for other
counts is written again, of itself. Tables of either pass are read in batches, and known by their
SHA-256.

Cost: a search for each row, and the writing of the tables.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.background import in_order, wait_for
from tailwatch.contamination.dataset.folder import settle
from tailwatch.contamination.groups import check_label_type, no_label
from tailwatch.exceptions import InputError, OutputError
from tailwatch.io.columns import require
from tailwatch.io.parquet import sink
from tailwatch.text_form import path_text, shortened, shown
from tailwatch.writing import open_owned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Entry, Manifest
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.rows import RowTable
    from tailwatch.io.part import Part
    from tailwatch.io.regular import Place
    from tailwatch.progress import ProgressReport

__all__ = [
    "COPY",
    "HASH",
    "MOST_SURE",
    "RESULTS",
    "ROWS_AT_ONCE",
    "Beside",
    "complete_tables",
    "damaged",
    "digest_of",
    "read_table",
    "surest_rows",
    "write_rows",
]

ROWS_AT_ONCE = 262_144
"""Rows of a table that are in memory at a time."""

HASH = {"content_hash": pl.UInt64}
COPY = {"copy_of": pl.Int64, "copy_distance": pl.Float64}
_MEANING = {"probability": pl.Float64, "p_value": pl.Float64, "q_value": pl.Float64}
RESULTS = ("score", *_MEANING, *HASH, *COPY)
"""Columns of a table of rows after the identifiers; the last two where copies are looked for."""

MOST_SURE = 20
"""Rows that are named as the surest."""

_PIECE, _LONGEST_ID = 1 << 20, 500


@dataclass(frozen=True, slots=True)
class Beside:
    """Columns of a shard that are kept beside the scores.

    Attributes
    ----------
    ids
        Identifiers; without any, a table has the number of each row.
    by
        Names the group of each row, if groups are asked for; it may be one of `ids`.
    """

    ids: tuple[str, ...]
    by: str | None = None

    @classmethod
    def named(cls, id_column: str | Sequence[str] | None, by: str | None) -> Self:
        """Return the columns of these names.

        Raises
        ------
        InputError
            A name is none, comes twice, or is that of a column of results.
        """
        ids = () if id_column is None else (id_column,) if isinstance(id_column, str) else id_column
        names = tuple(ids)
        if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise InputError(
                argument="id_column", expected="names of different columns", got=shown(id_column)
            )
        if by is not None and not isinstance(by, str):
            raise InputError(
                argument="by",
                expected="the name of a column of the shards",
                got=type(by).__name__,
                hint="prevalence() takes labels",
            )
        given = [("id_column", name) for name in names] + [("by", by)] * (by is not None)
        columns = RESULTS if names else ("row", *RESULTS)
        for argument, name in given:
            if name in columns:
                msg = f"{name!r} is a column of the result"
                raise InputError(
                    msg,
                    argument=argument,
                    expected=f"none of {', '.join(columns)}",
                    got=repr(name),
                    hint="rename it in the source",
                )
        return cls(names, by)

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them, once each."""
        return self.ids if self.by is None or self.by in self.ids else (*self.ids, self.by)

    def check_types(self, schema: pl.Schema, place: Place) -> None:
        """Refuse a shard that lacks one of the columns, or whose groups have no names."""
        for name in self.ids:
            require(schema, name, place, "id_column")
        if self.by is not None:
            require(schema, self.by, place, "by")
            check_label_type(schema[self.by], f"{place.subject}: column {self.by!r}")

    def check_labels(self, part: Part, place: Place) -> None:
        """Refuse a shard with a row whose group is null or NaN."""
        table = part.others()
        if self.by is None or table is None:
            return
        with place.reading():
            label = pl.col(self.by)
            missing = label.is_null()
            if table.collect_schema()[self.by].is_float():
                missing |= label.is_nan()
            rows = table.select(missing.alias("missing")).with_row_index("row")
            found = rows.filter("missing").head(1).collect(engine="streaming")
        if found.height:
            raise no_label(found["row"][0], f"{place.subject}: column {self.by!r}")


def complete_tables(
    scored: Mapping[str, tuple[Entry, Path]],
    found: Prevalence,
    table: RowTable,
    *,
    tables: Mapping[str, str],
    folder: Folder,
    manifest: Manifest,
    report: ProgressReport,
) -> None:
    """Do the second pass: write the tables that are not written, or were for other counts.

    Parameters
    ----------
    scored
        Line and file of each shard's scores.
    found
        The share of synthetic rows in all shards.
    table
        What each score means.
    tables
        Where each shard's rows go.
    folder, manifest
        Where results go, and what is done.
    report
        Takes ``(stage, done, total)``.

    Raises
    ------
    OSError
        A table cannot be written.
    """
    digest = _target_digest(found)
    done = 0
    for name, (entry, first) in scored.items():
        file = folder.rows(tables[name])
        if entry.stage != "done" or entry.target != digest or first != file:
            # A summary must not stand beside tables of another one.
            folder.remove(folder.page)
            folder.remove(folder.summary)
            with folder.attempt() as attempt:
                write_rows(first, attempt, table)
                manifest.add(
                    replace(
                        entry,
                        stage="done",
                        table=tables[name],
                        target=digest,
                        sha256=digest_of(attempt),
                    )
                )
                folder.publish(attempt, file)
            if first != file:
                folder.remove(first)
        done += entry.rows
        report("writing rows", done, found.n)


def surest_rows(
    tables: Mapping[str, Path], ids: Sequence[str], limit: float
) -> list[dict[str, Any]]:
    """Return the rows with the smallest q-values, `MOST_SURE` at most.

    Of rows with one q-value those of a larger score come first, then those of earlier shards, then
    those that stand earlier in a shard.

    Parameters
    ----------
    tables
        The table of each shard, complete, in the order of the shards.
    ids
        Columns of identifiers.
    limit
        The largest q-value.

    Returns
    -------
    list of dict
        ``shard``, number of the ``row`` in it, ``ids`` by column as JSON holds them, ``q_value``.

    Raises
    ------
    OutputError
        A table is damaged.
    """
    found: list[tuple[float, float, int, int]] = []
    for shard, file in enumerate(tables.values()):
        first = 0
        for batch in read_table(file, ["score", "q_value"]):
            q, scores = batch["q_value"].to_numpy(), batch["score"].to_numpy()
            # A list that is full has no room for what is no better than its last.
            near = np.flatnonzero(q <= (found[-1][0] if len(found) == MOST_SURE else limit))
            best = near[np.lexsort((near, -scores[near], q[near]))][:MOST_SURE]
            found += [(float(q[at]), -float(scores[at]), shard, first + int(at)) for at in best]
            found = sorted(found)[:MOST_SURE]
            first += len(batch)
    names = list(tables)
    return [
        {
            "shard": names[shard],
            "row": row,
            "ids": _identifiers(tables[names[shard]], row, ids),
            "q_value": q,
        }
        for q, _, shard, row in found
    ]


def read_table(file: Path, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Read some columns of a table of either pass, in batches.

    Raises
    ------
    OutputError
        The table is damaged.
    """
    try:
        scanned = _scan(file)
        left = int(scanned.select(pl.len()).collect().item())
        batches = scanned.select(columns).collect_batches(
            chunk_size=ROWS_AT_ONCE, lazy=True, engine="streaming"
        )
        for batch in in_order(batches, lambda batch: batch, 1):
            left -= batch.height
            yield batch
        # Polars ends a stream of batches early, and without a word, where a reader panics.
        if left:
            raise damaged(file)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise damaged(file) from error


def damaged(file: Path) -> OutputError:
    """Return the error about a table that is not as it was written."""
    return OutputError(
        f"{path_text(file)} is damaged",
        argument="out_dir",
        expected="a table as it was written",
        got="other bytes",
        where=path_text(file),
        hint="without it, its shard is scored anew",
    )


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file that is a job's own."""
    digest = hashlib.sha256()

    def read() -> str:
        with open_owned(file.parent, file.name) as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    return wait_for(read)


def write_rows(first: Path, file: Path, table: RowTable) -> None:
    """Write the table of a shard's rows: identifiers, score, its meaning, hash and copies.

    Parameters
    ----------
    first
        The table of the first pass; or one of the second, with another meaning.
    file
        The table to make.
    table
        What each score means.

    Raises
    ------
    OSError
        The table cannot be written.
    """

    def meaning(found: pl.Series) -> pl.Series:
        return table.rows(found.to_numpy()).to_struct("meaning")

    scanned = _scan(first)
    last = [name for name in (*HASH, *COPY) if name in scanned.collect_schema()]
    rows = (
        scanned.select(pl.exclude(*_MEANING, *last), *last)
        .with_columns(
            pl.col("score")
            .map_batches(meaning, return_dtype=pl.Struct(_MEANING), is_elementwise=True)
            .alias("probability")
        )
        .unnest("probability")
        .select(pl.exclude(*last), *last)
    )
    sink(rows, file)
    settle(file)


def _identifiers(file: Path, row: int, ids: Sequence[str]) -> dict[str, Any]:
    """Return the identifiers of one row as JSON holds them: numbers and texts, long ones cut."""
    if not ids:
        return {}
    try:
        values = _scan(file).select(ids).slice(row, 1).collect().row(0, named=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise damaged(file) from error
    return {
        name: value
        if value is None or isinstance(value, bool | int)
        else shortened(f"{value}", _LONGEST_ID)
        for name, value in values.items()
    }


def _target_digest(found: Prevalence) -> str:
    """Return a digest of all that decides probabilities, p- and q-values."""
    bins, ranks = found.histogram.finish()
    digest = hashlib.sha256(found.histogram.fingerprint.encode())
    digest.update(bins.astype("<i8").tobytes())
    digest.update(ranks.astype("<i8").tobytes())
    # Labels change the share, and the counts do not tell.
    digest.update(np.float64(found.value).astype("<f8").tobytes())
    return digest.hexdigest()[:32]


def _scan(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)

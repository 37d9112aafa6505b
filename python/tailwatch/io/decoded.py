"""A table in a file that a library decodes: Parquet, Arrow.

All that is read of it comes through :mod:`tailwatch.io.decoding`: the embeddings, and whatever
stands beside them.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Final

import polars as pl
from polars.io.plugins import register_io_source

from tailwatch.io.decoding import answers
from tailwatch.io.messages import Head, frame_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.io.part import Matrix
    from tailwatch.io.place import Place

__all__ = ["DecodedFile", "read_frame"]

_KINDS: Final = {".parquet": "parquet", ".csv": "csv"}


class DecodedFile:
    """A ``.parquet`` or ``.arrow`` file: opening reads its footer, streaming holds a few batches.

    Parameters
    ----------
    path
        The file.
    place
        For the text of an error.

    Attributes
    ----------
    schema
        Names and types of its columns.
    rows
        Number of its rows.
    """

    def __init__(self, path: Path, place: Place) -> None:
        # The process that reads it has a working directory of its own.
        self._path = str(path.absolute())
        self._kind = _kind(path)
        self._place = place
        with place.reading():
            ((head, body),) = answers(self._request("open"))
            self.schema = frame_of(body).schema
        self.rows = int(head["rows"])

    def stream(self, column: str) -> Iterator[pl.Series]:
        """Yield a column in pieces, in order."""
        for frame in self._frames([column]):
            yield frame[column]

    def vectors(
        self, column: str, columns: int, dtype: np.dtype[np.floating]
    ) -> Iterator[Matrix | pl.Series]:
        """Yield a column of vectors: as arrays, and pieces that are not what they must be as such.

        Parameters
        ----------
        column
            Its name.
        columns, dtype
            Number and type of the values in each row.
        """
        vectors = {"dtype": dtype.newbyteorder("<").str, "columns": columns}
        request = self._request(
            "stream", columns=[column], vectors=vectors, rows=None, paged=_has_pyarrow()
        )
        for head, body in answers(request):
            if head.get("values"):
                values: NDArray[np.floating] = body.view(dtype.newbyteorder("<"))
                yield values.astype(dtype, copy=False).reshape(head["rows"], columns)
            else:
                yield frame_of(body)[column]

    def first(self, column: str) -> pl.Series:
        """Give the first row of a column."""
        return pl.concat([frame[column] for frame in self._frames([column], 1)])

    def lazy(self) -> pl.LazyFrame:
        """Give the table for Polars to read what is asked of it."""

        def batches(
            with_columns: list[str] | None,
            predicate: pl.Expr | None,
            n_rows: int | None,
            batch_size: int | None,
        ) -> Iterator[pl.DataFrame]:
            del batch_size
            wanted = list(self.schema) if with_columns is None else with_columns
            left = self.rows if n_rows is None else n_rows
            for whole in self._frames(wanted):
                if left <= 0:
                    return
                frame = whole.head(left)
                left -= frame.height
                yield frame if predicate is None else frame.filter(predicate)

        return register_io_source(batches, schema=self.schema, is_pure=True)

    def _frames(self, columns: list[str], rows: int | None = None) -> Iterator[pl.DataFrame]:
        request = self._request(
            "stream", columns=columns, vectors=None, rows=rows, paged=_has_pyarrow()
        )
        with self._place.reading():
            read = 0
            for _, body in answers(request):
                frame = frame_of(body)
                read += frame.height
                yield frame
            # Polars ends a stream of batches early, and without a word, where a reader panics.
            if rows is None and columns and read != self.rows:
                came = f"{read:,} of its {self.rows:,} rows came of it"
                why = f"{came}: it changed after it was opened, or is damaged"
                raise self._place.unreadable(why)

    def _request(self, what: str, **more: object) -> Head:
        return {"do": what, "path": self._path, "kind": self._kind, **more}


def read_frame(path: Path, place: Place, columns: list[str] | None = None) -> pl.DataFrame:
    """Read a whole table of Parquet, Arrow or CSV, told by its suffix.

    Parameters
    ----------
    path
        The file.
    place
        For the text of an error.
    columns
        Columns to read; by default all.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    request = {
        "do": "whole",
        "path": str(path.absolute()),
        "kind": _kind(path),
        "columns": columns,
    }
    with place.reading():
        ((_, body),) = answers(request)
        return frame_of(body)


def _kind(path: Path) -> str:
    return _KINDS.get(path.suffix.lower(), "arrow")


def _has_pyarrow() -> bool:
    """Tell whether pyarrow can be imported, without doing so."""
    if "pyarrow" in sys.modules:
        return sys.modules["pyarrow"] is not None
    return importlib.util.find_spec("pyarrow") is not None

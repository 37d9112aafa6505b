"""Results as files: the suffix says which form, and a file appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from tailwatch.background import uses_polars
from tailwatch.exceptions import InputError
from tailwatch.text_form import reversible, shown
from tailwatch.writing import fill, write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

__all__ = ["Result", "records", "save", "to_json"]


class Result(Protocol):
    """What can be saved: a frame, and itself as a page and as JSON."""

    @property
    def frame(self) -> pl.DataFrame:
        """The numbers."""
        ...

    def to_html(self) -> str:
        """Return the report page."""
        ...

    def to_json(self) -> str:
        """Return all of it as one JSON object."""
        ...


def save(result: Result, path: str | os.PathLike[str]) -> Path:
    """Write a result: ``.html`` its page, ``.parquet`` and ``.csv`` its frame, ``.json`` all."""
    path = Path(path)
    forms: dict[str, Callable[[Path], object]] = {
        ".html": lambda file: file.write_text(result.to_html(), encoding="utf-8"),
        ".parquet": lambda file: fill(file, result.frame.write_parquet),
        ".csv": lambda file: fill(file, _as_lines(result.frame).write_csv),
        ".json": lambda file: file.write_text(result.to_json() + "\n", encoding="utf-8"),
    }
    if path.suffix.lower() not in forms:
        expected = f"a name ending in {', '.join(forms)}"
        raise InputError(argument="path", expected=expected, got=shown(path.name))
    uses_polars(f"saving {path.suffix.lower()}")
    return write_atomically(path, forms[path.suffix.lower()])


def _as_lines(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose texts can stand in a file of lines: CSV has no escapes of its own."""
    texts = {}
    for name in frame.columns:
        column = frame[name]
        if column.dtype == pl.String:
            forms = {text: reversible(text) for text in column.unique() if text is not None}
            texts[name] = pl.Series(
                name, [None if text is None else forms[text] for text in column], pl.String
            )
    return frame.with_columns(**texts)


def to_json(document: dict[str, Any]) -> str:
    """Return a document as strict JSON."""
    return json.dumps(document, indent=2, allow_nan=False)


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as JSON takes them; what is not finite is null."""
    uses_polars("JSON of a frame")
    finite = pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64))
    return frame.with_columns(finite).to_dicts()

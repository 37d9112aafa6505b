"""Results as files: the suffix says which form, and a file appears whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.writing import write_atomically

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
        ".parquet": result.frame.write_parquet,
        ".csv": result.frame.write_csv,
        ".json": lambda file: file.write_text(result.to_json() + "\n", encoding="utf-8"),
    }
    if path.suffix.lower() not in forms:
        message = f"path: expected a name ending in {', '.join(forms)}, got {path.name!r}"
        raise InputError(message)
    return write_atomically(path, forms[path.suffix.lower()])


def to_json(document: dict[str, Any]) -> str:
    """Return a document as strict JSON."""
    return json.dumps(document, indent=2, allow_nan=False)


def records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as JSON takes them; what is not finite is null."""
    finite = pl.when(pl.col(pl.Float64).is_finite()).then(pl.col(pl.Float64))
    return frame.with_columns(finite).to_dicts()

"""Keys of Hive: columns that are in the names of folders, as in ``lang=en/month=3/0.parquet``.

A key is read as text: nothing is lost, and ``01`` stays what it is. ``%3A`` and the like stand for
a character, ``__HIVE_DEFAULT_PARTITION__`` for null.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import TYPE_CHECKING
from urllib.parse import unquote

import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.text_form import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.io.part import Part
    from tailwatch.io.place import Place

__all__ = ["hive_keys", "with_keys"]

_NULL = "__HIVE_DEFAULT_PARTITION__"


def hive_keys(source: object, parts: Sequence[Part]) -> list[dict[str, str | None]]:
    """Give the keys of each part, by the folders in which the parts differ or that a glob found.

    Parameters
    ----------
    source
        What names the parts; folders before the first sign of a glob are not of the data.
    parts
        Those that came from a file have keys.
    """
    paths = [None if part.origin is None else Path(os.path.abspath(part.origin)) for part in parts]  # noqa: PTH100 (links stay)
    named = [path for path in paths if path is not None]
    if not named:
        return [{} for _ in parts]
    root = Path(os.path.commonpath([path.parent for path in named]))
    fixed = min((_fixed(item, root) for item in _items(source)), default=len(root.parts))
    return [{} if path is None else _keys(path.parts[fixed:-1]) for path in paths]


def with_keys(part: Part, keys: dict[str, str | None], place: Place) -> pl.LazyFrame | None:
    """Give the columns beside the embeddings of a part, its keys among them.

    Raises
    ------
    InputError
        A column of the table has the name of a key, and other values.
    """
    table = part.others()
    if not keys:
        return table
    constants = [pl.lit(value, dtype=pl.String).alias(name) for name, value in keys.items()]
    if table is None:
        if not part.rows:
            return None
        index = pl.LazyFrame().select(pl.int_range(part.rows, dtype=pl.Int64).alias("row"))
        return index.with_columns(constants).select(*keys)
    schema = table.collect_schema()
    both = [name for name in keys if name in schema]
    for name in both:
        with place.reading():
            same = pl.col(name).cast(pl.String, strict=False).eq_missing(pl.lit(keys[name]))
            other = int(table.select((~same).sum()).collect().item())
        if other:
            raise InputError(
                argument=place.subject,
                expected=f"{name!r} as in its folder, {keys[name]!r}",
                got=f"other values in {other:,} rows",
                hint="rename the column, or the folders",
            )
    return table.with_columns(each for each in constants if each.meta.output_name() not in both)


def _keys(folders: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for folder in folders:
        name, sign, value = folder.partition("=")
        if sign and name:
            found[storable(unquote(name))] = None if value == _NULL else storable(unquote(value))
    return found


def _items(source: object) -> list[str]:
    items = list(source) if isinstance(source, list | tuple) else [source]
    return [os.fspath(item) for item in items if isinstance(item, str | os.PathLike)]


def _fixed(item: str, root: Path) -> int:
    """Count the folders before the first sign of a glob, or all that the files have in common."""
    path = Path(os.path.abspath(Path(item).expanduser()))  # noqa: PTH100 (links stay)
    if path.exists():
        return len(root.parts)
    parts = PurePath(path).parts
    return next(
        (number for number, part in enumerate(parts) if any(sign in part for sign in "*?[")),
        len(root.parts),
    )

"""Paths: the files that a source names, and the keys of Hive that are in the names of folders.

A key is a column in the name of a folder, as in ``lang=en/month=3/0.parquet``. It is read as text:
nothing is lost, and ``01`` stays what it is. ``%3A`` and the like stand for a character,
``__HIVE_DEFAULT_PARTITION__`` for null.
"""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.regular import Place
from tailwatch.text_form import path_text, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.io.part import Part

__all__ = ["PathLike", "Paths", "files", "folders_before_glob", "hive_keys", "title", "with_keys"]

PathLike: TypeAlias = "str | os.PathLike[str]"
Paths: TypeAlias = "PathLike | Sequence[PathLike]"
_NULL = "__HIVE_DEFAULT_PARTITION__"


def files(source: Paths, argument: str) -> list[Path]:
    """List the files that a source names, in the order in which their rows count.

    Parameters
    ----------
    source
        A path, a glob (``*``, ``?``, ``[...]``, ``**`` for folders at any depth), or a list of
        either. The matches of one glob are sorted by name.
    argument
        Name of the argument, for the text of an error.

    Returns
    -------
    list of pathlib.Path
        At least one; each exists and is not a directory.

    Raises
    ------
    SourceError
        If a file does not exist, is a directory, or nothing matches.
    """
    items = [source] if isinstance(source, str | os.PathLike) else list(source)
    if not items:
        raise SourceError(argument=argument, expected="at least one path", got="an empty list")
    return [path for item in items for path in _matches(item, argument)]


def title(source: Paths) -> str:
    """Return the name of a source in a table or a report."""
    if isinstance(source, str | os.PathLike):
        return path_text(source)
    first, *others = [path_text(item) for item in source]
    return f"{first} and {len(others)} more" if others else first


def folders_before_glob(item: object) -> int | None:
    """Count the folders of a glob before its first pattern; None for what is no glob."""
    path = Path(os.path.abspath(Path(str(item)).expanduser()))  # noqa: PTH100 (links stay)
    if path.exists() or not _has_sign(str(item)):
        return None
    return next(number for number, part in enumerate(path.parts) if _has_sign(part))


def _has_sign(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _matches(item: object, argument: str) -> list[Path]:
    name = os.fspath(item) if isinstance(item, str | os.PathLike) else None
    if not isinstance(name, str):
        got = f"{type(item).__name__} among them"
        raise InputError(argument=argument, expected="a list of paths", got=got)
    path = Path(name).expanduser()
    with Place(argument, name).reading():
        # A file whose own name holds a bracket is that file, not a pattern.
        if path.exists() or not _has_sign(name):
            return [_file(path, argument)]
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
    if not found:
        msg = f"no file matches {name!r}"
        raise SourceError(msg, argument=argument, expected="a match", got="none", where=name)
    return [_file(Path(match), argument) for match in found]


def _file(path: Path, argument: str) -> Path:
    if path.is_dir():
        msg = f"{path} is a directory; expected files, such as {str(path / '*.parquet')!r}"
        raise SourceError(
            msg,
            argument=argument,
            expected=f"files, such as {str(path / '*.parquet')!r}",
            got="a directory",
            where=str(path),
        )
    if not path.exists():
        msg = f"no such file: {path}"
        raise SourceError(
            msg,
            argument=argument,
            expected="a file",
            got="nothing",
            where=str(path),
        )
    return path


def hive_keys(source: object, parts: Sequence[Part]) -> list[dict[str, str | None]]:
    """Return the keys of each part, by the folders in which the parts differ or that a glob found.

    Parameters
    ----------
    source
        Source of the parts; folders before the first sign of a glob are not of the data.
    parts
        Parts; those of files have keys.
    """
    paths = [None if part.file is None else Path(os.path.abspath(part.file)) for part in parts]  # noqa: PTH100 (links stay)
    named = [path for path in paths if path is not None]
    if not named:
        return [{} for _ in parts]
    root = Path(os.path.commonpath([path.parent for path in named]))
    common = len(root.parts)
    before = [folders_before_glob(item) for item in _items(source)]
    fixed = min((common if each is None else each for each in before), default=common)
    return [{} if path is None else _keys(path.parts[fixed:-1]) for path in paths]


def with_keys(part: Part, keys: dict[str, str | None], place: Place) -> pl.LazyFrame | None:
    """Return the columns beside the embeddings of a part, its keys among them.

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

"""A path, a list of paths or a glob, as the files they name."""

from __future__ import annotations

import glob
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.place import Place
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PathLike", "Paths", "files", "title"]

PathLike: TypeAlias = "str | os.PathLike[str]"
Paths: TypeAlias = "PathLike | Sequence[PathLike]"


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
    """Name a source in a table or a report."""
    if isinstance(source, str | os.PathLike):
        return path_text(source)
    first, *others = [path_text(item) for item in source]
    return f"{first} and {len(others)} more" if others else first


def _matches(item: object, argument: str) -> list[Path]:
    name = os.fspath(item) if isinstance(item, str | os.PathLike) else None
    if not isinstance(name, str):
        got = f"{type(item).__name__} among them"
        raise InputError(argument=argument, expected="a list of paths", got=got)
    path = Path(name).expanduser()
    with Place(argument, name).reading():
        # A file whose own name holds a bracket is that file, not a pattern.
        if path.exists() or not any(sign in name for sign in "*?["):
            return [_file(path, argument)]
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (absolute patterns)
    if not found:
        msg = f"no file matches {name!r}"
        raise SourceError(msg, argument=argument, expected="a match", got="none")
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

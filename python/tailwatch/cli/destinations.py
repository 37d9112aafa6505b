"""Check where results will go before the work that produces them begins."""

from __future__ import annotations

import os
import tempfile
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_directory", "check_file"]


def check_file(option: str, path: Path, *, suffix: str, sources: Iterable[str] = ()) -> None:
    """Refuse an output file that could not be written at the end of a long run.

    Parameters
    ----------
    option
        The option that named the file, as the user typed it: it opens every message.
    path
        The file to be written.
    suffix
        What its name must end in, with the dot.
    sources
        The inputs of the run, as paths or glob patterns: none of them may be overwritten.

    Raises
    ------
    InputError
        The name, the directory or an existing file stands in the way.
    """
    if path.suffix.lower() != suffix:
        message = f"{option}: expected a file name that ends in {suffix}, got {path}"
        raise InputError(message)
    if path.is_dir():
        message = f"{option}: expected a file name, but {path} is a directory"
        raise InputError(message)
    if path.exists() and not _is_writable_file(path):
        message = f"{option}: {path} exists and is read-only"
        raise InputError(message)
    if path.exists() and any(_is_same(path, source) for source in sources):
        message = f"{option}: {path} is one of the inputs and would be overwritten"
        raise InputError(message)
    _check_can_create(option, path.parent)


def check_directory(option: str, path: Path) -> None:
    """Create the directory `path` if need be, and make sure that files can be made in it.

    Raises
    ------
    InputError
        It is a file, or cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{option}: cannot create the directory {path} ({error.strerror})"
        raise InputError(message) from error
    _check_can_create(option, path)


def _check_can_create(option: str, directory: Path) -> None:
    """Make and drop a nameless file: permission bits alone do not tell (root, read-only mounts)."""
    if not directory.is_dir():
        message = f"{option}: the directory {directory} does not exist"
        raise InputError(message)
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        message = f"{option}: cannot write to the directory {directory} ({error.strerror})"
        raise InputError(message) from error


def _is_writable_file(path: Path) -> bool:
    # An atomic rename would replace a read-only file without a word, and root may write to any.
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def _is_same(path: Path, source: str) -> bool:
    # `Path.glob` takes no absolute patterns. A name may also hold a bracket and mean it.
    matches = {Path(source), *map(Path, glob(source))}  # noqa: PTH207
    return any(match.exists() and match.samefile(path) for match in matches)

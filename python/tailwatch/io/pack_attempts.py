"""Folders that a pack is written to before it is at its place, and what killed attempts left.

An attempt at ``NAME`` is the folder ``.HASH-TOKEN.pack.part`` beside it: a hash of the name, 128
random bits. While it is written, its process holds a lock on it, which the system lets go of when
the process ends, whatever way. So a folder of such a name that nobody holds is one that was killed;
the next attempt at the same name removes it. Of what is in it, that is removed which a pack writes,
and no link is followed; where there are no locks it stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tailwatch.exceptions import TailwatchError
from tailwatch.io.pack_manifest import ARRAYS, MANIFEST, TABLES_BESIDE
from tailwatch.owned import owned_directory, owned_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["attempt_at"]

_WRITTEN = {ARRAYS: re.compile(r"\d{5,}\.npy"), TABLES_BESIDE: re.compile(r"\d{5,}\.parquet")}


@contextmanager
def attempt_at(target: Path) -> Iterator[Path]:
    """Give a new folder beside `target`, gone afterwards unless it was renamed.

    Parameters
    ----------
    target
        The place of the pack, links resolved.
    """
    stem = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}"
    pattern = re.compile(rf"{re.escape(stem)}-[0-9a-f]{{32}}\.pack\.part")
    for path in sorted(target.parent.iterdir()):
        if pattern.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            _remove(path)
    folder = target.with_name(f"{stem}-{secrets.token_hex(16)}.pack.part")
    folder.mkdir()
    lock = _held(folder)
    try:
        yield folder
    finally:
        if folder.is_dir():
            _remove_contents(folder)
        if lock is not None:
            os.close(lock)


def _held(folder: Path) -> int | None:
    """Lock a folder until the process ends; None if another process has, or there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove(folder: Path) -> None:
    """Remove an attempt that nobody works at any more."""
    lock = None
    with suppress(OSError):
        lock = _held(folder)
    if lock is None:
        return
    try:
        _remove_contents(folder)
    finally:
        os.close(lock)


def _remove_contents(folder: Path) -> None:
    """Remove what a pack writes; a folder in which anything else is stays."""
    with suppress(OSError, TailwatchError):
        for name, pattern in _WRITTEN.items():
            inside = owned_directory(folder, name)
            for path in list(inside.iterdir()) if inside.is_dir() else ():
                if pattern.fullmatch(path.name):
                    owned_file(folder, path.relative_to(folder)).unlink()
            with suppress(FileNotFoundError):
                inside.rmdir()
        owned_file(folder, MANIFEST).unlink(missing_ok=True)
        folder.rmdir()

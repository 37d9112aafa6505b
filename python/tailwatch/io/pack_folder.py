"""A packed folder: what ``pack.json`` says it holds, and how it comes to its place.

=============  ==================================================================================
field          content
=============  ==================================================================================
``format``     ``"tailwatch-pack"``
``version``    1
``columns``    numbers in a row
``dtype``      ``"float16"``, ``"float32"`` or ``"float64"``
``rows``       of all shards
``metadata``   whether a table lies beside each array
``shards``     the rows of each: shard 3 is ``embeddings/00003.npy`` and ``metadata/00003.parquet``
=============  ==================================================================================

A packed folder may come from a stranger: its parts are files and folders of its own, and a link in
place of one is refused by its name.

A folder is written under another name and renamed at the end. An attempt at ``NAME`` is the folder
``.HASH-TOKEN.pack.part`` beside it: a hash of the name, 128 random bits. Its process holds a lock
on the attempt, which the system releases when the process ends, in whatever way. So an attempt that
nobody holds was killed, and the next attempt at the same name removes it: the files that a pack
writes, and nothing else; no link is followed. Without locks the attempt stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.text_form import path_text
from tailwatch.writing import owned_directory, owned_file, read_owned

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "ARRAYS",
    "MANIFEST",
    "TABLES_BESIDE",
    "Pack",
    "array_path",
    "attempt_at",
    "read_pack",
    "shard_files",
    "table_path",
    "write_pack",
]

MANIFEST: Final = "pack.json"
ARRAYS: Final = "embeddings"
TABLES_BESIDE: Final = "metadata"
_FORMAT: Final = "tailwatch-pack"
_LARGEST = 1 << 26
_DTYPES = ("float16", "float32", "float64")
_WRITTEN = {ARRAYS: re.compile(r"\d{5,}\.npy"), TABLES_BESIDE: re.compile(r"\d{5,}\.parquet")}


@dataclass(frozen=True, slots=True)
class Pack:
    """What a packed folder holds; the fields are those of the file."""

    columns: int
    dtype: str
    rows: int
    metadata: bool
    shards: tuple[int, ...]


def array_path(folder: Path, number: int) -> Path:
    """Return the path of the array of a shard."""
    return folder / ARRAYS / f"{number:05}.npy"


def table_path(folder: Path, number: int) -> Path:
    """Return the path of the table of a shard."""
    return folder / TABLES_BESIDE / f"{number:05}.parquet"


def shard_files(folder: Path, number: int, pack: Pack) -> tuple[Path, Path | None]:
    """Return the files of a shard, where they are files of the folder's own.

    Raises
    ------
    SourceError
        One is a link or a device, or lies behind a link.
    """
    paths = [array_path(folder, number)]
    if pack.metadata:
        paths.append(table_path(folder, number))
    for path in paths:
        owned_file(folder, path.relative_to(folder))
    return paths[0], paths[1] if pack.metadata else None


def write_pack(folder: Path, pack: Pack) -> None:
    """Write the manifest, last of all files of the folder."""
    content = {"format": _FORMAT, "version": 1, **asdict(pack)}
    (folder / MANIFEST).write_text(json.dumps(content) + "\n", encoding="ascii")


def read_pack(folder: Path, argument: str) -> Pack:
    """Read the manifest.

    Raises
    ------
    SourceError
        If it cannot be read or is not one.
    """
    name = path_text(folder / MANIFEST)
    try:
        content = json.loads(read_owned(folder, MANIFEST, most=_LARGEST))
    except OSError as error:
        msg = f"cannot read {name}: {error.strerror}"
        raise SourceError(
            msg,
            argument=argument,
            expected="a file that can be read",
            got=error.strerror,
            where=name,
        ) from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, SourceError):
            raise
        raise _unfit(argument, name, "JSON", f"{error}"[:200]) from error
    for expected, got in _problems(content):
        raise _unfit(argument, name, expected, got)
    return Pack(
        content["columns"],
        content["dtype"],
        content["rows"],
        content["metadata"],
        tuple(content["shards"]),
    )


def _unfit(argument: str, name: str, expected: str, got: str) -> SourceError:
    return SourceError(
        f"{name} does not describe a packed folder: expected {expected}, got {got}",
        argument=argument,
        expected=expected,
        got=got,
        where=name,
    )


def _problems(content: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  (whatever JSON holds)
    """Yield what was expected and what came, for each fault; a later one may follow from it."""
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        yield f"the format {_FORMAT}", "another one, or none"
    if content.get("version") != 1:
        yield "version 1", f"{content.get('version')!r}"[:80]
    shards = content.get("shards")
    if not isinstance(shards, list) or not shards:
        yield "the rows of each shard", f"{shards!r}"[:80]
    for count in (content.get("columns"), content.get("rows"), *shards):
        if type(count) is not int or not 0 < count < 2**63:
            yield "numbers of rows and columns of at least 1", f"{count!r}"[:80]
    if sum(shards) != content["rows"]:
        yield f"{content['rows']} rows in all shards", f"{sum(shards)}"
    if content.get("dtype") not in _DTYPES:
        yield f"a dtype of {', '.join(_DTYPES)}", f"{content.get('dtype')!r}"[:80]
    if type(content.get("metadata")) is not bool:
        yield "whether there are tables", f"{content.get('metadata')!r}"[:80]


@contextmanager
def attempt_at(target: Path) -> Iterator[Path]:
    """Make a folder beside `target`, which is removed afterwards unless it was renamed.

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

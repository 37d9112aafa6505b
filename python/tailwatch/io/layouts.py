"""Folders of shards, and the files that each shard is made of.

==============  ============================================  ====================================
layout          files                                         told by
==============  ============================================  ====================================
packed          ``embeddings/*.npy``, ``metadata/*.parquet``  ``pack.json``
clip-retrieval  ``img_emb/*.npy``, ``metadata/*.parquet``     a folder ``img_emb``, ``text_emb``
plain           tables and arrays, in folders of any depth    else
==============  ============================================  ====================================

Embeddings are not opened here. :mod:`~tailwatch.io.walking` tells which files of a plain folder are
data; files of the other layouts, and matches of globs, are left out with a reason as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.exceptions import SourceError
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.pack_folder import ARRAYS, MANIFEST, TABLES_BESIDE, read_pack, shard_files
from tailwatch.io.paths import files, folders_before_glob
from tailwatch.io.regular import Place
from tailwatch.io.walking import (
    HIDDEN,
    PACKED,
    SUFFIXES,
    TABLES,
    Notes,
    Omission,
    Walk,
    is_hidden,
    maker_of,
    unread,
)
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailwatch.io.paths import Paths

__all__ = ["SUFFIXES", "TABLES", "Listing", "Shard", "is_dataset", "shards_of"]

_CLIP = {"img_emb": "img_emb_", "text_emb": "text_emb_"}
_NOT_THE_COLUMN = "not the arrays of the column that is read"


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of embeddings.

    Attributes
    ----------
    name
        Path below the common folder, with ``/``, as text that can be stored.
    path
        The file.
    metadata
        The table beside the file, if any.
    rows, columns, dtype
        Shape and type that the manifest says of the array, if it does.
    """

    name: str
    path: Path
    metadata: Path | None = None
    rows: int | None = None
    columns: int | None = None
    dtype: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the shard."""
        return (self.path,) if self.metadata is None else (self.path, self.metadata)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source is made of.

    Attributes
    ----------
    layout
        ``"packed"``, ``"clip-retrieval"`` or ``"files"``.
    shards
        At least one, with different names, in a fixed order.
    left_out
        Files of the source that are no shards, by reason.
    """

    layout: str
    shards: list[Shard]
    left_out: tuple[Omission, ...]


def is_dataset(path: Path) -> bool:
    """Return whether a folder is packed, or one of clip-retrieval."""
    return (path / MANIFEST).is_file() or any((path / name).is_dir() for name in _CLIP)


def shards_of(source: Paths, argument: str, column: str, out: Path | None = None) -> Listing:
    """List the shards of a folder, a file, a glob, or a list of these, in a fixed order.

    Parameters
    ----------
    source
        Where they are.
    argument
        Name of the argument, for the text of an error.
    column
        Name of the arrays to take from a folder of clip-retrieval, ``img_emb`` by default.
    out
        A folder of results that may lie in the source; what a run wrote there is no part of it.

    Raises
    ------
    SourceError
        If there is none, or one comes twice.
    """
    if isinstance(source, str | os.PathLike) and Path(source).expanduser().is_dir():
        return _in_folder(Path(source).expanduser(), argument, column, out)
    found, notes = _named(source, argument, out)
    if not found:
        raise _nothing(argument, "the source", notes.all())
    root = Path(os.path.commonpath([path.parent for path in found]))
    shards = [Shard(path_text(path.relative_to(root).as_posix()), path) for path in found]
    seen: set[str] = set()
    for shard in shards:
        if shard.name in seen:
            name = path_text(shard.path)
            msg = f"{name} is named twice"
            raise SourceError(
                msg,
                argument=argument,
                expected="each file once",
                got="one twice",
                where=name,
            )
        seen.add(shard.name)
    return Listing("files", shards, notes.all())


def _in_folder(folder: Path, argument: str, column: str, out: Path | None) -> Listing:
    with Place(argument, path_text(folder)).reading():
        if (folder / MANIFEST).is_file():
            return _packed(folder, argument)
        if any((folder / name).is_dir() for name in _CLIP):
            return _clip(folder, argument, column)
        walk = Walk(folder, argument, out)
        left_out = walk.run()
    found = sorted(walk.found, key=lambda path: path.relative_to(folder).parts)
    if not found:
        raise _nothing(argument, path_text(folder), left_out)
    shards = [Shard(path_text(path.relative_to(folder).as_posix()), path) for path in found]
    return Listing("files", shards, left_out)


def _nothing(argument: str, where: str, left_out: Iterable[Omission]) -> SourceError:
    """Say that there is nothing to read, and what there is instead."""
    others = [f"{each.files:,} × {each.reason} ({each.names[0]})" for each in left_out]
    listed = f"; left out: {'; '.join(others)}" if others else ""
    return SourceError(
        f"no file in {where} ends in {', '.join(SUFFIXES)}{listed}",
        argument=argument,
        expected=f"files that end in {', '.join(SUFFIXES)}",
        got=f"none{listed}",
        where=where,
    )


def _named(source: Paths, argument: str, out: Path | None) -> tuple[list[Path], Notes]:
    """Return the files that are named, and of the matches of globs those that are data."""
    items = [source] if isinstance(source, str | os.PathLike) else list(source)
    notes = Notes(Path.cwd())
    found: list[Path] = []
    results: dict[Path, str | None] = {}
    if not items:
        files(items, argument)
    for item in items:
        matches = files(item, argument)
        fixed = folders_before_glob(item)
        for match in matches:
            path = Path(os.path.abspath(match))  # noqa: PTH100 (links stay)
            reason = None if fixed is None else _reason(path, fixed, results)
            if _is_inside(path, out, results):
                continue
            if reason is None:
                found.append(path)
            else:
                notes.add(path, reason)
    return found, notes


def _reason(path: Path, fixed: int, makers: dict[Path, str | None]) -> str | None:
    """Return why a match of a glob is no data, by the folders that the glob did not name."""
    folders = list(path.parents)[: len(path.parents) - fixed]
    if any(is_hidden(folder.name) for folder in folders[:-1]):
        return HIDDEN
    for folder in folders:
        if folder not in makers:
            makers[folder] = maker_of(folder)
        maker = makers[folder]
        inside = path.relative_to(folder).parts[0]
        if maker == PACKED or (maker is not None and inside in {"shards", "work"}):
            return maker
    return None


def _is_inside(path: Path, out: Path | None, makers: dict[Path, str | None]) -> bool:
    """Return whether a file is one that a run wrote into its folder of results."""
    if out is None:
        return False
    for own in ("shards", "work"):
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out / own)):
            makers.setdefault(out, maker_of(out))
            return makers[out] is not None
    return False


def _packed(folder: Path, argument: str) -> Listing:
    pack = read_pack(folder, argument)
    shards = [
        Shard(
            f"{number:05}.npy", *shard_files(folder, number, pack), rows, pack.columns, pack.dtype
        )
        for number, rows in enumerate(pack.shards)
    ]
    used = {path for shard in shards for path in shard.files}
    notes = Notes(folder)
    for name in (ARRAYS, TABLES_BESIDE):
        for path in sorted((folder / name).glob("*")) if (folder / name).is_dir() else ():
            if path in used:
                continue
            if path.suffix.lower() in SUFFIXES:
                raise SourceError(
                    argument=f"{argument}: {path_text(path)}",
                    expected=f"the files that {MANIFEST} names",
                    got="one more",
                    hint="remove it, or pack all rows anew",
                )
            notes.add(path, unread(path.suffix.lower()))
    for path in sorted(folder.iterdir()):
        if path.name not in {MANIFEST, ARRAYS, TABLES_BESIDE}:
            _note(notes, path, f"not named by {MANIFEST}")
    return Listing("packed", shards, notes.all())


def _clip(folder: Path, argument: str, column: str) -> Listing:
    known = [name for name in _CLIP if (folder / name).is_dir()]
    name = known[0] if column == DEFAULT_COLUMN else column
    if name not in known:
        msg = f"no folder {name!r} in {path_text(folder)}; it has {', '.join(known)}"
        raise SourceError(
            msg,
            argument=argument,
            expected=f"one of {', '.join(known)}",
            got=repr(name),
            where=path_text(folder),
        )
    # Numbers are not padded there: 10 comes after 9.
    found = sorted((folder / name).glob("*.npy"), key=lambda path: (len(path.name), path.name))
    if not found:
        where = path_text(folder / name)
        msg = f"no .npy file in {where}"
        raise SourceError(
            msg,
            argument=argument,
            expected="files that end in .npy",
            got="none",
            where=where,
        )
    tables = folder / "metadata" if (folder / "metadata").is_dir() else None
    shards = [
        Shard(
            path_text(path.name),
            path,
            tables / f"metadata_{path.stem.removeprefix(_CLIP[name])}.parquet" if tables else None,
        )
        for path in found
    ]
    used = {path for shard in shards for path in shard.files}
    notes = Notes(folder)
    for path in sorted(folder.iterdir()):
        if path.name in {name, "metadata"} and path.is_dir():
            for inside in sorted(path.iterdir()):
                if inside not in used:
                    _note(notes, inside, "no file of clip-retrieval beside it")
        else:
            _note(notes, path, _NOT_THE_COLUMN)
    return Listing("clip-retrieval", shards, notes.all())


def _note(notes: Notes, path: Path, reason: str) -> None:
    """Note a file or a folder."""
    if path.is_dir() and not path.is_symlink():
        notes.add_folder(path, reason)
    else:
        notes.add(path, reason)

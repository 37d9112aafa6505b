"""Folders of shards, and the files that each shard is made of.

==============  ============================================  ====================================
layout          files                                         told by
==============  ============================================  ====================================
packed          ``embeddings/*.npy``, ``metadata/*.parquet``  ``pack.json``
clip-retrieval  ``img_emb/*.npy``, ``metadata/*.parquet``     a folder ``img_emb``, ``text_emb``
plain           tables and arrays, in folders of any depth    else
==============  ============================================  ====================================

Nothing is opened here. Of a plain folder, files and folders whose names start with ``.`` or ``_``
are passed over, as writers of tables put what is no data there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tailwatch.exceptions import SourceError
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.pack_manifest import MANIFEST, array_path, read_pack, table_path
from tailwatch.io.paths import files
from tailwatch.io.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.io.paths import Paths

__all__ = ["SUFFIXES", "TABLES", "Shard", "is_dataset", "shards_of"]

TABLES: Final = (".parquet", ".arrow", ".feather", ".ipc")
SUFFIXES: Final = (".npy", ".npz", *TABLES)

_CLIP = {"img_emb": "img_emb_", "text_emb": "text_emb_"}


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of embeddings.

    Attributes
    ----------
    name
        Its path below the folder of all, with ``/``.
    path
        The file.
    metadata
        The table that lies beside it, if any.
    rows
        Rows that it is known to have, if so.
    """

    name: str
    path: Path
    metadata: Path | None = None
    rows: int | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the shard."""
        return (self.path,) if self.metadata is None else (self.path, self.metadata)


def is_dataset(path: Path) -> bool:
    """Tell whether a folder is packed, or one of clip-retrieval."""
    return (path / MANIFEST).is_file() or any((path / name).is_dir() for name in _CLIP)


def shards_of(source: Paths, argument: str, column: str) -> tuple[str, list[Shard]]:
    """List the shards of a folder, a file, a glob, or a list of these, in a fixed order.

    Parameters
    ----------
    source
        Where they are.
    argument
        Name of the argument, for the text of an error.
    column
        Of a folder of clip-retrieval the name of the arrays to take, ``img_emb`` by default.

    Returns
    -------
    str
        The layout: ``"packed"``, ``"clip-retrieval"`` or ``"files"``.
    list of Shard
        At least one, with different names.

    Raises
    ------
    SourceError
        If there is none, or one comes twice.
    """
    if isinstance(source, str | os.PathLike) and Path(source).expanduser().is_dir():
        return _in_folder(Path(source).expanduser(), argument, column)
    found = [Path(os.path.abspath(path)) for path in files(source, argument)]  # noqa: PTH100 (links stay)
    root = Path(os.path.commonpath([path.parent for path in found]))
    shards = [Shard(path.relative_to(root).as_posix(), path) for path in found]
    seen: set[str] = set()
    for shard in shards:
        if shard.name in seen:
            message = f"{argument}: {shard.path} is named twice"
            raise SourceError(message)
        seen.add(shard.name)
    return "files", shards


def _in_folder(folder: Path, argument: str, column: str) -> tuple[str, list[Shard]]:
    with Place(argument, str(folder)).reading():
        if (folder / MANIFEST).is_file():
            return "packed", _packed(folder, argument)
        if any((folder / name).is_dir() for name in _CLIP):
            return "clip-retrieval", _clip(folder, argument, column)
        found = sorted(_data_files(folder), key=lambda path: path.relative_to(folder).parts)
    if not found:
        message = f"{argument}: no file in {folder} ends in {', '.join(SUFFIXES)}"
        raise SourceError(message)
    return "files", [Shard(path.relative_to(folder).as_posix(), path) for path in found]


def _packed(folder: Path, argument: str) -> list[Shard]:
    pack = read_pack(folder, argument)
    return [
        Shard(
            f"{number:05}.npy",
            array_path(folder, number),
            table_path(folder, number) if pack.metadata else None,
            rows,
        )
        for number, rows in enumerate(pack.shards)
    ]


def _clip(folder: Path, argument: str, column: str) -> list[Shard]:
    known = [name for name in _CLIP if (folder / name).is_dir()]
    name = known[0] if column == DEFAULT_COLUMN else column
    if name not in known:
        message = f"{argument}: no folder {name!r} in {folder}; it has {', '.join(known)}"
        raise SourceError(message)
    # Numbers are not padded there: 10 comes after 9.
    found = sorted((folder / name).glob("*.npy"), key=lambda path: (len(path.name), path.name))
    if not found:
        message = f"{argument}: no .npy file in {folder / name}"
        raise SourceError(message)
    tables = folder / "metadata"
    return [
        Shard(
            path.name,
            path,
            tables / f"metadata_{path.stem.removeprefix(_CLIP[name])}.parquet"
            if tables.is_dir()
            else None,
        )
        for path in found
    ]


def _data_files(folder: Path) -> Iterator[Path]:
    def failing(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=failing):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        for name in names:
            if not name.startswith((".", "_")) and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)

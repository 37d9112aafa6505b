"""Which table holds the rows of which shard: one each, on any file system.

A shard has the table of its own name, ``a/b.npy`` that of ``a/b.npy.parquet`` and ``c.parquet``
that of ``c.parquet``, unless that is

- a name that another shard would have too: ``a.npy`` beside ``a.npy.parquet``, or ``A.npy`` beside
  ``a.npy``, which are one file where case is ignored;
- a name that file systems refuse: longer than 255 bytes, or not UTF-8;
- a name that is built like those that such a shard has instead: a shortened one with 128 bits of
  SHA-256 over the whole one, ``a.npy~….parquet``.

Which names those are depends on all shards of a job; so the manifest and the summary say which
table is whose.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tailwatch.text_form import original

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["table_names"]

_SUFFIX = ".parquet"
_LONGEST_NAME, _LONGEST_PATH, _LONGEST_STEM = 255, 1000, 120
_HASHED = re.compile(r"~[0-9a-f]{32}\.parquet", re.IGNORECASE)
# Whatever a file system may take for something else.
_ODD = re.compile(r"[^\w.=+,@-]", re.ASCII)


def table_names(shards: Iterable[str]) -> dict[str, str]:
    """Give the table of each shard, as a path with ``/`` that is plain UTF-8.

    Parameters
    ----------
    shards
        Different names, as :class:`~tailwatch.io.layouts.Shard` has them.

    Examples
    --------
    >>> table_names(["a.npy", "b/c.parquet"])
    {'a.npy': 'a.npy.parquet', 'b/c.parquet': 'b/c.parquet'}
    >>> found = table_names(["a.npy", "a.npy.parquet"])
    >>> [name.partition("~")[0] for name in found.values()]
    ['a.npy', 'a.npy']
    """
    plain = {shard: _plain(shard) for shard in shards}
    folders = {
        _folded(str(parent))
        for shard in plain
        for parent in PurePosixPath(_folder(shard), "name").parents
    }
    taken = Counter(_folded(name) for name in plain.values() if name is not None)
    return {
        shard: name
        if name is not None and taken[_folded(name)] == 1 and _folded(name) not in folders
        else _hashed(shard)
        for shard, name in plain.items()
    }


def _plain(shard: str) -> str | None:
    """Give the table of a shard's own name, if it can have it."""
    name = shard if shard.lower().endswith(_SUFFIX) else f"{shard}{_SUFFIX}"
    return name if _is_sound(shard, name) and not _HASHED.search(name) else None


def _is_sound(shard: str, name: str) -> bool:
    """Tell whether any file system takes a name: it needed no escapes, and is not too long."""
    parts = name.encode().split(b"/")
    return (
        shard == original(shard)
        and len(name.encode()) <= _LONGEST_PATH
        and max(map(len, parts)) <= _LONGEST_NAME
    )


def _folder(shard: str) -> str:
    """Give the folder of a shard's table: that of the shard, where it can have it."""
    folder = shard.rpartition("/")[0]
    return folder if folder and _is_sound(folder, f"{folder}/{'-' * _LONGEST_NAME}") else "."


def _hashed(shard: str) -> str:
    stem = _ODD.sub("_", shard.rpartition("/")[2])
    if stem.lower().endswith(_SUFFIX):
        stem = stem[: -len(_SUFFIX)]
    digest = hashlib.sha256(shard.encode()).hexdigest()[:32]
    return str(PurePosixPath(_folder(shard), f"{stem[:_LONGEST_STEM]}~{digest}{_SUFFIX}"))


def _folded(name: str) -> str:
    """Give what names have in common that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())

"""The file ``pack.json``: what a folder that :func:`~tailwatch.io.pack.pack` wrote holds.

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
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tailwatch.exceptions import SourceError
from tailwatch.owned import owned_file, read_owned
from tailwatch.text_form import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "ARRAYS",
    "MANIFEST",
    "TABLES_BESIDE",
    "Pack",
    "array_path",
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


@dataclass(frozen=True, slots=True)
class Pack:
    """What a packed folder holds; the fields are those of the file."""

    columns: int
    dtype: str
    rows: int
    metadata: bool
    shards: tuple[int, ...]


def array_path(folder: Path, number: int) -> Path:
    """Name the array of a shard."""
    return folder / ARRAYS / f"{number:05}.npy"


def table_path(folder: Path, number: int) -> Path:
    """Name the table of a shard."""
    return folder / TABLES_BESIDE / f"{number:05}.parquet"


def shard_files(folder: Path, number: int, pack: Pack) -> tuple[Path, Path | None]:
    """Give the files of a shard, where they are files of the folder's own.

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
        raise SourceError(msg, argument=argument) from error
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
    """Give what was expected and what came instead, of what is wrong; the first is right."""
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

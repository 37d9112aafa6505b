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
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tailwatch.exceptions import SourceError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MANIFEST", "Pack", "array_path", "read_pack", "table_path", "write_pack"]

MANIFEST: Final = "pack.json"
_FORMAT: Final = "tailwatch-pack"
_LARGEST = 1 << 26


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
    return folder / "embeddings" / f"{number:05}.npy"


def table_path(folder: Path, number: int) -> Path:
    """Name the table of a shard."""
    return folder / "metadata" / f"{number:05}.parquet"


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
    file = folder / MANIFEST
    try:
        content = json.loads(file.read_bytes()[:_LARGEST])
        return _checked(content)
    except OSError as error:
        message = f"{argument}: cannot read {file}: {error.strerror}"
        raise SourceError(message) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        message = f"{argument}: {file} does not describe a packed folder: {error}"
        raise SourceError(message) from error


def _checked(content: Any) -> Pack:  # noqa: ANN401  (whatever JSON holds)
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        message = f"expected the format {_FORMAT}"
        raise ValueError(message)
    if content["version"] != 1:
        message = f"expected version 1, got {content['version']!r}"
        raise ValueError(message)
    shards = content["shards"]
    counts = [content["columns"], content["rows"], *shards]
    if not shards or not all(type(count) is int and count > 0 for count in counts):
        message = "expected numbers of rows and columns of at least 1"
        raise ValueError(message)
    if sum(shards) != content["rows"]:
        message = f"expected {content['rows']} rows in all shards, got {sum(shards)}"
        raise ValueError(message)
    return Pack(
        content["columns"],
        str(content["dtype"]),
        content["rows"],
        bool(content["metadata"]),
        tuple(shards),
    )

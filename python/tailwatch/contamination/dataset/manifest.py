r"""What is done, line by line, so that a run that was killed can go on.

The first line says what is run; each further line is about a shard, and a later line about the same
shard replaces an earlier one. A line is written after the file it speaks of, so a shard is done if,
and only if, both are there. Lines are appended while the job runs; at its end the file is written
anew, in the order of the shards.

=============  ===============================================================================
field          content
=============  ===============================================================================
``shard``      name
``stage``      ``"scored"``: its scores are kept; ``"done"``: its table is written
``rows``       of the shard
``source``     bytes and time of the last change (nanoseconds) of each of its files
``target``     digest of the counts behind the probabilities and q-values of its table
=============  ===============================================================================
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Entry", "Manifest"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a shard; the fields are those of a line."""

    shard: str
    stage: str
    rows: int
    source: tuple[tuple[int, int], ...]
    target: str | None


class Manifest:
    """The file, and what it says.

    Parameters
    ----------
    path
        The file.
    header
        What is run.

    Raises
    ------
    InputError
        The file speaks of another run, or is damaged.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._path = path
        self._header = header
        self.entries: dict[str, Entry] = {}
        if path.exists():
            self._read()
        else:
            write_atomically(path, lambda file: file.write_text(_line(header), encoding="ascii"))

    def add(self, entry: Entry) -> None:
        """Write down that something is done."""
        self.entries[entry.shard] = entry
        with self._path.open("ab") as file:
            file.write(_line(asdict(entry)).encode())
            file.flush()
            os.fsync(file.fileno())

    def settle(self, shards: Iterable[str]) -> None:
        """Write the file anew: one line for each shard, in order."""
        lines = [asdict(self.entries[shard]) for shard in shards if shard in self.entries]
        text = "".join(map(_line, [self._header, *lines]))
        write_atomically(self._path, lambda file: file.write_text(text, encoding="ascii"))

    def _read(self) -> None:
        data = self._path.read_bytes()
        whole = data.rfind(b"\n") + 1
        try:
            header, *lines = [json.loads(line) for line in data[:whole].splitlines()]
            entries = [_entry(line) for line in lines]
        except (ValueError, TypeError, KeyError) as error:
            message = f"out_dir: {self._path} is damaged ({error}); resume=False starts anew"
            raise InputError(message) from error
        for name, value in self._header.items():
            if header.get(name) != value:
                message = (
                    f"out_dir: {self._path.parent} holds a run with {name} {header.get(name)!r}, "
                    f"and this one has {value!r}; give another folder, or resume=False "
                    "to replace it"
                )
                raise InputError(message)
        self.entries = {entry.shard: entry for entry in entries}
        if whole < len(data):
            # The line that a killed run was writing.
            os.truncate(self._path, whole)


def _entry(line: dict[str, Any]) -> Entry:
    source = tuple((int(size), int(modified)) for size, modified in line["source"])
    return Entry(str(line["shard"]), str(line["stage"]), int(line["rows"]), source, line["target"])


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":")) + "\n"

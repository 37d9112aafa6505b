r"""What is done, line by line, so that a run that was killed can go on.

The first line says what is run, and thereby that the folder is of a job; each further line is about
a shard. A line is written before the table that it speaks of is put in its place, and has its
SHA-256: a shard is done if, and only if, a table with the bytes that a line names is there, and
every table that a job may have written is named. Lines are appended while the job runs; at its end
the file is written anew, one line for each shard, in their order.

=============  ===============================================================================
field          content
=============  ===============================================================================
``shard``      name
``stage``      ``"scored"``: its scores are kept; ``"done"``: its table is written
``table``      where, below ``work/`` or ``shards/``
``rows``       of the shard
``source``     bytes, times of the last change of content and of anything (nanoseconds), and file
               number of each of its files
``target``     digest of the counts behind the probabilities and q-values of its table
``sha256``     of the table
=============  ===============================================================================

Each shard has a table of its own, on any file system: that of its own name, ``a/b.npy`` that of
``a/b.npy.parquet`` and ``c.parquet`` that of ``c.parquet``, unless that is

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
import json
import os
import re
import unicodedata
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, OutputError
from tailwatch.text_form import original, path_text, shortened, shown, visible
from tailwatch.writing import open_owned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tailwatch.contamination.dataset.folder import Folder

__all__ = ["FORMAT", "Entry", "Manifest", "Stamps", "table_names"]

FORMAT = "tailwatch-contamination-run"
Stamps = tuple[tuple[int, int, int, int], ...]
"""Of each file of a shard, what changes when it does."""

_LONGEST_FIRST = 1 << 20
_HEX = re.compile(r"[0-9a-f]{64}")
_TARGET = re.compile(r"[0-9a-f]{32}")

_SUFFIX = ".parquet"
_LONGEST_NAME, _LONGEST_PATH, _LONGEST_STEM = 255, 1000, 120
_HASHED = re.compile(r"~[0-9a-f]{32}\.parquet", re.IGNORECASE)
# Whatever a file system may take for something else.
_ODD = re.compile(r"[^\w.=+,@-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a shard; the fields are those of a line."""

    shard: str
    stage: str
    table: str
    rows: int
    source: Stamps
    target: str | None
    sha256: str


class Manifest:
    """The file, and what it says.

    Parameters
    ----------
    folder
        The folder of the job.
    header
        What is run.
    restart
        Whether all that a run in the folder wrote is removed first.
    tables
        Tables that this run may write.

    Raises
    ------
    InputError
        The file speaks of another run, or is damaged.
    OutputError
        The folder is of something else.
    """

    def __init__(
        self, folder: Folder, header: dict[str, Any], *, restart: bool, tables: Iterable[str]
    ) -> None:
        self._folder = folder
        self._header = header
        self.entries: dict[str, list[Entry]] = {}
        if not os.path.lexists(folder.manifest):
            folder.check_vacant()
            self._begin()
            return
        folder.check_own()
        self._check_claim()
        if restart:
            folder.clear([*self._claimed_tables(), *tables])
            self._begin()
        else:
            self._read()

    def last(self, shard: str) -> Entry:
        """Return the last line about a shard."""
        return self.entries[shard][-1]

    def add(self, entry: Entry) -> None:
        """Write down what is about to be put in its place."""
        self.entries.setdefault(entry.shard, []).append(entry)
        self._append(_line(asdict(entry)))

    def settle(self, shards: Iterable[str]) -> None:
        """Write the file anew: one line for each shard, in order."""
        lines = [asdict(self.last(shard)) for shard in shards if shard in self.entries]
        text = "".join(map(_line, [self._header, *lines]))
        self._folder.write(
            self._folder.manifest, lambda file: file.write_text(text, encoding="ascii")
        )

    def _begin(self) -> None:
        """Write the first line into a file that nobody else has made meanwhile."""
        line = _line(self._header).encode()
        with _unnamed(self._folder.root) as unnamed:
            if unnamed is not None:
                _write_all(unnamed, line)
                # Given a folder, which an absolute path makes no use of, Python follows the link.
                os.link(f"/proc/self/fd/{unnamed}", self._folder.manifest, src_dir_fd=unnamed)
                return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        file = os.open(self._folder.manifest, flags, 0o666)
        try:
            _write_all(file, line)
        finally:
            os.close(file)

    def _append(self, line: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        file = os.open(self._folder.manifest, flags | getattr(os, "O_BINARY", 0))
        try:
            _write_all(file, line.encode())
        finally:
            os.close(file)

    def _check_claim(self) -> None:
        """Refuse a manifest whose first line is not that of a job."""
        with open_owned(self._folder.root, self._folder.manifest.name) as file:
            first = file.readline(_LONGEST_FIRST)
        try:
            said = json.loads(first)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            name = path_text(self._folder.manifest)
            msg = f"{name} is not of a run of score_dataset"
            raise OutputError(
                msg,
                argument="out_dir",
                expected="a folder that is new, or of a run of score_dataset",
                got=f"one with another {self._folder.manifest.name}, or a damaged one",
                where=name,
                hint="give another folder",
            )

    def _lines(self) -> tuple[bytes, int]:
        """Return all lines that are whole, and the bytes of the file."""
        with open_owned(self._folder.root, self._folder.manifest.name) as file:
            data = file.read()
        return data[: data.rfind(b"\n") + 1], len(data)

    def _claimed_tables(self) -> list[str]:
        """Return the tables of all lines that can be read."""
        found = []
        for line in self._lines()[0].split(b"\n")[1:-1]:
            try:
                found.append(_entry(json.loads(line)).table)
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        return found

    def _read(self) -> None:
        name = path_text(self._folder.manifest)
        whole, size = self._lines()
        try:
            header, *lines = [json.loads(line) for line in whole.split(b"\n")[:-1]]
            entries = [_entry(line) for line in lines]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            msg = f"{name} is damaged ({shown(f'{error}')})"
            raise InputError(
                msg,
                argument="out_dir",
                expected="the lines that a run wrote",
                got=f"{type(error).__name__}",
                where=name,
                hint="resume=False starts anew",
            ) from error
        self._check_same(header)
        for entry in entries:
            self.entries.setdefault(entry.shard, []).append(entry)
        if len(whole) < size or self._folder.manifest.stat().st_nlink > 1:
            # The line that a killed run was writing; or a file that has another name elsewhere,
            # where nothing must be added to it.
            self._folder.write(self._folder.manifest, lambda file: file.write_bytes(whole))

    def _check_same(self, header: dict[str, Any]) -> None:
        """Refuse a run of other arguments."""
        for name in [*self._header, *header]:
            if header.get(name) == self._header.get(name) and (name in header) == (
                name in self._header
            ):
                continue
            there, here = (_short(each.get(name)) for each in (header, self._header))
            msg = (
                f"{path_text(self._folder.root)} holds a run with {name} {there}, and this one "
                f"has {here}"
            )
            raise InputError(
                msg,
                argument="out_dir",
                expected=f"{name} {here}",
                got=there,
                where=path_text(self._folder.manifest),
                hint="give another folder, or resume=False to replace it",
            )


def table_names(shards: Iterable[str]) -> dict[str, str]:
    """Return the table of each shard, as a path with ``/`` that is plain UTF-8.

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
    plain = {shard: _plain_name(shard) for shard in shards}
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


@contextmanager
def _unnamed(root: Path) -> Iterator[int | None]:
    """Return a file without a name, where the system has such; killed, it leaves nothing."""
    file = None
    if hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir():
        # Some file systems have none.
        with suppress(OSError):
            file = os.open(root, os.O_TMPFILE | os.O_WRONLY, 0o666)
    try:
        yield file
    finally:
        if file is not None:
            os.close(file)


def _write_all(file: int, data: bytes) -> None:
    """Write and keep."""
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


def _entry(line: dict[str, Any]) -> Entry:
    """Check a line: what no run can have written is refused."""
    if set(line) != set(Entry.__slots__):
        message = "expected the fields of a line"
        raise ValueError(message)
    entry = Entry(**line | {"source": tuple(map(tuple, line["source"]))})
    table = PurePosixPath(entry.table)
    checks = {
        "shard": type(line["shard"]) is str,
        "stage": entry.stage in {"scored", "done"},
        "table": len(table.parts) > 0 and not table.is_absolute() and ".." not in table.parts,
        "rows": _is_count(entry.rows),
        "source": len(entry.source) > 0
        and all(len(each) == 4 and all(map(_is_integer, each)) for each in line["source"]),
        "target": entry.stage == "scored"
        if entry.target is None
        else entry.stage == "done" and bool(_TARGET.fullmatch(entry.target)),
        "sha256": bool(_HEX.fullmatch(entry.sha256)),
    }
    wrong = [name for name, good in checks.items() if not good]
    if wrong:
        message = f"{wrong[0]}: {line[wrong[0]]!r:.80}"
        raise ValueError(message)
    return entry


def _short(value: object) -> str:
    return shortened(visible(f"{value!r}"), 200)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_integer(value: object) -> bool:
    return type(value) is int and abs(value) < 2**64


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":")) + "\n"


def _plain_name(shard: str) -> str | None:
    """Return the table of a shard's own name, if it can have it."""
    name = shard if shard.lower().endswith(_SUFFIX) else f"{shard}{_SUFFIX}"
    return name if _is_sound(shard, name) and not _HASHED.search(name) else None


def _is_sound(shard: str, name: str) -> bool:
    """Return whether any file system takes a name: it needed no escapes, and is not too long."""
    parts = name.encode().split(b"/")
    return (
        shard == original(shard)
        and len(name.encode()) <= _LONGEST_PATH
        and max(map(len, parts)) <= _LONGEST_NAME
    )


def _folder(shard: str) -> str:
    """Return the folder of a shard's table: that of the shard, where it can have it."""
    folder = shard.rpartition("/")[0]
    return folder if folder and _is_sound(folder, f"{folder}/{'-' * _LONGEST_NAME}") else "."


def _hashed(shard: str) -> str:
    stem = _ODD.sub("_", shard.rpartition("/")[2])
    if stem.lower().endswith(_SUFFIX):
        stem = stem[: -len(_SUFFIX)]
    digest = hashlib.sha256(shard.encode()).hexdigest()[:32]
    return str(PurePosixPath(_folder(shard), f"{stem[:_LONGEST_STEM]}~{digest}{_SUFFIX}"))


def _folded(name: str) -> str:
    """Return what names have in common that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())

"""Which files of a plain folder are data, and what is said of all others.

Nothing is passed over in silence: a file of a folder is data, or is *left out* with a reason, or
the folder is refused.

==========================================  ======================================================
data                                        files whose suffix is read, in folders of any depth,
                                            those that a link leads to too; of Hive those whose
                                            name begins with ``_`` and holds ``=``
left out: names that begin with ``.``, ``_``  what writers of tables put beside their data
left out: suffixes                          formats that are not read
left out: ours                              folders of ``pack``, results of ``score_dataset``
left out: caches                            ``cache-*.arrow`` of Hugging Face Datasets, and what
                                            its ``state.json`` does not name
left out: twice                             links to what is read anyway
refused                                     tables whose log says which rows are valid: Delta,
                                            Iceberg, Hudi
==========================================  ======================================================

Cost: a look at each name; files are not opened, but for manifests of tailwatch and of caches.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tailwatch.exceptions import SourceError, TailwatchError
from tailwatch.text_form import path_text
from tailwatch.writing import open_owned, read_owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["SUFFIXES", "TABLES", "Notes", "Omission", "Walk", "is_hidden", "maker_of"]

TABLES: Final = (".parquet", ".arrow", ".feather", ".ipc")
SUFFIXES: Final = (".npy", ".npz", *TABLES)

NAMED: Final = 10
"""Names that are kept of what was left out for one reason."""

SAID: Final = 3
"""Names that a line of text gives of them."""

HIDDEN: Final = "names that begin with '.' or '_' are not data"
PACKED: Final = "a folder that pack wrote; it is a source of its own"
RESULTS: Final = "results of score_dataset"
CACHE: Final = "a cache of Hugging Face Datasets"
TWICE: Final = "a link to what is read anyway"
ABOVE: Final = "a link to a folder that holds the source"

_CACHED = re.compile(r"cache-[0-9a-zA-Z]+(_\d+_of_\d+)?\.arrow")
_LOGS = {"_delta_log": "Delta Lake", ".hoodie": "Hudi"}
_LARGEST = 1 << 24
# Format of a run of score_dataset; the module of its manifest knows the rest of the line.
_RUN = "tailwatch-contamination-run"
_OF_RUN = ("shards", "work", "manifest.jsonl", "report.html", "summary.json", "times.json")


@dataclass(frozen=True, slots=True)
class Omission:
    """Files of a source that are not read, for one reason.

    Attributes
    ----------
    reason
        Reason, in words.
    files
        Number of files.
    names
        Names of the first files, or of the folders that they are in, as text.
    """

    reason: str
    files: int
    names: tuple[str, ...]

    def __str__(self) -> str:
        """Return a line with the reason, the number of files and the first names."""
        names = ", ".join(self.names[:SAID]) + (", …" if self.files > SAID else "")
        return f"left out: {self.files:,} × {self.reason}: {names}"


class Notes:
    """What is left out, by reason."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._found: dict[str, tuple[int, list[str]]] = {}

    def add(self, path: Path, reason: str, files: int = 1) -> None:
        """Note a file, or a folder of so many."""
        count, names = self._found.get(reason, (0, []))
        inside = path.relative_to(self._root) if path.is_relative_to(self._root) else path
        names = sorted([*names, path_text(inside)])[:NAMED]
        self._found[reason] = count + files, names

    def add_folder(self, folder: Path, reason: str) -> None:
        """Note all files of a folder; links in it are not followed."""
        count = sum(len(names) for _, _, names in os.walk(folder))
        if count:
            self.add(folder, reason, count)

    def all(self) -> tuple[Omission, ...]:
        """Return what was noted, by reason."""
        return tuple(Omission(reason, *self._listed(reason)) for reason in sorted(self._found))

    def _listed(self, reason: str) -> tuple[int, tuple[str, ...]]:
        count, names = self._found[reason]
        return count, tuple(names)


def is_hidden(name: str) -> bool:
    """Return whether writers of tables put no data under a name; ``_lang=en`` of Hive is data."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def maker_of(folder: Path) -> str | None:
    """Return why files of a folder that tailwatch wrote are no data, by the folder's manifest."""
    if _says(folder, "pack.json", "tailwatch-pack"):
        return PACKED
    return RESULTS if _says(folder, "manifest.jsonl", _RUN) else None


class Walk:
    """A plain folder, walked once.

    Parameters
    ----------
    root
        The folder.
    argument
        Name of the argument, for the text of an error.
    out
        A folder of results that is no part of the source; what a run writes there is passed by.

    Attributes
    ----------
    found
        The data, in no order.
    """

    def __init__(self, root: Path, argument: str, out: Path | None = None) -> None:
        self.found: list[Path] = []
        self._root = root
        self._argument = argument
        self._out = None if out is None else _identity(out)
        self._notes = Notes(root)
        self._seen: set[tuple[int, int]] = set()
        self._linked_folders: list[Path] = []
        self._linked_files: list[Path] = []

    def run(self) -> tuple[Omission, ...]:
        """Walk the folder, and return what was left out.

        Raises
        ------
        SourceError
            The folder is a table of which this cannot tell which rows are valid.
        OSError
            A folder cannot be read.
        """
        self._walk(self._root)
        above = {_identity(parent) for parent in self._root.resolve().parents}
        while self._linked_folders:
            link = self._linked_folders.pop(0)
            identity = _identity(link)
            if identity in above:
                self._notes.add(link, ABOVE)
            elif identity is None or identity in self._seen:
                self._notes.add(link, TWICE)
            else:
                self._walk(link)
                self._linked_folders.sort()
        self._take_linked_files()
        return self._notes.all()

    def _walk(self, start: Path) -> None:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            identity = _identity(folder)
            if identity is None or identity in self._seen:
                continue
            self._seen.add(identity)
            waiting += self._folders(folder)
        self._linked_folders.sort()

    def _folders(self, folder: Path) -> Iterator[Path]:
        """Sort what is in a folder, and give the folders in it that may hold data."""
        with os.scandir(folder) as scanned:
            entries = {entry.name: entry for entry in scanned}
        self._refuse_logs(folder, set(entries))
        passed = self._ours(folder, set(entries))
        named = _named_files(folder, set(entries))
        for name in sorted(entries):
            path, entry = folder / name, entries[name]
            is_folder = _is_folder(entry)
            if name in passed:
                self._pass(path, passed[name], is_folder=is_folder)
            elif is_hidden(name):
                self._pass(path, HIDDEN, is_folder=is_folder)
            elif is_folder and entry.is_symlink():
                self._linked_folders.append(path)
            elif is_folder:
                if maker_of(path) == PACKED:
                    self._notes.add_folder(path, PACKED)
                else:
                    yield path
            else:
                self._file(path, named, linked=entry.is_symlink())

    def _file(self, path: Path, named: set[str] | None, *, linked: bool) -> None:
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            self._notes.add(path, unread(suffix))
        elif suffix == ".arrow" and (
            _CACHED.fullmatch(path.name) if named is None else path.name not in named
        ):
            self._notes.add(path, CACHE)
        elif linked:
            self._linked_files.append(path)
        else:
            self.found.append(path)

    def _pass(self, path: Path, reason: str | None, *, is_folder: bool) -> None:
        if reason is None:
            return
        if is_folder and not path.is_symlink():
            self._notes.add_folder(path, reason)
        else:
            self._notes.add(path, reason)

    def _ours(self, folder: Path, names: set[str]) -> dict[str, str | None]:
        """Return the names of what a run of score_dataset wrote, and what to say of them."""
        if "manifest.jsonl" not in names or maker_of(folder) != RESULTS:
            return {}
        # Of this very run nothing is said: at its first start there was nothing.
        reason = None if _identity(folder) == self._out else RESULTS
        return dict.fromkeys(_OF_RUN, reason)

    def _refuse_logs(self, folder: Path, names: set[str]) -> None:
        kind = next((kind for name, kind in _LOGS.items() if name in names), None)
        if kind is None and "metadata" in names:
            metadata = folder / "metadata"
            if metadata.is_dir() and any(metadata.glob("*.metadata.json")):
                kind = "Iceberg"
        if kind is not None:
            raise SourceError(
                argument=f"{self._argument}: {path_text(folder)}",
                expected="a folder whose files are all data",
                got=f"a table of {kind}, whose log tells which rows are valid",
                hint="write the rows of its present version to plain Parquet files",
            )

    def _take_linked_files(self) -> None:
        """Add the files that links lead to, but for those that are read under their own name."""
        if not self._linked_files:
            return
        read = {_identity(path) for path in self.found} - {None}
        for path in sorted(self._linked_files):
            if _identity(path) in read:
                self._notes.add(path, TWICE)
            else:
                self.found.append(path)


def unread(suffix: str) -> str:
    """Return why a file of a suffix is left out."""
    if not suffix:
        return "files without a suffix are not read"
    return f"files that end in {path_text(suffix)} are not read"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder; a link that leads nowhere fails later, as a file."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _says(folder: Path, name: str, kind: str) -> bool:
    """Return whether the first line of a file in a folder is an object of a format."""

    def first() -> bytes:
        with open_owned(folder, name) as file:
            return file.readline(_LARGEST)

    content = _object(first)
    return content is not None and content.get("format") == kind


def _named_files(folder: Path, names: set[str]) -> set[str] | None:
    """Return the files that the ``state.json`` of a saved data set of Hugging Face names."""
    if "state.json" not in names:
        return None
    content = _object(lambda: read_owned(folder, "state.json", most=_LARGEST))
    files = None if content is None else content.get("_data_files")
    if not isinstance(files, list):
        return None
    return {str(each.get("filename")) for each in files if isinstance(each, dict)}


def _object(read: Callable[[], bytes]) -> dict[str, Any] | None:
    try:
        content = json.loads(read())
    except (OSError, TailwatchError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None

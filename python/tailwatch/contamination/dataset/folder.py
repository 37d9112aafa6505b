"""The output folder of a job: its files, its lock, and what is said where it cannot be written.

A folder is a job's own if the first line of its ``manifest.jsonl`` says so; in any other nothing is
replaced or removed. In a job's own folder just that is touched which the job wrote: the tables that
its manifest names, its four other files, and ``work/attempts/``. Links are never followed there,
but refused by name.

All is written to ``work/attempts/`` first, under a name of that attempt alone, and renamed to its
place. So an attempt that was killed leaves nothing elsewhere, and one that is late, or is doubled,
touches no file of another. What is left there is removed at the start and at the end.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch.exceptions import OutputError, TailwatchError
from tailwatch.text_form import path_text
from tailwatch.writing import make_owned, owned_directory, owned_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Folder", "open_folder", "settle"]

ATTEMPTS = "work/attempts"
_ATTEMPT = re.compile(r"[0-9a-f]{32}\.part")
_FILES = ("summary.json", "report.html", "times.json")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a job writes.

    Attributes
    ----------
    root
        The folder.
    """

    root: Path

    @property
    def manifest(self) -> Path:
        """What is done."""
        return self.root / "manifest.jsonl"

    @property
    def summary(self) -> Path:
        """The result; there only if all tables are."""
        return self.root / "summary.json"

    @property
    def page(self) -> Path:
        """The result for people; written last."""
        return self.root / "report.html"

    @property
    def times(self) -> Path:
        """When the job ran: all that differs from one run to another."""
        return self.root / "times.json"

    @property
    def attempts(self) -> Path:
        """What is not at its place yet."""
        return self.root / ATTEMPTS

    def rows(self, table: str) -> Path:
        """Name the table of a shard's rows."""
        return self.root / "shards" / table

    def scores(self, table: str) -> Path:
        """Name the table of a shard's scores, which is there until that of its rows is."""
        return self.root / "work" / table

    def check_vacant(self) -> None:
        """Refuse a folder that holds such files without a manifest: they are somebody else's.

        Raises
        ------
        OutputError
            There is one.
        """
        for name in ("shards", "work", *_FILES):
            if os.path.lexists(self.root / name):
                msg = f"{path_text(self.root / name)} is not of a run of score_dataset"
                raise OutputError(
                    msg,
                    argument="out_dir",
                    expected="a folder that is new, or of a run of score_dataset",
                    got=f"one with {name} and without its manifest.jsonl",
                    hint="give another folder",
                )

    def check_own(self) -> None:
        """Refuse links, devices and the like among the files of a job.

        Raises
        ------
        OutputError
            There is one; it is named.
        """
        for name in ("manifest.jsonl", *_FILES):
            owned_file(self.root, name, error=OutputError)
        for name in ("shards", "work"):
            owned_directory(self.root, name, error=OutputError)
            for parent, folders, _ in os.walk(self.root / name):
                for each in folders:
                    inside = Path(parent, each).relative_to(self.root)
                    owned_directory(self.root, inside, error=OutputError)

    def clear(self, tables: Iterable[str]) -> None:
        """Remove all that a job wrote, or nothing if anything else is among it.

        Parameters
        ----------
        tables
            Those that the job may have written.

        Raises
        ------
        OutputError
            There are files that are not of the job.
        """
        own = {
            path
            for table in tables
            for path in (self.rows(table), self.scores(table))
            if path.is_file()
        }
        others = [path for path in self._inside("shards", "work") if path not in own]
        others = [path for path in others if not self._is_attempt(path)]
        if others:
            listed = ", ".join(path_text(path) for path in sorted(others)[:_NAMED])
            more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
            msg = f"{listed}{more} is not of this run; nothing was removed"
            raise OutputError(
                msg,
                argument="out_dir",
                expected="a folder of a run of score_dataset and nothing else in its shards/",
                got=f"{listed}{more}",
                hint="move it away, or give another folder",
            )
        for path in own:
            self.remove(path)
        for name in _FILES:
            self.remove(self.root / name)
        self.drop_work(())
        self._drop_empty(self.root / "shards")
        self.remove(self.manifest)

    def sweep(self) -> None:
        """Remove what attempts left that were killed."""
        for path in self._inside(ATTEMPTS):
            if self._is_attempt(path):
                path.unlink(missing_ok=True)

    def drop_work(self, tables: Iterable[str]) -> None:
        """Remove what was needed until the end."""
        for table in tables:
            self.remove(self.scores(table))
        self.sweep()
        self._drop_empty(self.root / "work")

    def remove(self, path: Path) -> None:
        """Remove a file of the job's own; it may be missing."""
        owned_file(self.root, path.relative_to(self.root), error=OutputError).unlink(
            missing_ok=True
        )

    @contextmanager
    def attempt(self) -> Iterator[Path]:
        """Return a file that nothing else writes to, gone afterwards unless it was published."""
        make_owned(self.root, ATTEMPTS)
        path = self.attempts / f"{secrets.token_hex(16)}.part"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def publish(self, attempt: Path, path: Path) -> None:
        """Put a written file in its place.

        Raises
        ------
        OutputError
            A link or a device is in its place, or on the way.
        """
        name = path.relative_to(self.root)
        if name.parent.parts:
            make_owned(self.root, name.parent)
        owned_file(self.root, name, error=OutputError)
        with suppress(FileNotFoundError):
            # What few may read does not become readable by all.
            shutil.copymode(path, attempt)
        attempt.replace(path)

    def write(self, path: Path, write: Callable[[Path], object]) -> None:
        """Let a function write a file, and put it in its place, whole or not at all."""
        with self.attempt() as attempt:
            write(attempt)
            settle(attempt)
            self.publish(attempt, path)

    def _is_attempt(self, path: Path) -> bool:
        return path.parent == self.attempts and bool(_ATTEMPT.fullmatch(path.name))

    def _inside(self, *names: str) -> list[Path]:
        """Return all files below folders; a link is one, whatever it leads to."""
        found: list[Path] = []
        for name in names:
            owned_directory(self.root, name, error=OutputError)
            for parent, folders, files in os.walk(self.root / name):
                found += [Path(parent, each) for each in files]
                found += [Path(parent, each) for each in folders if Path(parent, each).is_symlink()]
        return found

    def _drop_empty(self, folder: Path) -> None:
        """Remove a folder and those in it, as far as they are empty."""
        for parent, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):
                Path(parent).rmdir()


def settle(path: Path) -> None:
    """Have the system write a file to its disk."""
    file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def open_folder(root: Path) -> Iterator[Folder]:
    """Make the folder, and hold it against other jobs.

    Raises
    ------
    OutputError
        It cannot be made or written, or another job writes to it.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        # Permission bits do not tell: root may write anyway, and to a read-only disk nobody may.
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        msg = f"cannot write to {path_text(root)}: {error.strerror}"
        raise OutputError(
            msg,
            argument="out_dir",
            expected="a folder that can be written to",
            got=error.strerror,
            where=path_text(root),
        ) from error
    with _lock(root) as handle, _writing(root):
        yield Folder(root if handle is None else _plain(root, handle))


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn an error of writing into one that says what is kept."""
    try:
        yield
    except TailwatchError:
        raise
    except OSError as error:
        file = path_text(error.filename) if error.filename else path_text(root)
        reason = error.strerror or f"{error}"
        msg = f"cannot write {file}: {reason}"
        raise OutputError(
            msg,
            argument="out_dir",
            expected="files that can be written",
            got=reason,
            where=file,
            hint="the shards that are done are kept, and the same call goes on from there",
        ) from error


def _plain(root: Path, handle: int) -> Path:
    """Return the folder a name in UTF-8: Polars takes no other."""
    try:
        os.fspath(root).encode()
    except UnicodeEncodeError:
        name = Path(f"/proc/self/fd/{handle}")
        return name if name.is_dir() else root
    return root


@contextmanager
def _lock(root: Path) -> Iterator[int | None]:
    """Hold the folder, and give its handle where it can be held."""
    try:
        import fcntl
    except ImportError:
        # There is none on Windows.
        yield None
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"another job writes to {path_text(root)}"
            raise OutputError(
                msg,
                argument="out_dir",
                expected="a folder that no other job writes to",
                got=path_text(root),
            ) from error
        except OSError:
            # Some network file systems have no locks.
            pass
        yield handle
    finally:
        os.close(handle)

"""The output folder of a job: its files, its lock, and what is said where it cannot be written."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.exceptions import OutputError, TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Folder", "output"]


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
        """The result; written last."""
        return self.root / "summary.json"

    @property
    def page(self) -> Path:
        """The result for people."""
        return self.root / "report.html"

    @property
    def times(self) -> Path:
        """When the job ran: all that differs from one run to another."""
        return self.root / "times.json"

    @property
    def work(self) -> Path:
        """What is removed at the end."""
        return self.root / "work"

    @property
    def shards(self) -> Path:
        """The tables of rows."""
        return self.root / "shards"

    def rows(self, shard: str) -> Path:
        """Name the table of a shard's rows."""
        return self.shards / table_name(shard)

    def scores(self, shard: str) -> Path:
        """Name the table of a shard's scores."""
        return self.work / table_name(shard)

    def check_vacant(self) -> None:
        """Refuse a folder that holds such files without a manifest: they are somebody else's.

        Raises
        ------
        OutputError
            There is one.
        """
        for path in (self.shards, self.work, self.summary, self.page, self.times):
            if path.exists():
                message = f"out_dir: {path} is not of a run of score_dataset; give another folder"
                raise OutputError(message)

    def clear(self) -> None:
        """Remove all that a job writes."""
        for folder in (self.work, self.shards):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.summary, self.page, self.times, self.manifest):
            file.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what a killed run left half-written."""
        for folder in (self.root, self.shards, self.work):
            found = folder.glob("*.part") if folder == self.root else folder.rglob("*.part")
            for file in found:
                if file.name.startswith("."):
                    file.unlink()


def table_name(shard: str) -> str:
    """Give a table's name; two shards of different names never share one."""
    return shard if shard.lower().endswith(".parquet") else f"{shard}.parquet"


@contextmanager
def output(root: Path) -> Iterator[Folder]:
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
        message = f"out_dir: cannot write to {root}: {error.strerror}"
        raise OutputError(message) from error
    with _lock(root), _writing(root):
        yield Folder(root)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Turn an error of writing into one that says what is kept."""
    try:
        yield
    except TailwatchError:
        raise
    except OSError as error:
        file = error.filename or root
        message = (
            f"out_dir: cannot write {file}: {error.strerror or error}; the shards that are done "
            "are kept, and the same call goes on from there"
        )
        raise OutputError(message) from error


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:
        # There is none on Windows.
        yield
        return
    handle = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"out_dir: another job writes to {root}"
            raise OutputError(message) from error
        except OSError:
            # Some network file systems have no locks.
            pass
        yield
    finally:
        os.close(handle)

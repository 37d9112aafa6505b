"""Where the generations of a run are kept: in memory while it lasts, or in a run directory.

==========================  ====================================================================
path                        content
==========================  ====================================================================
``run.json``                arguments, fingerprints of data, versions
``generations/0007/``       one folder per generation:
``… samples.npy``           what was sampled (or ``samples.parquet``, or ``samples/``)
``… model/``                what the model's ``save`` wrote, if it has one
``… metrics.parquet``       the rows of the frame
``… done``                  fingerprints of the above; written last, by rename
``frame.parquet``           the frame of the whole run, once it is finished
``report.html``             its page, once it is finished, if anything was measured
``times.json``              seconds by generation: the only file that may differ between runs
``.lock``                   while a run is at work: which process
==========================  ====================================================================

A generation counts when its ``done`` is there and names the samples and metrics that are; any other
is removed and computed again, with the same bytes. So nothing has to wait for the disk: what a
power failure leaves behind is found out.

Each of these is a file or a folder of the directory itself: a link in the place of one is refused
(:mod:`tailwatch.writing`). What a run does not write is left as it is.

The protocol, the store in memory and the one on disk are one file, though a long one: whoever
changes what a store does sees all three.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
import warnings
from typing import TYPE_CHECKING, Any, Protocol

from tailwatch.exceptions import InputError, OutputError, TailwatchError, TailwatchWarning
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import frame_of
from tailwatch.recursion.lock import LOCK, Lock
from tailwatch.recursion.participants import asking, differences
from tailwatch.recursion.reading import (
    DONE,
    FRAME,
    GENERATIONS,
    METRICS,
    RUN,
    STOPPED,
    folder_of,
    generations_of,
    is_file,
    read_arguments,
    read_done,
    read_json,
    read_metrics,
)
from tailwatch.text_form import path_text, visible
from tailwatch.writing import (
    fill,
    make_owned,
    owned_directory,
    owned_file,
    read_owned,
    remove_owned,
    write_owned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["Memory", "RunDirectory", "Store"]

REPORT, TIMES = "report.html", "times.json"
UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")
OF_A_GENERATION = frozenset(
    {"samples", "samples.npy", "samples.parquet", "model", METRICS, DONE},
)
FOLDERS = frozenset({"samples", "model"})

TIMES_SECONDS = 1.0
"""Times are written at the end, and at most so often before."""


class Store(Protocol):
    """Where the generations of a run are kept.

    Attributes
    ----------
    stopped
        Why the run that is there has fewer generations than it was asked for, if it was stopped.
    """

    stopped: str | None

    def has(self, generation: int) -> bool:
        """Return whether a generation is complete."""
        ...

    def rows(self, generation: int) -> list[Row]:
        """Return the rows of the frame that a generation has."""
        ...

    def samples(self, generation: int) -> Data:
        """Return what a generation sampled."""
        ...

    def keep(
        self,
        generation: int,
        *,
        model: Any,  # noqa: ANN401
        samples: Data,
        rows: Sequence[Row],
        seconds: Mapping[str, float],
    ) -> None:
        """Keep a generation."""
        ...

    def finish(
        self, frame: pl.DataFrame, page: Callable[[], str] | None, stopped: str | None
    ) -> None:
        """Keep what the run gave: its frame, a page if anything was measured, why it stopped."""
        ...

    def close(self) -> None:
        """Let others have the place."""
        ...


class Memory:
    """Keeps all samples: generations × size rows."""

    def __init__(self) -> None:
        self.stopped: str | None = None
        self._samples: dict[int, Data] = {}
        self._rows: dict[int, list[Row]] = {}

    def has(self, generation: int) -> bool:
        """Return whether a generation is complete."""
        return generation in self._samples

    def rows(self, generation: int) -> list[Row]:
        """Return the rows of the frame that a generation has."""
        return self._rows[generation]

    def samples(self, generation: int) -> Data:
        """Return what a generation sampled."""
        return self._samples[generation]

    def keep(
        self,
        generation: int,
        *,
        model: Any,  # noqa: ANN401, ARG002
        samples: Data,
        rows: Sequence[Row],
        seconds: Mapping[str, float],  # noqa: ARG002
    ) -> None:
        """Keep a generation."""
        self._samples[generation] = samples
        self._rows[generation] = list(rows)

    def finish(
        self, frame: pl.DataFrame, page: Callable[[], str] | None, stopped: str | None
    ) -> None:
        """Keep nothing more: the caller gets the run."""

    def close(self) -> None:
        """Hold nothing that others want."""


class RunDirectory:
    """Keeps the generations of a run on disk; :meth:`close` lets others have the directory.

    Parameters
    ----------
    path
        The directory; made if it is not there.
    arguments
        What the run is, as JSON takes it.
    human
        Data of the kind that the samples are.
    resume
        Whether a run that is there already is gone on with.
    """

    def __init__(
        self, path: Path, arguments: Mapping[str, Any], human: Data, *, resume: bool
    ) -> None:
        self.path, self._human = path, human
        self.stopped: str | None = None
        self._arguments = arguments
        rows_of.check_stored(human)
        self._latest: tuple[int, Data] | None = None
        self._rows: dict[int, Sequence[Row]] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                problem=f"cannot create {path_text(path)} ({error.strerror})",
                argument="directory",
                expected="a directory that can be created",
                got=error.strerror,
                where=path_text(path),
            ) from error
        self._lock = Lock(path)
        try:
            self._open(arguments, resume=resume)
        except BaseException:
            self.close()
            raise

    def _open(self, arguments: Mapping[str, Any], *, resume: bool) -> None:
        path = self.path
        for name in (RUN, FRAME, REPORT, TIMES):
            owned_file(path, name, error=OutputError)
        owned_directory(path, GENERATIONS, error=OutputError)
        entries = sorted(entry.name for entry in path.iterdir() if entry.name != LOCK)
        unfinished = [name for name in entries if UNFINISHED.fullmatch(name)]
        if RUN in entries:
            self._check(arguments, resume=resume)
        elif len(entries) > len(unfinished):
            other = next(name for name in entries if name not in unfinished)
            raise InputError(
                argument="directory",
                expected="an empty directory or one of a run",
                got=f"{path_text(path)}, which holds {visible(other)}",
            )
        for name in unfinished:
            remove_owned(path, name)
        self._describe()
        make_owned(path, GENERATIONS)
        generations_of(path)
        self._times = self._read_times()
        self._timed = time.monotonic()
        self._is_whole = is_file(path, FRAME)

    def close(self) -> None:
        """Let others have the directory."""
        self._lock.release()

    def has(self, generation: int) -> bool:
        """Return whether a generation is complete; what is not is removed."""
        folder = folder_of(generation)
        if not owned_directory(self.path, folder, error=OutputError).exists():
            return False
        if is_file(self.path, f"{folder}/{DONE}"):
            damage = self._damage(generation)
            if damage is None:
                return True
            warnings.warn(
                f"directory: {path_text(self.path / folder)} is damaged and computed again: "
                f"{visible(damage)}",
                TailwatchWarning,
                stacklevel=2,
            )
        self._remove(folder)
        return False

    def rows(self, generation: int) -> list[Row]:
        """Read the rows of the frame that a generation has."""
        if generation in self._rows:
            return list(self._rows[generation])
        return read_metrics(self.path, generation).to_dicts()

    def samples(self, generation: int) -> Data:
        """Read what a generation sampled; that of the latest is at hand."""
        if self._latest is None or self._latest[0] != generation:
            folder = owned_directory(self.path, folder_of(generation))
            return rows_of.read(self._human, folder)
        return self._latest[1]

    def keep(
        self,
        generation: int,
        *,
        model: Any,  # noqa: ANN401  (what a learner fitted)
        samples: Data,
        rows: Sequence[Row],
        seconds: Mapping[str, float],
    ) -> None:
        """Write a generation, `done` last."""
        if self._is_whole:
            # Of a run that goes on, they say less than there is.
            remove_owned(self.path, FRAME)
            remove_owned(self.path, REPORT)
            self._is_whole = False
        if self.stopped is not None:
            self.stopped = None
            self._describe()
        folder = owned_directory(self.path, folder_of(generation), error=OutputError)
        folder.mkdir()
        rows_of.write(samples, folder)
        if callable(getattr(model, "save", None)):
            (folder / "model").mkdir()
            with asking(model, "model.save", f"generation {generation}"):
                model.save(folder / "model")
        fill(folder / METRICS, frame_of(rows).write_parquet)
        self._latest, self._rows[generation] = (generation, samples), rows
        self._times[f"{generation:04d}"] = {step: round(took, 6) for step, took in seconds.items()}
        done = {"samples": rows_of.fingerprint(samples), "metrics": _digest(folder)}
        _replace_text(self.path, f"{folder_of(generation)}/{DONE}", _json(done))
        # Writing all times again takes as long as there are generations.
        if time.monotonic() - self._timed > TIMES_SECONDS:
            self._write_times()

    def finish(
        self, frame: pl.DataFrame, page: Callable[[], str] | None, stopped: str | None
    ) -> None:
        """Write why the run was stopped, if it was, its frame, and then its page."""
        if stopped != self.stopped:
            self.stopped = stopped
            self._describe()
        write_owned(self.path, FRAME, lambda file: fill(file, frame.write_parquet))
        self._write_times()
        if page is not None:
            _write_text(self.path, REPORT, page())

    def _describe(self) -> None:
        """Write what is run, and why it has stopped if it has."""
        stopped = {} if self.stopped is None else {STOPPED: self.stopped}
        _write_text(self.path, RUN, _json({**self._arguments, **stopped}))

    def _damage(self, generation: int) -> str | None:
        """Return what a generation that is done is not as it was, or None."""
        folder = self.path / folder_of(generation)
        for name in OF_A_GENERATION:
            look = owned_directory if name in FOLDERS else owned_file
            look(folder, name, error=OutputError)
        try:
            done = read_done(self.path, generation)
            read_metrics(self.path, generation)
            samples = rows_of.read(self._human, folder)
            if rows_of.fingerprint(samples) != done["samples"]:
                return "its samples are not those that it ended with"
        except (TailwatchError, FileNotFoundError) as error:
            return str(error)
        except (MemoryError, OSError):
            # No word on what is there.
            raise
        except Exception as error:  # noqa: BLE001  (data of the user's own kind may raise anything)
            return f"{type(error).__name__}: {error}"
        self._latest = (generation, samples)
        return None

    def _remove(self, folder: str) -> None:
        """Remove what a run has written into the folder of a generation, and nothing else."""
        place = self.path / folder
        names = sorted(entry.name for entry in place.iterdir())
        others = [
            name for name in names if name not in OF_A_GENERATION and not UNFINISHED.fullmatch(name)
        ]
        if others:
            raise InputError(
                argument="directory",
                expected="nothing but what a run writes in a generation that is to be removed",
                got=visible(others[0]),
                where=path_text(place),
                hint="move it elsewhere",
            )
        for name in names:
            look = owned_directory if name in FOLDERS else owned_file
            look(place, name, error=OutputError)
        for name in names:
            remove_owned(place, name)
        place.rmdir()

    def _read_times(self) -> dict[str, Any]:
        if not is_file(self.path, TIMES):
            return {}
        try:
            return read_json(self.path, TIMES)
        except TailwatchError as error:
            warnings.warn(
                f"{error}; times of the generations so far are lost", TailwatchWarning, stacklevel=2
            )
            return {}

    def _write_times(self) -> None:
        _replace_text(self.path, TIMES, _json(self._times))
        self._timed = time.monotonic()

    def _check(self, arguments: Mapping[str, Any], *, resume: bool) -> None:
        if not resume:
            raise InputError(
                argument="directory",
                expected="a new directory",
                got=f"{path_text(self.path)}, which holds a run already",
                hint="resume=True goes on with it",
            )
        there = read_arguments(self.path)
        self.stopped = there.pop(STOPPED, None)
        # More generations go on from those that are there.
        here = dict(arguments)
        there["generations"] = max(there["generations"], here["generations"])
        found = differences(_compared(there), _compared(json.loads(_json(here))))
        if found:
            raise InputError(
                problem=f"{path_text(self.path)} was made with other arguments: "
                f"{visible('; '.join(found))}",
                argument="directory",
                expected="a directory of the same run, or a new one",
                got=visible("; ".join(found)),
                where=path_text(self.path),
            )


def _compared(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing of the bytes of a generation: versions, words, when to stop."""
    policy = {
        key: value
        for key, value in arguments["policy"].items()
        if key not in {"words", "closed_form"}
    }
    left_out = {"stop_on", "versions"}
    return {key: value for key, value in arguments.items() if key not in left_out} | {
        "policy": policy
    }


def _digest(folder: Path) -> str:
    return hashlib.sha256(read_owned(folder, METRICS)).hexdigest()


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _bytes(text: str) -> bytes:
    # JSON has an escape for what UTF-8 cannot hold, and it is the one that Python puts there.
    return text.encode("utf-8", "backslashreplace")


def _write_text(directory: Path, name: str, text: str) -> None:
    write_owned(directory, name, lambda file: file.write_bytes(_bytes(text)))


def _replace_text(directory: Path, name: str, text: str) -> None:
    """Write by rename, without waiting for the disk."""
    path = owned_file(directory, name, error=OutputError)
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        # Only where nothing is yet: whatever it is, it is not written through.
        with temporary.open("xb") as file:
            file.write(_bytes(text))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

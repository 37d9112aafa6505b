"""The run directory: all that a run needs to go on after it was killed.

==========================  ====================================================================
path                        content
==========================  ====================================================================
``run.json``                arguments, fingerprints of data, versions
``generations/0007/``       one folder per generation:
``… samples.npy``           what was sampled (or ``samples.parquet``, or ``samples/``)
``… model/``                what the model's ``save`` wrote, if it has one
``… metrics.parquet``       the rows of the frame
``… done``                  fingerprints of the above; written last, by rename
``frame.parquet``           the frame of the whole run, at its end
``report.html``             its page, at its end, if anything was measured
``times.json``              seconds by generation: the only file that may differ between runs
==========================  ====================================================================

A generation counts when its ``done`` is there and names the samples and metrics that are; any other
is removed and computed again, with the same bytes. So nothing has to wait for the disk: what a
power failure leaves behind is found out.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.exceptions import InputError, SourceError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import SCHEMA, frame_of
from tailwatch.recursion.identity import differences
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.protocols import Data
    from tailwatch.recursion.result import Run

__all__ = ["RunDirectory", "read_arguments", "read_frame"]

RUN, FRAME, REPORT, TIMES, DONE, METRICS = (
    "run.json",
    "frame.parquet",
    "report.html",
    "times.json",
    "done",
    "metrics.parquet",
)

TIMES_SECONDS = 1.0
"""Times are written at the end, and at most so often before."""


class RunDirectory:
    """Keeps the generations of a run on disk.

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
        rows_of.check_stored(human)
        self._latest: tuple[int, Data] | None = None
        self._rows: dict[int, Sequence[Row]] = {}
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"directory: cannot create {path} ({error.strerror})"
            raise InputError(message) from error
        for unfinished in path.glob(".*.part"):
            unfinished.unlink()
        if (path / RUN).exists():
            self._check(arguments, resume=resume)
        elif any(path.iterdir()):
            message = f"directory: expected an empty directory or one of a run, got {path}"
            raise InputError(message)
        _write_text(path / RUN, _json(arguments))
        (path / "generations").mkdir(exist_ok=True)
        self._times = _read_json(path / TIMES) if (path / TIMES).exists() else {}
        self._timed = time.monotonic()

    def has(self, generation: int) -> bool:
        """Say whether a generation is complete; what is not is removed."""
        folder = self._folder(generation)
        if not folder.exists():
            return False
        try:
            done = json.loads((folder / DONE).read_text(encoding="utf-8"))
            samples = rows_of.read(self._human, folder)
            if done == _done(samples, folder):
                self._latest = (generation, samples)
                return True
        except Exception:  # noqa: BLE001, S110  (data of the user's own kind may raise anything)
            # Half-written by a run that was killed, or changed since.
            pass
        shutil.rmtree(folder)
        return False

    def rows(self, generation: int) -> list[Row]:
        """Read the rows of the frame that a generation has."""
        if generation in self._rows:
            return list(self._rows[generation])
        return pl.read_parquet(self._folder(generation) / METRICS).to_dicts()

    def samples(self, generation: int) -> Data:
        """Read what a generation sampled; that of the latest is at hand."""
        if self._latest is None or self._latest[0] != generation:
            return rows_of.read(self._human, self._folder(generation))
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
        folder = self._folder(generation)
        folder.mkdir()
        rows_of.write(samples, folder)
        if callable(getattr(model, "save", None)):
            (folder / "model").mkdir()
            model.save(folder / "model")
        frame_of(rows).write_parquet(folder / METRICS)
        self._latest, self._rows[generation] = (generation, samples), rows
        self._times[f"{generation:04d}"] = {step: round(took, 6) for step, took in seconds.items()}
        _replace_text(folder / DONE, _json(_done(samples, folder)))
        # Writing all times again takes as long as there are generations.
        if time.monotonic() - self._timed > TIMES_SECONDS:
            self._write_times()

    def finish(self, run: Run) -> None:
        """Write the frame of the whole run, and its page if anything was measured."""
        write_atomically(self.path / FRAME, run.frame.write_parquet)
        self._write_times()
        if run.arguments["metrics"] is not None:
            _write_text(self.path / REPORT, run.to_html())

    def _write_times(self) -> None:
        _replace_text(self.path / TIMES, _json(self._times))
        self._timed = time.monotonic()

    def _folder(self, generation: int) -> Path:
        return self.path / "generations" / f"{generation:04d}"

    def _check(self, arguments: Mapping[str, Any], *, resume: bool) -> None:
        if not resume:
            message = (
                f"directory: {self.path} holds a run already; expected a new directory, or "
                "resume=True to go on with it"
            )
            raise InputError(message)
        there = _read_json(self.path / RUN)
        # More generations go on from those that are there.
        here = dict(arguments)
        if there.get("generations", 0) < here["generations"]:
            there["generations"] = here["generations"]
        found = differences(
            {key: value for key, value in there.items() if key != "versions"},
            {key: value for key, value in json.loads(_json(here)).items() if key != "versions"},
        )
        if found:
            message = f"directory: {self.path} was made with other arguments: {'; '.join(found)}"
            raise InputError(message)


def read_arguments(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a run directory says of its run."""
    return _read_json(Path(path) / RUN)


def read_frame(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read the frame of a run directory, of a run that is not finished too."""
    directory = Path(path)
    if (directory / FRAME).exists():
        return pl.read_parquet(directory / FRAME)
    done = sorted(folder.parent for folder in directory.glob(f"generations/*/{DONE}"))
    if not done:
        message = f"directory: expected a run with at least one generation, got {directory}"
        raise SourceError(message)
    return pl.concat([pl.read_parquet(folder / METRICS) for folder in done]).select(*SCHEMA)


def _done(samples: Data, folder: Path) -> dict[str, str]:
    return {
        "samples": rows_of.fingerprint(samples),
        "metrics": hashlib.sha256((folder / METRICS).read_bytes()).hexdigest(),
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"directory: cannot read {path} ({error})"
        raise SourceError(message) from error
    if not isinstance(document, dict):
        message = f"directory: expected a JSON object in {path}"
        raise SourceError(message)
    return document


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write_text(text, encoding="utf-8"))


def _replace_text(path: Path, text: str) -> None:
    """Write by rename, without waiting for the disk."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)

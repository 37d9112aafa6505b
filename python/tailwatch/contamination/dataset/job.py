"""A data set in shards, scored in two passes.

The first pass scores and counts; from the counts follow the share and what each score means; the
second pass writes that for each row. A shard that cannot be read does not stop the others: it is
named at the end. All that is kept is written before it is said to be done, so a run that is killed
at any moment goes on where it was.

Cost: one pass over the embeddings; a batch for each thread in memory, whatever the sizes of the
shards.
"""

from __future__ import annotations

import json
import shutil
import time
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.background import apart
from tailwatch.contamination.dataset.folder import output
from tailwatch.contamination.dataset.manifest import Entry, Manifest
from tailwatch.contamination.dataset.report import ContaminationReport, Failure
from tailwatch.contamination.dataset.rows import write_rows
from tailwatch.contamination.dataset.scoring import (
    RESULTS,
    kept_scores,
    opened,
    score_shard,
    stamp,
)
from tailwatch.contamination.dataset.summary import ShardRow, summarize, target_digest
from tailwatch.exceptions import InputError, OutputError, ShardError, TailwatchWarning
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.layouts import shards_of
from tailwatch.io.paths import title
from tailwatch.io.readers import are_paths
from tailwatch.progress import reporting
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.model import ContaminationModel
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.state import ModelState
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Part
    from tailwatch.io.paths import Paths
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = ["score_dataset"]


def score_dataset(
    model: ContaminationModel,
    state: ModelState,
    source: Paths,
    out_dir: str | Path,
    *,
    column: str = DEFAULT_COLUMN,
    id_column: str | Sequence[str] | None = None,
    resume: bool = True,
    strict: bool = False,
    confidence: float = 0.95,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ContaminationReport:
    """Do what :meth:`ContaminationModel.score_dataset` says."""
    if not are_paths(source):
        message = (
            f"source: expected a folder, paths or a glob, got {type(source).__name__}; rows() "
            "takes data in memory"
        )
        raise InputError(message)
    confidence = share(confidence, "confidence")
    ids = _identifiers(id_column)
    if threads is not None:
        threads = integer(threads, "threads")
    workers = _core.thread_count({"threads": threads, "progress": None})
    layout, shards = shards_of(source, "source", column)
    root = Path(out_dir)
    inside = root.resolve()
    shards = [shard for shard in shards if not shard.path.resolve().is_relative_to(inside)]
    if not shards:
        message = f"source: all files of {title(source)} are in out_dir"
        raise InputError(message)
    header = {
        "format": "tailwatch-contamination-run",
        "version": 1,
        "tailwatch": version("tailwatch"),
        "model": model.fingerprint,
        "column": column,
        "id_columns": list(ids),
    }
    started = time.time()
    with output(root) as folder:
        if not folder.manifest.exists():
            folder.check_vacant()
        elif not resume:
            folder.clear()
        manifest = Manifest(folder.manifest, header)
        folder.sweep()
        job = _Job(model, state, folder, manifest, shards, column, ids, workers, strict)
        with reporting(progress) as report:
            result = job.run(report, confidence, {"name": title(source), "layout": layout})
        _write_results(folder, manifest, shards, result, started)
    # Where warnings are errors, the results are to be there all the same.
    for text in result.summary["warnings"]:
        warnings.warn(text, TailwatchWarning, stacklevel=3)
    _raise_failures(result.failures, len(shards), result)
    return result


@dataclass(slots=True)
class _Job:
    model: ContaminationModel
    state: ModelState
    folder: Folder
    manifest: Manifest
    shards: list[Shard]
    column: str
    ids: tuple[str, ...]
    threads: int
    strict: bool

    def run(
        self, report: ProgressReport, confidence: float, source: dict[str, str]
    ) -> ContaminationReport:
        """Score, estimate, write the rows, and sum up."""
        self._check_unchanged()
        target = self.model.empty_histogram()
        bins, failures = self._score_all(target, report)
        if not bins:
            _raise_failures(failures, len(self.shards), None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.model.prevalence(target, confidence=confidence)
        said = [str(each.message) for each in caught if each.category is TailwatchWarning]
        note = self.model.calibration_note(found)
        said += [] if note is None else [note]
        self._write_all(found, list(bins), report)
        table = self.model.row_table(found)
        rows = [
            ShardRow(name, int(counts.sum()), float(counts @ table.probabilities) / counts.sum())
            for name, counts in bins.items()
        ]
        summary = summarize(
            self.state,
            self.model.fingerprint,
            found,
            table,
            rows,
            failures=failures,
            notes=said,
            source=source | {"column": self.column, "id_columns": list(self.ids)},
        )
        return ContaminationReport(self.folder.root, found, tuple(failures), summary)

    def _check_unchanged(self) -> None:
        """Refuse to go on from scores of files that are no longer what they were."""
        here = {shard.name: shard for shard in self.shards}
        for name, entry in self.manifest.entries.items():
            if name not in here:
                problem = "is gone"
            elif stamp(here[name]) != entry.source:
                problem = "has changed"
            else:
                continue
            message = (
                f"source: {name} {problem} since it was scored into {self.folder.root}; give "
                "another folder, or resume=False to score everything anew"
            )
            raise InputError(message)

    def _score_all(
        self, target: Histogram, report: ProgressReport
    ) -> tuple[dict[str, NDArray[np.int64]], list[Failure]]:
        """Score and count what is not yet, and count again what is."""
        failures: dict[str, Failure] = {}
        parts: dict[str, Part] = {}
        total = 0
        for number, shard in enumerate(self.shards):
            if self._kept(shard) is not None:
                total += self.manifest.entries[shard.name].rows
            else:
                part = self._trying(shard, failures, self._opened)
                if part is not None:
                    parts[shard.name] = part
                    total += part.rows
            report("opening shards", number + 1, len(self.shards))
        bins: dict[str, NDArray[np.int64]] = {}
        done = 0
        for shard in self.shards:
            if shard.name in failures:
                continue
            count = partial(
                self._counted,
                part=parts.pop(shard.name, None),
                report=partial(_report_scored, report, done, total),
            )
            counted = self._trying(shard, failures, count)
            if counted is None:
                continue
            target.merge(counted)
            bins[shard.name] = counted.bins
            done += counted.rows
        return bins, [failures[shard.name] for shard in self.shards if shard.name in failures]

    def _trying(
        self, shard: Shard, failures: dict[str, Failure], work: Callable[[Shard], Any]
    ) -> Any:  # noqa: ANN401  (whatever the work gives)
        """Do something with a shard, and note its failure."""
        try:
            return work(shard)
        except InputError as error:
            failures[shard.name] = Failure(shard.name, _reason(shard.name, error))
            if self.strict:
                _raise_failures([failures[shard.name]], len(self.shards), None)
            return None

    def _opened(self, shard: Shard) -> Part:
        return opened(shard, self.column, self.ids, self.model.columns)

    def _counted(
        self, shard: Shard, part: Part | None, report: Callable[[int], object]
    ) -> Histogram:
        counted = self.model.empty_histogram()
        if part is None:
            file = self._kept(shard) or self.folder.rows(shard.name)
            for scores in kept_scores(file):
                counted.absorb(scores)
                report(counted.rows)
            expected = self.manifest.entries[shard.name].rows
            if counted.rows != expected:
                message = f"out_dir: expected {expected} rows in {file}, got {counted.rows}"
                raise OutputError(message)
            return counted
        score_shard(
            shard,
            part,
            counted,
            self.state.probe,
            file=self.folder.scores(shard.name),
            ids=self.ids,
            threads=self.threads,
            report=report,
        )
        self.manifest.add(Entry(shard.name, "scored", counted.rows, stamp(shard), None))
        return counted

    def _kept(self, shard: Shard) -> Path | None:
        """Give the file that has a shard's scores, if they are known."""
        entry = self.manifest.entries.get(shard.name)
        if entry is None:
            return None
        places = [self.folder.scores(shard.name)]
        if entry.stage == "done":
            places.insert(0, self.folder.rows(shard.name))
        return next((file for file in places if file.exists()), None)

    def _write_all(self, found: Prevalence, names: list[str], report: ProgressReport) -> None:
        """Write the tables that are not written, or were written for other counts."""
        table = self.model.row_table(found)
        digest = target_digest(self.model.fingerprint, found)
        done = 0
        for shard in self.shards:
            if shard.name not in names:
                continue
            entry, file = self.manifest.entries[shard.name], self.folder.rows(shard.name)
            if entry.stage != "done" or entry.target != digest or not file.exists():
                # A summary must not stand beside tables of another one.
                self.folder.summary.unlink(missing_ok=True)
                write_rows(self._kept(shard) or file, file, table)
                self.manifest.add(replace(entry, stage="done", target=digest))
            self.folder.scores(shard.name).unlink(missing_ok=True)
            done += entry.rows
            report("writing rows", done, found.n)


def _report_scored(report: ProgressReport, first: int, total: int, rows: int) -> None:
    report("scoring rows", first + rows, total)


def _identifiers(id_column: str | Sequence[str] | None) -> tuple[str, ...]:
    ids = () if id_column is None else (id_column,) if isinstance(id_column, str) else id_column
    names = tuple(ids)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        message = f"id_column: expected names of different columns, got {id_column!r}"
        raise InputError(message)
    taken = [name for name in names if name in RESULTS]
    if taken:
        message = f"id_column: {taken[0]!r} is a column of the result; rename it in the source"
        raise InputError(message)
    return names


def _reason(name: str, error: InputError) -> str:
    """Give the text of an error without the name that stands before it."""
    return str(error).removeprefix(f"{name}: ")


def _raise_failures(
    failures: Sequence[Failure], shards: int, result: ContaminationReport | None
) -> None:
    if not failures:
        return
    named = [f"{failure.shard}: {failure.reason}" for failure in failures[:3]]
    named += [f"and {len(failures) - 3} more"] if len(failures) > 3 else []
    message = f"source: {len(failures)} of {shards} shards could not be scored: {'; '.join(named)}"
    raise ShardError(message, result)


def _write_results(
    folder: Folder,
    manifest: Manifest,
    shards: list[Shard],
    result: ContaminationReport,
    started: float,
) -> None:
    if folder.work.exists():
        shutil.rmtree(folder.work)
    manifest.settle(shard.name for shard in shards)
    page = apart(result.to_html)
    write_atomically(folder.page, lambda file: file.write_bytes(page.encode(errors="replace")))
    finished = time.time()
    times = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "finished": datetime.fromtimestamp(finished, UTC).isoformat(timespec="seconds"),
        "seconds": round(finished - started, 3),
    }
    write_atomically(folder.times, lambda file: file.write_text(json.dumps(times) + "\n", "ascii"))
    write_atomically(folder.summary, lambda file: file.write_text(result.to_json(), "ascii"))

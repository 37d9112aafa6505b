"""The two passes over the shards, and the estimate between them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tailwatch.contamination.dataset.manifest import Entry
from tailwatch.contamination.dataset.report import ContaminationReport, Failure, raise_failures
from tailwatch.contamination.dataset.rows import write_rows
from tailwatch.contamination.dataset.scoring import kept_scores, opened, score_shard, stamp
from tailwatch.contamination.dataset.summary import ShardRow, summarize, target_digest
from tailwatch.contamination.rows import calibration_note
from tailwatch.exceptions import InputError, OutputError, TailwatchWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Manifest
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.model import ContaminationModel
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.state import ModelState
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Part
    from tailwatch.progress import ProgressReport

__all__ = ["Job"]


@dataclass(slots=True)
class Job:
    """A run: its arguments, and what is done of it.

    Attributes
    ----------
    model, state
        The model, and what it knows.
    folder, manifest
        Where results go, and what is done.
    shards
        The shards, in order.
    column, ids
        Columns of the embeddings and of the identifiers.
    threads
        Threads that score.
    strict
        Whether the first failure is the last.
    """

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
            raise_failures(failures, len(self.shards), None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.model.prevalence(target, confidence=confidence)
        said = [str(each.message) for each in caught if each.category is TailwatchWarning]
        note = calibration_note(found)
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
                raise_failures([failures[shard.name]], len(self.shards), None)
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


def _reason(name: str, error: InputError) -> str:
    """Give the text of an error without the name that stands before it."""
    return str(error).removeprefix(f"{name}: ")

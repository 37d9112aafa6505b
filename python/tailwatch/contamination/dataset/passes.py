"""The two passes over the shards, the estimate between them, and the copies at the end."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tailwatch.contamination.dataset.copies import Copies, copies_note, count_copies
from tailwatch.contamination.dataset.manifest import Entry
from tailwatch.contamination.dataset.report import ContaminationReport, Failure, raise_failures
from tailwatch.contamination.dataset.scoring import opened, score_shard, stamp
from tailwatch.contamination.dataset.summary import ShardRow, summarize, target_digest
from tailwatch.contamination.dataset.tables import kept, write_rows
from tailwatch.contamination.rows import calibration_note
from tailwatch.exceptions import InputError, OutputError, TailwatchWarning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Manifest
    from tailwatch.contamination.dataset.records import Recorder
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
    recorder
        Makes what is kept of each row.
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
    recorder: Recorder
    strict: bool

    def run(
        self,
        estimate: Callable[[Histogram], Prevalence],
        source: dict[str, str],
        report: ProgressReport,
    ) -> ContaminationReport:
        """Score, estimate, write the rows, and sum up."""
        self._check_unchanged()
        target = self.model.empty_histogram()
        bins, failures = self._score_all(target, report)
        if not bins:
            raise_failures(failures, len(self.shards), None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = estimate(target)
        said = [str(each.message) for each in caught if each.category is TailwatchWarning]
        self._write_all(found, list(bins), report)
        copies = self._copies(list(bins), found.n, report)
        said += [note for note in (calibration_note(found), copies_note(copies)) if note]
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
            copies=copies,
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
        bins: dict[str, NDArray[np.int64]] = {}
        for number, shard in enumerate(self.shards):
            file = self._kept(shard)
            if file is None:
                part = self._trying(shard, failures, self._opened)
                if part is not None:
                    parts[shard.name] = part
            else:
                # First of all, lest their speed be taken for that of scoring.
                counted = self._counted_again(shard, file)
                target.merge(counted)
                bins[shard.name] = counted.bins
            report("opening shards", number + 1, len(self.shards))
        done = target.rows
        total = done + sum(part.rows for part in parts.values())
        for shard in self.shards:
            if shard.name not in parts:
                continue
            score = partial(
                self._scored,
                part=parts.pop(shard.name),
                report=partial(_report_rows, report, "scoring rows", done, total),
            )
            counted = self._trying(shard, failures, score)
            if counted is None:
                continue
            target.merge(counted)
            bins[shard.name] = counted.bins
            done += counted.rows
        names = [shard.name for shard in self.shards]
        return (
            {name: bins[name] for name in names if name in bins},
            [failures[name] for name in names if name in failures],
        )

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

    def _counted_again(self, shard: Shard, file: Path) -> Histogram:
        counted = self.model.empty_histogram()
        for batch in kept(file, ["score"]):
            counted.absorb(batch["score"].to_numpy())
        expected = self.manifest.entries[shard.name].rows
        if counted.rows != expected:
            message = f"out_dir: expected {expected} rows in {file}, got {counted.rows}"
            raise OutputError(message)
        return counted

    def _scored(self, shard: Shard, part: Part, report: Callable[[int], object]) -> Histogram:
        counted = self.model.empty_histogram()
        score_shard(
            shard,
            part,
            counted,
            self.recorder,
            file=self.folder.scores(shard.name),
            ids=self.ids,
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

    def _copies(self, names: list[str], rows: int, report: ProgressReport) -> Copies:
        return count_copies(
            [self.folder.rows(name) for name in names],
            rows,
            self.recorder.templates,
            self.folder.work,
            partial(_report_rows, report, "comparing rows", 0, rows),
        )


def _report_rows(report: ProgressReport, stage: str, first: int, total: int, rows: int) -> None:
    report(stage, first + rows, total)


def _reason(name: str, error: InputError) -> str:
    """Give the text of an error without the name that stands before it."""
    return str(error).removeprefix(f"{name}: ")

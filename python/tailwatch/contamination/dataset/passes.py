"""The two passes over the shards, the estimate between them, and the copies at the end."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from tailwatch.contamination.dataset.copies import Copies, copies_note, count_copies
from tailwatch.contamination.dataset.manifest import Entry
from tailwatch.contamination.dataset.report import ContaminationReport, Failure, raise_failures
from tailwatch.contamination.dataset.scoring import opened, score_shard, stamp
from tailwatch.contamination.dataset.summary import ShardRow, summarize, target_digest
from tailwatch.contamination.dataset.tables import damaged, digest_of, kept, write_rows
from tailwatch.contamination.rows import calibration_note
from tailwatch.exceptions import InputError, OutputError, TailwatchWarning
from tailwatch.text_form import path_text, visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Manifest
    from tailwatch.contamination.dataset.records import Recorder
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.rows import RowTable
    from tailwatch.contamination.state import ModelState
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Part
    from tailwatch.io.walking import LeftOut
    from tailwatch.progress import ProgressReport

__all__ = ["Job"]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A shard that can be scored: its rows, and its part where opening it holds no memory."""

    rows: int
    part: Part | None


@dataclass(slots=True)
class _Scored:
    """What is known after the first pass, by the names of the shards.

    Attributes
    ----------
    bins
        Counts of those that were scored.
    kept
        Their lines, and the files of their scores.
    failures
        The others.
    """

    bins: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    kept: dict[str, tuple[Entry, Path]] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def in_order(self, names: list[str]) -> _Scored:
        """Give the same in the order of the shards."""
        return _Scored(
            {name: self.bins[name] for name in names if name in self.bins},
            {name: self.kept[name] for name in names if name in self.kept},
            {name: self.failures[name] for name in names if name in self.failures},
        )


class Model(Protocol):
    """What a job asks of a :class:`~tailwatch.contamination.ContaminationModel`."""

    @property
    def columns(self) -> int:
        """Columns of the embeddings."""
        ...

    @property
    def fingerprint(self) -> str:
        """Tell other models apart."""
        ...

    def empty_histogram(self) -> Histogram:
        """Make a histogram for the scores of this model."""
        ...

    def row_table(self, prevalence: Prevalence) -> RowTable:
        """Give what is said of a row, by its score."""
        ...


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
    tables
        Where each shard's rows go.
    left_out
        Files of the source that are no shards.
    column, ids, binary
        Columns of the embeddings and of the identifiers; what the bytes of the first are, if it is
        Binary.
    recorder
        Makes what is kept of each row.
    strict
        Whether the first failure is the last.
    """

    model: Model
    state: ModelState
    folder: Folder
    manifest: Manifest
    shards: list[Shard]
    tables: dict[str, str]
    left_out: tuple[LeftOut, ...]
    column: str
    ids: tuple[str, ...]
    binary: np.dtype[Any] | None
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
        scored = self._score_all(target, report)
        bins, failures = scored.bins, list(scored.failures.values())
        if not bins:
            raise_failures(failures, len(self.shards), None)
        if not target.rows:
            raise InputError(
                argument="source",
                expected="at least one row",
                got=f"none in {len(bins):,} shards",
                where=source["name"],
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = estimate(target)
        said = [str(each.message) for each in caught if each.category is TailwatchWarning]
        self._write_all(found, scored.kept, report)
        copies = self._copies(list(bins), found.n, report)
        said += [note for note in (calibration_note(found), copies_note(copies)) if note]
        table = self.model.row_table(found)
        rows = [
            ShardRow(name, int(counts.sum()), _mean(counts, table), self.tables[name])
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
            source=source
            | {
                "column": self.column,
                "id_columns": list(self.ids),
                "left_out": [asdict(each) for each in self.left_out],
            },
        )
        return ContaminationReport(self.folder.root, found, tuple(failures), summary)

    def _check_unchanged(self) -> None:
        """Refuse to go on from scores of files that are no longer what they were."""
        here = {shard.name: shard for shard in self.shards}
        for name in self.manifest.entries:
            if name not in here:
                problem = "is gone"
            elif stamp(here[name]) != self.manifest.last(name).source:
                problem = "has changed"
            else:
                continue
            msg = f"{name} {problem} since it was scored into {path_text(self.folder.root)}"
            raise InputError(
                msg,
                argument="source",
                expected="the files that were scored, as they were",
                got=f"one that {problem}",
                where=name,
                hint="give another folder, or resume=False to score everything anew",
            )

    def _score_all(self, target: Histogram, report: ProgressReport) -> _Scored:
        """Score and count what is not yet, and count again what is."""
        found = _Scored()
        waiting: dict[str, _Waiting] = {}
        for number, shard in enumerate(self.shards):
            kept_in = self._kept(shard)
            if kept_in is None:
                part = self._trying(shard, found.failures, self._opened)
                if part is not None:
                    # An archive is in memory once it is open; one at a time is.
                    held = None if shard.path.suffix.lower() == ".npz" else part
                    waiting[shard.name] = _Waiting(part.rows, held)
            else:
                # First of all, lest their speed be taken for that of scoring.
                counted = self._counted_again(*kept_in)
                target.merge(counted)
                found.bins[shard.name], found.kept[shard.name] = counted.bins, kept_in
            report("opening shards", number + 1, len(self.shards))
        done = target.rows
        total = done + sum(each.rows for each in waiting.values())
        for shard in self.shards:
            if shard.name not in waiting:
                continue
            score = partial(
                self._scored,
                part=waiting.pop(shard.name).part,
                report=partial(_report_rows, report, "scoring rows", done, total),
            )
            counted = self._trying(shard, found.failures, score)
            if counted is None:
                continue
            target.merge(counted)
            entry = self.manifest.last(shard.name)
            found.bins[shard.name] = counted.bins
            found.kept[shard.name] = entry, self._file(entry)
            done += counted.rows
        return found.in_order([shard.name for shard in self.shards])

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
        return opened(shard, self.column, self.ids, self.model.columns, self.binary)

    def _counted_again(self, entry: Entry, file: Path) -> Histogram:
        counted = self.model.empty_histogram()
        for batch in kept(file, ["score"]):
            counted.absorb(batch["score"].to_numpy())
        if counted.rows != entry.rows:
            raise OutputError(
                argument="out_dir",
                expected=f"{entry.rows} rows in {path_text(file)}",
                got=f"{counted.rows}",
                where=path_text(self.folder.manifest),
            )
        return counted

    def _scored(
        self, shard: Shard, part: Part | None, report: Callable[[int], object]
    ) -> Histogram:
        table = self.tables[shard.name]
        part = self._opened(shard) if part is None else part
        with self.folder.attempt() as attempt:
            receipt = score_shard(
                shard,
                part,
                self.model.empty_histogram(),
                self.recorder,
                folder=self.folder,
                attempt=attempt,
                ids=self.ids,
                report=report,
            )
            rows = receipt.counted.rows
            self.manifest.add(
                Entry(shard.name, "scored", table, rows, receipt.source, None, receipt.sha256)
            )
            self.folder.publish(attempt, self.folder.scores(table))
        return receipt.counted

    def _kept(self, shard: Shard) -> tuple[Entry, Path] | None:
        """Give the line and the file that have a shard's scores, if they are known.

        Raises
        ------
        OutputError
            A file is there that no line names.
        """
        known = self.manifest.entries.get(shard.name, [])
        # A run that was killed may have named a table that it did not put in its place.
        for stage in ("done", "scored"):
            lines = [entry for entry in reversed(known) if entry.stage == stage]
            found: dict[Path, str] = {}
            for entry in lines:
                file = self._file(entry)
                if file not in found and file.exists():
                    found[file] = digest_of(file)
                if found.get(file) == entry.sha256:
                    return entry, file
            if found:
                raise damaged(next(iter(found)))
        return None

    def _file(self, entry: Entry) -> Path:
        return (self.folder.rows if entry.stage == "done" else self.folder.scores)(entry.table)

    def _write_all(
        self, found: Prevalence, held: dict[str, tuple[Entry, Path]], report: ProgressReport
    ) -> None:
        """Write the tables that are not written, or were written for other counts."""
        table = self.model.row_table(found)
        digest = target_digest(self.model.fingerprint, found)
        done = 0
        for name, (entry, first) in held.items():
            file = self.folder.rows(self.tables[name])
            if entry.stage != "done" or entry.target != digest or first != file:
                # A summary must not stand beside tables of another one.
                self.folder.remove(self.folder.page)
                self.folder.remove(self.folder.summary)
                with self.folder.attempt() as attempt:
                    write_rows(first, attempt, table)
                    self.manifest.add(
                        replace(
                            entry,
                            stage="done",
                            table=self.tables[name],
                            target=digest,
                            sha256=digest_of(attempt),
                        )
                    )
                    self.folder.publish(attempt, file)
                if first != file:
                    self.folder.remove(first)
            done += entry.rows
            report("writing rows", done, found.n)

    def _copies(self, names: list[str], rows: int, report: ProgressReport) -> Copies:
        return count_copies(
            [self.folder.rows(self.tables[name]) for name in names],
            rows,
            self.recorder.templates,
            self.folder,
            partial(_report_rows, report, "comparing rows", 0, rows),
        )


def _mean(counts: NDArray[np.int64], table: RowTable) -> float:
    """Give the mean probability of the rows in bins; NaN without rows."""
    rows = int(counts.sum())
    return float(counts @ table.probabilities) / rows if rows else math.nan


def _report_rows(report: ProgressReport, stage: str, first: int, total: int, rows: int) -> None:
    report(stage, first + rows, total)


def _reason(name: str, error: InputError) -> str:
    """Give the text of an error without the name that stands before it."""
    return visible(str(error).removeprefix(f"{name}: "))

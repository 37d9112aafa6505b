"""The first pass over all shards: they are scored and counted, or counted again.

A shard whose table is there, with the bytes that a line of the manifest names, is not scored again.
One that cannot be read does not stop the others; it is named. Shards are opened first, so that what
can be known of them before their rows are read is known early.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tailwatch.contamination.dataset.manifest import Entry
from tailwatch.contamination.dataset.report import Failure, raise_failures
from tailwatch.contamination.dataset.shard_scores import open_checked, score_shard, stamps
from tailwatch.contamination.dataset.tables import damaged, digest_of, read_table
from tailwatch.exceptions import InputError, OutputError
from tailwatch.text_form import path_text, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.manifest import Manifest
    from tailwatch.contamination.dataset.shard_scores import Recorder
    from tailwatch.contamination.dataset.tables import Beside
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.io.layouts import Shard
    from tailwatch.io.part import Part
    from tailwatch.progress import ProgressReport

__all__ = ["FirstPass", "ScoredShards"]


@dataclass(frozen=True, slots=True)
class _OpenShard:
    """A shard that can be scored: its rows, and its part where opening it holds no memory."""

    rows: int
    part: Part | None


@dataclass(slots=True)
class ScoredShards:
    """What is known after the first pass, by the names of the shards.

    Attributes
    ----------
    bins
        Counts of those that were scored.
    tables
        Their lines, and the files of their scores.
    failures
        The others.
    """

    bins: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    tables: dict[str, tuple[Entry, Path]] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def in_order(self, names: list[str]) -> ScoredShards:
        """Return the same in the order of the shards."""
        return ScoredShards(
            {name: self.bins[name] for name in names if name in self.bins},
            {name: self.tables[name] for name in names if name in self.tables},
            {name: self.failures[name] for name in names if name in self.failures},
        )


@dataclass(frozen=True, slots=True)
class FirstPass:
    """Scores shards into a folder.

    Attributes
    ----------
    shards
        The shards, in order.
    tables
        Where each shard's rows go.
    folder, manifest
        Where scores go, and what is done.
    recorder
        Makes what is kept of each row.
    empty_histogram
        Makes a histogram for the scores of the model.
    column, beside, binary
        Column of the embeddings, and those that are kept beside the scores; what the bytes of the
        first are, if it is Binary.
    strict
        Whether the first failure is the last.
    """

    shards: Sequence[Shard]
    tables: Mapping[str, str]
    folder: Folder
    manifest: Manifest
    recorder: Recorder
    empty_histogram: Callable[[], Histogram]
    column: str
    beside: Beside
    binary: np.dtype[Any] | None
    strict: bool

    def check_unchanged(self) -> None:
        """Refuse to go on from scores of files that are no longer what they were."""
        here = {shard.name: shard for shard in self.shards}
        for name in self.manifest.entries:
            if name not in here:
                problem = "is gone"
            elif stamps(here[name]) != self.manifest.last(name).source:
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

    def run(self, target: Histogram, report: ProgressReport) -> ScoredShards:
        """Score and count what is not yet, and count again what is.

        Parameters
        ----------
        target
            Absorbs all scores.
        report
            Takes ``(stage, done, total)``.

        Raises
        ------
        ShardError
            A shard could not be scored, in strict mode.
        OSError
            A table cannot be written, or is damaged.
        """
        found = ScoredShards()
        waiting: dict[str, _OpenShard] = {}
        for number, shard in enumerate(self.shards):
            scores = self._known_scores(shard)
            if scores is None:
                part = self._try(shard, found.failures, self._open)
                if part is not None:
                    # An archive is in memory once it is open; one at a time is.
                    held = None if shard.path.suffix.lower() == ".npz" else part
                    waiting[shard.name] = _OpenShard(part.rows, held)
            else:
                # First of all, lest their speed be taken for that of scoring.
                counted = self._count_again(*scores)
                target.merge(counted)
                found.bins[shard.name], found.tables[shard.name] = counted.bins, scores
            report("opening shards", number + 1, len(self.shards))
        done = target.rows
        total = done + sum(each.rows for each in waiting.values())
        for shard in self.shards:
            if shard.name not in waiting:
                continue
            score = partial(
                self._score,
                part=waiting.pop(shard.name).part,
                report=_rows_of(report, done, total),
            )
            counted = self._try(shard, found.failures, score)
            if counted is None:
                continue
            target.merge(counted)
            entry = self.manifest.last(shard.name)
            found.bins[shard.name] = counted.bins
            found.tables[shard.name] = entry, self._file(entry)
            done += counted.rows
        return found.in_order([shard.name for shard in self.shards])

    def _try(self, shard: Shard, failures: dict[str, Failure], work: Callable[[Shard], Any]) -> Any:  # noqa: ANN401  (whatever the work gives)
        """Do something with a shard, and note its failure."""
        try:
            return work(shard)
        except InputError as error:
            failures[shard.name] = Failure(shard.name, _reason(shard.name, error))
            if self.strict:
                raise_failures([failures[shard.name]], len(self.shards), None)
            return None

    def _open(self, shard: Shard) -> Part:
        return open_checked(
            shard, self.column, self.beside, self.recorder.probe.columns, self.binary
        )

    def _count_again(self, entry: Entry, file: Path) -> Histogram:
        counted = self.empty_histogram()
        for batch in read_table(file, ["score"]):
            counted.absorb(batch["score"].to_numpy())
        if counted.rows != entry.rows:
            raise OutputError(
                argument="out_dir",
                expected=f"{entry.rows} rows in {path_text(file)}",
                got=f"{counted.rows}",
                where=path_text(self.folder.manifest),
            )
        return counted

    def _score(self, shard: Shard, part: Part | None, report: Callable[[int], object]) -> Histogram:
        table = self.tables[shard.name]
        part = self._open(shard) if part is None else part
        with self.folder.attempt() as attempt:
            receipt = score_shard(
                shard,
                part,
                self.empty_histogram(),
                self.recorder,
                folder=self.folder,
                attempt=attempt,
                beside=self.beside,
                report=report,
            )
            rows = receipt.counted.rows
            self.manifest.add(
                Entry(shard.name, "scored", table, rows, receipt.source, None, receipt.sha256)
            )
            self.folder.publish(attempt, self.folder.scores(table))
        return receipt.counted

    def _known_scores(self, shard: Shard) -> tuple[Entry, Path] | None:
        """Return the line and the file that have a shard's scores, if they are known.

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


def _rows_of(report: ProgressReport, first: int, total: int) -> Callable[[int], object]:
    """Return what reports the rows of a shard behind those of others."""
    return lambda rows: report("scoring rows", first + rows, total)


def _reason(name: str, error: InputError) -> str:
    """Return the text of an error without the name that stands before it."""
    return visible(str(error).removeprefix(f"{name}: "))

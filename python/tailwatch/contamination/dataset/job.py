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
import math
import time
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from tailwatch import _core
from tailwatch.arguments import integer, real
from tailwatch.background import uses_polars, wait_for
from tailwatch.contamination.dataset.copies import copies_note, count_copies, read_originals
from tailwatch.contamination.dataset.first_pass import FirstPass
from tailwatch.contamination.dataset.folder import open_folder
from tailwatch.contamination.dataset.manifest import FORMAT, Manifest, table_names
from tailwatch.contamination.dataset.report import (
    SELECTED_AT,
    ContaminationReport,
    ShardSummary,
    raise_failures,
    summarize,
)
from tailwatch.contamination.dataset.shard_scores import Recorder
from tailwatch.contamination.dataset.tables import (
    Beside,
    complete_tables,
    read_table,
    surest_rows,
)
from tailwatch.contamination.groups import GroupCounts, estimate_groups, label_texts
from tailwatch.contamination.prevalence import calibration_note
from tailwatch.exceptions import InputError, TailwatchError, TailwatchWarning
from tailwatch.io.columns import DEFAULT_COLUMN, binary_type
from tailwatch.io.layouts import shards_of
from tailwatch.io.paths import title
from tailwatch.io.readers import are_paths
from tailwatch.progress import MOST_THREADS, reporting
from tailwatch.text_form import path_text, visible
from tailwatch.writing import read_owned

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.contamination.audit import LabelledScores
    from tailwatch.contamination.dataset.copies import Originals
    from tailwatch.contamination.dataset.first_pass import ScoredShards
    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.groups import GroupShares
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.model_file import ModelState
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.rows import RowTable
    from tailwatch.contamination.templates import Templates
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.io.layouts import Shard
    from tailwatch.io.paths import Paths
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = ["score_dataset"]


class Scorer(Protocol):
    """What a job asks of a :class:`~tailwatch.contamination.ContaminationModel`."""

    @property
    def templates(self) -> Templates:
        """The counts of the references."""
        ...

    @property
    def state(self) -> ModelState:
        """All that the model knows."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of the model, by which others are told from it."""
        ...

    def empty_histogram(self) -> Histogram:
        """Return a histogram that absorbs scores of this model."""
        ...

    def prevalence(
        self, target: Histogram, *, confidence: float, audit: LabelledScores | None
    ) -> Prevalence:
        """Estimate the share of synthetic rows."""
        ...

    def row_table(self, prevalence: Prevalence) -> RowTable:
        """Return what each score means, given a target."""
        ...


def score_dataset(
    model: Scorer,
    source: Paths,
    out_dir: str | os.PathLike[str],
    *,
    column: str = DEFAULT_COLUMN,
    id_column: str | Sequence[str] | None = None,
    binary: str | None = None,
    resume: bool = True,
    strict: bool = False,
    confidence: float = 0.95,
    audit: LabelledScores | None = None,
    by: str | None = None,
    copies_of: EmbeddingsLike | None = None,
    copy_distance: float | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ContaminationReport:
    """Do what :meth:`ContaminationModel.score_dataset` says; of the audit, the scores are known."""
    uses_polars("scoring a data set")
    if not are_paths(source):
        raise InputError(
            argument="source",
            expected="a folder, paths or a glob",
            got=type(source).__name__,
            hint="rows() takes data in memory",
        )
    beside = Beside.named(id_column, by)
    dtype = binary_type(binary)
    if threads is not None:
        threads = integer(threads, "threads", most=MOST_THREADS)
    workers = _core.thread_count({"threads": threads, "progress": None})
    root = Path(out_dir)
    listing = shards_of(source, "source", column, root)
    shards = listing.shards
    originals = _originals(copies_of, copy_distance, model.state.probe.columns, workers)
    tables = table_names(shard.name for shard in shards)
    header = {
        "format": FORMAT,
        "version": 2,
        "tailwatch": version("tailwatch"),
        "model": model.fingerprint,
        "column": column,
        "binary": binary,
        "id_columns": list(beside.ids),
        "copies_of": originals and {"rows": originals.digest, "distance": originals.distance},
    }
    if beside.columns != beside.ids:
        # A column that is an identifier too is in the tables whether groups are asked for or not.
        header["by"] = by
    started = time.time()
    with open_folder(root) as folder:
        manifest = Manifest(folder, header, restart=not resume, tables=tables.values())
        folder.check_own()
        folder.sweep()
        job = _Job(
            model,
            FirstPass(
                shards=shards,
                tables=tables,
                folder=folder,
                manifest=manifest,
                recorder=Recorder(model.state.probe, originals, workers),
                empty_histogram=model.empty_histogram,
                column=column,
                beside=beside,
                binary=dtype,
                strict=strict,
            ),
            confidence,
            audit,
        )
        described = {
            "name": path_text(title(source)),
            "layout": listing.layout,
            "column": column,
            "id_columns": list(beside.ids),
            "left_out": [asdict(each) for each in listing.left_out],
        }
        with reporting(progress) as report:
            found = job.run(described, report)
        result = replace(found, directory=root)
        result = _write_results(folder, manifest, shards, result, started)
    # Where warnings are errors, the results are to be there all the same.
    for text in result.summary["warnings"]:
        warnings.warn(text, TailwatchWarning, stacklevel=3)
    if result.page_problem is not None:
        warnings.warn(result.page_problem, TailwatchWarning, stacklevel=3)
    raise_failures(result.failures, len(shards), result)
    return result


@dataclass(frozen=True, slots=True)
class _Job:
    """Both passes, the estimate between them, and the copies at the end.

    Attributes
    ----------
    model
        Whose scores they are.
    first
        The first pass, with the shards and the folder.
    confidence, audit
        Of the estimate.
    """

    model: Scorer
    first: FirstPass
    confidence: float
    audit: LabelledScores | None

    def run(self, source: dict[str, Any], report: ProgressReport) -> ContaminationReport:
        """Score, estimate, write the rows, and sum up; `source` is what the summary says of it."""
        first = self.first
        first.check_unchanged()
        target = self.model.empty_histogram()
        scored = first.run(target, report)
        bins, failures = scored.bins, list(scored.failures.values())
        if not bins:
            raise_failures(failures, len(first.shards), None)
        if not target.rows:
            raise InputError(
                argument="source",
                expected="at least one row",
                got=f"none in {len(bins):,} shards",
                where=source["name"],
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = self.model.prevalence(target, confidence=self.confidence, audit=self.audit)
        if first.beside.by is not None:
            found = replace(found, groups=self._groups(first.beside.by, scored, found))
        said = [str(each.message) for each in caught if each.category is TailwatchWarning]
        table = self.model.row_table(found)
        complete_tables(
            scored.tables,
            found,
            table,
            tables=first.tables,
            folder=first.folder,
            manifest=first.manifest,
            report=report,
        )
        tables = {name: first.folder.rows(first.tables[name]) for name in bins}
        copies = count_copies(
            list(tables.values()),
            found.n,
            first.recorder.originals,
            first.folder,
            lambda rows: report("comparing rows", rows, found.n),
        )
        said += [note for note in (calibration_note(found), copies_note(copies)) if note]
        shards = [
            ShardSummary(name, int(counts.sum()), _mean(counts, table), first.tables[name])
            for name, counts in bins.items()
        ]
        summary = summarize(
            self.model.state,
            found,
            table,
            shards,
            surest=surest_rows(tables, first.beside.ids, SELECTED_AT)
            if table.q_values.min() <= SELECTED_AT
            else [],
            copies=copies,
            failures=failures,
            notes=said,
            source=source,
        )
        return ContaminationReport(first.folder.root, found, tuple(failures), summary)

    def _groups(self, by: str, scored: ScoredShards, found: Prevalence) -> GroupShares:
        """Count the scores of each group again, from the tables of the first pass."""
        counted = GroupCounts(self.model.templates.edges, by)
        for name, (_, file) in scored.tables.items():
            done = 0
            for batch in read_table(file, list(dict.fromkeys([by, "score"]))):
                subject = f"{name}: column {by!r}"
                labels = label_texts(batch[by], len(batch), "by", name, subject=subject, first=done)
                counted.absorb(labels, batch["score"].to_numpy())
                done += len(batch)
        limit = found.null_floor.limit
        return estimate_groups(self.model.templates, counted, limit, self.confidence)


def _originals(
    source: EmbeddingsLike | None, distance: float | None, columns: int, threads: int
) -> Originals | None:
    if distance is not None:
        if source is None:
            raise InputError(
                argument="copy_distance",
                expected="copies_of beside it",
                got="none",
                hint="copies_of takes the rows whose copies are looked for",
            )
        distance = real(distance, "copy_distance")
        if not 0 <= distance < math.inf:
            raise InputError(
                argument="copy_distance",
                expected="a finite number of at least 0",
                got=f"{distance}",
            )
    return None if source is None else read_originals(source, distance, columns, threads)


def _mean(counts: NDArray[np.int64], table: RowTable) -> float:
    """Return the mean probability of the rows in bins; NaN without rows."""
    rows = int(counts.sum())
    return float(counts @ table.probabilities) / rows if rows else math.nan


def _write_results(
    folder: Folder,
    manifest: Manifest,
    shards: list[Shard],
    result: ContaminationReport,
    started: float,
) -> ContaminationReport:
    """Write what people and programs read: the numbers first, the page last.

    Whatever keeps the page from being drawn, the numbers are there.
    """
    manifest.settle(shard.name for shard in shards)
    finished = time.time()
    times = {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "finished": datetime.fromtimestamp(finished, UTC).isoformat(timespec="seconds"),
        "seconds": round(finished - started, 3),
    }
    text = f"{result.to_json()}\n".encode("ascii")
    if not _holds(folder, text):
        # A page must not stand beside the numbers of another run.
        folder.remove(folder.page)
    folder.write(folder.times, lambda file: file.write_text(json.dumps(times) + "\n", "ascii"))
    folder.write(folder.summary, lambda file: file.write_bytes(text))
    try:
        page = wait_for(result.to_html)
        folder.write(folder.page, lambda file: file.write_bytes(page.encode(errors="replace")))
    except TailwatchError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  (all that drawing raises)
        folder.remove(folder.page)
        problem = visible(f"{type(error).__name__}: {error}".partition("\n")[0])
        result = replace(
            result,
            page_problem=f"the page could not be written ({problem}); the numbers are complete in "
            f"{path_text(folder.summary)}, and the same call tries the page again",
        )
    folder.drop_work(entry.table for lines in manifest.entries.values() for entry in lines)
    return result


def _holds(folder: Folder, text: bytes) -> bool:
    """Return whether the summary is there already."""
    with suppress(OSError, TailwatchError):
        return read_owned(folder.root, folder.summary.name) == text
    return False

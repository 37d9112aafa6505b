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
import shutil
import time
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, real
from tailwatch.background import apart
from tailwatch.contamination.dataset.folder import output
from tailwatch.contamination.dataset.manifest import Manifest
from tailwatch.contamination.dataset.passes import Job
from tailwatch.contamination.dataset.records import Recorder
from tailwatch.contamination.dataset.report import raise_failures
from tailwatch.contamination.dataset.tables import RESULTS
from tailwatch.contamination.dataset.templates import templates_of
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.layouts import shards_of
from tailwatch.io.paths import title
from tailwatch.io.readers import are_paths
from tailwatch.progress import reporting
from tailwatch.writing import write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from tailwatch.contamination.dataset.folder import Folder
    from tailwatch.contamination.dataset.report import ContaminationReport
    from tailwatch.contamination.dataset.templates import Templates
    from tailwatch.contamination.histogram import Histogram
    from tailwatch.contamination.model import ContaminationModel
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.contamination.state import ModelState
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.io.layouts import Shard
    from tailwatch.io.paths import Paths
    from tailwatch.progress import ProgressOption

__all__ = ["score_dataset"]


def score_dataset(
    model: ContaminationModel,
    state: ModelState,
    estimate: Callable[[Histogram], Prevalence],
    source: Paths,
    out_dir: str | os.PathLike[str],
    *,
    column: str = DEFAULT_COLUMN,
    id_column: str | Sequence[str] | None = None,
    resume: bool = True,
    strict: bool = False,
    copies_of: EmbeddingsLike | None = None,
    copy_distance: float | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ContaminationReport:
    """Do what :meth:`ContaminationModel.score_dataset` says; `estimate` is its own."""
    if not are_paths(source):
        message = (
            f"source: expected a folder, paths or a glob, got {type(source).__name__}; rows() "
            "takes data in memory"
        )
        raise InputError(message)
    ids = _identifiers(id_column)
    if threads is not None:
        threads = integer(threads, "threads")
    workers = _core.thread_count({"threads": threads, "progress": None})
    layout, shards = shards_of(source, "source", column)
    templates = _templates(copies_of, copy_distance, model.columns, workers)
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
        "copies_of": templates and {"rows": templates.digest, "distance": templates.distance},
    }
    started = time.time()
    with output(root) as folder:
        if not folder.manifest.exists():
            folder.check_vacant()
        elif not resume:
            folder.clear()
        manifest = Manifest(folder.manifest, header)
        folder.sweep()
        recorder = Recorder(state.probe, templates, workers)
        job = Job(model, state, folder, manifest, shards, column, ids, recorder, strict)
        with reporting(progress) as report:
            result = job.run(estimate, {"name": title(source), "layout": layout}, report)
        _write_results(folder, manifest, shards, result, started)
    # Where warnings are errors, the results are to be there all the same.
    for text in result.summary["warnings"]:
        warnings.warn(text, TailwatchWarning, stacklevel=3)
    raise_failures(result.failures, len(shards), result)
    return result


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


def _templates(
    source: EmbeddingsLike | None, distance: float | None, columns: int, threads: int
) -> Templates | None:
    if distance is not None:
        if source is None:
            message = "copy_distance: given without copies_of, the rows to be near to"
            raise InputError(message)
        distance = real(distance, "copy_distance")
        if not 0 <= distance < math.inf:
            message = f"copy_distance: expected a finite number of at least 0, got {distance}"
            raise InputError(message)
    return None if source is None else templates_of(source, distance, columns, threads)


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

"""The main job: a candidate beside its null, with intervals."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch import _core
from tailwatch.arguments import integer, share, shares
from tailwatch.comparison.estimates import NoValue
from tailwatch.comparison.families import FAMILIES
from tailwatch.comparison.families.panel import Panel
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.registry import METRICS, select
from tailwatch.comparison.result import SCHEMA, Comparison
from tailwatch.comparison.samples import Samples
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.running import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.registry import Metric
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.progress import ProgressOption
    from tailwatch.running import Settings

__all__ = ["compare", "split_rows"]

LARGEST_LEVEL = 0.5
"""A tail of more than half of the rows is none."""


def compare(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    metrics: str | Sequence[str] = "standard",
    k: int = 5,
    tail_levels: Sequence[float] = (0.10, 0.05, 0.01),
    confidence: float = 0.95,
    max_rows: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Comparison:
    """Compare a candidate with human data: how far it has moved, what became of its tails.

    The reference is split at random into halves A and B, and the candidate is cut to C with as many
    rows. Each metric is reported as *value* = metric(A, C) beside its *null* = metric(A, B), what
    it would have been if nothing had happened, and *retention*: value / null, or for divergences
    (value − null) in standard errors of the null. Intervals come from half-sampling, or in closed
    form for U-statistics. The value on all rows (within `max_rows`) is given too
    (``method = "full"``).

    Parameters
    ----------
    reference
        Embeddings of human data, at least 128 rows.
    candidate
        Embeddings of the data in question, at least 64 rows, from the same encoder.
    metrics
        ``"standard"``, ``"fast"`` (nothing quadratic in the rows) or names of metrics.
    k
        The neighbour that rarity and balls reach to.
    tail_levels
        Tail levels α, each above 0 and at most 0.5.
    confidence
        Of each interval.
    max_rows
        At most so many rows of each set enter the metrics of quadratic cost, drawn at random under
        `seed`; the frame says how many each number used. All rows by default.
    seed
        Seed of all random choices.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    Comparison
        ``.frame`` with one row per metric, level and method; ``.sentence``; ``.save(path)``.

    Raises
    ------
    InputError
        Bad data, too few rows, different numbers of columns, or an argument out of range.

    Notes
    -----
    For h rows in each half, n and m in all: O((9h² + n² + m² + 3nm)·d) time for the neighbour-based
    metrics and 3½h² + (n + m)²/2 inner products for all kernels together. Nothing quadratic in the
    rows is kept: about 1 KB a row, and 3·32·8·d² bytes (0.2 GB for 512 columns, 3 GB for 2,048)
    besides the embeddings.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(1000, 16)), 0.8 * rng.normal(size=(500, 16))
    >>> found = tw.compare(human, shrunk, metrics=["total_variance"])
    >>> row = found.frame.row(0, named=True)
    >>> bool(row["retention_low"] < 0.64 < row["retention_high"])
    True
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    chosen = select(metrics)
    levels = shares(tail_levels, "tail_levels")
    if max(levels) > LARGEST_LEVEL:
        message = f"tail_levels: expected levels up to {LARGEST_LEVEL}, got {max(levels)}"
        raise InputError(message)
    confidence = share(confidence, "confidence")
    seed = integer(seed, "seed", least=0)
    if max_rows is not None:
        max_rows = integer(max_rows, "max_rows", least=128)
    panel = Panel(frozenset(metric.name for metric in chosen), integer(k, "k"), levels, seed)
    x, y = as_embeddings(reference, "reference"), as_embeddings(candidate, "candidate")
    if x.columns != y.columns:
        message = f"candidate: expected {x.columns} columns as in reference, got {y.columns}"
        raise DimensionError(message)
    with running(threads, progress) as settings:
        samples = Samples.draw(x.handle(), y.handle(), max_rows=max_rows, seed=seed)
        used_threads = _core.thread_count(settings)
        rows = split_rows(samples, panel, confidence, settings)
        rows += _full_rows(samples, panel, settings)
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    run = {
        "reference": _describe(x),
        "candidate": _describe(y),
        "arguments": {
            "metrics": [metric.name for metric in chosen],
            "k": panel.k,
            "tail_levels": list(levels),
            "confidence": confidence,
            "max_rows": max_rows,
            "seed": seed,
        },
        "rows_used": {
            "reference_half": samples.halves[0].shape[0],
            "candidate": samples.halves[2].shape[0],
            "quadratic_half": samples.bounded[0].shape[0],
        },
        "versions": {
            "tailwatch": version("tailwatch"),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "polars": pl.__version__,
        },
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - clock, 3),
        "threads": used_threads,
    }
    return Comparison(frame, run)


def split_rows(
    samples: Samples, panel: Panel, confidence: float, settings: Settings
) -> list[tuple[Any, ...]]:
    """Compute the rows of the frame that have a null."""
    found: dict[str, list[Estimate]] = {}
    for family in _families(panel):
        for estimate in FAMILIES[family].estimates(samples, panel, settings):
            found.setdefault(estimate.metric, []).append(estimate)
    rows = []
    for metric in _chosen(panel):
        used = samples.bounded if metric.quadratic else samples.halves
        for estimate in found[metric.name]:
            made = intervals_of(estimate, metric.direction, confidence)
            missing = isinstance(estimate.error, NoValue)
            value, null = (None, None) if missing else (estimate.value, estimate.null)
            numbers = (value, *made.value, null, *made.null)
            retained = (made.retention, *made.retained)
            counts = (used[0].shape[0], used[2].shape[0])
            rows.append(
                (
                    metric.name,
                    estimate.level,
                    *numbers,
                    *retained,
                    metric.direction,
                    *counts,
                    made.method,
                )
            )
    return rows


def _full_rows(samples: Samples, panel: Panel, settings: Settings) -> list[tuple[Any, ...]]:
    found: dict[str, list[tuple[float | None, float | None]]] = {}
    for family in _families(panel):
        for name, level, value in FAMILIES[family].full(samples, panel, settings):
            found.setdefault(name, []).append((level, value))
    rows = []
    for metric in _chosen(panel):
        used = samples.bounded_wholes if metric.quadratic else samples.wholes
        counts = (used[0].shape[0], used[1].shape[0])
        for level, value in found[metric.name]:
            rows.append(
                (metric.name, level, value, *(None,) * 8, metric.direction, *counts, "full")
            )
    return rows


def _chosen(panel: Panel) -> list[Metric]:
    return [metric for metric in METRICS.values() if metric.name in panel.names]


def _families(panel: Panel) -> list[Any]:
    return list(dict.fromkeys(metric.family for metric in _chosen(panel)))


def _describe(embeddings: Embeddings) -> dict[str, Any]:
    return {
        "name": embeddings.name,
        "rows": len(embeddings),
        "columns": embeddings.columns,
        "dtype": str(embeddings.dtype),
    }

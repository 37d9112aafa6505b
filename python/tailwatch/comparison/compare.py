"""The main job: a candidate beside its null, with intervals."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from tailwatch import _core
from tailwatch.arguments import share
from tailwatch.comparison.by_class.classes import check_per, compare_classes, partition
from tailwatch.comparison.by_class.judgement import deciding, frames
from tailwatch.comparison.by_class.result import ClassComparison
from tailwatch.comparison.change import change_frame, changes_of
from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.frame import frame_of, rows_of
from tailwatch.comparison.halves import matrix_of
from tailwatch.comparison.human import HumanRows, Source
from tailwatch.comparison.metrics.moments import difference_of_place, direction_of_shift
from tailwatch.comparison.reference import Reference, side_of
from tailwatch.comparison.reference_file import SUFFIX
from tailwatch.comparison.request import Request, Stamp
from tailwatch.comparison.result import Comparison, PairedComparison
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.progress import running
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tailwatch.comparison.by_class.classes import Labels, Per
    from tailwatch.comparison.human import HumanSide
    from tailwatch.comparison.preparation import Meeting
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.progress import ProgressOption, Settings

__all__ = ["compare"]


@overload
def compare(
    reference: EmbeddingsLike | Reference,
    candidate: EmbeddingsLike,
    *,
    per: None = None,
    baseline: None = None,
    metrics: str | Sequence[str] | None = ...,
    k: int | None = ...,
    tail_levels: Sequence[float] | None = ...,
    confidence: float = ...,
    max_rows: int | None = ...,
    seed: int | None = ...,
    threads: int | None = ...,
    progress: ProgressOption = ...,
) -> Comparison: ...


@overload
def compare(
    reference: EmbeddingsLike | Reference,
    candidate: EmbeddingsLike,
    *,
    per: None = None,
    baseline: EmbeddingsLike,
    metrics: str | Sequence[str] | None = ...,
    k: int | None = ...,
    tail_levels: Sequence[float] | None = ...,
    confidence: float = ...,
    max_rows: int | None = ...,
    seed: int | None = ...,
    threads: int | None = ...,
    progress: ProgressOption = ...,
) -> PairedComparison: ...


@overload
def compare(
    reference: EmbeddingsLike | Reference,
    candidate: EmbeddingsLike,
    *,
    per: Per,
    baseline: None = None,
    metrics: str | Sequence[str] | None = ...,
    k: int | None = ...,
    tail_levels: Sequence[float] | None = ...,
    confidence: float = ...,
    max_rows: int | None = ...,
    seed: int | None = ...,
    threads: int | None = ...,
    progress: ProgressOption = ...,
) -> ClassComparison: ...


def compare(
    reference: EmbeddingsLike | Reference,
    candidate: EmbeddingsLike,
    *,
    per: Per | None = None,
    baseline: EmbeddingsLike | None = None,
    metrics: str | Sequence[str] | None = None,
    k: int | None = None,
    tail_levels: Sequence[float] | None = None,
    confidence: float = 0.95,
    max_rows: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Comparison | ClassComparison | PairedComparison:
    """Compare a candidate with human data: how far it has moved, what became of its tails.

    The reference is split at random into halves A and B, and the candidate is cut to C with as many
    rows. Each metric is reported as *value* = metric(A, C) beside its *null* = metric(A, B), what
    it would have been if nothing had happened, and *retention*: value / null, or for divergences
    (value − null) in standard errors of the null. Intervals come from half-sampling, or in closed
    form for U-statistics. The value on all rows (within `max_rows`) is given too (``value_all``).

    Parameters
    ----------
    reference
        Embeddings of human data, at least 128 rows; or a :class:`tailwatch.Reference`, prepared
        once for many candidates, or the file that it was saved to (``human.tailwatch``): its
        arguments hold where they are not given here. A file without rows takes candidates of at
        least half as many rows, and no `per`.
    candidate
        Embeddings of the data in question, at least 64 rows, from the same encoder.
    per
        Compare class by class: the name of a column that stands beside the embeddings in frames or
        files of both sides, or a tuple of two, for the reference and for the candidate, each such a
        name or a label for every row (an array, a series, a list of strings, integers or booleans).
    baseline
        Embeddings of what the candidate is to replace, at least 64 rows: both are held against the
        same human halves, each number's change has an interval, and the findings are asked of the
        change. Rows that both have cancel. Not with `per`.
    metrics
        ``"standard"`` (the default), ``"fast"`` (what of it is linear in the rows),
        ``"all"``, or names of metrics; ``docs/reference/metrics.md`` says what each of them is.
    k
        The neighbour that rarity and balls reach to, 5 by default.
    tail_levels
        Tail levels α, each above 0 and at most 0.5; 0.10, 0.05 and 0.01 by default.
    confidence
        Of each interval.
    max_rows
        At most so many rows of each set enter the metrics of quadratic cost, drawn at random under
        `seed`; the frame says how many each number used. All rows by default. With `per`, at most
        so many of each class.
    seed
        Seed of all random choices, 0 by default.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    Comparison, ClassComparison or PairedComparison
        ``.frame`` with one row per metric and level; ``.sentence``; ``.save(path)``. With
        `per` a :class:`ClassComparison`, whose frame has these rows for each class, and which says
        in ``.classes`` which of them lost their tails; with `baseline` a
        :class:`PairedComparison`, which says in ``.changes`` how each number changed and in
        ``.change`` what became worse or better.

    Raises
    ------
    InputError
        Bad data, too few rows (with `per`: in all classes), different numbers of columns, labels
        that do not fit the rows, `baseline` together with `per`, or an argument out of range.

    Notes
    -----
    For h rows in each half, n and m in all: O((9h² + n² + m² + 3nm)·d) time for the neighbour-based
    metrics and 3½h² + (n + m)²/2 inner products for all kernels together. Nothing quadratic in the
    rows is kept: about 1 KB a row, and 3·32·8·d² bytes (0.2 GB for 512 columns, 3 GB for 2,048)
    besides the embeddings. With `per` that is time and memory of one class after the other, besides
    two numbers a row; a class has a seed of its own, so that its numbers depend on no other class.
    A `baseline` takes about as long again for the neighbours of both candidates in other halves,
    h²·d for its own values, and 4h² values of each kernel.

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

    What is to replace what there is, of which it keeps nine rows in ten:

    >>> old = rng.normal(size=(500, 16))
    >>> new = np.concatenate([old[:450], 0.5 * rng.normal(size=(50, 16))])
    >>> paired = tw.compare(human, new, baseline=old, metrics=["total_variance"])
    >>> print(paired.change[-2].name, paired.change[-2].state)
    spread_lost worse
    """
    clock = Stamp()
    confidence = share(confidence, "confidence")
    labels = None if per is None else check_per(per)
    if labels is not None and baseline is not None:
        raise InputError(
            argument="baseline",
            expected="none with per",
            got="both",
            hint="compare the rows of each class with a baseline of its own",
        )
    human = _prepared(
        reference,
        {
            "metrics": metrics,
            "k": k,
            "tail_levels": tail_levels,
            "max_rows": max_rows,
            "seed": seed,
        },
    )
    request = human.request.with_confidence(confidence)
    other = human.require_columns(as_embeddings(candidate, "candidate"))
    run: dict[str, Any] = {
        "reference": asdict(human.source),
        "candidate": asdict(Source.of(other)),
        "arguments": request.arguments(),
    }
    before = None
    if baseline is not None:
        before = human.require_columns(as_embeddings(baseline, "baseline"), "baseline")
        run["baseline"] = asdict(Source.of(before))
    with running(threads, progress) as settings:
        used_threads = _core.thread_count(settings)
        if before is not None:
            frame, changes, used = _compare_both(human, (other, before), request, settings)
            run |= used | clock.ran_with(used_threads)
            return PairedComparison(frame, run, changes)
        if labels is None:
            frame, used = _compare_once(human, other, request, settings)
            return Comparison(frame, run | used | clock.ran_with(used_threads))
        found, classes = _compare_by_class(human, other, labels, request, settings)
    run["arguments"]["per"] = [name if isinstance(name, str) else "labels" for name in labels]
    counts = {"all": classes.height, "compared": classes["note"].null_count()}
    run["classes"] = counts
    return ClassComparison(found, classes, run | clock.ran_with(used_threads))


def _prepared(reference: EmbeddingsLike | Reference, given: dict[str, Any]) -> HumanSide:
    """Return the human side under the arguments that were given, the others having defaults."""
    asked = {name: value for name, value in given.items() if value is not None}
    if isinstance(reference, str | os.PathLike) and Path(reference).suffix.lower() == SUFFIX:
        reference = Reference.load(reference)
    if not isinstance(reference, Reference):
        return side_of(Reference(reference, **asked))
    side = side_of(reference)
    arguments = side.request.arguments()
    request = Request.of(**(arguments | asked))
    for name, value in request.arguments().items():
        if value != arguments[name]:
            raise InputError(
                argument=name,
                expected=f"{shown(arguments[name])}, which the reference was made with",
                got=shown(value),
                hint="leave it out, or make a reference with it",
            )
    return side


def _compare_once(
    human: HumanSide, candidate: Embeddings, request: Request, settings: Settings
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return the frame, and how many rows it was made of."""
    meeting = human.meet(candidate.handle())
    found = meeting.estimates(settings)
    rows = rows_of(meeting, found, request.confidence, meeting.wholes(settings))
    frame = frame_of(rows)
    differing = _differing(human, meeting, frame, request.confidence)
    return frame, {"rows_used": _used(meeting)} | differing


def _compare_both(
    human: HumanSide,
    candidates: tuple[Embeddings, Embeddings],
    request: Request,
    settings: Settings,
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    """Return the frames of a candidate and of its changes, and how many rows they were made of."""
    new, old = (each.handle() for each in candidates)
    pairing = human.meet_both(new, old, settings)
    of_new, of_old = (each.estimates(settings) for each in (pairing.new, pairing.old))
    rows = rows_of(pairing.new, of_new, request.confidence, pairing.new.wholes(settings))
    before = rows_of(pairing.old, of_old, request.confidence)
    changes = changes_of(pairing, (of_new, rows), (of_old, before), request.confidence, settings)
    used = _used(pairing.new) | {"baseline": pairing.old.candidate.rows.shape[0]}
    frame = frame_of(rows)
    differing = _differing(human, pairing.new, frame, request.confidence)
    return frame, change_frame(changes), {"rows_used": used} | differing


def _used(meeting: Meeting) -> dict[str, int]:
    """Return how many rows entered the frame."""
    sizes = meeting.prepared.sizes
    return {
        "reference_half": sizes.half,
        "candidate": meeting.candidate.rows.shape[0],
        "quadratic_half": sizes.bounded_half,
    }


def _differing(
    human: HumanSide, meeting: Meeting, frame: pl.DataFrame, confidence: float
) -> dict[str, Any]:
    """Return what differs, where the candidate is elsewhere or has moved."""
    names = {one.name for one in findings_of(frame, confidence=confidence) if one.found}
    if not names & {"elsewhere", "moved"} or not isinstance(human, HumanRows):
        return {}
    most = np.arange(MOST_ROWS)
    trio = (*human.halves_of(meeting), meeting.candidate.bounded)
    a, b, c = (matrix_of(rows.take(most[: rows.shape[0]])) for rows in trio)
    if "elsewhere" in names:
        return {"differs": difference_of_place(a, b, c)}
    return {"differs": direction_of_shift(a, b, c, confidence)}


MOST_ROWS: Final = 2048
"""Rows of each half, and of the candidate, that are looked at for what differs."""


def _compare_by_class(
    human: HumanSide,
    candidate: Embeddings,
    labels: tuple[Labels, Labels],
    request: Request,
    settings: Settings,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the frame and the summary of the classes."""
    with_rows = human.require_rows("per")
    classes = partition(labels, with_rows.embeddings, candidate)
    found = compare_classes(with_rows, candidate.handle(), classes, request, settings)
    chosen = deciding(request.panel)
    return frames(found, chosen[0] if chosen else None, request.confidence)

"""A comparison class by class: which rows are of which class, and each compared as if alone.

A class has a seed of its own, made from the seed of the call and its label, so that its numbers do
not depend on which other classes there are, nor on their order.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import NO_SERIES, refuse_surrogates
from tailwatch.background import uses_polars
from tailwatch.comparison.by_class.judgement import (
    Class,
    Found,
    deciding,
    evidence_of_interval,
    evidence_of_odds,
    why_not,
)
from tailwatch.comparison.frame import rows_of
from tailwatch.comparison.halves import LEAST_ROWS
from tailwatch.exceptions import InputError
from tailwatch.io.columns import ArrowArray, ArrowStream, as_series
from tailwatch.metrics.embeddings.tail_test import TailCounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from tailwatch._core import Rows
    from tailwatch.comparison.by_class.judgement import Evidence
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.human import HumanRows
    from tailwatch.comparison.metrics.family import Whole
    from tailwatch.comparison.request import Request
    from tailwatch.embeddings import Embeddings
    from tailwatch.progress import Settings

__all__ = ["Labels", "Per", "check_per", "class_seed", "compare_classes", "partition"]

Labels: TypeAlias = (
    "str | pl.Series | NDArray[Any] | Sequence[str] | Sequence[int] | ArrowStream | ArrowArray"
)
"""The name of a column beside the embeddings, or a label for each row."""

Per: TypeAlias = "str | tuple[Labels, Labels]"
"""A column that both sides have, or the labels of reference and candidate."""

KINDS = "strings, integers or booleans"


def check_per(per: object) -> tuple[Labels, Labels]:
    """Return what names the labels of reference and of candidate."""
    if isinstance(per, str):
        return per, per
    if isinstance(per, tuple) and len(per) == 2:
        return per
    what = f"a tuple of {len(per)}" if isinstance(per, tuple) else type(per).__name__
    raise InputError(
        argument="per",
        expected="the name of a column, or a tuple of two: the labels of reference and of "
        "candidate",
        got=what,
    )


def partition(per: tuple[Labels, Labels], x: Embeddings, y: Embeddings) -> list[Class]:
    """Find the rows of each class.

    Parameters
    ----------
    per
        As :func:`check_per` returns it.
    x, y
        Reference and candidate.

    Returns
    -------
    list of Class
        All classes of either side, whole numbers ascending, text and booleans by their letters.

    Raises
    ------
    InputError
        Labels that are missing, of another number than the rows, of no type for labels, or of
        different types on both sides.
    """
    uses_polars("a comparison by class")
    (of_reference, kind), (of_candidate, other) = (
        _labels(labels, embeddings, side)
        for labels, embeddings, side in zip(per, (x, y), ("reference", "candidate"), strict=True)
    )
    if kind != other:
        raise InputError(
            argument="per",
            expected="labels of one type",
            got=f"{kind} for reference and {other} for candidate",
        )
    reference, candidate = _rows_by_name(of_reference), _rows_by_name(of_candidate)
    names = sorted(reference.keys() | candidate.keys(), key=int if kind == "integers" else str)
    none = np.empty(0, np.int64)
    return [Class(name, reference.get(name, none), candidate.get(name, none)) for name in names]


def _labels(labels: Labels, embeddings: Embeddings, side: str) -> tuple[pl.Series, str]:
    """Return the labels as text, and what they were."""
    if isinstance(labels, str):
        found, place = embeddings.labels(labels), f"{side}: column {labels!r}"
    else:
        found, place = _series(labels, side), f"per: labels of {side}"
    if len(found) != len(embeddings):
        raise InputError(
            argument=place,
            expected=f"a label for each of {len(embeddings)} rows",
            got=f"{len(found)}",
        )
    missing = found.is_null()
    if found.dtype.is_float():
        missing |= found.is_nan()
    if missing.any():
        raise _missing(place, missing.arg_max() or 0, null=found.null_count() > 0)
    kind = _kind(found.dtype)
    if kind is None:
        raise InputError(
            argument=place,
            expected=KINDS,
            got=f"{found.dtype}",
            hint="cast whole numbers to integers" if found.dtype.is_float() else None,
        )
    return found.cast(pl.String), kind


def _missing(place: str, row: int, *, null: bool) -> InputError:
    return InputError(
        f"row {row} has no label" if null else f"row {row} has no label (NaN)",
        argument=place,
        expected="a label for each row",
        got="null" if null else "NaN",
        where=f"row {row}",
        hint="leave out rows without a label, or give them one of their own",
    )


def _kind(dtype: pl.DataType) -> str | None:
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum):
        return "strings"
    if dtype.is_integer():
        return "integers"
    return "booleans" if dtype == pl.Boolean else None


def _series(labels: object, side: str) -> pl.Series:
    if isinstance(labels, pl.Series):
        return labels
    place = f"per: labels of {side}"
    if isinstance(labels, np.ndarray) and labels.ndim != 1:
        raise InputError(argument=place, expected="one dimension", got=f"shape {labels.shape}")
    values = labels.tolist() if isinstance(labels, np.ndarray) else labels
    if not isinstance(values, list | tuple | ArrowStream | ArrowArray):
        raise InputError(
            argument=place,
            expected="the name of a column, an array, a series or a list",
            got=type(labels).__name__,
        )
    if isinstance(values, list | tuple):
        # Polars has no type for text beside NaN, which is how missing labels come from pandas.
        for row, value in enumerate(values):
            if isinstance(value, float) and math.isnan(value):
                raise _missing(place, row, null=False)
    try:
        return pl.Series(values) if isinstance(values, list | tuple) else as_series(values)
    except NO_SERIES as error:
        if isinstance(values, list | tuple):
            refuse_surrogates(values, place)
        raise InputError(
            argument=place, expected=f"{KINDS} of one type", got="values of several"
        ) from error


def _rows_by_name(labels: pl.Series) -> dict[str, NDArray[np.int64]]:
    rows = pl.DataFrame({"name": labels, "row": np.arange(len(labels))})
    grouped = rows.group_by("name").agg(pl.col("row").sort())
    return {
        name: numbers.to_numpy()
        for name, numbers in zip(grouped["name"], grouped["row"], strict=True)
    }


def class_seed(seed: int, name: str) -> int:
    """Return the seed of a class: 63 bits of the SHA-256 of ``"{seed} {name}"``."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def compare_classes(
    reference: HumanRows,
    candidate: Rows,
    classes: Sequence[Class],
    request: Request,
    settings: Settings,
) -> list[Found]:
    """Compare class by class.

    Parameters
    ----------
    reference
        The human side.
    candidate
        All candidate rows.
    classes
        Which of them are whose.
    request
        What was asked.
    settings
        Of the core; progress is told of each class, and of the stages of those that take long.

    Returns
    -------
    list of Found
        One per class, in the order of `classes`.

    Raises
    ------
    InputError
        No class can be compared.
    """
    share = candidate.shape[0] / reference.source.rows
    found = [
        Found(one, class_seed(request.panel.seed, one.name), note=why_not(one, share))
        for one in classes
    ]
    enough = [one for one in found if one.note is None]
    if not enough:
        raise _too_small(classes)
    report = settings["progress"]
    errors: list[InputError] = []
    for number, one in enumerate(enough, 1):
        try:
            _compare(one, reference, candidate, request, _within(settings, number, len(enough)))
        except InputError as error:
            errors.append(error)
            one.note = str(error)
        if report is not None:
            report("classes", number, len(enough))
    if len(errors) == len(enough):
        raise errors[0]
    return found


def _compare(
    one: Found, reference: HumanRows, candidate: Rows, request: Request, settings: Settings
) -> None:
    """Compare one class, and find what decides about its tails."""
    human = reference.of_class(one.of.reference, one.seed)
    meeting = human.meet(candidate.take(one.of.candidate))
    estimates = meeting.estimates(settings)
    wholes = meeting.wholes(settings)
    one.evidence = _evidence(estimates, wholes, request)
    one.rows = rows_of(meeting, estimates, request.confidence, wholes)


def _evidence(
    estimates: dict[str, list[Estimate]], wholes: list[Whole], request: Request
) -> Evidence | None:
    chosen = deciding(request.panel)
    if chosen is None:
        return None
    name, level = chosen
    if name == "tail_odds_ratio":
        tail = next(tail for metric, level, _, tail in wholes if (metric, level) == chosen)
        if not isinstance(tail, TailCounts):
            return None
        return evidence_of_odds(tail, level, request.confidence)
    estimate = next(one for one in estimates[name] if level is None or one.level == level)
    return evidence_of_interval(estimate, request.confidence)


def _within(settings: Settings, number: int, count: int) -> Settings:
    """Let the stages of a class say which class they are of."""
    report = settings["progress"]
    if report is None:
        return settings
    return {
        "threads": settings["threads"],
        "progress": lambda stage, done, total: report(
            f"class {number} of {count}, {stage}", done, total
        ),
    }


def _too_small(classes: Sequence[Class]) -> InputError:
    largest = max(classes, key=lambda one: min(len(one.reference) // 2, len(one.candidate)))
    return InputError(
        argument="per",
        expected=f"a class with at least {2 * LEAST_ROWS} reference and {LEAST_ROWS} candidate "
        "rows",
        got=f"{len(classes)} smaller ones",
        hint=f"the largest, {largest.name!r}, has {len(largest.reference)} reference and "
        f"{len(largest.candidate)} candidate rows",
    )

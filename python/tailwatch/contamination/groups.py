"""The share of synthetic rows in each group of a target: by month, domain, language.

Each group is a target of its own, estimated by the templates and widened by the drift of the whole.
A group's hypothesis is that its share is at most a limit: by default that of the null floor, up to
which human rows alone may lie. Its p-value is the least α at which the group's
interval of confidence 1 − α lies above the limit
(:meth:`~tailwatch.contamination.templates.Templates.p_above`); the q-values of Benjamini & Hochberg
over all groups say which of them are found *above* at a false-discovery rate of 1 − confidence.
Estimates of groups share the errors of the templates, so their p-values depend on each other, all
in one direction, under which that control holds.

Counts of groups add up as those of a whole do, so a target may come in shards, in any order.
Cost O(B) for each group and, in memory, B counts; an interval takes some 10 ms.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import NO_SERIES, refuse_surrogates
from tailwatch.contamination.templates import Templates
from tailwatch.distributions import false_discovery_rates
from tailwatch.exceptions import InputError
from tailwatch.results import plain
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "MOST_GROUPS",
    "GroupCounts",
    "GroupLabels",
    "GroupShares",
    "check_label_type",
    "estimate_groups",
    "label_texts",
    "no_label",
]

GroupLabels: TypeAlias = "Sequence[object] | NDArray[np.generic] | pl.Series"
"""A label for each row: text, numbers or dates."""

MOST_GROUPS = 1000
"""Groups of one target."""

_SCHEMA = {
    "group": pl.String,
    "rows": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p_value": pl.Float64,
    "q_value": pl.Float64,
    "above": pl.Boolean,
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}([-/.:T ]?[QW]?\d{1,2}){1,5}(\.\d+)?", re.ASCII)


class GroupCounts:
    """Counts of the scores of each group of a target.

    Parameters
    ----------
    edges
        Inner edges of the bins of the score.
    by
        What the groups are, for the text of errors: the name of a column.
    """

    def __init__(self, edges: NDArray[np.float32], by: str) -> None:
        self._edges = edges
        self._by = by
        self._counts: dict[str, NDArray[np.int64]] = {}

    @property
    def by(self) -> str:
        """What the groups are."""
        return self._by

    def absorb(self, labels: pl.Series, scores: NDArray[np.float32]) -> GroupCounts:
        """Count scores of the model, each in the group that its label names.

        Parameters
        ----------
        labels
            Texts without null, as :func:`label_texts` gives them.
        scores
            As many scores.

        Returns
        -------
        GroupCounts
            This one.

        Raises
        ------
        InputError
            There are more than `MOST_GROUPS` groups.
        """
        bins = np.searchsorted(self._edges, scores, side="right")
        cells = pl.DataFrame({"group": labels, "bin": bins}).group_by("group", "bin").len()
        for name, at, rows in cells.iter_rows():
            if name not in self._counts:
                if len(self._counts) == MOST_GROUPS:
                    raise InputError(
                        argument="by",
                        expected=f"at most {MOST_GROUPS:,} groups",
                        got="more",
                        where=shown(self._by),
                        hint="take a coarser column, such as a month in place of a day",
                    )
                self._counts[name] = np.zeros(len(self._edges) + 1, np.int64)
            self._counts[name][at] += rows
        return self

    def finish(self) -> dict[str, NDArray[np.int64]]:
        """Return the counts of each group: numbers and dates ascending, other names by letters."""
        names, _ = _in_order(self._counts)
        return {name: self._counts[name] for name in names}


@dataclass(frozen=True, slots=True, eq=False)
class GroupShares:
    """The share of synthetic rows in each group of a target.

    Attributes
    ----------
    by
        What the groups are: the name of a column, or ``"group"``.
    frame
        A row for each group, numbers and dates ascending, other names by their letters: ``group``;
        ``rows``; ``value``, ``low``, ``high``, the share with its interval (the value is null where
        it is not known); ``p_value`` of a share of at most `limit`; ``q_value`` over all groups;
        ``above``, whether that is at most 1 − confidence.
    limit
        Of the null floor: up to it human rows alone may lie.
    confidence
        Of the intervals.
    ordered
        Whether all names are numbers or dates.
    templates, counts
        What all this is computed from: the references, and groups × bins of the target.
    """

    by: str
    frame: pl.DataFrame
    limit: float
    confidence: float
    ordered: bool
    templates: Templates
    counts: NDArray[np.int64]

    def above(self, limit: float) -> pl.DataFrame:
        """Return the frame for another limit: its p-values, q-values and groups above.

        Parameters
        ----------
        limit
            The largest share that is allowed, from 0 to below 1.
        """
        return _judged(self.frame, self.templates, self.counts, limit, self.confidence)

    def summary(self) -> dict[str, Any]:
        """Return what the summary of a data set says of groups, as JSON holds it."""
        return {
            "by": self.by,
            "limit": self.limit,
            "confidence": self.confidence,
            "ordered": self.ordered,
            "table": plain(self.frame.to_dicts()),
        }

    def to_plain(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        return self.summary() | {
            "templates": plain(self.templates),
            "counts": self.counts.tolist(),
        }

    @classmethod
    def of_plain(cls, kept: Mapping[str, Any]) -> GroupShares:
        """Make one of what :meth:`to_plain` gave.

        Raises
        ------
        TypeError, KeyError, ValueError
            It gave something else.
        """
        of = kept["templates"]
        templates = Templates(
            np.array(of["edges"], np.float32),
            np.array(of["thresholds"], np.float32),
            np.array(of["human"], np.int64),
            np.array(of["synthetic"], np.int64),
            of["stratified"],
        )
        return cls(
            by=kept["by"],
            frame=pl.DataFrame(kept["table"], _SCHEMA),
            limit=kept["limit"],
            confidence=kept["confidence"],
            ordered=kept["ordered"],
            templates=templates,
            counts=np.array(kept["counts"], np.int64),
        )


def estimate_groups(
    templates: Templates, counted: GroupCounts, limit: float, confidence: float
) -> GroupShares:
    """Estimate the share of each group.

    Parameters
    ----------
    templates
        Of the model.
    counted
        The scores of at least one group.
    limit
        Of the null floor.
    confidence
        Of the intervals, and of the groups that are called above.
    """
    groups = counted.finish()
    counts = np.stack(list(groups.values()))
    found = [templates.share(each, confidence) for each in counts]
    frame = pl.DataFrame(
        {
            "group": list(groups),
            "rows": counts.sum(axis=1),
            "value": [None if math.isnan(each.value) else each.value for each in found],
            "low": [each.low for each in found],
            "high": [each.high for each in found],
        },
        {name: _SCHEMA[name] for name in ("group", "rows", "value", "low", "high")},
    )
    return GroupShares(
        by=counted.by,
        frame=_judged(frame, templates, counts, limit, confidence),
        limit=limit,
        confidence=confidence,
        ordered=_in_order(groups)[1],
        templates=templates,
        counts=counts,
    )


def label_texts(
    labels: Any,  # noqa: ANN401  (whatever Polars makes a series of)
    rows: int,
    argument: str,
    of: str,
    *,
    subject: str | None = None,
    first: int = 0,
) -> pl.Series:
    """Return labels of rows as text.

    Parameters
    ----------
    labels
        A label for each row: text, numbers or dates.
    rows
        Rows that need one.
    argument, of
        Name of the argument of the labels, and of that of the rows, for the text of errors.
    subject
        What an error about a row starts with, in place of `argument`.
    first
        Number of the first row.

    Raises
    ------
    InputError
        There is not one for each row, one is null or NaN, or they are of no type for labels.
    """
    try:
        series = pl.Series(argument, labels)
    except NO_SERIES as error:
        if isinstance(labels, Iterable):
            refuse_surrogates(labels, argument)
        raise InputError(
            argument=argument,
            expected=f"a name for each row of {of}",
            got=type(labels).__name__,
        ) from error
    if len(series) != rows:
        raise InputError(
            argument=argument,
            expected=f"a name for each of the {rows} rows of {of}",
            got=f"{len(series)}",
        )
    check_label_type(series.dtype, argument)
    missing = series.is_null()
    if series.dtype.is_float():
        missing |= series.is_nan()
    if missing.any():
        raise no_label(first + (missing.arg_max() or 0), subject or argument)
    return series.cast(pl.String)


def check_label_type(dtype: pl.DataType, argument: str) -> None:
    """Refuse a type that names nothing."""
    if dtype.is_nested() or dtype in {pl.Object, pl.Binary}:
        raise InputError(argument=argument, expected="text, numbers or dates", got=f"{dtype}")


def no_label(row: int, argument: str) -> InputError:
    """Return the error about a row without a label."""
    return InputError(
        f"row {row} is null",
        argument=argument,
        expected="a name",
        got="null",
        where=f"row {row}",
    )


def _judged(
    frame: pl.DataFrame,
    templates: Templates,
    counts: NDArray[np.int64],
    limit: float,
    confidence: float,
) -> pl.DataFrame:
    """Return the frame with p- and q-values of a share of at most `limit`."""
    p_values = np.array(
        [
            1.0 if value is None else templates.p_above(each, value, limit)
            for each, value in zip(counts, frame["value"], strict=True)
        ]
    )
    q_values = false_discovery_rates(p_values)
    return frame.select("group", "rows", "value", "low", "high").with_columns(
        p_value=pl.Series(p_values),
        q_value=pl.Series(q_values),
        above=pl.Series(q_values <= 1 - confidence),
    )


def _in_order(names: Iterable[str]) -> tuple[list[str], bool]:
    """Return names in order, and whether that is one of numbers or dates."""
    listed = sorted(names)
    if all(_NUMBER.fullmatch(name) for name in listed):
        return sorted(listed, key=float), True
    if all(_DATE.fullmatch(name) for name in listed):
        return sorted(listed, key=lambda name: [*map(int, re.findall(r"\d+", name))]), True
    return listed, False

"""Readings, one of each row of a comparison frame, and the table and legend made of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from tailwatch.report import html
from tailwatch.report.html import SWATCH, data_table, element, escape
from tailwatch.report.words import ABSENT, Number, Written, count, describe, percent, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from tailwatch.report.words import Group, Label

__all__ = ["Reading", "Status", "legend", "panel_table", "read", "to_draw"]

#: Where the interval of the retention lies: short of what a fresh sample scores, around it, on the
#: far side of it, or there is no interval to tell.
Status = Literal["worse", "same", "beyond", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric at one level, and what it is called."""

    metric: str
    label: Label
    level: float | None
    direction: str
    value: Number
    null: Number
    standard_error: float | None
    retention: Number
    all_rows: Number
    n_reference: int | None
    n_candidate: int | None
    method: str | None
    reason: str | None

    @property
    def name(self) -> str:
        """The metric and its level, in words."""
        return self.label.name + (f", {percent(self.level)}" if self.level is not None else "")

    @property
    def is_divergence(self) -> bool:
        """Whether lower is better, so that retention counts standard errors of the null."""
        return self.direction == "lower"

    @property
    def neutral(self) -> float:
        """The retention of a fresh sample of the reference."""
        return 0.0 if self.is_divergence else 1.0

    @property
    def written_retention(self) -> Written:
        """The retention as text: a ratio, or a signed number of standard errors."""
        if self.is_divergence:
            return write(self.retention, places=1, signed=True)
        return write(self.retention, places=2)

    @property
    def status(self) -> Status:
        """Where the interval of the retention lies."""
        low, high = self.retention.low, self.retention.high
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return "unknown"
        if low <= self.neutral <= high:
            return "same"
        return "worse" if (low > self.neutral) == self.is_divergence else "beyond"

    @property
    def how(self) -> str:
        """How the interval was made, or why there is none."""
        if self.method is not None:
            return self.method
        missing = "value" if self.value.value is None else "interval"
        return f"no {missing}: {self.reason}"

    @property
    def null_band(self) -> tuple[float, float] | None:
        """The interval of the null on the scale of the retention; None if it cannot be placed."""
        null, low, high = self.null.value, self.null.low, self.null.high
        if null is None or low is None or high is None:
            return None
        if not self.is_divergence:
            band = (low / null, high / null) if null else (math.nan, math.nan)
        elif self.standard_error:
            band = ((low - null) / self.standard_error, (high - null) / self.standard_error)
        else:
            return None
        return band if all(math.isfinite(end) for end in band) else None


def read(frame: pl.DataFrame, labels: Mapping[str, Label]) -> list[Reading]:
    """Return the readings of a comparison frame, in its order."""
    return [_reading(row, labels) for row in frame.to_dicts()]


def to_draw(readings: Sequence[Reading]) -> list[Reading]:
    """Return readings with the numbers that findings rest on: of odds in a pooled tail, all rows.

    Such odds are 1 if nothing happened, as a retention is, and have no null to be divided by.
    """
    return [
        replace(reading, retention=reading.all_rows, null=Number(None))
        if reading.metric == "tail_odds_ratio" and reading.all_rows.has_interval
        else reading
        for reading in readings
    ]


def _reading(row: dict[str, Any], labels: Mapping[str, Label]) -> Reading:
    return Reading(
        metric=row["metric"],
        label=describe(row["metric"], labels),
        level=row["level"],
        direction=row["direction"],
        value=Number(row["value"], row["low"], row["high"]),
        null=Number(row["null"], row["null_low"], row["null_high"]),
        standard_error=row["standard_error"],
        retention=Number(row["retention"], row["retention_low"], row["retention_high"]),
        # A generation of a loop is measured on halves alone.
        all_rows=Number(*(row.get(f"{end}_all") for end in ("value", "low", "high"))),
        n_reference=row["n_reference"],
        n_candidate=row["n_candidate"],
        method=row["method"],
        reason=row["reason"],
    )


_GROUPS: dict[Group, str] = {
    "tails": "Tails",
    "fidelity": "Fidelity and coverage",
    "spread": "Spread",
    "divergence": "Divergences",
}

_RATIO_WORDS: dict[Status, str] = {
    "worse": "below the null",
    "same": "interval holds the null",
    "beyond": "above the null",
    "unknown": "no interval",
}
_DIVERGENCE_WORDS = _RATIO_WORDS | {
    "worse": "further than the null",
    "beyond": "closer than the null",
}


def legend(readings: Sequence[Reading], confidence: str) -> str:
    """Explain the signs that a chart of `readings` uses."""
    words = _DIVERGENCE_WORDS if readings[0].is_divergence else _RATIO_WORDS
    values = [(reading.retention.value, reading.status) for reading in readings]
    drawn = {status for value, status in values if value is not None and not isnan(value)}
    items = [f"Bars: {confidence} intervals"]
    items += [_mark(status) + word for status, word in words.items() if status in drawn]
    if any(reading.null_band for reading in readings):
        items.append(f"{SWATCH}interval of the null itself")
    return html.legend(items)


def panel_table(readings: Sequence[Reading], confidence: str) -> str:
    """Return the table of all readings, grouped by what they measure."""
    groups = []
    for group, title in _GROUPS.items():
        members = [reading for reading in readings if reading.label.group == group]
        if members:
            head = element("th", title, role="rowheader", scope="rowgroup", colspan="7")
            groups.append(element("tr", head, role="row", class_="tw-group") + _rows(members))
    columns = ("Metric", "Value", "Null", "Retention", "All rows", "Rows", "Method")
    heads = "".join(element("th", it, role="columnheader", scope="col") for it in columns)
    caption = (
        f"Brackets hold {confidence} intervals. “All rows” is the value on the whole sets, as "
        "papers quote it; most intervals and all nulls need equal halves, so it has an interval "
        "only where one is exact or of closed form."
    )
    return data_table(heads, groups, kind="tw-table", caption=caption)


def _rows(readings: Sequence[Reading]) -> str:
    return "".join(
        _row(reading, again=position > 0)
        for _, group in groupby(readings, key=lambda reading: reading.metric)
        for position, reading in enumerate(group)
    )


def _row(reading: Reading, *, again: bool) -> str:
    """Return the row of a reading; the unit of a metric stands in the first of its rows only."""
    name = escape(reading.label.name)
    if reading.level is not None:
        name += f' <span class="tw-level">{percent(reading.level)}</span>'
    if not again:
        name += f'<span class="tw-small">{escape(reading.label.unit)}</span>'
    unit = " SE" if reading.is_divergence else ""
    retention = _sign(reading) + _stacked(reading.written_retention, unit)
    numbers = (reading.n_reference, reading.n_candidate)
    cells = (
        ("Value", "tw-number", _stacked(write(reading.value))),
        ("Null", "tw-number", _stacked(write(reading.null))),
        ("Retention", "tw-number", retention),
        ("All rows", "tw-number tw-full", _of_all_rows(reading)),
        ("Rows", "tw-rows", " + ".join(ABSENT if n is None else count(n) for n in numbers)),
        ("Method", "tw-method", escape(reading.how)),
    )
    body = "".join(
        f'<td role="cell" data-label="{column}" class="{kind}">{text}</td>'
        for column, kind, text in cells
    )
    kind = ' class="tw-again"' if again else ""
    return f'<tr role="row"{kind}><th role="rowheader" scope="row">{name}</th>{body}</tr>'


def _of_all_rows(reading: Reading) -> str:
    """Return the value on all rows, over its interval where it has one."""
    written = write(reading.all_rows)
    if written.interval is None:
        return written.value
    return f'{written.value}<span class="tw-small">{written.interval}</span>'


def _sign(reading: Reading) -> str:
    """Return the sign of the status, and its words for readers who do not see it."""
    if reading.status == "unknown":
        return ""
    words = _DIVERGENCE_WORDS if reading.is_divergence else _RATIO_WORDS
    unseen = f'<span class="tw-unseen">{words[reading.status]}: </span>'
    return _mark(reading.status) + unseen


def _mark(status: Status) -> str:
    return f'<span class="tw-mark tw-{status}" aria-hidden="true"></span>'


def _stacked(written: Written, unit: str = "") -> str:
    """Return a number over its interval, or over the words that it has none."""
    if written.value == ABSENT:
        return ABSENT
    interval = written.interval or "no interval"
    return f'<b>{written.value}</b>{unit}<span class="tw-small">{interval}</span>'

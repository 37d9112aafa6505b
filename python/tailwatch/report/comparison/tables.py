"""The table of a comparison, each number over its interval, and the legend of its signs."""

from __future__ import annotations

from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING

from tailwatch.report import html
from tailwatch.report.html import SWATCH, data_table, element, escape
from tailwatch.report.numbers import ABSENT, Number, Written, count, percent, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.comparison.readings import Reading, Status
    from tailwatch.report.words import Group

__all__ = ["legend", "panel_table"]

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
        "papers quote it; intervals and nulls need equal halves, so it has neither."
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
        ("All rows", "tw-number tw-full", write(Number(reading.value_all)).value),
        ("Rows", "tw-rows", " + ".join(ABSENT if n is None else count(n) for n in numbers)),
        ("Method", "tw-method", escape(reading.how)),
    )
    body = "".join(
        f'<td role="cell" data-label="{column}" class="{kind}">{text}</td>'
        for column, kind, text in cells
    )
    kind = ' class="tw-again"' if again else ""
    return f'<tr role="row"{kind}><th role="rowheader" scope="row">{name}</th>{body}</tr>'


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

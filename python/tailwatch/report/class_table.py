"""The table of a comparison by class: a line per class, its tails first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.report.html import escape
from tailwatch.report.labels import describe, percent
from tailwatch.report.numbers import ABSENT, Estimate, Written, count, write
from tailwatch.report.readings import Reading, Status, read
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MOST_CLASSES", "class_table", "written_q"]

MOST_CLASSES = 1000
"""More are left to the frame, so that a page stays small."""

LONGEST_NAME = 48
LONGEST_NOTE = 120

# In this order, where they were asked for; what decides stands before them.
_BESIDES = ("tail_mass", "tail_recall", "directional_tails", "total_variance")
_NEAREST_LEVEL = 0.05
_MARKS: dict[Status, tuple[str, str]] = {
    "worse": ("w", "↓ "),
    "beyond": ("b", "↑ "),
    "same": ("", ""),
    "unknown": ("", ""),
}
_COLOURS = {"lost": "w", "absent": "w", "widened": "b"}


def class_table(
    frame: pl.DataFrame, classes: pl.DataFrame, confidence: str, most: int = MOST_CLASSES
) -> str:
    """Return the table of the classes, in the order of the summary.

    Parameters
    ----------
    frame
        All metrics of all classes.
    classes
        The summary.
    confidence
        Of the intervals, as text.
    most
        Lines; classes beyond are counted.
    """
    shown = classes.head(most)
    readings = _readings(frame, shown["class"])
    decided = shown["metric"].drop_nulls().unique().to_list()
    measured = {name for found in readings.values() for name in found}
    besides = [name for name in _BESIDES if name in measured.difference(decided)]
    levels = [*shown["level"].drop_nulls()[:1], _NEAREST_LEVEL]
    heads = ["Class", "Rows", "Tails", "q"]
    heads += [_head(name, levels[0]) for name in decided]
    heads += [_head(name, _level(readings, name)) for name in besides]
    lines = [
        _line(row, readings.get(row["class"], {}), len(decided), besides)
        for row in shown.to_dicts()
    ]
    rest = classes.height - shown.height
    more = f" {count(rest)} more classes are in the frame." if rest else ""
    return (
        '<div class="tw-scroll" tabindex="0" role="region" aria-label="All classes">'
        '<table class="tw-classes"><caption>Sorted by how sure it is that '
        f"tails were lost. Brackets hold {confidence} intervals; ↓ and ↑ mark those below and "
        f"above what a fresh sample retains. Rows are reference + candidate.{more}</caption>"
        f"<thead><tr>{''.join(f'<th scope=col>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def written_q(q_value: float | None) -> str:
    """Write a q-value to two digits, and none where there was no test."""
    return ABSENT if q_value is None else f"{q_value:.2f}" if q_value >= 0.01 else f"{q_value:.0e}"


def _head(metric: str, level: float | None) -> str:
    label = describe(metric)
    tail = "" if level is None else f" {percent(level)}"
    return escape(f"{label.name}{tail}")


def _level(readings: Mapping[str, Mapping[str, Reading]], metric: str) -> float | None:
    return next(found[metric].level for found in readings.values() if metric in found)


def _readings(frame: pl.DataFrame, names: pl.Series) -> dict[str, dict[str, Reading]]:
    """Return the readings of what stands beside, by class and metric, at the nearest level."""
    nearest = (pl.col("level").fill_null(_NEAREST_LEVEL) - _NEAREST_LEVEL).abs()
    chosen = frame.filter(pl.col("metric").is_in(_BESIDES), pl.col("class").is_in(names.implode()))
    chosen = chosen.sort(nearest, maintain_order=True).unique(
        ["class", "metric"], keep="first", maintain_order=True
    )
    found: dict[str, dict[str, Reading]] = {}
    for name, reading in zip(chosen["class"], read(chosen), strict=True):
        found.setdefault(name, {})[reading.metric] = reading
    return found


def _line(
    row: dict[str, Any], readings: Mapping[str, Reading], decided: int, besides: Sequence[str]
) -> str:
    """Return the line of a class; one that was not compared says why across the columns."""
    name = escape(shortened(visible(row["class"]), LONGEST_NAME))
    rows = f"{count(row['reference_rows'])} + {count(row['candidate_rows'])}"
    verdict = _cell(row["verdict"], _COLOURS.get(row["verdict"], ""))
    start = f"<tr><th scope=row>{name}</th><td>{rows}</td>{verdict}"
    if row["note"] is not None:
        note = escape(shortened(visible(row["note"]), LONGEST_NOTE))
        return f"{start}<td colspan={1 + decided + len(besides)}>{note}</td></tr>"
    cells = [_cell(written_q(row["q_value"]))]
    if decided:
        number = write(Estimate(row["value"], row["low"], row["high"]), places=2)
        cells.append(_cell(_stacked(number)))
    for metric in besides:
        reading = readings.get(metric)
        if reading is None:
            cells.append(_cell(ABSENT))
        else:
            kind, mark = _MARKS[reading.status]
            cells.append(_cell(_stacked(reading.written_retention, mark), kind))
    return f"{start}{''.join(cells)}</tr>"


def _cell(text: str, kind: str = "") -> str:
    return f"<td class={kind}>{text}</td>" if kind else f"<td>{text}</td>"


def _stacked(written: Written, mark: str = "") -> str:
    interval = "" if written.interval is None else f"<i>{written.interval}</i>"
    return f"{mark}<b>{written.value}</b>{interval}"

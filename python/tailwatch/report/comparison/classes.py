"""The page of a comparison by class: the sentence, the surest losses, all classes, what was run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.background import uses_polars
from tailwatch.report.comparison.charts import AxisWords, retention_chart
from tailwatch.report.comparison.readings import Reading, Status, read
from tailwatch.report.findings import findings_table
from tailwatch.report.html import details, element, escape, legend, scrolling_table
from tailwatch.report.page import (
    Section,
    definitions,
    fragment,
    fragment_mark,
    page,
    run_details,
)
from tailwatch.report.words import (
    ABSENT,
    CLASS_TERMS,
    Label,
    Number,
    Written,
    count,
    counted,
    describe,
    percent,
    write,
    written_q,
)
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["STATUSES", "classes_fragment", "classes_page", "read_classes"]

STATUSES: dict[str, Status] = {"lost": "worse", "widened": "beyond", "no change found": "same"}
"""Where the verdict on a class sets it; classes of other verdicts were not judged."""

DRAWN = 12
"""Classes in the chart."""

MOST_CLASSES = 1000
"""More are left to the frame, so that a page stays small."""

LINES_OF_FRAGMENT = 50
LONGEST_DRAWN = 27
"""As many letters as the chart has room for."""

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


def classes_page(
    frame: pl.DataFrame,
    classes: pl.DataFrame,
    run: dict[str, Any],
    *,
    sentence: str,
    findings: Sequence[Mapping[str, Any]],
    labels: Mapping[str, Label],
) -> str:
    """Return the page of a comparison by class as one HTML document.

    Parameters
    ----------
    frame
        The frames of all classes below each other.
    classes
        One row per class, in the order of the page.
    run
        What was run: names, rows, arguments, versions.
    sentence
        The findings in words.
    findings
        Those that are there, as :func:`~tailwatch.report.findings.findings_table` takes them.
    labels
        What each metric is called.

    Returns
    -------
    str
        A document that needs no other file, no script and no network.
    """
    uses_polars("drawing a page")
    confidence = percent(run["arguments"]["confidence"])
    reference, candidate = run["reference"], run["candidate"]
    told = {metric for one in findings for metric, _ in one["evidence"]}
    told |= {*_BESIDES, *classes["metric"].drop_nulls()}
    measured = frame["metric"].drop_nulls().unique(maintain_order=True)
    metrics = [metric for metric in measured if metric in told]
    return page(
        kind="tailwatch comparison by class",
        subject=f"{reference['name']} vs {candidate['name']}",
        sentence=sentence,
        facts={
            "Reference": counted(reference["rows"], "row"),
            "Candidate": counted(candidate["rows"], "row"),
            "Classes": f"{count(run['classes']['compared'])} of "
            f"{count(run['classes']['all'])} compared",
            "Intervals": confidence,
        },
        sections=[
            Section("The surest losses", _chart(classes, labels, confidence, "classes")),
            Section("What was found", findings_table(findings, labels, confidence)),
            Section("All classes", _table(frame, classes, labels, confidence)),
            Section("What each number means", definitions(metrics, labels, CLASS_TERMS)),
            Section("What was run", run_details(run)),
        ],
        foot=f"Written by tailwatch {run['versions']['tailwatch']}. "
        "This file holds aggregated numbers only and loads nothing.",
    )


def classes_fragment(
    frame: pl.DataFrame,
    classes: pl.DataFrame,
    run: dict[str, Any],
    *,
    sentence: str,
    labels: Mapping[str, Label],
) -> str:
    """Return the sentence, the chart and the first classes as an element for a notebook.

    The arguments are those of :func:`classes_page`.
    """
    uses_polars("drawing a page")
    confidence = percent(run["arguments"]["confidence"])
    mark = fragment_mark(sentence, classes)
    table = _table(frame, classes, labels, confidence, LINES_OF_FRAGMENT)
    chart = _chart(classes, labels, confidence, f"classes-{mark}")
    return fragment(sentence=sentence, body=chart + details("The classes", table))


def _chart(classes: pl.DataFrame, labels: Mapping[str, Label], confidence: str, name: str) -> str:
    readings = read_classes(classes)[:DRAWN]
    if not readings:
        return "<p>Nothing that was asked for decides about the tails of a class.</p>"
    decided, level = (classes[column].drop_nulls()[:1].to_list() for column in ("metric", "level"))
    label = describe(decided[0], labels).name + "".join(f", {percent(number)}" for number in level)
    ratio = "" if decided[0] == "tail_odds_ratio" else ": value ÷ null"
    words = AxisWords(f"{label}{ratio}", "Ratio", "Class")
    drawn = retention_chart(
        readings, name=name, title=f"{label}, class by class", confidence=confidence, words=words
    )
    marks = {
        "worse": "lost, at the share of false discoveries that is allowed",
        "same": "no change found",
        "beyond": "widened",
    }
    seen = {reading.status for reading in readings}
    signs = [f"Bars: {confidence} intervals"]
    signs += [
        element("span", "", class_=f"tw-mark tw-{status}", aria_hidden="true") + text
        for status, text in marks.items()
        if status in seen
    ]
    return (
        f"<p>{label} of each class, the surest losses first. 1 is what fresh rows of the class "
        "would show; at 0 nothing of the tail is left.</p>"
        f"<figure>{drawn}<figcaption>{legend(signs)}</figcaption></figure>"
    )


@dataclass(frozen=True, slots=True)
class ClassReading(Reading):
    """A class in the place of a metric; its retention is the number that decided."""

    verdict: str

    @property
    def status(self) -> Status:
        """What was judged over all classes, not what the interval alone would say."""
        return STATUSES[self.verdict]


def read_classes(classes: pl.DataFrame) -> list[ClassReading]:
    """Return a reading per class that was judged, in the order of the summary."""
    missing = Number(None)
    return [
        ClassReading(
            metric=name,
            label=Label(name, "tails", "", ""),
            level=None,
            direction="match",
            value=missing,
            null=missing,
            standard_error=None,
            retention=Number(row["value"], row["low"], row["high"]),
            all_rows=missing,
            n_reference=row["reference_rows"],
            n_candidate=row["candidate_rows"],
            method=None,
            reason=None,
            verdict=row["verdict"],
        )
        for row in classes.to_dicts()
        if row["verdict"] in STATUSES
        for name in [shortened(visible(row["class"]), LONGEST_DRAWN)]
    ]


def _table(
    frame: pl.DataFrame,
    classes: pl.DataFrame,
    labels: Mapping[str, Label],
    confidence: str,
    most: int = MOST_CLASSES,
) -> str:
    """Return the table of the first `most` classes; those beyond are counted."""
    shown = classes.head(most)
    readings = _readings(frame, shown["class"], labels)
    decided = shown["metric"].drop_nulls().unique().to_list()
    measured = {name for found in readings.values() for name in found}
    besides = [name for name in _BESIDES if name in measured.difference(decided)]
    levels = [*shown["level"].drop_nulls()[:1], _NEAREST_LEVEL]
    heads = ["Class", "Rows", "Tails", "q"]
    heads += [_head(describe(name, labels), levels[0]) for name in decided]
    heads += [_head(describe(name, labels), _level(readings, name)) for name in besides]
    lines = [
        _line(row, readings.get(row["class"], {}), len(decided), besides)
        for row in shown.to_dicts()
    ]
    rest = classes.height - shown.height
    more = f" {counted(rest, 'more class is', 'more classes are')} in the frame." if rest else ""
    caption = (
        "Sorted by how sure it is that tails were lost. Brackets hold "
        f"{confidence} intervals; ↓ and ↑ mark those below and above what a fresh sample "
        f"retains. Rows are reference + candidate.{more}"
    )
    return scrolling_table(heads, "".join(lines), label="All classes", caption=caption)


def _head(label: Label, level: float | None) -> str:
    tail = "" if level is None else f" {percent(level)}"
    return escape(f"{label.name}{tail}")


def _level(readings: Mapping[str, Mapping[str, Reading]], metric: str) -> float | None:
    return next(found[metric].level for found in readings.values() if metric in found)


def _readings(
    frame: pl.DataFrame, names: pl.Series, labels: Mapping[str, Label]
) -> dict[str, dict[str, Reading]]:
    """Return the readings of what stands beside, by class and metric, at the nearest level."""
    nearest = (pl.col("level").fill_null(_NEAREST_LEVEL) - _NEAREST_LEVEL).abs()
    chosen = frame.filter(pl.col("metric").is_in(_BESIDES), pl.col("class").is_in(names.implode()))
    chosen = chosen.sort(nearest, maintain_order=True).unique(
        ["class", "metric"], keep="first", maintain_order=True
    )
    found: dict[str, dict[str, Reading]] = {}
    for name, reading in zip(chosen["class"], read(chosen, labels), strict=True):
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
    cells = [_cell(escape(written_q(row["q_value"])))]
    if decided:
        number = write(Number(row["value"], row["low"], row["high"]), places=2)
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

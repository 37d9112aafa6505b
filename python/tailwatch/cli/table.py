"""Comparisons as tables for a terminal: tails first, then the rest of the panel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tailwatch.report.comparison.classes import STATUSES
from tailwatch.report.comparison.readings import read
from tailwatch.report.findings import SIZES, answer, numbers_of_change, read_from, written_size
from tailwatch.report.loop.verdicts import alarm_in_words, named
from tailwatch.report.words import (
    ABSENT,
    Number,
    count,
    counted,
    describe,
    percent,
    write,
    written_q,
)
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl
    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

    from tailwatch.report.comparison.readings import Reading, Status

__all__ = [
    "change_table",
    "classes_table",
    "comparison_table",
    "findings_table",
    "for_people",
    "generations_table",
    "verdicts_table",
]

# What a line takes; a narrower terminal gets two places, and intervals on a line of their own.
LINE_WIDTH = 107
LOG_WIDTH = 120
MOST_CLASSES = 30
LONGEST_NAME = 40
GROUPS = ("tails", "fidelity", "spread", "divergence")

# The words say what the colours say, for terminals and readers without them.
MARKS: dict[Status, tuple[str, str]] = {
    "worse": ("worse", "red"),
    "same": ("", ""),
    "beyond": ("beyond", "cyan"),
    "unknown": ("", ""),
}

_STYLES = {"holds": "red", "does not hold": "cyan"}


class _Literal(Console):
    """A console that hands no control character of a text to the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Return the pieces of what is printed, hidden characters in them as escapes."""
        for segment in super().render(renderable, options):
            if segment.control is None and segment.text != "\n":
                yield segment._replace(text=_LINES.sub(_shown, segment.text))
            else:
                yield segment


_LINES = re.compile(r"[^\n]+")


def _shown(line: re.Match[str]) -> str:
    return visible(line[0])


def for_people() -> Console:
    """Return the console of standard error; where that is a log, it is wide enough for a table."""
    # Text comes from data: what looks like markup or an emoji's name is neither.
    console = _Literal(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, LOG_WIDTH)
    return console


def comparison_table(frame: pl.DataFrame, width: int) -> Table:
    """Lay out a comparison frame for people.

    Parameters
    ----------
    frame
        The comparison frame. Its values on all rows (method ``full``) are left to files: without
        a null they say little.
    width
        Columns of the terminal.

    Returns
    -------
    rich.table.Table
        One line per metric and level: value and its interval, null, retention and its interval,
        and a word where the interval of the retention excludes what a fresh sample would give.
    """
    from tailwatch.comparison.registry import LABELS

    readings = [reading for reading in read(frame, LABELS) if reading.value.value is not None]
    wide = width >= LINE_WIDTH
    # A name may go on in a second line, as its numbers do; an interval may not be torn.
    table = _table("metric", no_wrap=wide)
    for name in ("value", "null", "retention"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for group in GROUPS:
        for reading in readings:
            if reading.label.group == group:
                table.add_row(*_cells(reading, wide=wide))
        table.add_section()
    return table


def findings_table(findings: Iterable[Mapping[str, Any]]) -> Table:
    """Lay out findings, those that are there in colour.

    Parameters
    ----------
    findings
        As :func:`tailwatch.report.findings.findings_table` takes them.

    Returns
    -------
    rich.table.Table
        One line per question: its answer, and the size with its interval.
    """
    table = _table("finding")
    table.add_column("answer")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("of")
    for one in findings:
        size, interval = written_size(one)
        style = "red" if one["state"] == "found" else ""
        table.add_row(
            one["name"].replace("_", " "),
            Text(answer(one), style=style),
            size if interval == ABSENT else f"{size} {interval}",
            SIZES[one["name"]],
        )
    return table


def change_table(changes: Iterable[Mapping[str, Any]]) -> Table:
    """Lay out findings about a change, those for the worse in colour.

    Parameters
    ----------
    changes
        As :func:`tailwatch.report.findings.change_table` takes them.

    Returns
    -------
    rich.table.Table
        One line per question: its answer, what was and is, and the change with its interval.
    """
    from tailwatch.comparison.registry import LABELS

    table = _table("against the baseline")
    table.add_column("answer")
    for name in ("was", "is", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("of")
    styles = {"worse": "red", "better": "cyan"}
    for one in changes:
        table.add_row(
            one["name"].replace("_", " "),
            Text(one["state"], style=styles.get(one["state"], "")),
            *numbers_of_change(one),
            read_from(one, LABELS),
        )
    return table


def classes_table(classes: pl.DataFrame, width: int) -> Table:
    """Lay out the classes of a comparison by class, the surest losses first.

    Parameters
    ----------
    classes
        The summary of the classes. Those beyond the first 30 are left to files, and counted.
    width
        Columns of the terminal.

    Returns
    -------
    rich.table.Table
        One line per class: rows of reference and candidate, the number that decided and its
        interval, its q-value, and the verdict or the reason why there is none.
    """
    from tailwatch.comparison.registry import LABELS

    decided = classes["metric"].drop_nulls()[:1].to_list()
    table = _table("class")
    for name in ("rows", *(describe(metric, LABELS).name for metric in decided), "q"):
        table.add_column(name, justify="right")
    table.add_column("tails")
    gap = " " if width >= LINE_WIDTH else "\n"
    for row in classes.head(MOST_CLASSES).to_dicts():
        number = Number(row["value"], row["low"], row["high"])
        _, style = MARKS[STATUSES.get(row["verdict"], "unknown")]
        reason = "" if row["note"] is None else f": {row['note']}"
        table.add_row(
            Text(shortened(visible(row["class"]), LONGEST_NAME)),
            f"{count(row['reference_rows'])} + {count(row['candidate_rows'])}",
            *([_with_interval(number, gap, places=2)] if decided else []),
            written_q(row["q_value"]),
            Text(visible(f"{row['verdict']}{reason}"), style=style),
        )
    if classes.height > MOST_CLASSES:
        rest = counted(classes.height - MOST_CLASSES, "more class is", "more classes are")
        table.caption = f"{rest} in the files"
    return table


def generations_table(frame: pl.DataFrame) -> Table:
    """Lay out what each generation retained of the human data.

    Parameters
    ----------
    frame
        Rows of comparison frames, one per metric and generation, under a column ``generation``.

    Returns
    -------
    rich.table.Table
        One line per generation, one column per metric: retention and its interval.
    """
    from tailwatch.comparison.registry import LABELS

    metrics = frame.select("metric", "level").unique(maintain_order=True).rows()
    table = _table("generation")
    for metric, level in metrics:
        name = describe(metric, LABELS).name
        table.add_column(
            name if level is None else f"{name}, {percent(level)}", justify="right", no_wrap=True
        )
    for (generation,), rows in frame.group_by("generation", maintain_order=True):
        table.add_row(str(generation), *(_retention(reading) for reading in read(rows, LABELS)))
    return table


def verdicts_table(verdicts: pl.DataFrame, alarms: pl.DataFrame) -> Table:
    """Lay out verdicts: a line for each definition of collapse, a column for each run.

    Parameters
    ----------
    verdicts
        The verdicts on one run or several, under a column ``run``.
    alarms
        The alarm of each, under a column ``run``; null where none rang.

    Returns
    -------
    rich.table.Table
        The status of each, and for one run its evidence; below them when its alarm rang.
    """
    from tailwatch.comparison.registry import LABELS

    runs = verdicts["run"].unique(maintain_order=True).to_list()
    table = _table("definition")
    for name in runs:
        table.add_column(Text(visible(name)))
    if len(runs) == 1:
        table.add_column("evidence")
    for (definition,), rows in verdicts.group_by("definition", maintain_order=True):
        status = dict(zip(rows["run"], rows["status"], strict=True))
        given: list[str] = [status.get(name, "not measured") for name in runs]
        cells = [Text(word, style=_STYLES.get(word, "")) for word in given]
        evidence = [Text(visible(named(rows["evidence"][0], LABELS)))] if len(runs) == 1 else []
        table.add_row(str(definition), *cells, *evidence)
    table.add_section()
    rang = {row["run"]: row for row in alarms.to_dicts()}
    cells = [_rang(rang[name]) for name in runs]
    evidence = [Text(named(alarm_in_words(rang[runs[0]]), LABELS))] if len(runs) == 1 else []
    table.add_row("alarm while it ran", *cells, *evidence)
    return table


def _rang(alarm: dict[str, Any]) -> Text:
    at = alarm["generation"]
    return Text("none") if at is None else Text(f"generation {at}", style=_STYLES["holds"])


def _table(first: str, *, no_wrap: bool = True) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=no_wrap)
    return table


def _cells(reading: Reading, *, wide: bool) -> tuple[str | Text, ...]:
    gap, places = (" ", 3) if wide else ("\n", 2)
    word, style = MARKS[reading.status]
    name = reading.label.name
    return (
        name if reading.level is None else f"{name},{gap}{percent(reading.level)}",
        _with_interval(reading.value, gap, places=places),
        write(Number(reading.null.value), places=places).value,
        _retention(reading, gap),
        Text(word, style=style),
    )


def _retention(reading: Reading, gap: str = " ") -> Text:
    _, style = MARKS[reading.status]
    unit = " SE" if reading.is_divergence and reading.retention.value is not None else ""
    text = _with_interval(reading.retention, gap, places=2, unit=unit, signed=reading.is_divergence)
    return Text(text, style=style)


def _with_interval(
    estimate: Number, gap: str, *, places: int, unit: str = "", signed: bool = False
) -> str:
    written = write(estimate, places=places, signed=signed)
    return (
        f"{written.value}{unit}{gap}{written.interval}"
        if written.interval
        else written.value + unit
    )

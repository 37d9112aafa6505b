"""The verdicts on a run as tables: each definition of collapse, and which failure it looks like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tailwatch.report.html import escape
from tailwatch.report.labels import LABELS, percent
from tailwatch.report.recursion.words import LOOP_LABELS, describe_loop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

__all__ = ["RUN", "by_run", "failure_table", "in_words", "side_by_side", "verdict_table"]

RUN = "run"
"""The column that names the run where there are several."""

# Such as ``tail_mass at 0.05``; a metric of one word is its own name.
_METRIC = re.compile(r"\b(?P<metric>[a-z]+(?:_[a-z0-9]+)+)(?: at (?P<level>0?\.\d+))?")

# Sign and style of a status: the sign says it without the colour.
_SIGNS = {
    "holds": ("●", "tw-holds"),
    "does not hold": ("○", "tw-holds-not"),
    "undetermined": ("?", "tw-open"),
    "not measured": ("–", "tw-open"),
}


def by_run(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give the part of each run, in order; without such a column all is one run without name."""
    if RUN not in frame.columns:
        yield "", frame
        return
    for (name,), part in frame.group_by(RUN, maintain_order=True):
        yield str(name), part


def verdict_table(verdicts: pl.DataFrame) -> str:
    """Return the table of one run: definition, status, and the evidence with its numbers."""
    lines = [
        f"<tr>{_head(row['definition'])}{_status(row['status'])}"
        f'<td role="cell">{in_words(row["evidence"])}</td></tr>'
        for row in verdicts.to_dicts()
    ]
    return _table("tw-verdicts", ("Definition", "Status", "Evidence"), lines)


def side_by_side(judged: pl.DataFrame, *, of: str, name: str) -> str:
    """Return one table for several runs: a line for each thing judged, a column for each run.

    Parameters
    ----------
    judged
        Verdicts or diagnoses, with a column ``run``.
    of
        The column of what was judged.
    name
        What to call it.
    """
    parts = list(by_run(judged))
    found = {(row[of], run): row["status"] for run, part in parts for row in part.to_dicts()}
    lines = []
    for what in dict.fromkeys(what for what, _ in found):
        cells = "".join(_status(found.get((what, run), "not measured")) for run, _ in parts)
        lines.append(f"<tr>{_head(what)}{cells}</tr>")
    table = _table("tw-classes tw-verdict-grid", (name, *(run for run, _ in parts)), lines)
    return (
        f'<div class="tw-scroll" tabindex="0" role="region" aria-label="{name} by run">'
        f"{table}</div>"
    )


def failure_table(diagnosis: pl.DataFrame) -> str:
    """Return the table of a diagnosis: each way to fail, its status, the evidence."""
    lines = [
        f"<tr>{_head(row['mode'])}{_status(row['status'])}"
        f'<td role="cell">{in_words(row["evidence"])}</td></tr>'
        for row in diagnosis.to_dicts()
    ]
    return _table("tw-verdicts", ("Failure", "Status", "Evidence"), lines)


def _table(kind: str, heads: Sequence[str], lines: Sequence[str]) -> str:
    columns = "".join(f'<th role="columnheader" scope="col">{escape(head)}</th>' for head in heads)
    body = "".join(line.replace("<tr>", '<tr role="row">', 1) for line in lines)
    # The roles keep it a table for screen readers where the style sheet stacks its cells.
    return (
        f'<table class="{kind}" role="table"><thead role="rowgroup"><tr role="row">{columns}</tr>'
        f'</thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def _head(text: str) -> str:
    words = _sentence(text.replace("_", " "))
    return f'<th role="rowheader" scope="row">{escape(words)}</th>'


def _status(status: str) -> str:
    sign, style = _SIGNS.get(status, ("?", "tw-open"))
    mark = f'<span aria-hidden="true">{sign}</span>'
    return f'<td role="cell" class="tw-status {style}">{mark} {escape(status)}</td>'


def in_words(text: str | None) -> str:
    """Return a sentence in which metrics have the names that the charts have."""
    return escape(_sentence(_METRIC.sub(_name, text or "")))


def _name(found: re.Match[str]) -> str:
    """Return the name of a metric, and its level, for what may be its identifier."""
    metric, level = found["metric"], found["level"]
    if metric not in LABELS and metric not in LOOP_LABELS:
        return found[0]
    name = describe_loop(metric).name
    name = name if name[1:2].isupper() else name[:1].lower() + name[1:]
    return f"{name}, {percent(float(level))}" if level else name


def _sentence(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""

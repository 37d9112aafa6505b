"""The verdicts on a run as tables: each definition of collapse, and which failure it looks like."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from tailwatch.report.numbers import Estimate, write
from tailwatch.report.recursion.words import describe_loop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

__all__ = ["RUN", "by_run", "failure_table", "side_by_side", "verdict_table"]

RUN = "run"
"""The column that names the run where there are several."""

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
    """Return the table of one run: definition, status, the evidence in words and in numbers."""
    lines = [
        f"<tr>{_head(row['definition'])}{_status(row['status'])}"
        f"<td>{escape(_sentence(row['evidence']))}{_small(_evidence(row))}</td></tr>"
        for row in verdicts.to_dicts()
    ]
    return _table("tw-verdicts", ("Definition", "Status", "Evidence"), lines)


def side_by_side(verdicts: pl.DataFrame) -> str:
    """Return one table for several runs: a line for each definition, a column for each run."""
    parts = list(by_run(verdicts))
    found = {
        (row["definition"], name): row["status"] for name, part in parts for row in part.to_dicts()
    }
    lines = []
    for definition in dict.fromkeys(definition for definition, _ in found):
        cells = "".join(_status(found.get((definition, name), "not measured")) for name, _ in parts)
        lines.append(f"<tr>{_head(definition)}{cells}</tr>")
    heads = ("Definition", *(name for name, _ in parts))
    table = _table("tw-classes tw-verdict-grid", heads, lines)
    return (
        '<div class="tw-scroll" tabindex="0" role="region" aria-label="Verdicts by run">'
        f"{table}</div>"
    )


def failure_table(diagnosis: pl.DataFrame) -> str:
    """Return the table of a diagnosis: each way to fail, its status, the evidence."""
    lines = [
        f"<tr>{_head(row['mode'])}{_status(row['status'])}"
        f"<td>{escape(_sentence(row['evidence']))}</td></tr>"
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


def _evidence(row: dict[str, Any]) -> str:
    """Return the numbers behind a verdict: metric, generations, value, interval, threshold."""
    parts = []
    if row.get("metric"):
        parts.append(describe_loop(row["metric"]).name)
    if row.get("generations"):
        parts.append(f"generations {row['generations']}")
    value = row.get("value")
    if value is not None:
        written = write(Estimate(value, row.get("low"), row.get("high")))
        parts.append(f"{written.value} {written.interval or '(no interval)'}")
    if row.get("threshold") is not None:
        parts.append(f"threshold {write(Estimate(row['threshold'])).value}")
    return " · ".join(parts)


def _small(text: str) -> str:
    return f'<span class="tw-small">{escape(text)}</span>' if text else ""


def _sentence(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""

"""The page of a comparison: the sentence, the tails, the whole panel, the words, what was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.background import uses_polars
from tailwatch.report.comparison.charts import divergence_chart, retention_chart
from tailwatch.report.comparison.readings import legend, panel_table, read, to_draw
from tailwatch.report.findings import change_table, changes_table, findings_table
from tailwatch.report.html import details
from tailwatch.report.page import (
    Section,
    definitions,
    fragment,
    fragment_mark,
    page,
    run_details,
)
from tailwatch.report.words import count, counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from tailwatch.report.comparison.readings import Reading
    from tailwatch.report.words import Label

__all__ = ["comparison_fragment", "comparison_page"]


_CHANGE = "Change against the baseline"
_RULE = (
    "Each line is a question with its answer. A finding is there where the interval of its size "
    "lies beyond the limit, and q, the share of those there by chance among all as sure as this "
    "one, is at most {}."
)


def comparison_page(
    frame: pl.DataFrame,
    run: dict[str, Any],
    *,
    sentence: str,
    findings: Sequence[Mapping[str, Any]],
    labels: Mapping[str, Label],
    change: tuple[Sequence[Mapping[str, Any]], pl.DataFrame] | None = None,
) -> str:
    """Return the page of a comparison as one HTML document.

    Parameters
    ----------
    frame
        The comparison frame, one row per metric and level.
    run
        What was run: names, rows, arguments, versions.
    sentence
        The findings in words.
    findings
        All of them, as :func:`~tailwatch.report.findings.findings_table` takes them.
    labels
        What each metric is called.
    change
        Findings about the change against a baseline, as
        :func:`~tailwatch.report.findings.change_table` takes them, and the frame of all changes.

    Returns
    -------
    str
        A document that needs no other file, no script and no network.
    """
    uses_polars("drawing a page")
    readings = read(frame, labels)
    confidence = percent(run["arguments"]["confidence"])
    reference, candidate, used = run["reference"], run["candidate"], run["rows_used"]
    return page(
        kind="tailwatch comparison",
        subject=f"{reference['name']} vs {candidate['name']}",
        sentence=sentence,
        facts={
            "Reference": _size(reference),
            "Candidate": _size(candidate),
            **({"Baseline": _size(run["baseline"])} if change else {}),
            "Compared on": f"{count(used['reference_half'])} + {count(used['candidate'])} rows",
            "Intervals": confidence,
        },
        sections=[
            *([] if change is None else [Section(_CHANGE, _changed(*change, labels, confidence))]),
            Section(
                "What was found",
                f"<p>{_RULE.format(percent(1 - run['arguments']['confidence']))}</p>"
                + findings_table(findings, labels, confidence),
            ),
            Section("Tails against their null", _tails(readings, confidence, "tails")),
            Section("The whole panel", _panel(readings, confidence)),
            Section(
                "What each number means",
                definitions((reading.metric for reading in readings), labels),
            ),
            Section("What was run", run_details(run)),
        ],
        foot=f"Written by tailwatch {run['versions']['tailwatch']}. "
        "This file holds aggregated numbers only and loads nothing.",
    )


def comparison_fragment(
    frame: pl.DataFrame,
    run: dict[str, Any],
    *,
    sentence: str,
    findings: Sequence[Mapping[str, Any]],
    labels: Mapping[str, Label],
    change: tuple[Sequence[Mapping[str, Any]], pl.DataFrame] | None = None,
) -> str:
    """Return the sentence, the tails and the tables as an element for a notebook.

    The arguments are those of :func:`comparison_page`.
    """
    uses_polars("drawing a page")
    readings = read(frame, labels)
    confidence = percent(run["arguments"]["confidence"])
    mark = fragment_mark(sentence, frame)
    changed = "" if change is None else details(_CHANGE, _changed(*change, labels, confidence))
    asked = details("What was found", findings_table(findings, labels, confidence))
    table = details("The whole panel", panel_table(readings, confidence))
    return fragment(
        sentence=sentence,
        body=f"{_tails(readings, confidence, f'tails-{mark}')}{changed}{asked}{table}",
    )


def _changed(
    findings: Sequence[Mapping[str, Any]],
    changes: pl.DataFrame,
    labels: Mapping[str, Label],
    confidence: str,
) -> str:
    """Return what is said of the change against a baseline."""
    return (
        "<p>Candidate and baseline are held against the same human rows, and rows that both have "
        f"cancel. Each change stands with its {confidence} interval.</p>"
        + change_table(findings, labels)
        + details("The change of each metric", changes_table(changes.to_dicts(), labels))
    )


def _size(data: dict[str, Any]) -> str:
    return f"{counted(data['rows'], 'row')} × {counted(data['columns'], 'column')}"


def _tails(readings: Sequence[Reading], confidence: str, name: str) -> str:
    tails = to_draw([reading for reading in readings if reading.label.group == "tails"])
    if not tails:
        return "<p>This panel holds no tail metrics; the standard panel does.</p>"
    has_odds = any(reading.metric == "tail_odds_ratio" for reading in tails)
    odds = " Odds ratios are those of all rows, all else of halves." if has_odds else ""
    chart = retention_chart(
        tails,
        name=name,
        title="Retention of the tails, by metric and tail level",
        confidence=confidence,
    )
    return (
        "<p>Each line sets the candidate against a fresh sample of the reference, which scores 1. "
        "At 0 nothing is left. A tail is the rarest share of the reference rows."
        f"{odds}</p>" + _figure(chart, tails, confidence)
    )


def _panel(readings: Sequence[Reading], confidence: str) -> str:
    ratios = [
        r
        for r in readings
        if r.label.group != "tails" and not r.is_divergence and not _has_no_null(r)
    ]
    divergences = [r for r in readings if r.is_divergence]
    parts = []
    if ratios:
        chart = retention_chart(
            ratios,
            name="ratios",
            title="Retention of fidelity, coverage and spread",
            confidence=confidence,
            from_zero=False,
        )
        parts.append(f"<h3>Fidelity, coverage, spread</h3>{_figure(chart, ratios, confidence)}")
    if divergences:
        chart = divergence_chart(
            divergences,
            name="divergences",
            title="Divergences in standard errors of the null",
            confidence=confidence,
        )
        parts.append(f"<h3>Divergences</h3>{_figure(chart, divergences, confidence)}")
    return (
        "<p>Everything that was measured, first against the null and then as numbers. Higher is "
        "not always better: a candidate that shrinks towards the centre gains precision.</p>"
        f"{''.join(parts)}<h3>All numbers</h3>{panel_table(readings, confidence)}"
    )


def _has_no_null(reading: Reading) -> bool:
    """Tell whether a fresh sample has none of it, as of copies: there is nothing to divide by."""
    return reading.value.value is not None and reading.retention.value is None


def _figure(chart: str, readings: Sequence[Reading], confidence: str) -> str:
    return f"<figure>{chart}<figcaption>{legend(readings, confidence)}</figcaption></figure>"

"""The page of a comparison by class: the sentence, the surest losses, all classes, what was run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tailwatch.forks import uses_polars
from tailwatch.report.charts import AxisWords, retention_chart
from tailwatch.report.class_readings import read_classes
from tailwatch.report.class_table import class_table
from tailwatch.report.labels import CLASS_TERMS, describe, percent
from tailwatch.report.lists import definitions, run_details
from tailwatch.report.numbers import count
from tailwatch.report.page import Section, fragment, page

if TYPE_CHECKING:
    import polars as pl

__all__ = ["classes_fragment", "classes_page"]

DRAWN = 12
"""Classes in the chart."""

LINES_OF_FRAGMENT = 50
LONGEST_NAME = 27
"""As many letters as the chart has room for."""


def classes_page(
    frame: pl.DataFrame, classes: pl.DataFrame, run: dict[str, Any], sentence: str
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
        The finding in words.

    Returns
    -------
    str
        A document that needs no other file, no script and no network.
    """
    uses_polars("drawing a page")
    confidence = percent(run["arguments"]["confidence"])
    reference, candidate = run["reference"], run["candidate"]
    metrics = frame["metric"].drop_nulls().unique(maintain_order=True).to_list()
    return page(
        kind="tailwatch comparison by class",
        subject=f"{reference['name']} vs {candidate['name']}",
        sentence=sentence,
        facts={
            "Reference": f"{count(reference['rows'])} rows",
            "Candidate": f"{count(candidate['rows'])} rows",
            "Classes": f"{count(run['classes']['compared'])} of "
            f"{count(run['classes']['all'])} compared",
            "Intervals": confidence,
        },
        sections=[
            Section("The surest losses", _chart(classes, confidence, "classes")),
            Section("All classes", class_table(frame, classes, confidence)),
            Section("What each number means", definitions(metrics, CLASS_TERMS)),
            Section("What was run", run_details(run)),
        ],
        foot=f"Written by tailwatch {run['versions']['tailwatch']}. "
        "This file holds aggregated numbers only and loads nothing.",
    )


def classes_fragment(
    frame: pl.DataFrame, classes: pl.DataFrame, run: dict[str, Any], sentence: str
) -> str:
    """Return the sentence, the chart and the first classes as an element for a notebook.

    The arguments are those of :func:`classes_page`.
    """
    uses_polars("drawing a page")
    confidence = percent(run["arguments"]["confidence"])
    # Several fragments may stand in one notebook, and ids in a document must differ.
    mark = hashlib.sha256((sentence + classes.write_json()).encode()).hexdigest()[:8]
    table = class_table(frame, classes, confidence, LINES_OF_FRAGMENT)
    return fragment(
        sentence=sentence,
        body=f"{_chart(classes, confidence, f'classes-{mark}')}"
        f"<details><summary>The classes</summary>{table}</details>",
    )


def _chart(classes: pl.DataFrame, confidence: str, name: str) -> str:
    readings = read_classes(classes, LONGEST_NAME)[:DRAWN]
    if not readings:
        return "<p>Nothing that was asked for decides about the tails of a class.</p>"
    decided, level = (classes[column].drop_nulls()[:1].to_list() for column in ("metric", "level"))
    label = describe(decided[0]).name + "".join(f", {percent(number)}" for number in level)
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
    legend = "".join(
        f'<li><span class="tw-mark tw-{status}" aria-hidden="true"></span>{text}</li>'
        for status, text in marks.items()
        if status in seen
    )
    return (
        f"<p>{label} of each class, the surest losses first. 1 is what fresh rows of the class "
        "would show; at 0 nothing of the tail is left.</p>"
        f'<figure>{drawn}<figcaption><ul class="tw-legend"><li>Bars: {confidence} intervals</li>'
        f"{legend}</ul></figcaption></figure>"
    )

"""The page of a contamination run: the share, the scores behind it, the shards.

A function of the content of ``summary.json`` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.copies import copies_section
from tailwatch.report.html import escape
from tailwatch.report.labels import percent
from tailwatch.report.lists import run_details
from tailwatch.report.numbers import count
from tailwatch.report.page import Section, fragment, page
from tailwatch.report.prevalence import prevalence_section
from tailwatch.report.scores import score_chart
from tailwatch.report.shares import cell, spaced, table, written

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["contamination_fragment", "contamination_page"]

# The page stays small whatever the number of shards; the summary has them all.
_SHARDS, _FAILURES = 100, 200


def contamination_page(summary: dict[str, Any]) -> str:
    """Return the page as one HTML document.

    Parameters
    ----------
    summary
        The content of ``summary.json``.

    Returns
    -------
    str
        A document that needs no other file, no script and no network; below 1 MB.
    """
    found, source = summary["prevalence"], summary["source"]
    failures = summary["failures"]
    sections = [
        Section("The share of synthetic rows", prevalence_section(summary)),
        Section("Scores", _scores(summary)),
        Section("Copies", copies_section(summary["copies"])),
        Section("Shards", _shards(summary["shards"])),
        Section("What was run", run_details(_run(summary))),
    ]
    if source["left_out"]:
        sections.insert(-1, Section("Files that were left out", _left_out(source["left_out"])))
    if failures:
        sections.insert(0, Section("Shards that could not be scored", _failures(failures)))
    facts = {
        "Rows": count(found["n"]),
        "Shards": count(len(summary["shards"]))
        + (f", and {count(len(failures))} that failed" if failures else ""),
        "Human reference": f"{count(found['n_human'])} rows",
        "Synthetic reference": f"{count(found['n_synthetic'])} rows"
        if found["n_synthetic"]
        else "none",
        "Interval": percent(found["confidence"]),
    }
    return page(
        kind="tailwatch contamination",
        subject=source["name"],
        sentence=spaced(summary["sentence"]),
        facts=facts,
        sections=sections,
        foot=f"Written by tailwatch {summary['tailwatch']}. "
        "This file holds aggregated numbers only and loads nothing.",
    )


def contamination_fragment(summary: dict[str, Any]) -> str:
    """Return the sentence and the table of estimates as an element for a notebook.

    The argument is that of :func:`contamination_page`.
    """
    return fragment(sentence=spaced(summary["sentence"]), body=prevalence_section(summary))


def _scores(summary: dict[str, Any]) -> str:
    found = summary["prevalence"]
    words = (
        "The score of a row is larger the less it looks human. Its bins are quantiles of the human "
        "reference; where the target is above it, on the right, rows are not human."
        if summary["histogram"]["synthetic"] is None
        else "The score of a row is larger the more it looks synthetic. Its bins are quantiles "
        "of the references, merged where one of these has few rows; a target that they explain "
        "lies between them."
    )
    return (
        f"<p>{words}</p>"
        f"<figure>{score_chart(summary['histogram'])}</figure>"
        f"<p>{count(found['n_calibration'])} human scores stand behind the p-values.</p>"
    )


def _shards(shards: Sequence[dict[str, Any]]) -> str:
    # One without rows has no share.
    highest = sorted(shards, key=lambda shard: (-(shard["share"] or 0), shard["shard"]))[:_SHARDS]
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(shard["shard"])}</th>'
        f"{cell('Rows', count(shard['rows']))}"
        f"{cell('Share', '–' if shard['share'] is None else written(shard['share']))}</tr>"
        for shard in highest
    )
    shown = (
        "All shards"
        if len(highest) == len(shards)
        else f"The {len(highest)} of {count(len(shards))} shards with the largest shares; "
        "summary.json has all"
    )
    caption = (
        f"{shown}. A shard’s share is the mean probability of its rows, which says where to look; "
        "it has no interval of its own."
    )
    return table(("Shard", "Rows", "Share"), body, caption)


def _failures(failures: Sequence[dict[str, str]]) -> str:
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(failure["shard"][:500])}</th>'
        '<td role="cell" data-label="Reason" class="tw-text">'
        f"{escape(failure['reason'][:1000])}</td></tr>"
        for failure in failures[:_FAILURES]
    )
    rest = len(failures) - _FAILURES
    caption = "All numbers on this page are of the other shards."
    if rest > 0:
        caption += f" {count(rest)} more failures are in summary.json."
    return table(("Shard", "Reason"), body, caption, numbers=False)


def _left_out(left_out: Sequence[dict[str, Any]]) -> str:
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(each["reason"])}</th>'
        f"{cell('Files', count(each['files']))}"
        f'<td role="cell" data-label="Among them" class="tw-text">'
        f"{escape(', '.join(each['names'])[:500])}</td></tr>"
        for each in left_out
    )
    caption = "These files of the source were not read, and no number on this page counts them."
    return table(("Reason", "Files", "Among them"), body, caption, numbers=False)


def _run(summary: dict[str, Any]) -> dict[str, Any]:
    model, source = summary["model"], summary["source"]
    return {
        "model": {
            "fingerprint": model["fingerprint"][:16],
            "encoder": model["encoder"],
            "columns": model["columns"],
            "strata": _some(model["strata"]),
        },
        "source": {
            "layout": source["layout"],
            "shards": count(source["shards"]),
            "column": source["column"],
            "identifiers": _some(source["id_columns"]),
        },
        "tailwatch": summary["tailwatch"],
    }


def _some(names: Sequence[str]) -> str | None:
    if not names:
        return None
    rest = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return ", ".join(names[:12]) + rest

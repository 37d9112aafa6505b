"""The page of a contamination run: the share, the scores behind it, what else was estimated, the shards.

A function of the content of ``summary.json`` alone.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from tailwatch.report.labels import percent
from tailwatch.report.lists import run_details
from tailwatch.report.numbers import ABSENT, count
from tailwatch.report.page import Section, page
from tailwatch.report.scores import score_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["contamination_page"]

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
        Section("The share of synthetic rows", _share(summary)),
        Section("Scores", _scores(summary)),
        Section("Shards", _shards(summary["shards"])),
        Section("What was run", run_details(_run(summary))),
    ]
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
        sentence=summary["sentence"],
        facts=facts,
        sections=sections,
        foot=f"Written by tailwatch {summary['tailwatch']}. "
        "This file holds aggregated numbers only and loads nothing.",
    )


def _share(summary: dict[str, Any]) -> str:
    found = summary["prevalence"]
    floor, checks, drift = found["null_floor"], found["checks"], found["drift"]
    rows = [("Share", found["method"], found["value"], found["low"], found["high"])]
    if found["method"] != "lower bound" and found["profile"] is not None:
        profile = found["profile"]
        rows.append(
            (
                "References as they are",
                "template fit, without drift or labels",
                *(profile[end] for end in ("value", "low", "high")),
            )
        )
    held_out = "a human stratum" if floor["source"] == "strata" else "some human rows"
    rows.append(
        (
            "Null floor",
            f"the same on {held_out}, held out ({floor['parts']} times)",
            *(floor[end] for end in ("value", "low", "high")),
        )
    )
    if checks is not None:
        rows += [
            ("Adjusted count", "another estimator", checks["acc"], checks["acc_low"], checks["acc_high"]),
            ("DyS", "another estimator", checks["dys"], None, None),
            ("Median sweep", "another estimator", checks["median_sweep"], None, None),
        ]
    text = "<p>The null floor is what human rows alone give, of which none is synthetic: an estimate below its upper end says nothing."
    if floor["source"] != "strata":
        text += " The human rows have no strata, so drift between reference and target does not show in it."
    text += "</p>"
    for warning in summary["warnings"]:
        text += f"<p><strong>Warning.</strong> {escape(warning)}</p>"
    if checks is not None and found["agreement"]:
        text += "<p>The other estimators agree with the share.</p>"
    if drift is None and found["method"] == "template fit":
        text += "<p>The interval holds if target and references differ in the share alone.</p>"
    selected = summary["selected"]
    text += (
        f"<p>{count(selected['rows'])} rows have a q-value of at most {selected['q_value']:g}: at most "
        "that share of them is expected to be human.</p>"
    )
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(name)}'
        f'<span class="tw-small">{escape(what)}</span></th>'
        f'{_cell("Share", _percent(value))}{_cell("Interval", _interval(low, high))}</tr>'
        for name, what, value, low, high in rows
    )
    return text + _table(("Estimate", "Share", "Interval"), body, "Shares of synthetic rows.")


def _scores(summary: dict[str, Any]) -> str:
    found = summary["prevalence"]
    return (
        "<p>The score of a row is larger the more it looks synthetic. Its bins hold about equal numbers "
        "of reference rows; the target is explained where it lies between the references.</p>"
        f"<figure>{score_chart(summary['histogram'])}</figure>"
        f"<p>{count(found['n_calibration'])} human scores stand behind the p-values.</p>"
    )


def _shards(shards: Sequence[dict[str, Any]]) -> str:
    highest = sorted(shards, key=lambda shard: (-shard["share"], shard["shard"]))[:_SHARDS]
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(shard["shard"])}</th>'
        f'{_cell("Rows", count(shard["rows"]))}{_cell("Share", _percent(shard["share"]))}</tr>'
        for shard in highest
    )
    shown = (
        "All shards"
        if len(highest) == len(shards)
        else f"The {len(highest)} of {count(len(shards))} shards with the largest shares; "
        "summary.json has all"
    )
    caption = f"{shown}. A shard’s share is the mean probability of its rows."
    return _table(("Shard", "Rows", "Share"), body, caption)


def _failures(failures: Sequence[dict[str, str]]) -> str:
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(failure["shard"][:500])}</th>'
        f'<td role="cell" data-label="Reason" class="tw-reason">{escape(failure["reason"][:1000])}</td></tr>'
        for failure in failures[:_FAILURES]
    )
    rest = len(failures) - _FAILURES
    caption = "All numbers on this page are of the other shards."
    if rest > 0:
        caption += f" {count(rest)} more failures are in summary.json."
    return _table(("Shard", "Reason"), body, caption)


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


def _table(heads: Iterable[str], body: str, caption: str) -> str:
    cells = "".join(f'<th role="columnheader" scope="col">{head}</th>' for head in heads)
    # The roles keep it a table for screen readers where the style sheet turns its rows into cards.
    return (
        f'<table class="tw-table" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _cell(label: str, text: str) -> str:
    return f'<td role="cell" data-label="{label}" class="tw-number">{text}</td>'


def _percent(share: float | None) -> str:
    if share is None:
        return ABSENT
    return f"{100 * share:.{1 if share >= 0.1 else 2}f}\N{NARROW NO-BREAK SPACE}%"


def _interval(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ABSENT
    return f"[{_percent(low)}, {_percent(high)}]"

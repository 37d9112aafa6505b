"""The page of a contamination run: the share, the scores behind it, copies, shards.

A function of the content of ``summary.json`` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.contamination.charts import group_chart, in_chart_order, score_chart
from tailwatch.report.html import data_table, element, escape
from tailwatch.report.page import Section, fragment, page, run_details
from tailwatch.report.words import (
    ABSENT,
    Number,
    count,
    counted,
    percent,
    spaced,
    written_q,
    written_share,
    written_shares,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
        Section("The share of synthetic rows", _prevalence(summary)),
        Section("Scores", _scores(summary)),
        Section("Copies", _copies(summary["copies"])),
        Section("Shards", _shards(summary["shards"])),
        Section("What was run", run_details(_run(summary))),
    ]
    if summary["surest"]:
        sections.insert(2, Section("The surest rows", _surest(summary["surest"])))
    if summary["groups"] is not None:
        by = summary["groups"]["by"][:100]
        sections.insert(1, Section(f"The share by {by}", _groups(summary["groups"])))
    if source["left_out"]:
        sections.insert(-1, Section("Files that were left out", _left_out(source["left_out"])))
    if failures:
        sections.insert(0, Section("Shards that could not be scored", _failures(failures)))
    facts = {
        "Rows": count(found["n"]),
        "Shards": count(len(summary["shards"]))
        + (f", and {count(len(failures))} that failed" if failures else ""),
        "Human reference": counted(found["n_human"], "row"),
        "Synthetic reference": counted(found["n_synthetic"], "row")
        if found["n_synthetic"]
        else "none",
        "Interval": percent(found["confidence"]),
    }
    named = ", the identifiers of the surest rows," if summary["surest"] else " only"
    return page(
        kind="tailwatch contamination",
        subject=source["name"],
        sentence=spaced(summary["sentence"]),
        facts=facts,
        sections=sections,
        foot=f"Written by tailwatch {summary['tailwatch']}. "
        f"This file holds aggregated numbers{named} and loads nothing.",
    )


def contamination_fragment(summary: dict[str, Any]) -> str:
    """Return the sentence and the table of estimates as an element for a notebook.

    The argument is that of :func:`contamination_page`.
    """
    return fragment(sentence=spaced(summary["sentence"]), body=_prevalence(summary))


def _prevalence(summary: dict[str, Any]) -> str:
    """Return warnings, words and the table of all estimates of the share."""
    found = summary["prevalence"]
    rows = (
        _row(
            _head(name, what),
            *_share_and_interval(each),
        )
        for name, what, each in _estimates(found)
    )
    caption = "Shares of synthetic rows."
    if found["checks"] is not None:
        caption += " DyS and median sweep come without an interval; they stand here to be compared."
    text = "".join(f"<p>{sentence}</p>" for sentence in _said_of_prevalence(summary))
    return text + _table(("Estimate", "Share", "Interval"), rows, caption)


def _share_and_interval(found: dict[str, Any]) -> tuple[str, str]:
    """Return the cells of a share and of its interval."""
    written = written_shares(Number(found["value"], found["low"], found["high"]))
    return _number("Share", written.value), _number("Interval", written.interval or ABSENT)


def _estimates(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, description, and value with bounds."""
    yield "Share", found["method"], found
    if found["profile"] is not None:
        yield "Template fit", "before drift and labels", found["profile"]
    floor = found["null_floor"]
    held_out = "a human stratum" if floor["source"] == "strata" else "a part of the human rows"
    yield (
        "Null floor",
        f"the same on {held_out}, held out, {counted(floor['parts'], 'time')}",
        floor,
    )
    checks = found["checks"]
    if checks is not None:
        acc = {"value": checks["acc"], "low": checks["acc_low"], "high": checks["acc_high"]}
        yield "Adjusted count", "another estimator", acc
        for name, key in (("DyS", "dys"), ("Median sweep", "median_sweep")):
            alone = {"value": checks[key], "low": None, "high": None}
            yield name, "another estimator", alone


def _said_of_prevalence(summary: dict[str, Any]) -> Iterator[str]:
    found, selected = summary["prevalence"], summary["selected"]
    for warning in summary["warnings"]:
        yield f"<strong>Warning.</strong> {escape(spaced(warning.rstrip('.')))}."
    bounded = found["method"] == "lower bound"
    end = "a bound below its own" if bounded else "a share below its upper end"
    yield (
        "The null floor is what the estimator says of human rows that it was not given, of which "
        f"none is synthetic: {end} shows nothing."
    )
    if found["null_floor"]["source"] != "strata":
        yield (
            "The human rows have no strata, so drift between reference and target does not show in "
            "it, nor in the interval."
        )
    if found["agreement"]:
        yield "The other estimators agree with the share."
    audit = found["audit"]
    if audit is not None:
        yield (
            f"The share rests on {counted(audit['rows'], 'row')} with verified labels, "
            f"{count(audit['positive'])} of them synthetic; it holds under any drift if they are a "
            "random sample of the target."
        )
    limit = f"a q-value of at most {selected['q_value']:g}"
    yield (
        f"{counted(selected['rows'], 'row has', 'rows have')} {limit}: that share of them, at "
        "most, is expected to be human."
        if selected["rows"]
        else f"No row has {limit}."
    )


def _groups(groups: dict[str, Any]) -> str:
    """Return the chart and the table of the groups, with what they rest on."""
    shown = in_chart_order(groups)
    rows = (
        _row(
            _head(row["group"][:500], "above" if row["above"] else ""),
            _number("Rows", count(row["rows"])),
            *_share_and_interval(row),
            _number("q", escape(written_q(row["q_value"]))),
        )
        for row in shown
    )
    rate = percent(1 - groups["confidence"])
    which = "last" if groups["ordered"] else "largest"
    caption = (
        "All groups."
        if len(shown) == len(groups["table"])
        else f"The {which} {count(len(shown))} of {count(len(groups['table']))} groups; "
        "summary.json has all."
    )
    text = (
        "<p>Each group is estimated as the whole is, by the same references. <em>Above</em> are "
        f"those whose share is found to be more than {written_share(groups['limit'])}, up to which "
        f"human rows alone may lie: of all that are called so, at most {rate} are expected not to "
        "be. "
        "q is the smallest such rate at which the group would be one of them.</p>"
    )
    heads = ("Group", "Rows", "Share", "Interval", "q")
    return f"{text}<figure>{group_chart(groups)}</figure>" + _table(heads, rows, caption)


def _surest(surest: Sequence[dict[str, Any]]) -> str:
    """Return the table of the rows with the smallest q-values, by their identifiers alone."""
    rows = (
        _row(
            _head(_name_of(row), f"{count(row['row'])} of {row['shard'][:300]}"),
            _number("q", escape(written_q(row["q_value"]))),
        )
        for row in surest
    )
    text = (
        "<p>The rows that look least human. Among all rows with a q-value of at most q, that "
        "share, at most, is expected to be human; rows with the same q stand in the order of their "
        "scores, which are in the tables of the shards.</p>"
    )
    caption = "At most 20 rows; below each, the number of the row in its shard, counted from 0."
    return text + _table(("Row", "q"), rows, caption)


def _name_of(row: dict[str, Any]) -> str:
    if not row["ids"]:
        return f"row {row['row']}"
    return ", ".join(f"{value}"[:300] for value in row["ids"].values())


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
        f"<p>{counted(found['n_calibration'], 'human score stands', 'human scores stand')} behind "
        "the p-values.</p>"
    )


def _copies(copies: dict[str, Any]) -> str:
    """Return words and a table of counts: copies of each other, and of given rows."""
    rows = (
        _row(
            _head(name, what),
            _number("Rows", count(number)),
            _number("Share", written_share(number / copies["rows"])),
        )
        for name, what, number in _counts(copies)
    )
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in _said_of_copies(copies))
    caption = "Counts of all rows, so they have no interval."
    return text + _table(("Copies", "Rows", "Share"), rows, caption)


def _counts(copies: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield name, description and number of rows."""
    yield "Repeated", "rows of which there is another copy in the target", copies["repeated"]
    yield "Redundant", "rows that go if each is kept once", copies["rows"] - copies["different"]
    yield "Largest group", "copies of one row", copies["most"]
    of = copies["of"]
    if of is not None:
        yield "Exact copies of the given rows", "at distance 0 from one of them", of["exact"]
        near = f"at a distance of up to {of['distance']:.3g}, but not 0"
        yield "Near copies of the given rows", near, of["near"]


def _said_of_copies(copies: dict[str, Any]) -> Iterator[str]:
    yield (
        "Copies of each other are exact: rows of one type that are equal in every bit, told by a "
        "64-bit hash. Text from a template gives many."
    )
    of = copies["of"]
    if of is None:
        yield (
            "Copies of a reference were not looked for; copies_of, or --copies-of, names the rows."
        )
    else:
        yield (
            f"Copies of {counted(of['rows'], 'given row')} were looked for, by the exact distance "
            "to the nearest of them."
        )


def _shards(shards: Sequence[dict[str, Any]]) -> str:
    # One without rows has no share.
    highest = sorted(shards, key=lambda shard: (-(shard["share"] or 0), shard["shard"]))[:_SHARDS]
    rows = (
        _row(
            _head(shard["shard"]),
            _number("Rows", count(shard["rows"])),
            _number("Share", written_share(shard["share"])),
        )
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
    return _table(("Shard", "Rows", "Share"), rows, caption)


def _failures(failures: Sequence[dict[str, str]]) -> str:
    rows = (
        _row(_head(failure["shard"][:500]), _text("Reason", failure["reason"][:1000]))
        for failure in failures[:_FAILURES]
    )
    rest = len(failures) - _FAILURES
    caption = "All numbers on this page are of the other shards."
    if rest > 0:
        caption += f" {counted(rest, 'more failure is', 'more failures are')} in summary.json."
    return _table(("Shard", "Reason"), rows, caption, numbers=False)


def _left_out(left_out: Sequence[dict[str, Any]]) -> str:
    rows = (
        _row(
            _head(each["reason"]),
            _number("Files", count(each["files"])),
            _text("Among them", ", ".join(each["names"])[:500]),
        )
        for each in left_out
    )
    caption = "These files of the source were not read, and no number on this page counts them."
    return _table(("Reason", "Files", "Among them"), rows, caption, numbers=False)


def _table(heads: Sequence[str], rows: Iterable[str], caption: str, *, numbers: bool = True) -> str:
    """Return a table; with `numbers`, these stand in all columns but the first."""
    kinds = ["tw-text", *["tw-number" if numbers else "tw-text"] * (len(heads) - 1)]
    cells = "".join(
        element("th", escape(head), role="columnheader", scope="col", class_=kind)
        for head, kind in zip(heads, kinds, strict=True)
    )
    return data_table(cells, ["".join(rows)], kind="tw-table", caption=caption)


def _row(*cells: str) -> str:
    return element("tr", "".join(cells), role="row")


def _head(name: str, what: str = "") -> str:
    below = element("span", escape(what), class_="tw-small") if what else ""
    return element("th", escape(name) + below, role="rowheader", scope="row")


def _number(label: str, text: str) -> str:
    """Return a cell of a number under the head `label`, which stands beside it on a phone."""
    return element("td", text, role="cell", data_label=label, class_="tw-number")


def _text(label: str, text: str) -> str:
    return element("td", escape(text), role="cell", data_label=label, class_="tw-text")


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

"""Findings as tables: on a page, in Markdown for a job's summary, in JUnit XML for a test report.

Pure functions of findings as :meth:`tailwatch.Comparison.to_json` writes them.
The file is long because each of these forms has the same findings, sizes and words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tailwatch.report.html import element, escape, scrolling_table
from tailwatch.report.words import (
    ABSENT,
    Number,
    count,
    describe,
    percent,
    write,
    written_q,
    written_shares,
)
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.report.words import Label

__all__ = [
    "SIZES",
    "answer",
    "change_table",
    "changes_table",
    "findings_by_generation",
    "findings_table",
    "junit_document",
    "markdown_document",
    "numbers_of_change",
    "read_from",
    "written_size",
]

_ROWS = "share of the candidate rows"
_ODDS = "odds of a row among the rarest, times those of a human row"
_RATIO = "times that of a fresh human sample"

SIZES = {
    "elsewhere": "share of the candidate rows that lie where human rows do",
    "copies": _ROWS,
    "repeated": "share of the candidate rows, beyond that of the human ones",
    "junk": _ROWS,
    "tails_lost": _ODDS,
    "modes_lost": "share of the modes that is left, of the small ones or of all",
    "tails_widened": _ODDS,
    "moved": "share of the largest possible distance",
    "spread_lost": _RATIO,
    "spread_gained": _RATIO,
}
"""What the size of each finding counts."""

_SHARES = ("elsewhere", "copies", "repeated", "junk", "modes_lost", "moved")
_LONGEST_CLASS = 48
MOST_GENERATIONS = 8
"""Columns of a table by generation."""
MOST_FINDINGS = 200
"""Lines of a table by class; more are in the JSON."""


def answer(one: Mapping[str, Any]) -> str:
    """Return the state of a finding, and of one that cannot be told why."""
    if one["state"] != "cannot tell":
        return str(one["state"])
    return "cannot tell: the limit is within" if one["evidence"] else "cannot tell: not measured"


def written_size(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return the size of a finding and its interval as text."""
    number = Number(one["size"], one["low"], one["high"])
    written = written_shares(number) if one["name"] in _SHARES else write(number, places=2)
    return written.value, written.interval or ABSENT


def findings_table(
    findings: Sequence[Mapping[str, Any]], labels: Mapping[str, Label], confidence: str
) -> str:
    """Return all questions with their answers as a table of HTML.

    Parameters
    ----------
    findings
        As for :func:`markdown_document`. Of a comparison by class, those that are there.
    labels
        What each metric is called.
    confidence
        Of the intervals, as text.
    """
    if not findings:
        return "<p>Nothing was found in any class.</p>"
    heads = ("Finding", "Answer", "Size", f"{confidence} interval", "Limit", "q", "Read from")
    lines = (_line_of(one, labels) for one in findings[:MOST_FINDINGS])
    more = len(findings) - MOST_FINDINGS
    below = f"<p>{count(more)} more are in the JSON of this comparison.</p>" if more > 0 else ""
    return scrolling_table(heads, "".join(lines), label="All findings") + below


def findings_by_generation(findings: Sequence[Mapping[str, Any]]) -> str:
    """Return the findings of a loop as a table of HTML: a line each, a column for a generation.

    Parameters
    ----------
    findings
        Those of one run; ``of`` is the generation. Of long runs some generations are shown, first
        and last among them.
    """
    by_name: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in findings:
        by_name.setdefault(one["name"], {})[one["of"]] = one
    generations = list(dict.fromkeys(one["of"] for one in findings))
    most = min(len(generations), MOST_GENERATIONS)
    places = (round(at * (len(generations) - 1) / max(most - 1, 1)) for at in range(most))
    shown = [generations[place] for place in places]
    lines = (
        element(
            "tr",
            element(
                "th",
                escape(name.replace("_", " ").capitalize()) + element("i", escape(SIZES[name])),
                scope="row",
            )
            + "".join(_cell_of(by_generation.get(of)) for of in shown),
        )
        for name, by_generation in by_name.items()
    )
    return scrolling_table(("Generation", *shown), "".join(lines), label="Findings by generation")


def _cell_of(one: Mapping[str, Any] | None) -> str:
    if one is None or one["state"] != "found":
        return element("td", escape(ABSENT if one is None else "no"))
    size, interval = written_size(one)
    return element("td", escape(size) + element("i", escape(interval)), class_="w")


def _line_of(one: Mapping[str, Any], labels: Mapping[str, Label]) -> str:
    named = one["name"].replace("_", " ").capitalize()
    of = "" if one["of"] is None else f", {shortened(visible(one['of']), _LONGEST_CLASS)}"
    unit = element("i", escape(SIZES[one["name"]]))
    size, interval = written_size(one)
    mark = "w" if one["state"] == "found" else None
    numbers = (size, interval, _limit(one), written_q(one["q_value"]), read_from(one, labels))
    cells = (
        element("td", escape(answer(one)), class_=mark),
        *(element("td", escape(text)) for text in numbers),
    )
    return element("tr", element("th", escape(named + of) + unit, scope="row") + "".join(cells))


def _limit(one: Mapping[str, Any]) -> str:
    return percent(one["limit"]) if one["name"] in _SHARES else f"{one['limit']:g}"


def change_table(changes: Sequence[Mapping[str, Any]], labels: Mapping[str, Label]) -> str:
    """Return the findings about a change as a table of HTML.

    Parameters
    ----------
    changes
        Each with its name, state, baseline, value, change, low, high, q-value and evidence.
    labels
        What each metric is called.
    """
    heads = ("Finding", "Answer", "Baseline", "Candidate", "Change", "q", "Read from")
    return scrolling_table(
        heads,
        "".join(
            _row_of(
                one["name"].replace("_", " ").capitalize(),
                (one["state"], *numbers_of_change(one), written_q(one["q_value"])),
                read_from(one, labels),
                marked=one["state"] == "worse",
            )
            for one in changes
        ),
        label="Findings about the change",
    )


def changes_table(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, Label]) -> str:
    """Return the change of each metric as a table of HTML.

    Parameters
    ----------
    rows
        Of the frame of changes.
    labels
        What each metric is called.
    """
    heads = ("Metric", "Baseline", "Candidate", "Change", "Interval from")
    return scrolling_table(
        heads,
        "".join(
            _row_of(
                describe(row["metric"], labels).name
                + ("" if row["level"] is None else f" {percent(row['level'])}"),
                numbers_of_change(row),
                row["method"] or f"none: {row['reason']}",
            )
            for row in rows
        ),
        label="The change of each metric",
    )


def _row_of(name: str, cells: Sequence[str], last: str, *, marked: bool = False) -> str:
    """Return a row of a table of changes."""
    first, *others = (*cells, last)
    made = [element("td", escape(first), class_="w" if marked else None)]
    made += [element("td", escape(text)) for text in others]
    return element("tr", element("th", escape(name), scope="row") + "".join(made))


def numbers_of_change(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return baseline, candidate and change with its interval as text."""
    written = write(Number(one["change"], one["low"], one["high"]), signed=True)
    interval = f" {written.interval}" if written.interval else ""
    return _written(one["baseline"]), _written(one["value"]), f"{written.value}{interval}"


def _written(number: float | None) -> str:
    return ABSENT if number is None else write(Number(number)).value


def read_from(one: Mapping[str, Any], labels: Mapping[str, Label]) -> str:
    """Return the metrics that a finding is read from, with their levels."""
    read = (
        describe(metric, labels).name + ("" if level is None else f" {percent(level)}")
        for metric, level in one["evidence"]
    )
    return ", ".join(read) or ABSENT


MARKS = {
    "found": "✗ found",
    "not found": "✓ not found",
    "cannot tell": "? cannot tell",
    "worse": "✗ worse",
    "better": "✓ better",
}


def markdown_document(
    sentence: str,
    run: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return a comparison as Markdown: the sentence, and a table of its findings.

    Parameters
    ----------
    sentence
        The findings in words.
    run
        What was run.
    findings
        Each with its name, state, words, size, low and high.
    changes
        Findings about the change against a baseline, as for :func:`change_table`.
    """
    sides = " vs ".join(
        f"{_plain(run[side]['name'])} ({count(run[side]['rows'])} rows)"
        for side in ("reference", "candidate", "baseline")
        if side in run
    )
    confidence = percent(run["arguments"]["confidence"])
    lines = [
        "### tailwatch comparison",
        "",
        f"**{_plain(sentence)}**",
        "",
        sides,
        "",
        f"| finding | | size | {confidence} interval |",
        "|---|---|--:|---|",
        *(
            f"| {_title(one)} | {MARKS[one['state']]} | {' | '.join(written_size(one))} |"
            for one in findings
        ),
        "",
        *_markdown_of(changes, confidence),
        f"<sub>tailwatch {run['versions']['tailwatch']}</sub>",
        "",
    ]
    return "\n".join(lines)


def _markdown_of(changes: Sequence[Mapping[str, Any]], confidence: str) -> list[str]:
    """Return findings about a change as lines of a table."""
    if not changes:
        return []
    rows = [
        f"| {one['name'].replace('_', ' ')} | {MARKS[one['state']]} "
        f"| {' | '.join(numbers_of_change(one))} |"
        for one in changes
    ]
    head = f"| against the baseline | | was | is | change [{confidence} interval] |"
    return [head, "|---|---|--:|--:|--:|", *rows, ""]


def junit_document(
    run: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    asked: Sequence[str],
    changes: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Return findings as the test cases of a JUnit report.

    Parameters
    ----------
    run
        What was run.
    findings
        As for :func:`markdown_document`.
    asked
        Names of those that may not be found: each is a case, which fails where it is found and is
        skipped where it cannot be told.
    changes
        Findings about the change against a baseline that may not be worse, a case each.
    """
    cases = [one for one in findings if one["name"] in asked]
    cases += [
        {
            **one,
            "state": {"worse": "found", "better": "not found"}.get(one["state"], one["state"]),
            "size": one["change"],
            "limit": 0.0,
            "of": "change",
        }
        for one in changes
    ]
    states = [one["state"] for one in cases]
    suite = ET.Element(
        "testsuite",
        {
            "name": f"tailwatch: {_line(run['candidate']['name'])}",
            "tests": str(len(cases)),
            "failures": str(states.count("found")),
            "errors": "0",
            "skipped": str(states.count("cannot tell")),
            "time": f"{run['seconds']:.3f}",
            "timestamp": run["started"],
        },
    )
    for one in cases:
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "classname": f"tailwatch.compare{_of(one)}",
                "name": one["name"],
                "time": "0",
            },
        )
        said = _line(one["words"] or _sized(one))
        if one["state"] == "found":
            failure = ET.SubElement(case, "failure", {"message": said})
            failure.text = _sized(one)
        elif one["state"] == "cannot tell":
            ET.SubElement(case, "skipped", {"message": "cannot be told"})
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    declaration = '<?xml version="1.0" encoding="utf-8"?>\n'
    return declaration + ET.tostring(root, encoding="unicode") + "\n"


def _sized(one: Mapping[str, Any]) -> str:
    """Return the size of a finding with its limit, or a change, whose limit is 0."""
    if "change" in one:
        return f"change {numbers_of_change(one)[2]}"
    return f"size {' '.join(written_size(one))}, limit {_limit(one)}"


def _of(one: Mapping[str, Any]) -> str:
    """Return the class that a finding is of, if it is of one."""
    return "" if one["of"] is None else f", {_line(one['of'])}"


def _title(one: Mapping[str, Any]) -> str:
    of = "" if one["of"] is None else f" of {_plain(one['of'])}"
    return f"{one['name'].replace('_', ' ')}{of}"


def _line(text: str) -> str:
    """Return text in one line without hidden characters, which XML has no place for."""
    return visible(text).replace("\n", " ")


def _plain(text: str) -> str:
    """Return text that is neither markup nor more than a line."""
    shown = _line(text)
    for sign in ("\\", "`", "*", "_", "|", "<", ">", "[", "]"):
        shown = shown.replace(sign, f"\\{sign}")
    return shown

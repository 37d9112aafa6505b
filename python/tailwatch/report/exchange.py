"""Findings for other programs: Markdown for a job's summary, JUnit XML for a test report.

Pure functions of findings as :meth:`tailwatch.Comparison.to_json` writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from tailwatch.report.words import count, percent
from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["junit_document", "markdown_document"]

MARKS = {"found": "✗ found", "not found": "✓ not found", "cannot tell": "? cannot tell"}


def markdown_document(
    sentence: str, run: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]
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
    """
    sides = " vs ".join(
        f"{_plain(run[side]['name'])} ({count(run[side]['rows'])} rows)"
        for side in ("reference", "candidate")
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
            f"| {_title(one)} | {MARKS[one['state']]} | {_number(one['size'])} | {_interval(one)} |"
            for one in findings
        ),
        "",
        f"<sub>tailwatch {run['versions']['tailwatch']}</sub>",
        "",
    ]
    return "\n".join(lines)


def junit_document(
    run: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], asked: Sequence[str]
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
    """
    cases = [one for one in findings if one["name"] in asked]
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
        said = _line(one["words"] or f"size {_number(one['size'])} {_interval(one)}")
        if one["state"] == "found":
            failure = ET.SubElement(case, "failure", {"message": said})
            failure.text = f"size {_number(one['size'])} {_interval(one)}, limit {one['limit']:g}"
        elif one["state"] == "cannot tell":
            ET.SubElement(case, "skipped", {"message": "cannot be told"})
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    declaration = '<?xml version="1.0" encoding="utf-8"?>\n'
    return declaration + ET.tostring(root, encoding="unicode") + "\n"


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


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _interval(one: Mapping[str, Any]) -> str:
    if one["low"] is None or one["high"] is None:
        return ""
    return f"{_number(one['low'])} to {_number(one['high'])}"

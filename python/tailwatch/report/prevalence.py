"""The part of a contamination page about the share: estimates beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.html import escape
from tailwatch.report.numbers import count
from tailwatch.report.shares import cell, spaced, table, written, written_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["prevalence_section"]

_CAPTION = "Shares of synthetic rows."
_WITHOUT = " DyS and median sweep come without an interval; they stand here to be compared."


def prevalence_section(summary: dict[str, Any]) -> str:
    """Return warnings, words and the table of all estimates of the share.

    Parameters
    ----------
    summary
        The content of ``summary.json``.
    """
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(name)}'
        f'<span class="tw-small">{escape(what)}</span></th>'
        f"{cell('Share', written(found['value']))}"
        f"{cell('Interval', written_interval(found['low'], found['high']))}</tr>"
        for name, what, found in _estimates(summary["prevalence"])
    )
    text = "".join(f"<p>{sentence}</p>" for sentence in _words(summary))
    return text + table(("Estimate", "Share", "Interval"), body, _caption(summary["prevalence"]))


def _caption(found: dict[str, Any]) -> str:
    return _CAPTION if found["checks"] is None else _CAPTION + _WITHOUT


def _estimates(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield name, description, and value with bounds."""
    yield "Share", found["method"], found
    if found["profile"] is not None:
        yield "Template fit", "before drift and labels", found["profile"]
    floor = found["null_floor"]
    held_out = "a human stratum" if floor["source"] == "strata" else "a part of the human rows"
    yield "Null floor", f"the same on {held_out}, held out, {floor['parts']} times", floor
    checks = found["checks"]
    if checks is not None:
        acc = {"value": checks["acc"], "low": checks["acc_low"], "high": checks["acc_high"]}
        yield "Adjusted count", "another estimator", acc
        for name, key in (("DyS", "dys"), ("Median sweep", "median_sweep")):
            alone = {"value": checks[key], "low": None, "high": None}
            yield name, "another estimator", alone


def _words(summary: dict[str, Any]) -> Iterator[str]:
    found, selected = summary["prevalence"], summary["selected"]
    for warning in summary["warnings"]:
        yield f"<strong>Warning.</strong> {escape(spaced(warning.rstrip('.')))}."
    yield (
        "The null floor is what the estimator says of human rows that it was not given, of which "
        "none is synthetic: a share below its upper end shows nothing."
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
            f"The share rests on {count(audit['rows'])} rows with verified labels, of which "
            f"{count(audit['positive'])} are synthetic; it holds under any drift if they are a "
            "random sample of the target."
        )
    limit = f"a q-value of at most {selected['q_value']:g}"
    yield (
        f"{count(selected['rows'])} rows have {limit}: that share of them, at most, is expected to "
        "be human."
        if selected["rows"]
        else f"No row has {limit}."
    )

"""The tables of a run: verdicts by definition, when it began, failures; its policy and its plan."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tailwatch.report.html import data_table, element, escape, scrolling_table
from tailwatch.report.loop.plots import spread_out
from tailwatch.report.loop.words import LOOP_LABELS, describe_loop
from tailwatch.report.words import ABSENT, Number, count, in_sentence, percent, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from tailwatch.report.words import Label


__all__ = [
    "alarm_in_words",
    "by_run",
    "failure_table",
    "named",
    "onset_list",
    "plan_table",
    "policy_words",
    "side_by_side",
    "verdict_table",
]

# Such as ``tail_mass at 0.05``; a metric of one word is its own name.
_METRIC = re.compile(r"\b(?P<metric>[a-z]+(?:_[a-z0-9]+)+)(?: at (?P<level>0?\.\d+))?")

_OF = {"early": "Early collapse, of the tails", "late": "Late collapse, of the variance"}

# Sign and style of a status: the sign says it without the colour.
_SIGNS = {
    "holds": ("●", "tw-holds"),
    "does not hold": ("○", "tw-holds-not"),
    "undetermined": ("?", "tw-open"),
    "not measured": ("–", "tw-open"),
}


def by_run(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Give the part of each run, in order; without such a column all is one run without name."""
    if "run" not in frame.columns:
        yield "", frame
        return
    for (name,), part in frame.group_by("run", maintain_order=True):
        yield str(name), part


def verdict_table(verdicts: pl.DataFrame, labels: Mapping[str, Label]) -> str:
    """Return the table of one run: definition, status, and the evidence with its numbers."""
    return _table(verdicts, labels, "definition", "Definition")


def failure_table(diagnosis: pl.DataFrame, labels: Mapping[str, Label]) -> str:
    """Return the table of a diagnosis: each way to fail, its status, the evidence."""
    return _table(diagnosis, labels, "mode", "Failure")


def onset_list(
    onsets: pl.DataFrame, labels: Mapping[str, Label], alarms: pl.DataFrame | None = None
) -> str:
    """Return onsets and alarm of one run, or of several under their names."""
    rang = {} if alarms is None else {run: part.row(0, named=True) for run, part in by_run(alarms)}
    parts = list(by_run(onsets))
    lines = []
    for run, part in parts:
        said = [_onset(row) for row in part.to_dicts()]
        if run in rang:
            said.append(f"Alarm: {alarm_in_words(rang[run]) or 'none rang'}.")
        name = escape(f"{run}: " if len(parts) > 1 else "")
        lines += [f"<li>{name}{_in_words(words, labels)}</li>" for words in said]
    return f"<ul>{''.join(lines)}</ul>"


def alarm_in_words(alarm: Mapping[str, Any]) -> str:
    """Say of an alarm, a row of its frame, when it rang and what for; nothing if it did not."""
    at = alarm["generation"]
    if at is None:
        return ""
    kept = write(Number(alarm["value"], alarm["low"], alarm["high"]))
    return (
        f"rang at generation {at}: {alarm['metric']} keeps {kept.value} {kept.interval} of what "
        f"{alarm['standard']} has, less than {alarm['keep']:g}"
    )


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
    rows = []
    for what in dict.fromkeys(what for what, _ in found):
        cells = "".join(_status(found.get((what, run), "not measured")) for run, _ in parts)
        rows.append(f"<tr>{_head(what)}{cells}</tr>")
    return scrolling_table(
        [name, *(escape(run) for run, _ in parts)],
        "".join(rows),
        label=f"{name} by run",
        kind="tw-classes tw-verdict-grid",
    )


def _table(judged: pl.DataFrame, labels: Mapping[str, Label], of: str, name: str) -> str:
    """Return one run's table of what stands in column `of`."""
    heads = "".join(
        element("th", head, role="columnheader", scope="col")
        for head in (name, "Status", "Evidence")
    )
    rows = (
        element(
            "tr",
            _head(row[of])
            + _status(row["status"])
            + element("td", _in_words(row["evidence"], labels), role="cell"),
            role="row",
        )
        for row in judged.to_dicts()
    )
    return data_table(heads, ["".join(rows)], kind="tw-verdicts")


def _onset(row: Mapping[str, Any]) -> str:
    of, at, since = _OF[row["collapse"]], row["generation"], row["since"]
    if at is None:
        return f"{of}: not seen, or not measured."
    kept = write(Number(row["value"], row["low"], row["high"]))
    over = f"generation {at}" if since == at else f"generations {since} to {at}"
    return (
        f"{of}: seen at generation {at}. Over {over}, {row['metric']} retains "
        f"{kept.value} {kept.interval}, below {row['threshold']:g}."
    )


def _head(text: str) -> str:
    words = _sentence(text.replace("_", " "))
    return f'<th role="rowheader" scope="row">{escape(words)}</th>'


def _status(status: str) -> str:
    sign, style = _SIGNS.get(status, ("?", "tw-open"))
    mark = f'<span aria-hidden="true">{sign}</span>'
    return f'<td role="cell" class="tw-status {style}">{mark} {escape(status)}</td>'


def _in_words(text: str | None, labels: Mapping[str, Label]) -> str:
    """Return a sentence in which metrics have the names that the charts have."""
    return escape(_sentence(named(text or "", labels)))


def named(text: str, labels: Mapping[str, Label]) -> str:
    """Return a text in which metrics have the names that the charts have."""
    return _METRIC.sub(lambda found: _name(found, labels), text)


def _name(found: re.Match[str], labels: Mapping[str, Label]) -> str:
    """Return the name of a metric, and its level, for what may be its identifier."""
    metric, level = found["metric"], found["level"]
    if metric not in labels and metric not in LOOP_LABELS:
        return found[0]
    name = in_sentence(describe_loop(metric, labels).name)
    return f"{name}, {percent(float(level))}" if level else name


def _sentence(text: str | None) -> str:
    return text[:1].upper() + text[1:] if text else ""


GENERATIONS_OF_PLAN = 5
"""Generations that are shown of a quantity."""


def policy_words(policies: Mapping[str, Any]) -> str:
    """Return a list of runs: the policy of each as text, and what it does in its own words.

    Parameters
    ----------
    policies
        The policy of each run, as the arguments hold it: with ``text`` and ``words``, or a text.
    """
    items = "".join(
        f"<div><dt>{escape(run)}</dt><dd>{escape(_explained(policy))}</dd></div>"
        for run, policy in policies.items()
    )
    return f'<dl class="tw-words tw-policies">{items}</dl>'


def plan_table(plan: pl.DataFrame) -> str:
    """Return a plan as a table.

    Parameters
    ----------
    plan
        Columns ``quantity``, ``generation``, ``value``, ``low``, ``high``, ``unit``, ``note``. Of
        many generations some are shown, the first and the last among them.
    """
    lines = []
    for (quantity,), rows in plan.group_by("quantity", maintain_order=True):
        chosen = spread_out(range(rows.height), GENERATIONS_OF_PLAN)
        for place, row in enumerate(rows[chosen].to_dicts()):
            name = escape(str(quantity).replace("_", " ").capitalize())
            lines.append(_line(f'<span class="tw-unseen">{name}</span>' if place else name, row))
    heads = ("Quantity", "Generation", "Expected", "Unit", "What it is")
    return scrolling_table(heads, "".join(lines), label="Plan", kind="tw-classes tw-plan")


def _line(name: str, row: dict[str, Any]) -> str:
    """Return a line of a plan; `name` is HTML."""
    written = write(Number(row["value"], row["low"], row["high"]))
    interval = "" if written.interval is None else f"<i>{written.interval}</i>"
    generation = ABSENT if row["generation"] is None else count(row["generation"])
    words = "".join(f"<td>{escape(row[column] or '')}</td>" for column in ("unit", "note"))
    return (
        f"<tr><th scope=row>{name}</th><td>{generation}</td>"
        f"<td><b>{written.value}</b>{interval}</td>{words}</tr>"
    )


def _explained(policy: Any) -> str:  # noqa: ANN401  (whatever JSON holds)
    if not isinstance(policy, dict):
        return str(policy)
    said = (policy.get("text"), policy.get("words"))
    return ". ".join(str(part) for part in said if part)

"""The policy of a run and its plan: what each generation learned from, and what theory expects."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from tailwatch.report.numbers import ABSENT, Estimate, count, write
from tailwatch.report.recursion.words import POLICIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["plan_table", "policy_words"]

LINES_OF_PLAN = 40


def policy_words(policies: Mapping[str, Any]) -> str:
    """Return a list of runs: the policy of each as it was given, and what it does.

    Parameters
    ----------
    policies
        The policy of each run, as the arguments hold it: its ``class`` and parameters, or a text.
    """
    items = "".join(
        f"<div><dt>{escape(run)}</dt><dd>{escape(_explained(policy))}</dd></div>"
        for run, policy in policies.items()
    )
    return f'<dl class="tw-words tw-policies">{items}</dl>'


def plan_table(plan: pl.DataFrame) -> str:
    """Return a plan as a table, column by column as it is."""
    shown = plan.head(LINES_OF_PLAN)
    heads = "".join(f"<th scope=col>{escape(name.replace('_', ' '))}</th>" for name in plan.columns)
    lines = []
    for row in shown.rows():
        first, *others = (_cell(value) for value in row)
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        lines.append(f"<tr><th scope=row>{first}</th>{cells}</tr>")
    rest = plan.height - shown.height
    more = f" {count(rest)} more lines are in the plan itself." if rest else ""
    return (
        '<div class="tw-scroll" tabindex="0" role="region" aria-label="Plan">'
        '<table class="tw-classes"><caption>What closed forms expect; theory has no sampling '
        f"error, so these numbers have no interval.{more}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _explained(policy: Any) -> str:  # noqa: ANN401  (whatever JSON holds)
    given = _given(policy)
    words = POLICIES.get(re.split(r"\W", given, maxsplit=1)[0])
    return f"{given}. {words}" if words else given


def _given(value: Any) -> str:  # noqa: ANN401
    """Write a policy as the call that makes it, from the description that a run keeps."""
    if not isinstance(value, dict):
        return str(value)
    name = str(value.get("class", "")).rpartition(".")[2]
    inner = [f"{key}={_given(each)}" for key, each in value.items() if key != "class"]
    return f"{name}({', '.join(inner)})"


def _cell(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return write(Estimate(value)).value
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value)
    return escape(str(value))

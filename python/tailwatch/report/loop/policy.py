"""The policy of a run and its plan: what each generation learned from, and what theory expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.html import escape, scrolling_table
from tailwatch.report.loop.plots import spread_out
from tailwatch.report.numbers import ABSENT, Number, count, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["plan_table", "policy_words"]

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

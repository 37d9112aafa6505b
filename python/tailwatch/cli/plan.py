"""``tailwatch plan``: how fast a loop collapses, and what would keep it from doing so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tailwatch.cli.options import AsJson, Generations, PolicyText
from tailwatch.cli.parts import blaming, policy_named

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

__all__ = ["plan"]

MOST_GENERATIONS = 12
"""Generations that the table shows of a long run; files have all."""

NEEDS = {
    "rows_for": "rows of each generation, under replace",
    "real_fraction_for": "share of fresh human rows in each training set",
    "fresh_rows_for": "fresh human rows in each training set",
    "fixed_real_rows_for": "human rows kept for ever beside the samples",
}


def plan(
    *,
    size: Annotated[
        int,
        typer.Option(
            min=2, metavar="N", help="Rows that each generation samples.", show_default=False
        ),
    ],
    generations: Generations = 20,
    policy: PolicyText = "replace",
    keep: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the human variance to keep.")
    ] = 0.95,
    unbiased: Annotated[
        bool, typer.Option("--unbiased", help="Models divide variances by one row less.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Plan a loop: what theory expects, and how much human data keeps its variance.

    No data are read: closed forms say what a learner keeps that reproduces the mean
    and covariance of what it learns from.

    [bold]Examples[/bold]

      tailwatch plan --size 1000 --generations 20
      tailwatch plan --size 1000 --policy mix:0.1,fresh
      tailwatch plan --size 500 --generations 50 --keep 0.9 --json > plan.json
    """
    from tailwatch.cli.table import for_people
    from tailwatch.recursion.participants import text_of
    from tailwatch.recursion.theory.plan import plan as plan_loop

    chosen = policy_named(policy)
    with blaming():
        found = plan_loop(size, generations, chosen, keep=keep, ddof=1 if unbiased else 0)
    console = for_people()
    console.print(_sentence(found, generations, text_of(chosen), keep), markup=False)
    console.print(_by_generation(found, generations))
    console.print(_needs(found, keep))
    if as_json:
        from tailwatch.results import strict_json

        arguments = {
            "size": size,
            "generations": generations,
            "policy": text_of(chosen),
            "keep": keep,
            "ddof": int(unbiased),
        }
        typer.echo(strict_json({"arguments": arguments, "plan": found}))


def _sentence(found: pl.DataFrame, generations: int, policy: str, keep: float) -> str:
    """Return what is expected, and when it falls to `keep`."""
    kept = _value(found, "variance_kept", generations)
    until = _value(found, "generations_until")
    limit = _value(found, "variance_limit")
    if until is not None:
        when = f"it falls to {keep:g} in generation {until:.0f}"
    elif limit is not None and limit >= keep:
        when = f"it never falls to {keep:g}"
    else:
        when = f"it does not fall to {keep:g} until then"
    return (
        f"Under {policy}, generation {generations} is expected to keep {kept:.3g} of the human "
        f"variance; {when}."
    )


def _value(found: pl.DataFrame, quantity: str, generation: int | None = None) -> float | None:
    rows = found.filter(quantity=quantity)
    if generation is not None:
        rows = rows.filter(generation=generation)
    value: float | None = rows["value"][0]
    return value


def _by_generation(found: pl.DataFrame, generations: int) -> Table:
    """Lay out the curve, and the rows that would keep the variance for ever."""
    from rich import box
    from rich.table import Table

    from tailwatch.report.words import Number, write

    step = -(-generations // MOST_GENERATIONS)
    shown = sorted({1, *range(step, generations + 1, step), generations})
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("generation", justify="right")
    table.add_column("variance kept", justify="right")
    table.add_column("95 % of single runs", justify="right")
    table.add_column("growing rows that keep it", justify="right")
    for generation in shown:
        row = found.filter(quantity="variance_kept", generation=generation).row(0, named=True)
        ends = write(Number(None, row["low"], row["high"])).interval or "–"
        reach = ends.strip("[]").replace(", ", " to ")
        kept = write(Number(row["value"]), places=4).value
        rows = _value(found, "schedule", generation)
        table.add_row(str(generation), kept, reach, f"{rows:,.0f}")
    limit = _value(found, "variance_limit")
    table.add_row("∞", write(Number(limit), places=4).value, "–", "")
    return table


def _needs(found: pl.DataFrame, keep: float) -> Table:
    """Lay out what keeps so much of the variance."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(f"what keeps {keep:g} of the variance")
    table.add_column("", justify="right")
    table.add_column("")
    for quantity, words in NEEDS.items():
        row = found.filter(quantity=quantity).row(0, named=True)
        value = "–" if row["value"] is None else f"{row['value']:,.4g}"
        if row["value"] is not None and row["value"] >= 1:
            value = f"{row['value']:,.0f}"
        note = row["note"] if row["value"] is None else ""
        table.add_row(words, value, note)
    return table

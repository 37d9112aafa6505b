"""A comparison in words, read from its frame alone.

One metric decides whether tails were lost, so that asking many does not find a loss by chance: the
odds of a candidate row in the pooled tail at the level nearest to 5 % or, without it, the
directional tails. The others are quoted where their intervals clear the null too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from tailwatch.background import uses_polars

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DECIDING", "NEAREST_LEVEL", "said", "sentence_of"]

Row: TypeAlias = "Mapping[str, Any]"

DECIDING = ("tail_odds_ratio", "directional_tails", "tail_mass", "tail_recall", "tail_coverage")
NEAREST_LEVEL = 0.05

NOUNS = {
    "tail_mass": "tail mass",
    "tail_recall": "tail recall",
    "tail_coverage": "tail coverage",
    "total_variance": "total variance",
    "precision": "precision",
    "coverage": "coverage",
}
TAILS = ("tail_mass", "tail_recall", "tail_coverage")
REACHING = ("tail_recall", "tail_coverage")


def sentence_of(frame: pl.DataFrame) -> str:
    """Say what a comparison found.

    Parameters
    ----------
    frame
        The frame of a :class:`tailwatch.Comparison`.

    Returns
    -------
    str
        One to three sentences. Numbers are relative to a fresh human sample of the same size, with
        their intervals.
    """
    uses_polars("the sentence of a comparison")
    rows = _rows(frame)
    deciding = next((rows[name] for name in DECIDING if name in rows), None)
    if deciding is None:
        return _without_tails(rows)
    _, low, high = _decided(deciding)
    if high is not None and high < 1:
        besides = _left(rows, (*TAILS, "total_variance"))
        return " ".join([f"Tails were lost: {_said(deciding)}.", *besides, *_looks_better(rows)])
    if missed := _left(rows, REACHING):
        return " ".join(["Human tails are not reached.", *missed, f"Yet {_said(deciding)}."])
    if low is None or high is None:
        return f"Whether tails were lost cannot be told: {_said(deciding)}, without an interval."
    if low > 1:
        return " ".join([f"Tails widened: {_said(deciding)}.", *_left(rows, TAILS)])
    return " ".join([f"No loss of tails was found: {_said(deciding)}.", *_left(rows, TAILS)])


def _rows(frame: pl.DataFrame) -> dict[str, Row]:
    """Return one row per metric, at the level nearest to the deciding one."""
    nearest = (pl.col("level").fill_null(NEAREST_LEVEL) - NEAREST_LEVEL).abs()
    ordered = frame.sort(nearest, maintain_order=True)
    return {row["metric"]: row for row in ordered.unique("metric", keep="first").to_dicts()}


def _below(row: Row) -> bool:
    return row["retention_high"] is not None and row["retention_high"] < 1


def _decided(row: Row) -> tuple[float | None, float | None, float | None]:
    """Return the number that decides, with its interval.

    The null of the odds is 1 exactly, so the odds themselves decide: dividing by the odds between
    two human halves would only add their noise.
    """
    prefix = "" if row["metric"] == "tail_odds_ratio" else "retention_"
    number = row["value"] if row["metric"] == "tail_odds_ratio" else row["retention"]
    return number, row[f"{prefix}low"], row[f"{prefix}high"]


def _said(row: Row) -> str:
    return said(row["metric"], row["level"], *_decided(row))


def said(
    metric: str, level: float | None, number: float | None, low: float | None, high: float | None
) -> str:
    """Say the metric that decides, and its number with its interval."""
    times = _with_interval(number, low, high)
    rarest = "" if level is None else f"{100 * level:g} %"
    if metric == "tail_odds_ratio":
        return (
            f"the odds of finding a candidate row among the rarest {rarest} are {times} times "
            "those of a human row"
        )
    if metric == "directional_tails":
        return (
            f"beyond the outermost {rarest} along directions lies {times} times the mass of a "
            "fresh human sample"
        )
    noun = NOUNS[metric]
    return f"{noun} at level {rarest} is {times} times that of a fresh human sample"


def _left(rows: Mapping[str, Row], names: Sequence[str]) -> list[str]:
    """Quote those of the metrics whose intervals lie below the null."""
    below = [
        f"{NOUNS[name]} {_kept(rows[name])}"
        for name in names
        if name in rows and _below(rows[name])
    ]
    return [f"What is left: {', '.join(below)}."] if below else []


def _looks_better(rows: Mapping[str, Row]) -> list[str]:
    """Warn where the usual metrics hide the loss."""
    fine = [
        f"{NOUNS[name]} ({_kept(rows[name])} of its null)"
        for name in ("precision", "coverage")
        if name in rows and rows[name]["retention"] is not None and rows[name]["retention"] >= 1
    ]
    if not fine:
        return []
    names = " and ".join(fine)
    verb = "do" if len(fine) > 1 else "does"
    return [f"{names[0].upper()}{names[1:]} {verb} not see this."]


def _kept(row: Row) -> str:
    return _with_interval(row["retention"], row["retention_low"], row["retention_high"])


def _with_interval(number: float | None, low: float | None, high: float | None) -> str:
    interval = "" if low is None or high is None else f" [{_number(low)}, {_number(high)}]"
    return f"{_number(number)}{interval}"


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    if value >= 10:
        return f"{value:,.0f}"
    # Two decimals where they say something; else two significant digits.
    return f"{value:.2f}" if value == 0 or value >= 0.095 else f"{value:.2g}"


def _without_tails(rows: Mapping[str, Row]) -> str:
    if "total_variance" in rows:
        kept = _kept(rows["total_variance"])
        return f"No tail metric was asked for. What is left of total variance: {kept}."
    return "No tail metric was asked for: the frame has the values beside their nulls."

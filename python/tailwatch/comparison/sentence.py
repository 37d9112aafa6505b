"""A comparison in words, read from its frame alone.

One metric decides whether tails were lost, so that asking many does not find a loss by chance: the
odds of a candidate row in the pooled tail at the level nearest to 5 % or, without it, the
directional tails. The others are quoted where their intervals clear the null too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["sentence_of"]

Row: TypeAlias = "Mapping[str, Any]"

DECIDING = ("tail_odds_ratio", "directional_tails")
NEAREST_LEVEL = 0.05

NOUNS = {
    "tail_odds_ratio": "odds of a tail row",
    "directional_tails": "mass beyond the human quantiles along directions",
    "tail_mass": "tail mass",
    "tail_supported_mass": "supported tail mass",
    "tail_recall": "tail recall",
    "tail_coverage": "tail coverage",
    "total_variance": "total variance",
    "precision": "precision",
    "coverage": "coverage",
}


def sentence_of(frame: pl.DataFrame) -> str:
    """Say what a comparison found.

    Parameters
    ----------
    frame
        The frame of a :class:`tailwatch.Comparison`.

    Returns
    -------
    str
        One to three sentences. Retentions are relative to a fresh human sample of the same size.
    """
    rows = _rows(frame)
    deciding = next((rows[name] for name in DECIDING if name in rows), None)
    if deciding is None:
        return _without_tails(rows)
    if _below(deciding):
        parts = [_lost(deciding, rows), *_looks_better(rows)]
    elif _above(deciding):
        parts = [f"Tails were not lost but widened: {_quote(deciding)}.", *_lost_besides(rows)]
    else:
        parts = [f"No loss of tails was found: {_quote(deciding)}.", *_lost_besides(rows)]
    return " ".join(parts)


def _rows(frame: pl.DataFrame) -> dict[str, Row]:
    """Return one row per metric: with a null, at the level nearest to the deciding one."""
    nearest = (pl.col("level").fill_null(NEAREST_LEVEL) - NEAREST_LEVEL).abs()
    split = frame.filter(pl.col("method") != "full").sort(nearest, maintain_order=True)
    return {row["metric"]: row for row in split.unique("metric", keep="first").to_dicts()}


def _below(row: Row) -> bool:
    return row["retention_high"] is not None and row["retention_high"] < 1


def _above(row: Row) -> bool:
    return row["retention_low"] is not None and row["retention_low"] > 1


def _lost(deciding: Row, rows: Mapping[str, Row]) -> str:
    others = ("tail_mass", "tail_recall", "tail_coverage", "total_variance")
    also = [_quote(rows[name]) for name in others if name in rows and _below(rows[name])]
    besides = f"; {', '.join(also)}" if also else ""
    return f"Tails were lost: {_quote(deciding)} relative to a fresh human sample{besides}."


def _lost_besides(rows: Mapping[str, Row]) -> list[str]:
    others = ("tail_recall", "tail_mass", "tail_coverage")
    below = [_quote(rows[name]) for name in others if name in rows and _below(rows[name])]
    return [f"But {', '.join(below)}: look at the tails."] if below else []


def _looks_better(rows: Mapping[str, Row]) -> list[str]:
    """Warn where the usual metrics hide the loss."""
    fine = [
        name
        for name in ("precision", "coverage")
        if name in rows and rows[name]["retention"] is not None and rows[name]["retention"] >= 1
    ]
    if not fine:
        return []
    names = " and ".join(_quote(rows[name]) for name in fine)
    verbs = ("look", "they do") if len(fine) > 1 else ("looks", "it does")
    return [
        f"{names[0].upper()}{names[1:]} {verbs[0]} no worse than the null: {verbs[1]} not see this."
    ]


def _quote(row: Row) -> str:
    noun = NOUNS[row["metric"]]
    level = "" if row["level"] is None else f" at level {100 * row['level']:g} %"
    return f"{noun}{level} {_number(row['retention'])}{_interval(row)}"


def _interval(row: Row) -> str:
    low, high = row["retention_low"], row["retention_high"]
    return "" if low is None or high is None else f" [{_number(low)}, {_number(high)}]"


def _number(value: float | None) -> str:
    if value is None:
        return "unknown"
    # Two decimals where they say something; else two significant digits.
    return f"{value:.2f}" if value == 0 or 0.095 <= value < 10 else f"{value:.2g}"


def _without_tails(rows: Mapping[str, Row]) -> str:
    if "total_variance" in rows:
        return f"No tail metric was asked for; {_quote(rows['total_variance'])} of the null."
    return "No tail metric was asked for: the frame has the values beside their nulls."

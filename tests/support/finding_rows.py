"""Rows of a comparison frame whose findings are known."""

from __future__ import annotations

from typing import Any

import polars as pl

from tailwatch.comparison.frame import SCHEMA

__all__ = ["FRESH", "frame", "odds", "retained"]


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    """Make a frame; what is not given of a row is null, the last of a metric and level counts."""
    last = {(row["metric"], row.get("level")): row for row in rows}
    filled = [dict.fromkeys(SCHEMA) | row for row in last.values()]
    return pl.DataFrame(filled, schema=SCHEMA)


def odds(
    value: float, low: float, high: float, *, level: float = 0.05, p: float = 1.0
) -> dict[str, Any]:
    """Make the row of the odds in a pooled tail, of 1,000 rows each."""
    return {
        "metric": "tail_odds_ratio",
        "level": level,
        "value_all": value,
        "low_all": low,
        "high_all": high,
        "n_reference_all": 1000,
        "n_candidate_all": 1000,
        "p_value": p,
    }


def retained(
    metric: str,
    value: float,
    low: float | None,
    high: float | None,
    *,
    level: float | None = None,
    p: float | None = 1.0,
) -> dict[str, Any]:
    """Make a row of what is retained; without an interval it has no p-value."""
    return {
        "metric": metric,
        "level": level,
        "retention": value,
        "retention_low": low,
        "retention_high": high,
        "n_candidate": 5000,
        "p_value": None if low is None else p,
    }


FRESH = (
    odds(1.0, 0.8, 1.25),
    retained("clipped_density", 1.0, 0.9, 1.1),
    retained("clipped_coverage", 1.0, 0.9, 1.1),
    retained("total_variance", 1.0, 0.9, 1.1),
)
"""Of a candidate to which nothing has happened."""

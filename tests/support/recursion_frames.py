"""Frames of runs made by hand, for what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.recursion.frame import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["frame", "levels", "risks"]


def frame(*groups: list[dict[str, Any]], run: str = "replace") -> pl.DataFrame:
    """Put rows together; columns that are not there are null."""
    rows = [
        [row.get(column, run if column == "run" else None) for column in SCHEMA]
        for group in groups
        for row in group
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def levels(
    metric: str,
    values: Sequence[float],
    *,
    null: float | None = 1.0,
    reach: float = 0.05,
    level: float | None = None,
    rows: int = 1000,
    **columns: object,
) -> list[dict[str, Any]]:
    """A metric of the panel through the generations; intervals reach so far, as a share."""
    return [
        {
            "generation": generation,
            "group": "panel",
            "metric": metric,
            "level": level,
            "value": value,
            "low": value * (1 - reach),
            "high": value * (1 + reach),
            "null": null,
            "null_low": None if null is None else null * (1 - reach),
            "null_high": None if null is None else null * (1 + reach),
            "retention": None if null is None else value / null,
            "direction": "match",
            "n_reference": rows,
            "n_candidate": rows,
            "method": "half-sampling",
        }
        | columns
        for generation, value in enumerate(values, start=1)
    ]


def risks(
    values: Sequence[float], *, reach: float | None = 0.02, metric: str = "risk", rows: int = 100
) -> list[dict[str, Any]]:
    """A risk through the generations, and the rows that were learnt from."""
    found: list[dict[str, Any]] = []
    for generation, value in enumerate(values, start=1):
        found.append(
            {
                "generation": generation,
                "group": "risk",
                "metric": metric,
                "value": value,
                "low": None if reach is None else value - reach,
                "high": None if reach is None else value + reach,
                "direction": "lower",
                "method": "mean of rows",
            }
        )
        if metric == "risk":
            found.append(
                {
                    "generation": generation,
                    "group": "loop",
                    "metric": "training_rows",
                    "value": float(rows),
                    "direction": "none",
                    "reason": "counted",
                }
            )
    return found

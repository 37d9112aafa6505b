"""From the comparison frame to readings: one object per row of the table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tailwatch.report.numbers import Number, Written, percent, write
from tailwatch.report.words import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from tailwatch.report.words import Label

__all__ = ["Reading", "Status", "read"]

#: Where the interval of the retention lies: short of what a fresh sample scores, around it, on the
#: far side of it, or there is no interval to tell.
Status = Literal["worse", "same", "beyond", "unknown"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric at one level, and what it is called."""

    metric: str
    label: Label
    level: float | None
    direction: str
    value: Number
    null: Number
    standard_error: float | None
    retention: Number
    value_all: float | None
    n_reference: int | None
    n_candidate: int | None
    method: str | None
    reason: str | None

    @property
    def name(self) -> str:
        """The metric and its level, in words."""
        return self.label.name + (f", {percent(self.level)}" if self.level is not None else "")

    @property
    def is_divergence(self) -> bool:
        """Whether lower is better, so that retention counts standard errors of the null."""
        return self.direction == "lower"

    @property
    def neutral(self) -> float:
        """The retention of a fresh sample of the reference."""
        return 0.0 if self.is_divergence else 1.0

    @property
    def written_retention(self) -> Written:
        """The retention as text: a ratio, or a signed number of standard errors."""
        if self.is_divergence:
            return write(self.retention, places=1, signed=True)
        return write(self.retention, places=2)

    @property
    def status(self) -> Status:
        """Where the interval of the retention lies."""
        low, high = self.retention.low, self.retention.high
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return "unknown"
        if low <= self.neutral <= high:
            return "same"
        return "worse" if (low > self.neutral) == self.is_divergence else "beyond"

    @property
    def how(self) -> str:
        """How the interval was made, or why there is none."""
        if self.method is not None:
            return self.method
        missing = "value" if self.value.value is None else "interval"
        return f"no {missing}: {self.reason}"

    @property
    def null_band(self) -> tuple[float, float] | None:
        """The interval of the null on the scale of the retention; None if it cannot be placed."""
        null, low, high = self.null.value, self.null.low, self.null.high
        if null is None or low is None or high is None:
            return None
        if not self.is_divergence:
            band = (low / null, high / null) if null else (math.nan, math.nan)
        elif self.standard_error:
            band = ((low - null) / self.standard_error, (high - null) / self.standard_error)
        else:
            return None
        return band if all(math.isfinite(end) for end in band) else None


def read(frame: pl.DataFrame, labels: Mapping[str, Label]) -> list[Reading]:
    """Return the readings of a comparison frame, in its order."""
    return [_reading(row, labels) for row in frame.to_dicts()]


def _reading(row: dict[str, Any], labels: Mapping[str, Label]) -> Reading:
    return Reading(
        metric=row["metric"],
        label=describe(row["metric"], labels),
        level=row["level"],
        direction=row["direction"],
        value=Number(row["value"], row["low"], row["high"]),
        null=Number(row["null"], row["null_low"], row["null_high"]),
        standard_error=row["standard_error"],
        retention=Number(row["retention"], row["retention_low"], row["retention_high"]),
        # A generation of a loop is measured on halves alone.
        value_all=row.get("value_all"),
        n_reference=row["n_reference"],
        n_candidate=row["n_candidate"],
        method=row["method"],
        reason=row["reason"],
    )

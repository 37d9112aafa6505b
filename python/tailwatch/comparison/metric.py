"""What has to be known of a metric before it may stand in a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailwatch.comparison.metrics.family import Summary

if TYPE_CHECKING:
    from tailwatch.comparison.estimates import Scale
    from tailwatch.comparison.metrics.family import Family
    from tailwatch.report.words import Label

__all__ = ["Cost", "Direction", "Interval", "Method", "Metric"]

Direction = Literal["higher", "lower", "match"]
"""Which way is better: up, down, or equal to the null (below it is loss, above it widening)."""

Cost = Literal["linear in rows", "rows × log rows", "rows × √rows", "quadratic in rows"]
"""How the time grows with the rows of the samples, for a given number of columns."""

Method = Literal[
    "half-sampling", "three-quarter sampling", "closed variance", "binomial", "no interval"
]
"""How errors are known; what the ``method`` column of the frame begins with."""


@dataclass(frozen=True, slots=True)
class Interval:
    """How the interval of a metric is made.

    Attributes
    ----------
    method
        What its error is known from.
    words
        The rest, in words; after "no interval", why there is none.
    scale
        On which the errors of half-samples are symmetric; ``None`` for other methods.
    """

    method: Method
    words: str
    scale: Scale | None = None

    def __str__(self) -> str:
        """Say method and words."""
        return f"{self.method}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric of a comparison.

    Attributes
    ----------
    name
        In the ``metric`` column of the frame.
    label
        What pages and charts call it, and say of it.
    direction
        Which way is better.
    family
        What computes it, with the other metrics of its family.
    definition
        What is measured, in a line, for reference X (n rows) and candidate Y (m rows).
    source
        Where the definition comes from.
    null
        What the metric is of two samples of one distribution.
    interval
        How its interval is made.
    cost
        How its time grows with the rows.
    work
        What the time is made of: h rows in each half, d columns, 31 subsets for half-samples.
    memory
        What it holds besides the embeddings.
    by_level
        Whether there is a row per tail level.
    """

    name: str
    label: Label
    direction: Direction
    family: type[Family]
    definition: str
    source: str
    null: str
    interval: Interval
    cost: Cost
    work: str
    memory: str
    by_level: bool = False

    @property
    def needs_rows(self) -> bool:
        """Whether a file of a reference has to hold the rows for it."""
        return not issubclass(self.family, Summary)

    @property
    def quadratic(self) -> bool:
        """Whether the cost outgrows a sort of the rows, so that ``max_rows`` bounds it."""
        return self.cost in {"rows × √rows", "quadratic in rows"}

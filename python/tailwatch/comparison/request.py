"""What was asked of a comparison, checked before any data are read; and what was run."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share, shares
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.selection import select
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.embeddings import Embeddings

__all__ = ["Clock", "Request", "describe"]

LARGEST_LEVEL = 0.5
"""A tail of more than half of the rows is none."""

MOST_LEVELS = 1000
"""Each level has four rows of the frame, and numbers of 31 subsets of two samples behind each."""


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of a comparison.

    Attributes
    ----------
    names
        Metrics, in the order of the frame.
    panel
        What families of metrics have to know.
    confidence
        Of each interval.
    max_rows
        Bound of the rows that enter what is quadratic.
    """

    names: tuple[str, ...]
    panel: Panel
    confidence: float
    max_rows: int | None

    @classmethod
    def of(
        cls,
        *,
        metrics: str | Sequence[str],
        k: int,
        tail_levels: Sequence[float],
        max_rows: int | None,
        seed: int,
        confidence: float = 0.95,
    ) -> Request:
        """Check the arguments."""
        names = tuple(metric.name for metric in select(metrics))
        levels = shares(tail_levels, "tail_levels")
        if max(levels) > LARGEST_LEVEL:
            raise InputError(
                argument="tail_levels",
                expected=f"levels up to {LARGEST_LEVEL}",
                got=f"{max(levels)}",
            )
        if len(levels) > MOST_LEVELS:
            raise InputError(
                argument="tail_levels", expected=f"at most {MOST_LEVELS}", got=f"{len(levels)}"
            )
        confidence = share(confidence, "confidence")
        seed = integer(seed, "seed", least=0)
        if max_rows is not None:
            max_rows = integer(max_rows, "max_rows", least=128)
        panel = Panel(frozenset(names), integer(k, "k"), levels, seed)
        return cls(names, panel, confidence, max_rows)

    def with_seed(self, seed: int) -> Request:
        """Ask the same under another seed."""
        return replace(self, panel=replace(self.panel, seed=seed))

    def with_confidence(self, confidence: float) -> Request:
        """Ask the same for intervals of another confidence."""
        return replace(self, confidence=share(confidence, "confidence"))

    def without(self, *names: str) -> Request:
        """Ask for all but some metrics."""
        kept = tuple(name for name in self.names if name not in names)
        return replace(self, names=kept, panel=replace(self.panel, names=frozenset(kept)))

    def arguments(self) -> dict[str, Any]:
        """Return the arguments as JSON takes them."""
        return {
            "metrics": list(self.names),
            "k": self.panel.k,
            "tail_levels": list(self.panel.levels),
            "confidence": self.confidence,
            "max_rows": self.max_rows,
            "seed": self.panel.seed,
        }


class Clock:
    """When the work began, and how long it has taken."""

    def __init__(self) -> None:
        self._started, self._ticks = datetime.now(UTC), time.perf_counter()

    def ran_with(self, threads: int) -> dict[str, Any]:
        """Say versions, time and threads."""
        return {
            "versions": {
                "tailwatch": version("tailwatch"),
                "python": platform.python_version(),
                "numpy": np.__version__,
                "polars": pl.__version__,
            },
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - self._ticks, 3),
            "threads": threads,
        }


def describe(embeddings: Embeddings) -> dict[str, Any]:
    """Say what a set of embeddings is."""
    return {
        "name": embeddings.name,
        "rows": len(embeddings),
        "columns": embeddings.columns,
        "dtype": str(embeddings.dtype),
    }

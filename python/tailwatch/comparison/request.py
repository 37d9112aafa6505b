"""What was asked of a comparison, checked before any data are read: panels, metrics, arguments."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share, shares
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.registry import METRICS
from tailwatch.exceptions import InputError, meant
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.metrics.family import Metric

__all__ = ["PANELS", "Request", "Stamp", "select"]

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


class Stamp:
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


STANDARD = (
    "precision",
    "recall",
    "density",
    "coverage",
    "clipped_density",
    "clipped_coverage",
    "copies",
    "normalised_copies",
    "duplicates",
    "tail_coverage",
    "tail_recall",
    "tail_mass",
    "tail_supported_mass",
    "tail_odds_ratio",
    "mode_coverage",
    "directional_tails",
    "frechet_distance",
    "mmd_polynomial",
    "mmd_gaussian",
    "energy_distance",
    "energy_coefficient",
    "total_variance",
    "effective_rank",
    "participation_ratio",
)
"""A promise: scripts rely on the rows of this panel, and results years apart on the same ones. No
metric leaves it, and none joins it for being cheap, but because a finding is made of it; what is
new is in ``"all"``."""

PANELS: dict[str, tuple[str, ...]] = {
    "standard": STANDARD,
    "fast": tuple(name for name in STANDARD if METRICS[name].cost == "linear in rows"),
    "all": tuple(METRICS),
}
"""Named selections; ``"fast"`` is what of the standard panel is linear in the rows."""


def select(metrics: str | Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics that a panel's name or a list of names asks for, in the frame's order."""
    given: object = metrics
    if not isinstance(given, Iterable) or not all(isinstance(name, str) for name in given):
        raise InputError(
            argument="metrics",
            expected="a panel's name or names of metrics",
            got=shown(metrics),
        )
    names = PANELS.get(metrics, (metrics,)) if isinstance(metrics, str) else tuple(metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown or not names:
        known = ", ".join([*(repr(panel) for panel in PANELS), *METRICS])
        expected = f"a panel or metrics out of {known}"
        hint = meant(unknown[0], [*PANELS, *METRICS]) if unknown else "name at least one"
        raise InputError(
            f"unknown {shown(unknown[0])}; expected {expected}" if unknown else None,
            argument="metrics",
            expected=expected,
            got=shown(unknown[0]) if unknown else "none",
            hint="a panel stands alone" if unknown and unknown[0] in PANELS else hint,
        )
    return tuple(metric for name, metric in METRICS.items() if name in names)

"""Which metrics a comparison is asked for: a panel by its name, or metrics by theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tailwatch.comparison.registry import METRICS
from tailwatch.exceptions import InputError, meant
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.metric import Metric

__all__ = ["PANELS", "select"]

STANDARD = (
    "precision",
    "recall",
    "density",
    "coverage",
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
    "total_variance",
    "effective_rank",
    "participation_ratio",
)
"""A promise: scripts rely on the rows of this panel, and results years apart on the same ones. So
no metric joins it for being cheap; what is new is in ``"all"``."""

PANELS: dict[str, tuple[str, ...]] = {
    "standard": STANDARD,
    "fast": tuple(name for name in STANDARD if not METRICS[name].quadratic),
    "all": tuple(METRICS),
}
"""Named selections; ``"fast"`` is what of the standard panel is not quadratic in the rows."""


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
        alone = " (a panel stands alone)" if unknown and unknown[0] in PANELS else ""
        near = meant(unknown[0], [*PANELS, *METRICS]) if unknown and not alone else None
        raise InputError(
            f"unknown {shown(unknown[0])}" if unknown else "none",
            argument="metrics",
            expected=f"a panel or metrics out of {known}",
            got=shown(unknown[0]) if unknown else "none",
            hint=f"expected a panel or metrics out of {known}{alone}{f'; {near}' if near else ''}",
        )
    return tuple(metric for name, metric in METRICS.items() if name in names)

"""The share of synthetic rows, with all that qualifies it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from tailwatch.contamination.audit import Audit
from tailwatch.contamination.cross_checks import CrossChecks
from tailwatch.contamination.drift import Drift
from tailwatch.contamination.likelihood import Interval
from tailwatch.results import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailwatch.contamination.histogram import Histogram

__all__ = ["NullFloor", "Prevalence"]


@dataclass(frozen=True, slots=True)
class NullFloor:
    """What the estimator says of human rows that it was not given.

    Attributes
    ----------
    value
        Mean of the estimates, one for each part of the human reference held out; the truth is 0.
    low, high
        The least and the greatest bound of their intervals, drift included. An estimate below
        ``high`` is no larger than what human data alone can give.
    source
        ``"strata"``: each held-out part is a stratum, or some, and drift between them shows.
        ``"rows"``: there are no strata, parts are random, and drift does not show.
    parts
        Parts held out, one at a time.
    """

    value: float
    low: float
    high: float
    source: str
    parts: int


@dataclass(frozen=True, slots=True)
class Prevalence:
    """The share of synthetic rows in a target.

    Attributes
    ----------
    value
        The estimate. With ``method = "lower bound"`` a best-bin estimate, for which nothing is
        promised.
    low, high
        Its interval. With ``method = "lower bound"`` the share is at least ``low``, and ``high`` is
        1, since a human reference alone cannot tell more.
    confidence
        Of the interval.
    method
        ``"audit"``: verified labels, valid under any drift. ``"template fit"``: profile likelihood,
        valid if target and references differ in the share alone. ``"template fit, drift"``: widened
        by the drift between human strata. ``"lower bound"``: human reference only.
    n
        Rows of the target.
    n_human, n_synthetic
        Rows of the references; 0 synthetic ones with ``method = "lower bound"``.
    n_calibration
        Human scores behind the p-values.
    null_floor
        The same estimator on held-out human rows.
    profile
        The profile interval before it was widened by drift or replaced by labels; None with
        ``method = "lower bound"``.
    drift
        What the human strata tell; None without strata.
    checks
        Other estimates from the same counts; None with ``method = "lower bound"``.
    agreement
        Whether the other estimates agree with the template fit; None where there are none. If not,
        the references do not explain the target.
    audit
        The estimate from labels, where there are some.
    histogram
        The counts of the target that all this was computed from.
    """

    value: float
    low: float
    high: float
    confidence: float
    method: str
    n: int
    n_human: int
    n_synthetic: int
    n_calibration: int
    null_floor: NullFloor
    profile: Interval | None
    drift: Drift | None
    checks: CrossChecks | None
    agreement: bool | None
    audit: Audit | None
    histogram: Histogram = field(repr=False, compare=False)

    def to_plain(self) -> dict[str, Any]:
        """Return all but the histogram as JSON holds it: a number that is not known is null."""
        names = [each.name for each in fields(self) if each.name != "histogram"]
        return {name: plain(getattr(self, name)) for name in names}

    @classmethod
    def of_plain(cls, kept: Mapping[str, Any], histogram: Histogram) -> Prevalence:
        """Make one of what :meth:`to_plain` gave, and of the histogram.

        Raises
        ------
        TypeError, KeyError
            It gave something else.
        """
        parts = {name: _part(kind, kept[name]) for name, kind in _PARTS.items()}
        bounds = {name: _number(kept[name]) for name in ("value", "low", "high")}
        return cls(**{**kept, **bounds, **parts, "histogram": histogram})


_PARTS: dict[str, type[Any]] = {
    "null_floor": NullFloor,
    "profile": Interval,
    "drift": Drift,
    "checks": CrossChecks,
    "audit": Audit,
}
"""Fields that have fields of their own."""


def _part(kind: type[Any], kept: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    if kept is None:
        return None
    return kind(**{name: _number(value) for name, value in kept.items()})


def _number(value: Any) -> Any:  # noqa: ANN401  (numbers, or lists of them)
    """Return what JSON holds as null or a list."""
    if isinstance(value, list):
        return tuple(map(_number, value))
    return math.nan if value is None else value

"""The share of synthetic rows with all that qualifies it, estimated from the counts of a target.

The share is that of the template fit, or of the lower bound where there is no synthetic reference.
The null floor holds out one part of the human reference at a time and takes it for a target: its
share of synthetic rows is 0. Strata beyond `LARGEST_PARTS` are held out together.

Whatever is said of the share, in words, by a gate or as JSON, rests on one decision about a limit,
:meth:`Prevalence.against`. A share is *above* a limit if its whole interval is, and if it is more
than human rows alone give; the limit 0 asks whether it can be told from none. What is above a limit
is above every lower one, so that a gate fails on nothing that the words call none. The floor is
asked beside the interval since this allows for drift as normal strata vary: one stratum far from
the others is seen by the floor alone.

Cost O(B) for B bins, whatever the number of rows, but for audit labels, whose rows are scored.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from tailwatch.arguments import share as checked_share
from tailwatch.contamination.audit import Audit, audit_share
from tailwatch.contamination.estimators import CrossChecks, cross_checks
from tailwatch.contamination.likelihood import BinCounts, Interval, fit_templates
from tailwatch.contamination.rows import (
    least_calibration,
    mixture_probabilities,
    tail_probabilities,
)
from tailwatch.contamination.templates import Drift, Templates, fit_share
from tailwatch.exceptions import TailwatchWarning
from tailwatch.results import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tailwatch.contamination.audit import LabelledScores
    from tailwatch.contamination.groups import GroupShares
    from tailwatch.contamination.histogram import Histogram

__all__ = [
    "Finding",
    "Gate",
    "NullFloor",
    "Prevalence",
    "Standing",
    "bin_probabilities",
    "calibration_note",
    "estimate_share",
    "null_floor",
]

LARGEST_PARTS = 32
"""Parts that are held out one at a time."""

Finding = Literal["found", "not found", "cannot tell"]
Gate = Literal["kept", "exceeded", "open"]
Place = Literal["above", "held by floor", "around", "within"]


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
    limit
        The share up to which human rows alone may come to lie, by which shares are judged: `high`,
        or without a synthetic reference, where `high` is 1, the greatest of the lower bounds.
    """

    value: float
    low: float
    high: float
    source: str
    parts: int
    limit: float


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where a share, and that of each group, stands to a limit.

    Attributes
    ----------
    limit
        The largest share that is allowed.
    state
        ``"exceeded"`` if the share or that of a group is above the limit; else ``"kept"`` if none
        of the interval lies above it and no group is held by the floor; else ``"open"``.
    whole
        Where the share of all rows is: its whole interval ``"above"`` the limit, or above it but no
        more than human rows alone give (``"held by floor"``), or ``"within"`` it, or ``"around"``.
    groups
        The groups above, with p- and q-values of this limit.
    groups_held
        Groups that would be, were it not that human rows alone may give as much.
    """

    limit: float
    state: Gate
    whole: Place
    groups: pl.DataFrame
    groups_held: pl.DataFrame


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
    groups
        The share of each group of the target, where that was asked for; labels of an audit are of
        the whole, and do not enter.
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
    groups: GroupShares | None = field(default=None, repr=False, compare=False)

    @property
    def finding(self) -> Finding:
        """Whether there are synthetic rows: it is found, not found, or the share is not known."""
        if self.audit is not None:
            # A verified synthetic row is one, whatever the interval of their share.
            told = self.low > 0 or self.audit.positive > 0
        elif self.method == "lower bound":
            # Nothing is promised of the value.
            told = self.low > self.null_floor.limit
        elif math.isnan(self.value):
            return "cannot tell"
        else:
            told = self.low > 0 and self.value > self.null_floor.limit
        return "found" if told else "not found"

    def against(self, limit: float) -> Standing:
        """Return where the share stands to a limit, and those of its groups.

        Parameters
        ----------
        limit
            The largest share that is allowed, from 0 to below 1.

        Raises
        ------
        InputError
            The limit is not within this range.
        """
        limit = 0.0 if limit == 0 else checked_share(limit, "limit")
        above = held = pl.DataFrame()
        if self.groups is not None:
            judged, told = self.groups.above(limit), self.groups.frame["above"]
            above, held = (judged.filter(judged["above"] & each) for each in (told, ~told))
        whole: Place = "within" if self.high <= limit else "around"
        if self.low > limit:
            whole = "above" if self.finding == "found" else "held by floor"
        state: Gate = "kept" if whole == "within" and not len(held) else "open"
        if whole == "above" or len(above):
            state = "exceeded"
        return Standing(limit, state, whole, above, held)

    def to_plain(self) -> dict[str, Any]:
        """Return all but histogram and groups as JSON holds it: what is not known is null."""
        left_out = {"histogram", "groups"}
        names = [each.name for each in fields(self) if each.name not in left_out]
        return {name: plain(getattr(self, name)) for name in names}

    @classmethod
    def of_plain(
        cls, kept: Mapping[str, Any], histogram: Histogram, groups: GroupShares | None = None
    ) -> Prevalence:
        """Make one of what :meth:`to_plain` gave, of the histogram and of the groups.

        Raises
        ------
        TypeError, KeyError
            It gave something else.
        """
        parts = {name: _part(kind, kept[name]) for name, kind in _PARTS.items()}
        bounds = {name: _number(kept[name]) for name in ("value", "low", "high")}
        return cls(**{**kept, **bounds, **parts, "histogram": histogram, "groups": groups})


_PARTS: dict[str, type[Any]] = {
    "null_floor": NullFloor,
    "profile": Interval,
    "drift": Drift,
    "checks": CrossChecks,
    "audit": Audit,
}
"""Fields that have fields of their own."""


def estimate_share(
    templates: Templates,
    counted: Histogram,
    floor: NullFloor,
    confidence: float,
    labelled: LabelledScores | None,
) -> Prevalence:
    """Estimate the share of synthetic rows.

    Parameters
    ----------
    templates
        Of the model.
    counted
        The scores of the target, of at least one row.
    floor
        The same estimator on held-out human rows.
    confidence
        Of all intervals.
    labelled
        Labels of some rows, which decide where they are given.

    Warns
    -----
    TailwatchWarning
        Other estimators disagree; it points at the caller of the caller.
    """
    bins = counted.bins
    human = templates.human.sum(axis=0)
    profile = drift = checks = agreement = audit = None
    if templates.human_only:
        found, method = templates.bound(bins, confidence), "lower bound"
    else:
        found, profile, drift = fit_share(
            templates.human,
            templates.synthetic,
            bins,
            stratified=templates.stratified,
            confidence=confidence,
        )
        method = "template fit" if drift is None else "template fit, drift"
        checks = cross_checks(BinCounts.of(human, templates.synthetic, bins), confidence)
        agreement = checks.agree_with(found)
        if not agreement:
            warnings.warn(_disagreement(found, checks), TailwatchWarning, stacklevel=3)
    if labelled is not None:
        by_bin = bin_probabilities(templates, bins, found.value)
        predicted = by_bin[np.searchsorted(templates.edges, labelled.scores, side="right")]
        audit = audit_share(labelled.labels, predicted, bins, by_bin, confidence)
        found, method = audit.interval, "audit"
    return Prevalence(
        value=found.value,
        low=found.low,
        high=found.high,
        confidence=confidence,
        method=method,
        n=counted.rows,
        n_human=int(human.sum()),
        n_synthetic=int(templates.synthetic.sum()),
        n_calibration=len(counted.ranks) - 1,
        null_floor=floor,
        profile=profile,
        drift=drift,
        checks=checks,
        agreement=agreement,
        audit=audit,
        histogram=counted,
    )


def bin_probabilities(
    templates: Templates, bins: NDArray[np.int64], value: float
) -> NDArray[np.float64]:
    """Return the probability of each bin, whose mean over the target is the share `value`."""
    human, synthetic = templates.human.sum(axis=0), templates.synthetic
    if templates.human_only:
        return tail_probabilities(human, bins, value)
    fitted = fit_templates(BinCounts.of(human, synthetic, bins), np.array([value]))
    return mixture_probabilities(
        fitted.human[0] / human.sum(), fitted.synthetic[0] / synthetic.sum(), bins, value
    )


def null_floor(templates: Templates, confidence: float) -> NullFloor:
    """Estimate the share in parts of the human reference that are held out."""
    parts = templates.human
    dealt = np.arange(len(parts)) % LARGEST_PARTS
    found = [
        replace(templates, human=parts[dealt != held]).share(
            parts[dealt == held].sum(axis=0), confidence
        )
        for held in range(int(dealt.max()) + 1)
    ]
    return NullFloor(
        value=float(np.mean([each.value for each in found])),
        low=min(each.low for each in found),
        high=max(each.high for each in found),
        source="strata" if templates.stratified else "rows",
        parts=len(found),
        limit=max(each.low if templates.human_only else each.high for each in found),
    )


def calibration_note(prevalence: Prevalence, q: float = 0.05) -> str | None:
    """Return a note where the human rows are too few for a q-value of `q`, else None.

    The least p-value is 1/(n + 1). A share of the target that scores above all n human rows has the
    q-value 1/((n + 1)·share), so n must reach 1/(q·share) even if all synthetic rows do.
    """
    needed = least_calibration(q, prevalence.value)
    have = prevalence.n_calibration
    if needed is None or have >= needed:
        return None
    return (
        f"q_value: no row can reach {q:g}: with a share of {prevalence.value:.4g} that needs "
        f"{needed:,} human rows, and there are {have:,}"
    )


def _part(kind: type[Any], kept: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    if kept is None:
        return None
    return kind(**{name: _number(value) for name, value in kept.items()})


def _number(value: Any) -> Any:  # noqa: ANN401  (numbers, or lists of them)
    """Return what JSON holds as null or a list."""
    if isinstance(value, list):
        return tuple(map(_number, value))
    return math.nan if value is None else value


def _disagreement(found: Interval, checks: CrossChecks) -> str:
    return (
        f"target: the references do not explain it: template fit {found.value:.4f} "
        f"[{found.low:.4f}, {found.high:.4f}], ACC {checks.acc:.4f}, DyS {checks.dys:.4f}, median "
        f"sweep {checks.median_sweep:.4f}"
    )

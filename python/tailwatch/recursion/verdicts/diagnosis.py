"""Which failure a run looks like: four that are often taken for each other.

=====================  =============================================================================
failure                holds if
=====================  =============================================================================
catastrophic           the risk of an earlier task has risen by a quarter from the first generation
forgetting             to the last third of them, and more than that of the present task
overfitting            less than half as many samples as of fresh human data are authentic, that is
                       no copies of what their own generation learnt from
mode collapse          at the first generation already, less than 0.6 of the human rows (or types)
                       that a fresh sample reaches are reached
model collapse         tails, variance or its directions are lost by the last third of the
                       generations, and gradually: they fell by a tenth since the first third
=====================  =============================================================================

Each needs an interval that clears its bound; the error 1 − confidence is shared by the failures and
by the numbers that decide about one. Several may hold. What came first names the run: a model that
copies, or leaves modes out at once, will lose tails too when it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import share
from tailwatch.recursion.verdicts.evidence import between, retained
from tailwatch.recursion.verdicts.levels import TAILS, VARIANCE, measured
from tailwatch.recursion.verdicts.series import change, check_frame, series_of, window_length
from tailwatch.report.words import percent, with_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.recursion.verdicts.evidence import Span
    from tailwatch.recursion.verdicts.levels import Status
    from tailwatch.recursion.verdicts.series import Series

    Array = NDArray[np.float64]

__all__ = ["FAILURES", "SCHEMA", "Diagnosis", "Failure", "diagnose"]

Failure: TypeAlias = Literal[
    "catastrophic forgetting", "overfitting", "mode collapse", "model collapse"
]
FAILURES: tuple[Failure, ...] = (
    "catastrophic forgetting",
    "overfitting",
    "mode collapse",
    "model collapse",
)
"""In the order in which they name a run."""

SCHEMA: dict[str, type[pl.DataType]] = {
    "mode": pl.String,
    "status": pl.String,
    "evidence": pl.String,
}
"""Columns of a diagnosis."""

FORGOTTEN = 1.25
COPIED = 0.5
REACHED = 0.6
GRADUAL = 0.9
EARLIER = "earlier_risk:"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Diagnosis:
    """What a run looks like.

    Attributes
    ----------
    mode
        The failure, or ``"none"`` if none was seen.
    frame
        One row per failure: ``mode``, ``status`` as in the verdicts, ``evidence``.
    """

    mode: Failure | Literal["none"]
    frame: pl.DataFrame

    @property
    def sentence(self) -> str:
        """The finding in words."""
        if self.mode == "none":
            open_ones = self.frame.filter(pl.col("status") != "does not hold")["mode"].to_list()
            rest = f"; not ruled out: {', '.join(open_ones)}" if open_ones else ""
            return f"None of the four failures is seen{rest}."
        evidence = self.frame.filter(mode=self.mode)["evidence"][0]
        return f"This looks like {self.mode}: {evidence}."

    def __repr__(self) -> str:
        """Say the finding and show the evidence."""
        return f"{self.sentence}\n{self.frame}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether one failure is seen."""

    status: Status
    evidence: str


def diagnose(frame: pl.DataFrame, *, confidence: float = 0.95) -> Diagnosis:
    """Tell model collapse, mode collapse, overfitting and catastrophic forgetting apart.

    Parameters
    ----------
    frame
        Of one run: :mod:`tailwatch.recursion.frame`. Overfitting needs the metric ``authenticity``,
        forgetting the risk of earlier tasks.
    confidence
        Of the intervals of the frame, and of the diagnosis: a run of fresh human data in every
        generation is given any failure with probability 1 − `confidence` at most.

    Returns
    -------
    Diagnosis
        ``.mode``, ``.frame`` with the evidence for and against each failure, ``.sentence``.

    Raises
    ------
    InputError
        Not the frame of one run, a confidence out of range.
    """
    confidence = share(confidence, "confidence")
    checked = check_frame(frame)
    error = (1 - confidence) / len(FAILURES)
    found = {
        "catastrophic forgetting": _forgetting(checked, confidence, error),
        "overfitting": _overfitting(checked, confidence, error),
        "mode collapse": _mode_collapse(checked, confidence, error),
        "model collapse": _model_collapse(checked, confidence, error),
    }
    mode: Any = next((name for name in FAILURES if found[name].status == "holds"), "none")
    rows = [(name, found[name].status, found[name].evidence) for name in FAILURES]
    return Diagnosis(mode, pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def _forgetting(frame: pl.DataFrame, confidence: float, error: float) -> Finding:
    names = frame.filter(pl.col("metric").str.starts_with(EARLIER))["metric"]
    tasks = names.unique(maintain_order=True).to_list()
    present = series_of(frame, "risk", "risk")
    if not tasks or present is None:
        return Finding("not measured", "no risk of earlier tasks beside that of the present one")
    findings = [
        _forgotten(series_of(frame, task, "risk"), present, confidence, error / len(tasks))
        for task in tasks
    ]
    for status in ("holds", "undetermined"):
        for finding in findings:
            if finding.status == status:
                return finding
    return findings[0]


def _forgotten(earlier: Series | None, present: Series, confidence: float, error: float) -> Finding:
    """See whether the risk of an earlier task rises, and more than that of the present one."""
    if earlier is None or not np.array_equal(earlier.generations, present.generations):
        return Finding("undetermined", "risks of both tasks are not known in all generations")
    name = earlier.metric.removeprefix(EARLIER)
    of_task, of_present = _logarithms(earlier), _logarithms(present)
    if of_task is None or of_present is None:
        return Finding("undetermined", f"a risk of {name} or of the present task has no logarithm")
    task, down, up = of_task
    now, now_down, now_up = of_present
    rise = change(task, down, up, confidence=confidence, error=error)
    more = change(
        task - now,
        np.hypot(down, now_up),
        np.hypot(up, now_down),
        confidence=confidence,
        error=error,
    )
    if rise is None or more is None:
        return Finding("undetermined", "too few generations to see a risk change")
    value, low, high = np.exp([rise.value, rise.low, rise.high])
    beside = np.exp([more.value, more.low, more.high])
    status: Status = "undetermined"
    if low > FORGOTTEN and more.low > 0:
        status = "holds"
    elif high < FORGOTTEN:
        status = "does not hold"
    return Finding(
        status,
        f"the risk of {name} became {with_interval(value, low, high)} times what it was at first "
        f"(threshold {FORGOTTEN:g}), and {with_interval(*beside)} times so over that of the "
        "present task",
    )


def _logarithms(risk: Series) -> tuple[Array, Array, Array] | None:
    """Return the logarithm of a risk, and how far its interval reaches; None if it has none."""
    if not (np.isfinite(risk["value"]) & (risk["value"] > 0)).all():
        return None
    value = np.log(risk["value"])
    low = np.log(np.maximum(np.nan_to_num(risk["low"], nan=np.inf), 1e-300))
    high = np.log(np.nan_to_num(risk["high"], nan=0.0).clip(1e-300))
    # Without an interval there is nothing to add to the noise between generations.
    return value, np.maximum(value - low, 0.0), np.maximum(high - value, 0.0)


def _overfitting(frame: pl.DataFrame, confidence: float, error: float) -> Finding:
    series = series_of(frame, "authenticity", "panel")
    if series is None:
        return Finding("not measured", "authenticity is not in the frame")
    span = retained(_last_third(series), confidence=confidence, error=error)
    finding = _against(span, COPIED, "of the authentic share of fresh human rows")
    gap = _gap(frame, confidence)
    return Finding(finding.status, finding.evidence + gap)


def _gap(frame: pl.DataFrame, confidence: float) -> str:
    """Return by how much held-out risk exceeds that of the training set, where both are known."""
    risk, training = (series_of(frame, name, "risk") for name in ("risk", "training_risk"))
    if risk is None or training is None:
        return ""
    held_out, learnt = risk.rows[-1], training.rows[-1]
    if None in (held_out["low"], held_out["high"], learnt["low"], learnt["high"]):
        return ""
    gap = held_out["value"] - learnt["value"]
    low = gap - np.hypot(held_out["value"] - held_out["low"], learnt["high"] - learnt["value"])
    high = gap + np.hypot(held_out["high"] - held_out["value"], learnt["value"] - learnt["low"])
    return (
        "; held-out risk less training risk in the last generation: "
        f"{with_interval(gap, low, high)} at {percent(confidence)}"
    )


def _mode_collapse(frame: pl.DataFrame, confidence: float, error: float) -> Finding:
    known = [series_of(frame, name) for name in ("coverage", "type_coverage")]
    series = next((one for one in known if one is not None), None)
    if series is None:
        return Finding("not measured", "neither coverage nor type_coverage is in the frame")
    span = retained(series.part(slice(0, 1)), confidence=confidence, error=error)
    return _against(span, REACHED, "of what a fresh human sample reaches")


def _model_collapse(frame: pl.DataFrame, confidence: float, error: float) -> Finding:
    series = [*measured(frame, TAILS), *measured(frame, VARIANCE)]
    if not series:
        return Finding("not measured", "neither tails nor variance are in the frame")
    # Two questions of each: is it lost, and was it there before.
    each = error / len(series) / 2
    bounds = {name: level.threshold for level in (TAILS, VARIANCE) for name in level.metrics}
    kept = True
    closest = None
    for one in series:
        span = retained(_last_third(one), confidence=confidence, error=each)
        if span is None:
            continue
        bound = bounds[one.metric]
        kept &= span.low > bound
        if closest is None or span.high / bound < closest[0].high / closest[1]:
            closest = (span, bound)
        if span.high >= bound:
            continue
        length = window_length(len(one))
        fall = between(
            one.part(slice(0, length)), _last_third(one), confidence=confidence, error=each
        )
        if len(one) > 1 and fall is not None and fall.high < GRADUAL:
            return Finding(
                "holds",
                f"{_words(span)} of what a fresh human sample has, which is "
                f"{with_interval(fall.value, fall.low, fall.high)} times what the first third of "
                f"the generations had; thresholds {bound:g} and {GRADUAL:g}",
            )
    if closest is None:
        return Finding("undetermined", "no interval is claimed for tails or variance")
    span, bound = closest
    words = f"{_words(span)} of what a fresh human sample has; threshold {bound:g}"
    if span.high < bound:
        words += ", but no gradual loss is seen"
    return Finding("does not hold" if kept else "undetermined", words)


def _last_third(series: Series) -> Series:
    return series.part(slice(-window_length(len(series)), None))


def _against(span: Span | None, bound: float, unit: str) -> Finding:
    if span is None:
        return Finding("undetermined", "no interval is claimed")
    status: Status = (
        "holds" if span.high < bound else "does not hold" if span.low > bound else "undetermined"
    )
    return Finding(status, f"{_words(span)} {unit}; threshold {bound:g}")


def _words(span: Span) -> str:
    where = "generation" if span.first == span.last else "generations"
    return (
        f"{span.name}, {where} {span.generations}: {with_interval(span.value, span.low, span.high)}"
    )

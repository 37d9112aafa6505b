"""When collapse began: the generation from which on tails, and variance, are seen to be lost.

**Early collapse** is the loss of tails, **late collapse** that of total variance (Shumailov et al.
2024). Each generation is judged with some before it, a fifth of those there are so far, and the
first one whose interval clears the threshold is given. All generations and all metrics share the
error, so that under the null at most 1 − confidence of runs show any onset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.recursion.verdicts.evidence import retained
from tailwatch.recursion.verdicts.levels import TAILS, VARIANCE, measured
from tailwatch.recursion.verdicts.series import check_frame

if TYPE_CHECKING:
    import polars as pl

    from tailwatch.recursion.verdicts.evidence import Span
    from tailwatch.recursion.verdicts.levels import Level

__all__ = ["Onset", "early_collapse", "late_collapse"]

SHARE_BEFORE = 5


@dataclass(frozen=True, slots=True)
class Onset:
    """The first generation at which something is seen to be lost.

    Attributes
    ----------
    generation
        Its number.
    metric
        What cleared its threshold.
    value, low, high
        What is retained of it, over the generations that were looked at.
    since
        The first of these.
    threshold
        What was cleared.
    """

    generation: int
    metric: str
    value: float
    low: float
    high: float
    since: int
    threshold: float


def early_collapse(frame: pl.DataFrame, *, confidence: float = 0.95) -> Onset | None:
    """Say when the tails were lost.

    Parameters
    ----------
    frame
        Of one run.
    confidence
        Of its intervals, and of the onset.

    Returns
    -------
    Onset or None
        ``None`` if the loss is not seen, or tails were not measured.

    Raises
    ------
    InputError
        Not the frame of one run.
    """
    return _onset(check_frame(frame), TAILS, confidence)


def late_collapse(frame: pl.DataFrame, *, confidence: float = 0.95) -> Onset | None:
    """Say when total variance (of categories: Gini–Simpson's index) was lost.

    Parameters
    ----------
    frame, confidence
        As in :func:`early_collapse`.

    Returns
    -------
    Onset or None
        ``None`` if the loss is not seen, or variance was not measured.

    Raises
    ------
    InputError
        Not the frame of one run.
    """
    return _onset(check_frame(frame), VARIANCE, confidence, leave_out=("effective_rank",))


def _onset(
    frame: pl.DataFrame, level: Level, confidence: float, leave_out: tuple[str, ...] = ()
) -> Onset | None:
    series = [one for one in measured(frame, level) if one.metric not in leave_out]
    if not series:
        return None
    longest = max(len(one) for one in series)
    # Only losses are looked for: there is one side to err on.
    error = (1 - confidence) / len(series) / longest
    for place in range(1, longest + 1):
        before = max(0, place - max(1, place // SHARE_BEFORE))
        spans = [
            retained(one.part(slice(before, place)), confidence=confidence, error=error)
            for one in series
            if place <= len(one)
        ]
        lost = [span for span in spans if span is not None and span.high < level.threshold]
        if lost:
            return _as_onset(min(lost, key=lambda span: span.high), level.threshold)
    return None


def _as_onset(span: Span, threshold: float) -> Onset:
    return Onset(span.last, span.name, span.value, span.low, span.high, span.first, threshold)

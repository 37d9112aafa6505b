"""One definition of collapse, judged: what was found, against which bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.recursion.verdicts.evidence import Span

__all__ = ["Status", "Verdict", "judge_levels", "not_measured"]

Status: TypeAlias = Literal["holds", "does not hold", "undetermined", "not measured"]
"""``holds`` and ``does not hold`` need an interval that clears the threshold; ``undetermined`` is
all that was measured without one; ``not measured`` says what is missing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of the verdicts.

    Attributes
    ----------
    definition
        Of collapse.
    status
        What came of it.
    metric, generations, value, low, high, threshold
        The number that decided, and what it was compared with.
    evidence
        The same in a sentence.
    """

    definition: str
    status: Status
    metric: str | None
    generations: str | None
    value: float | None
    low: float | None
    high: float | None
    threshold: float | None
    evidence: str


def not_measured(definition: str, why: str) -> Verdict:
    """Say what is missing."""
    return Verdict(definition, "not measured", None, None, None, None, None, None, why)


def judge_levels(
    definition: str,
    spans: Sequence[Span],
    threshold: float,
    *,
    below: bool,
    unit: str,
) -> Verdict:
    """Judge what is retained against one threshold.

    The definition holds if **any** of the numbers clears the threshold, and does not hold if
    **all** of them clear it on the other side.

    Parameters
    ----------
    definition
        Its name.
    spans
        What its metrics retain, the leading one first.
    threshold
        Of the ratio.
    below
        Whether the definition holds below the threshold, or above it.
    unit
        What the ratio is of, in words.
    """

    def margin(span: Span) -> float:
        """How far the interval lies on the side on which the definition holds, in its widths."""
        clear = threshold - span.high if below else span.low - threshold
        width = span.high - span.low
        # Without an upper limit nothing is known, and that is the least of all.
        return clear / max(width, 1e-12) if width < math.inf else -math.inf

    def is_on_other_side(span: Span) -> bool:
        return span.low > threshold if below else span.high < threshold

    best = max(spans, key=margin)
    if margin(best) > 0:
        return _verdict(definition, "holds", best, threshold, unit)
    if all(is_on_other_side(span) for span in spans):
        closest = max(spans, key=margin)
        return _verdict(definition, "does not hold", closest, threshold, unit)
    return _verdict(definition, "undetermined", best, threshold, unit)


def _verdict(definition: str, status: Status, span: Span, threshold: float, unit: str) -> Verdict:
    high = None if span.high == float("inf") else span.high
    where = "generation" if span.first == span.last else "generations"
    reach = f"[{span.low:.3g}, {'∞' if high is None else format(high, '.3g')}]"
    evidence = (
        f"{span.name}, {where} {span.generations}: {span.value:.3g} {reach} {unit}; "
        f"threshold {threshold:g}"
    )
    return Verdict(
        definition,
        status,
        span.name,
        span.generations,
        span.value,
        span.low,
        high,
        threshold,
        evidence,
    )

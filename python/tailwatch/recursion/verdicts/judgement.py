"""The eight definitions of collapse, judged one by one on the frame of a run, and when each began.

**Early collapse** is the loss of tails, **late collapse** that of total variance (Shumailov et al.
2024). Each generation is judged with some before it, a fifth of those there are so far, and the
first one whose interval clears the threshold is given. All generations and all metrics share the
error, so that under the null at most 1 − confidence of runs show any onset.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.arguments import share
from tailwatch.background import uses_polars
from tailwatch.recursion.verdicts.evidence import retained
from tailwatch.recursion.verdicts.levels import (
    ENTANGLEMENT,
    HALLUCINATION,
    TAILS,
    VARIANCE,
    judge_level,
    measured,
)
from tailwatch.recursion.verdicts.risks import (
    judge_divergence,
    judge_increase,
    judge_scaling,
    read_risk,
)
from tailwatch.recursion.verdicts.series import check_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.recursion.verdicts.evidence import Span
    from tailwatch.recursion.verdicts.levels import Level, Verdict

__all__ = [
    "DEFINITIONS",
    "ONSETS",
    "SCHEMA",
    "Onset",
    "early_collapse",
    "judge",
    "late_collapse",
    "onsets",
]

DEFINITIONS = (
    "catastrophic increase of population risk",
    "any increase of population risk",
    "asymptotically diverging population risk",
    "change in scaling law",
    "collapsing variance",
    "entanglement of real modes",
    "disappearance of real tails",
    "appearance of hallucinated data",
)
"""The meanings of model collapse in the literature, after Schaeffer et al. 2025."""

SCHEMA: dict[str, type[pl.DataType]] = {
    "definition": pl.String,
    "status": pl.String,
    "metric": pl.String,
    "generations": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "threshold": pl.Float64,
    "evidence": pl.String,
}
"""Columns of the verdicts."""


def judge(
    frame: pl.DataFrame, *, sizes: Sequence[pl.DataFrame] = (), confidence: float = 0.95
) -> pl.DataFrame:
    """Judge a run on each of the eight definitions of collapse.

    Parameters
    ----------
    frame
        Of one run: :mod:`tailwatch.recursion.frame`.
    sizes
        Frames of runs that differ from it in their number of rows alone; two or more of them show
        whether the scaling law changes.
    confidence
        Of the intervals of the frame, and of the verdicts: a run of fresh human data in every
        generation shows any "holds" with probability 1 − `confidence` at most.

    Returns
    -------
    polars.DataFrame
        One row per definition:

        - ``status``: ``"holds"`` or ``"does not hold"`` where the interval clears the threshold,
          ``"undetermined"`` where it does not, ``"not measured"`` where something is missing;
        - ``metric``, ``generations``, ``value``, ``low``, ``high``, ``threshold``: the number that
          decided, its interval at the confidence of all definitions together, its bound;
        - ``evidence``: the same in a sentence, or what is missing.

    Raises
    ------
    InputError
        Not the frame of one run, a confidence out of range.

    Notes
    -----
    The error 1 − confidence is shared equally by the eight definitions, by both sides of their
    intervals, and within a definition by its metrics (Bonferroni): whatever depends on what, the
    chances add up to no more. Generations are not judged one by one, the last third of them speaks:
    what was true of one and is no more does not count. :mod:`~tailwatch.recursion.verdicts.levels`,
    :mod:`~tailwatch.recursion.verdicts.risks` and :mod:`~tailwatch.recursion.verdicts.risks` have
    the definitions as they are applied, :mod:`~tailwatch.recursion.verdicts.evidence` and
    :mod:`~tailwatch.recursion.verdicts.series` the intervals.
    """
    uses_polars("judging a run")
    confidence = share(confidence, "confidence")
    checked = check_frame(frame)
    others = [check_frame(one, f"sizes[{place}]") for place, one in enumerate(sizes)]
    error = (1 - confidence) / 2 / len(DEFINITIONS)
    risk = read_risk(checked)
    levels = {4: VARIANCE, 5: ENTANGLEMENT, 6: TAILS, 7: HALLUCINATION}
    verdicts: list[Verdict] = [
        judge_increase(DEFINITIONS[0], risk, catastrophic=True, confidence=confidence, error=error),
        judge_increase(
            DEFINITIONS[1], risk, catastrophic=False, confidence=confidence, error=error
        ),
        judge_divergence(DEFINITIONS[2], risk, error=error),
        judge_scaling(DEFINITIONS[3], checked, others, confidence=confidence, error=error),
        *(
            judge_level(DEFINITIONS[place], checked, level, confidence=confidence, error=error)
            for place, level in levels.items()
        ),
    ]
    return pl.DataFrame([asdict(verdict) for verdict in verdicts], schema=SCHEMA)


ONSETS = pl.Schema(
    {
        "collapse": pl.String(),
        "generation": pl.Int64(),
        "since": pl.Int64(),
        "metric": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "threshold": pl.Float64(),
    }
)

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
    """Return when the tails were lost.

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
    """Return when total variance (of categories: Gini–Simpson's index) was lost.

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


def onsets(frame: pl.DataFrame, *, confidence: float = 0.95) -> pl.DataFrame:
    """Return when tails and variance were lost, as a frame.

    Parameters
    ----------
    frame, confidence
        As in :func:`early_collapse`.

    Returns
    -------
    polars.DataFrame
        Two rows, ``collapse`` being ``"early"`` and ``"late"``; all else is null where no loss is
        seen.

    Raises
    ------
    InputError
        Not the frame of one run.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> from tailwatch.recursion import Gaussian, Replace
    >>> from tailwatch.recursion.verdicts import onsets
    >>> human = np.random.default_rng(0).normal(size=(300, 8))
    >>> run = tw.recursion.run(Gaussian(), human, policy=Replace(), generations=2)
    >>> onsets(run.frame)["collapse"].to_list()
    ['early', 'late']
    """
    found = {
        "early": early_collapse(frame, confidence=confidence),
        "late": late_collapse(frame, confidence=confidence),
    }
    rows = [
        {"collapse": name} | ({} if onset is None else asdict(onset))
        for name, onset in found.items()
    ]
    return pl.DataFrame(rows, schema=ONSETS)


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

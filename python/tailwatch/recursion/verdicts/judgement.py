"""The eight definitions of collapse, judged one by one on the frame of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.arguments import share
from tailwatch.background import uses_polars
from tailwatch.recursion.verdicts.levels import (
    ENTANGLEMENT,
    HALLUCINATION,
    TAILS,
    VARIANCE,
    judge_level,
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

    from tailwatch.recursion.verdicts.levels import Verdict

__all__ = ["DEFINITIONS", "SCHEMA", "judge"]

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
    :mod:`~tailwatch.recursion.verdicts.trend` the intervals.
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

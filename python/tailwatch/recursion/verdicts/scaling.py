"""Definition: the scaling law changes.

Risk falls with the number of rows by some law. Runs of several sizes show whether generations after
the first still obey it: with the risk R_t(n) of generation t from n rows, the ratio R_t(n)/R_1(n)
does not depend on n as long as the exponent stays. Its slope over ln n, between the last third of
the generations and the first one, is the change of the exponent. At least three sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.recursion.verdicts.evidence import stretch
from tailwatch.recursion.verdicts.risks import read_risk
from tailwatch.recursion.verdicts.series import series_of
from tailwatch.recursion.verdicts.trend import change
from tailwatch.recursion.verdicts.verdict import Status, Verdict, not_measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["judge_scaling"]

FEWEST_SIZES = 3
NO_CHANGE = 0.1
"""Change of the exponent below which the law is the same."""

ONE_SIZE = (
    "a scaling law needs runs of at least three sizes: judge(frame, sizes=[other frames]) with "
    "different numbers of rows"
)


def judge_scaling(
    definition: str,
    frame: pl.DataFrame,
    sizes: Sequence[pl.DataFrame],
    *,
    confidence: float,
    error: float,
) -> Verdict:
    """Judge whether the exponent of risk over rows changes from the first to the last generations.

    Parameters
    ----------
    definition
        Its name.
    frame, sizes
        Of this run, and of others that differ in their number of rows alone.
    confidence
        Of the intervals of the frames.
    error
        Probability that the interval misses on one side.
    """
    points = [_point(one, confidence) for one in (frame, *sizes)]
    known = [point for point in points if point is not None]
    if len({rows for rows, _, _ in known}) < FEWEST_SIZES:
        return not_measured(definition, ONE_SIZE)
    x = np.log([rows for rows, _, _ in known])
    y, spread = np.array([value for _, value, _ in known]), np.array([s for _, _, s in known])
    centred = x - x.mean()
    weights = centred / (centred @ centred)
    value = float(weights @ y)
    # Each point brings its own interval, and besides that they may not lie on a line.
    residuals = y - y.mean() - value * centred
    of_points = stretch(confidence, error) * float(np.sqrt((weights**2) @ spread**2))
    of_line = _off_the_line(residuals, centred, error)
    reach = float(np.hypot(of_points, of_line))
    low, high = value - reach, value + reach
    status: Status = "undetermined"
    if low > 0 or high < 0:
        status = "holds"
    elif low > -NO_CHANGE and high < NO_CHANGE:
        status = "does not hold"
    threshold = NO_CHANGE if status == "does not hold" else 0.0
    least, most = (f"{float(np.exp(end)):.0f}" for end in (x.min(), x.max()))
    last = str(int(frame["generation"].max()))  # type: ignore[arg-type]
    evidence = (
        f"from {least} to {most} rows in {len(known)} runs, the exponent of risk over rows changes "
        f"by {value:.3g} [{low:.3g}, {high:.3g}] from generation 1 to the last; "
        f"threshold {threshold:g}"
    )
    return Verdict(definition, status, "risk", last, value, low, high, threshold, evidence)


def _point(frame: pl.DataFrame, confidence: float) -> tuple[float, float, float] | None:
    """Return rows, the logarithm of late over first risk, and half its interval."""
    risk = read_risk(frame)
    rows = series_of(frame, "training_rows", "loop")
    if risk is None or rows is None or not risk.is_ratio or not np.isfinite(risk.values).all():
        return None
    logs = np.log(risk.values)
    below = logs - np.log(np.maximum(risk.values - risk.below, 1e-300))
    above = np.log(risk.values + risk.above) - logs
    found = change(logs, below, above, confidence=confidence, error=(1 - confidence) / 2)
    if found is None:
        return None
    return float(rows["value"][0]), found.value, (found.high - found.low) / 2


def _off_the_line(residuals: Array, centred: Array, error: float) -> float:
    from scipy.stats import t

    freedom = len(residuals) - 2
    variance = float(residuals @ residuals) / freedom / float(centred @ centred)
    return float(t.isf(error, freedom)) * float(np.sqrt(variance))

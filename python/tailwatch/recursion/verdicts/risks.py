"""Definitions about population risk: catastrophic increase, any increase, divergence, scaling law.

The population risk of a generation is the model's risk on held-out human data. A learner without a
risk still has one, the energy score, whose excess over the best possible forecast of human rows is
half the energy distance (Székely & Rizzo 2013; Gneiting & Raftery 2007); its unit is √(2 tr Σ), the
root mean square distance of two human rows.

Risk falls with the number of rows by some law. Runs of several sizes show whether generations after
the first still obey it: with the risk R_t(n) of generation t from n rows, the ratio R_t(n)/R_1(n)
does not depend on n as long as the exponent stays. Its slope over ln n, between the last third of
the generations and the first one, is the change of the exponent. At least three sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.distributions import t_quantile
from tailwatch.recursion.verdicts.levels import Status, Verdict, not_measured
from tailwatch.recursion.verdicts.series import (
    FEWEST,
    change,
    drift,
    series_of,
    slope,
    stretch,
    window_length,
)
from tailwatch.report.words import counted, with_interval

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from tailwatch.recursion.verdicts.series import Change, Series

    Array = NDArray[np.float64]
    from collections.abc import Sequence

__all__ = ["Risk", "judge_divergence", "judge_increase", "judge_scaling", "read_risk"]

CATASTROPHIC = 2.0
"""Times the risk of the first generation."""

NO_INCREASE = 1.05
"""Times the first risk below which an increase is none that matters."""

FEWEST_TO_DIVERGE = 12
"""Generations below which three octaves cannot be told apart."""

NO_RISK = (
    "neither model.risk on held-out human data nor energy_distance with total_variance is in the "
    "frame"
)


@dataclass(frozen=True, slots=True)
class Risk:
    """The population risk through the generations.

    Attributes
    ----------
    name
        Of the metric.
    generations
        Where it was measured.
    values, below, above
        The risk, and how far its interval reaches; 0 without an interval.
    is_ratio
        Whether the risk is above 0, so that ratios mean something.
    words
        What it is.
    """

    name: str
    generations: NDArray[np.int64]
    values: Array
    below: Array
    above: Array
    is_ratio: bool
    words: str

    @property
    def infinite(self) -> NDArray[np.bool_]:
        """Where the model gives some human rows no chance at all."""
        return np.isposinf(self.values)


def read_risk(frame: pl.DataFrame) -> Risk | None:
    """Find the risk in the frame of one run; None if there is none."""
    found = series_of(frame, "risk", "risk")
    if found is not None:
        values, (below, above) = found["value"], _reaches(found)
        # A risk that may be below 0, as a log-loss of densities, has no ratios.
        positive = bool((values - below > 0).all())
        return Risk("risk", found.generations, values, below, above, positive, "risk")
    distance = series_of(frame, "energy_distance", "panel")
    variance = series_of(frame, "total_variance", "panel")
    if distance is None or variance is None:
        return None
    null = variance["null"][np.isfinite(variance["null"])]
    if not len(null) or null.mean() <= 0:
        return None
    unit = float(np.sqrt(2 * null.mean()))
    below, above = _reaches(distance)
    # The best possible score is the unit, so that 1 + excess is a ratio of risks. The estimate of a
    # distance may be below 0, but never by as much as the unit.
    return Risk(
        "energy_distance",
        distance.generations,
        1 + distance["value"] / unit,
        below / unit,
        above / unit,
        is_ratio=True,
        words="energy score",
    )


def _reaches(series: Series) -> tuple[Array, Array]:
    value = np.where(np.isfinite(series["value"]), series["value"], np.nan)
    below, above = value - series["low"], series["high"] - value
    return np.nan_to_num(below, posinf=0.0), np.nan_to_num(above, posinf=0.0)


def judge_increase(
    definition: str, risk: Risk | None, *, catastrophic: bool, confidence: float, error: float
) -> Verdict:
    """Judge whether the last third of the generations has a higher risk than the first one."""
    if risk is None:
        return not_measured(definition, NO_RISK)
    least = CATASTROPHIC if catastrophic else 1.0
    none = CATASTROPHIC if catastrophic else NO_INCREASE
    if risk.infinite.any() or not np.isfinite(risk.values).all():
        return _of_infinite(definition, risk, error, least)
    if len(risk.values) < FEWEST:
        return _too_few(definition, risk, FEWEST, least)
    if risk.is_ratio:
        logs = np.log(risk.values)
        # Intervals are short beside the value, or reach 0, where the logarithm says so.
        below = logs - np.log(np.maximum(risk.values - risk.below, 1e-300))
        above = np.log(risk.values + risk.above) - logs
        found = change(logs, below, above, confidence=confidence, error=error)
    else:
        unit = max(abs(float(risk.values[0])), 1e-300)
        values = risk.values / unit
        found = change(
            values, risk.below / unit, risk.above / unit, confidence=confidence, error=error
        )
    if found is None:
        return _too_few(definition, risk, FEWEST, least)
    value, low, high = (
        (np.exp(end) if risk.is_ratio else 1 + end) for end in (found.value, found.low, found.high)
    )
    status: Status = "undetermined"
    if low > least:
        status = "holds"
    elif high < none:
        status = "does not hold"
    threshold = none if status == "does not hold" else least
    how = "times that of" if risk.is_ratio else "(first = 1, in units of its size) against"
    span = _last(risk)
    evidence = (
        f"{risk.words} of generations {span}: {with_interval(value, low, high)} {how} "
        f"generation {risk.generations[0]}; threshold {threshold:g}"
    )
    numbers = (float(value), float(low), float(high), threshold)
    return Verdict(definition, status, risk.name, span, *numbers, evidence)


def judge_divergence(definition: str, risk: Risk | None, *, error: float) -> Verdict:
    """Judge whether the risk grows by at least as much in each octave as in the one before.

    An octave doubles the number of generations. Growth that adds up to a limit (as Σ 1/t² does)
    adds less in each octave than in the one before, growth without a limit that is faster than ln t
    adds more. So with the slope over log₂ t in the last octave b₂ and in the one before b₁: it
    diverges if b₂ > 0 and b₂ > b₁; it does not if b₂ < b₁, or if b₂ may be 0 and is less than 5 %
    of the risk. What grows as ln t stays undetermined.
    """
    if risk is None:
        return not_measured(definition, NO_RISK)
    if not np.isfinite(risk.values).all():
        return _of_infinite(definition, risk, error, 0.0)
    count = len(risk.values)
    if count < FEWEST_TO_DIVERGE:
        return _too_few(definition, risk, FEWEST_TO_DIVERGE, 0.0)
    last = int(risk.generations[-1])
    late, early = risk.generations > last / 2, risk.generations <= last / 2
    early &= risk.generations > last / 4
    before, after = _octaves(risk, early, late, error)
    where = f"{risk.generations[late][0]}–{last}"
    if before is None or after is None:
        return _too_few(definition, risk, FEWEST_TO_DIVERGE, 0.0)
    more = after.value - before.value
    low = more - float(np.hypot(after.value - after.low, before.high - before.value))
    high = more + float(np.hypot(after.high - after.value, before.value - before.low))
    flat = (NO_INCREASE - 1) * abs(float(risk.values[early].mean()))
    status: Status = "undetermined"
    if after.low > 0 and low > 0:
        status = "holds"
    elif (after.high < flat and after.low <= 0) or high < 0:
        status = "does not hold"
    evidence = (
        f"{risk.words} of generations {where} grows by "
        f"{with_interval(after.value, after.low, after.high)} per doubling of generations, which "
        f"is {with_interval(more, low, high)} more than in the doubling before; thresholds 0 and 0"
    )
    numbers = (after.value, after.low, after.high, 0.0)
    return Verdict(definition, status, risk.name, where, *numbers, evidence)


def _octaves(
    risk: Risk, early: NDArray[np.bool_], late: NDArray[np.bool_], error: float
) -> tuple[Change | None, Change | None]:
    """Return the growth in both octaves, per doubling: of lines, or of random walks."""
    octaves = np.log2(risk.generations.astype(np.float64))
    errors = (risk.below + risk.above) / 2
    weights = 1 / errors**2 if (errors > 0).all() else np.ones(len(errors))
    lines = [
        slope(octaves[part], risk.values[part], weights[part], error=error)
        for part in (early, late)
    ]
    if all(line is not None for line in lines):
        return lines[0], lines[1]
    # An octave begins where the one before it ends.
    walks = [
        drift(risk.values[part | np.append(part[1:], False)], error=error) for part in (early, late)
    ]
    return walks[0], walks[1]


def _last(risk: Risk) -> str:
    length = min(window_length(len(risk.values)), len(risk.values) - 1)
    first, last = risk.generations[-length], risk.generations[-1]
    return str(last) if first == last else f"{first}–{last}"


def _too_few(definition: str, risk: Risk, least: int, threshold: float) -> Verdict:
    there = counted(len(risk.values), "generation")
    evidence = f"{risk.words}: {there}, and {least} are the fewest that show a change"
    span = f"{risk.generations[0]}–{risk.generations[-1]}"
    return Verdict(
        definition, "undetermined", risk.name, span, None, None, None, threshold, evidence
    )


def _of_infinite(definition: str, risk: Risk, error: float, threshold: float) -> Verdict:
    """Judge a risk that becomes infinite: the model gives human rows no chance at all.

    If each generation were infinite with one probability p whatever its number, the first w would
    all be finite and the last w all infinite with probability (p (1 − p))^w, at most 4^−w.
    """
    length = window_length(len(risk.values))
    starts_finite = bool(np.isfinite(risk.values[:length]).all())
    ends_infinite = bool(risk.infinite[-length:].all())
    sure = 4.0**-length <= error
    span = f"{risk.generations[-length]}–{risk.generations[-1]}"
    status: Status = "holds" if starts_finite and ends_infinite and sure else "undetermined"
    chance = f"{4.0**-length:.2g}"
    evidence = (
        f"{risk.words} is finite in the first {length} generations and infinite in the last "
        f"{length}, which chance alone does with probability {chance} at most"
        if starts_finite and ends_infinite
        else f"{risk.words} is infinite or missing in {int((~np.isfinite(risk.values)).sum())} of "
        f"{len(risk.values)} generations"
    )
    return Verdict(definition, status, risk.name, span, None, None, None, threshold, evidence)


FEWEST_SIZES = 3
NO_CHANGE = 0.1
"""Change of the exponent below which the law is the same."""

ONE_SIZE = (
    "a scaling law needs runs of at least three sizes, which differ in their number of rows alone "
    "and are judged together"
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
        f"by {with_interval(value, low, high)} from generation 1 to the last; "
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
    freedom = len(residuals) - 2
    variance = float(residuals @ residuals) / freedom / float(centred @ centred)
    return -t_quantile(error, freedom) * float(np.sqrt(variance))

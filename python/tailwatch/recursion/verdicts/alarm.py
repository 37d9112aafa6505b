"""The alarm of a loop: the first generation at which a loss is sure, asked after each of them.

Verdicts speak of a run that is over. An alarm is for one that goes on, of any length: after each
generation it asks whether one of these is below ``keep`` = 0.95 of what a fresh human sample has.

===============  =============================  ====================================================
finding          metric                         interval of what is retained, of any level
===============  =============================  ====================================================
``tails_lost``   ``tail_odds_ratio``            exact: inverted tests of the count in the pooled
                                                tail, hypergeometric if nothing happened, of
                                                Fisher's noncentral law otherwise. Tails of 10 human
                                                rows or more
``spread_lost``  ``total_variance``,            that of the frame, stretched to the level
                 ``effective_rank``,            (:mod:`~tailwatch.recursion.verdicts.evidence`)
                 ``gini_simpson``
``types_lost``   ``types``, ``type_coverage``   the same
===============  =============================  ====================================================

**The error is spent over looks.** The human halves A and B are the same in every generation, so
looks depend on each other, and no test of one generation may be repeated at its own level. With m
numbers to look at, each has α/m, α being 1 − confidence, and spends the part w(t) = 8/((t+7)(t+8))
of it at the look at generation t. The parts of t looks add up to t/(t+8), those of infinitely many
to 1, and whatever depends on what, the chance that any interval ever lies below ``keep`` without a
loss is no more than α (Bonferroni). Half of it is spent on the first eight looks: with 1/(t(t+1))
that would be so of the first alone, when a loop has seldom lost what few rows show.

========================  =========================  ===============================================
looks                     of                         share of α/m
========================  =========================  ===============================================
1 to 8                    the latest generation      0.6 w(t); its interval holds the null's error
                                                     too, and is stretched by the degrees of freedom
                                                     of both (Satterthwaite)
from the ninth            the mean of the last 1,    0.6 w(t) for the value, shared by the windows;
                          2, 4, … 64 generations     0.4 for the null, which is bounded once for
                                                     all of them
odds; of the model        the same                   w(t): they have no null that errs
========================  =========================  ===============================================

Human rows are few, and what is not known of them is one event: paid for at each look, it would be
most of every late interval. (Where a model embeds in its own way, nulls are not the same in all
generations; then they are no such event, and each look pays.) Windows see slow losses; odds of
several generations have the score interval of the verdicts, the exact one being for a single count.

**The null is a sound learner**: one whose samples follow the law of the human rows, or lose less
than ``keep`` says. The tolerance is there because a learner of finite data always loses a little: a
Gaussian of M rows 1/M of its variance in each fit (:mod:`tailwatch.recursion.theory`), and some of
its directions; asked for a loss of any size, an alarm would ring for learners that see human rows
alone. What loses more than a twentieth at its first fit is not sound in this sense, though it may
lose no more later: categories are such a case, a sample of whose estimated shares lacks many of
the rare types.

What a model measures itself (group ``model``, as ``type_coverage`` of the classes of detections) is
compared with the first generation: no detector finds all that people label, and what was never
learnt cannot be lost. Rare modes (``mode_coverage``) have no interval, and that of a risk is for
one given model, not for another training: neither can ring.

Cost: O(rows of the tail) for each number and generation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import polars as pl

from tailwatch.arguments import share
from tailwatch.background import uses_polars
from tailwatch.recursion.verdicts.evidence import between, exact_odds, retained
from tailwatch.recursion.verdicts.levels import FEWEST_IN_TAIL
from tailwatch.recursion.verdicts.series import COMPARED, NEEDED, check_frame, series_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.verdicts.evidence import Span
    from tailwatch.recursion.verdicts.series import Series

__all__ = ["ALARMS", "KEEP", "Alarm", "Watch", "alarms", "first_alarm"]

KEEP: Final = 0.95
"""What a sound learner keeps of a fresh human sample: less is a loss."""

Loss: TypeAlias = Literal["tails_lost", "spread_lost", "types_lost"]
Standard: TypeAlias = Literal["a fresh human sample", "generation 1"]

LOSSES: dict[str, Loss] = {
    "tail_odds_ratio": "tails_lost",
    "total_variance": "spread_lost",
    "effective_rank": "spread_lost",
    "gini_simpson": "spread_lost",
    "type_coverage": "types_lost",
    "types": "types_lost",
}
"""Metrics that are looked at, and what has happened if one is below the limit."""

MEASURED_BY_MODEL = "model"

EARLY: Final = 8
"""Looks that are of one generation, and pay for the null each; half of the error is theirs."""

WINDOWS: Final = (1, 2, 4, 8, 16, 32, 64)
OF_VALUE: Final = 0.6
"""Of the error of a number, what its looks share; the rest is for its null."""

ALARMS = pl.Schema(
    {
        "generation": pl.Int64(),
        "finding": pl.String(),
        "metric": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "keep": pl.Float64(),
        "error": pl.Float64(),
        "since": pl.Int64(),
        "standard": pl.String(),
    }
)
"""Columns of an alarm as a frame."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The first generation at which a loss is sure.

    Attributes
    ----------
    generation
        Its number.
    finding
        ``"tails_lost"``, ``"spread_lost"`` or ``"types_lost"``.
    metric
        What rang, with its level.
    value, low, high
        What is retained of it.
    keep
        What it lies below.
    error
        The share of the run's error that was spent on this number at this look: with what a null
        that is bounded once takes beside it, the probability that the interval misses on one side.
    since
        The first of the generations whose mean rang.
    standard
        Of what it is retained: ``"a fresh human sample"``, or ``"generation 1"``.
    """

    generation: int
    finding: Loss
    metric: str
    value: float
    low: float
    high: float
    keep: float
    error: float
    since: int
    standard: Standard


@dataclass(frozen=True, slots=True)
class Measure:
    """What can ring: a metric at a level, and whether the model measured it."""

    metric: str
    level: float | None
    by_model: bool

    @classmethod
    def of(cls, row: Row) -> Measure:
        """Return the number that a row of the frame is about."""
        return cls(row["metric"], row["level"], row["group"] == MEASURED_BY_MODEL)


class Watch:
    """Looks at one generation after the other, in their order.

    Parameters
    ----------
    confidence
        Of the intervals of the frame, and of the alarm: over all generations of a sound learner,
        however many, it rings with probability 1 − `confidence` at most.
    keep
        What a sound learner keeps.

    Attributes
    ----------
    alarm
        The first alarm so far, if there is one.
    """

    def __init__(self, *, confidence: float, keep: float = KEEP) -> None:
        self._confidence, self._keep = confidence, keep
        self._measures: list[Measure] = []
        self._first: Mapping[Measure, Series] = {}
        self._moving: set[Measure] = set()
        self._latest: dict[Measure, deque[Row]] = {}
        self.alarm: Alarm | None = None

    def look(self, generation: int, rows: Iterable[Row]) -> Alarm | None:
        """Look at the rows of one generation, and return the first alarm so far."""
        if self.alarm is not None:
            return self.alarm
        known = [{column: row.get(column) for column in NEEDED} for row in rows]
        now = _measured(known)
        if not self._measures:
            # What shares the error is known before anything is looked at.
            self._measures, self._first = _measures(known), now
        for measure, series in now.items():
            self._latest.setdefault(measure, deque(maxlen=WINDOWS[-1])).extend(series.rows)
            if _null_of(series) != _null_of(self._first.get(measure, series)):
                self._moving.add(measure)
        for measure in self._measures:
            if measure not in now:
                continue
            of_each = (1 - self._confidence) / len(self._measures)
            for span, error in self._spans(measure, of_each, generation):
                if span.high >= self._keep:
                    continue
                if self.alarm is None or span.high < self.alarm.high:
                    self.alarm = Alarm(
                        generation,
                        LOSSES[measure.metric],
                        span.name,
                        span.value,
                        span.low,
                        span.high,
                        self._keep,
                        error,
                        span.first,
                        "generation 1" if measure.by_model else "a fresh human sample",
                    )
        return self.alarm

    def _spans(
        self, measure: Measure, of_measure: float, generation: int
    ) -> Iterator[tuple[Span, float]]:
        """Yield what is retained over each window, and the error that was spent on it."""
        rows = list(self._latest[measure])
        latest = series_from(rows, measure.metric, measure.level)
        is_early = generation <= EARLY
        windows = [1] if is_early else [w for w in WINDOWS if w <= len(rows)]
        has_null = measure.metric != "tail_odds_ratio" and not measure.by_model
        error = of_measure * (OF_VALUE if has_null else 1.0)
        error *= EARLY / ((generation + EARLY - 1) * (generation + EARLY) * len(windows))
        for window in windows:
            series = latest.part(slice(-window, None))
            span: Span | None
            if measure.by_model:
                span = self._since_first(measure, series, error)
            elif not has_null and window == 1:
                span = exact_odds(series, error, below=self._keep)
            else:
                is_one_event = has_null and not is_early and measure not in self._moving
                null_error = of_measure * (1 - OF_VALUE) if is_one_event else None
                span = retained(
                    series,
                    confidence=self._confidence,
                    error=error,
                    null_error=null_error,
                    pooled=True,
                )
            if span is not None:
                yield span, error

    def _since_first(self, measure: Measure, series: Series, error: float) -> Span | None:
        first = self._first.get(measure)
        if first is None or series.generations[0] <= first.generations[0]:
            return None
        return between(first, series, confidence=self._confidence, error=error)


def first_alarm(
    frame: pl.DataFrame, *, confidence: float = 0.95, keep: float = KEEP
) -> Alarm | None:
    """Return the alarm of a run: the first generation at which a loss is sure.

    Parameters
    ----------
    frame
        Of one run: :mod:`tailwatch.recursion.frame`.
    confidence
        Of its intervals, and of the alarm: whatever the number of generations, a run of a sound
        learner has an alarm with probability 1 − `confidence` at most.
    keep
        What a sound learner keeps of a fresh human sample; below it is a loss. At most 1, which
        asks for a loss of any size.

    Returns
    -------
    Alarm or None
        ``None`` if none rang, or nothing was measured that can ring.

    Raises
    ------
    InputError
        Not the frame of one run, a number out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> from tailwatch.recursion.verdicts.alarm import first_alarm
    >>> human = np.random.default_rng(0).normal(size=(2000, 4))
    >>> run = tw.recursion.run(
    ...     tw.recursion.Gaussian(), human, policy="replace", generations=30, size=100, holdout=0.5,
    ...     metrics=["total_variance", "tail_odds_ratio"],
    ... )
    >>> found = first_alarm(run.frame)
    >>> found.finding, found.high < 0.95
    ('spread_lost', True)
    >>> first_alarm(run.frame, keep=0.5) is None
    True
    """
    uses_polars("an alarm")
    confidence = share(confidence, "confidence")
    keep = 1.0 if keep == 1 else share(keep, "keep")
    checked = check_frame(frame)
    watch = Watch(confidence=confidence, keep=keep)
    telling = checked.filter(pl.col("metric").is_in(list(LOSSES))).select(NEEDED)
    rows = telling.sort("generation", maintain_order=True).to_dicts()
    for generation, of_generation in groupby(rows, key=itemgetter("generation")):
        if watch.look(generation, of_generation) is not None:
            break
    return watch.alarm


def alarms(found: Alarm | None) -> pl.DataFrame:
    """Return an alarm as a frame of one row; all of it is null where none rang."""
    return pl.DataFrame([{} if found is None else asdict(found)], schema=ALARMS)


def _measures(rows: Iterable[Row]) -> list[Measure]:
    """List what can ring, whether it has a value or not."""
    found = [
        Measure.of(row)
        for row in rows
        if _can_ring(row)
        and (row["metric"] != "tail_odds_ratio" or _rows_in_tail(row) >= FEWEST_IN_TAIL)
    ]
    return list(dict.fromkeys(found))


def _measured(rows: Iterable[Row]) -> dict[Measure, Series]:
    """Return the values of a generation that can ring."""
    found: dict[Measure, list[Row]] = {}
    for row in rows:
        if _can_ring(row) and row["value"] is not None:
            found.setdefault(Measure.of(row), []).append(row)
    return {number: series_from(of, number.metric, number.level) for number, of in found.items()}


def _null_of(series: Series) -> tuple[float | None, ...]:
    row = series.rows[0]
    return row["null"], row["null_low"], row["null_high"]


def _can_ring(row: Row) -> bool:
    return row["metric"] in LOSSES and row["group"] in {*COMPARED, MEASURED_BY_MODEL}


def _rows_in_tail(row: Row) -> float:
    return float((row["level"] or 0.0) * (row["n_reference"] or 0))

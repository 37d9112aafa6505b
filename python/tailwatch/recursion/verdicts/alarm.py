"""The alarm of a loop: the first generation at which a loss is sure, asked after each of them.

Verdicts speak of a run that is over. An alarm is for one that goes on, of any length: after each
generation it asks whether one of these is below ``keep`` = 0.95 of what a fresh human sample has.

===============  =============================  ====================================================
finding          metric                         interval of what is retained, of any level
===============  =============================  ====================================================
``tails_lost``   ``tail_odds_ratio``            exact: inverted tests of the count in the pooled
                                                tail, hypergeometric if nothing happened, Fisher's
                                                noncentral law else. Tails of 10 human rows or more
``spread_lost``  ``total_variance``,            that of the frame, stretched to the level
                 ``effective_rank``,            (:mod:`~tailwatch.recursion.verdicts.evidence`)
                 ``gini_simpson``
``types_lost``   ``types``, ``type_coverage``   the same
===============  =============================  ====================================================

**The error is spent over looks.** The human halves A and B are the same in every generation, so
looks depend on each other, and no test of one generation may be repeated at its own level. With m
numbers to look at, the look at generation t gives each an error of α/(m t(t+1)), α being 1 −
confidence. These add up to α over infinitely many generations, and whatever depends on what, the
chance that any interval ever lies below ``keep`` without a loss is no more (Bonferroni).

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

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import polars as pl

from tailwatch.arguments import share
from tailwatch.background import uses_polars
from tailwatch.recursion.verdicts.evidence import between, exact_odds, retained
from tailwatch.recursion.verdicts.levels import FEWEST_IN_TAIL
from tailwatch.recursion.verdicts.series import COMPARED, check_frame, series_of

if TYPE_CHECKING:
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
        Probability that this interval misses on one side: the share of the run's error that was
        spent on this number at this look.
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
    standard: Standard


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
        self._numbers: list[tuple[str, float | None, bool]] | None = None
        self._first: pl.DataFrame | None = None
        self.alarm: Alarm | None = None

    def look(self, generation: int, frame: pl.DataFrame) -> Alarm | None:
        """Look at the rows of one generation, and return the first alarm so far."""
        if self.alarm is not None:
            return self.alarm
        if self._numbers is None or self._first is None:
            # What shares the error is known before anything is looked at.
            self._numbers, self._first = _numbers(frame), frame
        if not self._numbers:
            return None
        error = (1 - self._confidence) / len(self._numbers) / (generation * (generation + 1))
        for metric, level, by_model in self._numbers:
            span = self._span(frame, metric, level, by_model, error)
            if span is None or span.high >= self._keep:
                continue
            if self.alarm is None or span.high < self.alarm.high:
                self.alarm = Alarm(
                    generation,
                    LOSSES[metric],
                    span.name,
                    span.value,
                    span.low,
                    span.high,
                    self._keep,
                    error,
                    "generation 1" if by_model else "a fresh human sample",
                )
        return self.alarm

    def _span(
        self,
        frame: pl.DataFrame,
        metric: str,
        level: float | None,
        by_model: bool,  # noqa: FBT001
        error: float,
    ) -> Span | None:
        now = _series(frame, metric, level, by_model=by_model)
        if now is None:
            return None
        if by_model:
            first = (
                None if self._first is None else _series(self._first, metric, level, by_model=True)
            )
            if first is None or first.generations[0] == now.generations[0]:
                return None
            return between(first, now, confidence=self._confidence, error=error)
        if metric == "tail_odds_ratio":
            return exact_odds(now, error)
        return retained(now, confidence=self._confidence, error=error)


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
    for (generation,), rows in checked.sort("generation").group_by(
        "generation", maintain_order=True
    ):
        if watch.look(int(str(generation)), rows) is not None:
            break
    return watch.alarm


def alarms(found: Alarm | None) -> pl.DataFrame:
    """Return an alarm as a frame of one row; all of it is null where none rang."""
    return pl.DataFrame([{} if found is None else asdict(found)], schema=ALARMS)


def _numbers(frame: pl.DataFrame) -> list[tuple[str, float | None, bool]]:
    """List metric, level and whether the model measured it, of what can ring."""
    known = frame.filter(pl.col("metric").is_in(list(LOSSES)))
    known = known.filter(pl.col("group").is_in([*COMPARED, MEASURED_BY_MODEL]))
    rows = known.select("metric", "level", "group", "n_reference").unique(maintain_order=True)
    return [
        (metric, level, group == MEASURED_BY_MODEL)
        for metric, level, group, human in rows.rows()
        if metric != "tail_odds_ratio" or (level or 0.0) * (human or 0) >= FEWEST_IN_TAIL
    ]


def _series(
    frame: pl.DataFrame, metric: str, level: float | None, *, by_model: bool
) -> Series | None:
    groups = (MEASURED_BY_MODEL,) if by_model else COMPARED
    rows = frame if level is not None else frame.filter(pl.col("level").is_null())
    return series_of(rows, metric, *groups, level=level)

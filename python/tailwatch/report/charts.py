"""The charts of a comparison, each as a wide and a narrow drawing of the same readings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.report.forest import NARROW, WIDE, Axis, forest
from tailwatch.report.html import element
from tailwatch.report.numbers import MINUS, NARROW_SPACE, power_of_ten
from tailwatch.report.svg import LARGEST, tick_labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.report.readings import Reading

__all__ = ["AxisWords", "divergence_chart", "retention_chart"]


@dataclass(frozen=True, slots=True)
class AxisWords:
    """What an axis of ratios shows: its title, the head of the numbers, what the lines are."""

    title: str
    numbers: str
    lines: str


RETENTION = AxisWords("Retention: value ÷ null", "Retention", "Metric")

# Retention beyond this is drawn as an arrow at the edge: next to 30 times the null, the losses on
# the other lines would be squeezed into a sliver.
_LARGEST_RETENTION = 3.0
# Ticks of the axis of standard errors, which is logarithmic away from 0.
_STEPS = (3, 10, 30, 100, 300, 1000)


def retention_chart(
    readings: Sequence[Reading],
    *,
    name: str,
    title: str,
    confidence: str,
    from_zero: bool = True,
    words: AxisWords = RETENTION,
) -> str:
    """Draw retentions (value ÷ null), or other ratios, against 1.

    Parameters
    ----------
    readings
        Readings whose retention is a ratio.
    name
        Identifier of the figure, unique in the page.
    title
        Title for readers who do not see the chart.
    confidence
        The confidence of the intervals, as text.
    from_zero
        Whether the axis starts at 0 even when all readings are near 1.
    words
        What is drawn.
    """
    low, high = _extent(readings, 1.0, 1.0, bands=not from_zero)
    low, high = max(low, 0.0), min(high + 0.02, _LARGEST_RETENTION)
    if from_zero or low < 0.5:
        step, first = 0.5, 0
    else:
        step = 0.2 if high - low > 0.3 else 0.1
        first = math.floor((low - 0.02) / step)
    last = max(math.ceil(high / step), round(1 / step) + 2)
    ticks = tuple(round(i * step, 1) for i in range(first, last + 1))
    axis = Axis(
        title=words.title,
        numbers=words.numbers,
        intervals=f"[{confidence}]",
        neutral=1.0,
        domain=(ticks[0], ticks[-1]),
        ticks=tick_labels(ticks)[0],
        below="← less",
        above="more →",
        lines=words.lines,
    )
    return _figure(readings, axis, name=name, title=title, confidence=confidence)


def divergence_chart(readings: Sequence[Reading], *, name: str, title: str, confidence: str) -> str:
    """Draw divergences in standard errors of the null, against 0; parameters as for retention."""
    low, high = _extent(readings, -2.0, 5.0, bands=True)
    steps = _STEPS if high > 30 else (1, *_STEPS)
    if high > _STEPS[-1]:
        # Powers of ten, as many apart as leaves room for their labels.
        apart = math.ceil(math.log10(high) / 5)
        steps = tuple(10**power for power in range(apart, 309, apart))
    candidates = (*(-step for step in reversed(steps)), 0, *steps)
    axis = Axis(
        title="(value − null) ÷ standard error of the null",
        numbers="SE",
        intervals=f"[{confidence}]",
        neutral=0.0,
        domain=(1.1 * low, 1.1 * high),
        ticks={float(tick): _labelled(tick) for tick in candidates if low <= tick <= high},
        below="← closer",
        above="further →",
        linear_to=2,
    )
    return _figure(readings, axis, name=name, title=title, confidence=confidence)


def _labelled(tick: int) -> str:
    """Write a tick of standard errors: as it is, or as a power of ten."""
    if abs(tick) <= _STEPS[-1]:
        return f"{tick:,}".replace(",", NARROW_SPACE).replace("-", MINUS)
    return (MINUS if tick < 0 else "") + power_of_ten(round(math.log10(abs(tick))))


def _extent(
    readings: Sequence[Reading], low: float, high: float, *, bands: bool
) -> tuple[float, float]:
    """Return the ends of `low` to `high`, the retentions and, if asked for, their null bands."""
    numbers: list[float | None] = [low, high]
    for reading in readings:
        numbers += [reading.retention.value, reading.retention.low, reading.retention.high]
        numbers += (reading.null_band or ()) if bands else ()
    finite = [n for n in numbers if n is not None and math.isfinite(n)]
    most = LARGEST / 10
    return max(min(finite), -most), min(max(finite), most)


def _figure(
    readings: Sequence[Reading], axis: Axis, *, name: str, title: str, confidence: str
) -> str:
    """Return both drawings; the style sheet shows the one that fits."""
    description = _describe(readings, axis, confidence)
    drawings = (
        element(
            "div",
            forest(readings, axis, layout).inline(
                name=f"{name}-{variant}", title=title, description=description
            ),
            class_=f"tw-{variant}",
        )
        for variant, layout in (("wide", WIDE), ("narrow", NARROW))
    )
    return element("div", "".join(drawings), class_="tw-chart")


def _describe(readings: Sequence[Reading], axis: Axis, confidence: str) -> str:
    """Return in words what the chart shows, number by number."""
    parts = []
    for reading in readings:
        written = reading.written_retention
        parts.append(f"{reading.name}: {written.value} {written.interval or '(no interval)'}")
    return f"{axis.title}, with {confidence} intervals. " + "; ".join(parts) + "."

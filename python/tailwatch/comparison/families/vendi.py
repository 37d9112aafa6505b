"""How many different rows a sample amounts to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch._core import NoValue
from tailwatch.comparison.estimates import Estimate, HalfSamples
from tailwatch.comparison.families.panel import estimate_from
from tailwatch.exceptions import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.families.panel import Full, Panel
    from tailwatch.comparison.samples import Samples
    from tailwatch.progress import Settings

__all__ = ["estimates", "full"]

NAME = "vendi_score"
ORDER = 1.0


def estimates(samples: Samples, panel: Panel, settings: Settings) -> Iterator[Estimate]:
    """Yield each metric with its null and what its error is known from."""
    halves = panel.halves(complementary=True)
    found = _core.vendi_metrics(samples.halves, halves, ORDER, settings)
    if isinstance(found, NoValue):
        yield Estimate(NAME, None, math.nan, math.nan, found)
        return
    metric, level, values, nulls = found
    yield estimate_from(metric, level, HalfSamples(values, nulls, "ratio", complementary=True))


def full(samples: Samples, panel: Panel, settings: Settings) -> Full:
    """Yield each metric on all rows."""
    del panel
    try:
        value = _core.vendi_score(samples.wholes[1], ORDER, settings)
    except InputError:
        # A row of zeros has no cosine.
        yield NAME, None, None
    else:
        yield NAME, None, value

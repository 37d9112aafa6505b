"""Verdicts on a run: is this collapse, by which definition, since when.

The literature calls eight different things model collapse (Schaeffer et al. 2025). :func:`judge`
says of each whether it holds, with the interval that says so; :func:`early_collapse` and
:func:`late_collapse` say since when tails and variance are lost.

=============  =====================================================================================
``judgement``  the eight definitions, one by one, and when each began
``alarm``      the first generation at which a loss is sure, asked after each of them
``levels``     definitions about what samples retain; ``risks`` about population risk
``diagnosis``  which failure a run looks like
``evidence``   what a metric retains over some generations
``series``     one metric through the generations, and its changes
=============  =====================================================================================
"""

from __future__ import annotations

from tailwatch.recursion.verdicts.alarm import ALARMS, Alarm, alarms, first_alarm
from tailwatch.recursion.verdicts.judgement import (
    DEFINITIONS,
    ONSETS,
    SCHEMA,
    Onset,
    early_collapse,
    judge,
    late_collapse,
    onsets,
)

__all__ = [
    "ALARMS",
    "DEFINITIONS",
    "ONSETS",
    "SCHEMA",
    "Alarm",
    "Onset",
    "alarms",
    "early_collapse",
    "first_alarm",
    "judge",
    "late_collapse",
    "onsets",
]

"""Which rows of a target are synthetic, and what share of it is.

:func:`fit` makes a :class:`ContaminationModel` of a human reference and, where there is one, a
synthetic reference. The model scores rows; counts of scores are all that the estimates need, so a
target may be larger than memory and come in shards, in any order.
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.contamination.audit import Audit
from tailwatch.contamination.cross_checks import CrossChecks
from tailwatch.contamination.drift import Drift
from tailwatch.contamination.estimate import Interval
from tailwatch.contamination.fit import fit
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.model import ContaminationModel
from tailwatch.contamination.prevalence import NullFloor, Prevalence
from tailwatch.contamination.rows import RowTable
from tailwatch.names import no_such_name

__all__ = [
    "Audit",
    "ContaminationModel",
    "CrossChecks",
    "Drift",
    "Histogram",
    "Interval",
    "NullFloor",
    "Prevalence",
    "RowTable",
    "fit",
]


def __getattr__(name: str) -> NoReturn:
    """Say of a name that is not there which may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

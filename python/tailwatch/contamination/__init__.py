"""Which rows of a target are synthetic, and what share of it is.

:func:`fit` makes a :class:`ContaminationModel` of a human reference and, where there is one, a
synthetic reference. The model scores rows; counts of scores are all that the estimates need, so a
target may be larger than memory and come in shards, in any order.

================  ==============================================================================
``scores``        the share by scores of a detector of one's own
``fit``           from references to a model
``model``         the model: scores, counts, the share, rows, a data set
``dataset``       the job over a data set in shards
``prevalence``    the share with all that qualifies it, estimated from the counts of a target
``groups``        the share of each group of a target
``rows``          what a score means: probability, p- and q-value
``templates``     the references' counts, the share that they give, and the drift of strata
``audit``         the share by verified labels
``estimators``    others beside it: a lower bound without a synthetic reference, cross-checks
``likelihood``    the share by template fit: maximum and profile interval
``model_file``    all that a model knows, and its file
``histogram``     counts of scores, and the bins that they are counted in
================  ==============================================================================

Each uses those below it alone.
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.contamination.audit import Audit, LabelledScores
from tailwatch.contamination.estimators import CrossChecks
from tailwatch.contamination.fit import fit
from tailwatch.contamination.groups import GroupShares
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.likelihood import Interval
from tailwatch.contamination.model import ContaminationModel
from tailwatch.contamination.prevalence import NullFloor, Prevalence
from tailwatch.contamination.rows import RowTable
from tailwatch.contamination.scores import ErrorRates, share_from_scores
from tailwatch.contamination.templates import Drift
from tailwatch.exceptions import no_such_name

__all__ = [
    "Audit",
    "ContaminationModel",
    "CrossChecks",
    "Drift",
    "ErrorRates",
    "GroupShares",
    "Histogram",
    "Interval",
    "LabelledScores",
    "NullFloor",
    "Prevalence",
    "RowTable",
    "fit",
    "share_from_scores",
]


def __getattr__(name: str) -> NoReturn:
    """Raise the error about a name that is not there, with those that may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

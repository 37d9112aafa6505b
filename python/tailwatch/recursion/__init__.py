"""Loops in which models learn from the output of earlier models, measured.

:func:`run` trains a learner on its own output under a policy; what comes of it is a
:class:`Run`, whose frame has every measurement of every generation.
"""

from __future__ import annotations

from typing import NoReturn

from tailwatch.exceptions import no_such_name
from tailwatch.recursion import theory
from tailwatch.recursion.data.rowsets import RowSet, StoredRowSet
from tailwatch.recursion.learners import (
    Bootstrap,
    Gaussian,
    GaussianMixture,
    KernelDensity,
    LinearRegression,
    Multinomial,
    NGram,
)
from tailwatch.recursion.loop import Generation, run
from tailwatch.recursion.policies import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    HumanOnly,
    Mix,
    Policy,
    Replace,
    Verified,
)
from tailwatch.recursion.protocols import Learner, Model
from tailwatch.recursion.result import Overlay, Run, overlay
from tailwatch.recursion.theory.plan import plan

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Augment",
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "Generation",
    "HumanOnly",
    "KernelDensity",
    "Learner",
    "LinearRegression",
    "Mix",
    "Model",
    "Multinomial",
    "NGram",
    "Overlay",
    "Policy",
    "Replace",
    "RowSet",
    "Run",
    "StoredRowSet",
    "Verified",
    "overlay",
    "plan",
    "run",
    "theory",
]


def __getattr__(name: str) -> NoReturn:
    """Say of a name that is not there which may have been meant."""
    raise no_such_name(__name__, name, __all__)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

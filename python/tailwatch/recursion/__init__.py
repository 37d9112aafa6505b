"""Loops in which models learn from the output of earlier models, measured.

:func:`run` trains a learner on its own output under a policy; what comes of it is a
:class:`Run`, whose frame has every measurement of every generation.

====================  ==============================================================================
room                  what it has
====================  ==============================================================================
``loop``              the loop: compose, fit, sample, measure
``request``           the arguments of a run, checked before anything is learnt
``participants``      what learners and models are asked for, and how they are described and called
``policies``          which rows the next generation learns from; ``policy_text``: their spelling
``learners``          those that ship
``data``              rows of every kind, and the files that they come from
``history``           human rows and samples with their origin, as a policy takes them
``randomness``        generators by seed, generation and purpose
``measure``           all that is measured of a generation; ``frame`` has the columns
``store``             where generations are kept; ``reading`` a run directory, and its ``lock``
``theory``            closed forms, their inverses, plans and the curves of a run
``verdicts``          which definition of collapse holds, since when, which failure it is, and
                      the alarm of a loop that goes on
``result``            a run, and several side by side
====================  ==============================================================================
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
from tailwatch.recursion.loop import Generation, Interrupted, run
from tailwatch.recursion.participants import Learner, Model
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
from tailwatch.recursion.result import Overlay, Run, overlay
from tailwatch.recursion.theory.plan import plan
from tailwatch.recursion.verdicts.alarm import Alarm

__all__ = [
    "Accumulate",
    "AccumulateSubsample",
    "Alarm",
    "Augment",
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "Generation",
    "HumanOnly",
    "Interrupted",
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

"""The plan of a run: what theory expects of its policy, and what would keep more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.recursion import policies
from tailwatch.recursion.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailwatch.recursion.protocols import Policy

__all__ = ["plan_of"]

SHIPPED = "tailwatch.recursion."
KEEPS_MOMENTS = ("Gaussian", "Bootstrap", "Multinomial")
"""Learners whose samples have the mean and covariance of what they learnt from."""


def plan_of(arguments: Mapping[str, Any]) -> pl.DataFrame | None:
    """Give the plan of a run, or None where closed forms say nothing of it.

    Parameters
    ----------
    arguments
        What was run, as ``run.json`` has it.

    Returns
    -------
    polars.DataFrame or None
        The rows of :func:`tailwatch.recursion.plan` for the last generation, and those that are of
        no generation.
    """
    learner, size = arguments["learner"], arguments["size"]
    policy = _policy(arguments["policy"])
    keeps = _name(learner) in KEEPS_MOMENTS and learner.get("sampling_bias", 1.0) == 1.0
    if policy is None or not keeps or size < 2:
        return None
    generations = arguments["generations"]
    whole = plan(size, generations, policy, ddof=learner.get("ddof", 0))
    of_last = pl.col("generation").is_null() | (pl.col("generation") == generations)
    return whole.filter(of_last)


def _name(described: Mapping[str, Any]) -> str:
    """Name of a class that ships, empty for one of the user's."""
    path = str(described.get("class", ""))
    return path.rpartition(".")[2] if path.startswith(SHIPPED) else ""


def _policy(described: Mapping[str, Any]) -> Policy | None:
    """Make the policy again, if it has a closed form."""
    match _name(described):
        case "Replace":
            return policies.Replace()
        case "Accumulate":
            return policies.Accumulate()
        case "AccumulateSubsample" if described["size"] is None:
            return policies.AccumulateSubsample()
        case "Mix":
            return policies.Mix(described["real_fraction"], fresh=bool(described["fresh"]))
        case "Augment" if described["real"] is None or isinstance(described["real"], int):
            return policies.Augment(described["real"])
    return None

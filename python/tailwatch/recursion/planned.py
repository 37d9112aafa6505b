"""The plan of a run, from what it keeps of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError
from tailwatch.recursion import policies
from tailwatch.recursion.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from tailwatch.recursion.protocols import Policy

__all__ = ["plan_of"]


def plan_of(arguments: Mapping[str, Any]) -> pl.DataFrame | None:
    """Plan a run again.

    Parameters
    ----------
    arguments
        What was run, as :attr:`tailwatch.recursion.Run.arguments` has it.

    Returns
    -------
    polars.DataFrame or None
        What :func:`tailwatch.recursion.plan` expects of its policy; ``None`` for a policy that has
        no closed form.
    """
    ddof = arguments["learner"].get("ddof", 0)
    try:
        policy = _policy(arguments["policy"], arguments["data"]["rows"])
        if policy is None:
            return None
        return plan(arguments["size"], arguments["generations"], policy, ddof=1 if ddof == 1 else 0)
    except (InputError, KeyError):
        # A policy, or a size, of which theory expects nothing; or a policy that was described by
        # somebody else.
        return None


def _policy(described: Mapping[str, Any], human: int) -> Policy | None:
    """Make a policy of the package again from its description."""
    home, _, name = str(described["class"]).rpartition(".")
    if home != policies.__name__:
        return None
    if name == "Mix":
        # Whoever gave the fresh rows, theory knows them as fresh.
        return policies.Mix(described["real_fraction"], fresh=bool(described["fresh"]))
    if name == "Augment":
        real = human if described["real"] is None else described["real"]
        # Human rows of another data set are described, not counted.
        return policies.Augment(real) if isinstance(real, int) else None
    if name == "AccumulateSubsample":
        return policies.AccumulateSubsample(described["size"])
    if name == "Accumulate":
        return policies.Accumulate()
    return policies.Replace() if name == "Replace" else None

"""What theory expects of each generation of a run: curves for a learner under a policy.

A pure function of names and numbers, so that a saved run can be given its curves. Learners that
keep mean and covariance share one curve, :func:`tailwatch.recursion.theory.variance_kept`; for
others, and for policies that have no closed form (filters, policies of a user), there are no rows.

``theory`` is the expectation over runs **and** over human samples, so the first generation is
already below the human value: it was fitted to finitely many rows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.recursion.theory.accumulate import (
    accumulate_subsample_variance,
    accumulate_variance,
)
from tailwatch.recursion.theory.categories import types_expected
from tailwatch.recursion.theory.gaussian import replace_variance
from tailwatch.recursion.theory.mixing import fixed_real_variance, fresh_real_variance
from tailwatch.recursion.theory.regression import (
    regression_accumulate_risk,
    regression_replace_risk,
)
from tailwatch.recursion.theory.unseen_by_variance import kernel_density_variance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["SCHEMA", "predict"]

SCHEMA: dict[str, type[pl.DataType]] = {
    "generation": pl.Int64,
    "metric": pl.String,
    "theory": pl.Float64,
}
"""Columns of a prediction."""


def predict(
    learner_name: str,
    parameters: Mapping[str, Any],
    policy_name: str,
    policy_parameters: Mapping[str, Any],
    *,
    size: int,
    generations: int,
    rows: int | None = None,
    human: Mapping[str, float] | None = None,
    counts: Mapping[Any, int] | None = None,
) -> pl.DataFrame:
    """Give the expected curve of each metric that has a closed form.

    Parameters
    ----------
    learner_name, parameters
        Class of a learner that ships, and its fields: ``"Gaussian", {"ddof": 0}``.
    policy_name, policy_parameters
        Class of a policy that ships, and its fields: ``"Mix", {"real_fraction": 0.25, "fresh":
        False}``.
    size
        Rows that each generation samples.
    generations
        How many there are.
    rows
        Human rows that the first generation learns from; `size` by default.
    human
        Values of human data. Curves of ``variance``, ``total_variance`` and ``gini_simpson`` are
        multiplied by the one of their name, so that without it they are shares of the human value.
        ``noise`` (standard deviation of labels) and ``features`` are needed for the risk of
        ``LinearRegression``, ``total_variance`` and ``columns`` for ``KernelDensity``.
    counts
        Human counts of types, needed for ``types`` under ``Replace``.

    Returns
    -------
    polars.DataFrame
        Columns ``generation``, ``metric``, ``theory``; no rows where nothing has a closed form.

    Raises
    ------
    InputError
        Sizes out of range.

    Examples
    --------
    >>> from tailwatch.recursion.predictions import predict
    >>> frame = predict("Gaussian", {"ddof": 0}, "Replace", {}, size=100, generations=2)
    >>> frame.filter(metric="total_variance")["theory"].round(4).to_list()
    [0.99, 0.9801]
    """
    n, size = np.arange(1, integer(generations, "generations") + 1), integer(size, "size", least=2)
    first = size if rows is None else integer(rows, "rows", least=2)
    known = dict(human or {})
    find = LEARNERS.get(learner_name)
    curves: dict[str, Array] = {}
    if find is not None:
        curves = find(
            _Loop(n, first, size, policy_name, dict(policy_parameters)), dict(parameters), known
        )
    if learner_name == "Multinomial" and policy_name == "Replace" and counts and first == size:
        curves["types"] = np.asarray(types_expected(counts, size, n))
    frames = [
        pl.DataFrame({"generation": n, "metric": [metric] * len(n), "theory": curve}, schema=SCHEMA)
        for metric, curve in curves.items()
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames])


class _Loop:
    """Generations, rows and policy of a run."""

    def __init__(
        self, n: NDArray[np.int64], first: int, size: int, policy: str, fields: dict[str, Any]
    ) -> None:
        self.n, self.first, self.size = n, first, size
        self.policy, self.fields = policy, fields

    def variance(self, ddof: int) -> Array | None:
        """Share of the human variance that each model keeps, if the policy has a closed form."""
        n, first, size = self.n, self.first, self.size
        less: Any = ddof
        curve: Any = None
        if self.policy == "Replace":
            curve = replace_variance(n, size, first=first, ddof=less)
        elif self.policy == "Accumulate":
            curve = accumulate_variance(n, size, first=first, ddof=less)
        elif self.policy == "AccumulateSubsample":
            drawn = self.fields.get("size")
            curve = accumulate_subsample_variance(n, size, drawn=drawn, first=first, ddof=less)
        elif self.policy == "Mix":
            # As many human rows as the policy hands over: a whole number, at least one.
            real = min(max(1, int(self.fields["real_fraction"] * size + 0.5)), size)
            if self.fields.get("fresh"):
                start = size if self.fields["fresh"] is True else first
                curve = fresh_real_variance(n, size, real / size, first=start, ddof=less)
            elif real < size:
                curve = fixed_real_variance(n, real, size - real, first=first, ddof=less)
        elif self.policy == "Augment":
            kept = self.fields.get("real")
            if kept is None or isinstance(kept, int):
                real = first if kept is None else kept
                curve = fixed_real_variance(n, real, size, first=first, ddof=less)
        return None if curve is None else np.asarray(curve, dtype=np.float64)


def _keeps_moments(*metrics: str) -> Callable[..., dict[str, Array]]:
    """Learners whose samples have the mean and covariance of what they learnt from."""

    def curves(
        loop: _Loop, parameters: dict[str, Any], human: dict[str, float]
    ) -> dict[str, Array]:
        kept = loop.variance(int(parameters.get("ddof", 0)))
        bias = float(parameters.get("sampling_bias", 1.0))
        if kept is None or (bias != 1.0 and loop.policy != "Replace"):
            return {}
        # What a generation samples has one power of the bias more than what it has learnt.
        powers = {metric: loop.n - (metric == "variance") for metric in metrics}
        return {
            metric: kept * bias**power * human.get(metric, 1.0) for metric, power in powers.items()
        }

    return curves


def _kernel_density(
    loop: _Loop, parameters: dict[str, Any], human: dict[str, float]
) -> dict[str, Array]:
    if not {"total_variance", "columns"} <= set(human) or loop.first != loop.size:
        return {}
    policies: dict[str, Any] = {"Replace": "replace", "Accumulate": "accumulate"}
    if loop.policy not in policies:
        return {}
    whole = human["total_variance"]
    bandwidth = parameters["bandwidth"] * math.sqrt(human["columns"] / whole)
    density = np.asarray(
        kernel_density_variance(loop.n, loop.size, bandwidth, policy=policies[loop.policy])
    )
    # The points alone, without the kernel, are what the model calls its variance.
    return {"total_variance": density * whole, "variance": (density - bandwidth**2) * whole}


def _regression(
    loop: _Loop, parameters: dict[str, Any], human: dict[str, float]
) -> dict[str, Array]:
    if not {"noise", "features"} <= set(human):
        return {}
    of_labels, d = human["noise"] ** 2, int(human["features"])
    given = parameters.get("noise")
    of_samples = of_labels if given is None else float(given) ** 2
    if min(loop.first, loop.size) <= d + 1 or min(of_labels, of_samples) <= 0:
        return {}
    if loop.policy == "Replace" and parameters.get("design", "fresh") == "fresh":
        later = np.asarray(regression_replace_risk(loop.n, loop.size, d, noise=of_samples))
        start = float(regression_replace_risk(1, loop.first, d, noise=of_labels))
        return {"risk": of_labels + start + later - later[0]}
    same = loop.first == loop.size and of_samples == of_labels
    if loop.policy == "Accumulate" and parameters.get("design") == "reuse" and same:
        excess = regression_accumulate_risk(loop.n, loop.size, d, noise=of_labels)
        return {"risk": of_labels + np.asarray(excess)}
    return {}


LEARNERS: dict[str, Callable[..., dict[str, Array]]] = {
    "Gaussian": _keeps_moments("total_variance", "variance"),
    "Bootstrap": _keeps_moments("total_variance", "variance", "gini_simpson"),
    "Multinomial": _keeps_moments("gini_simpson"),
    "KernelDensity": _kernel_density,
    "LinearRegression": _regression,
}
"""What gives the curves of each learner that has closed forms."""

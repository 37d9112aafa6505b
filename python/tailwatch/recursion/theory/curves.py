"""What theory expects of each generation of a run: column ``theory`` of its frame.

Learners that keep mean and covariance share one curve, which the policy has
(:meth:`tailwatch.recursion.Policy.variance_kept`); for others, and for policies that have no closed
form, there are no rows. The expectation is over runs **and** over human samples, so the first
generation is already below the human value: it was fitted to finitely many rows.

Closed forms are in units of the human population, which is not known: in a run its variance is
taken to be the unbiased one of the human training rows, so that curves start where the run starts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.learners import (
    Bootstrap,
    Gaussian,
    KernelDensity,
    LinearRegression,
    Multinomial,
)
from tailwatch.recursion.policies import Accumulate, Replace
from tailwatch.recursion.theory.categories import types_expected
from tailwatch.recursion.theory.regression import (
    regression_accumulate_risk,
    regression_replace_risk,
)
from tailwatch.recursion.theory.universality import curve_of
from tailwatch.recursion.theory.unseen_by_variance import kernel_density_variance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.participants import Learner
    from tailwatch.recursion.policies import Policy
    from tailwatch.recursion.theory.fits import Ddof

    Array = NDArray[np.float64]

__all__ = ["SCHEMA", "Expectation", "predict"]

SCHEMA: dict[str, type[pl.DataType]] = {
    "generation": pl.Int64,
    "metric": pl.String,
    "theory": pl.Float64,
}
"""Columns of a prediction."""


# Of the samples fewer rows are compared than a generation learns from, and rows decide how many
# types there are.
OF_MODELS_ALONE = frozenset({"types"})


def predict(
    learner: Learner,
    policy: Policy,
    *,
    size: int,
    generations: int,
    rows: int | None = None,
    human: Mapping[str, float] | None = None,
    counts: Mapping[Any, int] | None = None,
) -> pl.DataFrame:
    """Return the expected curve of each metric that has a closed form.

    Parameters
    ----------
    learner, policy
        Who takes part in the loop. Learners of a user's own have no closed forms.
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
    >>> from tailwatch.recursion import Gaussian, Replace
    >>> from tailwatch.recursion.theory.curves import predict
    >>> frame = predict(Gaussian(), Replace(), size=100, generations=2)
    >>> frame.filter(metric="total_variance")["theory"].round(4).to_list()
    [0.99, 0.9801]
    """
    n, size = np.arange(1, integer(generations, "generations") + 1), integer(size, "size", least=2)
    first = size if rows is None else integer(rows, "rows", least=2)
    loop = _Setting(n, first, size, policy)
    find = LEARNERS.get(type(learner))
    curves = {} if find is None else find(loop, learner, dict(human or {}))
    if type(learner) is Multinomial and type(policy) is Replace and counts and first == size:
        curves["types"] = np.asarray(types_expected(counts, size, n))
    frames = [
        pl.DataFrame({"generation": n, "metric": [metric] * len(n), "theory": curve}, schema=SCHEMA)
        for metric, curve in curves.items()
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames])


class Expectation:
    """The curves of a run, by generation and metric.

    Parameters
    ----------
    learner, policy
        Who takes part.
    human
        Rows that the first generation may learn from.
    size, generations
        Of the run.
    """

    def __init__(
        self, learner: Learner, policy: Policy, human: Data, *, size: int, generations: int
    ) -> None:
        self._expected: dict[tuple[int, str], float] = {}
        rows = rows_of.length(human)
        if type(learner) not in LEARNERS or size < 2 or rows < 2:
            return
        counts = _counts(human)
        curves = predict(
            learner,
            policy,
            size=size,
            generations=generations,
            rows=rows,
            human=_human(learner, human),
            counts=counts,
        )
        self._expected = {
            (generation, metric): value for generation, metric, value in curves.iter_rows()
        }
        self._start_types(counts, generations)

    def _start_types(self, counts: Mapping[Any, int] | None, generations: int) -> None:
        """Let the curve of types start where the run starts, as the others do.

        Its population are the human rows themselves: the first generation has all of their types,
        and each next one a resampling less than theory counts fits.
        """
        curve = [self._expected.pop((n, "types"), None) for n in range(1, generations + 1)]
        if counts is None or curve[0] is None:
            return
        started = [float(len(counts)), *(value for value in curve if value is not None)]
        for number, value in zip(range(1, generations + 1), started, strict=False):
            self._expected[number, "types"] = value

    def fill(self, rows: Iterable[Row], generation: int) -> None:
        """Put the expectations beside the numbers of a generation."""
        if not self._expected:
            return
        for row in rows:
            metric = row["metric"]
            elsewhere = metric in OF_MODELS_ALONE and row["group"] != "parameter"
            if row.get("level") is None and not elsewhere:
                row["theory"] = self._expected.get((generation, metric))


class _Setting:
    """Generations, rows and policy of a run."""

    def __init__(self, n: NDArray[np.int64], first: int, size: int, policy: Policy) -> None:
        self.n, self.first, self.size, self.policy = n, first, size, policy

    def variance(self, ddof: Ddof) -> Array | None:
        """Share of the human variance that each model keeps, if the policy has a closed form."""
        return curve_of(self.policy, self.n, self.size, first=self.first, ddof=ddof)


def _keeps_moments(*metrics: str) -> Callable[..., dict[str, Array]]:
    """Learners whose samples have the mean and covariance of what they learnt from."""

    def curves(loop: _Setting, learner: Learner, human: dict[str, float]) -> dict[str, Array]:
        kept = loop.variance(getattr(learner, "ddof", 0))
        bias = float(getattr(learner, "sampling_bias", 1.0))
        if kept is None or (bias != 1.0 and type(loop.policy) is not Replace):
            return {}
        # What a generation samples has one power of the bias more than what it has learnt.
        powers = {metric: loop.n - (metric == "variance") for metric in metrics}
        return {
            metric: kept * bias**power * human.get(metric, 1.0) for metric, power in powers.items()
        }

    return curves


def _kernel_density(
    loop: _Setting, learner: KernelDensity, human: dict[str, float]
) -> dict[str, Array]:
    if not {"total_variance", "columns"} <= set(human) or loop.first != loop.size:
        return {}
    if type(loop.policy) not in {Replace, Accumulate}:
        return {}
    pool: Literal["replace", "accumulate"] = (
        "replace" if type(loop.policy) is Replace else "accumulate"
    )
    whole = human["total_variance"]
    bandwidth = learner.bandwidth * math.sqrt(human["columns"] / whole)
    density = np.asarray(kernel_density_variance(loop.n, loop.size, bandwidth, policy=pool))
    # The points alone, without the kernel, are what the model calls its variance.
    return {"total_variance": density * whole, "variance": (density - bandwidth**2) * whole}


def _regression(
    loop: _Setting, learner: LinearRegression, human: dict[str, float]
) -> dict[str, Array]:
    if not {"noise", "features"} <= set(human):
        return {}
    of_labels, d = human["noise"] ** 2, int(human["features"])
    of_samples = of_labels if learner.noise is None else float(learner.noise) ** 2
    if min(loop.first, loop.size) <= d + 1 or min(of_labels, of_samples) <= 0:
        return {}
    if type(loop.policy) is Replace and learner.design == "fresh":
        later = np.asarray(regression_replace_risk(loop.n, loop.size, d, noise=of_samples))
        start = float(regression_replace_risk(1, loop.first, d, noise=of_labels))
        return {"risk": of_labels + start + later - later[0]}
    same = loop.first == loop.size and of_samples == of_labels
    if type(loop.policy) is Accumulate and learner.design == "reuse" and same:
        excess = regression_accumulate_risk(loop.n, loop.size, d, noise=of_labels)
        return {"risk": of_labels + np.asarray(excess)}
    return {}


LEARNERS: dict[type, Callable[..., dict[str, Array]]] = {
    Gaussian: _keeps_moments("total_variance", "variance"),
    Bootstrap: _keeps_moments("total_variance", "variance", "gini_simpson"),
    Multinomial: _keeps_moments("gini_simpson"),
    KernelDensity: _kernel_density,
    LinearRegression: _regression,
}
"""What gives the curves of each learner that has closed forms."""


def _human(learner: Learner, human: Data) -> dict[str, float]:
    """Measure what the curves are in units of."""
    if rows_of.is_categorical(human):
        shares = pl.Series(human).value_counts()["count"].to_numpy() / len(human)
        return {"gini_simpson": float(1 - shares @ shares) * len(human) / (len(human) - 1)}
    if not isinstance(human, np.ndarray) or human.dtype.kind not in "iuf" or human.ndim > 2:
        return {}
    variance = float(human.var(axis=0, ddof=1).sum())
    columns = human.shape[1] if human.ndim == 2 else 1
    found = {"variance": variance, "total_variance": variance, "columns": float(columns)}
    if type(learner) is LinearRegression and columns > 1 and len(human) >= columns:
        fitted = LinearRegression().fit(human, rng=np.random.default_rng(0))
        found |= {"noise": fitted.noise, "features": float(columns - 1)}
    return {name: value for name, value in found.items() if value > 0}


def _counts(human: Data) -> dict[Any, int] | None:
    if not rows_of.is_categorical(human):
        return None
    return dict(pl.Series("type", human).value_counts().iter_rows())

"""What theory expects of the metrics of a run: column ``theory`` of its frame.

Closed forms are in units of the human population, which is not known: its variance is taken to be
the unbiased one of the human training rows, so that curves start where the run starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.recursion import data as rows_of
from tailwatch.recursion.predictions import predict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tailwatch.recursion.asked import Asked
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["Expectation"]

# Of the samples fewer rows are compared than a generation learns from, and rows decide how many
# types there are.
OF_MODELS_ALONE = frozenset({"types"})


class Expectation:
    """The curves of a run, by generation and metric.

    Parameters
    ----------
    asked
        The arguments of the run.
    """

    def __init__(self, asked: Asked) -> None:
        self._expected: dict[tuple[int, str], float] = {}
        if not (_ships(asked.learner) and _ships(asked.policy)) or asked.size < 2:
            return
        rows = rows_of.length(asked.human)
        if rows < 2:
            return
        curves = predict(
            type(asked.learner).__name__,
            vars(asked.learner),
            type(asked.policy).__name__,
            vars(asked.policy),
            size=asked.size,
            generations=asked.generations,
            rows=rows,
            human=_human(asked.learner, asked.human),
            counts=_counts(asked.human),
        )
        self._expected = {
            (generation, metric): value for generation, metric, value in curves.iter_rows()
        }
        self._start_types(asked)

    def _start_types(self, asked: Asked) -> None:
        """Let the curve of types start where the run starts, as the others do.

        Its population are the human rows themselves: the first generation has all of their types,
        and each next one a resampling less than theory counts fits.
        """
        curve = [self._expected.pop((n, "types"), None) for n in range(1, asked.generations + 1)]
        counts = _counts(asked.human)
        if counts is None or curve[0] is None:
            return
        started = [float(len(counts)), *(value for value in curve if value is not None)]
        for number, value in zip(range(1, asked.generations + 1), started, strict=False):
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


def _ships(given: object) -> bool:
    return type(given).__module__.startswith("tailwatch.recursion.")


def _human(learner: object, human: Data) -> dict[str, float]:
    """Measure what the curves are in units of."""
    if rows_of.is_categorical(human):
        shares = pl.Series(human).value_counts()["count"].to_numpy() / len(human)
        return {"gini_simpson": float(1 - shares @ shares) * len(human) / (len(human) - 1)}
    if not isinstance(human, np.ndarray) or human.dtype.kind not in "iuf" or human.ndim > 2:
        return {}
    variance = float(human.var(axis=0, ddof=1).sum())
    columns = human.shape[1] if human.ndim == 2 else 1
    found = {"variance": variance, "total_variance": variance, "columns": float(columns)}
    if type(learner).__name__ == "LinearRegression" and columns > 1 and len(human) >= columns:
        from tailwatch.recursion.learners.regression import LinearRegression

        fitted = LinearRegression().fit(human, rng=np.random.default_rng(0))
        found |= {"noise": fitted.noise, "features": float(columns - 1)}
    return {name: value for name, value in found.items() if value > 0}


def _counts(human: Data) -> dict[Any, int] | None:
    if not rows_of.is_categorical(human):
        return None
    return dict(pl.Series("type", human).value_counts().iter_rows())

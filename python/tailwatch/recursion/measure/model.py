"""What is measured of a model itself: its risks, and how much of its samples is copied.

**Risk**: on held-out human data, on its own training set, on earlier tasks. A model that has
``risk(data)`` returns either the mean loss, or the loss of each row. From losses there is an
interval, mean ± t · sd/√n, for the risk on the population that the rows are drawn from, the model
being given; a mean alone has none.

**Copies**: :func:`tailwatch.metrics.authenticity`, training set against samples, both cut at random
to ``max_rows`` if there is one. The interval is the binomial one (Wilson) for so many fresh samples
of this model, the training set being given. The null is that of held-out human rows against the
human rows of the first training set, with its own interval; there is none if nothing was held out.
Below the null, a model copies what it learnt from: overfitting.

**Entropy of the training set**: :func:`tailwatch.metrics.knn_entropy` of the same training rows, k
= 5, in as many dimensions as there are columns. It falls where what is learnt from draws together,
and compares among generations that learn from equally many rows. It costs one search within them,
as half of authenticity does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.comparison.intervals import ratio_of
from tailwatch.distributions import t_quantile, wilson_interval
from tailwatch.exceptions import InputError
from tailwatch.metrics import authenticity, knn_entropy
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import joined
from tailwatch.recursion.measure import are_same, as_vectors
from tailwatch.recursion.participants import asking
from tailwatch.recursion.randomness import generator
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailwatch.comparison.intervals import Triple
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.history import Fit
    from tailwatch.recursion.request import LoopRequest

__all__ = ["Copies", "mean_with_interval", "risks_of"]

NEIGHBOUR = 5
"""That the distances of an entropy reach to."""

ATOM = f"more than {NEIGHBOUR} rows are equal: a law with an atom has no entropy"


def risks_of(
    model: Any,  # noqa: ANN401  (what a learner fitted)
    *,
    held_out: Data,
    training: Data,
    earlier: Mapping[str, Data],
    confidence: float,
    remark: str | None = None,
) -> list[Row]:
    """Measure the risks of a model, if it has any.

    Parameters
    ----------
    model
        What a learner fitted.
    held_out
        Human data.
    training
        What the model learnt from.
    earlier
        Human data of tasks that were learnt before, by name.
    confidence
        Of the intervals.
    remark
        What to say of the held-out data, if they are not held out.
    """
    if not callable(getattr(model, "risk", None)):
        return []
    asked = {"risk": (held_out, remark), "training_risk": (training, None)}
    asked |= {f"earlier_risk:{name}": (data, None) for name, data in earlier.items()}
    rows = []
    for metric, (data, said) in asked.items():
        with asking(model, "model.risk"):
            losses = model.risk(data)
        value, low, high, reason = mean_with_interval(losses, confidence, data)
        rows.append(
            {
                "group": "risk",
                "metric": metric,
                # Not a number: the data have nothing that could be lost.
                "value": None if math.isnan(value) else value,
                "low": low,
                "high": high,
                "direction": "lower",
                "n_reference": rows_of.length(data),
                "method": None if reason else "mean of rows, t interval, the model being given",
                "reason": joined(reason, said),
            }
        )
    return rows


def mean_with_interval(
    losses: Any,  # noqa: ANN401  (checked here)
    confidence: float,
    data: Data,
) -> tuple[float, float | None, float | None, str | None]:
    """Return the mean loss and its interval, or why there is none."""
    rows = rows_of.length(data)
    expected = f"a number or one loss for each of {rows} rows"
    try:
        values = np.asarray(losses, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        got = shown(losses)
        raise InputError(argument="model.risk", expected=expected, got=got) from error
    if values.ndim > 1 or (values.ndim == 1 and len(values) != rows):
        got = f"an array of shape {values.shape}"
        raise InputError(argument="model.risk", expected=expected, got=got)
    mean = float(values.mean())
    if not values.ndim:
        return mean, None, None, "the model gives the mean loss alone"
    if rows < 2 or not np.isfinite(values).all():
        return mean, None, None, "one row, or losses that are not finite"
    reach = t_quantile((1 + confidence) / 2, rows - 1) * float(values.std(ddof=1)) / rows**0.5
    return mean, mean - reach, mean + reach, None


class Copies:
    """Measures authenticity and the training set by generation; the null is measured once.

    Parameters
    ----------
    request
        The arguments of the run.
    """

    def __init__(self, request: LoopRequest) -> None:
        self._request = request
        self._human: Any = None
        self._null: Triple | None = None

    def rows(self, fit: Fit, embed: Callable[[Data], Any] | None, settings: Settings) -> list[Row]:
        """Measure the samples of a generation, as its model embeds them if it does."""
        training, samples = (
            self._cut(data if embed is None else embed(data))
            for data in (fit.training, fit.samples)
        )
        if training is None or samples is None or len(training) < 2:
            return []
        value = self._share(training, samples, settings)
        null: tuple[float | None, ...] = (None, None, None)
        kept: tuple[float | None, ...] = (None, None, None)
        if self._request.held_out:
            null = self._of_human(embed, settings)
            kept = ratio_of(value, null)
        names = ("value", "low", "high", "null", "null_low", "null_high")
        retention = ("retention", "retention_low", "retention_high")
        return [
            {
                "group": "panel",
                "metric": "authenticity",
                **dict(zip(names, (*value, *null), strict=True)),
                **dict(zip(retention, kept, strict=True)),
                "direction": "match",
                "n_reference": len(training),
                "n_candidate": len(samples),
                "method": "binomial (Wilson), the training set being given",
            },
            *_entropy_of(training, settings),
        ]

    def _of_human(self, embed: Callable[[Data], Any] | None, settings: Settings) -> Triple:
        """Return the null."""
        human, fresh = (
            data if embed is None else embed(data)
            for data in (self._request.human, self._request.reference)
        )
        # A model that embeds may do so in its own way in each generation.
        known = self._human is not None and all(map(are_same, self._human, (human, fresh)))
        if self._null is None or not known:
            self._human = human, fresh
            self._null = self._share(self._cut(human), self._cut(fresh), settings)
        return self._null

    def _cut(self, data: Data) -> Any:  # noqa: ANN401  (vectors of any form)
        vectors = as_vectors(data)
        most = None if self._request.comparison is None else self._request.comparison.max_rows
        if vectors is None or most is None or len(vectors) <= most:
            return vectors
        rng = generator(self._request.seed, 0, "panel")
        return vectors[np.sort(rng.choice(len(vectors), most, replace=False, shuffle=False))]

    def _share(self, training: Any, candidate: Any, settings: Settings) -> Triple:  # noqa: ANN401
        found = authenticity(
            training, candidate, threads=settings["threads"], progress=settings["progress"]
        )
        count = round(found * len(candidate))
        return found, *wilson_interval(count, len(candidate), self._request.confidence)


def _entropy_of(training: Any, settings: Settings) -> list[Row]:  # noqa: ANN401  (of any form)
    """Measure the entropy of the rows that a generation learnt from, if they are enough."""
    if len(training) <= NEIGHBOUR:
        return []
    entropy = knn_entropy(
        training, k=NEIGHBOUR, threads=settings["threads"], progress=settings["progress"]
    )
    known = math.isfinite(entropy)
    return [
        {
            "group": "loop",
            "metric": "training_entropy",
            "value": entropy if known else None,
            "direction": "none",
            "n_candidate": len(training),
            "reason": "an estimate without an interval" if known else ATOM,
        }
    ]

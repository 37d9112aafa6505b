"""How much of the samples is no copy of what their own generation learnt from.

Of :func:`tailwatch.metrics.authenticity`, training set against samples, both cut at random to
``max_rows`` if there is one. The interval is the binomial one (Wilson) for so many fresh samples of
this model, the training set being given. The null is that of held-out human rows against the human
rows of the first training set, with its own interval; there is none if nothing was held out.

Below the null, a model copies what it learnt from: overfitting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.comparison.intervals import ratio_of
from tailwatch.distributions import wilson_interval
from tailwatch.metrics import authenticity
from tailwatch.recursion.measure import are_same, as_vectors
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.comparison.intervals import Triple
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.history import Fit
    from tailwatch.recursion.request import LoopRequest

__all__ = ["Copies"]


class Copies:
    """Measures authenticity by generation; the null is measured once.

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
            }
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

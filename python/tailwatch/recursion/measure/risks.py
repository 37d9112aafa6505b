"""The risk of a model: on held-out human data, on its own training set, on earlier tasks.

A model that has ``risk(data)`` returns either the mean loss, or the loss of each row. From losses
there is an interval, mean ± t · sd/√n, for the risk on the population that the rows are drawn from,
the model being given; a mean alone has none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.distributions import t_quantile
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import joined
from tailwatch.recursion.participants import asking
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["mean_with_interval", "risks_of"]


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

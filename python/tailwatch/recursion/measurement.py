"""All that is measured of one generation, as rows of the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.comparison.samples import LEAST_ROWS
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import rows_from
from tailwatch.recursion.panel import as_vectors, compare_vectors
from tailwatch.recursion.risks import risks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.recursion.asked import Asked
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.history import Portion
    from tailwatch.recursion.protocols import Data
    from tailwatch.running import Settings

__all__ = ["check_measurable", "measure"]

NOT_HELD_OUT = "; human data are the training data: nothing was held out"


def check_measurable(asked: Asked) -> None:
    """Refuse too few rows for the panel before anything is learnt."""
    if asked.request is None or as_vectors(asked.reference) is None:
        return
    rows = rows_of.length(asked.reference)
    for name, got, least in (
        ("holdout" if asked.held_out else "data", rows, 2 * LEAST_ROWS),
        ("size", asked.size, LEAST_ROWS),
    ):
        if got < least:
            message = (
                f"{name}: expected at least {least} rows to compare, got {got} (metrics=() measures "
                "nothing)"
            )
            raise InputError(message)


def measure(
    asked: Asked,
    model: Any,  # noqa: ANN401  (what a learner fitted)
    samples: Data,
    training: Data,
    portions: Sequence[Portion],
    settings: Settings,
) -> list[Row]:
    """Measure one generation.

    Parameters
    ----------
    asked
        The arguments of the run.
    model, samples
        What the generation learnt, and what it sampled.
    training, portions
        What it learnt from, and where that came from.
    settings
        Threads and progress.

    Returns
    -------
    list of dict
        Rows of the frame, in the order of its groups.
    """
    rows: list[Row] = []
    if asked.request is not None:
        rows += _of_samples(asked, model, samples, settings)
        rows += risks_of(
            model,
            held_out=asked.reference,
            training=training,
            earlier=asked.earlier,
            confidence=asked.confidence,
            method="" if asked.held_out else NOT_HELD_OUT,
        )
    rows += _parameters(model)
    if asked.request is not None and callable(getattr(model, "measure", None)):
        found = model.measure(asked.reference, samples)
        rows += rows_from(found, "model", "model.measure")
    return rows + _of_training(portions)


def _of_samples(asked: Asked, model: Any, samples: Data, settings: Settings) -> list[Row]:  # noqa: ANN401
    embed = getattr(model, "embed", None)
    reference = asked.reference
    if callable(embed):
        reference, samples = embed(reference), embed(samples)
    x, y = as_vectors(reference), as_vectors(samples)
    if x is None or y is None or asked.request is None:
        return []
    rows = compare_vectors(x, y, asked.request, settings)
    if not asked.held_out:
        for row in rows:
            row["method"] += NOT_HELD_OUT
    return rows


def _parameters(model: Any) -> list[Row]:  # noqa: ANN401
    if not callable(getattr(model, "parameters", None)):
        return []
    found = model.parameters()
    if not isinstance(found, dict):
        message = f"model.parameters: expected a dict of numbers, got {type(found).__name__}"
        raise InputError(message)
    rows: list[Row] = []
    for name, value in found.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            message = f"model.parameters: expected a number for {name!r}, got {value!r}"
            raise InputError(message) from None
        rows.append(
            {
                "group": "parameter",
                "metric": str(name),
                "value": number,
                "direction": "none",
                "method": "no interval: what the model holds, exactly",
            }
        )
    return rows


def _of_training(portions: Sequence[Portion]) -> list[Row]:
    counts = {True: 0, False: 0}
    for portion in portions:
        counts[portion.origin == 0] += len(portion)
    total = counts[True] + counts[False]
    values = {"human_fraction": counts[True] / total, "training_rows": float(total)}
    return [
        {
            "group": "loop",
            "metric": metric,
            "value": value,
            "direction": "none",
            "method": "no interval: counted",
        }
        for metric, value in values.items()
    ]

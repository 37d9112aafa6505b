"""All that is measured of a generation, as rows of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailwatch.comparison.halves import LEAST_ROWS
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.frame import GROUPS, joined, rows_from
from tailwatch.recursion.history import HUMAN
from tailwatch.recursion.measure import HumanComparison, as_vectors
from tailwatch.recursion.measure.model import Copies, risks_of
from tailwatch.recursion.participants import asking
from tailwatch.recursion.theory.curves import Expectation
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row
    from tailwatch.recursion.history import Fit
    from tailwatch.recursion.request import LoopRequest

__all__ = ["Measurement"]

NOT_HELD_OUT = "human data are the training data: nothing was held out"


@dataclass(frozen=True, eq=False)
class Measurement:
    """Measures the generations of a run.

    Attributes
    ----------
    request
        The arguments of the run.
    """

    request: LoopRequest

    def check(self) -> None:
        """Refuse too few rows for the panel before anything is learnt."""
        request = self.request
        if request.comparison is None:
            return
        is_vectors = as_vectors(request.reference) is not None
        least = LEAST_ROWS if is_vectors else 2
        for name, got, needed in (
            (
                "holdout" if request.held_out else "data",
                rows_of.length(request.reference),
                2 * least,
            ),
            ("size", request.size, least),
        ):
            if got < needed:
                raise InputError(
                    argument=name,
                    expected=f"at least {needed} rows to compare",
                    got=str(got),
                    hint="without metrics nothing is measured",
                )

    def rows(self, generation: int, fit: Fit, settings: Settings) -> list[Row]:
        """Measure one generation; the rows come in the order of the frame's groups."""
        rows: list[Row] = []
        if self.request.comparison is not None:
            rows += self._of_samples(fit, settings)
            rows += risks_of(
                fit.model,
                held_out=self.request.reference,
                training=fit.training,
                earlier=self.request.earlier,
                confidence=self.request.confidence,
                remark=None if self.request.held_out else NOT_HELD_OUT,
            )
        rows += _parameters(fit.model)
        if self.request.comparison is not None and callable(getattr(fit.model, "measure", None)):
            with asking(fit.model, "model.measure"):
                found = fit.model.measure(self.request.reference, fit.samples)
            rows += rows_from(found, "model", "model.measure")
        rows += _counted(fit)
        # What is of the training set was measured with the samples.
        rows.sort(key=lambda row: GROUPS.index(row["group"]))
        self._expectation.fill(rows, generation)
        return rows

    @cached_property
    def _expectation(self) -> Expectation:
        """What theory expects."""
        request = self.request
        return Expectation(
            request.learner,
            request.policy,
            request.human,
            size=request.size,
            generations=request.generations,
        )

    @cached_property
    def _copies(self) -> Copies | None:
        """What tells copies of the training set, if that was asked for."""
        return Copies(self.request) if "authenticity" in self.request.names else None

    @cached_property
    def _panel(self) -> HumanComparison | None:
        """What compares samples with human data, if that was asked for."""
        return None if self.request.comparison is None else HumanComparison(self.request.comparison)

    def _of_samples(self, fit: Fit, settings: Settings) -> list[Row]:
        if self._panel is None:
            return []
        embed = _embed(fit.model)
        reference, samples = self.request.reference, fit.samples
        if embed is not None:
            reference, samples = embed(reference), embed(samples)
        rows = self._panel.rows(reference, samples, settings)
        if not self.request.held_out:
            for row in rows:
                row["reason"] = joined(row.get("reason"), NOT_HELD_OUT)
        if rows and self._copies is not None:
            rows += self._copies.rows(fit, embed, settings)
        return rows


def _embed(model: Any) -> Callable[[Data], Any] | None:  # noqa: ANN401  (what a learner fitted)
    if not callable(getattr(model, "embed", None)):
        return None

    def embed(data: Data) -> Any:  # noqa: ANN401  (vectors of any form)
        with asking(model, "model.embed"):
            return model.embed(data)

    return embed


def _parameters(model: Any) -> list[Row]:  # noqa: ANN401  (what a learner fitted)
    if not callable(getattr(model, "parameters", None)):
        return []
    with asking(model, "model.parameters"):
        found = model.parameters()
    if not isinstance(found, dict):
        got = type(found).__name__
        raise InputError(argument="model.parameters", expected="a dict of numbers", got=got)
    rows: list[Row] = []
    for name, value in found.items():
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise InputError(
                argument="model.parameters",
                expected=f"a number for {shown(name)}",
                got=shown(value),
            ) from None
        rows.append(
            {
                "group": "parameter",
                "metric": str(name),
                "value": number,
                "direction": "none",
                "reason": "what the model holds, exactly",
            }
        )
    return rows


def _counted(fit: Fit) -> list[Row]:
    total = sum(map(len, fit.portions))
    human = sum(len(portion) for portion in fit.portions if portion.origin == HUMAN)
    # Data that know the origin of their rows may not know it of all.
    origins = getattr(fit.training, "origins", None)
    unknown = origins().get("unknown", 0) if callable(origins) else 0
    values = {"human_fraction": None if unknown else human / total, "training_rows": float(total)}
    reasons = {}
    if unknown:
        values["unknown_fraction"] = unknown / total
        reasons["human_fraction"] = f"{unknown} of {total} rows are of unknown origin"
    return [
        {
            "group": "loop",
            "metric": metric,
            "value": value,
            "direction": "none",
            "reason": reasons.get(metric, "counted"),
        }
        for metric, value in values.items()
    ]

"""From the summary of classes to readings: what decided about the tails of each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.report.labels import Label
from tailwatch.report.numbers import Estimate
from tailwatch.report.readings import Reading, Status
from tailwatch.text_form import shortened, visible

if TYPE_CHECKING:
    import polars as pl

__all__ = ["STATUSES", "ClassReading", "read_classes"]

STATUSES: dict[str, Status] = {"lost": "worse", "widened": "beyond", "no change found": "same"}


@dataclass(frozen=True, slots=True)
class ClassReading(Reading):
    """A class in the place of a metric; its retention is the number that decided."""

    verdict: str

    @property
    def label(self) -> Label:
        """The class."""
        return Label(self.metric, "tails", "", "")

    @property
    def status(self) -> Status:
        """What was judged over all classes, not what the interval alone would say."""
        return STATUSES[self.verdict]


def read_classes(classes: pl.DataFrame, longest: int) -> list[ClassReading]:
    """Return a reading per class that was judged, in the order of the summary.

    Parameters
    ----------
    classes
        The summary of a comparison by class.
    longest
        Letters that a name may have.
    """
    missing = Estimate(None)
    return [
        ClassReading(
            metric=shortened(visible(row["class"]), longest),
            level=None,
            direction="match",
            value=missing,
            null=missing,
            standard_error=None,
            retention=Estimate(row["value"], row["low"], row["high"]),
            value_all=None,
            n_reference=row["reference_rows"],
            n_candidate=row["candidate_rows"],
            method=None,
            reason=None,
            verdict=row["verdict"],
        )
        for row in classes.to_dicts()
        if row["verdict"] in STATUSES
    ]

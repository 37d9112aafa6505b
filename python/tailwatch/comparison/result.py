"""The result of a comparison: a frame, how it was made, and ways to keep and show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.sentence import sentence_of
from tailwatch.results import Result

if TYPE_CHECKING:
    import polars as pl
    from altair import LayerChart, VConcatChart

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparison(Result):
    """How far a candidate has moved from the human reference, and what became of its tails.

    Attributes
    ----------
    frame
        One row per metric and level; its columns are the attributes of
        :class:`tailwatch.comparison.frame.Row`: ``value`` is metric(A, C) and ``null`` is metric(A,
        B), for halves A and B of the reference and C of the candidate, each with an interval;
        ``retention`` is value / null, or for divergences (``direction`` "lower") (value − null) in
        standard errors of the null; ``value_all`` is the metric on all rows. ``method`` says how
        intervals were made, or ``reason`` why there is none.
    run
        What was run: sources, arguments, rows used, versions, time.
    """

    KIND = "comparison"
    TABLES: ClassVar = {"frame": SCHEMA}

    frame: pl.DataFrame
    run: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return sentence_of(self.frame)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.comparison import comparison_page

        return comparison_page(self.frame, self.run, self.sentence, LABELS)

    def plot(self) -> LayerChart | VConcatChart:
        """Return what each metric retains as an Altair chart, to look at and to change.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Raises
        ------
        MissingDependencyError
            Altair is not installed.
        """
        from tailwatch.report.altair_charts import plot_comparison

        return plot_comparison(self.frame, LABELS)

    def _repr_html_(self) -> str:
        from tailwatch.report.comparison import comparison_fragment

        return comparison_fragment(self.frame, self.run, self.sentence, LABELS)

    def _document(self) -> dict[str, Any]:
        return {"sentence": self.sentence, "run": self.run, "frame": self.frame}

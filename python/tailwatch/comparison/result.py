"""The result of a comparison: a frame, how it was made, and ways to keep and show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailwatch.comparison.saving import records, save, to_json
from tailwatch.comparison.sentence import sentence_of

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import polars as pl

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparison:
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

    frame: pl.DataFrame
    run: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return sentence_of(self.frame)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the comparison to a file; the suffix says which form.

        Parameters
        ----------
        path
            ``.html`` for the report page, ``.parquet`` or ``.csv`` for the frame, ``.json`` for
            all: ``sentence``, ``run`` and ``frame``. The file appears whole or not at all.

        Returns
        -------
        pathlib.Path
            The path that was written.

        Raises
        ------
        InputError
            Another suffix.
        OSError
            The file cannot be written.
        """
        return save(self, path)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.comparison import comparison_page

        return comparison_page(self.frame, self.run, self.sentence)

    def to_json(self) -> str:
        """Return sentence, run and frame as one JSON object; what is not finite is null."""
        return to_json({"sentence": self.sentence, "run": self.run, "frame": records(self.frame)})

    def _repr_html_(self) -> str:
        from tailwatch.report.comparison import comparison_fragment

        return comparison_fragment(self.frame, self.run, self.sentence)

    def __repr__(self) -> str:
        """Say the finding and show the frame."""
        return f"{self.sentence}\n{self.frame}"

"""What a job over a data set found, and whether a limit is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import polars as pl

from tailwatch.arguments import share as checked_share
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.prevalence import Prevalence
from tailwatch.exceptions import ShardError
from tailwatch.results import Result
from tailwatch.text_form import path_of, path_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

__all__ = ["ContaminationReport", "Failure", "Gate", "raise_failures"]

Gate = Literal["kept", "exceeded", "open"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard that could not be scored, and why."""

    shard: str
    reason: str


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ContaminationReport(Result):
    """What :meth:`ContaminationModel.score_dataset` found.

    Attributes
    ----------
    directory
        The output folder: ``shards/``, ``summary.json``, ``report.html``.
    prevalence
        The share of synthetic rows in the shards that were scored.
    failures
        The others.
    summary
        The content of ``summary.json``.
    page_problem
        Why there is no ``report.html``, if there is none.
    """

    KIND = "contamination report"
    TABLES: ClassVar = {}

    directory: Path
    prevalence: Prevalence
    failures: tuple[Failure, ...]
    summary: dict[str, Any]
    page_problem: str | None = None

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Files of the source that are no shards: ``reason``, number of ``files``, ``names``."""
        return list(self.summary["source"]["left_out"])

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        return str(self.summary["sentence"])

    @property
    def frame(self) -> pl.DataFrame:
        """Shards that were scored: ``shard``, ``rows``, ``share`` (mean probability)."""
        schema = {"shard": pl.String, "rows": pl.Int64, "share": pl.Float64}
        shards = self.summary["shards"]
        return pl.DataFrame({name: [each[name] for each in shards] for name in schema}, schema)

    def gate(self, limit: float) -> Gate:
        """Tell whether the share of synthetic rows keeps within a limit.

        Parameters
        ----------
        limit
            The largest share that is allowed, from 0 to below 1.

        Returns
        -------
        str
            ``"exceeded"`` if the whole interval lies above the limit, ``"kept"`` if none of it
            does, ``"open"`` if the limit is within.
        """
        limit = 0.0 if limit == 0 else checked_share(limit, "limit")
        if self.prevalence.low > limit:
            return "exceeded"
        return "kept" if self.prevalence.high <= limit else "open"

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.contamination import contamination_page

        return contamination_page(self.summary)

    def _repr_html_(self) -> str:
        from tailwatch.report.contamination import contamination_fragment

        return contamination_fragment(self.summary)

    def _document(self) -> dict[str, Any]:
        return self.summary

    def _parts(self) -> dict[str, Any]:
        return {
            "directory": path_text(self.directory),
            "prevalence": self.prevalence.to_plain(),
            "histogram": self.prevalence.histogram.to_bytes(),
            "failures": [[failure.shard, failure.reason] for failure in self.failures],
            "summary": self.summary,
            "page_problem": self.page_problem,
        }

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        histogram = Histogram.from_bytes(parts["histogram"])
        return cls(
            path_of(parts["directory"]),
            Prevalence.of_plain(parts["prevalence"], histogram),
            tuple(Failure(*each) for each in parts["failures"]),
            parts["summary"],
            parts["page_problem"],
        )


def raise_failures(
    failures: Sequence[Failure], shards: int, result: ContaminationReport | None
) -> None:
    """Raise an error that names the first of the shards that failed, if any did."""
    if not failures:
        return
    named = [f"{failure.shard}: {failure.reason}" for failure in failures[:3]]
    named += [f"and {len(failures) - 3} more"] if len(failures) > 3 else []
    msg = f"{len(failures)} of {shards} shards could not be scored: {'; '.join(named)}"
    raise ShardError(
        msg,
        result,
        argument="source",
        expected="shards that can be scored",
        got=f"{len(failures)} of {shards} that cannot",
        where=failures[0].shard,
    )

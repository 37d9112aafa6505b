"""What a job over a data set found, and whether a limit is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from tailwatch.arguments import share as checked_share
from tailwatch.exceptions import ShardError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tailwatch.contamination.prevalence import Prevalence

__all__ = ["ContaminationReport", "Failure", "Gate", "raise_failures"]

Gate = Literal["kept", "exceeded", "open"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard that could not be scored, and why."""

    shard: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContaminationReport:
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

    directory: Path
    prevalence: Prevalence
    failures: tuple[Failure, ...]
    summary: dict[str, Any] = field(repr=False)
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

    def to_json(self) -> str:
        """Give :attr:`summary` as JSON text."""
        return json.dumps(self.summary, indent=1, allow_nan=False) + "\n"

    def to_html(self) -> str:
        """Give the page: one document without script that loads nothing."""
        from tailwatch.report.contamination import contamination_page

        return contamination_page(self.summary)


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

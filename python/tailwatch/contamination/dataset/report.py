"""What a job over a data set found: its summary, its sentence, and whether a limit is kept.

The summary is the content of ``summary.json``; ``docs/reference/schemas.md`` has each field.
Numbers that are not known are null, in JSON as here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from tailwatch.contamination.groups import GroupShares
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.prevalence import Gate, Prevalence
from tailwatch.exceptions import ShardError
from tailwatch.report.words import NARROW_SPACE, Number, written_shares
from tailwatch.results import Result, plain
from tailwatch.text_form import path_of, path_text, shortened, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from altair import LayerChart

    from tailwatch.contamination.dataset.copies import CopyCounts
    from tailwatch.contamination.model_file import ModelState
    from tailwatch.contamination.rows import RowTable

__all__ = [
    "SELECTED_AT",
    "ContaminationReport",
    "Failure",
    "ShardSummary",
    "raise_failures",
    "sentence_of",
    "summarize",
]

SELECTED_AT = 0.05
"""The q-value up to which rows are counted as found."""

_NAMED, _LONGEST_NAME = 5, 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A shard that could not be scored, and why."""

    shard: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """What is said of a shard: its rows, the mean of their probabilities, and its table."""

    shard: str
    rows: int
    share: float
    table: str


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

    @property
    def groups(self) -> pl.DataFrame | None:
        """Share of each group (:class:`GroupShares`); None where that was not asked for."""
        found = self.prevalence.groups
        return None if found is None else found.frame

    def gate(self, limit: float) -> Gate:
        """Return whether the share of synthetic rows keeps within a limit, in each group too.

        Parameters
        ----------
        limit
            The largest share that is allowed, from 0 to below 1.

        Returns
        -------
        str
            ``"exceeded"`` if the whole interval lies above the limit and the share is more than
            human rows alone give, or there is a group in :meth:`groups_above`; else ``"kept"`` if
            none of the interval lies above; ``"open"`` if the limit is within, or human rows alone
            give as much.
        """
        return self.prevalence.against(limit).state

    def groups_above(self, limit: float) -> pl.DataFrame:
        """Return the groups above a limit, at a false-discovery rate of 1 − confidence.

        Parameters
        ----------
        limit
            The largest share that is allowed, from 0 to below 1.

        Returns
        -------
        polars.DataFrame
            The rows of :attr:`groups` with p- and q-values of this limit, those above alone, and
            above what human rows alone give; no row where there are no groups.
        """
        return self.prevalence.against(limit).groups

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.contamination import contamination_page

        return contamination_page(self.summary)

    def plot(self) -> LayerChart:
        """Return the scores of references and target as an Altair chart.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Raises
        ------
        MissingDependencyError
            Altair is not installed.
        """
        from tailwatch.report.altair_charts import plot_scores

        return plot_scores(self.summary["histogram"])

    def _repr_html_(self) -> str:
        from tailwatch.report.contamination import contamination_fragment

        return contamination_fragment(self.summary)

    def _document(self) -> dict[str, Any]:
        return self.summary

    def _parts(self) -> dict[str, Any]:
        groups = self.prevalence.groups
        return {
            "directory": path_text(self.directory),
            "prevalence": self.prevalence.to_plain(),
            "histogram": self.prevalence.histogram.to_bytes(),
            "groups": None if groups is None else groups.to_plain(),
            "failures": [[failure.shard, failure.reason] for failure in self.failures],
            "summary": self.summary,
            "page_problem": self.page_problem,
        }

    @classmethod
    def _of_parts(cls, parts: dict[str, Any]) -> Self:
        histogram = Histogram.from_bytes(parts["histogram"])
        groups = None if parts["groups"] is None else GroupShares.of_plain(parts["groups"])
        return cls(
            path_of(parts["directory"]),
            Prevalence.of_plain(parts["prevalence"], histogram, groups),
            tuple(Failure(*each) for each in parts["failures"]),
            parts["summary"],
            parts["page_problem"],
        )


def summarize(
    state: ModelState,
    found: Prevalence,
    table: RowTable,
    shards: Sequence[ShardSummary],
    *,
    surest: Sequence[dict[str, Any]],
    copies: CopyCounts,
    failures: Sequence[Failure],
    notes: Sequence[str],
    source: dict[str, Any],
) -> dict[str, Any]:
    """Return all that is known of a data set as plain numbers and text."""
    ranks = found.histogram.ranks
    selected = int(ranks[table.q_values <= SELECTED_AT].sum())
    return {
        "format": "tailwatch-contamination",
        "version": 1,
        "tailwatch": version("tailwatch"),
        "sentence": " ".join([sentence_of(found), *_said_of_groups(found)]),
        "finding": found.finding,
        "prevalence": found.to_plain(),
        "groups": None if found.groups is None else found.groups.summary(),
        "selected": {"q_value": SELECTED_AT, "rows": selected},
        "surest": list(surest),
        "copies": plain(copies),
        "histogram": {
            "edges": [float(edge) for edge in state.edges],
            "human": state.human.sum(axis=0).tolist(),
            "synthetic": None if state.human_only else state.synthetic.tolist(),
            "target": found.histogram.bins.tolist(),
            "probability": table.probabilities.tolist(),
        },
        "model": {
            "fingerprint": found.histogram.fingerprint,
            "columns": state.probe.columns,
            "encoder": state.encoder,
            "strata": list(state.strata),
        },
        "source": source | {"shards": len(shards) + len(failures)},
        "warnings": list(notes),
        "failures": [asdict(failure) for failure in failures],
        "shards": [plain(shard) for shard in shards],
    }


def sentence_of(found: Prevalence) -> str:
    """Return the result in words: the share, its interval, and what human rows alone would give."""
    sure = f"{100 * found.confidence:g} % confidence"
    rows, are = ("only row", "is") if found.n == 1 else (f"{found.n:,} rows", "are")
    value, low, high = _percents(found.value, found.low, found.high)
    (least,), (human,) = _percents(found.low), _percents(found.null_floor.limit)
    if found.method == "lower bound":
        if found.finding == "found":
            return f"At least {least} of the {rows} {are} not human, with {sure}."
        nothing = f"nothing shows that any of the {rows} is synthetic"
        if found.low <= 0:
            return f"With {sure} {nothing}."
        return (
            f"{nothing.capitalize()}: at least {least} differ from the human reference, with "
            f"{sure}, and human rows held out do so up to {human}."
        )
    if found.finding == "cannot tell":
        return f"What share of the {rows} is synthetic cannot be told."
    by_labels = "" if found.audit is None else f", by {found.audit.rows:,} verified labels"
    span = f"between {low} and {high}, with {sure}{by_labels}"
    alone = "" if found.audit is not None else f"; human rows alone give up to {human}"
    if found.finding == "not found":
        return (
            f"The share of synthetic rows among the {found.n:,} cannot be told from none: {value} "
            f"is estimated, {span}{alone}."
        )
    said = f"{value} of the {rows} {are} synthetic: {span}."
    return said if found.audit is not None else f"{said} Human rows alone give at most {human}."


def _said_of_groups(found: Prevalence) -> Iterator[str]:
    """Yield what is said of the groups, if there are any."""
    if found.groups is None:
        return
    frame, by = found.groups.frame, visible(found.groups.by)
    above = frame.filter("above")["group"]
    if not found.groups.ordered:
        above = frame.filter("above").sort("value", "group", descending=[True, False])["group"]
    beyond = "above what human rows alone give"
    if not len(above):
        none = f"None of {len(frame):,} groups by {by} is" if len(frame) > 1 else None
        yield f"{none or f'The only group by {by} is not'} found {beyond}."
        return
    among = f"{len(above):,} of {len(frame):,} groups by {by} {'lie' if len(above) > 1 else 'lies'}"
    among = f"{among if len(frame) > 1 else f'The only group by {by} lies'} {beyond}"
    named = [visible(shortened(name, _LONGEST_NAME)) for name in above[:_NAMED]]
    named += [f"and {len(above) - _NAMED:,} more"] if len(above) > _NAMED else []
    said = f"{among}: {', '.join(named)}."
    yield f"Yet {said}" if found.finding == "not found" else said


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
        where=named[0],
    )


def _percents(*shares: float) -> list[str]:
    """Write a share and the ends of its interval, all to the same place."""
    written = written_shares(Number(*shares))
    texts = [written.value, *(written.interval or "").strip("[]").split(", ")]
    return [text.replace(NARROW_SPACE, " ") for text in texts[: len(shares)]]

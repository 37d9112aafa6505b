"""The result of a comparison: a frame, how it was made, and ways to keep and show it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tailwatch.comparison.change import SCHEMA as CHANGE_SCHEMA
from tailwatch.comparison.findings import (
    FAIL_ON,
    GateRequest,
    change_findings_of,
    findings_of,
)
from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.sentence import (
    sentence_of,
    sentence_of_change,
    told,
    told_of_change,
)
from tailwatch.report.findings import junit_document, markdown_document
from tailwatch.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from altair import LayerChart, VConcatChart

    from tailwatch.comparison.findings import ChangeFinding, Gate
    from tailwatch.comparison.questions import Finding

__all__ = ["Comparison", "ComparisonResult", "PairedComparison"]


class ComparisonResult(Result):
    """What a comparison and one by class share: findings, and the gate on them."""

    __slots__ = ()

    if TYPE_CHECKING:
        # At run time a dataclass would take it for a field without a default.
        run: dict[str, Any]

    @abstractmethod
    def _answers(self, limits: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
        """Return all questions with their answers, under limits of one's own."""

    @abstractmethod
    def _told(self) -> list[dict[str, Any]]:
        """Return the findings that pages and files show."""

    def _changes(self) -> tuple[ChangeFinding, ...]:
        """Return the findings about the change against a baseline, if there is one."""
        return ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All questions with their answers, what matters most first; by class, class by class."""
        return self._answers()

    @property
    def _confidence(self) -> float:
        return float(self.run["arguments"]["confidence"])

    def gate(
        self,
        fail_on: Sequence[str] | str = FAIL_ON,
        *,
        limits: Mapping[str, float] | None = None,
        keep: float | None = None,
    ) -> Gate:
        """Decide whether the candidate may pass; by class, no class may have any of these findings.

        A class of which the candidate has no row fails on ``modes_lost``.

        Parameters
        ----------
        fail_on
            Names of findings that may not be there, in a sequence or joined by commas; ``"any"``
            for all of them. Against a baseline also ``"worse"``: nothing may be worse than with it.
        limits
            What the size of a finding may reach, by its name: a share of rows for ``junk`` and
            ``copies``, an odds ratio for tails, a ratio for spread, a share of the largest possible
            distance for ``moved``. A limit decides by the interval: above it or below, or, where
            the interval holds the limit, inconclusive.
        keep
            The odds of tail rows that have to be kept, the limit of ``tails_lost``.

        Returns
        -------
        Gate
            Its ``state`` is ``"passed"``, ``"failed"`` or ``"inconclusive"``.

        Raises
        ------
        InputError
            No such finding, or a limit that is none.

        Examples
        --------
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> rng = np.random.default_rng(0)
        >>> human = rng.normal(size=(1000, 16))
        >>> copied = np.concatenate([human[:50], rng.normal(size=(950, 16))])
        >>> found = tw.compare(human, copied)
        >>> print(found.gate(["copies", "tails_lost"]))
        gate: failed: copies
        >>> found.gate("copies", limits={"copies": 0.1}).state
        'passed'
        """
        changes = self._changes()
        asked = GateRequest.of(fail_on, limits, keep, has_baseline=bool(changes))
        return asked.decide(self._answers(asked.limits), changes)

    def to_markdown(self) -> str:
        """Return sentence and findings as Markdown, as for the summary of a job."""
        changes = told_of_change(self._changes())
        return markdown_document(self.sentence, self.run, self._told(), changes)

    def to_junit(self, gate: Gate) -> str:
        """Return the findings of a gate as JUnit XML: a test case each."""
        asked = [one.name for one in gate.findings]
        changes = told_of_change(gate.changes)
        return junit_document(self.run, told(gate.findings), asked, changes)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Comparison(ComparisonResult):
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
        """The findings in words, the most important first."""
        return sentence_of(self.frame, self._confidence, self.findings)

    def _answers(self, limits: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
        return findings_of(
            self.frame,
            confidence=self._confidence,
            limits=limits,
            differs=self.run.get("differs"),
        )

    def _told(self) -> list[dict[str, Any]]:
        return told(self.findings)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.comparison import comparison_page

        return comparison_page(
            self.frame,
            self.run,
            sentence=self.sentence,
            findings=told(self.findings),
            labels=LABELS,
            change=self._told_changes(),
        )

    def _told_changes(self) -> tuple[list[dict[str, Any]], pl.DataFrame] | None:
        """Return what the page says of the change against a baseline, if there is one."""
        return None

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

        return comparison_fragment(
            self.frame,
            self.run,
            sentence=self.sentence,
            findings=told(self.findings),
            labels=LABELS,
            change=self._told_changes(),
        )

    def _document(self) -> dict[str, Any]:
        return {
            "format": "tailwatch-comparison",
            "version": 1,
            "sentence": self.sentence,
            "findings": self._told(),
            "run": self.run,
            "frame": self.frame,
        }


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class PairedComparison(Comparison):
    """A comparison of a candidate, and how each number changed from a baseline to it.

    Attributes
    ----------
    frame, run
        As of :class:`Comparison`: of the candidate. The baseline is in ``run["baseline"]``.
    changes
        One row per metric and level, in the order of `frame`; its columns are the attributes of
        :class:`tailwatch.comparison.change.Change`: ``value`` and ``baseline`` are metric(A, C) and
        metric(A, C₀), for one half A of the reference and as many rows C and C₀ of candidate and
        baseline, and ``change`` is their difference with its interval. ``method`` says how the
        interval was made, or ``reason`` why there is none.
    """

    KIND = "paired comparison"
    TABLES: ClassVar = {"frame": SCHEMA, "changes": CHANGE_SCHEMA}

    changes: pl.DataFrame

    @property
    def sentence(self) -> str:
        """What the change is, and then the findings in words, the most important first."""
        now = sentence_of(self.frame, self._confidence, self.findings)
        return f"{sentence_of_change(self.change)} {now}"

    @property
    def change(self) -> tuple[ChangeFinding, ...]:
        """All questions asked of the change, what matters most first."""
        return change_findings_of(self.changes, confidence=self._confidence)

    def _changes(self) -> tuple[ChangeFinding, ...]:
        return self.change

    def _told_changes(self) -> tuple[list[dict[str, Any]], pl.DataFrame] | None:
        return told_of_change(self.change), self.changes

    def _document(self) -> dict[str, Any]:
        # A dataclass with slots is another class than the one that super() would look for.
        document = Comparison._document(self)  # noqa: SLF001  (its own)
        return document | {"change": told_of_change(self.change), "changes": self.changes}

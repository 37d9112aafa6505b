"""The result of a comparison class by class, and what it says.

Sentences are read from the summary of the classes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA, FRAME_SCHEMA
from tailwatch.comparison.findings import findings_of_classes, quoted
from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.result import Comparison, ComparisonResult
from tailwatch.comparison.sentence import said, told
from tailwatch.exceptions import InputError
from tailwatch.report.words import written_q

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from altair import LayerChart

    from tailwatch.comparison.questions import Finding

__all__ = ["ClassComparison", "sentence_of_classes"]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ClassComparison(ComparisonResult):
    """Which classes of a candidate lost their tails.

    Attributes
    ----------
    frame
        The frames of all classes below each other: columns ``class``, ``reference_rows``,
        ``candidate_rows`` and ``verdict``, then those of :attr:`Comparison.frame`. A class that was
        not compared has one row, whose ``metric`` is null and whose ``reason`` says why.
    classes
        One row per class, first those whose tails were most surely lost: the same leading columns,
        ``p_value`` and ``q_value``, then the ``metric`` that decided, its ``level``, ``value``,
        ``low`` and ``high``, the ``seed`` under which :func:`tailwatch.compare` gives the same
        numbers for the rows of the class alone, and a ``note`` why it was not compared.
    run
        What was run: sources, arguments, versions, time.

    Notes
    -----
    The tail odds ratio on all rows of a class decides, by Fisher's exact test at the level nearest
    to 5 %, as :func:`tailwatch.metrics.tail_test` has it. Without it the retention of the
    directional tails does, or of the tail mass, recall or coverage: the first that was asked for. A
    class is *lost* or *widened* where its q-value (Benjamini & Hochberg 1995) is at most
    1 − confidence: of all classes so called, that share at most is expected to be there by chance.
    """

    KIND = "comparison of classes"
    TABLES: ClassVar = {"frame": FRAME_SCHEMA, "classes": CLASSES_SCHEMA}

    frame: pl.DataFrame
    classes: pl.DataFrame
    run: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return sentence_of_classes(self.classes, self.findings, self._confidence)

    def _answers(self, limits: Mapping[str, float] | None = None) -> tuple[Finding, ...]:
        return findings_of_classes(self.frame, confidence=self._confidence, limits=limits)

    def _told(self) -> list[dict[str, Any]]:
        return told(one for one in self.findings if one.found)

    def of(self, name: object) -> Comparison:
        """Return the comparison of one class.

        Parameters
        ----------
        name
            Its label.

        Returns
        -------
        Comparison
            What :func:`tailwatch.compare` finds on the rows of the class, under its seed.

        Raises
        ------
        InputError
            There is no such class, or it was not compared.
        """
        name = str(name).lower() if isinstance(name, bool) else str(name)
        row = self.classes.filter(pl.col("class") == name)
        if not row.height or row["note"].item() is not None:
            what = "there is none" if not row.height else row["note"].item()
            raise InputError(
                argument="name", expected="a class that was compared", got=repr(name), where=what
            )
        seed = row["seed"].item()
        frame = self.frame.filter(pl.col("class") == name).select(*SCHEMA)
        run = {key: part for key, part in self.run.items() if key != "classes"}
        rows = self.run["arguments"]["max_rows"]
        half = min(row["reference_rows"].item() // 2, row["candidate_rows"].item())
        run["rows_used"] = {
            "reference_half": half,
            "candidate": half,
            "quadratic_half": half if rows is None else min(half, rows // 2),
        }
        run["arguments"] = run["arguments"] | {"seed": seed}
        for side in ("reference", "candidate"):
            described = {"name": f"{run[side]['name']}, {name}", "rows": row[f"{side}_rows"].item()}
            run[side] = run[side] | described
        return Comparison(frame, run)

    def to_html(self) -> str:
        """Return the report page: one HTML document that needs nothing else."""
        from tailwatch.report.comparison import classes_page

        return classes_page(
            self.frame,
            self.classes,
            self.run,
            sentence=self.sentence,
            findings=told(one for one in self.findings if one.found),
            labels=LABELS,
        )

    def plot(self) -> LayerChart:
        """Return the number that decides about each class as an Altair chart.

        Needs the extra: ``pip install 'tailwatch[plot]'``.

        Raises
        ------
        MissingDependencyError
            Altair is not installed.
        """
        from tailwatch.report.altair_charts import plot_classes

        return plot_classes(self.classes, LABELS)

    def _repr_html_(self) -> str:
        from tailwatch.report.comparison import classes_fragment

        return classes_fragment(
            self.frame, self.classes, self.run, sentence=self.sentence, labels=LABELS
        )

    def _document(self) -> dict[str, Any]:
        return {
            "format": "tailwatch-comparison-by-class",
            "version": 1,
            "sentence": self.sentence,
            "findings": self._told(),
            "run": self.run,
            "classes": self.classes,
            "frame": self.frame,
        }

    def __repr__(self) -> str:
        """Say the finding and show the classes."""
        return f"{self.sentence}\n{self.classes}"


def sentence_of_classes(
    classes: pl.DataFrame, findings: Sequence[Finding], confidence: float
) -> str:
    """Say which classes lost their tails, and what else happened to them.

    Parameters
    ----------
    classes
        :attr:`tailwatch.ClassComparison.classes`.
    findings
        Those of the classes.
    confidence
        Of the intervals; 1 − confidence bounds the share of classes that are named by chance.

    Returns
    -------
    str
        One to seven sentences: classes without candidate rows, those that are elsewhere, copied or
        hold junk, those that lost tails, surest first, those that widened, and classes that could
        not be compared.
    """
    names = {
        verdict: rows["class"].to_list()
        for (verdict,), rows in classes.group_by("verdict", maintain_order=True)
    }
    judged = [*names.get("lost", []), *names.get("no change found", []), *names.get("widened", [])]
    gone = [f"{quoted(names['absent'])} {_has_gone(names['absent'])}."] if "absent" in names else []
    parts = [*gone, *_besides(findings), *_tails(classes, names, len(judged)), *_others(names)]
    if "lost" in names or "widened" in names:
        parts.append(
            f"Of the classes said to have changed, {100 * (1 - confidence):.3g} % at most are "
            "expected to be among them by chance."
        )
    return " ".join(parts)


def _tails(classes: pl.DataFrame, names: dict[str, list[str]], judged: int) -> list[str]:
    if not judged:
        return [
            (
                "No tail metric was asked for, or none has an interval: the frame has the values "
                "beside their nulls."
            )
        ]
    widened = [f"Tails widened in {quoted(names['widened'])}."] if "widened" in names else []
    if "lost" not in names:
        where = f"any of {judged} classes" if judged > 1 else "the only class"
        return [f"No loss of tails was found in {where}.", *widened]
    first, *others = names["lost"]
    row = classes.row(0, named=True)
    finding = said(*(row[name] for name in ("metric", "level", "value", "low", "high")))
    surest = "most surely in " if others else ""
    where = f"{len(others) + 1} of {judged} classes" if judged > 1 else "the only class"
    sure = written_q(row["q_value"])
    sure = sure if sure.startswith("<") else f"= {sure}"
    lost = f"Tails were lost in {where}, {surest}{quoted([first])}: {finding} (q {sure})."
    then = [f"Then in {quoted(others)}."] if others else []
    return [lost, *then, *widened]


def _has_gone(names: Sequence[str]) -> str:
    return (
        "is gone: no candidate row is of it" if len(names) == 1 else "are gone: no row is of them"
    )


def _besides(findings: Sequence[Finding]) -> list[str]:
    """Say what matters more than tails, class by class."""
    said_of = {
        "elsewhere": "Not in the place of the human rows: {}.",
        "copies": "Copies of human rows are in {}.",
        "repeated": "Rows are repeated in {}.",
        "junk": "Rows lie where next to no human row does in {}.",
    }
    parts = []
    for name, text in said_of.items():
        classes = [str(one.of) for one in findings if one.found and one.name == name]
        if classes:
            parts.append(text.format(quoted(classes)))
    return parts


def _others(names: dict[str, list[str]]) -> list[str]:
    """Say what was not judged, and why."""
    said_of = {
        "new": "No reference row at all is of {}.",
        "not compared": "Not compared, for the reason given beside the class: {}.",
    }
    return [text.format(quoted(names[key])) for key, text in said_of.items() if key in names]

"""The result of a comparison class by class, and what it says.

Sentences are read from the summary of the classes and from their findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA, FRAME_SCHEMA
from tailwatch.comparison.findings import findings_of_classes, quoted
from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.questions import NAMES, nearest_rows
from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.result import Comparison, ComparisonResult
from tailwatch.comparison.sentence import MOST_NAMED, listed, named, said, told
from tailwatch.exceptions import InputError
from tailwatch.report.words import written_q

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from altair import LayerChart

    from tailwatch.comparison.questions import Finding, Name

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
        findings = _to_name(self.frame, self.findings)
        return sentence_of_classes(self.classes, findings, self._confidence)

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
    """Say what happened to which classes, what matters most first.

    Parameters
    ----------
    classes
        :attr:`tailwatch.ClassComparison.classes`, which tells whose tails were lost or widened.
    findings
        Those of the classes that are to be named.
    confidence
        Of the intervals; 1 − confidence bounds the share of classes that are named by chance.

    Returns
    -------
    str
        Classes without candidate rows, then findings with their classes, surest first, in the order
        of :data:`~tailwatch.comparison.questions.NAMES`, and classes that could not be compared.
    """
    names = {
        verdict: rows["class"].to_list()
        for (verdict,), rows in classes.group_by("verdict", maintain_order=True)
    }
    judged = [*names.get("lost", []), *names.get("no change found", []), *names.get("widened", [])]
    parts = (
        [f"{quoted(names['absent'])} {_has_gone(names['absent'])}."] if "absent" in names else []
    )
    found = _by_finding(findings)
    if "lost" in names:
        found["tails_lost"] = _lost(classes, names["lost"], len(judged))
    if "widened" in names:
        found["tails_widened"] = f"Tails widened in {quoted(names['widened'])}."
    present = [name for name in NAMES if name in found]
    parts += [found[name] for name in present[:MOST_NAMED]]
    if len(present) > MOST_NAMED:
        parts.append(f"Also found: {listed(present[MOST_NAMED:])}.")
    if "lost" not in names:
        parts.append(_not_lost(len(judged)))
    parts += _others(names)
    if present:
        parts.append(
            f"Of the classes said to have changed, {100 * (1 - confidence):.3g} % at most are "
            "expected to be among them by chance."
        )
    return " ".join(parts)


def _lost(classes: pl.DataFrame, lost: Sequence[str], judged: int) -> str:
    first, *others = lost
    row = classes.row(0, named=True)
    finding = said(*(row[name] for name in ("metric", "level", "value", "low", "high")))
    surest = "most surely in " if others else ""
    where = f"{len(lost)} of {judged} classes" if judged > 1 else "the only class"
    sure = written_q(row["q_value"])
    sure = sure if sure.startswith("<") else f"= {sure}"
    then = f" Then in {quoted(others)}." if others else ""
    return f"Tails were lost in {where}, {surest}{quoted([first])}: {finding} (q {sure}).{then}"


def _not_lost(judged: int) -> str:
    if not judged:
        return (
            "No tail metric was asked for, or none has an interval: the frame has the values "
            "beside their nulls."
        )
    where = f"any of {judged} classes" if judged > 1 else "the only class"
    return f"No loss of tails was found in {where}."


def _has_gone(names: Sequence[str]) -> str:
    return (
        "is gone: no candidate row is of it" if len(names) == 1 else "are gone: no row is of them"
    )


OF_CLASSES: dict[Name, str] = {
    "elsewhere": "Not in the place of the human rows: {}.",
    "copies": "Copies of human rows are in {}.",
    "repeated": "Rows are repeated in {}.",
    "junk": "Rows lie where next to no human row does in {}.",
    "modes_lost": "Modes were lost in {}.",
    "moved": "Moved away from the human rows: {}.",
    "spread_lost": "Spread was lost in {}.",
    "spread_gained": "Spread was gained in {}.",
}
"""Findings of classes in words; whose tails were lost or widened, the summary tells."""


def _by_finding(findings: Sequence[Finding]) -> dict[Name, str]:
    """Say of which classes each finding is, surest first."""
    parts: dict[Name, str] = {}
    for name, text in OF_CLASSES.items():
        found = [one for one in findings if one.found and one.name == name]
        found.sort(key=lambda one: 1.0 if one.p_value is None else one.p_value)
        if found:
            parts[name] = text.format(quoted([str(one.of) for one in found]))
    return parts


def _to_name(frame: pl.DataFrame, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of classes that another one of the same class does not say already.

    A class of which the candidate has no row is none of them: that it is gone is said of it. Where
    a class has moved more surely than it has lost modes, it has moved.
    """
    found: dict[str, list[Finding]] = {}
    for one in findings:
        if one.found and one.evidence:
            found.setdefault(str(one.of), []).append(one)
    of_classes = frame.filter(pl.col("class").is_in(found))
    chosen: list[Finding] = []
    for (name,), rows in of_classes.group_by("class", maintain_order=True):
        of_class = named(found[str(name)], nearest_rows(rows.to_dicts()))
        if of_class and of_class[0].name == "moved":
            of_class = [one for one in of_class if one.name != "modes_lost"]
        chosen += of_class
    return chosen


def _others(names: dict[str, list[str]]) -> list[str]:
    """Say what was not judged, and why."""
    said_of = {
        "new": "No reference row at all is of {}.",
        "not compared": "Not compared, for the reason given beside the class: {}.",
    }
    return [text.format(quoted(names[key])) for key, text in said_of.items() if key in names]

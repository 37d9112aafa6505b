"""The words of pages: what a metric is called, and the terms that the tables of comparisons share.

The labels themselves are handed down by those who know the metrics, such as
:data:`tailwatch.comparison.registry.LABELS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CLASS_TERMS", "TERMS", "Group", "Label", "describe"]

Group = Literal["tails", "fidelity", "spread", "divergence"]


@dataclass(frozen=True, slots=True)
class Label:
    """How a metric is spoken of.

    Attributes
    ----------
    name
        What it is called.
    group
        Where it stands on a page.
    unit
        What its value counts.
    meaning
        What it measures, in a sentence or two.
    """

    name: str
    group: Group
    unit: str
    meaning: str


#: The words that all rows of the table share.
TERMS: dict[str, str] = {
    "Value": (
        "The metric between one half of the reference and the candidate, cut to the same number "
        "of rows."
    ),
    "Null": (
        "The same metric between the two halves of the reference: what a fresh sample would score, "
        "had nothing happened."
    ),
    "Retention": (
        "Value ÷ null: 1 is what a fresh sample of the reference scores, 0 is all lost. For "
        "divergences, (value − null) in standard errors of the null (SE): 0 is no further than a "
        "fresh sample."
    ),
    "Tail": "The rarest share of the reference rows: those furthest from their k-th neighbour.",
    "All rows": "The metric on all rows of both sets, which is the number that papers quote.",
}

#: The words that the table of a comparison by class has besides.
CLASS_TERMS: dict[str, str] = {
    "Tails": (
        "Lost or widened where q is at most 1 − confidence. Absent: no candidate row. New: no "
        "reference row."
    ),
    "q": (
        "The smallest share of classes called lost or widened by chance, at which this one is "
        "called so too (Benjamini–Hochberg over the p-values of all classes)."
    ),
    "Which number decides": (
        "The tail odds ratio on all rows of a class, by Fisher's exact test; without it, the "
        "retention of another tail metric by its interval."
    ),
    "Retention": TERMS["Retention"],
    "Tail": TERMS["Tail"],
}


def describe(metric: str, labels: Mapping[str, Label]) -> Label:
    """Return the label of a metric, or a plain one made from its name if there is none."""
    plain = metric.replace("_", " ").capitalize()
    return labels.get(metric, Label(plain, "fidelity", "", ""))

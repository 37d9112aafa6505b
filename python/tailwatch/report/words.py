"""The words for each metric: its label, its group on the page, what it means and in which unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CLASS_TERMS", "LABELS", "TERMS", "Group", "Label", "describe"]

Group = Literal["tails", "fidelity", "spread", "divergence"]


@dataclass(frozen=True, slots=True)
class Label:
    """How a metric is spoken of."""

    name: str
    group: Group
    unit: str
    meaning: str


LABELS: dict[str, Label] = {
    "precision": Label(
        "Precision",
        "fidelity",
        "share of candidate rows",
        "Candidate rows that lie where the reference has rows. It rises when a candidate shrinks "
        "towards the centre.",
    ),
    "recall": Label(
        "Recall",
        "fidelity",
        "share of reference rows",
        "Reference rows that lie where the candidate has rows.",
    ),
    "density": Label(
        "Density",
        "fidelity",
        "ratio",
        "How many reference neighbourhoods a candidate row lies in, on average, divided by k.",
    ),
    "coverage": Label(
        "Coverage",
        "fidelity",
        "share of reference rows",
        "Reference rows with at least one candidate row in their neighbourhood. It can rise while "
        "tails vanish.",
    ),
    "tail_coverage": Label(
        "Tail coverage",
        "tails",
        "share of tail rows",
        "Coverage, of the rarest reference rows only.",
    ),
    "tail_recall": Label(
        "Tail recall",
        "tails",
        "share of tail rows",
        "Recall, of the rarest reference rows only.",
    ),
    "tail_mass": Label(
        "Tail mass",
        "tails",
        "multiple of the tail level",
        "Share of candidate rows as rare as the tail of the reference, divided by the tail level.",
    ),
    "tail_supported_mass": Label(
        "Supported tail mass",
        "tails",
        "multiple of the tail level",
        "Tail mass that also lies where the reference has rows, so that noise far from all data "
        "does not count.",
    ),
    "tail_odds_ratio": Label(
        "Tail odds ratio",
        "tails",
        "odds ratio",
        "Odds that a candidate row is among the rarest rows of both sets together, against the "
        "odds of a reference row.",
    ),
    "mode_coverage": Label(
        "Rare modes kept",
        "tails",
        "share of rare modes",
        "Small clusters of the reference that the candidate still fills.",
    ),
    "directional_tails": Label(
        "Directional tails",
        "tails",
        "multiple of the tail level",
        "Share of candidate rows beyond the outer quantiles of the reference, divided by the tail "
        "level and averaged over many directions.",
    ),
    "frechet_distance": Label(
        "Fréchet distance",
        "divergence",
        "squared distance",
        "Distance between the means and covariances of the two sets.",
    ),
    "mmd_polynomial": Label(
        "MMD², polynomial",
        "divergence",
        "squared kernel distance",
        "Difference of the first three moments, as a cubic kernel sees them (KID).",
    ),
    "mmd_gaussian": Label(
        "MMD², Gaussian",
        "divergence",
        "squared kernel distance",
        "Difference of the two densities, smoothed by a Gaussian kernel.",
    ),
    "energy_distance": Label(
        "Energy distance",
        "divergence",
        "distance",
        "How much further apart rows of different sets are than rows of the same set.",
    ),
    "total_variance": Label(
        "Total variance",
        "spread",
        "squared distance",
        "Sum of the variances of all columns.",
    ),
    "effective_rank": Label(
        "Effective rank",
        "spread",
        "dimensions",
        "How many directions carry the variance, by the entropy of the spectrum.",
    ),
    "participation_ratio": Label(
        "Participation ratio",
        "spread",
        "dimensions",
        "How many directions carry the variance, large ones weighted more.",
    ),
    "sliced_wasserstein": Label(
        "Sliced Wasserstein distance",
        "divergence",
        "distance",
        "How far rows must be moved along a direction to make one set of the other, over many "
        "directions.",
    ),
    "authenticity": Label(
        "Authenticity",
        "fidelity",
        "share of candidate rows",
        "Candidate rows farther from their nearest reference row than that is from its own "
        "neighbour. Below the null, the candidate copies the reference.",
    ),
    "vendi_score": Label(
        "Vendi score",
        "spread",
        "rows",
        "How many rows of different directions the candidate amounts to.",
    ),
    "knn_divergence": Label(
        "Kullback–Leibler divergence",
        "divergence",
        "nats",
        "How much denser the candidate lies where it lies than the reference does, from nearest "
        "neighbours.",
    ),
    "knn_jensen_shannon": Label(
        "Jensen–Shannon divergence",
        "divergence",
        "nats",
        "How well a row tells which set it is from, from nearest neighbours: 0 not at all, ln 2 "
        "always.",
    ),
    "mauve": Label(
        "MAUVE",
        "fidelity",
        "area, up to 1",
        "How little is to be found in one set and not in the other, over clusters of both.",
    ),
    "frechet_distance_extrapolated": Label(
        "Fréchet distance, extrapolated",
        "divergence",
        "squared distance",
        "The Fréchet distance that infinitely many rows would show.",
    ),
}

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


def describe(metric: str) -> Label:
    """Return the label of a metric, or a plain one made from its name if there is none."""
    plain = metric.replace("_", " ").capitalize()
    return LABELS.get(metric, Label(plain, "fidelity", "", ""))

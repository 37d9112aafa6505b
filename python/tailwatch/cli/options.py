"""Arguments and options that several commands have, each in one place with its help.

A command writes ``seed: Seed = 0``: the type says what the option is called in messages, what it
takes and what its help is, the command which default it has. Nothing heavy is imported here: the
help of a command has to be there at once. What the package says elsewhere stands here again as
text, and a test holds the two to each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = [
    "FINDINGS",
    "METRICS",
    "PANELS",
    "POLICIES",
    "SOURCES",
    "AsJson",
    "Binary",
    "Column",
    "Confidence",
    "Csv",
    "Generations",
    "Html",
    "MaxRows",
    "OpenReport",
    "Parquet",
    "PolicyText",
    "Seed",
    "StopOn",
    "Threads",
]

SOURCES = ".npy, .npz, .parquet, .arrow, a packed folder, or a quoted glob"
"""What every command opens."""

POLICIES = (
    "replace | mix:SHARE | mix:SHARE,fresh | accumulate | accumulate_subsample | "
    "accumulate_subsample:ROWS | augment | augment:ROWS | human_only"
)
"""What the text of a policy looks like: :data:`tailwatch.recursion.policy_text.FORMS`."""

PANELS = ("standard", "fast", "all")
METRICS = (
    "precision, recall, density, coverage, clipped_density, clipped_coverage, copies, "
    "normalised_copies, duplicates, tail_coverage, tail_recall, tail_mass, tail_supported_mass, "
    "tail_odds_ratio, mode_coverage, directional_tails, frechet_distance, "
    "mmd_polynomial, mmd_gaussian, energy_distance, energy_coefficient, total_variance, "
    "effective_rank, participation_ratio, sliced_wasserstein, probe_auc, authenticity, "
    "vendi_score, knn_divergence, knn_jensen_shannon, mauve, frechet_distance_extrapolated"
)
"""Panels and metrics of the registry, which imports what computes them."""

FINDINGS = (
    "elsewhere, copies, repeated, junk, tails_lost, modes_lost, tails_widened, moved, spread_lost, "
    "spread_gained"
)
"""What a comparison may find."""

Column: TypeAlias = Annotated[
    str, typer.Option(metavar="NAME", help="Column or array that holds the embeddings.")
]
Binary: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TYPE", help="float16, float32 or float64, if the column is Binary."),
]
MaxRows: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="N", help="Rows that the quadratic metrics may use, as in 20000."),
]
Confidence: TypeAlias = Annotated[
    float, typer.Option(metavar="SHARE", help="Confidence of the intervals.")
]
Seed: TypeAlias = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of random choices.")]
StopOn: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHAT",
        help="alarm: end a run at the generation at which a loss is sure, and exit with 1. One of "
        "a learner that loses nothing is ended with the probability that the confidence leaves.",
    ),
]
Threads: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        help="Threads; else TAILWATCH_NUM_THREADS, else all processors.",
    ),
]
Generations: TypeAlias = Annotated[
    int,
    typer.Option(metavar="N", min=1, max=100_000, help="Models trained one after the other."),
]
PolicyText: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="POLICY",
        help=f"What the next generation learns from: {POLICIES}; or your own, as module:attribute.",
    ),
]
Html: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the report page to this .html file.")
]
Parquet: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the numbers to this .parquet file.")
]
Csv: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the numbers to this .csv file.")
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object to standard output.")
]
OpenReport: TypeAlias = Annotated[
    bool, typer.Option("--open", help="Open the report in the browser.")
]

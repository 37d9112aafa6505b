"""Train a model on its own output, generation after generation, and compare each with people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.comparison.compare import compare
from tailwatch.demo.digits import draw, human_halves
from tailwatch.embeddings import as_embeddings

if TYPE_CHECKING:
    from tailwatch.comparison.result import Comparison
    from tailwatch.progress import ProgressReport

__all__ = ["LEVEL", "WATCHED", "Generations", "watch"]

WATCHED = ("coverage", "recall", "total_variance", "tail_mass")
"""What is followed through the generations, from the most to the least forgiving."""

LEVEL = 0.10
"""The tail that is followed: of 449 pictures, the rarest 45."""


@dataclass(frozen=True, slots=True)
class Generations:
    """What became of the digits.

    Attributes
    ----------
    frame
        The rows of the comparison frames for the watched metrics, under a column ``generation``.
    last
        The whole comparison of the last generation.
    training_rows, reference_rows
        Pictures that the first model learned from, and that all were compared with.
    """

    frame: pl.DataFrame
    last: Comparison
    training_rows: int
    reference_rows: int


def watch(generations: int, seed: int, report: ProgressReport) -> Generations:
    """Run the loop: each model replaces the data of the next one entirely.

    Parameters
    ----------
    generations
        How many models are trained, one after the other.
    seed
        Seed of the split, the models and the comparisons.
    report
        Takes ``(stage, done, total)``.

    Returns
    -------
    Generations
        The numbers by generation and the last comparison.
    """
    training, reference = human_halves(seed)
    human = as_embeddings(reference, "handwritten digits")
    pictures = training
    frames = []
    for generation in range(1, generations + 1):
        pictures = draw(pictures, seed, generation)
        comparison = compare(
            human,
            as_embeddings(pictures, f"generation {generation}"),
            metrics="standard" if generation == generations else WATCHED,
            seed=seed,
            progress=_within(report, f"generation {generation} of {generations}"),
        )
        frames.append(_watched(comparison.frame, generation))
    return Generations(pl.concat(frames), comparison, len(training), len(reference))


def _watched(frame: pl.DataFrame, generation: int) -> pl.DataFrame:
    """Keep the rows that are followed through the generations, in their order."""
    measured = frame.filter(
        pl.col("level").is_null() | (pl.col("level") == LEVEL), pl.col("method") != "full"
    )
    rows = pl.concat(measured.filter(pl.col("metric") == metric) for metric in WATCHED)
    return rows.insert_column(0, pl.Series("generation", [generation] * len(rows), dtype=pl.Int64))


def _within(report: ProgressReport, where: str) -> ProgressReport:
    """Name the generation in front of each stage."""
    return lambda stage, done, total: report(f"{where}: {stage}", done, total)

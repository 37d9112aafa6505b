"""Train a model on its own output, generation after generation, and compare each with people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tailwatch.comparison.compare import compare
from tailwatch.demo.digits import DrawingLearner, human_halves
from tailwatch.embeddings import as_embeddings
from tailwatch.recursion import Replace, run
from tailwatch.recursion.frame import MEASURED

if TYPE_CHECKING:
    from tailwatch.comparison.result import Comparison
    from tailwatch.progress import ProgressReport
    from tailwatch.recursion import Run

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
    run
        The loop, with verdicts on it.
    training_rows, reference_rows
        Pictures that the first model learned from, and that all were compared with.
    """

    frame: pl.DataFrame
    last: Comparison
    run: Run
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
    found = run(
        DrawingLearner(),
        training,
        policy=Replace(),
        generations=generations,
        holdout=reference,
        seed=seed,
        progress=report,
    )
    last = compare(
        as_embeddings(reference, "handwritten digits"),
        as_embeddings(found.samples(generations), f"generation {generations}"),
        seed=seed,
        progress=report,
    )
    return Generations(_watched(found.frame), last, found, len(training), len(reference))


def _watched(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep the rows that are followed through the generations, in their order."""
    rows = frame.filter(
        pl.col("group") == "panel",
        pl.col("metric").is_in(WATCHED),
        pl.col("level").is_null() | (pl.col("level") == LEVEL),
    )
    order = pl.col("metric").replace_strict(WATCHED, range(len(WATCHED)))
    return rows.sort("generation", order).select("generation", *MEASURED)

"""Train a model on its own output, generation after generation, and compare each with people.

The data are scikit-learn's copy of the UCI handwritten digits (Alpaydin & Kaynak 1998): 1,797
pictures of 8 × 8 pixels in whole grey levels from 0 to 16. They come with the package, so nothing
is downloaded.

The model is a mixture of ten full-covariance Gaussians over the 64 pixels, one per digit. What it
draws is stored as the human pictures are: whole grey levels, none below 0 or above 16. Tails are
lost for both of the reasons that theory names: each generation learns from a finite sample, and a
Gaussian is not the shape of the data, so part of every bell lies outside the range of grey levels
and is cut off.

A chart of what was retained, by generation, has small charts side by side, with intervals and the
null at 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from tailwatch.comparison.compare import compare
from tailwatch.comparison.registry import LABELS
from tailwatch.embeddings import as_embeddings
from tailwatch.recursion import Replace, run
from tailwatch.recursion.frame import MEASURED
from tailwatch.recursion.learners.gaussian import GaussianMixture
from tailwatch.report.svg import Drawing, Scale, tick_labels, ticks
from tailwatch.report.words import Number, describe, percent, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tailwatch.comparison.result import Comparison
    from tailwatch.progress import ProgressReport
    from tailwatch.recursion import Run
    from tailwatch.recursion.learners.gaussian import GaussianMixtureModel

__all__ = [
    "LEVEL",
    "WATCHED",
    "DrawingLearner",
    "Generations",
    "Pictures",
    "generations_svg",
    "human_halves",
    "watch",
]

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


Pictures = NDArray[np.float64]

DIGITS = 10
WHITE, BLACK = 0.0, 16.0
# Pixels in the corners never change; this lets a Gaussian be fitted, and rounds away when it draws.
LEAST_VARIANCE = 1e-3


def human_halves(seed: int) -> tuple[Pictures, Pictures]:
    """Split the human pictures at random into two halves.

    Parameters
    ----------
    seed
        Seed of the split.

    Returns
    -------
    training, reference
        898 and 899 pictures of 64 pixels. No picture is in both: what a model is compared with, no
        model has seen.
    """
    pictures = load_digits().data
    order = np.random.default_rng([seed, 0]).permutation(len(pictures))
    middle = len(pictures) // 2
    return pictures[order[:middle]], pictures[order[middle:]]


class DrawingLearner:
    """Learns to draw from pictures: a learner for :func:`tailwatch.recursion.run`."""

    def fit(self, data: Pictures, *, rng: np.random.Generator) -> DrawingModel:
        """Fit the mixture to pictures."""
        mixture = GaussianMixture(DIGITS, least_variance=LEAST_VARIANCE)
        return DrawingModel(mixture.fit(data, rng=rng))


@dataclass(frozen=True, slots=True, eq=False)
class DrawingModel:
    """Draws pictures in whole grey levels.

    Attributes
    ----------
    mixture
        What was learnt.
    """

    mixture: GaussianMixtureModel

    def sample(self, size: int, *, rng: np.random.Generator) -> Pictures:
        """Draw pictures, in random order."""
        return np.clip(np.rint(self.mixture.sample(size, rng=rng)), WHITE, BLACK)


WIDTH, HEIGHT, APART = 166, 200, 22
LEFT, RIGHT, TOP, BOTTOM = 50, 24, 50, 52
FONT = 12
# The scale follows the data, but no wide interval may press everything else to the floor.
LOWEST_TOP, HIGHEST_TOP = 1.1, 2.0


def generations_svg(frame: pl.DataFrame) -> str:
    """Draw what each generation retained of the human data.

    Parameters
    ----------
    frame
        The comparison rows of the watched metrics under a column ``generation``.

    Returns
    -------
    str
        An SVG file's text. One panel per metric on a shared scale: retention, its interval, and a
        line at 1, where a fresh set of human pictures would lie.
    """
    highest = max(*frame["retention"], *frame["retention_high"].drop_nulls())
    y = Scale(0, min(max(highest, LOWEST_TOP), HIGHEST_TOP), HEIGHT, 0)
    width = len(WATCHED) * (WIDTH + APART) - APART
    drawing = Drawing(width, HEIGHT, left=LEFT, right=RIGHT, top=TOP, bottom=BOTTOM)
    labels, _ = tick_labels(ticks(y.low, y.high, 5))
    drawing.axis_beside(y, labels, 0, FONT)
    drawing.texts([(-34, -13, "retention")], "muted", FONT)
    said = []
    for place, metric in enumerate(WATCHED):
        rows = frame.filter(pl.col("metric") == metric).sort("generation").to_dicts()
        left = place * (WIDTH + APART)
        x = Scale(0.5, len(rows) + 0.5, left, left + WIDTH)
        drawing.segments([(x.start, y(tick), x.end, y(tick)) for tick in labels], "line", 1)
        _panel(drawing, rows, x, y, _title(metric))
        said.append(f"{_title(metric)}: {_spoken(rows[0])}; {_spoken(rows[-1])}.")
    drawing.texts(
        [(width, y(1) - 9, "a fresh human sample")], "ink", FONT - 1, anchor="end", halo=True
    )
    return drawing.file(title="Retention by generation", description=" ".join(said))


def _panel(
    drawing: Drawing, rows: Sequence[dict[str, Any]], x: Scale, y: Scale, title: str
) -> None:
    """Draw one metric."""
    drawing.texts([(x.start, -34, title)], "ink", FONT + 2, weight=600)
    shown = rows[:: 1 + len(rows) // 8]
    labels = {float(row["generation"]): str(row["generation"]) for row in shown}
    drawing.axis_below(x, labels, HEIGHT, FONT, title="generation", far=32)
    drawing.segments([(x.start, y(1), x.end, y(1))], "ink", 1, stroke_dasharray="4,3")
    intervals = [
        (at, y.clipped(row["retention_low"]), at, y.clipped(row["retention_high"]))
        for row in rows
        if row["retention_low"] is not None
        for at in [x(row["generation"])]
    ]
    drawing.segments(intervals, "worse", 3, opacity="0.4")
    places = [(x(row["generation"]), row["retention"]) for row in rows]
    drawing.line([[(at, y.clipped(value)) for at, value in places]], "worse", 1.5)
    # A point beyond the scale is left out, where the line at its edge tells that it goes on.
    inside = [(at, y(value)) for at, value in places if value <= y.high]
    drawing.points(inside, "circle", 7.5, fill="worse", stroke="worse", width=0)


def _title(metric: str) -> str:
    name = describe(metric, LABELS).name
    return f"{name}, rarest {percent(LEVEL)}" if metric == "tail_mass" else name


def _spoken(row: dict[str, Any]) -> str:
    numbers = (row["retention"], row["retention_low"], row["retention_high"])
    written = write(Number(*numbers), places=2)
    interval = written.interval or "(no interval)"
    return f"generation {row['generation']} {written.value} {interval}"

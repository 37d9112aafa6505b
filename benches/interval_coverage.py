"""How often the intervals of ``compare`` hold the truth, by simulation.

The truth of a value is its mean over fresh samples of the same sizes (the mean over all
replications), that of a retention the ratio of the means (value over null), or for divergences the
mean excess. Under the null, where the candidate is fresh human data, the retention's interval must
hold 1 (0 for divergences). Writes a table by metric, level and distribution::

    python benches/interval_coverage.py --replications 400 --seed 700000
    python benches/interval_coverage.py --panel others --replications 400 --seed 700000

With ``--frames DIRECTORY`` every block of pairs is kept as it is done, and the same command goes on
where it was stopped; ``--seconds`` stops it itself. The table is written when all blocks are there,
and only of blocks that were made by the same rules.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import textwrap
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

import tailwatch
from tailwatch.comparison.frame import frame_of, rows_of
from tailwatch.comparison.metrics.clusters import Modes
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.metrics.neighbors import Authenticity, KnnDivergence, Neighborhoods
from tailwatch.comparison.preparation import Preparation
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS
from tailwatch.embeddings import as_embeddings

if TYPE_CHECKING:
    from numpy.typing import NDArray

Matrix: TypeAlias = "NDArray[np.float64]"

ROWS, COLUMNS, CLUSTERS = 2000, 32, 20
LEVELS = (0.10, 0.05, 0.01)
CENTRES = 3 * np.random.default_rng(2718).normal(size=(CLUSTERS, COLUMNS))

INTRODUCTION = """\
# How often the 95 % intervals of `compare` hold the truth

{replications} fresh pairs of samples per cell: {reference} reference and {candidate} candidate
rows, {columns} columns, k = 5. *gaussian*: N(0, I); *t3*: independent t₃ columns; *clusters*:
{clusters} Gaussian clusters. *null*: the candidate is fresh data; *shrunk*: its deviation is
multiplied by 0.8 (within clusters).

`value`: share of intervals of the value that hold its mean over all pairs. `retention`: under the
null, share of intervals of the retention that hold 1 (0 for divergences); for shrunk candidates the
ratio of the means of value and null (for divergences the mean retention). `–`: no interval is
claimed. A cell with a count in parentheses: an interval is claimed for so many of the pairs only.

Demanded are 93 to 99 % of neighbour metrics and 93 to 97 % of the others. The Monte-Carlo error of
a share near 0.95 is {error:.3f} (one standard deviation), besides that of the mean, which is of
these pairs too. A share outside its band is marked: `*` where its 99 % Monte-Carlo interval
(Wilson's) lies outside too, `~` where that reaches into the band, so that chance alone may have
done it, and `d` where the value takes so few different numbers in these pairs that no interval
which is a function of the value holds its mean with a frequency inside the band.

Of {cells} shares {beyond} are marked `*`, {near} `~` and {discrete} `d`.

{provenance}
"""

READING = """\
## Outside the band, and why

The rules of the intervals were left as they were after the run. `~` is said cell by cell.
That the shares outside lie above the band nearly everywhere is not chance: where an interval is not
as long as it should be, it is longer.

- *Second moments of t3* (Fréchet distance, polynomial MMD, total variance, effective rank,
  participation ratio) have no interval, for want of a variance: `–`. Should the tail index let a
  pair pass, which is counted in parentheses, its interval is not to be trusted.
- *Tails of few rows.* The value of a tail of 10 rows takes few numbers: of a share of 0.99, all 10
  rows with probability 0.904 and 9 with 0.091, so that an interval holds it with 0.904, 0.996 or 1
  and nothing between. Cells with `d` are of this kind. In the others, and in their retention, which
  has two such counts, halves vary by more than the whole does, and the interval is the longer one
  of theirs and the binomial one.
- *Precision, recall, coverage* near 1: which rows happen to be neighbours is chance that a half
  shows twice (see `comparison/estimates.py`); the standard error is up to 1.4 times too long.
- *Fréchet distance, effective rank, participation ratio* at or near a stationary point: the
  first-order variance cannot be negative, and an estimate of it is then too large on average. The
  retention of the Fréchet distance allows for the error of its unit besides.
- *Polynomial MMD of the shrunk Gaussian*, about nine standard deviations from zero: what a unit
  of distance adds to the variance still is, with a weight of a tenth, that of the sampling error in
  the means, of which the kernel makes more than of the variances in which the samples differ.
"""

READING_OF_OTHERS = """\
## Outside the band, and why

The rules of the intervals were left as they were after the run. `~` is said cell by cell; all of
these shares lie above the band.

- *Sliced Wasserstein, extrapolated Fréchet distance, Vendi score* at or near a stationary point: as
  with the Fréchet distance itself, the first-order variance cannot be negative, and an estimate of
  it is then too large on average. Second moments of t3 have no variance, and so neither of the
  distances an interval there.
- *Retention of sliced Wasserstein and extrapolated Fréchet distance* is in standard errors of their
  null, which sits at its minimum whatever the candidate is: that unit is estimated with twice the
  degrees of freedom of an error that may be of first order, and has a chi-squared interval.
- *Authenticity, kNN divergence*: in halves, which rows happen to be neighbours is chance that shows
  twice.
- *MAUVE and the Jensen–Shannon divergence of neighbours* claim no interval and are not in the
  table.
"""


@dataclass(frozen=True, slots=True)
class Document:
    """Metrics that are simulated together, and the document they make.

    Attributes
    ----------
    metrics
        Their names.
    out
        The document.
    reading
        What it says below the table.
    """

    metrics: list[str]
    out: Path
    reading: str


OTHERS = [
    name
    for name, metric in METRICS.items()
    if name not in PANELS["standard"] and metric.interval.method != "no interval"
]
DOCUMENTS = {
    "standard": Document(
        list(PANELS["standard"]), Path("docs/calibration/interval-coverage.md"), READING
    ),
    "others": Document(
        OTHERS, Path("docs/calibration/interval-coverage-others.md"), READING_OF_OTHERS
    ),
}

FIRST_FRESH_SEED = 700_000
"""Seeds below were looked at while the rules of the intervals were made."""

FRESH = (
    "The rules of the intervals were chosen on simulations with other seeds and fixed before this "
    "run, and the seeds of this run had not been used before: the table is an independent check."
)
SEEN = (
    "The rules of the intervals were chosen while looking at simulations with seeds like these: "
    "the table is not an independent check of them."
)

MARKS = {"beyond": "*", "near": "~", "discrete": "d"}
"""Of shares outside their band."""
NEIGHBOUR_BAND, BAND = (0.93, 0.99), (0.93, 0.97)
NEIGHBOUR_FAMILIES = {Neighborhoods, Modes, Authenticity, KnnDivergence}
Z99 = 2.5758

BLOCK = 25
"""Pairs of one cell that are kept together."""

ENOUGH_PAIRS = 100
"""With fewer, the shares that can come out are far apart whatever the metric."""


def gaussian(rng: np.random.Generator, rows: int, scale: float) -> Matrix:
    """Draw rows of N(0, scale²)."""
    return scale * rng.normal(size=(rows, COLUMNS))


def heavy_tailed(rng: np.random.Generator, rows: int, scale: float) -> Matrix:
    """Draw rows of independent t₃ columns, times scale."""
    return scale * rng.standard_t(3, size=(rows, COLUMNS))


def clustered(rng: np.random.Generator, rows: int, scale: float) -> Matrix:
    """Draw rows around 20 fixed centres, with standard deviation `scale` within clusters."""
    return CENTRES[rng.integers(CLUSTERS, size=rows)] + scale * rng.normal(size=(rows, COLUMNS))


DRAW = {"gaussian": gaussian, "t3": heavy_tailed, "clusters": clustered}


def replicate(task: tuple[str, str, int], names: frozenset[str]) -> pl.DataFrame:
    """Compare one pair of fresh samples."""
    name, case, seed = task
    rng = np.random.default_rng([seed, *name.encode(), *case.encode()])
    draw, scale = DRAW[name], {"null": 1.0, "shrunk": 0.8}[case]
    reference = as_embeddings(draw(rng, ROWS, 1.0), "reference").handle()
    candidate = as_embeddings(draw(rng, ROWS // 2, scale), "candidate").handle()
    panel = Panel(names, 5, LEVELS, seed)
    meeting = Preparation(reference, panel, None).meet(candidate)
    found = meeting.estimates({"threads": 1, "progress": None})
    frame = frame_of(rows_of(meeting, found, 0.95))
    return frame.with_columns(data=pl.lit(name), case=pl.lit(case))


@dataclass(frozen=True, slots=True)
class Block:
    """Pairs of one cell with consecutive seeds."""

    data: str
    case: str
    first: int
    pairs: int
    names: frozenset[str]

    @property
    def file(self) -> str:
        """Where its frame is kept in the directory of frames."""
        return f"{self.data}-{self.case}-{self.first}.parquet"

    def frame(self) -> pl.DataFrame:
        """Compare the pairs."""
        seeds = range(self.first, self.first + self.pairs)
        return pl.concat([replicate((self.data, self.case, seed), self.names) for seed in seeds])


def blocks(options: argparse.Namespace) -> list[Block]:
    """Deal the pairs of every cell to blocks."""
    end = options.seed + options.replications
    return [
        Block(data, case, first, min(BLOCK, end - first), frozenset(options.metrics))
        for first in range(options.seed, end, BLOCK)
        for data in DRAW
        for case in ("null", "shrunk")
    ]


def rules() -> str:
    """Return a digest of everything that intervals are made by."""
    digest = hashlib.sha256()
    package = Path(tailwatch.__file__).parent
    for path in sorted([*package.rglob("*.py"), *package.glob("_core*")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_same_run(directory: Path, options: argparse.Namespace) -> bool:
    """Whether the frames in a directory are of this run; an empty one is from now on."""
    run = {
        "replications": options.replications,
        "seed": options.seed,
        "metrics": options.metrics,
        "rules": rules(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    told = directory / "run.json"
    if told.exists():
        return bool(json.loads(told.read_text()) == run)
    told.write_text(json.dumps(run, indent=2) + "\n")
    return True


def simulated(options: argparse.Namespace) -> pl.DataFrame | None:
    """Compare all pairs, or those that are missing in the directory of frames, in time."""
    kept: Path | None = options.frames
    found: dict[Block, pl.DataFrame] = {}
    wanted = blocks(options)
    missing = [block for block in wanted if not (kept and (kept / block.file).exists())]
    stop = time.perf_counter() + options.seconds
    # A forked process would wait for threads of Polars that it does not have.
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        # Few at a time, so that there is a time to stop at.
        while missing and time.perf_counter() < stop:
            now, missing = missing[: options.processes], missing[options.processes :]
            for block, frame in zip(now, pool.map(Block.frame, now), strict=True):
                if kept:
                    # Whole or not at all, should the run be killed.
                    half = kept / "unfinished"
                    frame.write_parquet(half)
                    half.replace(kept / block.file)
                else:
                    found[block] = frame
    if missing:
        print(f"{len(missing)} of {len(wanted)} blocks are still to be done")
        return None
    if kept:
        found = {block: pl.read_parquet(kept / block.file) for block in wanted}
    return pl.concat([found[block] for block in wanted])


def coverage(frames: pl.DataFrame) -> pl.DataFrame:
    """Summarise replications by metric, level, distribution and case."""
    by = ["metric", "level", "direction", "data", "case"]

    def holds(truth: pl.Expr, low: str, high: str) -> pl.Expr:
        # An interval of a constant is a point: rounding must not decide.
        slack = 1e-9 * truth.abs()
        return ((pl.col(low) - slack <= truth) & (truth <= pl.col(high) + slack)).mean()

    lower = pl.col("direction") == "lower"
    truth = (
        pl.when(lower)
        .then(pl.col("retention").mean())
        .otherwise(pl.col("value").mean() / pl.col("null").mean())
    )
    target = pl.when(pl.col("case") == "shrunk").then(truth).when(lower).then(0.0).otherwise(1.0)
    framed = frames.with_columns(
        of_value=pl.col("value").mean().over(by),
        of_retention=target.over(by),
    )
    return framed.group_by(by, maintain_order=True).agg(
        replications=pl.len(),
        value=pl.col("value").mean(),
        value_holds_claimed=pl.col("low").count(),
        retention_holds_claimed=pl.col("retention_low").count(),
        value_holds=holds(pl.col("of_value"), "low", "high"),
        retention_holds=holds(pl.col("of_retention"), "retention_low", "retention_high"),
        values=pl.col("value"),
        retentions=pl.col("retention"),
    )


def write_document(table: pl.DataFrame, options: argparse.Namespace) -> None:
    """Write the coverage of values and of retentions as Markdown."""
    cases = [(data, case) for data in DRAW for case in ("null", "shrunk")]
    head = ["metric", "level", *(f"{d} {c} value" for d, c in cases)]
    head += [f"{d} {c} retention" for d, c in cases]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    marks = []
    for (metric, level), rows in table.group_by("metric", "level", maintain_order=True):
        cell = {(row["data"], row["case"]): row for row in rows.to_dicts()}
        made = [Cell.of(cell[case], "value") for case in cases]
        made += [Cell.of(cell[case], "retention") for case in cases]
        marks += [one.mark() for one in made if one.claimed]
        shown = [metric, "" if level is None else f"{level:g}", *(one.text() for one in made)]
        lines.append(f"| {' | '.join(shown)} |")
    introduction = INTRODUCTION.format(
        replications=options.replications,
        reference=ROWS,
        candidate=ROWS // 2,
        columns=COLUMNS,
        clusters=CLUSTERS,
        error=0.218 / options.replications**0.5,
        cells=len(marks),
        provenance=provenance(options),
        **{name: marks.count(mark) for name, mark in MARKS.items()},
    )
    document = DOCUMENTS[options.panel]
    out = options.out or document.out
    out.write_text("\n".join([introduction, *lines, "", document.reading]))


def provenance(options: argparse.Namespace) -> str:
    """Say how the table came about."""
    command = f"--replications {options.replications} --seed {options.seed}"
    if options.panel != "standard":
        command = f"--panel {options.panel} {command}"
    if options.metrics != DOCUMENTS[options.panel].metrics:
        command += f" --metrics {' '.join(options.metrics)}"
    fresh = options.seed >= FIRST_FRESH_SEED
    return "\n".join(
        textwrap.wrap(
            f"All of it was made by `python benches/interval_coverage.py {command}`. "
            + (FRESH if fresh else SEEN),
            width=100,
            break_on_hyphens=False,
        )
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One share of the table, and how many intervals it is a share of."""

    metric: str
    pairs: int
    claimed: int
    share: float
    attainable: bool
    """Whether an interval that is a function of the estimate could be within the band."""

    @classmethod
    def of(cls, row: dict[str, Any], what: str) -> Cell:
        """Take the share of the value or of the retention from a row of the summary."""
        return cls(
            row["metric"],
            row["replications"],
            row[f"{what}_holds_claimed"],
            row[f"{what}_holds"],
            row[f"{what}_holds_claimed"] < ENOUGH_PAIRS
            or is_attainable(row["values" if what == "value" else "retentions"], row["metric"]),
        )

    def mark(self) -> str:
        """Say whether the share lies in the band, and if not, whether chance may have done it."""
        low, high = band(self.metric)
        if low <= self.share <= high:
            return ""
        if not self.attainable and self.share > high:
            return MARKS["discrete"]
        reach = wilson(self.share, self.claimed)
        return MARKS["near" if reach[0] <= high and low <= reach[1] else "beyond"]

    def text(self) -> str:
        """Show the share, its mark and, where some pairs got no interval, how many did."""
        if self.claimed == 0:
            return "–"
        counted = "" if self.claimed == self.pairs else f" ({self.claimed})"
        return f"{self.share:.3f}{self.mark()}{counted}"


def band(metric: str) -> tuple[float, float]:
    """Return the shares that are demanded of a metric."""
    return NEIGHBOUR_BAND if METRICS[metric].family in NEIGHBOUR_FAMILIES else BAND


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 99 % interval of a share."""
    centre = (share + Z99**2 / (2 * count)) / (1 + Z99**2 / count)
    margin = (
        Z99
        * math.sqrt(share * (1 - share) / count + Z99**2 / (4 * count**2))
        / (1 + Z99**2 / count)
    )
    return centre - margin, centre + margin


def is_attainable(values: list[float | None], metric: str) -> bool:
    """Whether an interval that is a monotone function of the value can hold its mean in the band.

    Such an interval holds a number for the values from one to another: the shares with which it
    can do so are those of the runs of neighbouring distinct values.
    """
    known = np.array([value for value in values if value is not None])
    _, counts = np.unique(known.round(9), return_counts=True)
    upto = np.concatenate([[0], np.cumsum(counts)]) / max(counts.sum(), 1)
    low, high = band(metric)
    runs = upto[np.newaxis] - upto[:, np.newaxis]
    return bool(((low <= runs) & (runs <= high)).any())


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=FIRST_FRESH_SEED, help="of the first pair")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--panel", choices=DOCUMENTS, default="standard")
    parser.add_argument("--out", type=Path, help="document; that of the panel by default")
    parser.add_argument("--frames", type=Path, help="directory to keep frames in, and go on from")
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no block after")
    parser.add_argument("--metrics", nargs="+", choices=METRICS, help="all of the panel by default")
    options = parser.parse_args()
    options.metrics = options.metrics or DOCUMENTS[options.panel].metrics
    if options.frames and not is_same_run(options.frames, options):
        parser.error(f"{options.frames}: frames of another run, or made by other rules")
    started = time.perf_counter()
    frames = simulated(options)
    if frames is not None:
        write_document(coverage(frames), options)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()

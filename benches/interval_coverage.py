"""How often the intervals of ``compare`` hold the truth, by simulation.

The truth of a value is its mean over fresh samples of the same sizes (the mean over all
replications), that of a retention the ratio of the means (value over null), or for divergences the
mean excess. Under the null, where the candidate is fresh human data, the retention's interval must
hold 1 (0 for divergences). Writes a table by metric, level and distribution::

    python benches/interval_coverage.py --replications 400 --out docs/interval-coverage.md
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl

from tailwatch.comparison.compare import split_rows
from tailwatch.comparison.families import Panel
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.result import SCHEMA
from tailwatch.comparison.samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray
from tailwatch.embeddings import as_embeddings

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
null, share of intervals of the retention that hold 1 (0 for divergences). The Monte-Carlo error of
a share near 0.95 is {error:.3f} (one standard deviation). `–`: no interval is claimed. A cell with
a count in parentheses: an interval is claimed for so many of the pairs only.

The rules of the intervals (which replicates, degrees of freedom, when the binomial interval
joins, the heavy-tail threshold) were chosen while looking at simulations with these seeds:
the table is not an independent check of them.

Made by `python benches/interval_coverage.py`.
"""


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
    samples = Samples.draw(reference, candidate, max_rows=None, seed=seed)
    panel = Panel(names, 5, LEVELS, seed)
    rows = split_rows(samples, panel, 0.95, {"threads": 1, "progress": None})
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(data=pl.lit(name), case=pl.lit(case))


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
        of_null=pl.col("null").mean().over(by),
        of_retention=target.over(by),
    )
    return framed.group_by(by, maintain_order=True).agg(
        replications=pl.len(),
        value=pl.col("value").mean(),
        value_holds_claimed=pl.col("low").count(),
        retention_holds_claimed=pl.col("retention_low").count(),
        value_holds=holds(pl.col("of_value"), "low", "high"),
        null_holds=holds(pl.col("of_null"), "null_low", "null_high"),
        retention_holds=holds(pl.col("of_retention"), "retention_low", "retention_high"),
        error_ratio=(pl.col("high") - pl.col("low")).mean() / (2 * 1.96 * pl.col("value").std()),
    )


def write_document(table: pl.DataFrame, replications: int, path: Path) -> None:
    """Write the coverage of values and of retentions under the null as Markdown."""
    cases = [(data, case) for data in DRAW for case in ("null", "shrunk")]
    introduction = INTRODUCTION.format(
        replications=replications,
        reference=ROWS,
        candidate=ROWS // 2,
        columns=COLUMNS,
        clusters=CLUSTERS,
        error=0.218 / replications**0.5,
    )
    lines = [
        introduction,
        "| metric | level | "
        + " | ".join(f"{d} {c} value" for d, c in cases)
        + " | "
        + " | ".join(f"{d} retention" for d in DRAW)
        + " |",
        "|---" * (2 + len(cases) + len(DRAW)) + "|",
    ]
    for key, rows in table.group_by("metric", "level", maintain_order=True):
        cell = {(row["data"], row["case"]): row for row in rows.to_dicts()}
        shown = [_cell(cell[case], "value_holds") for case in cases]
        shown += [_cell(cell[data, "null"], "retention_holds") for data in DRAW]
        level = "" if key[1] is None else f"{key[1]:g}"
        lines.append(f"| {key[0]} | {level} | " + " | ".join(shown) + " |")
    path.write_text("\n".join(lines) + "\n")


def _cell(row: dict[str, Any], column: str) -> str:
    share, claimed = row[column], row[f"{column}_claimed"]
    if claimed == 0:
        return "–"
    return f"{share:.3f}" if claimed == row["replications"] else f"{share:.3f} ({claimed})"


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("docs/interval-coverage.md"))
    parser.add_argument("--metrics", nargs="+", choices=METRICS, default=list(METRICS))
    options = parser.parse_args()
    work = partial(replicate, names=frozenset(options.metrics))
    tasks = [
        (name, case, seed)
        for name in DRAW
        for case in ("null", "shrunk")
        for seed in range(options.replications)
    ]
    started = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        frames = pl.concat(list(pool.map(work, tasks, chunksize=8)))
    table = coverage(frames)
    write_document(table, options.replications, options.out)
    print(f"{len(tasks)} comparisons in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()

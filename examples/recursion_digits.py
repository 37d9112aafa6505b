"""Watch models of handwritten digits collapse, and see what keeps them from it.

Two models learn to draw scikit-learn's handwritten digits: a mixture of Gaussians and a kernel
density estimate. Each is trained on its own drawings, generation after generation, under three
policies: the drawings *replace* the data, they *accumulate* beside them, or they are *mixed* with
the human digits in a fixed share. All generations are compared with digits that no model saw.

    python examples/recursion_digits.py --generations 5

writes one page per model, with the policies side by side, and prints what was left at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from sklearn.datasets import load_digits

import tailwatch as tw
from tailwatch.recursion import Accumulate, GaussianMixture, KernelDensity, Mix, Replace

if TYPE_CHECKING:
    from collections.abc import Sequence

GREY_LEVEL = 1.0
"""A pixel has one of 17 grey levels; both models blur it by about one."""

LEARNERS = {
    "mixture": GaussianMixture(10, least_variance=0.1 * GREY_LEVEL**2),
    "kernel": KernelDensity(GREY_LEVEL),
}
POLICIES = (Replace(), Accumulate(), Mix(0.25))

LEFT = {"tail_recall": 0.05, "coverage": None, "precision": None, "total_variance": None}
"""What the table shows, and at which level."""


def left(overlay: tw.recursion.Overlay, learner: str) -> pl.DataFrame:
    """Tell what the last generation retains of what fresh human digits score."""
    last = overlay.frame.filter(pl.col("generation") == pl.col("generation").max())
    columns = []
    for metric, level in LEFT.items():
        rows = last.filter(pl.col("metric") == metric, pl.col("level").eq_missing(level))
        interval = pl.format(
            "{} [{}, {}]",
            *(pl.col(c).round(2) for c in ("retention", "retention_low", "retention_high")),
        )
        columns.append(rows.select("run", interval.alias(metric)))
    table = columns[0]
    for column in columns[1:]:
        table = table.join(column, on="run", how="left", maintain_order="left")
    return table.select(pl.lit(learner).alias("model"), pl.all())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--generations", type=int, default=5, help="models, one after the other")
    parser.add_argument("--rows", type=int, default=None, help="digits to use, all by default")
    parser.add_argument("--metrics", default="standard", help="panel or metrics, by commas")
    parser.add_argument("--out", type=Path, default=Path("recursion-digits"), help="directory")
    parser.add_argument("--seed", type=int, default=0, help="of the runs")
    chosen = parser.parse_args(arguments)

    human = load_digits().data[: chosen.rows]
    names = chosen.metrics.split(",")
    chosen.out.mkdir(parents=True, exist_ok=True)
    tables = []
    for name, learner in LEARNERS.items():
        overlay = tw.recursion.overlay(
            tw.recursion.run(
                learner,
                human,
                policy=policy,
                generations=chosen.generations,
                holdout=0.5,
                metrics=names[0] if len(names) == 1 else names,
                seed=chosen.seed,
                progress=True,
            )
            for policy in POLICIES
        )
        tables.append(left(overlay, name))
        page = overlay.save(chosen.out / f"{name}.html")
        print(f"{overlay.sentence}\nThe report is in {page}")

    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        fmt_str_lengths=40,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print(pl.concat(tables))


if __name__ == "__main__":
    main()

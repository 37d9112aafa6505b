"""Watch least squares learn its own noise, beside what theory expects of it.

The human data are scikit-learn's diabetes patients: ten measurements, turned and scaled so that
they are uncorrelated with variance 1, and how the illness went on. A linear model learns from half
of them and labels new patients, noise included; the next model learns from these. The risk on
patients that no model saw is drawn beside the closed forms, which know nothing of the data but
their number and noise.

    python examples/recursion_regression.py --generations 20

writes one page, with the policies side by side, and prints the risk at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes

import tailwatch as tw
from tailwatch.recursion import Accumulate, LinearRegression, Mix, Replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

POLICIES = (Replace(), Accumulate(), Mix(0.25))


def patients() -> NDArray[np.float64]:
    """Give rows of ten uncorrelated features and a label, all of mean 0 and variance 1."""
    data = load_diabetes()
    features = data.data - data.data.mean(axis=0)
    left, _, _ = np.linalg.svd(features, full_matrices=False)
    label = (data.target - data.target.mean()) / data.target.std()
    return np.column_stack([np.sqrt(len(left)) * left, label])


def risks(overlay: tw.recursion.Overlay) -> pl.DataFrame:
    """Tell the risk of the first and of the last model, with what theory expects."""
    frame = overlay.frame.filter(metric="risk")
    number = pl.col("generation")
    ends = frame.filter((number == 1) | (number == number.max()))
    rounded = (pl.col(name).round(3) for name in ("value", "low", "high"))
    return ends.select(
        "run",
        "generation",
        pl.format("{} [{}, {}]", *rounded).alias("squared error"),
        pl.col("theory").round(3),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--generations", type=int, default=20, help="models, one after the other")
    parser.add_argument(
        "--out", type=Path, default=Path("recursion-regression.html"), help="the report"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the runs")
    chosen = parser.parse_args(arguments)

    overlay = tw.recursion.overlay(
        tw.recursion.run(
            LinearRegression(),
            patients(),
            policy=policy,
            generations=chosen.generations,
            holdout=0.5,
            metrics=("total_variance", "directional_tails", "recall", "tail_recall"),
            seed=chosen.seed,
            progress=True,
        )
        for policy in POLICIES
    )
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
        fmt_str_lengths=40,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print(risks(overlay))
    print(f"{overlay.sentence}\nThe report is in {overlay.save(chosen.out)}")


if __name__ == "__main__":
    main()

"""The frame of a comparison: columns, rows and their order, counts, methods; and how it was run."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.arguments import tail_size
from tests.support import samples

COLUMNS = {
    "metric": pl.String(),
    "level": pl.Float64(),
    "value": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "null": pl.Float64(),
    "null_low": pl.Float64(),
    "null_high": pl.Float64(),
    "standard_error": pl.Float64(),
    "retention": pl.Float64(),
    "retention_low": pl.Float64(),
    "retention_high": pl.Float64(),
    "value_all": pl.Float64(),
    "low_all": pl.Float64(),
    "high_all": pl.Float64(),
    "direction": pl.String(),
    "n_reference": pl.Int64(),
    "n_candidate": pl.Int64(),
    "n_reference_all": pl.Int64(),
    "n_candidate_all": pl.Int64(),
    "tail_rows": pl.Float64(),
    "tail_rows_all": pl.Float64(),
    "variance_ratio_all": pl.Float64(),
    "p_value": pl.Float64(),
    "method": pl.String(),
    "reason": pl.String(),
}
STANDARD = {
    "precision": "higher",
    "recall": "higher",
    "density": "match",
    "coverage": "higher",
    "clipped_density": "higher",
    "clipped_coverage": "higher",
    "copies": "match",
    "normalised_copies": "match",
    "duplicates": "match",
    "tail_coverage": "higher",
    "tail_recall": "higher",
    "tail_mass": "match",
    "tail_supported_mass": "match",
    "tail_odds_ratio": "match",
    "mode_coverage": "higher",
    "directional_tails": "match",
    "frechet_distance": "lower",
    "mmd_polynomial": "lower",
    "mmd_gaussian": "lower",
    "energy_distance": "lower",
    "energy_coefficient": "lower",
    "total_variance": "match",
    "effective_rank": "match",
    "participation_ratio": "match",
}
COPIES = ["copies", "normalised_copies", "duplicates"]
FAST = [
    "directional_tails",
    "frechet_distance",
    "total_variance",
    "effective_rank",
    "participation_ratio",
]
LEVELS = [0.05, 0.2]

X = samples.gaussian(1, 601, 4).astype(np.float32)
Y = samples.gaussian(2, 333, 4).astype(np.float32)


@pytest.fixture(scope="module")
def found() -> tw.Comparison:
    return tw.compare(X, Y, tail_levels=LEVELS, max_rows=400, seed=3, threads=2)


def expected_rows() -> list[tuple[str, float | None]]:
    rows: list[tuple[str, float | None]] = []
    fixed = {"mode_coverage": (0.05, 1.0), "directional_tails": (0.01,)}
    for name in STANDARD:
        by_level = name.startswith("tail_")
        levels = LEVELS if by_level else fixed.get(name, (None,))
        rows += [(name, level) for level in levels]
    return rows


def test_columns(found: tw.Comparison) -> None:
    assert dict(found.frame.schema) == COLUMNS
    assert list(found.frame.columns) == list(COLUMNS)


def test_rows_come_by_metric_and_level(found: tw.Comparison) -> None:
    assert found.frame.select("metric", "level").rows() == expected_rows()
    assert found.frame["value_all"].null_count() == 0


def test_rows_in_the_pooled_tail_stand_beside_their_odds(found: tw.Comparison) -> None:
    odds = pl.col("metric") == "tail_odds_ratio"
    others = found.frame.filter(~odds)
    for suffix in ("", "_all"):
        assert others[f"tail_rows{suffix}"].null_count() == others.height
        for row in found.frame.filter(odds).to_dicts():
            n, m, y = (
                row[f"{name}{suffix}"] for name in ("n_reference", "n_candidate", "tail_rows")
            )
            x = tail_size(row["level"], n + m) - y
            value = row[f"value{suffix}"]
            expected = y * (n - x) / (x * (m - y)) if min(x, y) >= 0.5 else value
            assert value == pytest.approx(expected, rel=1e-12)


def test_directions(found: tw.Comparison) -> None:
    directions = found.frame.select("metric", "direction").unique().rows()
    assert dict(directions) == STANDARD
    assert len(directions) == len(STANDARD)


def test_methods(found: tw.Comparison) -> None:
    closed = {"mmd_polynomial", "mmd_gaussian", "energy_distance", "energy_coefficient"}
    for metric, method, reason in found.frame.select("metric", "method", "reason").iter_rows():
        assert (reason is None) == (metric != "mode_coverage")
        if metric == "mode_coverage":
            assert method is None
        elif metric == "density":
            assert method == "three-quarter sampling"
        elif metric in COPIES:
            assert method == "binomial"
        else:
            assert method == ("closed variance" if metric in closed else "half-sampling"), metric


def test_what_has_a_method_has_intervals(found: tw.Comparison) -> None:
    assert found.frame["null"].null_count() == 0
    known = found.frame.filter(pl.col("method").is_not_null())
    assert known.select("low", "high", "null_low", "null_high").null_count().row(0) == (0,) * 4
    unknown = found.frame.filter(pl.col("method").is_null())
    beside = pl.col("low", "high", "null_low", "null_high", "retention_low", "retention_high")
    assert unknown.select(pl.all_horizontal(beside.is_null().all())).item()


def test_the_retention_of_a_divergence_counts_standard_errors(found: tw.Comparison) -> None:
    for row in found.frame.to_dicts():
        assert (row["standard_error"] is not None) == (row["direction"] == "lower"), row["metric"]
        if row["direction"] == "lower":
            excess = (row["value"] - row["null"]) / row["standard_error"]
            assert row["retention"] == pytest.approx(excess, rel=1e-9), row["metric"]


def test_rows_that_entered(found: tw.Comparison) -> None:
    # 601 rows halve into 300 and 300. At most 400 rows of a set enter what is quadratic: two
    # halves of 200, all 333 rows of the candidate.
    for row in found.frame.to_dicts():
        halves = (row["n_reference"], row["n_candidate"])
        whole = (row["n_reference_all"], row["n_candidate_all"])
        linear = ((300, 300), (601, 333))
        expected = linear if row["metric"] in {*FAST, *COPIES} else ((200, 200), (400, 333))
        assert (halves, whole) == expected, row["metric"]


@pytest.mark.parametrize("max_rows", [None, 10**6])
def test_without_a_bound_all_rows_enter(max_rows: int | None) -> None:
    frame = tw.compare(X, Y, metrics=["recall"], max_rows=max_rows).frame
    assert frame.select("^n_.*$").rows() == [(300, 300, 601, 333)]


def test_a_small_candidate_cuts_all_three() -> None:
    frame = tw.compare(X, Y[:64], metrics=["recall", "total_variance"]).frame
    assert frame.select("^n_.*$").rows() == [(64, 64, 601, 64)] * 2


@pytest.mark.parametrize(
    ("metrics", "names"),
    [
        ("standard", list(STANDARD)),
        ("fast", FAST),
        ("recall", ["recall"]),
        (["energy_distance", "precision"], ["precision", "energy_distance"]),
        (("total_variance", "total_variance"), ["total_variance"]),
    ],
)
def test_panels_and_names(metrics: str | list[str], names: list[str]) -> None:
    found = tw.compare(X[:200], Y[:100], metrics=metrics)
    assert found.frame["metric"].unique(maintain_order=True).to_list() == names
    assert found.run["arguments"]["metrics"] == names


def test_levels_keep_the_order_in_which_they_were_given() -> None:
    levels = [0.2, 0.05, 0.1]
    frame = tw.compare(X[:200], Y[:100], metrics=["tail_mass"], tail_levels=levels).frame
    assert frame["level"].to_list() == levels
    assert frame["value"].to_list() != sorted(frame["value"])


def test_more_confidence_is_wider_and_moves_no_estimate() -> None:
    narrow, wide = (tw.compare(X, Y, confidence=level, threads=2).frame for level in (0.5, 0.99))
    for name in ("value", "null", "retention"):
        assert narrow[name].equals(wide[name])
    for low, high in (("low", "high"), ("null_low", "null_high")):
        assert (wide[low] <= narrow[low]).fill_null(value=True).all()
        assert (wide[high] >= narrow[high]).fill_null(value=True).all()


def test_how_it_was_run(found: tw.Comparison) -> None:
    run = found.run
    assert run["reference"] == {"name": "reference", "rows": 601, "columns": 4, "dtype": "float32"}
    assert run["candidate"] == {"name": "candidate", "rows": 333, "columns": 4, "dtype": "float32"}
    assert run["arguments"] == {
        "metrics": list(STANDARD),
        "k": 5,
        "tail_levels": LEVELS,
        "confidence": 0.95,
        "max_rows": 400,
        "seed": 3,
    }
    assert run["rows_used"] == {"reference_half": 300, "candidate": 300, "quadratic_half": 200}
    assert set(run["versions"]) == {"tailwatch", "python", "numpy", "polars"}
    assert run["versions"]["tailwatch"] == tw.__version__
    assert datetime.fromisoformat(run["started"]).tzinfo is not None
    assert run["seconds"] > 0
    assert json.loads(json.dumps(run, allow_nan=False)) == run


def test_the_threads_that_were_used_are_said() -> None:
    assert tw.compare(X[:200], Y[:100], metrics="fast", threads=2).run["threads"] == 2
    unsaid = tw.compare(X[:200], Y[:100], metrics="fast").run["threads"]
    assert isinstance(unsaid, int)
    assert unsaid >= 1

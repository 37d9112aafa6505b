"""Frames of two small loops of a Gaussian, measured by the panel itself, and their verdicts."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import polars as pl

import tailwatch as tw

ROWS, COLUMNS, GENERATIONS = 120, 4, 6
FRACTIONS = {"replace": 0.0, "mix:0.5": 0.5}
METRICS = ("tail_coverage", "tail_mass", "recall", "total_variance", "energy_distance")

SCHEMA = {
    "run": pl.String,
    "generation": pl.Int64,
    "group": pl.String,
    "metric": pl.String,
    "level": pl.Float64,
    **dict.fromkeys(["value", "low", "high", "null", "null_low", "null_high"], pl.Float64),
    "standard_error": pl.Float64,
    **dict.fromkeys(["retention", "retention_low", "retention_high"], pl.Float64),
    "direction": pl.String,
    "theory": pl.Float64,
    **dict.fromkeys(["n_training", "n_sample", "n_reference", "n_candidate"], pl.Int64),
    "method": pl.String,
    "reason": pl.String,
}

DEFINITIONS = (
    "catastrophic increase of population risk",
    "any increase of population risk",
    "asymptotically diverging risk",
    "change in scaling law",
    "collapsing variance",
    "entanglement of real modes",
    "disappearance of real tails",
    "appearance of hallucinated data",
)
STATUSES = ("does not hold", "holds", "undetermined", "not measured")
MODES = ("model collapse", "mode collapse", "overfitting", "catastrophic forgetting")


@cache
def frame(runs: tuple[str, ...] = ("replace",)) -> pl.DataFrame:
    """Return the frame of the runs, one below the other."""
    return pl.concat(_loop(name, FRACTIONS[name]) for name in runs)


@cache
def _loop(name: str, fraction: float) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    holdout, training = rng.standard_normal((2, 2 * ROWS, COLUMNS))
    human = training[:ROWS]
    rows: list[dict[str, Any]] = []
    training = human
    for generation in range(1, GENERATIONS + 1):
        mean, scale = training.mean(0), training.std(0)
        samples = rng.normal(mean, scale, (ROWS, COLUMNS))
        about = {"run": name, "generation": generation, "n_training": len(training)}
        about |= {"n_sample": ROWS}
        panel = tw.compare(holdout, samples, metrics=METRICS, seed=3).frame
        expected = COLUMNS * (1 - 1 / ROWS) ** generation if not fraction else None
        for row in panel.to_dicts():
            theory = expected if row["metric"] == "total_variance" else None
            rows.append(about | {"group": "panel", "theory": theory} | row)
        risk = ((holdout - mean) ** 2 / scale**2 + 2 * np.log(scale)).sum(1)
        error = 1.96 * risk.std() / np.sqrt(len(risk))
        bare = about | {"direction": "lower", "method": "normal interval over rows"}
        interval = {"low": risk.mean() - error, "high": risk.mean() + error}
        rows.append(bare | {"group": "risk", "metric": "risk", "value": risk.mean()} | interval)
        bare["method"], bare["reason"] = None, "a number of the model"
        spread = {"group": "parameter", "metric": "scale", "value": float(scale.mean())}
        rows.append(bare | spread | {"direction": "none"})
        share = fraction if generation > 1 else 1.0
        rows.append(bare | {"group": "loop", "metric": "human_fraction", "value": share})
        kept = int(fraction * ROWS)
        training = np.concatenate([human[:kept], samples[: ROWS - kept]])
    return pl.DataFrame([dict.fromkeys(SCHEMA) | row for row in rows], schema=SCHEMA)


def verdicts(runs: tuple[str, ...] = ("replace",)) -> pl.DataFrame:
    """Return verdicts of every status; several runs have a column that names them."""
    rows = [
        {
            "run": run,
            "definition": definition,
            "status": STATUSES[(place + shift) % 4],
            "metric": "tail_mass at 0.05",
            "generations": "1–6",
            "value": 0.75,
            "low": 0.6,
            "high": 0.9,
            "threshold": 0.95,
            "evidence": "tail_mass at 0.05, generations 4–6: 0.75 [0.6, 0.9] of the null",
        }
        for shift, run in enumerate(runs)
        for place, definition in enumerate(DEFINITIONS)
    ]
    found = pl.DataFrame(rows)
    return found if len(runs) > 1 else found.drop("run")


def diagnosis() -> pl.DataFrame:
    """Return a diagnosis of each mode."""
    rows = [
        {
            "mode": mode,
            "status": STATUSES[place],
            "evidence": f"what_speaks for {mode}: total_variance",
        }
        for place, mode in enumerate(MODES)
    ]
    return pl.DataFrame(rows)


def plan() -> pl.DataFrame:
    """Return a plan of such a loop; its last note could break out of the page."""
    hostile = pl.when(pl.col("quantity") == "half_life").then(pl.lit("<b>")).otherwise("note")
    return tw.recursion.plan(ROWS, 20).with_columns(note=hostile)


def arguments(policy: str = "replace") -> dict[str, Any]:
    """Return what was run."""
    told = {"text": policy, "words": "Each generation learns only from what the last produced."}
    return {
        "arguments": {"policy": told, "generations": GENERATIONS, "confidence": 0.95, "seed": 5},
        "versions": {"tailwatch": "0.1.0", "numpy": "2.4.0"},
        "fingerprint": "0f3a",
    }

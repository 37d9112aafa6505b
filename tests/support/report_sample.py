"""A comparison frame and its metadata, as for a candidate whose variance shrank."""

from __future__ import annotations

from io import StringIO
from typing import Any

import polars as pl

from tailwatch.comparison.frame import SCHEMA

# Value, null and retention with their intervals; the value on all rows is the last column.
_SHRUNK = """\
precision,,0.871,0.849,0.89,0.803,0.776,0.827,1.08,1.05,1.12,higher,half-sampling,0.883
recall,,0.522,0.487,0.557,0.801,0.773,0.826,0.65,0.61,0.7,higher,half-sampling,0.54
density,,1.204,1.141,1.27,1.002,0.958,1.048,1.2,1.14,1.27,match,half-sampling,1.221
coverage,,0.978,0.967,0.985,0.968,0.955,0.977,1.01,0.997,1.02,higher,half-sampling,0.981
clipped_density,,0.982,0.941,1.0,0.991,0.953,1.0,0.99,0.94,1.05,higher,half-sampling,0.99
clipped_coverage,,0.993,0.952,1.0,0.987,0.944,1.0,1.01,0.95,1.06,higher,half-sampling,1.0
copies,,0.0,0.0,0.0012,0.0,0.0,0.0012,,,,match,binomial,0.0
normalised_copies,,0.0,0.0,0.0012,0.0,0.0,0.0012,,,,match,binomial,0.0
duplicates,,0.0,0.0,0.0012,0.0,0.0,0.0012,,,,match,binomial,0.0
tail_coverage,0.1,0.934,0.866,0.969,0.978,0.922,0.994,0.96,0.91,1.01,higher,half-sampling,0.94
tail_coverage,0.05,0.911,0.788,0.966,0.978,0.862,0.997,0.93,0.85,1.02,higher,half-sampling,0.918
tail_coverage,0.01,0.778,0.421,0.944,0.889,0.509,0.984,0.88,0.57,1.35,higher,half-sampling,0.81
tail_recall,0.1,0.421,0.341,0.506,0.762,0.682,0.827,0.55,0.46,0.67,higher,half-sampling,0.43
tail_recall,0.05,0.244,0.147,0.378,0.741,0.607,0.841,0.33,0.21,0.52,higher,half-sampling,0.25
tail_recall,0.01,0.111,0.02,0.435,0.667,0.334,0.891,0.17,0.03,0.68,higher,half-sampling,0.1
tail_mass,0.1,0.134,0.083,0.214,1.052,0.897,1.233,0.13,0.08,0.21,match,half-sampling,0.121
tail_mass,0.05,0.076,0.043,0.131,1.089,0.852,1.391,0.07,0.04,0.12,match,half-sampling,0.071
tail_mass,0.01,0.0,0.0,0.33,1.111,0.583,2.113,0.0,0.0,0.31,match,half-sampling,0.0
tail_supported_mass,0.1,0.122,0.074,0.201,0.821,0.676,0.996,0.15,0.09,0.24,match,half-sampling,0.11
tail_supported_mass,0.05,0.065,0.035,0.12,0.79,0.582,1.07,0.08,0.04,0.15,match,half-sampling,0.06
tail_supported_mass,0.01,0.0,0.0,0.33,0.667,0.27,1.64,0.0,0.0,0.52,match,half-sampling,0.0
tail_odds_ratio,0.1,0.18,0.12,0.26,1.02,0.74,1.41,0.18,0.11,0.27,match,exact conditional,0.171
tail_odds_ratio,0.05,0.11,0.05,0.21,0.98,0.62,1.54,0.11,0.05,0.23,match,exact conditional,0.104
tail_odds_ratio,0.01,0.06,0.001,0.38,1.12,0.41,3.1,0.05,0.001,0.41,match,exact conditional,0.049
mode_coverage,,0.861,0.71,0.941,0.972,0.855,0.995,0.89,0.76,1.03,higher,half-sampling,0.88
directional_tails,0.01,0.241,0.198,0.293,1.03,0.921,1.152,0.23,0.19,0.29,match,half-sampling,0.236
frechet_distance,,4.812,4.655,4.974,1.204,1.163,1.246,174.0,166.4,181.9,lower,half-sampling,4.29
energy_coefficient,,0.0123,0.0117,0.0129,0.0004,-0.0001,0.0009,82,75,89,lower,closed,0.0121
mmd_polynomial,,4.12e-4,3.65e-4,4.59e-4,-2.1e-6,-1.2e-5,8.1e-6,82.5,73.1,91.9,lower,closed,4.07e-4
mmd_gaussian,,2.14e-3,0.00197,0.00231,1.21e-5,-6.1e-5,8.5e-5,58.2,53.5,62.9,lower,closed,0.00211
energy_distance,,0.1042,0.0986,0.1098,0.0004,-0.0012,0.002,129.8,122.6,136.9,lower,closed,0.1037
total_variance,,40.9,40.2,41.7,64.1,63.2,65.1,0.64,0.62,0.65,match,half-sampling,40.95
effective_rank,,61.3,61.1,61.5,61.2,61.0,61.4,1.002,0.997,1.006,match,half-sampling,62.1
participation_ratio,,58.6,58.2,59.0,58.5,58.1,58.9,1.002,0.993,1.01,match,half-sampling,60.2
"""

_COLUMNS = [
    *("metric", "level", "value", "low", "high", "null", "null_low", "null_high"),
    *("retention", "retention_low", "retention_high", "direction", "method", "value_all"),
]

_TABLE = pl.read_csv(
    StringIO(_SHRUNK),
    has_header=False,
    new_columns=_COLUMNS,
    schema_overrides=[pl.String, *[pl.Float64] * 10, pl.String, pl.String, pl.Float64],
)

METRICS = _TABLE["metric"].unique(maintain_order=True).to_list()
FAST = [
    "directional_tails",
    "frechet_distance",
    "total_variance",
    "effective_rank",
    "participation_ratio",
]

SENTENCE = (
    "The tails were lost: of the rarest 5 % of human rows, generation 5 keeps 0.07 [0.04, 0.12] of "
    "the mass a fresh sample would hold, although precision and coverage look better than the null."
)


def records(metrics: list[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of the frame as dictionaries."""
    chosen = _TABLE.filter(pl.col("metric").is_in(METRICS if metrics is None else metrics))
    sizes = {"n_reference": 2500, "n_candidate": 2500}
    sizes |= {"n_reference_all": 5000, "n_candidate_all": 5000}
    rows = []
    for row in chosen.to_dicts():
        excess = row["value"] - row["null"]
        error = excess / row["retention"] if row["direction"] == "lower" else None
        rows.append({**dict.fromkeys(SCHEMA), **row, **sizes, "standard_error": error})
    return rows


def frame(rows: list[dict[str, Any]] | None = None) -> pl.DataFrame:
    """Return a comparison frame of `rows`, or of the whole sample."""
    return pl.DataFrame(records() if rows is None else rows, schema=SCHEMA)


def run(reference: str = "human", candidate: str = "generation 5") -> dict[str, Any]:
    """Return the metadata of a comparison."""
    return {
        "reference": {"name": reference, "rows": 5000, "columns": 64, "dtype": "float32"},
        "candidate": {"name": candidate, "rows": 5000, "columns": 64, "dtype": "float32"},
        "arguments": {
            "metrics": METRICS,
            "k": 5,
            "tail_levels": [0.1, 0.05, 0.01],
            "confidence": 0.95,
            "max_rows": None,
            "seed": 0,
        },
        "rows_used": {"reference_half": 2500, "candidate": 2500},
        "versions": {"tailwatch": "0.1.0", "python": "3.11.7", "numpy": "2.4.0", "polars": "2.1.0"},
        "started": "2026-01-05T10:15:00+00:00",
        "seconds": 12.4375,
        "threads": 2,
    }

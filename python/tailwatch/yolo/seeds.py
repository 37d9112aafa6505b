"""From the runs of several seeds to one frame: means, and intervals over the seeds.

For each arm, generation, metric and level, over the seeds that measured it:

==============  ================================================================================
column          content
==============  ================================================================================
``value``       mean over seeds, with the t interval mean ± t · sd/√n
``null``        mean over seeds of what each run gives; for average precision and risk, which have
                none within a run, the control arm at the same generation
``retention``   value over null, where less is a loss, with the errors of both in its interval
==============  ================================================================================

Data and training are new with each seed where the study makes them so; then the interval is for a
new experiment of this kind. With one seed there is no interval over seeds, and ``reason`` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.intervals import ratio_of
from tailwatch.recursion.frame import SCHEMA, frame_of, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTROL", "CONTROL_OF_UNKNOWN", "over_seeds"]

CONTROL = "human only"
"""Label of the control arm."""

CONTROL_OF_UNKNOWN = "first data only"
"""Its label where nobody has said that the first data are human."""

MOST_METHODS = 3
"""Different methods of single seeds that are quoted."""

KEY = ("run", "generation", "group", "metric", "level")


def over_seeds(frames: Mapping[int, pl.DataFrame], *, confidence: float = 0.95) -> pl.DataFrame:
    """Return one frame of the runs of several seeds: means, and intervals over the seeds.

    Parameters
    ----------
    frames
        By seed, the frames of all arms below each other.
    confidence
        Confidence of the intervals.

    Returns
    -------
    polars.DataFrame
        In the schema of a run's frame.
    """
    numbered = pl.concat(
        [frame.with_columns(seed=pl.lit(seed)) for seed, frame in sorted(frames.items())]
    )
    groups = numbered.group_by(KEY, maintain_order=True)
    rows = [_joined(part, confidence) for _, part in groups]
    control = {
        (each["generation"], each["metric"], each["level"]): each
        for each in rows
        if each["run"] in {CONTROL, CONTROL_OF_UNKNOWN}
    }
    for each in rows:
        beside = control.get((each["generation"], each["metric"], each["level"]))
        if each["null"] is None and beside is not None and _is_precision(each):
            each |= {
                "null": beside["value"],
                "null_low": beside["low"],
                "null_high": beside["high"],
                "reason": joined(each["reason"], f"the null is the arm {beside['run']!r}"),
            }
        value, null = (
            tuple(each[name] for name in names)
            for names in (("value", "low", "high"), ("null", "null_low", "null_high"))
        )
        if None not in (value[0], null[0]) and each["direction"] in {"higher", "match"}:
            kept = ratio_of(value, null)
            each |= dict(zip(("retention", "retention_low", "retention_high"), kept, strict=True))
        # What has to be said of the data of a seed has to be said of the mean.
        of_seed = each.pop("of_seed")
        each["reason"] = joined(each["reason"], f"of each seed: {of_seed}" if of_seed else None)
    return frame_of(rows).select(list(SCHEMA))


def _is_precision(row: dict[str, Any]) -> bool:
    return row["group"] == "risk" or row["metric"].partition(":")[0] in {
        "map",
        "map50",
        "ap",
        "ap50",
    }


def _joined(part: pl.DataFrame, confidence: float) -> dict[str, Any]:
    """Return mean and interval over the seeds of one metric."""
    from scipy.stats import t

    row = part.drop("seed").row(0, named=True)
    row |= dict.fromkeys(("low", "high", "null_low", "null_high", "standard_error"))
    row |= dict.fromkeys(("retention", "retention_low", "retention_high"))
    said = part.select("method", "reason").unique(maintain_order=True).rows()
    row["of_seed"] = " / ".join(filter(None, (joined(*each) for each in said[:MOST_METHODS])))
    row |= {"method": None, "reason": None}
    values, nulls = (part[name].drop_nulls().drop_nans().to_numpy() for name in ("value", "null"))
    row["value"] = float(values.mean()) if values.size else None
    row["null"] = float(nulls.mean()) if nulls.size else None
    if nulls.size:
        lows, highs = part["null_low"].drop_nulls(), part["null_high"].drop_nulls()
        row["null_low"] = None if lows.is_empty() else float(lows.to_numpy().mean())
        row["null_high"] = None if highs.is_empty() else float(highs.to_numpy().mean())
    if values.size < 2:
        row["reason"] = f"{values.size} of {part.height} seeds measured it"
        return row
    reach = t.ppf((1 + confidence) / 2, values.size - 1) * values.std(ddof=1) / np.sqrt(values.size)
    row["low"], row["high"] = row["value"] - float(reach), row["value"] + float(reach)
    row["method"] = f"mean of {values.size} seeds, t interval"
    return row

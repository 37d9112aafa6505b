"""The panel of documents: that of :func:`tailwatch.metrics.text.compare_documents`.

A random half of the human documents is the null. Coverage of types, and of the rarer half of them
(``tail_coverage`` at level 0.5), divergences of their shares, entropy, repetition. With a retention
where a ratio to the null means something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tailwatch.comparison.intervals import ratio_of
from tailwatch.metrics.text import compare_documents

if TYPE_CHECKING:
    from tailwatch.comparison.request import Request
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["are_documents", "compare_tokens"]

HIGHER = ("type_coverage", "rare_type_coverage")
LOWER = ("total_variation", "jensen_shannon")
RARE_LEVEL = 0.5


def are_documents(data: Data) -> bool:
    """Return whether rows are lists of tokens: integers or strings."""
    if not isinstance(data, pl.Series) or not isinstance(data.dtype, pl.List):
        return False
    inner = data.dtype.inner
    return inner in (pl.String, pl.Categorical, pl.Enum) or inner.is_integer()


def compare_tokens(reference: Data, samples: Data, request: Request) -> list[Row]:
    """Compare documents of a generation with human ones."""
    found = compare_documents(
        reference, samples, confidence=request.confidence, seed=request.panel.seed
    )
    rows: list[Row] = []
    for row in found.to_dicts():
        metric, tokens = row.pop("metric"), row.pop("tokens")
        direction = "higher" if metric in HIGHER else "lower" if metric in LOWER else "match"
        value = (row["value"], row["low"], row["high"])
        null = (row["null"], row["null_low"], row["null_high"])
        kept: tuple[float | None, ...] = (None, None, None)
        if direction != "lower" and value[0] is not None and null[0] is not None:
            kept = ratio_of(value, null)
        rare = metric == "rare_type_coverage"
        rows.append(
            {
                "group": "panel" if metric in HIGHER + LOWER else "moments",
                "metric": "tail_coverage" if rare else metric,
                "level": RARE_LEVEL if rare else None,
                **row,
                **dict(zip(("retention", "retention_low", "retention_high"), kept, strict=True)),
                "direction": direction,
                "n_reference": tokens,
                "n_candidate": tokens,
                "method": "half-sampling of documents, rows being tokens",
            }
        )
    return rows

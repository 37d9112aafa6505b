"""The panels of categories and of documents: shares that moved, and types that are gone.

The reference is cut at random under the seed into halves A and B, and the samples to as many rows
C, as :func:`tailwatch.compare` does; value is metric(A, C) and null metric(A, B).

============================  ======================================================================
metric                        definition, interval, null
============================  ======================================================================
``total_variation``,          divergence of the shares; half-sampling; null by permutation
``jensen_shannon``,
``hellinger``
``type_coverage``             share of the types of A that are in C; Clopper–Pearson
``tail_coverage`` at α        the same of its rarest α types
``types``                     types in C; normal, with the number f₁ of types seen once as variance:
                              at least Σ e^−λ(1 − e^−λ), the Poisson one
``gini_simpson``, ``entropy`` of C, each with its own error
============================  ======================================================================

The panel of documents is that of :func:`tailwatch.metrics.text.compare_documents`, in which a
random half of the human documents is the null: coverage of types, and of the rarer half of them
(``tail_coverage`` at level 0.5), divergences of their shares, entropy, repetition; with a retention
where a ratio to the null means something.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.comparison.intervals import ratio_of
from tailwatch.metrics.categorical import compare_counts, entropy, gini_simpson, type_coverage
from tailwatch.metrics.text import compare_documents
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.comparison.intervals import Triple
    from tailwatch.comparison.request import Request
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["are_documents", "compare_categories", "compare_tokens"]


def compare_categories(reference: Data, samples: Data, request: Request) -> list[Row]:
    """Compare categories of a generation with human ones."""
    x, y = (pl.Series("type", data) for data in (reference, samples))
    rows = min(len(x) // 2, len(y))
    rng = generator(request.panel.seed, 0, "panel")
    order, others = rng.permutation(len(x)), rng.permutation(len(y))
    a, b = x.gather(order[:rows]), x.gather(order[rows : 2 * rows])
    c = y.gather(others[:rows])
    counts = {"n_reference": rows, "n_candidate": rows}
    found = [
        *_divergences(a, c, request),
        *_coverage(a, b, c, request),
        *_diversity(b, c, request.confidence),
    ]
    return [row | counts for row in found]


def _divergences(a: pl.Series, c: pl.Series, request: Request) -> Iterator[Row]:
    found = compare_counts(a, c, confidence=request.confidence, seed=request.panel.seed)
    for row in found.to_dicts():
        error = row["standard_error"]
        scaled = [
            (row[name] - row["null"]) / error if error > 0 else None
            for name in ("value", "low", "high")
        ]
        yield {
            "group": "panel",
            **row,
            **dict(zip(("retention", "retention_low", "retention_high"), scaled, strict=True)),
            "direction": "lower",
            "method": "half-sampling; null by permutation",
        }


def _coverage(a: pl.Series, b: pl.Series, c: pl.Series, request: Request) -> Iterator[Row]:
    levels, confidence = request.panel.levels, request.confidence
    candidate, human = (
        type_coverage(a, each, levels=levels, confidence=confidence).to_dicts() for each in (c, b)
    )
    for value, null in zip(candidate, human, strict=True):
        whole = value["level"] == 1.0
        yield {
            "group": "panel",
            "metric": "type_coverage" if whole else "tail_coverage",
            "level": None if whole else value["level"],
            **_beside(
                (value["coverage"], value["low"], value["high"]),
                (null["coverage"], null["low"], null["high"]),
            ),
            "direction": "higher",
            "method": "binomial (Clopper–Pearson), the reference being given",
        }


def _diversity(b: pl.Series, c: pl.Series, confidence: float) -> Iterator[Row]:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    yield {
        "group": "moments",
        "metric": "types",
        **_beside(_types(c, z), _types(b, z)),
        "direction": "match",
        "method": "normal, variance at most the number of types seen once",
    }
    for metric, measure in (("gini_simpson", gini_simpson), ("entropy", entropy)):
        value, null = (measure(each, confidence=confidence) for each in (c, b))
        yield {
            "group": "moments",
            "metric": metric,
            **_beside((float(value), value.low, value.high), (float(null), null.low, null.high)),
            "direction": "match",
            "method": "normal, jackknife over rows",
        }


def _types(labels: pl.Series, z: float) -> Triple:
    counts = np.asarray(labels.value_counts()["count"])
    types, reach = float(len(counts)), z * float((counts == 1).sum()) ** 0.5
    return types, max(types - reach, 1.0), types + reach


def _beside(value: Triple, null: Triple) -> dict[str, Any]:
    names = ("value", "low", "high", "null", "null_low", "null_high")
    kept = ("retention", "retention_low", "retention_high")
    return dict(zip(names, (*value, *null), strict=True)) | dict(
        zip(kept, ratio_of(value, null), strict=True)
    )


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

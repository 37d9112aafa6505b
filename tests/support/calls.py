"""Every computation whose bits must be the same, and its result as bytes."""

from __future__ import annotations

import dataclasses
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS", "bits"]

metrics = tw.metrics


def scored_dataset(x: Any, y: Any, *, threads: int | None) -> pl.DataFrame:  # noqa: ANN401
    """The tables of a job whose model is of both, with the copies of one in the other."""
    model = tw.contamination.fit(x, y, threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/y.npy", tw.open(y).to_numpy())
        model.score_dataset(f"{folder}/y.npy", f"{folder}/out", copies_of=x, threads=threads)
        return pl.read_parquet(f"{folder}/out/shards/y.npy.parquet")


CALLS: dict[str, Callable[..., object]] = {
    "nearest_neighbors": lambda x, y, **how: metrics.nearest_neighbors(y, x, k=5, **how),
    "prdc": metrics.precision_recall_density_coverage,
    "clipped_density": metrics.clipped_density,
    "clipped_coverage": metrics.clipped_coverage,
    "copies": metrics.copies,
    "tail_coverage": metrics.tail_coverage,
    "tail_test": metrics.tail_test,
    "mode_coverage": metrics.mode_coverage,
    "probe_auc": metrics.probe_auc,
    "mauve": metrics.mauve,
    "directional_tails": metrics.directional_tails,
    "frechet_distance": metrics.frechet_distance,
    "frechet_distance_extrapolated": metrics.frechet_distance_extrapolated,
    "mmd_polynomial": lambda x, y, **how: metrics.mmd(x, y, kernel="polynomial", **how),
    "mmd_gaussian": lambda x, y, **how: metrics.mmd(x, y, kernel="gaussian", **how),
    "mmd_test_polynomial": lambda x, y, **how: metrics.mmd_test(x, y, kernel="polynomial", **how),
    "mmd_test_gaussian": lambda x, y, **how: metrics.mmd_test(x, y, kernel="gaussian", **how),
    "energy_distance": metrics.energy_distance,
    "sliced_wasserstein": metrics.sliced_wasserstein,
    "spectrum": lambda x, _, **how: metrics.spectrum(x, **how),
    "vendi_score": lambda x, _, **how: metrics.vendi_score(x, **how),
    "vendi_score_truncated": lambda x, _, **how: metrics.vendi_score(x, truncation=3, **how),
    "rke": lambda x, _, **how: metrics.rke(x, **how),
    "knn_entropy": lambda x, _, **how: metrics.knn_entropy(x, **how),
    "authenticity": metrics.authenticity,
    "intrinsic_dimension": lambda x, _, **how: metrics.intrinsic_dimension(x, **how),
    "knn_divergence": lambda x, y, **how: metrics.knn_divergence(
        x, y, dimension="intrinsic", **how
    ),
    "knn_jensen_shannon": metrics.knn_jensen_shannon,
    "contamination": lambda x, y, **how: tw.contamination.fit(x, y, **how).score(y, **how),
    "score_dataset": scored_dataset,
}


def bits(result: object) -> object:
    """Everything a result holds, as bytes."""
    if dataclasses.is_dataclass(result):
        return [bits(getattr(result, field.name)) for field in dataclasses.fields(result)]
    if isinstance(result, pl.DataFrame):
        return [bits(column.to_numpy()) for column in result]
    if isinstance(result, tuple):
        return [bits(part) for part in result]
    array = np.asarray(result)
    return array.dtype.str, array.shape, array.tobytes()

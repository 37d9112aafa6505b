# The Rust core: thin, for the modules of tailwatch only.

from collections.abc import Sequence
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from tailwatch.running import Settings

__all__ = [
    "Rows",
    "content_folds",
    "directional_metrics",
    "directional_tails",
    "directions",
    "frechet_distance",
    "frechet_of_moments",
    "gaussian_metrics",
    "instruction_sets",
    "kernel_metrics",
    "mmd",
    "modes",
    "moments",
    "nearest_neighbors",
    "neighbor_metrics",
    "pooled_tail",
    "precision_recall_density_coverage",
    "probe_scores",
    "sample",
    "spectrum",
    "tail_coverage",
    "thread_count",
    "whole_kernel_metrics",
    "whole_neighbor_metrics",
]

_Floats: TypeAlias = NDArray[np.float64]
_Samples: TypeAlias = tuple[Rows, Rows, Rows]
_Halves: TypeAlias = tuple[int, int, bool]
_Estimate: TypeAlias = tuple[str, float | None, _Floats, _Floats]
_Kernel: TypeAlias = tuple[str, Sequence[float]]

@final
class Rows:
    @staticmethod
    def from_numpy(chunks: Sequence[NDArray[Any]], name: str) -> Rows: ...
    @staticmethod
    def from_arrow(source: object, name: str) -> Rows: ...
    @staticmethod
    def concat(parts: Sequence[Rows]) -> Rows: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def dtype(self) -> str: ...
    def take(self, indices: NDArray[np.int64]) -> Rows: ...
    def to_numpy(self) -> NDArray[Any]: ...
    def check_finite(self, name: str) -> None: ...

def nearest_neighbors(
    queries: Rows, base: Rows, k: int, exclude_self: bool, settings: Settings
) -> tuple[_Floats, NDArray[np.int64]]: ...
def precision_recall_density_coverage(
    reference: Rows, candidate: Rows, k: int, settings: Settings
) -> tuple[float, float, float, float]: ...
def tail_coverage(
    reference: Rows, candidate: Rows, levels: Sequence[float], k: int, settings: Settings
) -> list[tuple[float, int, float, float, float, float]]: ...
def pooled_tail(
    reference: Rows, candidate: Rows, level: float, k: int, settings: Settings
) -> tuple[int, int]: ...
def modes(
    reference: Rows, samples: Sequence[Rows], clusters: int, seed: int, settings: Settings
) -> list[NDArray[np.uint32]]: ...
def directions(reference: Rows, count: int, seed: int, settings: Settings) -> _Floats: ...
def directional_tails(
    reference: Rows, candidate: Rows, directions: _Floats, level: float, settings: Settings
) -> _Floats: ...
def frechet_distance(reference: Rows, candidate: Rows, settings: Settings) -> float: ...
def frechet_of_moments(
    reference_mean: _Floats,
    reference_covariance: _Floats,
    candidate_mean: _Floats,
    candidate_covariance: _Floats,
    settings: Settings,
) -> float: ...
def moments(embeddings: Rows, settings: Settings) -> tuple[int, _Floats, _Floats]: ...
def mmd(
    reference: Rows,
    candidate: Rows,
    kernel: str,
    parameters: Sequence[float],
    unbiased: bool,
    settings: Settings,
) -> float: ...
def spectrum(
    embeddings: Rows, settings: Settings
) -> tuple[_Floats, float, float, float, float]: ...
def thread_count(settings: Settings) -> int: ...
def sample(count: int, size: int, seed: int, purpose: str) -> NDArray[np.int64]: ...
def neighbor_metrics(
    samples: _Samples,
    replicates: tuple[int, int, bool],
    levels: Sequence[float],
    k: int,
    settings: Settings,
) -> list[_Estimate]: ...
def whole_neighbor_metrics(
    reference: Rows, candidate: Rows, levels: Sequence[float], k: int, settings: Settings
) -> list[tuple[str, float | None, float]]: ...
def directional_metrics(
    samples: _Samples,
    replicates: _Halves,
    level: float,
    directions: int,
    settings: Settings,
) -> list[_Estimate]: ...
def gaussian_metrics(
    samples: _Samples, replicates: _Halves, settings: Settings
) -> list[_Estimate]: ...
def instruction_sets() -> list[tuple[str, bool]]: ...
def kernel_metrics(
    samples: _Samples, kernels: Sequence[_Kernel], settings: Settings
) -> list[tuple[float, float, float, float, float, float] | str]: ...
def whole_kernel_metrics(
    reference: Rows, candidate: Rows, kernels: Sequence[_Kernel], settings: Settings
) -> list[float | str]: ...
def probe_scores(
    rows: Rows,
    weights: _Floats,
    intercepts: _Floats,
    bounds: NDArray[np.uint64],
    folds: NDArray[np.uint8] | None,
    settings: Settings,
) -> NDArray[np.float32]: ...
def content_folds(
    rows: Rows, bounds: NDArray[np.uint64], settings: Settings
) -> NDArray[np.uint8]: ...

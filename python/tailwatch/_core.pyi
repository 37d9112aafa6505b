# The Rust core: thin, for the modules of tailwatch only.

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from tailwatch.progress import Settings

__all__ = [
    "MOST_THREADS",
    "Centres",
    "NoValue",
    "PreparedKernels",
    "PreparedMetrics",
    "PreparedSummary",
    "Rows",
    "Unfit",
    "VectorColumn",
    "Watch",
    "authenticity",
    "bin_counts",
    "clipped_density_and_coverage",
    "cluster_counts",
    "content_folds",
    "copies",
    "cramer_von_mises",
    "cross_mmd",
    "directional_tails",
    "directional_tails_beyond",
    "directional_thresholds",
    "directions",
    "first_length",
    "frechet_distance",
    "frechet_distance_extrapolated",
    "frechet_distance_extrapolated_to",
    "frechet_distance_to",
    "frechet_of_moments",
    "gaussian",
    "gaussians_of_cuts",
    "gaussians_of_halves",
    "good_shares",
    "instruction_sets",
    "intrinsic_dimension",
    "k_means",
    "knn_divergence",
    "knn_entropy",
    "knn_jensen_shannon",
    "kolmogorov_smirnov",
    "mauve",
    "mauve_of_counts",
    "mmd",
    "moments",
    "nearest_neighbors",
    "pooled_tail",
    "precision_recall_density_coverage",
    "prepare_authenticity",
    "prepare_directions",
    "prepare_kernels",
    "prepare_knn_divergence",
    "prepare_moments",
    "prepare_neighbors",
    "prepare_projections",
    "prepare_vendi",
    "probe_scores",
    "projections",
    "restore_directions",
    "restore_moments",
    "restore_spectra",
    "restore_vendi",
    "rke",
    "row_hashes",
    "sample",
    "sliced_wasserstein",
    "spectrum",
    "tail_coverage",
    "thread_count",
    "univariate_energy_distance",
    "vendi_score",
    "verify_pages",
    "wasserstein_distance",
    "whole_kernel_metrics",
    "whole_neighbor_metrics",
]

MOST_THREADS: Final[int]

_Floats: TypeAlias = NDArray[np.float64]
_Halves: TypeAlias = tuple[Rows, Rows]
_Replicates: TypeAlias = tuple[int, int, str]
_PooledTail: TypeAlias = tuple[int, tuple[int, int], tuple[int, int], float]
_Estimate: TypeAlias = tuple[str, float | None, _Floats]
_Gaussians: TypeAlias = tuple[_Floats, _Floats]
_Kernel: TypeAlias = tuple[str, Sequence[float]]
_Sample: TypeAlias = tuple[Sequence[NDArray[Any]], NDArray[np.uint64] | None, str]

@final
class Watch:
    def __new__(cls, bytes: NDArray[np.uint8], name: str) -> Watch: ...  # noqa: A002
    @property
    def active(self) -> bool: ...
    @property
    def torn(self) -> bool: ...

class Unfit(Exception): ...

@final
class VectorColumn:
    def __new__(cls, path: str, name: str, bytes: int, length: int) -> VectorColumn: ...  # noqa: A002
    def plan(self, bytes: int) -> int: ...  # noqa: A002
    def fill(self, into: NDArray[np.uint8], settings: Settings) -> None: ...

@final
class NoValue:
    @property
    def reason(self) -> str: ...

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
def clipped_density_and_coverage(
    reference: Rows, candidate: Rows, k: int, settings: Settings
) -> tuple[float, float]: ...
def good_shares(covered: _Floats, n: int, m: int, k: int) -> list[float]: ...
def copies(reference: Rows, candidate: Rows, settings: Settings) -> tuple[int, int]: ...
def tail_coverage(
    reference: Rows, candidate: Rows, levels: Sequence[float], k: int, settings: Settings
) -> list[tuple[float, int, float, float, float, float]]: ...
def pooled_tail(
    reference: Rows, candidate: Rows, level: float, k: int, settings: Settings
) -> _PooledTail: ...

@final
class Centres:
    def assign(self, rows: Rows, settings: Settings) -> NDArray[np.uint32]: ...
    def to_numpy(self) -> NDArray[np.float64]: ...

def k_means(rows: Rows, name: str, clusters: int, seed: int, settings: Settings) -> Centres: ...
def directions(reference: Rows, count: int, seed: int, settings: Settings) -> _Floats: ...
def directional_tails(
    reference: Rows, candidate: Rows, directions: _Floats, level: float, settings: Settings
) -> _Floats: ...
def directional_thresholds(
    reference: Rows, directions: _Floats, level: float, settings: Settings
) -> _Floats: ...
def directional_tails_beyond(
    directions: _Floats, quantiles: _Floats, level: float, candidate: Rows, settings: Settings
) -> _Floats: ...
def authenticity(training: Rows, candidate: Rows, settings: Settings) -> float: ...
def intrinsic_dimension(
    embeddings: Rows, discard: float, settings: Settings
) -> tuple[float, float, int]: ...
def knn_divergence(
    reference: Rows, candidate: Rows, k: int, dimension: float, settings: Settings
) -> float: ...
def knn_jensen_shannon(reference: Rows, candidate: Rows, k: int, settings: Settings) -> float: ...
def vendi_score(
    embeddings: Rows, q: float, truncation: int | None, settings: Settings
) -> float: ...
def knn_entropy(embeddings: Rows, k: int, dimension: float, settings: Settings) -> float: ...
def rke(embeddings: Rows, bandwidth: float, settings: Settings) -> float: ...
def frechet_distance(reference: Rows, candidate: Rows, settings: Settings) -> float: ...
def frechet_of_moments(
    reference_mean: _Floats,
    reference_covariance: _Floats,
    candidate_mean: _Floats,
    candidate_covariance: _Floats,
    settings: Settings,
) -> float: ...
def gaussian(reference: Rows, settings: Settings) -> _Gaussians: ...
def gaussians_of_cuts(
    reference: Rows, points: int, seed: int, settings: Settings
) -> _Gaussians: ...
def frechet_distance_to(
    means: _Floats, covariances: _Floats, candidate: Rows, settings: Settings
) -> float: ...
def frechet_distance_extrapolated_to(
    means: _Floats,
    covariances: _Floats,
    candidate: Rows,
    points: int,
    seed: int,
    settings: Settings,
) -> float: ...
def moments(embeddings: Rows, settings: Settings) -> tuple[int, _Floats, _Floats]: ...
def frechet_distance_extrapolated(
    reference: Rows, candidate: Rows, points: int, seed: int, settings: Settings
) -> tuple[float, float, float, float, list[float]]: ...
def cross_mmd(
    reference: Rows,
    candidate: Rows,
    kernel: str,
    parameters: Sequence[float],
    seed: int,
    settings: Settings,
) -> tuple[float, float, float]: ...
def mauve(
    reference: Rows,
    candidate: Rows,
    clusters: int,
    frontier: tuple[float, int, float],
    seed: int,
    settings: Settings,
) -> float: ...
def cluster_counts(
    reference: Rows, candidate: Rows, clusters: int, seed: int, settings: Settings
) -> tuple[list[int], list[int]]: ...
def mauve_of_counts(
    reference: Sequence[int],
    candidate: Sequence[int],
    frontier: tuple[float, int, float],
    settings: Settings,
) -> float: ...
def mmd(
    reference: Rows,
    candidate: Rows,
    kernel: str,
    parameters: Sequence[float],
    unbiased: bool,
    settings: Settings,
) -> float: ...
def projections(columns: int, count: int, seed: int, settings: Settings) -> _Floats: ...
def sliced_wasserstein(
    reference: Rows, candidate: Rows, directions: _Floats, p: float, settings: Settings
) -> float: ...
def spectrum(
    embeddings: Rows, settings: Settings
) -> tuple[_Floats, float, float, float, float]: ...
def thread_count(settings: Settings) -> int: ...
def sample(count: int, size: int, seed: int, purpose: str) -> NDArray[np.int64]: ...

@final
class PreparedMetrics:
    @property
    def null(self) -> list[_Estimate] | NoValue: ...
    def value(self, a: Rows, c: Rows, settings: Settings) -> list[_Estimate] | NoValue: ...

def prepare_neighbors(
    halves: _Halves,
    replicates: _Replicates,
    levels: Sequence[float],
    k: int,
    settings: Settings,
) -> PreparedMetrics: ...
def prepare_directions(
    halves: _Halves,
    replicates: _Replicates,
    level: float,
    directions: int,
    settings: Settings,
) -> PreparedSummary: ...
def restore_directions(
    replicates: _Replicates,
    level: float,
    directions: _Floats,
    quantiles: _Floats,
    null: _Floats,
) -> PreparedSummary: ...
def prepare_moments(
    halves: _Halves, replicates: _Replicates, distance: bool, settings: Settings
) -> PreparedSummary: ...
def gaussians_of_halves(a: Rows, replicates: _Replicates, settings: Settings) -> _Gaussians: ...
def restore_moments(
    replicates: _Replicates,
    means: _Floats,
    covariances: _Floats,
    null: _Floats,
    settings: Settings,
) -> PreparedSummary: ...
def restore_spectra(
    replicates: _Replicates, columns: int, traces: _Floats, null: _Floats
) -> PreparedSummary: ...
def prepare_projections(
    halves: _Halves,
    replicates: _Replicates,
    p: float,
    projections: int,
    settings: Settings,
) -> PreparedMetrics: ...
def prepare_knn_divergence(
    halves: _Halves, replicates: _Replicates, dimension: float, k: int, settings: Settings
) -> PreparedMetrics: ...
def prepare_authenticity(
    halves: _Halves, replicates: _Replicates, settings: Settings
) -> PreparedMetrics: ...
def prepare_vendi(
    halves: _Halves, replicates: _Replicates, q: float, settings: Settings
) -> PreparedSummary: ...
def restore_vendi(
    replicates: _Replicates, columns: int, q: float, null: _Floats | None
) -> PreparedSummary: ...

@final
class PreparedSummary:
    @property
    def null(self) -> list[_Estimate] | NoValue: ...
    def value(self, c: Rows, settings: Settings) -> list[_Estimate] | NoValue: ...
    def state(self) -> list[tuple[str, _Floats]]: ...

@final
class PreparedKernels:
    @property
    def nulls(self) -> list[float | None]: ...
    @property
    def apart(self) -> list[float]: ...
    def estimates(
        self, a: Rows, c: Rows, settings: Settings
    ) -> list[tuple[float, float, float, float, float, float, float] | NoValue]: ...

def prepare_kernels(
    halves: _Halves, kernels: Sequence[_Kernel], settings: Settings
) -> PreparedKernels: ...
def whole_neighbor_metrics(
    reference: Rows, candidate: Rows, levels: Sequence[float], k: int, settings: Settings
) -> tuple[list[tuple[str, float | None, float]], list[_PooledTail]]: ...
def instruction_sets() -> list[tuple[str, bool]]: ...
def whole_kernel_metrics(
    reference: Rows, candidate: Rows, kernels: Sequence[_Kernel], settings: Settings
) -> list[tuple[float, float, float, float] | NoValue]: ...
def wasserstein_distance(
    reference: _Sample, candidate: _Sample, dtype: str, settings: Settings
) -> float: ...
def univariate_energy_distance(
    reference: _Sample, candidate: _Sample, dtype: str, settings: Settings
) -> float: ...
def kolmogorov_smirnov(
    reference: _Sample, candidate: _Sample, dtype: str, settings: Settings
) -> tuple[float, float]: ...
def cramer_von_mises(
    reference: _Sample, candidate: _Sample, dtype: str, settings: Settings
) -> float: ...
def bin_counts(
    reference: _Sample,
    candidate: _Sample,
    dtype: str,
    bins: int,
    of_both: bool,
    settings: Settings,
) -> tuple[list[float], list[float]]: ...
def probe_scores(
    rows: Rows,
    weights: _Floats,
    intercepts: _Floats,
    bounds: NDArray[np.uint64],
    folds: NDArray[np.uint8] | None,
    settings: Settings,
) -> NDArray[np.float32]: ...
def row_hashes(row_bytes: NDArray[np.uint8], settings: Settings) -> NDArray[np.uint64]: ...
def content_folds(
    rows: Rows, bounds: NDArray[np.uint64], settings: Settings
) -> NDArray[np.uint8]: ...
def verify_pages(path: str, names: Sequence[str]) -> int: ...
def first_length(path: str, name: str, bytes: int) -> int: ...  # noqa: A002

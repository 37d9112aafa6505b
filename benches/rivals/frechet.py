"""Fréchet distance: whole, from 50,000 rows, where the moments are the work; and its trace term.

tailwatch takes samples, not moments. So its time for the trace term includes the moments of few
rows, a quarter more than columns, while the peers start from the moments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benches.rivals.task import Answer, Contender, Task, numbers
from benches.samples import Pair, Size

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Moments(NamedTuple):
    """Means and covariances of both samples, float64."""

    first_mean: NDArray[np.float64]
    first: NDArray[np.float64]
    second_mean: NDArray[np.float64]
    second: NDArray[np.float64]


def moments(pair: Pair) -> Moments:
    """Fit both samples."""
    fits = (
        (sample.mean(axis=0, dtype=np.float64), np.cov(sample, rowvar=False)) for sample in pair
    )
    (first_mean, first), (second_mean, second) = fits
    return Moments(first_mean, first, second_mean, second)


def tailwatch(pair: Pair) -> Answer:
    import tailwatch as tw

    return numbers(tw.metrics.frechet_distance(*pair))


def torch_fidelity_whole(pair: Pair) -> Answer:
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    fits = [fid_features_to_statistics(torch.from_numpy(sample)) for sample in pair]
    # Its means are float32 and its covariances float64, whose means it then asks to be alike.
    return numbers(fid_statistics_to_metric(*fits, verbose=False)["frechet_inception_distance"])


def torch_fidelity(fits: Moments) -> Answer:
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    first = {"mu": fits.first_mean, "sigma": fits.first}
    second = {"mu": fits.second_mean, "sigma": fits.second}
    found = fid_statistics_to_metric(first, second, verbose=False)
    return numbers(found["frechet_inception_distance"])


def torchmetrics(fits: Moments) -> Answer:
    import torch
    from torchmetrics.image.fid import _compute_fid

    return numbers(float(_compute_fid(*map(torch.from_numpy, fits))))


def clean_fid(fits: Moments) -> Answer:
    from cleanfid.fid import frechet_distance

    return numbers(frechet_distance(*fits))


def by_eigenvalues(fits: Moments, product: NDArray[np.floating]) -> Answer:
    """Put the parts together, given a symmetric matrix with the eigenvalues of Σ_XΣ_Y."""
    eigenvalues = np.linalg.eigvalsh(product).astype(np.float64)
    root = np.sqrt(eigenvalues.clip(min=0)).sum()
    shift = fits.first_mean - fits.second_mean
    return numbers(shift @ shift + np.trace(fits.first) + np.trace(fits.second) - 2 * root)


def numpy_cholesky(fits: Moments) -> Answer:
    factor = np.linalg.cholesky(fits.first)
    return by_eigenvalues(fits, factor.T @ fits.second @ factor)


def numpy_float32(pair: Pair) -> Answer:
    """Covariances by float32 products of the centred samples, then Cholesky factor in float64."""
    fits = []
    for sample in pair:
        mean = sample.mean(axis=0, dtype=np.float64)
        centred = sample - mean.astype(np.float32)
        fits += [mean, (centred.T @ centred).astype(np.float64) / (len(sample) - 1)]
    return numpy_cholesky(Moments(*fits))


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the relative difference."""
    a, b = float(ours[0][0]), float(theirs[0][0])
    apart = abs(a - b) / abs(a)
    return apart, f"{a:.8g} and {b:.8g} differ by {apart:.1e}"


OURS = Contender(name="tailwatch", package="tailwatch", call=tailwatch, rate=60)

WHOLE = Task(
    name="frechet",
    title="Fréchet distance from samples",
    ours=OURS,
    peers=(
        Contender(
            name="torch-fidelity",
            package="torch-fidelity",
            call=torch_fidelity_whole,
            # Its means are float32.
            tolerance=1e-4,
            to_reach={50_000: 1.2},
            rate=60,
        ),
        Contender(
            name="NumPy, float32 covariance",
            package="numpy",
            call=numpy_float32,
            tolerance=1e-3,
            rate=120,
        ),
    ),
    smoke=(Size(2_000, 64),),
    full=(Size(50_000, 2048),),
    # Half of each covariance is enough; the roots cost about twenty d³.
    operations=lambda size: 2 * size.rows * size.columns**2 + 20 * size.columns**3,
    difference=difference,
)

TRACE = Task(
    name="frechet_trace",
    title="trace term of the Fréchet distance (ours: with the moments)",
    ours=OURS,
    # All but the last take roots of eigenvalues of a matrix that rounding makes non-symmetric.
    peers=(
        Contender(
            name="torch-fidelity",
            package="torch-fidelity",
            call=torch_fidelity,
            prepare=moments,
            tolerance=1e-6,
            to_reach={2_500: 3},
            rate=30,
        ),
        Contender(
            name="torchmetrics",
            package="torchmetrics",
            call=torchmetrics,
            prepare=moments,
            tolerance=1e-6,
            to_reach={2_500: 7},
            rate=20,
        ),
        Contender(
            name="clean-fid",
            package="clean-fid",
            call=clean_fid,
            prepare=moments,
            tolerance=1e-6,
            to_reach={2_500: 14},
            rate=10,
        ),
        Contender(
            name="NumPy Cholesky + eigvalsh",
            package="numpy",
            call=numpy_cholesky,
            prepare=moments,
            tolerance=1e-9,
            to_reach={2_500: 0.8},
            rate=150,
        ),
    ),
    smoke=(Size(200, 64),),
    full=(Size(2_500, 2048),),
    operations=lambda size: 20 * size.columns**3,
    difference=difference,
)

TASKS = (WHOLE, TRACE)

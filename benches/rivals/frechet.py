"""The halves of a Fréchet distance: the moments of 50,000 rows; and, from moments, the trace term.

Each starts where the peers start. The second includes the factors of the covariances.
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


def reference(pair: Pair) -> NDArray[np.float32]:
    """Take one sample: the moments of the other cost as much."""
    return pair.reference


def tailwatch(fits: Moments) -> Answer:
    from tailwatch import _core
    from tailwatch.progress import running

    with running(None, progress=False) as settings:
        return numbers(_core.frechet_of_moments(*fits, settings))


def tailwatch_moments(sample: NDArray[np.float32]) -> Answer:
    from tailwatch import _core
    from tailwatch.embeddings import as_embeddings
    from tailwatch.progress import running

    rows = as_embeddings(sample, "reference").handle()
    with running(None, progress=False) as settings:
        _, mean, covariance = _core.moments(rows, settings)
    return mean, covariance


def torch_fidelity_moments(sample: NDArray[np.float32]) -> Answer:
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics

    found = fid_features_to_statistics(torch.from_numpy(sample))
    return found["mu"], found["sigma"]


def numpy_moments(sample: NDArray[np.float32]) -> Answer:
    """Multiply the centred sample with itself in float32."""
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = sample - mean.astype(np.float32)
    return mean, (centred.T @ centred).astype(np.float64) / (len(sample) - 1)


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


def moments_apart(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the largest difference, in standard deviations of the columns."""
    (mean, covariance), (their_mean, theirs_too) = ours, theirs
    unit = np.sqrt(np.diag(covariance))
    of_mean = float(np.max(np.abs(mean - their_mean) / unit))
    of_covariance = float(np.max(np.abs(covariance - theirs_too) / unit / unit[:, np.newaxis]))
    meaning = f"means differ by {of_mean:.1e} deviations, correlations by {of_covariance:.1e}"
    return max(of_mean, of_covariance), meaning


def difference(_: Pair, ours: Answer, theirs: Answer) -> tuple[float, str]:
    """Return the relative difference."""
    a, b = float(ours[0][0]), float(theirs[0][0])
    apart = abs(a - b) / abs(a)
    return apart, f"{a:.8g} and {b:.8g} differ by {apart:.1e}"


MOMENTS = Task(
    name="frechet_moments",
    title="moments of the Fréchet distance",
    ours=Contender(
        name="tailwatch", package="tailwatch", call=tailwatch_moments, prepare=reference, rate=80
    ),
    peers=(
        Contender(
            name="torch-fidelity",
            package="torch-fidelity",
            call=torch_fidelity_moments,
            prepare=reference,
            # Its means are float32.
            tolerance=1e-4,
            to_reach={50_000: 1.2},
            rate=60,
        ),
        Contender(
            name="NumPy, float32 covariance",
            package="numpy",
            call=numpy_moments,
            prepare=reference,
            tolerance=1e-3,
            rate=120,
        ),
    ),
    smoke=(Size(2_000, 64),),
    full=(Size(50_000, 2048),),
    # Half of the covariance is enough.
    operations=lambda size: size.rows * size.columns**2,
    difference=moments_apart,
)

TRACE = Task(
    name="frechet_trace",
    title="trace term of the Fréchet distance",
    ours=Contender(name="tailwatch", package="tailwatch", call=tailwatch, prepare=moments, rate=60),
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

TASKS = (MOMENTS, TRACE)

"""Along directions: optimal transport, and the mass of the tails."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, number_text, real, share
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.progress import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["DirectionalTails", "directional_tails", "sliced_wasserstein"]

MOST_DIRECTIONS = 1_000_000
"""Each of them is a unit vector that is kept, and a sort of the rows."""

MOST_PROJECTIONS = 1_000_000
"""Directions at most; of more than 268 columns the core takes fewer, 2 GiB of numbers."""


@dataclass(frozen=True, slots=True)
class DirectionalTails:
    """Tail mass of a candidate along directions, over that of the reference.

    Attributes
    ----------
    mean
        Mean over the directions: 1 = tails kept, towards 0 = lost, far above 1 = widened.
    minimum
        The smallest.
    share_under_half
        Share of the directions under 0.5.
    ratios
        One value per direction, shape (q,).
    directions
        Unit vectors, shape (q, d): leading principal axes of the reference first.
    """

    mean: float
    minimum: float
    share_under_half: float
    ratios: NDArray[np.float64]
    directions: NDArray[np.float64]


def directional_tails(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    level: float = 0.01,
    directions: int = 256,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> DirectionalTails:
    """Measure the share of the candidate beyond the reference's quantiles along directions.

    For a unit direction u: the share of Y beyond the α/2 and 1 − α/2 quantiles of X along u (linear
    interpolation), over α. Rows on a quantile count in proportion, by the share of the rows of X
    there with which α/2 of X lies beyond. Up to half of the directions are the leading principal
    axes of X, the others are uniform on the sphere. For N(0, 1) against N(0, σ²) every ratio tends
    to Φ(−z/σ)/Φ(−z) with z = Φ⁻¹(1 − α/2). The axes are fitted to X: with few rows for its columns
    (n < 10·d, say) fresh data spread less along them and the mean lies below 1 even if nothing
    happened; read it beside its null (:func:`tailwatch.compare`).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    level
        The share α of X beyond its two quantiles.
    directions
        Number q of directions.
    seed
        Seed of the random directions.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    DirectionalTails
        Mean, minimum, share of directions under 0.5, and the ratios (from 0, without unit).

    Raises
    ------
    InputError
        Bad data, a level outside (0, 1), or no direction.

    Notes
    -----
    O((n + m)·d·q) time plus one eigendecomposition of min(n, d)³; O(n + m) memory besides the
    embeddings. Linear in the rows: the tail metric for the largest data.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(20_000, 4)), 0.8 * rng.normal(size=(20_000, 4))
    >>> found = tw.metrics.directional_tails(human, shrunk, level=0.05)
    >>> round(found.mean, 1)  # Φ(−1.96/0.8)/Φ(−1.96) = 0.286
    0.3
    """
    level = share(level, "level")
    directions = integer(directions, "directions", most=MOST_DIRECTIONS)
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        vectors = _core.directions(x, directions, seed, settings)
        ratios = _core.directional_tails(x, y, vectors, level, settings)
    return DirectionalTails(
        mean=float(ratios.mean()),
        minimum=float(ratios.min()),
        share_under_half=float((ratios < 0.5).mean()),
        ratios=ratios,
        directions=vectors,
    )


def sliced_wasserstein(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    p: float = 2,
    projections: int = 256,
    seed: int = 0,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the sliced Wasserstein distance between two samples.

    SW_p = (mean over unit directions u of W_p^p(u·X, u·Y))^(1/p) [1]_ [2]_, with directions uniform
    on the sphere. On a line W_p^p is ∫|F⁻¹(t) − G⁻¹(t)|^p dt, exact for the samples whatever their
    sizes. For isotropic Gaussians N(0, I) and N(μ, σ²I) it is, per direction and for p = 2,
    (u·μ)² + (1 − σ)². Two samples of one distribution are apart too, by about 1/√n times their
    spread along a direction: compare it with its null at equal sizes (:func:`tailwatch.compare`).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    p
        Exponent, from 1 and finite. With 2 outliers weigh more than with 1; as it grows, the
        largest difference along any direction is all that is left.
    projections
        Number q of directions, up to a million, and with d columns to 2²⁸/d. The error that is left
        by taking some of all directions falls as 1/√q, and is the same for all samples that are
        measured under one seed.
    seed
        Seed of the directions.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, in units of the embeddings. The same bits for any number of threads and any
        chunking; other instruction sets differ by roundings.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, p under 1, or no projection.

    Notes
    -----
    O((n + m)·q·(d + log(n + m))) time; memory of some ten numbers for each row and thread, besides
    the embeddings. A difference in few of many columns shows in few directions, by 1/d of its
    square: the Fréchet distance sees it better.

    References
    ----------
    .. [1] Rabin et al. (2011), Wasserstein barycenter and its application to texture mixing.
    .. [2] Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> human = np.random.default_rng(0).normal(size=(10_000, 8))
    >>> round(tw.metrics.sliced_wasserstein(human, 0.8 * human), 1)  # 1 − 0.8
    0.2
    >>> tw.metrics.sliced_wasserstein(human, human)
    0.0
    """
    p = _exponent(p)
    projections = integer(projections, "projections", most=MOST_PROJECTIONS)
    seed = integer(seed, "seed", least=0)
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        directions = _core.projections(x.shape[1], projections, seed, settings)
        return _core.sliced_wasserstein(x, y, directions, p, settings)


def _exponent(p: object) -> float:
    exponent = real(p, "p")
    if not 1 <= exponent < math.inf:
        raise InputError(argument="p", expected="a finite number of at least 1", got=number_text(p))
    return exponent

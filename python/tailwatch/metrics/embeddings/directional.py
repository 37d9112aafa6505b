"""Tails along directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.embeddings import as_embeddings
from tailwatch.running import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["DirectionalTails", "directional_tails"]

MOST_DIRECTIONS = 1_000_000
"""Each of them is a unit vector that is kept, and a sort of the rows."""


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

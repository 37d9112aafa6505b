"""How a sample spreads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.embeddings import as_embeddings
from tailwatch.running import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["Spectrum", "spectrum"]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """How the variance of a sample is spread over directions.

    Attributes
    ----------
    eigenvalues
        Of the covariance (ddof = 1), descending, shape (d,); in squared units of the embeddings.
    trace
        Their sum: the total variance.
    log_det
        The sum of their logarithms; −∞ if one is 0.
    effective_rank
        exp of the entropy of their shares [1]_, from 1 to d; 0 for a constant sample.
    participation_ratio
        (Σλ)²/Σλ², from 1 to d; 0 for a constant sample.
    """

    eigenvalues: NDArray[np.float64]
    trace: float
    log_det: float
    effective_rank: float
    participation_ratio: float


def spectrum(
    embeddings: EmbeddingsLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> Spectrum:
    """Measure how the variance of a sample is spread over directions.

    Parameters
    ----------
    embeddings
        Embeddings, at least 2 rows.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    Spectrum
        Eigenvalues of the covariance and what follows from them. Eigenvalues that rounding alone
        can explain are 0.

    Raises
    ------
    InputError
        Bad data, or fewer than 2 rows.

    Notes
    -----
    One pass of O(n·d²) and one eigendecomposition of O(min(n, d)³); O(d²) memory besides the
    embeddings.

    References
    ----------
    .. [1] Roy & Vetterli (2007), The effective rank: a measure of effective dimensionality.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> square = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(tw.metrics.spectrum(square).effective_rank, 6)
    2.0
    """
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return Spectrum(*_core.spectrum(rows, settings))

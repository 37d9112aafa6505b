"""The dimension of the set that rows lie on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import real
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.running import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["DISCARD", "IntrinsicDimension", "intrinsic_dimension"]

DISCARD = 0.1
"""Share of the largest ratios that Facco et al. leave out."""


@dataclass(frozen=True, slots=True)
class IntrinsicDimension:
    """The dimension of the set that rows lie on.

    Attributes
    ----------
    value
        The estimate.
    standard_error
        Of the estimate as a random number; what curvature, edges and noise do to it is not in it.
    rows
        Different rows that it comes from.
    """

    value: float
    standard_error: float
    rows: int


def intrinsic_dimension(
    embeddings: EmbeddingsLike,
    *,
    discard: float = DISCARD,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> IntrinsicDimension:
    """Estimate the intrinsic dimension of a sample from the two nearest neighbours of each row.

    Where the density hardly changes within the distance to the second neighbour, the ratio μ =
    r₂/r₁ of the distances of a row to its two nearest others has the distribution function 1 −
    μ^(−d) [1]_. The estimate is that of maximum likelihood, corrected for bias, (r − 1)/(Σ ln μ +
    (N − r)·ln μ_r) with the sum over the r smallest of N ratios and μ_r the largest of them: the
    others, for which the assumption fails first, count only as that large. Facco et al. leave them
    out and fit a line to the same ratios, which has no standard error. Here it is that of the
    likelihood, with the covariance of the ratios of neighbours, which share distances.

    A row that repeats another says where rows are often, not where they can be, and is left out.

    Parameters
    ----------
    embeddings
        Embeddings, at least 3 different rows.
    discard
        Share of the largest ratios that count as censored, from 0 to below 1.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    IntrinsicDimension
        Estimate, standard error, and the number of different rows.

    Raises
    ------
    InputError
        Bad data, fewer than 3 different rows or ratios kept, or all ratios kept are 1, as on a
        lattice.

    Notes
    -----
    O(n²·d) time, twice that where rows repeat; besides the embeddings, a byte for each of their
    values and O(n) memory. The dimension is that at the scale of the nearest neighbours: noise in
    all columns makes it larger, coarse rounding smaller, and from about 10 on too few rows reach
    their neighbours before the density changes and it is too small (23 for the 32 columns of a
    normal distribution with 2,000 rows).

    References
    ----------
    .. [1] Facco, d'Errico, Rodriguez & Laio (2017), Estimating the intrinsic dimension of datasets
       by a minimal neighborhood information.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> plane = rng.uniform(size=(2000, 2)) @ rng.normal(size=(2, 64))
    >>> found = tw.metrics.intrinsic_dimension(plane)
    >>> bool(abs(found.value - 2) < 4 * found.standard_error)
    True
    """
    share = real(discard, "discard")
    if not 0 <= share < 1:
        expected = "a number from 0 to below 1"
        raise InputError(argument="discard", expected=expected, got=repr(discard))
    rows = as_embeddings(embeddings, "embeddings").handle()
    with running(threads, progress) as settings:
        return IntrinsicDimension(*_core.intrinsic_dimension(rows, share, settings))

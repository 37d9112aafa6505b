"""Clipped density and clipped coverage, which read as a share of good rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer
from tailwatch.embeddings import as_embeddings
from tailwatch.progress import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["clipped_coverage", "clipped_density"]


def clipped_density(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    k: int = 5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure which share of a candidate lies where the reference is dense [1]_.

    The ball of a reference row reaches to its k-th nearest other row, at r(x), but no farther than
    the median of all r(x): the large balls of outliers are clipped. Each candidate row counts the
    balls that hold it, k at most, so that none makes up for another:

    D(Y) = mean over y of min(#{x : ‖x−y‖ ≤ min(r(x), med r)}, k) / k.

    The value is D(Y)/D(X), where a row of X is not counted in its own ball, cut at 1. If a share s
    of the candidate is of the reference's law and the rest lies where no reference row is, it is s
    on average, whatever the law. Distance is all that tells a bad row: one amid the data is as good
    as any.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    k
        The neighbour that a ball reaches to; less than n.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        A share in [0, 1].

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or `k` larger than the rows allow.

    See Also
    --------
    clipped_coverage : Whether the reference is covered.
    precision_recall_density_coverage : The same balls, neither clipped nor calibrated.

    Notes
    -----
    It misleads where the candidate shrinks towards the centre: rows there lie in more balls, which
    makes up for bad ones (of a normal distribution in 16 columns with 0.9 of its standard
    deviation, 0.72 of the rows are enough for a value of 1). Where a share e of the reference are
    outliers and the candidate has none, the value is s/(1 − e): D(X) counts them as bad. It says
    nothing of what is missing.

    O((n² + nm)·d) time; besides the embeddings, a byte for each of their values and O(n·k + m)
    memory. The result is the same to the bit for any number of threads, any chunking and any
    instruction set. Where distances tie for many rows the reference is searched once more.

    References
    ----------
    .. [1] Salvy, Talbot & Thirion (2026), Enhanced generative model evaluation with clipped density
       and coverage. arXiv 2507.01761.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, fresh = rng.normal(size=(4000, 8)), rng.normal(size=(4000, 8))
    >>> fresh[1200:] += 100.0  # 30 % are good
    >>> round(tw.metrics.clipped_density(human, fresh), 1)
    0.3
    """
    return _clipped(reference, candidate, k, threads, progress)[0]


def clipped_coverage(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    k: int = 5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure how well a candidate covers the reference, as the share of good rows [1]_.

    The ball of a reference row reaches to its k-th nearest other row. It counts the candidate rows
    that it holds, k at most, so that no place makes up for another:

    C = mean over x of min(#{y : ‖x−y‖ ≤ r(x)}, k) / k.

    If g of the m candidate rows are of the reference's law and the others lie in no ball, the
    number in a ball is that of the g rows that come before the k-th of the n−1 other reference rows
    in random order: negative hypergeometric, or Beta-binomial with k and n−k, whatever the law if
    it has a density. So f(g) = E min(number, k)/k is known, and the value is f⁻¹(C)/m: linear
    between whole numbers of rows, cut at 1.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    k
        The neighbour that a ball reaches to; less than n.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        In [0, 1]: the share of the candidate's rows that would cover the reference as well if they
        were all there is, and fresh.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or `k` larger than the rows allow.

    See Also
    --------
    clipped_density : Which share of the candidate is good.
    precision_recall_density_coverage : Coverage as the share of balls that hold any row.

    Notes
    -----
    Where a part of the reference's law is missing, the value falls about in proportion (half of the
    modes of 20 clusters: 0.49). It misleads as coverage does where a candidate shrinks in many
    columns: rows near the centre are in the balls of all rows, and the value is 1 though tails are
    gone (:func:`tail_coverage`). Its standard deviation grows with the columns, since a few rows
    are in the balls of many: 0.02 for 2,000 rows of a normal distribution in 2 or 8 columns, 0.05
    in 64.

    O((n² + nm)·d) time; besides the embeddings, a byte for each of their values and O(n·k + m)
    memory. The result is the same to the bit for any number of threads, any chunking and any
    instruction set.

    References
    ----------
    .. [1] Salvy, Talbot & Thirion (2026), Enhanced generative model evaluation with clipped density
       and coverage. arXiv 2507.01761.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, fresh = rng.normal(size=(4000, 8)), rng.normal(size=(4000, 8))
    >>> fresh[1200:] += 100.0  # 30 % are good
    >>> round(tw.metrics.clipped_coverage(human, fresh), 1)
    0.3
    """
    return _clipped(reference, candidate, k, threads, progress)[1]


def _clipped(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    k: int,
    threads: int | None,
    progress: ProgressOption,
) -> tuple[float, float]:
    """Return both: they share the search within the reference and the one across it."""
    k = integer(k, "k")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return _core.clipped_density_and_coverage(x, y, k, settings)

"""Exact nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.arguments import integer
from tailwatch.embeddings import as_embeddings
from tailwatch.progress import running

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["nearest_neighbors"]


def nearest_neighbors(
    queries: EmbeddingsLike,
    base: EmbeddingsLike,
    *,
    k: int,
    exclude_self: bool = False,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find the k rows of `base` nearest to each row of `queries`, exactly.

    Distances are Euclidean, √Σ(x−y)², in float64 from the original values: a far origin or a
    duplicate costs no digits. Ties go to the lower row number. The result is the same to the bit
    for any number of threads, any chunking and any instruction set.

    Parameters
    ----------
    queries
        Embeddings, n rows.
    base
        Embeddings, m rows, with as many columns.
    k
        Neighbours per query, from 1 to m (m − 1 with `exclude_self`).
    exclude_self
        Whether `queries` and `base` are the same rows and a row is not its own neighbour. Its
        duplicates still are.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    distances : numpy.ndarray of float64, shape (n, k)
        Ascending in each row, in the units of the embeddings.
    indices : numpy.ndarray of int64, shape (n, k)
        Row numbers in `base`.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or `k` larger than the rows there are.

    Notes
    -----
    O(n·m·d) time; besides the embeddings, a byte for each of their values and O((n + m)·k) memory.
    From 16 columns on, most pairs are told apart by 8-bit codes and bounds on what these miss; what
    may count is measured. Data in tight clusters far apart leave more to be measured, and take
    longer. Differences below about 1e-154 square to 0.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> base = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    >>> distances, indices = tw.metrics.nearest_neighbors(base, base, k=1, exclude_self=True)
    >>> distances.tolist(), indices.tolist()
    ([[5.0], [5.0], [5.0]], [[1], [0], [1]])
    """
    k = integer(k, "k")
    of_queries = as_embeddings(queries, "queries").handle()
    of_base = as_embeddings(base, "base").handle()
    with running(threads, progress) as settings:
        return _core.nearest_neighbors(of_queries, of_base, k, exclude_self, settings)

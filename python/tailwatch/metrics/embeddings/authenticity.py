"""How much of a candidate is no copy of the data that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch import _core
from tailwatch.embeddings import as_embeddings
from tailwatch.running import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["authenticity"]


def authenticity(
    training: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> float:
    """Measure the share of a candidate that is no copy of its training data.

    A row of the candidate is authentic iff its distance to its nearest training row exceeds the
    distance of that row to its nearest other training row [1]_: as near is not authentic. Equally
    near training rows count in equal parts.

    A fresh sample of the same distribution has no authenticity of 1, since many a fresh row is the
    nearest of its nearest: 1/3 in one dimension, 0.38 in two, 0.41 in three, 0.77 for a normal
    distribution in 32 columns with 1,000 rows. Read the value beside its null
    (:func:`tailwatch.compare`). Below it, the model copies what it was trained on, which is
    overfitting, or has lost its spread: rows amid the data are near all of them (0.46 in those
    columns where the candidate has 0.8 of the standard deviation). Above it, the candidate lies off
    the data, which is no virtue.

    Parameters
    ----------
    training
        Embeddings of the data that the model was trained on, n ≥ 2 rows.
    candidate
        Embeddings of what it makes, m rows, with as many columns.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    float
        From 0, all are copies or nearer than that, to 1.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or one training row.

    Notes
    -----
    O((n² + nm)·d) time; besides the embeddings, a byte for each of their values and O(n + m)
    memory. The result is the same to the bit for any number of threads, any chunking and any
    instruction set. A training row that is itself there twice is at distance 0 from its nearest
    other: only exact copies of it are then found out, near ones count as authentic.

    References
    ----------
    .. [1] Alaa, van Breugel, Saveliev & van der Schaar (2022), How faithful is your synthetic data?

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> training, fresh = rng.normal(size=(500, 16)), rng.normal(size=(500, 16)) + 10.0
    >>> tw.metrics.authenticity(training, np.concatenate([training[:100], fresh[:300]]))
    0.75
    """
    x = as_embeddings(training, "training").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return _core.authenticity(x, y, settings)

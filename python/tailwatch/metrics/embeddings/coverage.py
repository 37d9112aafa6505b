"""How well a candidate covers a reference, above all its tails, and how much of it is copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tailwatch import _core
from tailwatch.arguments import integer, shares
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import InputError
from tailwatch.progress import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["PRDC", "authenticity", "precision_recall_density_coverage", "tail_coverage"]

MOST_LEVELS = 100_000
"""Each of them goes through the rows of its tail."""


@dataclass(frozen=True, slots=True)
class PRDC:
    """Fidelity and diversity of a candidate.

    Attributes
    ----------
    precision
        Share of the candidate inside at least one reference ball, in [0, 1].
    recall
        Share of the reference inside at least one candidate ball, in [0, 1].
    density
        Reference balls that hold a candidate row, on average, over k; from 0, about 1 when nothing
        happened.
    coverage
        Share of the reference whose own ball holds a candidate row, in [0, 1].
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    k: int = 5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> PRDC:
    """Measure precision and recall [1]_, density and coverage [2]_.

    The ball of a row reaches to its k-th nearest other row of the same sample and is closed, so
    that duplicates hold each other. On continuous data the values equal those of the ``prdc``
    package exactly. High values alone do not mean that nothing was lost: where the variance of a
    high-dimensional sample shrinks, precision and coverage *rise*. Compare with the null
    (:func:`tailwatch.compare`) and look at the tails (:func:`tail_coverage`).

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    k
        The neighbour that a ball reaches to; less than n and m.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    PRDC
        The four values. For equal distributions
        E[coverage] = 1 − Π_{i<k} (n−1−i)/(n+m−1−i), in any dimension.

    Raises
    ------
    InputError
        Bad data, different numbers of columns, or `k` larger than the rows allow.

    Notes
    -----
    O((n² + m² + nm)·d) time; besides the embeddings, a byte for each of their values and O(n + m)
    memory.

    References
    ----------
    .. [1] Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative
       models.
    .. [2] Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> human = np.random.default_rng(0).normal(size=(500, 8))
    >>> tw.metrics.precision_recall_density_coverage(human, human)
    PRDC(precision=1.0, recall=1.0, density=1.2, coverage=1.0)
    """
    k = integer(k, "k")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        return PRDC(*_core.precision_recall_density_coverage(x, y, k, settings))


def tail_coverage(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    levels: Sequence[float] = (0.10, 0.05, 0.01),
    k: int = 5,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> pl.DataFrame:
    """Measure what became of the rarest reference rows, in four ways.

    The rarity of a reference row is its distance to its k-th nearest other reference row, that of a
    candidate row the distance to its k-th nearest reference row. The tail at level α is the ⌈αn⌉
    reference rows of largest rarity and q the smallest rarity among them. Rows of rarity q count in
    proportion, in both samples: where e reference rows are tied for r places of the tail, each is
    in it by r/e. No one of the four columns is enough:

    ==================  ==========================================================  =============
    column              definition                                                  misses
    ==================  ==========================================================  =============
    ``coverage``        share of the tail whose own ball holds a candidate row      shrinkage
    ``recall``          share of the tail inside a candidate ball                   off-manifold
                                                                                    noise
    ``mass``            share of the candidate with a rarity beyond q, or at it;    copies
                        α when nothing happened
    ``supported_mass``  of those, the share of all candidate rows that also lie     copies
                        inside a reference ball
    ==================  ==========================================================  =============

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    levels
        Tail levels α, each between 0 and 1.
    k
        The neighbour that rarity is measured to; less than n and m.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    polars.DataFrame
        One row per level: ``level``, ``rows`` (reference rows in the tail), ``coverage``,
        ``recall``, ``mass``, ``supported_mass``; all but the first two are shares in [0, 1].

    Raises
    ------
    InputError
        Bad data, a level outside (0, 1), or `k` larger than the rows allow.

    Notes
    -----
    O((n² + m² + nm)·d) time; besides the embeddings, a byte for each of their values and O(n + m)
    memory. A null is needed to read the
    numbers: :func:`tailwatch.compare` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(1000, 16)), 0.8 * rng.normal(size=(1000, 16))
    >>> tails = tw.metrics.tail_coverage(human, shrunk, levels=[0.05])
    >>> bool(tails["mass"][0] < 0.005)
    True
    """
    k = integer(k, "k")
    levels = shares(levels, "levels")
    if len(levels) > MOST_LEVELS:
        raise InputError(argument="levels", expected=f"at most {MOST_LEVELS}", got=f"{len(levels)}")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        rows = _core.tail_coverage(x, y, levels, k, settings)
    schema = {
        "level": pl.Float64,
        "rows": pl.Int64,
        "coverage": pl.Float64,
        "recall": pl.Float64,
        "mass": pl.Float64,
        "supported_mass": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


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

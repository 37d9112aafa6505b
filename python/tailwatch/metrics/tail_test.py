"""A distribution-free test of whether the tails are shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer, share
from tailwatch.embeddings import as_embeddings
from tailwatch.running import running

if TYPE_CHECKING:
    from tailwatch.embeddings import EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["TailTest", "tail_test", "tail_test_of_counts"]


@dataclass(frozen=True, slots=True)
class TailTest:
    """Who is in the tail of the pooled sample.

    Attributes
    ----------
    odds_ratio
        Odds of a candidate row in the tail over those of a reference row (conditional maximum
        likelihood); 1 when nothing happened, towards 0 when the candidate lost its tails, above 1
        when it widened.
    low, high
        Exact conditional 95 % interval of the odds ratio (the `confidence` asked for).
    p_value
        Two-sided, exact under equal distributions (Fisher).
    rows
        Rows in the tail.
    """

    odds_ratio: float
    low: float
    high: float
    p_value: float
    rows: int


def tail_test(
    reference: EmbeddingsLike,
    candidate: EmbeddingsLike,
    *,
    level: float = 0.05,
    k: int = 5,
    confidence: float = 0.95,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> TailTest:
    """Test whether the candidate has its share of the rarest rows.

    Both samples are pooled, every row is ranked by its distance to its k-th nearest other pooled
    row, and the ⌈α(n+m)⌉ rarest are taken. If both distributions are equal, the number of candidate
    rows among them is hypergeometric, whatever the distribution and the dimension: the null is
    exactly 1 and the p-value is exact.

    Parameters
    ----------
    reference
        Embeddings X, n rows, of human data.
    candidate
        Embeddings Y, m rows, with as many columns.
    level
        The share α of the pooled rows that is their tail.
    k
        The neighbour that rarity is measured to; less than n + m.
    confidence
        Of the interval.
    threads
        Threads to use; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    TailTest
        Odds ratio with interval, p-value, rows in the tail.

    Raises
    ------
    InputError
        Bad data, a level outside (0, 1), or `k` larger than the rows allow.

    Notes
    -----
    O((n + m)²·d) time; besides the embeddings, a byte for each of their values and O(n + m)
    memory. Added noise raises the odds ratio;
    copies and lost modes lower it.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, shrunk = rng.normal(size=(1000, 16)), 0.8 * rng.normal(size=(1000, 16))
    >>> found = tw.metrics.tail_test(human, shrunk)
    >>> bool(found.high < 0.2 and found.p_value < 1e-6)
    True
    """
    k = integer(k, "k")
    level = share(level, "level")
    confidence = share(confidence, "confidence")
    x = as_embeddings(reference, "reference").handle()
    y = as_embeddings(candidate, "candidate").handle()
    with running(threads, progress) as settings:
        from_x, from_y = _core.pooled_tail(x, y, level, k, settings)
    return tail_test_of_counts(from_x, from_y, x.shape[0], y.shape[0], confidence)


def tail_test_of_counts(
    from_reference: int, from_candidate: int, reference: int, candidate: int, confidence: float
) -> TailTest:
    """Test who is in the tail, given the counts.

    Parameters
    ----------
    from_reference, from_candidate
        Rows of each sample in the pooled tail.
    reference, candidate
        Rows of each sample.
    confidence
        Of the interval.

    Returns
    -------
    TailTest
        Odds ratio with interval, p-value, rows in the tail.
    """
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    table = np.array(
        [
            [from_candidate, candidate - from_candidate],
            [from_reference, reference - from_reference],
        ]
    )
    odds = odds_ratio(table, kind="conditional")
    interval = odds.confidence_interval(confidence_level=confidence)
    return TailTest(
        odds_ratio=float(odds.statistic),
        low=float(interval.low),
        high=float(interval.high),
        p_value=float(fisher_exact(table).pvalue),
        rows=from_reference + from_candidate,
    )

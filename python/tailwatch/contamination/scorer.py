"""Scores of rows and counts of scores, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.stored import StoredModel
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError
from tailwatch.progress import reporting
from tailwatch.running import MOST_THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.progress import ProgressOption

__all__ = ["BATCH_ROWS", "Scorer"]

BATCH_ROWS = 65_536
"""Rows scored at a time: all that is in memory of a file."""


class Scorer(StoredModel):
    """A model that scores rows and counts their scores."""

    def score(
        self,
        embeddings: EmbeddingsLike,
        *,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> NDArray[np.float32]:
        """Score rows: log odds that a row is synthetic, or not human, were both as frequent.

        Parameters
        ----------
        embeddings
            Rows from the encoder of the references; files are streamed.
        threads
            Threads to use; all cores by default.
        progress
            ``None``, ``True`` for a display on standard error, or a callable
            ``(stage, done, total)``.

        Returns
        -------
        numpy.ndarray
            float32, one for each row; it depends on that row alone.

        Raises
        ------
        InputError
            Bad data, or another number of columns than the references have.
        """
        return np.concatenate(list(self._scores(embeddings, "embeddings", threads, progress)))

    def empty_histogram(
        self, counts: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    ) -> Histogram:
        """Give a histogram that absorbs scores of this model.

        Parameters
        ----------
        counts
            What :meth:`Histogram.finish` gave, to go on from; none by default.
        """
        return Histogram(self.fingerprint, self._state.edges, self._state.calibration, counts)

    def histogram(
        self,
        embeddings: EmbeddingsLike,
        *,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Histogram:
        """Score rows and count the scores, a batch at a time.

        Parameters
        ----------
        embeddings
            Rows from the encoder of the references.
        threads, progress
            As in :meth:`score`.

        Returns
        -------
        Histogram
            To be merged with those of other shards, or given to :meth:`prevalence`.

        Raises
        ------
        InputError
            As in :meth:`score`.
        """
        rows = as_embeddings(embeddings, "embeddings")
        return self._counted(rows, "embeddings", threads, progress)

    def _scores(
        self,
        source: EmbeddingsLike,
        argument: str,
        threads: int | None,
        progress: ProgressOption,
    ) -> Iterator[NDArray[np.float32]]:
        rows = as_embeddings(source, argument)
        if rows.columns != self.columns:
            raise DimensionError(
                argument=argument,
                expected=f"{self.columns} columns as the references have",
                got=f"{rows.columns}",
            )
        if threads is not None:
            threads = integer(threads, "threads", most=MOST_THREADS)
        with reporting(progress) as report:
            done = 0
            for batch in rows.batches(BATCH_ROWS):
                yield self._state.probe.score(batch, argument, first_row=done, threads=threads)
                done += len(batch)
                report("scores", done, len(rows))

    def _counted(
        self,
        rows: Embeddings,
        argument: str,
        threads: int | None,
        progress: ProgressOption,
    ) -> Histogram:
        counted = self.empty_histogram()
        for scores in self._scores(rows, argument, threads, progress):
            counted.absorb(scores)
        return counted

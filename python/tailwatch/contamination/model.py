"""A model of what human and synthetic rows look like, and what it says of a target.

:class:`ContaminationModel` scores rows and counts the scores; the modules below do the rest, each a
function of the :class:`~tailwatch.contamination.model_file.ModelState`, of counts, or of both. The
file is long because the class is what a user of this package meets: most of it is what each of its
methods takes, gives and raises.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tailwatch.arguments import integer, share
from tailwatch.background import uses_polars
from tailwatch.contamination.audit import LabelledScores, check_labels
from tailwatch.contamination.groups import GroupCounts, estimate_groups, label_texts
from tailwatch.contamination.histogram import Histogram
from tailwatch.contamination.model_file import (
    fingerprint_of_state,
    read_state,
    state_bytes,
    state_of,
    write_state,
)
from tailwatch.contamination.prevalence import (
    Prevalence,
    bin_probabilities,
    calibration_note,
    estimate_share,
    null_floor,
)
from tailwatch.contamination.rows import RowTable, q_values
from tailwatch.contamination.templates import Templates
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError, TailwatchWarning
from tailwatch.io.columns import DEFAULT_COLUMN
from tailwatch.io.sealed import Portable
from tailwatch.progress import MOST_THREADS, reporting

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence
    from typing import Self

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from tailwatch.contamination.dataset.report import ContaminationReport
    from tailwatch.contamination.groups import GroupLabels
    from tailwatch.contamination.model_file import ModelState
    from tailwatch.contamination.prevalence import NullFloor
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.io.paths import Paths
    from tailwatch.progress import ProgressOption

__all__ = ["BATCH_ROWS", "ContaminationModel"]

BATCH_ROWS = 65_536
"""Rows scored at a time: all that is in memory of a file."""


class ContaminationModel(Portable):
    """Scores rows and estimates shares of synthetic rows; made by :func:`fit` or :meth:`load`.

    For a target in shards::

        histogram = model.empty_histogram()
        for batch in batches:                      # first pass
            scores = model.score(batch)            # keep them, or score again
            histogram.absorb(scores)
        found = model.prevalence(histogram)
        table = model.row_table(found)
        for scores in kept:                        # second pass
            table.rows(scores)

    Histograms of shards may be merged in any order; the results are the same to the bit.

    Parameters
    ----------
    state
        All that the model knows.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, synthetic = rng.normal(size=(2000, 16)), 0.7 + rng.normal(size=(2000, 16))
    >>> model = tw.contamination.fit(human, synthetic)
    >>> target = np.concatenate([rng.normal(size=(9000, 16)), 0.7 + rng.normal(size=(1000, 16))])
    >>> found = model.prevalence(target)
    >>> bool(found.low < 0.1 < found.high), found.agreement
    (True, True)
    >>> rows = model.rows(target, found)
    >>> bool(abs(rows["probability"].mean() - found.value) < 1e-6)
    True
    """

    def __init__(self, state: ModelState) -> None:
        self._state = state
        self._floors: dict[float, NullFloor] = {}

    @property
    def state(self) -> ModelState:
        """All that the model knows, as arrays and text."""
        return self._state

    @cached_property
    def templates(self) -> Templates:
        """The counts of the references, which shares are estimated by."""
        state = self._state
        return Templates(
            state.edges, state.thresholds, state.human, state.synthetic, bool(state.strata)
        )

    @cached_property
    def fingerprint(self) -> str:
        """64 hexadecimal digits over all that the model knows: encoder, probe, bins, counts."""
        return fingerprint_of_state(self._state)

    @property
    def columns(self) -> int:
        """Numbers in a row."""
        return self._state.probe.columns

    @property
    def encoder(self) -> str | None:
        """Name of the encoder, if one was given."""
        return self._state.encoder

    @property
    def human_only(self) -> bool:
        """Whether there is no synthetic reference, so that only a lower bound is known."""
        return self._state.human_only

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the human strata; empty without strata."""
        return self._state.strata

    @property
    def fitted_on(self) -> tuple[int, int]:
        """Human and other rows that the probe was fitted on, out of those that were given."""
        return self._state.fitted_on

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
        """Return a histogram that absorbs scores of this model.

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
        return self._counted(embeddings, "embeddings", threads, progress)

    def prevalence(
        self,
        target: EmbeddingsLike | Histogram,
        *,
        confidence: float = 0.95,
        audit: tuple[EmbeddingsLike, ArrayLike] | LabelledScores | None = None,
        by: str | GroupLabels | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> Prevalence:
        """Estimate the share of synthetic rows, of the whole and of groups.

        Parameters
        ----------
        target
            Rows, or the counts of their scores.
        confidence
            Of the interval, and of all others in the result.
        audit
            Embeddings of a random sample of the target's rows and their verified labels, 1 for
            synthetic; or what :meth:`score_labelled` made of them. Where given, they decide, since
            they hold under any drift.
        by
            Groups of the rows, at most 1,000: the name of a column beside the embeddings, or a
            label for each row (text, numbers or dates). The result then has ``groups``, whose
            ``frame`` has the share of each with its interval and whether it is above the null
            floor, at a false-discovery rate of 1 − `confidence` over all groups.
        threads, progress
            As in :meth:`score`.

        Returns
        -------
        Prevalence
            The share with its interval, the null floor and all that qualifies it.

        Warns
        -----
        TailwatchWarning
            The references do not explain the target: other estimators disagree.

        Raises
        ------
        InputError
            Bad data, counts of another model or of no row, labels that are missing or too many, or
            an argument out of range.

        Notes
        -----
        After the pass over the rows, less than 0.1 s whatever their number, and some 15 ms for each
        group.

        Examples
        --------
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> rng = np.random.default_rng(0)
        >>> human, synthetic = rng.normal(size=(2000, 16)), 0.7 + rng.normal(size=(2000, 16))
        >>> model = tw.contamination.fit(human, synthetic)
        >>> target = rng.normal(size=(3000, 16))
        >>> target[2500:] += 0.7
        >>> found = model.prevalence(target, by=np.repeat(["2024-01", "2024-02", "2024-03"], 1000))
        >>> found.groups.frame.filter("above")["group"].to_list()
        ['2024-03']
        """
        confidence = share(confidence, "confidence")
        of_groups = None
        if isinstance(target, Histogram):
            if by is not None:
                raise InputError(
                    argument="by",
                    expected="rows, whose groups it names",
                    got="a histogram of them",
                    hint="give the rows as target",
                )
            counted = self._own(target)
        else:
            rows = as_embeddings(target, "target")
            labels = None if by is None else _labels(by, rows)
            of_groups = GroupCounts(self._state.edges, by if isinstance(by, str) else "group")
            counted = self._counted(
                rows, "target", threads, progress, labels=labels, of_groups=of_groups
            )
        if not counted.rows:
            raise InputError(
                argument="target",
                expected="a histogram of at least one row",
                got="an empty one",
            )
        if audit is not None and not isinstance(audit, LabelledScores):
            audit = self.score_labelled(*audit, threads=threads)
        floor = self._floor(confidence)
        found = estimate_share(self.templates, counted, floor, confidence, audit)
        if by is None or of_groups is None:
            return found
        groups = estimate_groups(self.templates, of_groups, floor.limit, confidence)
        return replace(found, groups=groups)

    def score_labelled(
        self, embeddings: EmbeddingsLike, labels: ArrayLike, *, threads: int | None = None
    ) -> LabelledScores:
        """Score rows whose labels are known, for the `audit` of :meth:`prevalence`.

        Parameters
        ----------
        embeddings
            A random sample of the target's rows.
        labels
            A bool, 0 or 1 for each; 1 for synthetic.
        threads
            As in :meth:`score`.

        Returns
        -------
        LabelledScores
            The labels with the scores.

        Raises
        ------
        InputError
            Bad data, or not one label for each row.
        """
        rows = as_embeddings(embeddings, "audit")
        checked = check_labels(labels, len(rows))
        return LabelledScores(checked, np.concatenate(list(self._scores(rows, "audit", threads))))

    def row_table(self, prevalence: Prevalence) -> RowTable:
        """Return what each score means, given a target.

        Parameters
        ----------
        prevalence
            Of the whole target, by this model.

        Returns
        -------
        RowTable
            Whose ``rows(scores)`` gives probability, p-value and q-value of any batch.

        Raises
        ------
        InputError
            If `prevalence` came from another model.
        """
        bins, ranks = self._own(prevalence.histogram).finish()
        return RowTable(
            self._state.edges,
            self._state.calibration,
            bin_probabilities(self.templates, bins, prevalence.value),
            q_values(ranks),
        )

    def rows_from(self, scores: NDArray[np.float32], prevalence: Prevalence) -> pl.DataFrame:
        """Return the rows of a batch whose scores are known; see :meth:`rows`."""
        return self.row_table(prevalence).rows(scores)

    def rows(
        self,
        embeddings: EmbeddingsLike,
        prevalence: Prevalence | float | None = None,
        *,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> pl.DataFrame:
        """Return each row's probability, p-value and q-value.

        Parameters
        ----------
        embeddings
            Rows of the target, all or some.
        prevalence
            What :meth:`prevalence` said of the whole target; or the share, with `embeddings` as the
            whole target; or None, for it to be estimated from them.
        threads, progress
            As in :meth:`score`.

        Returns
        -------
        polars.DataFrame
            ``probability`` of being synthetic, whose mean over the whole target is the share;
            ``p_value``, one-sided and conformal, of being a human row; ``q_value`` of Benjamini and
            Hochberg over the whole target.

        Warns
        -----
        TailwatchWarning
            There are too few human rows for any q-value of 0.05.

        Raises
        ------
        InputError
            As in :meth:`prevalence`.
        """
        rows = as_embeddings(embeddings, "embeddings")
        scores = self.score(rows, threads=threads, progress=progress)
        if not isinstance(prevalence, Prevalence):
            counted = self.empty_histogram().absorb(scores)
            found = self.prevalence(counted)
            if prevalence is not None:
                found = replace(found, value=_proportion(prevalence))
            prevalence = found
        table = self.row_table(prevalence)
        note = calibration_note(prevalence)
        if note is not None:
            warnings.warn(note, TailwatchWarning, stacklevel=2)
        return table.rows(scores)

    def score_dataset(
        self,
        source: Paths,
        out_dir: str | os.PathLike[str],
        *,
        column: str = DEFAULT_COLUMN,
        id_column: str | Sequence[str] | None = None,
        binary: str | None = None,
        resume: bool = True,
        strict: bool = False,
        confidence: float = 0.95,
        audit: tuple[EmbeddingsLike, ArrayLike] | None = None,
        by: str | None = None,
        copies_of: EmbeddingsLike | None = None,
        copy_distance: float | None = None,
        threads: int | None = None,
        progress: ProgressOption = None,
    ) -> ContaminationReport:
        """Score the shards of a data set, of any size, into a folder.

        Parameters
        ----------
        source
            A folder of Parquet, Arrow or ``.npy`` files at any depth; one that ``tailwatch pack``
            wrote; one of clip-retrieval; or files, globs and lists of them.
        out_dir
            The folder of the results; it is made if need be.
        column
            Column of the embeddings: Array, List or Binary. Where there is no ``embedding``, the
            default takes ``emb`` or ``embeddings``.
        id_column
            Columns to copy into the tables of the rows. Without any, they get the number of each
            row in its shard.
        binary
            ``"float16"``, ``"float32"`` or ``"float64"``: what the bytes of a Binary column are, in
            little-endian order, which its type does not tell.
        resume
            Go on with a run of the same arguments that was interrupted, or add shards that are new.
            A shard that changed since it was scored is refused. If False, all is done anew.
        strict
            Stop at the first shard that cannot be scored.
        confidence
            Of the intervals.
        audit
            Labelled rows, as in :meth:`prevalence`.
        by
            Column of the shards that names the group of each row: text, numbers or dates, of at
            most 1,000 groups. The share of each is in ``report.groups``; the column is copied into
            the tables of the rows. A shard with a row that has none is named as one that could not
            be scored.
        copies_of
            Rows whose copies are looked for, exact and near: the synthetic reference, as a rule.
            The nearest of m rows for each row of the target takes O(m·d) time. Exact copies of each
            other are counted in any case.
        copy_distance
            The largest distance of a near copy; by default a tenth of the root mean square distance
            between two rows of `copies_of`.
        threads
            Threads to use; all cores by default.
        progress
            As in :meth:`score`.

        Returns
        -------
        ContaminationReport
            The share with its interval. The folder then holds ``shards/``, a Parquet file for each
            shard: identifiers or ``row``, the column that `by` names, ``score``, ``probability``,
            ``p_value``, ``q_value``, ``content_hash``, and with `copies_of` ``copy_of`` and
            ``copy_distance``; ``summary.json`` and ``report.html``; ``manifest.jsonl``, by which a
            run goes on; ``times.json``. All but the last have the same bytes however often the run
            was killed.

        Warns
        -----
        TailwatchWarning
            As in :meth:`prevalence` and :meth:`rows`; or many rows are copies of each other.

        Raises
        ------
        ShardError
            Shards could not be scored. The others were; the results are written, and are in
            ``error.report``.
        InputError
            There is nothing to score, a shard changed, or an argument is out of range.
        OutputError
            The folder cannot be written, holds something else, or is in use by another job. What is
            done is kept.

        Notes
        -----
        Memory is that of some batches of 32 MB, whatever the sizes of the shards; of Parquet files
        whose rows are not whole and of one length, that of some row groups besides. Copies of each
        other are exact, since near ones would take all pairs of rows.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> import tailwatch as tw
        >>> rng = np.random.default_rng(0)
        >>> human, synthetic = rng.normal(size=(500, 8)), 1 + rng.normal(size=(500, 8))
        >>> model = tw.contamination.fit(human, synthetic)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.save(Path(folder, "a.npy"), rng.normal(size=(900, 8)))
        ...     np.save(Path(folder, "b.npy"), 1 + rng.normal(size=(100, 8)))
        ...     report = model.score_dataset(f"{folder}/*.npy", f"{folder}/scores")
        ...     bool(report.prevalence.low < 0.1 < report.prevalence.high)
        ...     report.frame["shard"].to_list(), report.gate(0.5)
        True
        (['a.npy', 'b.npy'], 'kept')
        """
        from tailwatch.contamination.dataset.job import score_dataset

        confidence = share(confidence, "confidence")
        return score_dataset(
            self,
            source,
            out_dir,
            column=column,
            id_column=id_column,
            binary=binary,
            resume=resume,
            strict=strict,
            confidence=confidence,
            audit=None if audit is None else self.score_labelled(*audit, threads=threads),
            by=by,
            copies_of=copies_of,
            copy_distance=copy_distance,
            threads=threads,
            progress=progress,
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to a file, which appears whole or not at all.

        Parameters
        ----------
        path
            The file to make or replace.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        OSError
            The folder does not exist, or the file cannot be written.
        """
        file = Path(path)
        write_state(self._state, file)
        return file

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model that :meth:`save` wrote; nothing in a file is executed.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Self
            Equal to the saved one in every bit.

        Raises
        ------
        SourceError
            If it cannot be read, is no model, or not the file that was written.
        """
        return cls(read_state(Path(path)))

    def to_bytes(self) -> bytes:
        """Return the bytes of the file that :meth:`save` writes."""
        return state_bytes(self._state)

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        return cls(state_of(data, "what was given"))

    def _own(self, histogram: Histogram) -> Histogram:
        if histogram.fingerprint != self.fingerprint:
            message = (
                f"counts scores of model {histogram.fingerprint[:12]}, expected those of "
                f"{self.fingerprint[:12]}"
            )
            raise InputError(
                message,
                argument="histogram",
                expected=f"counts of model {self.fingerprint[:12]}",
                got=f"those of {histogram.fingerprint[:12]}",
            )
        return histogram

    def _scores(
        self,
        source: EmbeddingsLike,
        argument: str,
        threads: int | None,
        progress: ProgressOption = None,
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
            for batch in rows.batches(BATCH_ROWS, exact=False):
                yield self._state.probe.score(batch, argument, first_row=done, threads=threads)
                done += len(batch)
                report("scores", done, len(rows))

    def _counted(
        self,
        source: EmbeddingsLike,
        argument: str,
        threads: int | None,
        progress: ProgressOption,
        *,
        labels: pl.Series | None = None,
        of_groups: GroupCounts | None = None,
    ) -> Histogram:
        """Count the scores, and in `of_groups` those of each group too, where there are labels."""
        counted = self.empty_histogram()
        for scores in self._scores(source, argument, threads, progress):
            if labels is not None and of_groups is not None:
                of_groups.absorb(labels.slice(counted.rows, len(scores)), scores)
            counted.absorb(scores)
        return counted

    def _floor(self, confidence: float) -> NullFloor:
        if confidence not in self._floors:
            self._floors[confidence] = null_floor(self.templates, confidence)
        return self._floors[confidence]

    def __repr__(self) -> str:
        human, other = self._state.rows
        known = "human only" if self.human_only else f"{other:,} synthetic rows"
        return (
            f"{type(self).__name__}({human:,} human rows, {known}, {self.columns:,} columns, "
            f"{len(self._state.edges) + 1} bins, {self.fingerprint[:12]})"
        )


def _labels(by: str | GroupLabels, rows: Embeddings) -> pl.Series:
    uses_polars("shares of groups")
    if isinstance(by, str):
        found = rows.labels(by)
        return label_texts(found, len(rows), "by", "target", subject=f"by: column {by!r}")
    return label_texts(by, len(rows), "by", "target")


def _proportion(value: float) -> float:
    """Check a share, 0 and 1 included."""
    return float(value) if value in {0, 1} else share(value, "prevalence")

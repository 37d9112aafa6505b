"""From references to a model: parts of the human rows, a probe, bins, counts, calibration scores.

The human reference is in parts: strata that were named, or random ones. They are held out one at a
time for the null floor, and what the share varies from one stratum to another is drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from tailwatch import _core
from tailwatch.arguments import integer
from tailwatch.contamination.estimators import human_thresholds
from tailwatch.contamination.groups import label_texts
from tailwatch.contamination.histogram import bin_counts, human_edges, shared_edges
from tailwatch.contamination.model import BATCH_ROWS, ContaminationModel
from tailwatch.contamination.model_file import ModelState
from tailwatch.embeddings import as_embeddings
from tailwatch.exceptions import DimensionError, InputError
from tailwatch.metrics.embeddings.probe import (
    LARGEST_FIT,
    TrainingRows,
    check_finite,
    content_folds,
    even_bounds,
    fit_probe,
    fold_bounds,
    stratum_folds,
)
from tailwatch.progress import MOST_THREADS, reporting
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.contamination.groups import GroupLabels
    from tailwatch.embeddings import Embeddings, EmbeddingsLike
    from tailwatch.metrics.embeddings.probe import Probe
    from tailwatch.progress import ProgressOption, ProgressReport

__all__ = [
    "LARGEST_CALIBRATION",
    "LEAST_ROWS",
    "RANDOM_PARTS",
    "HoldOut",
    "Parts",
    "fit",
    "parts_of",
]

HoldOut: TypeAlias = Literal["rows", "strata"]
"""What a fold of the probe holds out at once."""

MOST_FOLDS = 50
LEAST_ROWS = 20
"""Rows of each class."""

RANDOM_PARTS = 5
"""Held out one at a time for the null floor, where there are no strata."""

LARGEST_CALIBRATION = 200_000
"""Human scores that are kept for p-values."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part each human row is in.

    Attributes
    ----------
    names
        Of the strata, ascending; empty for random parts.
    index
        Part of each row.
    sizes
        Rows of each part.
    """

    names: tuple[str, ...]
    index: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def counts(self, scores: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.int64]:
        """Count the scores of all human rows: parts × bins."""
        bins = len(edges) + 1
        cells = self.index * bins + np.searchsorted(edges, scores, side="right")
        counts = np.bincount(cells, minlength=len(self.sizes) * bins)
        return counts.reshape(len(self.sizes), -1).astype(np.int64)


def parts_of(strata: GroupLabels | None, rows: int, seed: int) -> Parts:
    """Return the part of each human row: the strata that are named, or random ones."""
    return _random_parts(rows, seed) if strata is None else _named_parts(strata, rows)


def fit(
    human: EmbeddingsLike,
    synthetic: EmbeddingsLike | None = None,
    *,
    strata: GroupLabels | None = None,
    target: EmbeddingsLike | None = None,
    hold_out: HoldOut = "rows",
    folds: int = 5,
    seed: int = 0,
    encoder: str | None = None,
    threads: int | None = None,
    progress: ProgressOption = None,
) -> ContaminationModel:
    """Learn what human and synthetic rows look like.

    A linear probe is cross-fitted: every reference row is scored by a model that did not see it,
    and so is every row of a target, copies of reference rows included. The scores of the references
    are the templates of all that follows.

    Parameters
    ----------
    human
        Embeddings of human rows, at least 20.
    synthetic
        Embeddings of synthetic rows, at least 20, such as a target is suspected to hold. Without
        them a share can only be bounded from below.
    strata
        Name of each human row's stratum: crawl month, domain, language. What the estimate varies
        from one to another is the drift that an interval has to allow for; without strata it does
        not, and holds only if target and reference differ in the share alone. The target is taken
        for one more of them, so a target that mixes all strata as the reference does is allowed
        more drift than it has.
    target
        Embeddings of the target, at least 20 rows; needed if, and only if, there is no synthetic
        reference. The probe then learns what distinguishes a sample of it from the human rows.
    hold_out
        What a fold holds out. ``"rows"``: rows, by their content, so that rows of the target are
        scored as those of the reference were, and only strata that the reference has not are new to
        the probe. ``"strata"``: whole strata, where near-duplicates within one would flatter the
        probe and no stratum of the target is in the reference. It must not be taken where the
        synthetic rows imitate the strata: to a probe that is shown the imitation of a stratum
        alone, the stratum itself looks synthetic.
    folds
        Models that are cross-fitted, 2 to 50.
    seed
        Seed of all random choices.
    encoder
        Name of the encoder, kept with the model.
    threads
        Threads for scoring; all cores by default.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``.

    Returns
    -------
    ContaminationModel
        ``.score``, ``.prevalence``, ``.rows``, ``.save``.

    Raises
    ------
    InputError
        Bad data, too few rows, references that cannot be told apart at all, or an argument out of
        range.

    Notes
    -----
    At most 200,000 rows of both classes together enter the probe, drawn at random; the model says
    how many. The others are scored in batches: memory is that of these rows and 12 bytes for
    each row besides.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, synthetic = rng.normal(size=(500, 8)), 1 + rng.normal(size=(400, 8))
    >>> months = np.repeat(["2021-01", "2021-02", "2021-03", "2021-04"], 125)
    >>> model = tw.contamination.fit(human, synthetic, strata=months)
    >>> model.strata
    ('2021-01', '2021-02', '2021-03', '2021-04')
    """
    folds = integer(folds, "folds", least=2)
    if folds > MOST_FOLDS:
        raise InputError(argument="folds", expected=f"at most {MOST_FOLDS}", got=shown(folds))
    seed = integer(seed, "seed", least=0)
    if hold_out not in get_args(HoldOut) or (hold_out == "strata" and strata is None):
        raise InputError(
            argument="hold_out",
            expected="'rows', or 'strata' where there are strata",
            got=shown(hold_out),
        )
    if threads is not None:
        threads = integer(threads, "threads", most=MOST_THREADS)
    if encoder is not None and not isinstance(encoder, str):
        raise InputError(argument="encoder", expected="a name", got=type(encoder).__name__)
    first = _checked(human, "human")
    name = "target" if synthetic is None else "synthetic"
    other = _other(first, synthetic, target)
    parts = parts_of(strata, len(first), seed)
    bounds, human_folds = even_bounds(folds), None
    if hold_out == "strata":
        of_strata = stratum_folds(parts.sizes, folds)
        human_folds = of_strata[parts.index]
        bounds = fold_bounds(np.bincount(human_folds))
    with reporting(progress) as report:
        samples = (
            _training_rows(first, "human", seed, bounds, human_folds),
            _training_rows(other, name, seed, bounds, None),
        )
        probe = fit_probe(*samples, bounds, report)
        of_human = _scores(
            probe, first, name="human", folds=human_folds, threads=threads, report=report
        )
        if synthetic is None:
            of_other = probe.score(samples[1].rows, "target", threads=threads)
        else:
            of_other = _scores(probe, other, name=name, folds=None, threads=threads, report=report)
    thresholds = np.empty(0, np.float32)
    if synthetic is None:
        thresholds = human_thresholds(of_human)
        edges = human_edges(of_human, of_other, thresholds)
    else:
        edges = shared_edges(of_human, of_other)
    if not len(edges):
        message = "cannot be told from human: all scores are equal"
        raise InputError(
            message, argument=name, expected="rows unlike the human ones", got="equal scores"
        )
    kept = _core.sample(len(first), min(len(first), LARGEST_CALIBRATION), seed, "calibration")
    state = ModelState(
        probe=probe,
        edges=edges,
        thresholds=thresholds,
        human=parts.counts(of_human, edges),
        synthetic=np.zeros(len(edges) + 1, np.int64)
        if synthetic is None
        else bin_counts(of_other, edges),
        calibration=np.sort(of_human[kept]),
        strata=parts.names,
        encoder=encoder,
        fitted_on=(len(samples[0].rows), len(samples[1].rows)),
        rows=(len(first), len(other)),
        seed=seed,
    )
    return ContaminationModel(state)


def _checked(source: EmbeddingsLike, argument: str) -> Embeddings:
    rows = as_embeddings(source, argument)
    if len(rows) < LEAST_ROWS:
        raise InputError(
            argument=argument, expected=f"at least {LEAST_ROWS} rows", got=f"{len(rows)}"
        )
    return rows


def _other(
    human: Embeddings, synthetic: EmbeddingsLike | None, target: EmbeddingsLike | None
) -> Embeddings:
    """Take the class that is to be told from the human one."""
    if synthetic is not None:
        if target is not None:
            message = "expected only where synthetic is None"
            raise InputError(
                message,
                argument="target",
                expected="none beside synthetic",
                got="one",
                hint="prevalence() takes the target",
            )
        source, argument = synthetic, "synthetic"
    elif target is not None:
        source, argument = target, "target"
    else:
        raise InputError(
            argument="synthetic",
            expected="embeddings, or without them a target",
            got="neither",
        )
    rows = _checked(source, argument)
    if rows.columns != human.columns:
        raise DimensionError(
            argument=argument,
            expected=f"{human.columns} columns as in human",
            got=f"{rows.columns}",
        )
    return rows


def _training_rows(
    rows: Embeddings,
    argument: str,
    seed: int,
    bounds: NDArray[np.uint64],
    folds: NDArray[np.uint8] | None,
) -> TrainingRows:
    """Draw the rows that the probe may learn from."""
    size = min(len(rows), LARGEST_FIT // 2)
    chosen = np.sort(_core.sample(len(rows), size, seed, argument))
    taken = rows.take(chosen).to_numpy() if size < len(rows) else rows.to_numpy()
    check_finite(taken, chosen, argument)
    own = content_folds(taken, bounds) if folds is None else folds[chosen]
    return TrainingRows(taken, own, argument)


def _scores(
    probe: Probe,
    rows: Embeddings,
    *,
    name: str,
    folds: NDArray[np.uint8] | None,
    threads: int | None,
    report: ProgressReport,
) -> NDArray[np.float32]:
    scores = np.empty(len(rows), np.float32)
    done = 0
    for batch in rows.batches(BATCH_ROWS, exact=False):
        stop = done + len(batch)
        own = None if folds is None else folds[done:stop]
        scores[done:stop] = probe.score(batch, name, first_row=done, folds=own, threads=threads)
        done = stop
        report("scores", done, len(rows))
    return scores


def _named_parts(strata: GroupLabels, rows: int) -> Parts:
    """Return each stratum a number.

    Parameters
    ----------
    strata
        Name of each row's stratum: text, integers, dates.
    rows
        Rows that need one.

    Raises
    ------
    InputError
        If there is not one for each row, one is null, or there are fewer than two.
    """
    texts = label_texts(strata, rows, "strata", "human")
    names = texts.unique().sort()
    if len(names) < 2:
        raise InputError(argument="strata", expected="at least two", got=f"only {shown(names[0])}")
    index = names.search_sorted(texts).to_numpy().astype(np.int64)
    return Parts(tuple(names), index, np.bincount(index, minlength=len(names)))


def _random_parts(rows: int, seed: int) -> Parts:
    """Deal rows to `RANDOM_PARTS` parts at random."""
    index = np.empty(rows, np.int64)
    index[_core.sample(rows, rows, seed, "parts")] = np.arange(rows) % RANDOM_PARTS
    return Parts((), index, np.bincount(index, minlength=RANDOM_PARTS))

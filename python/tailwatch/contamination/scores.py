"""The share of synthetic rows by scores, or by the answers, of a detector of one's own.

Whoever has a detector and no embeddings has what the estimate needs: the scores of human and of
synthetic rows, and those of the target. They are counted in bins, and from there on all is as for
the scores of a probe: template fit with templates of finite size, or the lower bound. Only the
order of scores counts, so any increasing function of a score gives the same result, to the bit.

A detector that says yes or no has two bins. Its false and true positives among n₀ human and n₁
synthetic rows are the templates, and the profile likelihood is that of three binomials:

    q = (1 − π)·FPR + π·TPR,   k₀ ~ B(n₀, FPR),  k₁ ~ B(n₁, TPR),  k ~ B(N, q).

The usual interval takes both rates as known: (q − FPR)/(TPR − FPR) at the ends of an interval of q
(Rogan & Gladen 1978). It gets shorter with N and the rates do not get better, so it holds the share
of a large target far too seldom (``docs/calibration/share-from-scores.md``).

The detector must not have learnt from the rows whose scores are given. Cost: a sort of the scores.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tailwatch import _core
from tailwatch.arguments import inexact, integer, number_text, share
from tailwatch.background import uses_polars
from tailwatch.contamination.estimators import human_thresholds
from tailwatch.contamination.fit import LARGEST_CALIBRATION, LEAST_ROWS, RANDOM_PARTS, parts_of
from tailwatch.contamination.groups import GroupCounts, estimate_groups, label_texts
from tailwatch.contamination.histogram import Histogram, bin_counts, human_edges, shared_edges
from tailwatch.contamination.prevalence import estimate_share, null_floor
from tailwatch.contamination.templates import Templates
from tailwatch.exceptions import InputError
from tailwatch.metrics.univariate.values import as_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tailwatch.contamination.groups import GroupLabels
    from tailwatch.contamination.prevalence import Prevalence
    from tailwatch.metrics.univariate.values import ValuesLike

    Answers: TypeAlias = "NDArray[np.bool_] | Sequence[bool]"

__all__ = ["ErrorRates", "share_from_scores"]

MOST_ROWS = 10**9 - 1
"""Rows behind an error rate: the generator that deals them to parts takes no more."""

_NO_EDGES = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How often a detector says yes, as counts of rows whose origin is known.

    Attributes
    ----------
    false_positives, human
        Human rows that it took for synthetic, of how many.
    true_positives, synthetic
        Synthetic rows that it found, of how many.
    """

    false_positives: int
    human: int
    true_positives: int
    synthetic: int

    def checked(self) -> ErrorRates:
        """Return the same as plain integers.

        Raises
        ------
        InputError
            There are too few rows, or more positives than rows.
        """
        found = {}
        for positives, rows in (("false_positives", "human"), ("true_positives", "synthetic")):
            name = f"error_rates.{rows}"
            found[rows] = integer(getattr(self, rows), name, least=LEAST_ROWS, most=MOST_ROWS)
            name = f"error_rates.{positives}"
            found[positives] = integer(getattr(self, positives), name, least=0, most=found[rows])
        return ErrorRates(**found)


def share_from_scores(
    scores: ValuesLike | Answers,
    human_scores: ValuesLike | None = None,
    synthetic_scores: ValuesLike | None = None,
    *,
    error_rates: ErrorRates | None = None,
    strata: GroupLabels | None = None,
    by: GroupLabels | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Prevalence:
    """Estimate the share of synthetic rows in a target by the scores of a detector.

    Parameters
    ----------
    scores
        Of the target's rows, larger for rows that look synthetic; with `error_rates` the answers of
        the detector, true for synthetic.
    human_scores
        Of human rows that the detector has not learnt from, at least 20.
    synthetic_scores
        Of such synthetic rows, at least 20. Without them the share is only bounded from below.
    error_rates
        In place of both: the rates of a detector that says yes or no, as the counts behind them.
    strata
        Name of the stratum of each row of `human_scores`, by which drift is seen, as in
        :func:`fit`.
    by
        Label of the group of each row of the target, as in :meth:`ContaminationModel.prevalence`.
    confidence
        Of the interval.
    seed
        Of the parts that are held out for the null floor.

    Returns
    -------
    Prevalence
        As that of :meth:`ContaminationModel.prevalence`.

    Warns
    -----
    TailwatchWarning
        The references do not explain the target: other estimators disagree.

    Raises
    ------
    InputError
        Scores that are no finite numbers, too few of them, or an argument out of range.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human, synthetic = rng.normal(size=1000), 2 + rng.normal(size=1000)
    >>> target = np.concatenate([rng.normal(size=9000), 2 + rng.normal(size=1000)])
    >>> found = tw.contamination.share_from_scores(target, human, synthetic)
    >>> bool(found.low < 0.1 < found.high)
    True

    A detector of which it is known that it takes 29 of 1,000 human rows for synthetic, and finds
    540 of 1,000 synthetic ones:

    >>> rates = tw.contamination.ErrorRates(29, 1000, 540, 1000)
    >>> found = tw.contamination.share_from_scores(target > 1.9, error_rates=rates)
    >>> bool(found.low < 0.1 < found.high)
    True
    """
    confidence, seed = share(confidence, "confidence"), integer(seed, "seed", least=0)
    if error_rates is not None:
        if human_scores is not None or synthetic_scores is not None or strata is not None:
            raise InputError(
                argument="error_rates",
                expected="no scores of references and no strata beside it",
                got="some",
            )
        target = _answers(scores)
        templates, calibration = _of_rates(error_rates.checked(), seed)
    else:
        if human_scores is None:
            raise InputError(
                argument="human_scores", expected="scores, or error_rates", got="neither"
            )
        human = _numbers(human_scores, "human_scores", LEAST_ROWS)
        given = _numbers(scores, "scores", 1)
        synthetic = None
        if synthetic_scores is not None:
            synthetic = _numbers(synthetic_scores, "synthetic_scores", LEAST_ROWS)
        known = np.unique(np.concatenate([human, given if synthetic is None else synthetic]))
        target = _places(given, known)
        of_human = _places(human, known)
        parts = parts_of(strata, len(human), seed)
        if synthetic is None:
            thresholds = human_thresholds(of_human)
            edges = human_edges(of_human, target, thresholds)
            counts = np.zeros(len(edges) + 1, np.int64)
        else:
            of_synthetic = _places(synthetic, known)
            thresholds, edges = _NO_EDGES, shared_edges(of_human, of_synthetic)
            counts = bin_counts(of_synthetic, edges)
        if not len(edges):
            message = "tell nothing: all are equal"
            raise InputError(
                message, argument="human_scores", expected="scores that differ", got="equal ones"
            )
        templates = Templates(
            edges, thresholds, parts.counts(of_human, edges), counts, bool(parts.names)
        )
        kept = _core.sample(len(human), min(len(human), LARGEST_CALIBRATION), seed, "calibration")
        calibration = np.sort(of_human[kept])
    counted = Histogram(_fingerprint(templates), templates.edges, calibration).absorb(target)
    floor = null_floor(templates, confidence)
    found = estimate_share(templates, counted, floor, confidence, None)
    if by is None:
        return found
    uses_polars("shares of groups")
    labels = label_texts(by, len(target), "by", "scores")
    of_groups = GroupCounts(templates.edges, "group").absorb(labels, target)
    return replace(found, groups=estimate_groups(templates, of_groups, floor.limit, confidence))


def _numbers(source: ValuesLike, argument: str, least: int) -> NDArray[np.float64]:
    """Return scores as float64: at least so many, all finite."""
    found = as_values(source, argument).to_numpy()
    if len(found) < least:
        raise InputError(
            argument=argument, expected=f"at least {least} scores", got=f"{len(found)}"
        )
    lost = inexact(found)
    wrong = ~np.isfinite(found)
    if lost is not None or wrong.any():
        row = int(wrong.argmax()) if lost is None else lost
        raise InputError(
            argument=argument,
            expected="finite numbers that float64 holds",
            got=number_text(found[row]),
            where=f"row {row}",
        )
    return found.astype(np.float64)


def _answers(source: ValuesLike | Answers) -> NDArray[np.float32]:
    """Return the answers of a detector as 0 and 1."""
    found = np.asarray(source)
    if found.ndim != 1 or found.dtype.kind not in "biuf" or not len(found):
        raise InputError(
            argument="scores",
            expected="an answer, true or false, for each row, since there are error_rates",
            got=f"{found.dtype} of shape {found.shape}",
        )
    wrong = (found != 0) & (found != 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            argument="scores",
            expected="true or false, 1 or 0, since there are error_rates",
            got=f"{found[row]}",
            where=f"row {row}",
        )
    return found.astype(np.float32)


def _places(scores: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return where scores stand among those that are known: at one, or between two.

    Beyond 2²⁴ places float32 takes neighbours together, of which a bin then has half a million.
    """
    below, upto = (np.searchsorted(known, scores, side=side) for side in ("left", "right"))
    return (below + upto).astype(np.float32)


def _of_rates(rates: ErrorRates, seed: int) -> tuple[Templates, NDArray[np.float32]]:
    """Return two bins, no and yes, and the answers for human rows.

    The null floor holds out parts of the human rows. Which row is in which part is not known, so
    they are dealt at random.
    """
    random = np.random.default_rng(seed)
    left, positives = rates.human, rates.false_positives
    parts = []
    for number in range(RANDOM_PARTS):
        size = (rates.human + number) // RANDOM_PARTS
        drawn = int(random.hypergeometric(positives, left - positives, size)) if size else 0
        parts.append([size - drawn, drawn])
        left, positives = left - size, positives - drawn
    missed = rates.synthetic - rates.true_positives
    templates = Templates(
        edges=np.array([0.5], np.float32),
        thresholds=_NO_EDGES,
        human=np.array(parts, np.int64),
        synthetic=np.array([missed, rates.true_positives], np.int64),
        stratified=False,
    )
    kept = min(rates.human, LARGEST_CALIBRATION)
    yes = round(rates.false_positives * kept / rates.human)
    return templates, np.repeat(np.array([0, 1], np.float32), [kept - yes, yes])


def _fingerprint(templates: Templates) -> str:
    """Return 64 hexadecimal digits over the counts of the references."""
    digest = hashlib.sha256(b"tailwatch-scores")
    for counts in (templates.edges, templates.human, templates.synthetic):
        digest.update(np.ascontiguousarray(counts).tobytes())
    return digest.hexdigest()

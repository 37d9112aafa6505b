"""The metrics of text beside held-out human documents, with intervals, at equal numbers of tokens.

Three sets are compared: reference A, held-out human documents B, and candidate C, each cut to as
many tokens. ``value`` is measured on C (or on A and C), ``null`` on B (or on A and B).

The documents are what was drawn, not their tokens: those of one document resemble each other, and
an interval that takes them for independent is too short. So intervals are by half-sampling of
documents, as in :func:`tailwatch.compare`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.distributions import t_quantile
from tailwatch.exceptions import InputError
from tailwatch.metrics.categorical.comparison import MOST_REPLICATES
from tailwatch.metrics.categorical.counts import Pairs
from tailwatch.metrics.categorical.divergences import SHARES
from tailwatch.metrics.categorical.diversity import fit_zipf, plug_in_entropy
from tailwatch.metrics.categorical.types import covered
from tailwatch.metrics.text.documents import as_documents
from tailwatch.metrics.text.groups import frequencies, in_groups
from tailwatch.progress import reporting

if TYPE_CHECKING:
    from tailwatch.metrics.categorical.counts import Frequencies
    from tailwatch.metrics.text.documents import DocumentsLike, Tokenizer
    from tailwatch.metrics.text.groups import Groups, Texts
    from tailwatch.progress import ProgressOption

__all__ = ["compare_documents"]

_RARE = 0.5


def compare_documents(
    reference: DocumentsLike,
    candidate: DocumentsLike,
    heldout: DocumentsLike | None = None,
    *,
    replicates: int = 30,
    confidence: float = 0.95,
    seed: int = 0,
    tokenizer: Tokenizer | None = None,
    progress: ProgressOption = None,
) -> pl.DataFrame:
    """Measure what a candidate lost of human text, beside human text that lost nothing.

    Parameters
    ----------
    reference
        Human documents: lists of tokens, as a Series of List or a list of lists; or texts, with a
        `tokenizer`.
    candidate
        Documents of the candidate, of the same kind.
    heldout
        Other human documents, for the null. By default a random half of `reference` is kept out of
        it for that.
    replicates
        Half-samples for the intervals; at least 20.
    confidence
        Confidence of the intervals.
    seed
        Seed of the split, the documents taken, and the half-samples.
    tokenizer
        Makes a list of tokens of one text, such as ``str.split``.
    progress
        ``None``, ``True`` for a display on standard error, or a callable
        ``(stage, done, total)``; of millions of tokens the half-samples take minutes.

    Returns
    -------
    polars.DataFrame
        One row per ``metric``: ``value`` with ``low`` and ``high``, ``null`` with ``null_low`` and
        ``null_high``, and ``tokens`` of each set. Against the reference:

        - ``type_coverage``, ``rare_type_coverage``: share of its words that survive, of all and of
          the rarer half;
        - ``total_variation``, ``jensen_shannon`` (nats) of the words.

        Of the candidate, and for the null of held-out documents, alone:

        - ``entropy`` (nats, plug-in), ``missing_mass``, ``zipf_exponent`` of the words;
        - ``distinct_1_pooled``, ``distinct_2_pooled``, ``distinct_2_per_document``;
        - ``self_repetition`` of 4-grams.

    Raises
    ------
    InputError
        As in :func:`token_counts`; fewer than four documents that hold the tokens compared; tokens
        of different kinds.

    Notes
    -----
    All sets are cut to the tokens of the smallest, whole documents at random, the last one cut. The
    interval is ± t · the standard deviation over half-samples of documents, and is about what this
    many tokens show. That of ``self_repetition``, half of whose pairs of documents no half has, is
    a jackknife's over groups of documents, on the log scale. How often they hold is in
    ``docs/calibration/interval-coverage-text.md``. ``self_repetition`` and
    ``distinct_2_per_document`` also depend on the lengths of documents: give a candidate whose
    documents are as long as the human ones. A metric that a set does not have (no 4-gram, no
    exponent) is null, and so is an interval where no half-sample differs, or nothing is repeated
    at all.

    O(tokens · (1 + replicates/10)) time, O(tokens) memory.

    Examples
    --------
    >>> import numpy as np
    >>> import tailwatch as tw
    >>> rng = np.random.default_rng(0)
    >>> human = [rng.zipf(1.5, 100) for _ in range(200)]
    >>> model = [rng.zipf(1.8, 100) for _ in range(100)]
    >>> found = tw.metrics.text.compare_documents(human, model).filter(metric="entropy")
    >>> (found["high"] < found["null_low"]).item()
    True
    """
    replicates = integer(replicates, "replicates", least=20, most=MOST_REPLICATES)
    confidence = share(confidence, "confidence")
    rng = np.random.Generator(np.random.Philox(integer(seed, "seed", least=0)))
    human = as_documents(reference, "reference", tokenizer)
    if heldout is None:
        order = rng.permutation(len(human))
        half = len(human) // 2
        sets = {"reference": human.take(order[:half]), "heldout": human.take(order[half:])}
    else:
        sets = {"reference": human, "heldout": as_documents(heldout, "heldout", tokenizer)}
    sets["candidate"] = as_documents(candidate, "candidate", tokenizer)
    for name, documents in sets.items():
        if documents.tokens.dtype != human.tokens.dtype:
            expected = f"tokens of {human.tokens.dtype} as in the reference"
            raise InputError(argument=name, expected=expected, got=str(documents.tokens.dtype))
    tokens = max(min(int(documents.lengths.sum()) for documents in sets.values()), 1)
    (a, b, c), groups = in_groups(sets, tokens, rng)

    everything = np.ones(groups, np.bool_)
    values, nulls = _measure(a, c, everything, everything), _measure(a, b, everything, everything)
    halves = []
    with reporting(progress) as report:
        for done in range(replicates):
            report("half-samples", done, replicates)
            of_a, of_b, of_c = (_half(rng, groups) for _ in range(3))
            halves.append((_measure(a, c, of_a, of_c), _measure(a, b, of_a, of_b)))
        report("half-samples", replicates, replicates)
    reach = t_quantile((1.0 + confidence) / 2.0, replicates - 1)
    of_groups = t_quantile((1.0 + confidence) / 2.0, groups - 1)
    rows = []
    for metric in values:
        row: dict[str, object] = {"metric": metric}
        for place, (name, found, text) in enumerate((("value", values, c), ("null", nulls, b))):
            value = row[name] = found[metric]
            if metric == "self_repetition":
                low, high = _interval_of_repetition(value, text, of_groups)
            else:
                spread = float(np.std([half[place][metric] for half in halves], ddof=1))
                error = reach * spread if spread > 0.0 else float("nan")
                low, high = value - error, value + error
            prefix = "" if name == "value" else "null_"
            row[f"{prefix}low"] = max(low, 0.0)
            row[f"{prefix}high"] = min(high, _MOST.get(metric, np.inf))
        rows.append(row | {"tokens": tokens})
    columns = ["metric", "value", "low", "high", "null", "null_low", "null_high", "tokens"]
    return pl.DataFrame(rows).select(columns).with_columns(pl.col(pl.Float64).fill_nan(None))


def _interval_of_repetition(value: float, text: Texts, reach: float) -> tuple[float, float]:
    """Return an interval on the log scale: what is repeated by chance is a count, and skewed."""
    variance = text.repetition_variance()
    if not (value > 0.0 and variance > 0.0):
        return float("nan"), float("nan")
    margin = reach * variance**0.5 / value
    return value * float(np.exp(-margin)), value * float(np.exp(margin))


_MOST = dict.fromkeys(
    (
        "type_coverage",
        "rare_type_coverage",
        "total_variation",
        "missing_mass",
        "distinct_1_pooled",
        "distinct_2_pooled",
        "distinct_2_per_document",
        "self_repetition",
    ),
    1.0,
) | {"jensen_shannon": float(np.log(2.0))}


def _measure(
    reference: Texts, text: Texts, of_reference: Groups, of_text: Groups
) -> dict[str, float]:
    """Return every metric of some groups of a text, against some groups of the reference."""
    x, y = reference.counts(1, of_reference), text.counts(1, of_text)
    p, q = (counts / counts.sum() for counts in (x, y))
    ones = np.ones(len(x))
    coverage, rare = covered(Pairs(x, y, ones.astype(np.int64)), (1.0, _RARE))
    words, pairs = frequencies(y), frequencies(text.counts(2, of_text))
    return {
        "type_coverage": coverage,
        "rare_type_coverage": rare,
        "total_variation": float(SHARES["total_variation"](p, q, ones)),
        "jensen_shannon": float(SHARES["jensen_shannon"](p, q, ones)),
        "entropy": plug_in_entropy(words),
        "missing_mass": words.seen(1) / words.total,
        "zipf_exponent": _exponent(words),
        "distinct_1_pooled": words.richness / words.total,
        "distinct_2_pooled": pairs.richness / pairs.total if pairs.total else float("nan"),
        "distinct_2_per_document": text.distinct_by_document(of_text),
        "self_repetition": text.repeated(of_text),
    }


def _exponent(words: Frequencies) -> float:
    """Return Zipf's exponent; NaN where the likelihood has no maximum."""
    try:
        return float(fit_zipf(words, 1))
    except InputError:
        return float("nan")


def _half(rng: np.random.Generator, groups: int) -> Groups:
    """Choose half of the groups."""
    chosen = np.zeros(groups, np.bool_)
    chosen[rng.permutation(groups)[: groups // 2]] = True
    return chosen

"""Find the share of machine-written documents, on text that is on every machine.

The human documents are docstrings of installed packages and of Python itself. A language model
learns from some of them and writes others, and both are turned into embeddings: hashed words and
pairs of words, reduced to 64 columns by an SVD of the reference. Two questions are asked, each of
them many times with another split of the documents:

- same packages: reference and target are halves of the documents, each package divided equally;
- new package: all human documents of the target are of a package that neither the reference nor the
  language model has seen. What the estimate varies from one package of the reference to another,
  `strata`, is then what the interval has to allow for.

The packages are those that ``pip install 'tailwatch[plot]'`` brings; `--packages` names others.

The target holds known shares of synthetic documents, so intervals that hold can be counted::

    python examples/text_contamination.py --replications 104 --out intervals.parquet
"""

from __future__ import annotations

import argparse
import warnings
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl
import scipy.sparse as sp
from docstrings import docstrings, words
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from threadpoolctl import threadpool_limits
from word_model import WordModel

import tailwatch as tw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from tailwatch.contamination.fit import HoldOut

PACKAGES = (
    "altair",
    "jinja2",
    "joblib",
    "narwhals",
    "numpy",
    "polars",
    "pydantic",
    "python",
    "rich",
    "scikit-learn",
    "scipy",
)
SHORTEST, LONGEST = 80, 160
"""Words of a document: shorter ones say little, longer ones are cut."""

SHARES = (0.0, 0.02, 0.1, 0.3)
COLUMNS = 64
LEARNT = 0.4
"""Share of each package's documents that the language model learns from."""

FEWEST = 150
"""Documents of a package that is to be the target."""

LARGEST_STRATUM, LARGEST_TARGET = 300, 1000
"""Documents of a package in the reference, and in the target, where the package is new."""


class Corpus(NamedTuple):
    """Human documents, as words and hashed, with their packages."""

    words: NDArray[np.object_]
    hashed: sp.csr_matrix
    package: NDArray[np.str_]


class Trial(NamedTuple):
    """A reference and what a target is made of, hashed."""

    human: sp.csr_matrix
    synthetic: sp.csr_matrix
    strata: NDArray[np.str_]
    target_human: sp.csr_matrix
    target_synthetic: sp.csr_matrix


def read_corpus(packages: Sequence[str]) -> Corpus:
    """Read the documents that differ within their first words."""
    found: dict[str, tuple[list[str], str]] = {}
    for package in packages:
        for text in docstrings(package):
            document = words(text)[:LONGEST]
            if len(document) >= SHORTEST:
                found.setdefault(" ".join(document), (document, package))
    documents = np.empty(len(found), object)
    documents[:] = [document for document, _ in found.values()]
    return Corpus(
        documents, hashed(documents), np.array([package for _, package in found.values()])
    )


def hashed(documents: Sequence[Sequence[str]] | NDArray[np.object_]) -> sp.csr_matrix:
    """Count words and pairs of words, by their hash."""

    def pieces(words: Sequence[str]) -> list[str]:
        return [*words, *map(" ".join, pairwise(words))]

    return HashingVectorizer(n_features=4096, analyzer=pieces).transform(documents)


def written(
    corpus: Corpus, learnt: NDArray[np.intp], count: int, rng: np.random.Generator
) -> sp.csr_matrix:
    """Let a language model learn and write `count` documents of the same lengths."""
    model = WordModel(corpus.words[learnt].tolist())
    lengths = rng.choice([len(corpus.words[document]) for document in learnt], count)
    return hashed(model.write(lengths, rng))


def halves(
    documents: NDArray[np.intp], package: NDArray[np.str_], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Divide each package's documents at random, the first part having `share` of them."""
    first, second = [], []
    for name in np.unique(package[documents]):
        mine = rng.permutation(documents[package[documents] == name])
        cut = round(share * len(mine))
        first.append(mine[:cut])
        second.append(mine[cut:])
    return rng.permutation(np.concatenate(first)), rng.permutation(np.concatenate(second))


def same_packages(
    corpus: Corpus, replications: int, rng: np.random.Generator
) -> Iterator[tuple[str, Trial]]:
    """Split the documents again and again."""
    learnt, others = halves(np.arange(len(corpus.words)), corpus.package, LEARNT, rng)
    pool = written(corpus, learnt, 2 * len(others), rng)
    for _ in range(replications):
        reference, target = halves(others, corpus.package, 0.5, rng)
        yield "", trial(corpus, reference, target, pool, rng)


def new_package(
    corpus: Corpus, replications: int, rng: np.random.Generator
) -> Iterator[tuple[str, Trial]]:
    """Let each package that has enough documents be the target that nobody has seen."""
    names, counts = np.unique(corpus.package, return_counts=True)
    large = names[counts >= FEWEST]
    for number, name in enumerate(large):
        seen = np.flatnonzero(corpus.package != name)
        learnt, others = halves(seen, corpus.package, LEARNT, rng)
        pool = written(corpus, learnt, 2 * LARGEST_STRATUM * len(names), rng)
        for _ in range(number, replications, len(large)):
            mixed = rng.permutation(others)
            reference = np.concatenate(
                [mixed[corpus.package[mixed] == other][:LARGEST_STRATUM] for other in names]
            )
            target = rng.permutation(np.flatnonzero(corpus.package == name))[:LARGEST_TARGET]
            yield name, trial(corpus, reference, target, pool, rng)


def trial(
    corpus: Corpus,
    reference: NDArray[np.intp],
    target: NDArray[np.intp],
    pool: sp.csr_matrix,
    rng: np.random.Generator,
) -> Trial:
    """Take as many synthetic documents as there are human ones, none of them twice."""
    synthetic = rng.permutation(pool.shape[0])
    first, second = synthetic[: len(reference)], synthetic[len(reference) :][: len(target)]
    return Trial(
        corpus.hashed[reference],
        pool[first],
        corpus.package[reference],
        corpus.hashed[target],
        pool[second],
    )


def estimates(each: Trial, hold_out: HoldOut, seed: int) -> Iterator[dict[str, Any]]:
    """Fit with and without strata, and estimate each share."""
    reference = sp.vstack([each.human, each.synthetic])
    svd = TruncatedSVD(COLUMNS, n_iter=2, random_state=seed).fit(reference)
    human, synthetic, *target = (
        svd.transform(rows)
        for rows in (each.human, each.synthetic, each.target_human, each.target_synthetic)
    )
    for strata, held_out in ((None, "rows"), (each.strata, hold_out)):
        model = tw.contamination.fit(human, synthetic, strata=strata, hold_out=held_out, seed=seed)
        of_human, of_synthetic = map(model.score, target)
        rows = len(of_human)
        for share in SHARES:
            count = round(share * rows)
            scores = np.concatenate([of_human[count:], of_synthetic[:count]])
            found = model.prevalence(model.empty_histogram().absorb(scores))
            yield {
                "strata": strata is not None,
                "share": share,
                "truth": count / rows,
                "value": found.value,
                "low": found.low,
                "high": found.high,
                "floor": found.null_floor.high,
                "agreement": found.agreement,
                "rows": rows,
            }


def summary(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the intervals that hold, with the Monte-Carlo error of that share.

    Splits of one package have more in common than those of another, so with a new package the error
    is that of a mean over packages.
    """
    truth, keys = pl.col("truth"), ["question", "strata", "share"]
    each = frame.with_columns(
        holds=pl.col("low").le(truth) & pl.col("high").ge(truth),
        within_floor=pl.col("low").le(pl.col("floor")),
        error=pl.col("value") - truth,
    )
    packages = each.group_by([*keys, "package"]).agg(pl.col("holds").mean())
    between = packages.group_by(keys).agg(
        among=pl.col("holds").std() / pl.len().sqrt(), packages=pl.len()
    )
    holds = pl.col("holds").mean()
    table = each.group_by(keys).agg(
        splits=pl.len(),
        holds=holds,
        binomial=(holds * (1 - holds) / pl.len()).sqrt(),
        bias=pl.col("error").mean(),
        mean_abs_error=pl.col("error").abs().mean(),
        length=(pl.col("high") - pl.col("low")).mean(),
        within_floor=pl.col("within_floor").mean(),
        agrees=pl.col("agreement").mean(),
    )
    error = pl.when(pl.col("packages") > 1).then("among").otherwise("binomial")
    return (
        table.join(between, on=keys)
        .with_columns(monte_carlo=error)
        .select(
            *keys,
            "splits",
            "holds",
            "monte_carlo",
            "bias",
            "mean_abs_error",
            "length",
            "within_floor",
            "agrees",
        )
        .sort("question", "strata", "share", descending=[True, False, False])
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--replications", type=int, default=20, help="splits for each question")
    parser.add_argument("--packages", nargs="+", default=PACKAGES, help="whose documentation")
    parser.add_argument(
        "--hold-out", choices=["rows", "strata"], default="rows", help="what folds hold out"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random")
    parser.add_argument("--out", type=Path, help="a Parquet file for every estimate")
    chosen = parser.parse_args(arguments)

    corpus = read_corpus(chosen.packages)
    counts = pl.Series("package", corpus.package).value_counts(sort=True)
    print(
        f"{len(corpus.words)} documents of {SHORTEST} to {LONGEST} words: "
        + ", ".join(f"{name} {count}" for name, count in counts.iter_rows())
    )
    rows = []
    # Many small problems, for which more threads than one only wait for each other.
    with threadpool_limits(1), warnings.catch_warnings():
        # That other estimators disagree is counted here, not said a hundred times.
        warnings.simplefilter("ignore", tw.exceptions.TailwatchWarning)
        for number, question in enumerate((same_packages, new_package)):
            rng = np.random.default_rng([chosen.seed, number])
            for seed, (package, each) in enumerate(question(corpus, chosen.replications, rng)):
                named = {"question": question.__name__.replace("_", " "), "package": package}
                rows += [named | row for row in estimates(each, chosen.hold_out, seed)]
    frame = pl.DataFrame(rows)
    if chosen.out is not None:
        frame.write_parquet(chosen.out)
    with pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=160,
        tbl_formatting="MARKDOWN",
        float_precision=3,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    ):
        print(summary(frame))


if __name__ == "__main__":
    main()

"""The texts of errors, each as one line that a person reads; other tests assert fields.

One row per kind of error: what causes it, and the whole text. ``@`` stands for the folder of the
test, ``…`` for what another library says. Texts of ``tailwatch.yolo`` are in
``tests/yolo/test_yolo_error_texts.py``. The file is one table, and long for that.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch import arguments, contamination
from tailwatch.cli import outputs, parts
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS
from tailwatch.exceptions import TailwatchError
from tailwatch.io.pack import pack
from tailwatch.io.settings_text import parse_toml, parse_yaml, read_text
from tailwatch.metrics import categorical, text, univariate
from tailwatch.progress import reporting
from tailwatch.recursion import (
    Augment,
    Gaussian,
    LinearRegression,
    Mix,
    Multinomial,
    NGram,
    Replace,
    Verified,
    plan,
    theory,
)
from tailwatch.recursion.verdicts.diagnosis import diagnose
from tailwatch.recursion.verdicts.judgement import judge
from tailwatch.writing import owned_file, write_atomically
from tests.support.errors import is_like

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.recursion_learners import Opaque

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(300, 3)), RNG.normal(size=(200, 3))
NAN = np.where(np.arange(900).reshape(300, 3) == 13, np.nan, X)
NEGATIVE = pl.DataFrame({"v": [1], "n": [-1]})
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 1\n"
KNOWN = ", ".join([*map(repr, PANELS), *METRICS])
FRAME = pl.DataFrame({"key": ["a", "b"], "embedding": [[1.0, 2.0], [3.0, 4.0]]})


@cache
def model() -> contamination.ContaminationModel:
    return contamination.fit(X, X + 1, seed=0)


@cache
def run() -> tw.recursion.Run:
    return tw.recursion.run(Gaussian(), X, policy=Replace(), generations=1, metrics=())


def npy(path: Path, rows: Opaque = X) -> Path:
    np.save(path, rows)
    return path


def archive(path: Path, **arrays: Opaque) -> Path:
    np.savez(path, **arrays)
    return path


def holding(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(path: Path, frame: pl.DataFrame = FRAME) -> Path:
    frame.write_parquet(path)
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


def over_itself(path: Path) -> None:
    outputs.check_file("--html", path, suffix=".html", sources=[str(path)])


def loop(**changes: Opaque) -> object:
    asked = {"learner": Gaussian(), "data": X, "policy": Replace(), "generations": 1, "metrics": ()}
    asked |= changes
    return tw.recursion.run(asked.pop("learner"), asked.pop("data"), **asked)


def filtered(keep: Callable[[Opaque], Opaque]) -> object:
    return loop(policy=Verified(Replace(), keep=keep), generations=2)


class Forgetful:
    def fit(self, data: Opaque, *, rng: np.random.Generator) -> None: ...


def written_twice(path: Path) -> object:
    pack(X, path)
    return pack(X, path)


def exchanged(path: Path) -> object:
    np.save(pack(X, path, rows_per_shard=100) / "embeddings/00001.npy", X[:10])
    return tw.open(path)


def with_link(path: Path) -> Path:
    (path / "part").symlink_to(path / "elsewhere")
    return path


def scored(at: Path, **changes: Opaque) -> object:
    (at / "in").mkdir()
    npy(at / "in" / "a.npy", NAN if changes.pop("spoilt", False) else X)
    return model().score_dataset(at / "in", at / "out", **changes)


def scored_twice(at: Path, again: Callable[[], object], **changes: Opaque) -> object:
    scored(at)
    again()
    return model().score_dataset(at / "in", at / "out", **changes)


def stopped_by(at: Path, reason: str) -> object:
    loop(directory=at)
    described = json.loads((at / "run.json").read_text())
    (at / "run.json").write_text(json.dumps(described | {"stopped": reason}))
    return tw.recursion.Run.load(at)


def looped_twice(at: Path, **changes: Opaque) -> object:
    loop(directory=at)
    return loop(directory=at, **changes)


# What causes an error, and the text of it.
TEXTS: dict[str, tuple[Callable[[Path], object], str]] = {
    # Plain arguments.
    "an integer": (lambda _: arguments.integer("1", "k"), "k: expected an integer, got '1'"),
    "an integer that is too small": (
        lambda _: arguments.integer(0, "k"),
        "k: expected an integer of at least 1, got 0",
    ),
    "an integer that is too large": (
        lambda _: arguments.integer(2**70, "seed", least=0),
        "seed: expected an integer below 2**63, got 1180591620717411303424",
    ),
    "an integer beyond a bound": (
        lambda _: arguments.integer(10**6, "threads", most=1024),
        "threads: expected an integer of at most 1,024, got 1000000",
    ),
    "a number": (lambda _: arguments.real(None, "q"), "q: expected a number, got None"),
    "a positive number": (
        lambda _: arguments.positive(-1.0, "sigma"),
        "sigma: expected a positive number, got -1.0",
    ),
    "a share": (
        lambda _: arguments.share(95, "confidence"),
        "confidence: expected a number between 0 and 1, got 95",
    ),
    "a number of very many digits": (
        lambda _: arguments.share(10**400, "confidence"),
        "confidence: expected a number between 0 and 1, got a number of about 400 digits",
    ),
    "one number for levels": (
        lambda _: arguments.shares(0.05, "tail_levels"),
        "tail_levels: expected numbers between 0 and 1, got 0.05",
    ),
    "a level twice": (
        lambda _: arguments.shares([0.1, 0.1], "tail_levels"),
        "tail_levels: expected at least one level and no level twice, got (0.1, 0.1)",
    ),
    "a surrogate": (
        lambda _: arguments.refuse_surrogates(["a", "c\ud800"], "labels"),
        (
            "labels: row 1 holds 'c\\ud800', which is no Unicode text: a surrogate stands "
            "alone; text.encode('utf-8', 'backslashreplace').decode() shows such bytes as "
            "text"
        ),
    ),
    "a callable for progress": (
        lambda _: reporting("bar").__enter__(),
        "progress: expected None, True or a callable, got str",
    ),
    # Embeddings and files.
    "one dimension": (
        lambda _: tw.open(X[0]),
        (
            "source: expected a 2-D array (rows, columns), got shape (3,); of one row make "
            "array[None, :], of one column array[:, None]"
        ),
    ),
    "three dimensions": (
        lambda _: tw.open(X[None]),
        (
            "source: expected a 2-D array (rows, columns), got shape (1, 300, 3); flatten "
            "each row, as in array.reshape(len(array), -1)"
        ),
    ),
    "no rows": (lambda _: tw.open(X[:0]).handle(), "source: expected at least one row, got none"),
    "integers": (
        lambda _: tw.open(np.ones((2, 2), int)),
        (
            "source: expected float16, float32 or float64, got int64; convert it, as in "
            "array.astype('float32')"
        ),
    ),
    "no embeddings": (
        lambda _: tw.open({"a": 1}),
        (
            "source: expected a 2-D NumPy array, a Polars Series of Array or List, an Arrow"
            " array, stream or table, a torch tensor on the CPU, tailwatch.Embeddings, or "
            "paths to .npy, .npz, .parquet or .arrow files; got dict"
        ),
    ),
    "NaN": (lambda _: tw.compare(NAN, Y), "reference: row 4, column 1 holds NaN"),
    "NaN in a file": (
        lambda at: tw.compare(npy(at / "a.npy", NAN), Y),
        "reference: row 4, column 1 holds NaN, in @/a.npy",
    ),
    "an infinity": (
        lambda _: tw.compare(X, Y - np.inf),
        "candidate: row 0, column 0 holds a negative infinity",
    ),
    "other columns": (
        lambda _: tw.metrics.mmd(X, Y[:, :2]),
        "candidate: expected 3 columns as in reference, got 2",
    ),
    "a null row": (lambda _: tw.open(pl.Series([[1.0], None])).handle(), "source: row 1 is null"),
    "a null value": (
        lambda _: tw.open(pl.Series([[1.0, None], [1.0, 2.0]])).handle(),
        "source: row 0 holds null in column 1",
    ),
    "rows of several lengths": (
        lambda _: tw.open(pl.Series([[1.0], [1.0, 2.0]])).handle(),
        "source: row 1 holds 2 values, expected 1",
    ),
    "numbers for vectors": (
        lambda _: tw.open(pl.Series([1.0, 2.0])),
        (
            "source: expected Array or List of Float16, Float32 or Float64, got Float64; a "
            "number in a row is no vector; metrics.univariate takes a column of numbers"
        ),
    ),
    "no such file": (lambda at: tw.open(at / "a.npy"), "source: no such file: @/a.npy"),
    "a directory for a file": (
        tw.metrics.spectrum,
        "embeddings: @ is a directory; expected files, such as '@/*.parquet'",
    ),
    "a pattern without a match": (
        lambda at: tw.open(f"{at}/*.npy"),
        "source: no file matches '@/*.npy'",
    ),
    "another suffix": (
        lambda at: tw.open(holding(at / "a.csv", "")),
        (
            "source: @/a.csv: expected one of .npy, .npz, .parquet, .arrow, .feather, .ipc,"
            " got suffix '.csv'"
        ),
    ),
    "a missing column": (
        lambda at: tw.open(parquet(at / "a.parquet"), column="vector"),
        (
            "source: @/a.parquet: no column 'vector'; it has key (String), embedding "
            "(List(Float64)); column takes the name of another"
        ),
    ),
    "no table to have a column": (
        lambda _: tw.open(X).labels("label"),
        "source: no column 'label'; the embeddings are an array, not a table",
    ),
    "identifiers of an array": (
        lambda at: tw.open(npy(at / "a.npy"), id_column="key"),
        "source: @/a.npy: id_column='key' needs a table, got .npy",
    ),
    "a damaged file": (
        lambda at: tw.open(holding(at / "a.parquet", "hello, world")),
        "source: cannot read @/a.parquet: …",
    ),
    "a file cut short": (
        lambda at: tw.open(holding(at / "b.npy", npy(at / "a.npy").read_bytes()[:4096])),
        (
            "source: cannot read @/b.npy: its header says 300 × 3 values of float64, which "
            "are 7200 bytes; the file has 3968"
        ),
    ),
    "a Git LFS pointer": (
        lambda at: tw.open(holding(at / "a.npy", POINTER)),
        (
            "source: @/a.npy: expected the data, got a Git LFS pointer to it; `git lfs "
            "pull` fetches what it points to"
        ),
    ),
    "a folder without data": (
        lambda at: model().score_dataset(holding(at / "a.csv", "").parent, at / "out"),
        (
            "source: no file in @ ends in .npy, .npz, .parquet, .arrow, .feather, .ipc; "
            "left out: 1 × files that end in .csv are not read (a.csv)"
        ),
    ),
    "an array that an archive has not": (
        lambda at: tw.open(archive(at / "a.npz", x=X, y=Y)),
        ("source: @/a.npz: no array 'embedding'; it holds x, y; column takes the name of another"),
    ),
    "a Binary column": (
        lambda _: tw.open(pl.DataFrame({"embedding": [b"abcd"]})),
        (
            "source: column 'embedding' is Binary, which does not tell the type of its "
            "numbers; binary says it: float16, float32 or float64"
        ),
    ),
    "rows that are not there": (
        lambda _: tw.open(X).take([0, 300]),
        "indices: expected rows from 0 to 299, got 300",
    ),
    # Packed folders.
    "another dtype": (
        lambda at: pack(X, at / "out", dtype="f8"),
        "dtype: expected 'f16' or 'f32', got 'f8'",
    ),
    "a number that float16 cannot hold": (
        lambda at: pack(X + 65_520, at / "out", dtype="f16"),
        "source: row 0, column 0 holds 65520.1, which float16 cannot hold",
    ),
    "a folder that is not empty": (
        lambda at: written_twice(at / "out"),
        "out: @/out exists already; expected a new or empty folder",
    ),
    "a folder in none": (
        lambda at: pack(X, at / "none" / "out"),
        "out: the folder @/none does not exist",
    ),
    "an exchanged shard": (
        lambda at: exchanged(at / "out"),
        "source: @/out/embeddings/00001.npy: expected 100 rows as was written, got 10",
    ),
    "no manifest of a pack": (
        lambda at: tw.open(holding(at / "pack.json", "[]").parent),
        (
            "source: @/pack.json does not describe a packed folder: expected the format "
            "tailwatch-pack, got another one, or none"
        ),
    ),
    "a manifest that is no JSON": (
        lambda at: tw.open(holding(at / "pack.json", "{").parent),
        "source: @/pack.json does not describe a packed folder: expected JSON, got …",
    ),
    # Comparison.
    "few reference rows": (
        lambda _: tw.compare(X[:127], Y),
        "reference: expected at least 128 rows to compare, got 127",
    ),
    "few rows of a baseline": (
        lambda _: tw.compare(X, Y, baseline=Y[:63]),
        "baseline: expected at least 64 rows to compare, got 63",
    ),
    "a baseline of other columns": (
        lambda _: tw.compare(X, Y, baseline=Y[:, :2]),
        "baseline: expected 3 columns as in reference, got 2",
    ),
    "a baseline and classes": (
        lambda _: tw.compare(X, Y, baseline=Y, per=("label", "label")),  # type: ignore[call-overload]
        (
            "baseline: expected none with per, got both; compare the rows of each class with a "
            "baseline of its own"
        ),
    ),
    "worse than no baseline": (
        lambda _: tw.compare(X, Y, metrics=["copies"]).gate("worse"),
        "fail_on: expected worse only against a baseline, got worse; compare with a baseline",
    ),
    "few candidate rows": (
        lambda _: tw.compare(X, Y[:63]),
        "candidate: expected at least 64 rows to compare, got 63",
    ),
    "k beyond a half-sample": (
        lambda _: tw.compare(X, Y, k=75),
        "k: expected 1 to 71 (half-samples have 72 rows), got 75",
    ),
    "an unknown metric": (
        lambda _: tw.compare(X, Y, metrics=["recal"]),
        (
            f"metrics: unknown 'recal'; expected a panel or metrics out of {KNOWN}"
            "; did you mean recall?"
        ),
    ),
    "a panel among metrics": (
        lambda _: tw.compare(X, Y, metrics=["fast", "recall"]),
        (
            f"metrics: unknown 'fast'; expected a panel or metrics out of {KNOWN}"
            "; a panel stands alone"
        ),
    ),
    "no metrics": (
        lambda _: tw.compare(X, Y, metrics=[]),
        (f"metrics: expected a panel or metrics out of {KNOWN}, got none; name at least one"),
    ),
    "metrics of another type": (
        lambda _: tw.compare(X, Y, metrics=3),
        "metrics: expected a panel's name or names of metrics, got 3",
    ),
    "labels of another length": (
        lambda _: tw.compare(X, Y, per=(["a"], ["a"] * 200)),
        "per: labels of reference: expected a label for each of 300 rows, got 1",
    ),
    "labels that are null": (
        lambda _: tw.compare(X, Y, per=(["a"] * 299 + [None], ["a"] * 200)),
        (
            "per: labels of reference: row 299 has no label; leave out rows without a "
            "label, or give them one of their own"
        ),
    ),
    "no class of enough rows": (
        lambda _: tw.compare(X, Y, per=(np.arange(300), np.arange(200))),
        (
            "per: expected a class with at least 128 reference and 64 candidate rows, got "
            "300 smaller ones; the largest, '0', has 1 reference and 1 candidate rows"
        ),
    ),
    "another seed than the reference's": (
        lambda _: tw.compare(tw.Reference(X, metrics=["total_variance"]), Y, seed=1),
        (
            "seed: expected 0, which the reference was made with, got 1; leave it out, or "
            "make a reference with it"
        ),
    ),
    "a file that is no reference": (
        lambda at: tw.Reference.load(holding(at / "a.tailwatch", "no")),
        ("reference: expected a file that Reference.save wrote, got another file (@/a.tailwatch)"),
    ),
    "another suffix of a result": (
        lambda at: run().save(at / "a.txt"),
        ("path: expected a name ending in .html, .parquet, .csv, .json, .tailwatch, got 'a.txt'"),
    ),
    "a file that is no result": (
        lambda at: tw.Comparison.load(holding(at / "a.tailwatch", "no")),
        (
            "path: expected what Comparison.save wrote to a file named *.tailwatch, got "
            "another file (@/a.tailwatch)"
        ),
    ),
    # Embedding metrics.
    "too many neighbours": (
        lambda _: tw.metrics.nearest_neighbors(X[:5], X[:5], k=9),
        "k: expected at most the 5 rows of base, got k = 9 with 5 rows",
    ),
    "too many others": (
        lambda _: tw.metrics.nearest_neighbors(X[:7], X[:7], k=7, exclude_self=True),
        "k: expected at most the 6 other rows of base, got k = 7 with 7 rows",
    ),
    "rows that differ": (
        lambda _: tw.metrics.nearest_neighbors(X + 1, X, k=1, exclude_self=True),
        "exclude_self: expected queries and base to be the same rows, but row 0 differs",
    ),
    "one row": (
        lambda _: tw.metrics.spectrum(X[:1]),
        "embeddings: expected at least 2 rows, got 1",
    ),
    "another kernel's bandwidth": (
        lambda _: tw.metrics.mmd(X, Y, bandwidth=1.0),
        "bandwidth: the polynomial kernel has no bandwidth, got 1.0",
    ),
    "another kernel's gamma": (
        lambda _: tw.metrics.mmd(X, Y, kernel="gaussian", gamma=1.0),
        "gamma: the Gaussian kernel has no gamma, got 1.0; its scale is `bandwidth`",
    ),
    "an unknown kernel": (
        lambda _: tw.metrics.mmd(X, Y, kernel="cubic"),
        "kernel: expected 'polynomial' or 'gaussian', got 'cubic'",
    ),
    "a dimension that is a word": (
        lambda _: tw.metrics.knn_divergence(X, Y, dimension="fractal"),
        "dimension: expected 'ambient', 'intrinsic' or a number, got 'fractal'",
    ),
    "a row that the reference repeats": (
        lambda _: tw.metrics.knn_divergence(X, np.concatenate([Y, X[7:8]]), k=1),
        (
            "candidate: row 200 equals 1 or more rows of reference (k = 1), where the "
            "reference has no density: expected fewer copies than k"
        ),
    ),
    "few rows for a test": (
        lambda _: tw.metrics.mmd_test(X[:3], Y),
        "reference: expected at least 4 rows, got 3",
    ),
    "few rows to extrapolate": (
        lambda _: tw.metrics.frechet_distance_extrapolated(X[:63], Y),
        "reference: expected at least 64 rows, got 63",
    ),
    # Numbers, counts and documents.
    "NaN among numbers": (
        lambda _: univariate.wasserstein_distance([1.0, np.nan], [1.0]),
        "reference: position 1 holds NaN",
    ),
    "a number that float64 does not hold": (
        lambda _: univariate.wasserstein_distance([2**53 + 1, 0.5], [1.0]),
        (
            "reference: position 0 holds 9007199254740993, which float64, the type of the "
            "others, cannot hold"
        ),
    ),
    "one bin": (
        lambda _: univariate.jensen_shannon([1.0, 2.0], [1.0], bins=1),
        "bins: expected an integer of at least 2, got 1",
    ),
    "counts of an array": (
        lambda _: univariate.energy_distance(X[:, 0], Y[:, 0], counts="n"),
        "reference: counts='n' needs a frame of numbers and counts, got numpy.ndarray",
    ),
    "a negative count beside numbers": (
        lambda _: univariate.energy_distance(NEGATIVE, NEGATIVE, counts="n"),
        "reference: column 'n': position 0 holds -1, expected a count from 0",
    ),
    "no labels": (
        lambda _: categorical.entropy([]),
        "labels: expected at least one label, got none",
    ),
    "a null label": (lambda _: categorical.entropy(["a", None]), "labels: row 1 is null"),
    "a broken count": (
        lambda _: categorical.entropy({"a": 3, "b": 0.5}),
        ("labels: row 1 counts 0.5 of 'b', expected a whole number of at least 0 and below 2**53"),
    ),
    "a type twice": (
        lambda _: categorical.entropy(pl.DataFrame({"t": ["a", "b", "a"], "n": [1, 2, 3]})),
        (
            "labels: 'a' is in rows 0 and 2, expected each type once; "
            "frame.group_by(type).sum() adds up what belongs together"
        ),
    ),
    "floats as labels": (
        lambda _: categorical.entropy([0.2, 0.8]),
        (
            "labels: expected labels such as strings, integers or categories, got Float64; "
            "numbers in themselves are for tailwatch.metrics.univariate"
        ),
    ),
    "labels of several types": (
        lambda _: categorical.entropy(["a", 1]),
        "labels: expected labels of one type: …",
    ),
    "pairs that may be counts": (
        lambda _: categorical.entropy([("a", 3), ("b", 1)]),
        (
            "labels: expected labels or counts, got a list of pairs with integers; "
            "dict(pairs) for counts, or a Series of lists for labels that are pairs"
        ),
    ),
    "types of another kind": (
        lambda _: categorical.total_variation(["1"], [1]),
        "candidate: expected types of String as in the reference, got Int64",
    ),
    "text that is not cut": (
        lambda _: text.token_counts(["a text"]),
        (
            "documents: expected lists of tokens, got texts; give a tokenizer, such as "
            "tokenizer=str.split"
        ),
    ),
    "a null document": (
        lambda _: text.token_counts([["a"], None]),
        "documents: document 1 is null",
    ),
    "one string as documents": (
        lambda _: text.token_counts("a text"),
        "documents: expected documents, each a list of tokens of one type, got str",
    ),
    # Contamination.
    "neither synthetic nor target": (
        lambda _: contamination.fit(X),
        "synthetic: expected embeddings, or without them a target, got neither",
    ),
    "target beside synthetic": (
        lambda _: contamination.fit(X, Y, target=Y),
        "target: expected only where synthetic is None; prevalence() takes the target",
    ),
    "few human rows": (
        lambda _: contamination.fit(X[:19], Y),
        "human: expected at least 20 rows, got 19",
    ),
    "columns of the references": (
        lambda _: model().score(X[:, :2]),
        "embeddings: expected 3 columns as the references have, got 2",
    ),
    "NaN in a target": (lambda _: model().score(NAN), "embeddings: row 4, column 1 holds NaN"),
    "strata of another length": (
        lambda _: contamination.fit(X, Y, strata=["a"]),
        "strata: expected a name for each of the 300 rows of human, got 1",
    ),
    "a group that has no name": (
        lambda _: model().prevalence(X, by=[None] * 300),
        "by: row 0 is null",
    ),
    "groups of a histogram": (
        lambda _: model().prevalence(model().histogram(X), by=["a"]),
        (
            "by: expected rows, whose groups it names, got a histogram of them; give the rows as "
            "target"
        ),
    ),
    "labels for a data set": (
        lambda at: scored(at, by=["a"]),
        "by: expected the name of a column of the shards, got list; prevalence() takes labels",
    ),
    "more groups than are told apart": (
        lambda _: model().prevalence(np.tile(X, (4, 1)), by=np.arange(1200)),
        (
            "by: expected at most 1,000 groups, got more ('group'); take a coarser column, such as "
            "a month in place of a day"
        ),
    ),
    "scores of nobody": (
        lambda _: contamination.share_from_scores([0.5]),
        "human_scores: expected scores, or error_rates, got neither",
    ),
    "a score that is none": (
        lambda _: contamination.share_from_scores([0.5, np.nan], np.arange(20), np.arange(20)),
        "scores: expected finite numbers that float64 holds, got nan (row 1)",
    ),
    "few scores": (
        lambda _: contamination.share_from_scores([0.5], [1.0, 2.0]),
        "human_scores: expected at least 20 scores, got 2",
    ),
    "scores beside error rates": (
        lambda _: contamination.share_from_scores(
            [True], [1.0], error_rates=contamination.ErrorRates(1, 20, 19, 20)
        ),
        "error_rates: expected no scores of references and no strata beside it, got some",
    ),
    "scores where answers are expected": (
        lambda _: contamination.share_from_scores(
            [0.5], error_rates=contamination.ErrorRates(1, 20, 19, 20)
        ),
        ("scores: expected true or false, 1 or 0, since there are error_rates, got 0.5 (row 0)"),
    ),
    "more positives than rows": (
        lambda _: contamination.ErrorRates(21, 20, 19, 20).checked(),
        "error_rates.false_positives: expected an integer of at most 20, got 21",
    ),
    "a model that is none": (
        lambda at: contamination.ContaminationModel.load(holding(at / "m", "no")),
        "model: @/m is not a tailwatch model",
    ),
    "a model that is damaged": (
        lambda at: contamination.ContaminationModel.load(
            holding(at / "m", model().to_bytes()[:-1])
        ),
        "model: @/m is damaged: its bytes are not those that were written",
    ),
    "a model that is not there": (
        lambda at: contamination.ContaminationModel.load(at / "m"),
        "model: cannot read @/m: No such file or directory",
    ),
    "an array for a data set": (
        lambda at: model().score_dataset(X, at / "out"),
        ("source: expected a folder, paths or a glob, got ndarray; rows() takes data in memory"),
    ),
    "a column of the results' name": (
        lambda at: scored(at, id_column="score"),
        "id_column: 'score' is a column of the result; rename it in the source",
    ),
    "a distance without rows": (
        lambda at: scored(at, copy_distance=1.0),
        (
            "copy_distance: expected copies_of beside it, got none; copies_of takes the "
            "rows whose copies are looked for"
        ),
    ),
    "shards that cannot be scored": (
        lambda at: scored(at, spoilt=True),
        "source: 1 of 1 shards could not be scored: a.npy: row 4, column 1 holds NaN",
    ),
    "shards that have changed": (
        lambda at: scored_twice(at, lambda: npy(at / "in" / "a.npy", Y)),
        (
            "source: a.npy has changed since it was scored into @/out; give another folder,"
            " or resume=False to score everything anew"
        ),
    ),
    "another column": (
        lambda at: scored_twice(at, lambda: None, column="vector"),
        (
            "out_dir: @/out holds a run with column 'embedding', and this one has 'vector';"
            " give another folder, or resume=False to replace it"
        ),
    ),
    "a folder of others": (
        lambda at: model().score_dataset(npy(at / "a.npy"), holding(at / "out", "")),
        "out_dir: cannot write to @/out: File exists",
    ),
    # Loops.
    "a class for a learner": (
        lambda _: loop(learner=Gaussian),
        "learner: expected an object with the method fit, got the class Gaussian",
    ),
    "no policy": (
        lambda _: loop(policy=3),
        (
            "policy: expected a text such as 'mix:0.25', or an object with the method "
            "compose, got int"
        ),
    ),
    "an unknown policy": (
        lambda _: loop(policy="acumulate"),
        (
            "policy: expected one of replace | mix:SHARE | mix:SHARE,fresh | accumulate | "
            "accumulate_subsample | accumulate_subsample:ROWS | augment | augment:ROWS | "
            "human_only, got 'acumulate'; did you mean accumulate?"
        ),
    ),
    "a share of a policy": (
        lambda _: loop(policy="mix:2"),
        (
            "policy: expected mix:SHARE or mix:SHARE,fresh, with a number between 0 and 1, "
            "got 'mix:2'"
        ),
    ),
    "a list as data": (
        lambda _: loop(data=[[1.0]]),
        (
            "data: expected a NumPy array, a Polars frame or series, what tailwatch.open "
            "takes, or an object with __len__, take and concat, got list"
        ),
    ),
    "data that are not finite": (
        lambda _: loop(data=NAN),
        "data: row 4 holds a value that is not finite",
    ),
    "rows for a fresh share": (
        lambda _: loop(policy=Mix(0.5, fresh=True), generations=3),
        (
            "data: expected at least 600 rows to train on, for 150 human rows that are new "
            "in each generation, got 300"
        ),
    ),
    "more real rows than there are": (
        lambda _: loop(policy=Augment(301)),
        "real: expected at most the 300 human rows to train on, got 301",
    ),
    "a fit that gives no model": (
        lambda _: loop(learner=Forgetful()),
        (
            "learner.fit: expected it to return a model with the method sample, got "
            "NoneType (generation 1)"
        ),
    ),
    "a filter of another shape": (
        lambda _: filtered(lambda rows: rows > 0),
        "keep: expected one boolean for each of 300 rows, got bool of shape (300, 3)",
    ),
    "a filter that keeps nothing": (
        lambda _: filtered(lambda rows: rows[:, 0] > 9e9),
        "policy: expected rows to learn from, got none (generation 2)",
    ),
    "a reason to stop": (
        lambda _: loop(stop_on="collapse"),
        "stop_on: expected 'alarm' or None, got 'collapse'",
    ),
    "an alarm of nothing": (
        lambda _: loop(stop_on="alarm"),
        (
            "stop_on: expected metrics, of which one may ring, got metrics=(); tail_odds_ratio and "
            "total_variance are enough"
        ),
    ),
    "a run that stopped for no reason of ours": (
        lambda at: stopped_by(at, "bored"),
        (
            "directory: expected stopped, null, or one of alarm, on_generation, interrupted, "
            "got 'bored' (@/run.json)"
        ),
    ),
    "a generation that was not": (
        lambda _: run().samples(3),
        "generation: expected at most 1, got 3",
    ),
    "numbers for a learner": (
        lambda _: Gaussian().fit(np.array(["a"]), rng=RNG),
        (
            "data: expected an array of numbers with one or two dimensions for Gaussian, "
            "got an array of <U1 of shape (1,)"
        ),
    ),
    "rows for a learner": (
        lambda _: Gaussian(ddof=1).fit(X[:1], rng=RNG),
        "data: expected at least 2 rows for Gaussian, got 1",
    ),
    "categories for a learner": (
        lambda _: Multinomial().fit(X, rng=RNG),
        (
            "data: expected a one-dimensional array or a series of at least one row for "
            "Multinomial, got an array of shape (300, 3)"
        ),
    ),
    "documents for a learner": (
        lambda _: NGram(2).fit(pl.Series(["a b"]), rng=RNG),
        "data: expected a Polars series of lists of tokens for NGram, got String",
    ),
    "a label for a learner": (
        lambda _: LinearRegression().fit(X[:, :1], rng=RNG),
        (
            "data: expected rows of at least one feature and a label for LinearRegression, "
            "got 1 column"
        ),
    ),
    "an argument of a learner": (lambda _: Gaussian(ddof=2), "ddof: expected 0 or 1, got 2"),
    "a directory of another run": (
        lambda at: looped_twice(at, seed=1),
        "directory: @ was made with other arguments: seed: 0 there, 1 here",
    ),
    "a directory that holds a run": (
        lambda at: looped_twice(at, resume=False),
        (
            "directory: expected a new directory, got @, which holds a run already; "
            "resume=True goes on with it"
        ),
    ),
    "a directory of something else": (
        lambda at: loop(directory=holding(at / "thesis.tex", "").parent),
        ("directory: expected an empty directory or one of a run, got @, which holds thesis.tex"),
    ),
    "a directory that holds no run": (
        tw.recursion.Run.load,
        "directory: expected the directory of a run, got @, which holds no run.json",
    ),
    "a frame of no run": (lambda _: judge([]), "frame: expected the frame of a run, got list"),
    "a frame without a column": (
        lambda _: judge(run().frame.drop("null")),
        "frame: expected the frame of a run, got one without a column 'null'",
    ),
    "a confidence of a diagnosis": (
        lambda _: diagnose(run().frame, confidence=2),
        "confidence: expected a number between 0 and 1, got 2",
    ),
    "a policy without a closed form": (
        lambda _: plan(10, 5, Verified(Replace(), keep=len)),
        "policy: expected one that has a closed form, got 'verified:replace'",
    ),
    "a plan that takes forever": (
        lambda _: plan(100, 100_001),
        "generations: expected an integer of at most 100,000, got 100001",
    ),
    "a variance that no share keeps": (
        lambda _: theory.real_fraction_for(0.999, 100),
        "variance_kept: expected at most 0.99, which 100 human rows alone keep, got 0.999",
    ),
    # Commands.
    "another suffix of a page": (
        lambda at: outputs.check_file("--html", at / "a.txt", suffix=".html"),
        "--html: expected a file name that ends in .html, got @/a.txt",
    ),
    "a page in no directory": (
        lambda at: outputs.check_file("--html", at / "none" / "a.html", suffix=".html"),
        "--html: the directory @/none does not exist; make it first",
    ),
    "a page that is a directory": (
        lambda at: outputs.check_file("--html", folder(at / "a.html"), suffix=".html"),
        "--html: expected a file name, got a directory (@/a.html)",
    ),
    "a page over an input": (
        lambda at: over_itself(holding(at / "a.html", "")),
        "--html: @/a.html is one of the inputs and would be overwritten; name another file",
    ),
    "a directory that is a file": (
        lambda at: outputs.check_directory("--out", holding(at / "a", "")),
        "--out: cannot create the directory @/a (File exists)",
    ),
    "an unknown learner": (
        lambda _: parts.part_from("Gausian", "--learner", ("Gaussian",)),
        (
            "--learner: expected one of Gaussian, or module:attribute, got 'Gausian'; did "
            "you mean Gaussian?"
        ),
    ),
    "another argument of a learner": (
        lambda _: parts.part_from("Gaussian(dof=1)", "--learner", ("Gaussian",)),
        (
            "--learner: expected arguments that Gaussian takes, got 'Gaussian(dof=1)' "
            "(…unexpected keyword argument 'dof')"
        ),
    ),
    "code for a learner": (
        lambda _: parts.part_from("1 + 1", "--learner", ("Gaussian",)),
        (
            "--learner: expected a name such as Gaussian or GaussianMixture(k=10), with "
            "literal arguments, got '1 + 1'"
        ),
    ),
    "a learner of no module": (
        lambda _: parts.part_from("absent_module:Learner", "--learner", ()),
        ("--learner: cannot import Learner from absent_module (No module named 'absent_module')"),
    ),
    "a function for a learner": (
        lambda _: parts.part_from("json:dumps", "--learner", ()),
        (
            "--learner: expected a class or an object with the method fit, got "
            "'json:dumps', which is a function"
        ),
    ),
    "no TOML": (
        lambda _: parse_toml("a = [", "CONFIG", "x.toml"),
        "CONFIG: cannot read x.toml (…)",
    ),
    "a type of Python in YAML": (
        lambda _: parse_yaml("a: !!python/name:os.system", "CONFIG", "x.yaml"),
        "CONFIG: cannot read x.yaml (…)",
    ),
    "too many levels": (
        lambda _: parse_yaml("[" * 40, "CONFIG", "x.yaml"),
        "CONFIG: expected at most 32 levels, got more in line 1 (x.yaml)",
    ),
    "a key twice": (
        lambda _: parse_yaml("a: 1\na: 2", "CONFIG", "x.yaml", unique=True),
        "CONFIG: expected each key once in a mapping, got 'a' again in line 2 (x.yaml)",
    ),
    "settings that are not there": (
        lambda at: read_text(at / "x.toml", "CONFIG"),
        "CONFIG: cannot read @/x.toml (No such file or directory)",
    ),
    # Files that are written.
    "a directory for a file that is written": (
        lambda at: write_atomically(at, lambda file: file.write_text("")),
        "@: expected a regular file, or a name for one, got a directory; name a file in it",
    ),
    "a link among files of ours": (
        lambda at: owned_file(with_link(at), "part"),
        (
            "@/part: expected a regular file, got a link to @/elsewhere (in @); links and "
            "devices inside this directory are not followed; remove it"
        ),
    ),
    "a name that leads out": (
        lambda at: owned_file(at, "../a"),
        "@: expected the name of a part of it, got ../a",
    ),
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.filterwarnings("ignore::tailwatch.exceptions.TailwatchWarning")
def test_the_text_of_an_error(kind: str, tmp_path: Path) -> None:
    cause, text_of = TEXTS[kind]
    with pytest.raises(TailwatchError) as caught:
        cause(tmp_path)
    said = str(caught.value).replace(str(tmp_path), "@")
    assert is_like(said, text_of), said

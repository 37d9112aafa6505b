"""Learners that ship: what they learn, what they refuse, what they sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity as ReferenceDensity

from tailwatch.exceptions import InputError
from tailwatch.recursion import (
    Bootstrap,
    Gaussian,
    GaussianMixture,
    KernelDensity,
    LinearRegression,
    Multinomial,
    NGram,
)
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from tests.support.recursion_learners import Opaque

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(200, 3)) @ np.array([[2.0, 0.5, 0], [0, 1.0, 0], [0, 0, 0.1]])

NUMBERS_FOR = "an array of numbers with one or two dimensions for "
ONE_COLUMN = "a one-dimensional array or a series of at least one row for Multinomial"


def fitted(learner: Opaque, data: Opaque) -> Opaque:
    return learner.fit(data, rng=np.random.default_rng(1))


@pytest.mark.parametrize("ddof", [0, 1])
def test_gaussian_learns_moments(ddof: int) -> None:
    model = fitted(Gaussian(ddof=ddof), NUMBERS)
    assert np.allclose(model.mean, NUMBERS.mean(axis=0), atol=1e-14)
    assert np.allclose(model.covariance, np.cov(NUMBERS.T, ddof=ddof), atol=1e-14)
    expected = -multivariate_normal(model.mean, model.covariance).logpdf(NUMBERS)
    assert np.allclose(model.risk(NUMBERS), expected)


def test_gaussian_samples_have_the_covariance() -> None:
    # 200,000 rows: entries of a covariance err by less than σᵢσⱼ·√(2/n); z ≤ 4.
    model = fitted(Gaussian(sampling_bias=0.5), NUMBERS)
    drawn = model.sample(200_000, rng=np.random.default_rng(2))
    scale = np.sqrt(np.diagonal(model.covariance) / 2)
    error = np.outer(scale, scale) * (2 / 200_000) ** 0.5
    assert (abs(np.cov(drawn.T) - model.covariance / 2) <= 4 * error).all()
    assert (abs(drawn.mean(axis=0) - model.mean) <= 4 * scale / 200_000**0.5).all()


def test_gaussian_of_fewer_rows_than_columns() -> None:
    model = fitted(Gaussian(), NUMBERS[:2])
    drawn = model.sample(50, rng=np.random.default_rng(0))
    # Samples lie on the line through both rows, and the density is infinite off it.
    direction = NUMBERS[1] - NUMBERS[0]
    off = (drawn - NUMBERS[0]) - np.outer((drawn - NUMBERS[0]) @ direction, direction) / (
        direction @ direction
    )
    assert abs(off).max() < 1e-6


def test_plain_numbers_stay_plain() -> None:
    for learner in (Gaussian(), GaussianMixture(2), KernelDensity(0.1), Bootstrap()):
        model = fitted(learner, NUMBERS[:, 0])
        assert model.sample(7, rng=np.random.default_rng(0)).shape == (7,)


def test_mixture_density_and_samples() -> None:
    data = np.concatenate([NUMBERS, NUMBERS + 30])
    model = fitted(GaussianMixture(2), data)
    parts = [
        weight * multivariate_normal(mean, covariance).pdf(data)
        for weight, mean, covariance in zip(
            model.weights, model.means, model.covariances, strict=True
        )
    ]
    assert np.allclose(model.risk(data), -np.log(sum(parts)))
    drawn = model.sample(4000, rng=np.random.default_rng(0))
    # Half of each component (z ≤ 4), in random order: no more runs than chance gives.
    upper = drawn[:, 0] > 15
    assert abs(upper.mean() - 0.5) <= 4 * 0.5 / 4000**0.5
    changes = (upper[1:] != upper[:-1]).mean()
    assert abs(changes - 0.5) <= 4 * 0.5 / 4000**0.5
    assert model.parameters()["variance"] == pytest.approx(data.var(axis=0).sum(), rel=1e-4)


def test_kernel_density_blurs_its_points() -> None:
    model = fitted(KernelDensity(1e-9), NUMBERS)
    drawn = model.sample(500, rng=np.random.default_rng(0))
    nearest = abs(drawn[:, None] - NUMBERS[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 1e-7
    wide = fitted(KernelDensity(0.7), NUMBERS)
    expected = -ReferenceDensity(bandwidth=0.7).fit(NUMBERS).score_samples(NUMBERS[:20])
    assert np.allclose(wide.risk(NUMBERS[:20]), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        np.array([3, 1, 3, 3]),
        np.array(["c", "a", "c", "c"]),
        pl.Series(["c", "a", "c", "c"]),
        pl.Series(["c", "a", "c", "c"], dtype=pl.Categorical),
        pl.Series([3, 1, 3, 3], dtype=pl.Int16),
    ],
    ids=["integers", "strings", "series", "categories", "small integers"],
)
def test_multinomial_counts_whatever_can_be_counted(data: Opaque) -> None:
    model = fitted(Multinomial(), data)
    assert sorted(model.shares.tolist()) == [0.25, 0.75]
    drawn = model.sample(1000, rng=np.random.default_rng(0))
    assert type(drawn) is type(data)
    assert drawn.dtype == data.dtype
    common = (drawn == data[0]).sum()
    assert abs(common - 750) <= 4 * (1000 * 0.75 * 0.25) ** 0.5
    assert model.parameters()["gini_simpson"] == pytest.approx(0.375)
    assert np.allclose(model.risk(data), -np.log([0.75, 0.25, 0.75, 0.75]))


def test_a_category_that_the_model_has_not_is_an_infinite_risk() -> None:
    model = fitted(Multinomial(), np.array([1, 2]))
    assert model.risk(np.array([2, 5])).tolist() == [np.log(2), np.inf]


def text(*documents: str) -> pl.Series:
    return pl.Series([document.split() for document in documents], dtype=pl.List(pl.String))


def test_ngrams_go_where_the_training_set_went() -> None:
    human = text("a b c", "a b d", "b", "")
    for order in (1, 2, 3, 4):
        drawn = fitted(NGram(order), human).sample(3000, rng=np.random.default_rng(order))
        assert drawn.dtype == human.dtype
        assert len(drawn) == 3000
        if order == 1:
            continue
        written = {" ".join(words) for words in drawn}
        # Of two tokens that is every walk; of three, "b" at the start is not "b" after "a".
        walks = {"a b c", "a b d", "b", ""}
        assert written == (walks | {"b c", "b d", "a b"} if order == 2 else walks)
        starts = sum(words[:1].to_list() == ["a"] for words in drawn)
        assert abs(starts - 1500) <= 4 * (3000 * 0.25) ** 0.5


def test_shares_of_an_ngram_sum_to_one() -> None:
    human = text("a b a c", "b b", "c a b")
    model = fitted(NGram(3), human)
    # Every document of up to one token, and all longer ones by their first two tokens: the risk of
    # a document is that of its tokens and of its end.
    risk = model.risk(text("", "a", "b", "c", "x"))
    ends = [1, 2, 2, 2, 2]
    chances = np.exp(-risk * ends)
    assert (chances > 0).all()
    assert chances.sum() < 1
    unigram = fitted(NGram(1), human)
    # Witten and Bell by hand: 9 tokens and 3 ends, 4 types with the end, 5 equal shares below.
    p = (np.array([3, 4, 2, 0]) + 4 / 5) / (12 + 4)
    end = (3 + 4 / 5) / 16
    expected = -(np.log(p) + np.log(end)) / 2
    assert np.allclose(unigram.risk(text("a", "b", "c", "x")), expected)
    assert p.sum() + end == pytest.approx(1)


def test_documents_end_at_the_longest() -> None:
    drawn = fitted(NGram(1, longest=2), text("a a a a a a a")).sample(
        100, rng=np.random.default_rng(0)
    )
    assert drawn.list.len().max() == 2


def test_regression_learns_and_labels() -> None:
    x = RNG.normal(size=(50, 2))
    data = np.column_stack([x, x @ [1.0, -3.0]])
    model = fitted(LinearRegression(noise=0.0, design="reuse"), data)
    assert np.allclose(model.weights, [1.0, -3.0])
    assert np.allclose(model.sample(60, rng=RNG), np.concatenate([data, data[:10]]))
    assert np.allclose(model.risk(data + np.array([0.0, 0.0, 2.0])), 4.0)
    fresh = fitted(LinearRegression(noise=0.0), data).sample(60, rng=RNG)
    assert np.allclose(fresh[:, 2], fresh[:, :2] @ [1.0, -3.0])
    assert not np.isin(fresh[:, 0], x).any()


@pytest.mark.parametrize(
    ("learner", "data", "expected", "got"),
    [
        (Gaussian(), np.array(["a"]), NUMBERS_FOR + "Gaussian", "an array of <U1 of shape (1,)"),
        (
            Gaussian(),
            np.ones((2, 2, 2)),
            NUMBERS_FOR + "Gaussian",
            "an array of float64 of shape (2, 2, 2)",
        ),
        (Gaussian(ddof=1), np.ones((1, 2)), "at least 2 rows for Gaussian", "1"),
        (GaussianMixture(5), np.ones((4, 2)), "at least 5 rows for GaussianMixture", "4"),
        (KernelDensity(1.0), [1.0], NUMBERS_FOR + "KernelDensity", "list"),
        (Multinomial(), np.ones((3, 2)), ONE_COLUMN, "an array of shape (3, 2)"),
        (Multinomial(), pl.Series([], dtype=pl.Int64), ONE_COLUMN, "an empty series"),
        (NGram(2), pl.Series(["a b"]), "a Polars series of lists of tokens for NGram", "String"),
        (LinearRegression(), np.ones((4, 1)), "… one feature and a label …", "1 column"),
    ],
)
def test_data_that_a_learner_cannot_learn_from(
    learner: Opaque, data: Opaque, expected: str, got: str
) -> None:
    with refused(InputError, "data", expected, got):
        fitted(learner, data)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: Gaussian(ddof=2), fields("ddof", "0 or 1", "2")),
        (lambda: Gaussian(sampling_bias=0.0), fields("sampling_bias", "a positive number", "0.0")),
        (lambda: GaussianMixture(0), fields("k", "an integer of at least 1", "0")),
        (lambda: KernelDensity(-1.0), fields("bandwidth", "a positive number", "-1.0")),
        (lambda: NGram(0), fields("order", "an integer of at least 1", "0")),
        (
            lambda: LinearRegression(noise=-1.0),
            fields("noise", "None or a number of at least 0", "-1.0"),
        ),
        (lambda: LinearRegression(design="new"), fields("design", "'fresh' or 'reuse'", "'new'")),
    ],
    ids=["ddof", "bias", "k", "bandwidth", "order", "noise", "design"],
)
def test_arguments_of_learners(build: Opaque, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        build()


@pytest.mark.parametrize(
    ("learner", "data", "files"),
    [
        (Gaussian(), NUMBERS, {"mean.npy", "covariance.npy"}),
        (GaussianMixture(2), NUMBERS, {"weights.npy", "means.npy", "covariances.npy"}),
        (KernelDensity(1.0), NUMBERS, {"points.npy"}),
        (Multinomial(), np.array([1, 2]), {"counts.parquet"}),
        (NGram(2), text("a b"), {"types.parquet", "stream.npy"}),
        (LinearRegression(), NUMBERS, {"weights.npy"}),
    ],
)
def test_models_are_kept(learner: Opaque, data: Opaque, files: set[str], tmp_path: Opaque) -> None:
    fitted(learner, data).save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == files

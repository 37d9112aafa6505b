"""Every numeric option has an upper bound; what is beyond it is refused by name, at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch.exceptions import InputError
from tailwatch.metrics import categorical, text, univariate
from tests.support.anchored import SETTINGS, rows_of
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

M = tw.metrics
X, Y = (np.random.default_rng(seed).normal(size=(70, 3)) for seed in (1, 2))
WORDS, OTHERS = ["a", "b", "a", "c"], ["a", "c", "c", "b"]
DOCUMENTS = [["a", "b", "a"], ["b", "c"], ["a", "c"]] * 4
HUGE = 10**10

BEYOND: dict[str, tuple[str, Callable[[], object]]] = {
    "projections": ("projections", lambda: M.sliced_wasserstein(X, Y, projections=HUGE)),
    "projections of many columns": (
        "projections",
        lambda: M.sliced_wasserstein(np.ones((2, 4096)), np.ones((2, 4096)), projections=10**6),
    ),
    "p": ("p", lambda: M.sliced_wasserstein(X, Y, p=10**5000)),
    "degree": ("degree", lambda: M.mmd(X, Y, degree=2**40)),
    "degree that takes hours": ("degree", lambda: M.mmd(X, Y, degree=3000)),
    "degree of the test": (
        "degree",
        lambda: M.mmd_test(X, Y, kernel="polynomial", degree=65),
    ),
    "gamma": ("gamma", lambda: M.mmd(X, Y, gamma=1e300)),
    "coef0": ("coef0", lambda: M.mmd(X, Y, coef0=-1e300)),
    "coef0 that is infinite": ("coef0", lambda: M.mmd(X, Y, coef0=float("inf"))),
    "coef0 that is no number": ("coef0", lambda: M.mmd(X, Y, coef0="a")),
    "coef0 that is not a number": (
        "coef0",
        lambda: M.mmd_test(X, Y, kernel="polynomial", coef0=float("nan")),
    ),
    "bandwidth": ("bandwidth", lambda: M.mmd(X, Y, kernel="gaussian", bandwidth=1e300)),
    "points": ("points", lambda: M.mauve(X, Y, points=10**9)),
    "scaling": ("scaling", lambda: M.mauve(X, Y, scaling=1e9)),
    "smoothing of MAUVE": ("smoothing", lambda: M.mauve(X, Y, smoothing=1e9)),
    "clusters": ("clusters", lambda: M.mauve(X, Y, clusters=HUGE)),
    "clusters beyond 64 bits": ("clusters", lambda: M.mauve(X, Y, clusters=2**70)),
    "k": ("k", lambda: M.knn_divergence(X, Y, k=HUGE)),
    "k of both": ("k", lambda: M.knn_jensen_shannon(X, Y, k=HUGE)),
    "dimension": ("dimension", lambda: M.knn_divergence(X, Y, dimension=1e300)),
    "points of a line": ("points", lambda: M.frechet_distance_extrapolated(X, Y, points=5)),
    "seed": ("seed", lambda: M.sliced_wasserstein(X, Y, seed=2**64)),
    "bins": ("bins", lambda: univariate.jensen_shannon(X[:, 0], Y[:, 0], bins=HUGE)),
    "bins of the index": (
        "bins",
        lambda: univariate.population_stability_index(X[:, 0], Y[:, 0], bins=2**21),
    ),
    "smoothing": (
        "smoothing",
        lambda: univariate.population_stability_index(X[:, 0], Y[:, 0], smoothing=1e9),
    ),
    "smoothing of counts": (
        "smoothing",
        lambda: categorical.kl_divergence(WORDS, OTHERS, smoothing=1e9),
    ),
    "replicates": (
        "replicates",
        lambda: categorical.compare_counts(WORDS, OTHERS, replicates=HUGE),
    ),
    "draws": ("draws", lambda: categorical.expected_types(WORDS, 2**60)),
    "size": ("size", lambda: categorical.rarefaction(WORDS, 2**60)),
    "smallest": ("smallest", lambda: categorical.zipf_exponent(WORDS, smallest=2**60)),
    "n of tokens": ("n", lambda: text.token_counts(DOCUMENTS, n=HUGE)),
    "n of a pool": ("n", lambda: text.distinct_n_pooled(DOCUMENTS, n=HUGE)),
    "n of documents": ("n", lambda: text.distinct_n_per_document(DOCUMENTS, n=HUGE)),
    "n of repetition": ("n", lambda: text.self_repetition(DOCUMENTS, n=HUGE)),
    "replicates of documents": (
        "replicates",
        lambda: text.compare_documents(DOCUMENTS, DOCUMENTS, replicates=HUGE),
    ),
    "tokens": ("tokens", lambda: text.sample_documents(DOCUMENTS, tokens=2**60)),
}


@pytest.mark.parametrize("name", BEYOND)
def test_beyond_the_bound(name: str) -> None:
    argument, call = BEYOND[name]
    started = time.monotonic()
    with refused(InputError, argument, "…"):
        call()
    assert time.monotonic() - started < 10


GUARDED: dict[str, tuple[str, Callable[[], object]]] = {
    "degree": (
        "degree",
        lambda: _core.mmd(
            rows_of(X), rows_of(Y), "polynomial", [float(2**40), 1.0, 1.0], True, SETTINGS
        ),
    ),
    "projections": ("projections", lambda: _core.projections(3, HUGE, 0, SETTINGS)),
    "no projections": ("projections", lambda: _core.projections(3, 0, 0, SETTINGS)),
    "points": (
        "points",
        lambda: _core.mauve(rows_of(X), rows_of(Y), 3, (5.0, 10**9, 0.0), 0, SETTINGS),
    ),
    "bins": (
        "bins",
        lambda: _core.bin_counts(
            ((X[:, 0].copy(),), None, "x"),
            ((X[:, 0].copy(),), None, "y"),
            "float64",
            HUGE,
            True,
            SETTINGS,
        ),
    ),
}


@pytest.mark.parametrize("name", GUARDED)
def test_the_core_guards_itself(name: str) -> None:
    argument, call = GUARDED[name]
    with refused(InputError, argument, "…"):
        call()


def test_bounds_themselves_are_taken() -> None:
    assert np.isfinite(M.mmd(X / 9, Y / 9, degree=64))
    assert M.sliced_wasserstein(X, Y, p=1e300, projections=4) > 0
    assert univariate.jensen_shannon(X[:, 0], Y[:, 0], bins=2**20) > 0
    assert 0 < M.mauve(X, Y, points=100_000, clusters=3) <= 1

"""Learners that reproduce the literature and meet the closed forms."""

from __future__ import annotations

from tailwatch.recursion.learners.gaussian import Gaussian, GaussianMixture
from tailwatch.recursion.learners.multinomial import Multinomial
from tailwatch.recursion.learners.ngram import NGram
from tailwatch.recursion.learners.regression import LinearRegression
from tailwatch.recursion.learners.resampling import Bootstrap, KernelDensity

__all__ = [
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "KernelDensity",
    "LinearRegression",
    "Multinomial",
    "NGram",
]

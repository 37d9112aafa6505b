"""Learners that reproduce the literature and meet the closed forms."""

from __future__ import annotations

from tailwatch.recursion.learners.bootstrap import Bootstrap
from tailwatch.recursion.learners.gaussian import Gaussian
from tailwatch.recursion.learners.kernel_density import KernelDensity
from tailwatch.recursion.learners.mixture import GaussianMixture
from tailwatch.recursion.learners.multinomial import Multinomial
from tailwatch.recursion.learners.ngram import NGram
from tailwatch.recursion.learners.regression import LinearRegression

__all__ = [
    "Bootstrap",
    "Gaussian",
    "GaussianMixture",
    "KernelDensity",
    "LinearRegression",
    "Multinomial",
    "NGram",
]

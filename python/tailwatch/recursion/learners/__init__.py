"""Learners that reproduce the literature and meet the closed forms.

===============  ===================================================================================
``gaussian``     normal distributions, and mixtures of them
``resampling``   rows sampled again, as they are or blurred
``categories``   shares of categories, n-grams of documents
``regression``   least squares on labels of the model before
===============  ===================================================================================
"""

from __future__ import annotations

from tailwatch.recursion.learners.categories import Multinomial, NGram
from tailwatch.recursion.learners.gaussian import Gaussian, GaussianMixture
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

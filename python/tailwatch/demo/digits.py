"""Digits that people wrote, and a model that learns to draw them.

The data are scikit-learn's copy of the UCI handwritten digits (Alpaydin & Kaynak 1998): 1,797
pictures of 8 × 8 pixels in whole grey levels from 0 to 16. They come with the package, so nothing
is downloaded.

The model is a mixture of ten full-covariance Gaussians over the 64 pixels, one per digit. What it
draws is stored as the human pictures are: whole grey levels, none below 0 or above 16. Tails are
lost for both of the reasons that theory names: each generation learns from a finite sample, and a
Gaussian is not the shape of the data, so part of every bell lies outside the range of grey levels
and is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from tailwatch.recursion.learners.gaussian import GaussianMixture

if TYPE_CHECKING:
    from tailwatch.recursion.learners.gaussian import GaussianMixtureModel

__all__ = ["DrawingLearner", "Pictures", "human_halves"]

Pictures = NDArray[np.float64]

DIGITS = 10
WHITE, BLACK = 0.0, 16.0
# Pixels in the corners never change; this lets a Gaussian be fitted, and rounds away when it draws.
LEAST_VARIANCE = 1e-3


def human_halves(seed: int) -> tuple[Pictures, Pictures]:
    """Split the human pictures at random into two halves.

    Parameters
    ----------
    seed
        Seed of the split.

    Returns
    -------
    training, reference
        898 and 899 pictures of 64 pixels. No picture is in both: what a model is compared with, no
        model has seen.
    """
    pictures = load_digits().data
    order = np.random.default_rng([seed, 0]).permutation(len(pictures))
    middle = len(pictures) // 2
    return pictures[order[:middle]], pictures[order[middle:]]


class DrawingLearner:
    """Learns to draw from pictures: a learner for :func:`tailwatch.recursion.run`."""

    def fit(self, data: Pictures, *, rng: np.random.Generator) -> DrawingModel:
        """Fit the mixture to pictures."""
        mixture = GaussianMixture(DIGITS, least_variance=LEAST_VARIANCE)
        return DrawingModel(mixture.fit(data, rng=rng))


@dataclass(frozen=True, slots=True, eq=False)
class DrawingModel:
    """Draws pictures in whole grey levels.

    Attributes
    ----------
    mixture
        What was learnt.
    """

    mixture: GaussianMixtureModel

    def sample(self, size: int, *, rng: np.random.Generator) -> Pictures:
        """Draw pictures, in random order."""
        return np.clip(np.rint(self.mixture.sample(size, rng=rng)), WHITE, BLACK)

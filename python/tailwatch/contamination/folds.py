"""Folds by content: which of the probe's models may score a row.

The model of fold k was fitted without the rows of fold k. A row's fold is a hash of its values, so
whoever scores the row later, in whatever batch, comes to the same model: reference rows are scored
by a model that did not see them, copies of reference rows inside the target as well, and so is the
part of the target that a human-only probe was fitted on. The target's rows spread over the models
as the references did, so that both sides of a histogram are draws of the same score; one model for
the target and the held-out ones for the references would not be, and the estimate would inherit the
difference.

Whole human strata may go to a fold instead, so that near-duplicates within one do not flatter the
probe. All other rows then spread in the proportions of those folds. That is not the default: a
target's rows of a stratum that the reference has would be scored by models that have seen it, while
the reference's were not; and where the synthetic rows imitate the strata, a model without one of
them is shown its imitation alone, and takes the stratum itself for synthetic.

Cost: a multiplication and an addition for each value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HASHES", "even_bounds", "fold_bounds", "stratum_folds"]

HASHES = 2**32
"""Values of the hash; fold k takes those from ``bounds[k - 1]`` up to ``bounds[k]``."""


def even_bounds(folds: int) -> NDArray[np.uint64]:
    """Divide the hashes equally."""
    return fold_bounds(np.ones(folds, np.int64))


def fold_bounds(sizes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Divide the hashes in proportion to `sizes`."""
    upto, total = 0, int(sizes.sum())
    bounds = []
    for size in sizes.tolist():
        upto += size
        bounds.append(upto * HASHES // total)
    return np.array(bounds, np.uint64)


def stratum_folds(sizes: NDArray[np.int64], folds: int) -> NDArray[np.uint8]:
    """Deal strata to folds of about equal size: the largest first, each to the smallest fold."""
    filled = [0] * min(folds, len(sizes))
    chosen = np.zeros(len(sizes), np.uint8)
    for stratum in np.argsort(-sizes, kind="stable"):
        fold = filled.index(min(filled))
        chosen[stratum] = fold
        filled[fold] += int(sizes[stratum])
    return chosen

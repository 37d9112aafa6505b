"""The risk of an n-gram model: interpolation of Witten and Bell over states of every length.

p_0 = 1/(types + 2), one share for each type, for the end of a document, and for all that is
unknown; p_n(w | s) = (c(s, w) + T(s)·p_{n−1}(w))/(c(s) + T(s)), s being the last n − 1 tokens. A
state that the training set has not adds nothing. O(tokens · order) time and memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tailwatch.metrics.text.documents import Documents
    from tailwatch.recursion.learners.ngram import NGramModel

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["risk_of_documents"]


def risk_of_documents(model: NGramModel, documents: Documents) -> Floats:
    """Return −ln p of each document over its tokens and its end, in nats a token."""
    from tailwatch.recursion.learners.ngram import states_of, with_ends

    end = len(model.types)
    unknown = end + 1
    codes = (
        documents.tokens.cast(model.types.dtype)
        .to_frame("t")
        .join(
            model.types.to_frame("t").with_row_index("code"),
            on="t",
            how="left",
            maintain_order="left",
        )["code"]
    )
    numbers = codes.cast(pl.Int64).fill_null(unknown).to_numpy()
    asked = with_ends(numbers, documents.lengths, end)
    both = np.concatenate([model.stream, asked])
    known = len(model.stream)
    chance = np.full(len(asked), 1.0 / (end + 2))
    for order in range(1, model.order + 1):
        state = states_of(both, end, order)
        chance = _interpolated(state[:known], model.stream, state[known:], asked, chance)
    owners = np.repeat(np.arange(len(documents)), documents.lengths + 1)
    total = np.bincount(owners, weights=-np.log(chance))
    return total / (documents.lengths + 1)


def _interpolated(
    states: Integers, tokens: Integers, asked_states: Integers, asked: Integers, lower: Floats
) -> Floats:
    """Put one more token of context on top of the chances `lower`."""
    followed = pl.DataFrame({"s": states, "w": tokens}).group_by("s", "w").agg(pl.len().alias("c"))
    after = followed.group_by("s").agg(pl.col("c").sum().alias("all"), pl.len().alias("T"))
    found = (
        pl.DataFrame({"s": asked_states, "w": asked})
        .join(followed, on=["s", "w"], how="left", maintain_order="left")
        .join(after, on="s", how="left", maintain_order="left")
        .fill_null(0)
    )
    c, total, types = (found[name].to_numpy().astype(np.float64) for name in ("c", "all", "T"))
    # A state that is new has no counts, and stands back.
    new = total == 0
    return np.where(new, lower, (c + types * lower) / np.where(new, 1.0, total + types))

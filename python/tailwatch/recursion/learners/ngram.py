"""An n-gram model of documents, without smoothing where it samples.

A state is what the last n − 1 tokens were (fewer at the start of a document). Sampling goes from a
state to what followed one of its occurrences in the training set, each equally likely: that is the
maximum-likelihood model, in O(tokens) memory and a NumPy step per token of the longest document.

The risk needs shares of what was never seen. It is −ln p under the interpolation of Witten and Bell
(1991): p(w | s) = (c(s, w) + T(s)·p(w))/(c(s) + T(s)), where T counts the different tokens that
followed, and p(w) likewise backs off to one equal share for each type and one for all unknown ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer
from tailwatch.exceptions import InputError
from tailwatch.metrics.text.documents import as_documents
from tailwatch.recursion.bounds import MOST_ORDER
from tailwatch.writing import fill

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["NGram", "NGramModel", "states_of", "with_ends"]


@dataclass(frozen=True)
class NGram:
    """Learn which token follows the last ones, and write documents.

    Data are a Polars series of lists of tokens (strings or integers): each row is a document.

    Parameters
    ----------
    order
        Tokens of an n-gram: 1 draws tokens independently, 2 looks at the one before.
    longest
        Documents are cut after so many tokens.

    Examples
    --------
    >>> import numpy as np
    >>> import polars as pl
    >>> from tailwatch.recursion import NGram
    >>> rng = np.random.default_rng(0)
    >>> human = pl.Series([["the", "cat", "sat"], ["the", "dog", "sat"]])
    >>> model = NGram(2).fit(human, rng=rng)
    >>> sorted({" ".join(words) for words in model.sample(20, rng=rng)})
    ['the cat sat', 'the dog sat']
    """

    order: int
    longest: int = 10_000

    def __post_init__(self) -> None:
        integer(self.order, "order", most=MOST_ORDER)
        integer(self.longest, "longest")

    def fit(self, data: Any, *, rng: np.random.Generator) -> NGramModel:  # noqa: ANN401, ARG002
        """Note what followed what."""
        if not isinstance(data, pl.Series) or not isinstance(data.dtype, pl.List):
            what = data.dtype if isinstance(data, pl.Series) else type(data).__name__
            raise InputError(
                problem=f"NGram learns from a Polars series of lists of tokens, got {what}",
                argument="data",
            )
        documents = as_documents(data, "data")
        types = documents.tokens.unique().sort()
        codes = documents.tokens.to_frame("t").join(
            types.to_frame("t").with_row_index("code"), on="t", how="left", maintain_order="left"
        )["code"]
        return NGramModel(
            self.order,
            self.longest,
            types,
            with_ends(codes.cast(pl.Int64).to_numpy(), documents.lengths, len(types)),
            len(documents),
            data.dtype,
        )


@dataclass(frozen=True, eq=False)
class NGramModel:
    """What followed what in the training set.

    Attributes
    ----------
    order, longest
        As :class:`NGram` has them.
    types
        The tokens there are, in ascending order.
    stream
        Numbers of the tokens of all documents, each with the number ``len(types)`` as its end.
    documents
        How many there are.
    dtype
        Type of a series of documents.
    """

    order: int
    longest: int
    types: pl.Series
    stream: Integers
    documents: int
    dtype: Any

    @cached_property
    def _states(self) -> Integers:
        """State before each token of the stream; 0 is the start of a document."""
        return states_of(self.stream, len(self.types), self.order)

    @cached_property
    def _occurrences(self) -> tuple[Integers, Integers]:
        """Places of the stream by state, and where each state begins among them."""
        places = np.argsort(self._states, kind="stable")
        counts = np.bincount(self._states)
        return places, np.concatenate([[0], np.cumsum(counts)])

    def sample(self, size: int, *, rng: np.random.Generator) -> pl.Series:
        """Write documents; all of them grow by a token in each step."""
        places, starts = self._occurrences
        end = len(self.types)
        state = np.zeros(size, dtype=np.int64)
        alive = np.arange(size)
        owners, tokens = [], []
        for _ in range(self.longest):
            chosen = starts[state] + rng.integers(starts[state + 1] - starts[state])
            place = places[chosen]
            goes_on = self.stream[place] != end
            alive, place = alive[goes_on], place[goes_on]
            if not len(alive):
                break
            owners.append(alive)
            tokens.append(self.stream[place])
            state = self._states[place + 1]
        return self._series(owners, tokens, size)

    def _series(self, owned: list[Integers], grown: list[Integers], size: int) -> pl.Series:
        none = np.empty(0, dtype=np.int64)
        owners, tokens = np.concatenate([none, *owned]), np.concatenate([none, *grown])
        order = np.argsort(owners, kind="stable")
        written = pl.DataFrame({"owner": owners[order], "token": self.types[tokens[order]]})
        lists = written.group_by("owner", maintain_order=True).agg("token")
        everyone = pl.DataFrame({"owner": np.arange(size)})
        found = everyone.join(lists, on="owner", how="left", maintain_order="left")["token"]
        return found.fill_null([]).cast(self.dtype)

    def parameters(self) -> dict[str, float]:
        """Return the number of types and of states, and the mean length of documents."""
        return {
            "types": float(len(self.types)),
            "states": float(self._states.max() + 1),
            "mean_length": (len(self.stream) - self.documents) / self.documents,
        }

    def risk(self, data: Any) -> NDArray[np.float64]:  # noqa: ANN401
        """Return −ln p of each document over its tokens and its end, in nats a token."""
        from tailwatch.recursion.learners.witten_bell import risk_of_documents

        return risk_of_documents(self, as_documents(data, "data"))

    def save(self, directory: Path) -> None:
        """Write the types, and the stream of their numbers."""
        fill(directory / "types.parquet", self.types.alias("type").to_frame().write_parquet)
        np.save(directory / "stream.npy", self.stream)


def with_ends(codes: Integers, lengths: Integers, end: int) -> Integers:
    """Put the number `end` after each document."""
    stream = np.full(len(codes) + len(lengths), end, dtype=np.int64)
    stream[np.arange(len(codes)) + np.repeat(np.arange(len(lengths)), lengths)] = codes
    return stream


def states_of(stream: Integers, end: int, order: int) -> Integers:
    """Give each token the number of the state before it: what the last order − 1 tokens were."""
    first = np.concatenate([[True], stream[:-1] == end])
    state = np.zeros(len(stream), dtype=np.int64)
    for _ in range(order - 1):
        # A state of n tokens is one of n − 1 tokens a token earlier, and that token.
        grown = np.zeros_like(state)
        grown[1:] = 1 + state[:-1] * (end + 2) + stream[:-1]
        grown[first] = 0
        state = np.unique(grown, return_inverse=True)[1].astype(np.int64)
    return state

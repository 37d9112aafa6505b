"""Learners of categories: shares of types, and n-grams of tokens.

**Shares.** The learner that forgets rare types one by one, and never finds them again. In
population genetics this is the model of Wright and Fisher: drift without selection.

**N-grams.** A state is what the last n − 1 tokens were (fewer at the start of a document). Sampling
goes from a state to what followed one of its occurrences in the training set, each equally likely:
that is the maximum-likelihood model, in O(tokens) memory and a NumPy step per token of the longest
document.

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
from tailwatch.writing import fill

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tailwatch.metrics.text.documents import Documents

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

    from numpy.typing import NDArray

__all__ = ["Multinomial", "MultinomialModel", "NGram", "NGramModel"]

MOST_ORDER = 64
"""Each token is counted after so many lengths of what came before it."""


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
                argument="data",
                expected="a Polars series of lists of tokens for NGram",
                got=f"{what}",
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
            _with_ends(codes.cast(pl.Int64).to_numpy(), documents.lengths, len(types)),
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
        return _states_of(self.stream, len(self.types), self.order)

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
        return _risk_of_documents(self, as_documents(data, "data"))

    def save(self, directory: Path) -> None:
        """Write the types, and the stream of their numbers."""
        fill(directory / "types.parquet", self.types.alias("type").to_frame().write_parquet)
        np.save(directory / "stream.npy", self.stream)


def _with_ends(codes: Integers, lengths: Integers, end: int) -> Integers:
    """Put the number `end` after each document."""
    stream = np.full(len(codes) + len(lengths), end, dtype=np.int64)
    stream[np.arange(len(codes)) + np.repeat(np.arange(len(lengths)), lengths)] = codes
    return stream


def _states_of(stream: Integers, end: int, order: int) -> Integers:
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


def _risk_of_documents(model: NGramModel, documents: Documents) -> Floats:
    """Return −ln p of each document over its tokens and its end, in nats a token.

    p_0 = 1/(types + 2), one share for each type, for the end of a document, and for all that is
    unknown; p_n(w | s) = (c(s, w) + T(s)·p_{n−1}(w))/(c(s) + T(s)), s being the last n − 1 tokens.
    A state that the training set has not adds nothing. O(tokens · order) time and memory.
    """
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
    asked = _with_ends(numbers, documents.lengths, end)
    both = np.concatenate([model.stream, asked])
    known = len(model.stream)
    chance = np.full(len(asked), 1.0 / (end + 2))
    for order in range(1, model.order + 1):
        state = _states_of(both, end, order)
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


@dataclass(frozen=True)
class Multinomial:
    """Learn the share of each category, and sample categories independently.

    Data are a one-dimensional array, or a Polars series, of integers, strings or categories.

    Examples
    --------
    >>> import numpy as np
    >>> from tailwatch.recursion import Multinomial
    >>> rng = np.random.default_rng(0)
    >>> model = Multinomial().fit(np.array(["cat", "dog", "cat", "cat"]), rng=rng)
    >>> model.shares.tolist()
    [0.75, 0.25]
    """

    def fit(self, data: Any, *, rng: np.random.Generator) -> MultinomialModel:  # noqa: ANN401, ARG002
        """Count categories."""
        if not isinstance(data, np.ndarray | pl.Series) or len(data.shape) != 1 or not len(data):
            raise InputError(
                argument="data",
                expected="a one-dimensional array or a series of at least one row for Multinomial",
                got=_form(data),
            )
        if isinstance(data, np.ndarray):
            types, counts = np.unique(data, return_counts=True)
            return MultinomialModel(types, counts)
        table = data.alias("type").value_counts(name="count").sort("type")
        return MultinomialModel(table["type"], table["count"].to_numpy())


def _form(data: object) -> str:
    """Name what was given, for an error."""
    if isinstance(data, np.ndarray):
        return f"an array of shape {data.shape}"
    return "an empty series" if isinstance(data, pl.Series) else type(data).__name__


@dataclass(frozen=True, eq=False)
class MultinomialModel:
    """Shares of categories.

    Attributes
    ----------
    types
        The categories, in ascending order.
    counts
        Rows of each in the training set.
    """

    types: Any
    counts: NDArray[np.int64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each category."""
        shares: NDArray[np.float64] = self.counts / self.counts.sum()
        return shares

    def sample(self, size: int, *, rng: np.random.Generator) -> Any:  # noqa: ANN401
        """Draw categories, as the training set holds them."""
        drawn = rng.choice(len(self.counts), size, p=self.shares)
        return self.types[drawn]

    def parameters(self) -> dict[str, float]:
        """Return the number of types, 1 − Σp² (Gini–Simpson) and −Σp ln p (nats)."""
        p = self.shares
        return {
            "types": float(len(p)),
            "gini_simpson": float(1 - p @ p),
            "entropy": float(-p @ np.log(p)),
        }

    def risk(self, data: Any) -> NDArray[np.float64]:  # noqa: ANN401
        """Return −ln p of each row, in nats; infinite for categories that the model has not."""
        known = pl.DataFrame({"type": self.types, "risk": -np.log(self.shares)})
        rows = pl.DataFrame({"type": data})
        found = rows.join(known, on="type", how="left", maintain_order="left")["risk"]
        risks: NDArray[np.float64] = found.fill_null(float("inf")).to_numpy()
        return risks

    def save(self, directory: Path) -> None:
        """Write types and counts."""
        table = pl.DataFrame({"type": self.types, "count": self.counts})
        fill(directory / "counts.parquet", table.write_parquet)

"""What a policy composes from: human rows and the samples of each generation, with their origin.

Rows stay where they are until a training set is joined, so that a policy which takes a tenth of a
pool reads a tenth of it, and the loop can say how much of a training set is human.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tailwatch.recursion.data.kind import Data

__all__ = ["HUMAN", "Fit", "History", "Portion", "Samples", "join"]

HUMAN = 0
"""Origin of human rows; that of samples is the number of their generation, from 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Rows of one origin, read when they are needed.

    Attributes
    ----------
    source
        Gives the data that the rows are of.
    origin
        0 for human rows, otherwise the generation that sampled them.
    indices
        Numbers of the rows within the source, in the order in which they are handed over.
    """

    source: Callable[[], Data]
    origin: int
    indices: NDArray[np.int64]

    @classmethod
    def of(cls, data: Data, *, origin: int = HUMAN) -> Portion:
        """Return all rows of `data`."""
        return cls(lambda: data, origin, np.arange(rows_of.length(data)))

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, indices: NDArray[np.integer] | Sequence[int]) -> Portion:
        """Return some of the rows, in this order."""
        return Portion(self.source, self.origin, self.indices[np.asarray(indices, np.int64)])

    def read(self) -> Data:
        """Return the rows themselves."""
        data = self.source()
        whole = len(self.indices) == rows_of.length(data) and np.array_equal(
            self.indices, np.arange(len(self.indices))
        )
        return data if whole else rows_of.take(data, self.indices)


def join(portions: Sequence[Portion]) -> Data:
    """Return the rows of all portions, in their order."""
    filled = [portion for portion in portions if len(portion)]
    read = [portion.read() for portion in filled]
    return read[0] if len(read) == 1 else rows_of.concat(read)


class Samples(Sequence[Portion]):
    """The samples of generations 1, 2, …; ``samples[-1]`` are the latest.

    Parameters
    ----------
    portions
        One per generation.
    keep
        Says for each row of a sample whether it may be used, if not all may.
    kept
        Remembers what `keep` has said.
    """

    def __init__(
        self,
        portions: Sequence[Portion],
        keep: Callable[[Data], NDArray[np.bool_]] | None = None,
        kept: dict[int, NDArray[np.int64]] | None = None,
    ) -> None:
        self._portions, self._keep = portions, keep
        self._kept = {} if kept is None else kept

    def __len__(self) -> int:
        return len(self._portions)

    @overload
    def __getitem__(self, index: int) -> Portion: ...
    @overload
    def __getitem__(self, index: slice) -> list[Portion]: ...
    def __getitem__(self, index: int | slice) -> Portion | list[Portion]:
        """Return the samples of a generation, or of several; index 0 is generation 1."""
        if isinstance(index, slice):
            return [self._filtered(portion) for portion in self._portions[index]]
        return self._filtered(self._portions[index])

    def _filtered(self, portion: Portion) -> Portion:
        if self._keep is None:
            return portion
        if portion.origin not in self._kept:
            self._kept[portion.origin] = np.flatnonzero(self._keep(portion.read()))
        return portion.take(self._kept[portion.origin])


@dataclass(frozen=True, eq=False)
class History:
    """All there is to compose the next training set from.

    Attributes
    ----------
    human
        The human training data.
    samples
        The samples of each generation so far.
    size
        Rows that each generation samples.
    seed
        Of the run.
    masks
        What filters have said of the samples, by filter and generation.
    """

    human: Portion
    samples: Samples
    size: int
    seed: int
    masks: dict[object, dict[int, NDArray[np.int64]]] = field(default_factory=dict)

    @property
    def generation(self) -> int:
        """The generation that is going to be fit."""
        return len(self.samples) + 1

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Numbers of the human rows in a random order, the same for the whole run."""
        return generator(self.seed, 0, "order").permutation(len(self.human))

    def human_rows(self, start: int, stop: int) -> Portion:
        """Return the human rows from `start` to `stop` of the run's random order."""
        return self.human.take(np.sort(self.order[start:stop]))

    def filtered(self, key: object, keep: Callable[[Data], NDArray[np.bool_]]) -> History:
        """Return the same history with the samples that `keep` lets pass."""
        kept = self.masks.setdefault(key, {})
        # A copy, so that an order that was drawn is not drawn again.
        other = copy(self)
        object.__setattr__(other, "samples", Samples(self.samples, keep, kept))
        return other

    def require(self, portions: Any) -> list[Portion]:  # noqa: ANN401  (a user's policy gave it)
        """Check what a policy composed."""
        if not isinstance(portions, Sequence) or not all(
            isinstance(portion, Portion) for portion in portions
        ):
            raise InputError(
                argument="policy.compose",
                expected="a list of history.human, history.samples[…] or what their take() gives",
                got=type(portions).__name__,
            )
        if not sum(map(len, portions)):
            raise InputError(
                argument="policy",
                expected="rows to learn from",
                got="none",
                where=f"generation {self.generation}",
            )
        return list(portions)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A generation that waits to be measured.

    Attributes
    ----------
    model, samples
        What it learnt, and what it sampled.
    training, portions
        What it learnt from, and where that came from.
    """

    model: Any
    samples: Data
    training: Data
    portions: Sequence[Portion]

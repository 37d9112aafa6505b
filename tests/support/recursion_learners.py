"""Learners that tests of the loop bring."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Opaque: TypeAlias = Any
"""What the loop does not look into."""

__all__ = ["Folder", "Fresh", "Opaque", "Restless", "Tagging", "tagged"]


def tagged(origin: int, rows: int) -> NDArray[np.int64]:
    """Rows [origin, number]."""
    return np.column_stack([np.full(rows, origin), np.arange(rows)])


class Tagging:
    """Samples rows that say which generation they are of, and keeps what it was given."""

    def __init__(self) -> None:
        self._seen: list[Any] = []
        self._calls: list[str] = []

    def fit(self, data: Opaque, *, rng: np.random.Generator) -> Tagging:
        self._seen.append(data)
        self._calls.append("fit")
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
        self._calls.append("sample")
        return tagged(len(self._seen), size)


class Restless:
    """Draws from everything there is to draw from: ten lines of a user's own."""

    def fit(self, data: NDArray[np.float64], *, rng: np.random.Generator) -> Restless:
        chosen = np.random.permutation(len(data))[: len(data) // 2]  # noqa: NPY002
        self._rows = data[chosen] + random.gauss(0, 1e-3)
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        own = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
        picked = self._rows[own.integers(len(self._rows), size=size)]
        return picked + rng.normal(scale=0.1, size=picked.shape) + random.random()


class Fresh:
    """No learner at all: fresh human rows each time."""

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def fit(self, data: Opaque, *, rng: np.random.Generator) -> Fresh:
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.normal(size=(size, self.columns))


class Folder:
    """Rows that live in files of their own: a data set that is no array."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: NDArray[np.int64]) -> Self:
        return type(self)([self.names[index] for index in indices])

    def concat(self, others: Sequence[Self]) -> Self:
        return type(self)([*self.names, *(name for other in others for name in other.names)])

    def save(self, directory: Path) -> None:
        (directory / "names.txt").write_text("\n".join(self.names), encoding="utf-8")

    @classmethod
    def load(cls, directory: Path) -> Self:
        return cls((directory / "names.txt").read_text(encoding="utf-8").split("\n"))

    def fingerprint(self) -> str:
        return "|".join(self.names)

"""A language model of words that is small enough to read: each word depends on the two before it.

The next word is drawn from those that followed the last two words, or, with the probability that
Witten and Bell (1991) give to what was not seen, from those that followed the last one, or from all
words. All documents are written at once, a word at a time, so that a million words take a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["WordModel"]

ORDER = 3


@dataclass(frozen=True, slots=True)
class Followers:
    """The words that followed each context, one after the other in `words`."""

    contexts: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]
    trust: NDArray[np.float64]
    words: NDArray[np.int64]

    @classmethod
    def of(cls, contexts: NDArray[np.int64], words: NDArray[np.int64]) -> Followers:
        """Sort the words by what came before them."""
        order = np.lexsort([words, contexts])
        contexts, words = contexts[order], words[order]
        known, start, count = np.unique(contexts, return_index=True, return_counts=True)
        fresh = np.diff(contexts, prepend=-1).astype(bool) | np.diff(words, prepend=-1).astype(bool)
        types = np.add.reduceat(fresh, start, dtype=np.int64)
        return cls(known, start, count, count / (count + types), words)

    def draw(
        self, contexts: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Draw a word for each context, and say how far it is to be trusted: 0 where unknown."""
        place = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        chosen = self.start[place] + rng.integers(self.count[place])
        known = self.contexts[place] == contexts
        return self.words[chosen], np.where(known, self.trust[place], 0.0)


class WordModel:
    """Learns from documents and writes others.

    Parameters
    ----------
    documents
        Words of each.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        start = [""] * (ORDER - 1)
        stream = [word for document in documents for word in (*start, *document)]
        names, words = np.unique(np.array(stream, dtype=object), return_inverse=True)
        self.names = names.astype(str)
        # The empty word, which sorts first, is 0 and stands before a document; none ends in it.
        first, second, third = words[:-2], words[1:-1], words[2:]
        inside = third > 0
        pairs = (first * len(names) + second)[inside]
        singles = second[inside]
        self.levels = [
            Followers.of(contexts, third[inside]) for contexts in (pairs, singles, 0 * singles)
        ]

    def write(self, lengths: NDArray[np.int64], rng: np.random.Generator) -> list[list[str]]:
        """Write a document of each length."""
        text = np.zeros((int(lengths.max()), len(lengths)), np.int64)
        first = second = np.zeros(len(lengths), np.int64)
        for row in text:
            contexts = (first * len(self.names) + second, second, 0 * second)
            row[:] = -1
            for level, context in zip(self.levels, contexts, strict=True):
                words, trust = level.draw(context, rng)
                last = level is self.levels[-1]
                taken = (row < 0) & (last | (rng.random(len(row)) < trust))
                row[taken] = words[taken]
            first, second = second, row
        return [
            self.names[column[:length]].tolist()
            for column, length in zip(text.T, lengths, strict=True)
        ]

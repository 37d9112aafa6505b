"""The panel of a generation: its samples against human data, by the kind of the data.

=============================================  =================================================
data                                           panel
=============================================  =================================================
what the model's ``embed`` gives; numbers of   :mod:`~tailwatch.recursion.measure.vectors`, that
one or two axes; a column of vectors, or one   of :func:`tailwatch.compare`, and rows between modes
of that name
integers or strings of one axis                :mod:`~tailwatch.recursion.measure.categories`
lists of tokens                                :mod:`~tailwatch.recursion.measure.categories`
anything else                                  none: what the model measures itself
=============================================  =================================================

To this :mod:`~tailwatch.recursion.measure.measurement` adds what ``model`` measures (risks, copies
of the training set), the model's parameters and what it measures itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.recursion import data as rows_of
from tailwatch.recursion.measure.categories import are_documents, compare_categories, compare_tokens
from tailwatch.recursion.measure.vectors import HumanVectors, are_same, as_vectors

if TYPE_CHECKING:
    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["HumanComparison", "are_same", "as_vectors"]


class HumanComparison:
    """Compares samples with human data; what it makes of human vectors it keeps.

    Parameters
    ----------
    request
        What is computed.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._human: HumanVectors | None = None

    def rows(self, reference: Data, samples: Data, settings: Settings) -> list[Row]:
        """Compare samples with human data of the same kind."""
        if rows_of.is_categorical(reference):
            return compare_categories(reference, samples, self._request)
        if are_documents(reference):
            return compare_tokens(reference, samples, self._request)
        x, y = as_vectors(reference), as_vectors(samples)
        if x is None or y is None:
            return []
        # A model that embeds may do so in its own way in each generation.
        if self._human is None or not are_same(self._human.vectors, x):
            self._human = HumanVectors(x, self._request)
        return self._human.rows(y, settings)

"""The panel of a generation: its samples against human data, by the kind of the data.

=============================================  =================================================
data                                           panel
=============================================  =================================================
what the model's ``embed`` gives; numbers of   :mod:`~tailwatch.recursion.panels.vectors`, that of
one or two axes; a column of vectors, or one   :func:`tailwatch.compare`
of that name
integers or strings of one axis                :mod:`~tailwatch.recursion.panels.categories`
lists of tokens                                :mod:`~tailwatch.recursion.panels.documents`
anything else                                  none: what the model measures itself
=============================================  =================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.recursion import data as rows_of
from tailwatch.recursion.panels.categories import compare_categories
from tailwatch.recursion.panels.documents import are_documents, compare_tokens
from tailwatch.recursion.panels.vectors import as_vectors, compare_vectors

if TYPE_CHECKING:
    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings
    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.frame import Row

__all__ = ["as_vectors", "panel_of"]


def panel_of(reference: Data, samples: Data, request: Request, settings: Settings) -> list[Row]:
    """Compare samples with human data of the same kind."""
    if rows_of.is_categorical(reference):
        return compare_categories(reference, samples, request)
    if are_documents(reference):
        return compare_tokens(reference, samples, request)
    x, y = as_vectors(reference), as_vectors(samples)
    if x is None or y is None:
        return []
    return compare_vectors(x, y, request, settings)

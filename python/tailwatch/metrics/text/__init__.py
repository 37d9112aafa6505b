"""Metrics of text: documents of tokens, at equal numbers of them.

Documents are lists of tokens (a Series of List, a list of lists; tokens are words, subwords or
numbers of either), or texts together with a tokenizer. :func:`token_counts` gives what
:mod:`tailwatch.metrics.categorical` takes, and :func:`sample_documents` as many tokens as asked
for, in whole documents. :func:`compare_documents` puts all of it beside held-out human documents,
with intervals.

==============  ====================================================================
``documents``   what counts as documents; n-grams, their counts; equal numbers of tokens
``types``       different n-grams: distinct-n, which survive, Zipf's law
``repetition``  self-repetition, and its sampling variance
``groups``      sets of documents at one number of tokens, dealt into groups
``comparison``  all of it beside held-out documents, with intervals
==============  ====================================================================
"""

from __future__ import annotations

from tailwatch.metrics.text.comparison import compare_documents
from tailwatch.metrics.text.documents import (
    DocumentsLike,
    Tokenizer,
    sample_documents,
    token_counts,
)
from tailwatch.metrics.text.repetition import self_repetition
from tailwatch.metrics.text.types import (
    distinct_n_per_document,
    distinct_n_pooled,
    type_coverage,
    zipf_exponent,
)

__all__ = [
    "DocumentsLike",
    "Tokenizer",
    "compare_documents",
    "distinct_n_per_document",
    "distinct_n_pooled",
    "sample_documents",
    "self_repetition",
    "token_counts",
    "type_coverage",
    "zipf_exponent",
]

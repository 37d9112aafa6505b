"""Labels and tokens that UTF-8 cannot hold are refused by their number, in any form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import contamination
from tailwatch.exceptions import InputError
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.random.default_rng(0).normal(size=(40, 3))
LABELS = ["a", "b"] * 20
BAD = [*LABELS[:7], "c\ud800", *LABELS[8:]]


@pytest.mark.parametrize(
    "form", [list, np.array, lambda labels: np.array(labels, dtype=object)], ids=["l", "U", "O"]
)
@pytest.mark.parametrize(
    "call",
    [
        lambda bad: tw.compare(X, X, per=(bad, LABELS)),
        lambda bad: tw.metrics.categorical.total_variation(bad, LABELS),
        lambda bad: contamination.fit(X, X + 1, strata=bad),
    ],
    ids=["per", "categories", "strata"],
)
def test_a_label_that_is_no_text_is_refused_by_its_row(
    call: Callable[[Any], object], form: Callable[[list[str]], Any]
) -> None:
    expected, got = "text that UTF-8 can hold", "…'c\\ud800'…"
    with refused(InputError, expected=expected, got=got, where="row 7") as caught:
        call(form(BAD))
    assert caught.value.where == "row 7"
    assert caught.value.hint is not None
    str(caught.value).encode()


def test_counts_and_tokens_are_refused_by_theirs() -> None:
    counted = np.array(["a", "\udcff"], dtype=object), np.array([3, 4])
    with refused(InputError, "reference", "text that UTF-8 can hold", "'\\udcff'", "row 1"):
        tw.metrics.categorical.total_variation(counted, LABELS)
    with refused(
        InputError, "documents: document 1", "text that UTF-8 can hold", "'\\ud800'", "token 1"
    ):
        tw.metrics.text.distinct_n_pooled([["a"], ["b", "\ud800"]], n=1)

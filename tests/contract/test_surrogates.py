"""Labels and tokens that UTF-8 cannot hold are refused by their number, in any form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import contamination
from tailwatch.exceptions import InputError

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
    with pytest.raises(InputError, match=r"row 7 holds .*a surrogate stands alone") as caught:
        call(form(BAD))
    assert caught.value.where == "row 7"
    assert caught.value.hint is not None
    str(caught.value).encode()


def test_counts_and_tokens_are_refused_by_theirs() -> None:
    counted = np.array(["a", "\udcff"], dtype=object), np.array([3, 4])
    with pytest.raises(InputError, match=r"reference: row 1 holds"):
        tw.metrics.categorical.total_variation(counted, LABELS)
    with pytest.raises(InputError, match=r"document 1: token 1 holds"):
        tw.metrics.text.distinct_n_pooled([["a"], ["b", "\ud800"]], n=1)

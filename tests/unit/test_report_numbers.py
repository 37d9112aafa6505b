"""Numbers as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.report.words import (
    Number,
    count,
    counted,
    in_sentence,
    write,
    written_q,
    written_share,
    written_shares,
)

numbers = st.none() | st.floats()


@pytest.mark.parametrize(
    ("estimate", "places", "value", "interval"),
    [
        (Number(0.0703, 0.041, 0.118), 2, "0.07", "[0.04, 0.12]"),
        (Number(0.9, 0.871, 0.93), 3, "0.900", "[0.871, 0.930]"),
        (Number(64.1, 63.2, 65.1), 3, "64.10", "[63.20, 65.10]"),
        (Number(0.00214, 0.00197, 0.00231), 3, "0.00214", "[0.00197, 0.00231]"),
        (Number(-2.1e-6, -1.2e-5, 8.1e-6), 3, "−0.21 × 10⁻⁵", "[−1.20, 0.81] × 10⁻⁵"),
        (Number(3.2e7), 3, "3.20 × 10⁷", None),
        (Number(12_345.6), 3, "12\u202f346", None),
        (Number(0.0, 0.0, 0.31), 2, "0", "[0, 0.31]"),
        (Number(0.0, 0.0, 0.00665), 3, "0", "[0, 0.00665]"),
        (Number(0.0, 0.0, 1.2e-5), 3, "0", "[0, 1.20] × 10⁻⁵"),
        (Number(0.0, 0.0, 0.034), 2, "0", "[0, 0.034]"),
        (Number(0.0094, 0.004, 0.0124), 2, "0.009", "[0.004, 0.012]"),
        (Number(-0.0001, -0.4, 0.4), 2, "0.00", "[−0.40, 0.40]"),
        (Number(2.0, 0.5, math.inf), 2, "2.00", "[0.50, ∞]"),
        (Number(math.nan, math.nan, 1.0), 2, "undefined", None),
        (Number(None), 2, "–", None),
    ],
)
def test_all_three_numbers_share_their_places(
    estimate: Number, places: int, value: str, interval: str | None
) -> None:
    written = write(estimate, places=places)

    assert (written.value, written.interval) == (value, interval)


def test_a_sign_marks_the_value_alone() -> None:
    written = write(Number(46.2, 41.0, 52.3), places=1, signed=True)

    assert written.value == "+46"
    assert written.interval == "[41, 52]"


@given(numbers, numbers, numbers, st.integers(1, 4))
def test_any_float_can_be_written(
    value: float | None, low: float | None, high: float | None, places: int
) -> None:
    written = write(Number(value, low, high), places=places)

    assert "nan" not in f"{written.value} {written.interval}"
    assert "inf" not in f"{written.value} {written.interval}"
    assert "e" not in written.value.replace("undefined", "")
    complete = all(end is not None and not math.isnan(end) for end in (low, high))
    assert (written.interval is not None) == complete


@given(st.floats(1e-3, 999_999))
def test_at_least_three_digits_survive(value: float) -> None:
    text = write(Number(value)).value.replace("\u202f", "")

    # From 0.01 to 10 three places are kept, which for 0.01 leaves two digits.
    assert float(text) == pytest.approx(value, rel=0.05, abs=5e-4 if value >= 0.01 else 5e-6)


def test_thousands_stand_apart() -> None:
    assert count(1_234_567) == "1\u202f234\u202f567"


@pytest.mark.parametrize(
    ("estimate", "value", "interval"),
    [
        (Number(0.0718, 0.0, 0.2064), "7.2 %", "[0 %, 20.6 %]"),
        (Number(0.0718, 0.0502, 0.0961), "7.18 %", "[5.02 %, 9.61 %]"),
        (Number(-0.0031, -0.02, 0.01), "−0.31 %", "[−2.00 %, 1.00 %]"),
        (Number(1.2e-5, 0.0, 3.4e-5), "0.0012 %", "[0 %, 0.0034 %]"),
        (Number(1.0, 0.996, 1.0), "100.0 %", "[99.6 %, 100.0 %]"),
        (Number(0.25, None, 0.5), "25.0 %", None),
        (Number(None), "–", None),
    ],
)
def test_shares_of_one_interval_have_as_many_places(
    estimate: Number, value: str, interval: str | None
) -> None:
    written = written_shares(estimate)

    spaced = (text and text.replace("\u202f", " ") for text in (written.value, written.interval))
    assert tuple(spaced) == (value, interval)
    assert written_share(0.0) == "0\u202f%"


def test_small_q_values_are_bounds() -> None:
    said = [written_q(q) for q in (None, 0.0, 9e-5, 0.00068, 0.046, 0.591, 1.0)]

    assert said == ["–", "< 0.0001", "< 0.0001", "0.00068", "0.046", "0.59", "1.00"]


def test_one_of_a_thing_is_singular() -> None:
    said = [counted(1, "row"), counted(1000, "row"), counted(1, "class", "classes")]

    assert [*said, counted(2, "class", "classes")] == [
        "1 row",
        "1\u202f000 rows",
        "1 class",
        "2 classes",
    ]


def test_names_of_people_keep_their_capital() -> None:
    names = ("Total variance", "Gini–Simpson diversity", "MMD², Gaussian", "Sliced Wasserstein")

    assert [in_sentence(name) for name in names] == [
        "total variance",
        "Gini–Simpson diversity",
        "MMD², Gaussian",
        "sliced Wasserstein",
    ]

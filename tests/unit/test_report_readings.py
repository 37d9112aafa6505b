"""From the frame to readings."""

from __future__ import annotations

import math

import pytest

from tailwatch.comparison.registry import LABELS
from tailwatch.comparison.request import PANELS
from tailwatch.report.comparison.readings import Reading, panel_table, read, to_draw
from tailwatch.report.words import Label, Number, describe
from tests.support.report_sample import METRICS, frame, records


def reading(metric: str, level: float | None = None, **changes: float | str | None) -> Reading:
    rows = [row for row in records([metric]) if row["level"] == level]
    return read(frame([{**rows[0], **changes}]), LABELS)[0]


def test_the_sample_is_of_the_standard_panel() -> None:
    assert set(METRICS) == set(PANELS["standard"])


def test_a_metric_without_words_is_called_by_its_name() -> None:
    assert describe("median_gap", LABELS).name == "Median gap"


def test_a_reading_has_the_label_that_was_handed() -> None:
    mine = Label("Mine", "spread", "rows", "Of my own.")
    (found,) = read(frame(records(["recall"])), {"recall": mine})
    assert found.label == mine
    assert found.name == "Mine"


def test_the_value_on_all_rows_is_in_the_reading() -> None:
    readings = read(frame(), LABELS)

    assert len(readings) == len(records())
    whole = {(r.metric, r.level): r.all_rows.value for r in readings}
    assert whole["tail_mass", 0.05] == 0.071
    assert whole["total_variance", None] == 40.95


def test_odds_are_drawn_as_the_sentence_has_them_on_all_rows() -> None:
    odds = reading("tail_odds_ratio", 0.05, value_all=0.7, low_all=0.5, high_all=0.9)
    recall = reading("recall")

    drawn, other = to_draw([odds, recall])
    assert drawn.retention == Number(0.7, 0.5, 0.9)
    assert drawn.null_band is None
    assert drawn.status == "worse"
    assert other == recall


def test_the_table_has_the_interval_of_all_rows_where_there_is_one() -> None:
    odds = reading("tail_odds_ratio", 0.05, value_all=0.7, low_all=0.5, high_all=0.9)
    table = panel_table([odds, reading("recall", value_all=0.6)], "95 %")

    assert '0.700<span class="tw-small">[0.500, 0.900]</span>' in table
    assert 'tw-full">0.600</td>' in table


@pytest.mark.parametrize(
    ("value", "method", "reason", "how"),
    [
        (0.5, "half-sampling", None, "half-sampling"),
        (0.5, None, "nobody knows one", "no interval: nobody knows one"),
        (None, None, "it overflows", "no value: it overflows"),
    ],
)
def test_a_reading_says_how_its_interval_was_made_or_why_not(
    value: float | None, method: str | None, reason: str | None, how: str
) -> None:
    assert reading("recall", value=value, method=method, reason=reason).how == how


@pytest.mark.parametrize(
    ("metric", "low", "high", "status"),
    [
        ("recall", 0.4, 0.9, "worse"),
        ("recall", 0.9, 1.1, "same"),
        ("recall", 1.1, 1.3, "beyond"),
        ("recall", None, None, "unknown"),
        ("recall", math.nan, 1.1, "unknown"),
        ("energy_distance", 4.0, 8.0, "worse"),
        ("energy_distance", -1.0, 2.0, "same"),
        ("energy_distance", -8.0, -4.0, "beyond"),
    ],
)
def test_the_status_is_read_from_the_interval(
    metric: str, low: float | None, high: float | None, status: str
) -> None:
    assert reading(metric, retention_low=low, retention_high=high).status == status


def test_the_null_band_of_a_ratio_is_its_interval_over_the_null() -> None:
    band = reading("recall", null=0.8, null_low=0.6, null_high=0.9).null_band

    assert band == pytest.approx((0.75, 1.125))


def test_the_null_band_of_a_divergence_counts_standard_errors() -> None:
    changes = {"standard_error": 0.5, "null": 1.0, "null_low": 0.0, "null_high": 2.5}

    assert reading("energy_distance", **changes).null_band == pytest.approx((-2.0, 3.0))


@pytest.mark.parametrize(
    ("metric", "changes"),
    [
        ("recall", {"null": None}),
        ("recall", {"null": 0.0}),
        ("recall", {"null_low": math.nan}),
        ("recall", {"null_high": math.inf}),
        ("energy_distance", {"standard_error": 0.0}),
        ("energy_distance", {"standard_error": None}),
    ],
)
def test_a_null_band_that_cannot_be_placed_is_left_out(
    metric: str, changes: dict[str, float | None]
) -> None:
    assert reading(metric, **changes).null_band is None

"""Shares of groups: counts, p-values that agree with the intervals, order, labels, the chart."""

from __future__ import annotations

import datetime as dt
import functools
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch import contamination
from tailwatch.contamination.groups import GroupCounts, estimate_groups
from tailwatch.exceptions import InputError, SourceError
from tailwatch.report.contamination.charts import group_chart, in_chart_order
from tests.support.datasets import COLUMNS, SHIFT, model, rows, table
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.recursion_learners import Opaque

MONTHS = np.repeat(["2024-01", "2024-02", "2024-03"], 400)
TARGET = np.concatenate([rows(400, 11, 0.0), rows(400, 12, 0.01), rows(400, 13, 0.4)])


@functools.cache
def stratified() -> contamination.ContaminationModel:
    rng = np.random.default_rng(5)
    human, synthetic = rng.normal(size=(2000, COLUMNS)), SHIFT + rng.normal(size=(2000, COLUMNS))
    return contamination.fit(human, synthetic, strata=np.arange(2000) % 8)


@functools.cache
def human_alone() -> contamination.ContaminationModel:
    human = np.random.default_rng(5).normal(size=(2000, COLUMNS))
    return contamination.fit(human, target=TARGET)


@pytest.mark.parametrize("make", [model, stratified, human_alone])
def test_each_group_is_a_target_of_its_own(make: Opaque) -> None:
    fitted = make()
    found = fitted.prevalence(TARGET, by=MONTHS)
    groups = found.groups
    assert groups.frame["group"].to_list() == ["2024-01", "2024-02", "2024-03"]
    assert np.array_equal(groups.counts.sum(axis=0), found.histogram.bins)
    for row in groups.frame.iter_rows(named=True):
        alone = fitted.prevalence(TARGET[row["group"] == MONTHS])
        expected = (alone.n, alone.value, alone.low, alone.high)
        assert (row["rows"], row["value"], row["low"], row["high"]) == expected
    assert groups.frame["above"].to_list() == [False, False, True]
    assert found == fitted.prevalence(TARGET)


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("make", [model, stratified, human_alone])
def test_the_p_value_is_the_least_level_whose_interval_lies_above(
    make: Opaque, limit: float
) -> None:
    templates = make().templates
    for share in (0.0, 0.05, 0.4):
        target = make().histogram(rows(800, 17, share)).bins
        p = templates.p_above(target, templates.share(target, 0.95).value, limit)
        # The last one is where it just does, and does not.
        around = (p * 0.999, min(p * 1.001, 0.9999)) if p > 1e-12 else ()
        for level in (0.9, 0.5, 0.05, 0.001, *around):
            above = templates.share(target, 1 - level).low > limit
            assert above == (p < level), (share, level, p)


def test_below_the_limit_the_p_value_is_seldom_small() -> None:
    """A share at the limit itself has p ≤ α in about α/2: 120 targets, seed 3, z ≤ 4."""
    rng = np.random.default_rng(3)
    templates, limit, level = stratified().templates, 0.1, 0.1
    human = templates.human.sum(axis=0) / templates.human.sum()
    synthetic = templates.synthetic / templates.synthetic.sum()
    small = 0
    for _ in range(120):
        # References are drawn again too, since their errors are part of the level.
        again = contamination.templates.Templates(
            templates.edges,
            templates.thresholds,
            rng.multinomial(250, human, size=8),
            rng.multinomial(2000, synthetic),
            stratified=True,
        )
        target = rng.multinomial(1000, (1 - limit) * human + limit * synthetic)
        value = again.share(target, 0.5).value
        small += again.p_above(target, value, limit) <= level
    assert small / 120 <= level / 2 + 4 * (level / 2 * (1 - level / 2) / 120) ** 0.5


@pytest.mark.parametrize(
    ("labels", "expected", "ordered"),
    [
        ([10, 9, 100], ["9", "10", "100"], True),
        ([1.5, -2.0, 10.25], ["-2.0", "1.5", "10.25"], True),
        (["2024-10", "2024-9", "2023-11"], ["2023-11", "2024-9", "2024-10"], True),
        (["2024-Q2", "2023-Q4", "2024-Q1"], ["2023-Q4", "2024-Q1", "2024-Q2"], True),
        (
            [dt.date(2024, 2, 1), dt.date(2023, 3, 1), dt.date(2024, 1, 31)],
            ["2023-03-01", "2024-01-31", "2024-02-01"],
            True,
        ),
        (["b", "a", "C"], ["C", "a", "b"], False),
        (["2024", "unknown", "2023"], ["2023", "2024", "unknown"], False),
        ([True, False, True], ["false", "true"], False),
    ],
)
def test_numbers_and_dates_ascend(
    labels: Sequence[object], expected: list[str], ordered: bool
) -> None:
    found = model().prevalence(rows(3, 1), by=labels).groups
    assert found is not None
    assert (found.frame["group"].to_list(), found.ordered) == (expected, ordered)


def test_a_column_names_groups_as_labels_do() -> None:
    frame = table(TARGET).with_columns(month=pl.Series(MONTHS).cast(pl.Categorical))
    found = model().prevalence(frame, by="month").groups
    expected = model().prevalence(TARGET, by=MONTHS).groups
    assert (found.by, expected.by) == ("month", "group")
    assert found.frame.equals(expected.frame)


def test_labels_that_are_refused() -> None:
    frame = table(TARGET[:3]).with_columns(month=pl.Series(["a", None, "b"]))
    with refused(InputError, "by: column 'month'", "a name", "null", "row 1"):
        model().prevalence(frame, by="month")
    with refused(InputError, "by", "a name", "null", "row 2"):
        model().prevalence(TARGET[:3], by=[1.0, 2.0, np.nan])
    with refused(InputError, "by", "a name for each of the 3 rows of target", "2"):
        model().prevalence(TARGET[:3], by=["a", "b"])
    with refused(InputError, "by", "text, numbers or dates", "List(Int64)"):
        model().prevalence(TARGET[:2], by=[[1], [2]])
    with refused(SourceError, "target", "a column 'domain'"):
        model().prevalence(frame, by="domain")
    with refused(InputError, "by", "rows, whose groups it names", "a histogram of them"):
        model().prevalence(model().histogram(TARGET), by=MONTHS)


def test_a_thousand_groups_are_the_most() -> None:
    counted = GroupCounts(model().state.edges, "day")
    names = pl.Series(map(str, range(1000)))
    counted.absorb(names, np.zeros(1000, np.float32)).absorb(names[:5], np.ones(5, np.float32))
    assert len(counted.finish()) == 1000
    with refused(InputError, "by", "at most 1,000 groups", "more", "'day'", "take a coarser …"):
        counted.absorb(pl.Series(["1000"]), np.zeros(1, np.float32))


def test_batches_and_their_order_do_not_matter() -> None:
    fitted = model()
    scores = fitted.score(TARGET)
    parts = [slice(700, None), slice(0, 350), slice(350, 700)]
    counted = GroupCounts(fitted.state.edges, "month")
    for part in parts:
        counted.absorb(pl.Series(MONTHS[part]), scores[part])
    limit = fitted.prevalence(TARGET).null_floor.limit
    found = estimate_groups(fitted.templates, counted, limit, 0.95)
    assert found.frame.equals(fitted.prevalence(TARGET, by=MONTHS).groups.frame)


def test_the_chart_tells_every_group_in_words_and_escapes_names() -> None:
    labels = np.repeat(["<b>", "2024-02", "\u202e3"], 400)
    found = model().prevalence(TARGET, by=labels).groups.summary()
    chart = group_chart(found)
    assert "<b>" not in chart
    assert "&lt;b&gt;" in chart
    assert "\u202e" not in chart
    # Names that are no dates stand from the largest share down.
    assert next(row["group"] for row in in_chart_order(found)) == "\u202e3"
    ordered = model().prevalence(TARGET, by=MONTHS).groups.summary()
    assert [row["group"] for row in in_chart_order(ordered)] == sorted(set(MONTHS))
    share = 100 * ordered["table"][2]["value"]
    assert f"2024-03: {share:.1f}\N{NARROW NO-BREAK SPACE}%" in group_chart(ordered)

"""Every metric says all that has to be known of it, and panels are made of metrics."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from tailwatch.comparison.metrics.family import Cost, Direction, IntervalMethod, Method, Metric
from tailwatch.comparison.metrics.moments import MomentMetrics
from tailwatch.comparison.registry import LABELS, METRICS
from tailwatch.comparison.request import PANELS, select
from tailwatch.exceptions import InputError
from tailwatch.report.words import Group, Label
from tests.support.errors import refused

WORDS = ("definition", "source", "null", "work", "memory")


@pytest.mark.parametrize("name", METRICS)
def test_an_entry_is_complete(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    for field in WORDS:
        assert len(getattr(metric, field)) > 2, field
        assert getattr(metric, field).strip(" .") == getattr(metric, field), field
    assert metric.direction in get_args(Direction)
    assert metric.cost in get_args(Cost)
    assert metric.interval.method in get_args(Method)
    assert metric.interval.words
    assert (metric.interval.scale is None) == (
        metric.interval.method in {"closed variance", "binomial", "no interval"}
    )
    assert metric.label.name
    assert metric.label.unit
    assert metric.label.meaning.endswith(".")
    assert metric.label.group in get_args(Group)
    assert (metric.label.group == "divergence") == (metric.direction == "lower")


def test_words_of_no_field_are_left_out() -> None:
    typed = {field.name for field in dataclasses.fields(Metric)} - set(WORDS)
    assert typed == {"name", "label", "direction", "family", "interval", "cost", "by_level"}


def test_an_entry_without_a_field_is_refused() -> None:
    with pytest.raises(TypeError, match="memory"):
        Metric(  # type: ignore[call-arg]
            name="a",
            label=Label("A", "fidelity", "a", "A."),
            direction="match",
            family=MomentMetrics,
            definition="a",
            source="a",
            null="a",
            interval=IntervalMethod("no interval", "a"),
            cost="linear in rows",
            work="a",
        )


def test_no_two_metrics_are_called_alike() -> None:
    assert len({label.name for label in LABELS.values()}) == len(METRICS)


def test_what_is_more_than_linear_is_bounded() -> None:
    assert METRICS["recall"].quadratic
    assert METRICS["mode_coverage"].quadratic
    assert not METRICS["directional_tails"].quadratic


def test_panels_nest_in_the_order_of_the_frame() -> None:
    assert list(PANELS) == ["standard", "fast", "all"]
    order = list(METRICS)
    for names in PANELS.values():
        assert sorted(names, key=order.index) == list(names)
    assert set(PANELS["fast"]) < set(PANELS["standard"]) <= set(PANELS["all"]) == set(METRICS)
    assert not any(METRICS[name].quadratic for name in PANELS["fast"])


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_is_selected_by_its_name(panel: str) -> None:
    assert tuple(metric.name for metric in select(panel)) == PANELS[panel]


def test_a_panel_among_names_is_told_to_stand_alone() -> None:
    expected = "a panel or metrics out of 'standard', 'fast', 'all', precision, …"
    with refused(InputError, "metrics", expected, "'all'", hint="a panel stands alone"):
        select(["all", "recall"])
    with refused(InputError, "metrics", expected, "'fid'") as caught:
        select(["fid", "all"])
    assert caught.value.hint is None
    with refused(InputError, "metrics", expected, "none", hint="name at least one"):
        select([])

"""The charts: what they say, where they put it, and in which colours."""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

import pytest

from tailwatch.comparison.registry import LABELS
from tailwatch.report.comparison.charts import divergence_chart, retention_chart
from tailwatch.report.comparison.readings import Reading, read
from tailwatch.report.html import DARK, LIGHT
from tests.support.drawings import colours, contrast, linear, marks, number_of, svgs, texts
from tests.support.report_sample import frame, records

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET

    from tests.support.drawings import Mark


def readings(metric: str, **changes: float | None) -> list[Reading]:
    return read(frame([{**row, **changes} for row in records([metric])]), LABELS)


def draw(chosen: list[Reading]) -> list[ET.Element]:
    """Return the wide and the narrow drawing as trees."""
    chart = divergence_chart if chosen[0].is_divergence else retention_chart
    return svgs(chart(chosen, name="c", title="A title", confidence="95 %"))


def points(svg: ET.Element, status: str) -> list[Mark]:
    """Return the points and arrows in the colour of a status."""
    return marks(svg, stroke=status, stroke_width="2")


def neutral_line(svg: ET.Element) -> float:
    (line,) = marks(svg, tag="line", stroke="ink")
    return line.middle[0]


def ticks(svg: ET.Element) -> list[tuple[float, float]]:
    """Return the place and the number of each tick."""
    labels = [mark for mark in marks(svg, tag="text", text_anchor="middle") if "÷" not in mark.text]
    lines = marks(svg, tag="line", stroke="line")
    assert [mark.middle[0] for mark in labels] == [line.middle[0] for line in lines]
    return [(mark.middle[0], number_of(mark.text)) for mark in labels]


def drawn(svg: ET.Element, number: Callable[[float], float]) -> list[dict[str, float]]:
    """Return the numbers that each line of the chart draws, from top to bottom."""
    lines: dict[float, dict[str, float]] = {}
    for status in ("worse", "muted", "beyond"):
        for bar in marks(svg, tag="line", stroke=status):
            (low, y), (high, _) = bar.places
            lines.setdefault(y, {}).update(low=number(low), high=number(high))
        for point in points(svg, status):
            x, y = point.middle
            lines.setdefault(round(y), {})["value"] = number(x)
    for box in marks(svg, tag="rect", fill="band"):
        (low, _), (high, _) = box.places
        lines[round(box.middle[1])].update(null_low=number(low), null_high=number(high))
    return [lines[y] for y in sorted(lines)]


def expected(reading: Reading, low: float, high: float) -> dict[str, float]:
    estimate, band = reading.retention, reading.null_band
    assert band is not None
    numbers = {"low": estimate.low, "high": estimate.high, "value": estimate.value}
    numbers |= {"null_low": band[0], "null_high": band[1]}
    return {name: min(max(it, low), high) for name, it in numbers.items() if it is not None}


@pytest.mark.parametrize("from_zero", [True, False])
def test_the_numbers_that_are_drawn_are_those_of_the_frame(from_zero: bool) -> None:
    group = (
        ["tail_mass", "tail_recall", "directional_tails"] if from_zero else ["recall", "density"]
    )
    chosen = [reading for metric in group for reading in readings(metric)]
    markup = retention_chart(chosen, name="c", title="t", confidence="95 %", from_zero=from_zero)
    for svg in svgs(markup):
        at = ticks(svg)
        number = linear(at)
        pixel = abs(number(1) - number(0))
        found = drawn(svg, number)
        assert len(found) == len(chosen)
        for line, reading in zip(found, chosen, strict=True):
            wanted = expected(reading, at[0][1], at[-1][1])
            assert line == pytest.approx(wanted, abs=0.6 * pixel)


def test_standard_errors_are_drawn_on_a_logarithmic_axis() -> None:
    chosen = [r for metric in ("frechet_distance", "energy_distance") for r in readings(metric)]
    for svg in draw(chosen):
        at = {number: pixel for pixel, number in ticks(svg)}
        null, per_unit = at[0.0], (at[100.0] - at[0.0]) / math.log1p(50)
        for number, pixel in at.items():
            assert pixel == pytest.approx(null + per_unit * math.log1p(number / 2), abs=0.11)

        def number_at(x: float, null: float = null, per_unit: float = per_unit) -> float:
            bent = (x - null) / per_unit
            return math.copysign(2 * math.expm1(abs(bent)), bent)

        for line, reading in zip(drawn(svg, number_at), chosen, strict=True):
            wanted = expected(reading, -math.inf, math.inf)
            assert line == pytest.approx(wanted, rel=0.03, abs=0.1)


def test_both_drawings_tell_the_numbers_to_those_who_do_not_see_them() -> None:
    drawings = draw(readings("tail_mass"))

    assert len(drawings) == 2
    for svg in drawings:
        title, description = svg[0], svg[1]
        assert (title.tag, title.text) == ("title", "A title")
        assert svg.get("aria-labelledby") == title.get("id")
        assert svg.get("aria-describedby") == description.get("id")
        assert "Tail mass, 5\u202f%: 0.07 [0.04, 0.12]" in (description.text or "")


@pytest.mark.parametrize("metric", ["tail_mass", "coverage", "energy_distance"])
def test_each_chart_has_an_axis_title_and_its_numbers_in_sight(metric: str) -> None:
    for svg in draw(readings(metric)):
        written = texts(svg)
        assert any(text and "÷" in text for text in written)
        assert "[95 %]" in written
        for reading in readings(metric):
            assert reading.written_retention.value in written
            assert reading.written_retention.interval in written


def test_small_numbers_keep_their_digits() -> None:
    changes = {"retention": 0.0042, "retention_low": 0.0013, "retention_high": 0.0091}

    for svg in draw(readings("mode_coverage", **changes)):
        assert {"0.0042", "[0.0013, 0.0091]"} <= set(texts(svg))


def test_long_numbers_stand_beside_the_plot_and_not_on_it() -> None:
    changes = {"retention": 1.59e9, "retention_low": 0.9e9, "retention_high": 2.54e9}

    for short, long in zip(
        draw(readings("energy_distance")),
        draw(readings("energy_distance", **changes)),
        strict=True,
    ):
        widths = [float(svg.get("viewBox", "").split()[2]) for svg in (short, long)]
        # Six more letters of about half their height, which are 12 pixels or 13.
        assert widths[1] - widths[0] > 6 * 6


def test_a_loss_stands_left_of_the_null_and_a_gain_right_of_it() -> None:
    for svg in draw(readings("recall") + readings("density")):
        (loss,), (gain,) = points(svg, "worse"), points(svg, "beyond")
        assert loss.middle[0] < neutral_line(svg) < gain.middle[0]


def test_a_divergence_that_grew_stands_right_of_the_null() -> None:
    for svg in draw(readings("energy_distance")):
        (further,) = points(svg, "worse")
        assert further.middle[0] > neutral_line(svg)


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    changes = {"retention": 30.0, "retention_low": 12.0, "retention_high": math.inf}

    for svg in draw(readings("mode_coverage", **changes)):
        # The point itself is off the axis, so the arrow is the only mark.
        (arrow,) = points(svg, "beyond")
        assert arrow.middle[0] == pytest.approx(3 * neutral_line(svg), abs=1)


def test_an_interval_is_drawn_no_further_than_the_axis() -> None:
    changes = {"retention": 1.5, "retention_low": 1.2, "retention_high": 40.0}

    for svg in draw(readings("mode_coverage", **changes)):
        (bar,) = marks(svg, tag="line", stroke="beyond")
        (low, _), (high, _) = bar.places
        assert low == pytest.approx(1.2 * neutral_line(svg), abs=0.2)
        assert high == pytest.approx(3 * neutral_line(svg), abs=0.2)


def test_every_colour_follows_the_theme() -> None:
    for svg in draw(readings("tail_mass") + readings("density")):
        for colour in colours(svg):
            assert re.fullmatch(r"var\(--tw-[a-z]+, #[0-9a-f]{6}\)", colour)


@pytest.mark.parametrize("exponent", [1, 2, 4, 9, 20])
def test_standard_errors_of_any_size_have_room_for_their_ticks(exponent: int) -> None:
    size = 10.0**exponent
    changes = {"retention": size, "retention_low": size / 2, "retention_high": 2 * size}

    for svg in draw(readings("energy_distance", **changes)):
        places = [place for place, _ in ticks(svg)]
        assert len(places) >= 2
        assert min(b - a for a, b in itertools.pairwise(places)) > 12


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_paper(palette: dict[str, str]) -> None:
    # WCAG 2.2: 4.5 for text, 3 for what carries meaning in a drawing.
    assert contrast(palette["ink"], palette["paper"]) >= 7
    for name, least in (("muted", 4.5), ("worse", 3.0), ("beyond", 3.0)):
        assert contrast(palette[name], palette["paper"]) >= least
        assert contrast(palette[name], palette["band"]) >= 3

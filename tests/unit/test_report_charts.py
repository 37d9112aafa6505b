"""The charts: what they say, where they put it, and in which colours."""

from __future__ import annotations

import itertools
import math
import re
from xml.etree import ElementTree as ET

import pytest

from tailwatch.report.charts import divergence_chart, retention_chart
from tailwatch.report.palette import DARK, LIGHT
from tailwatch.report.readings import Reading, read
from tests.support.drawings import colours, contrast, place
from tests.support.report_sample import frame, records


def readings(metric: str, **changes: float | None) -> list[Reading]:
    return read(frame([{**row, **changes} for row in records([metric])]))


def draw(chosen: list[Reading]) -> list[ET.Element]:
    """Return the wide and the narrow drawing as trees."""
    chart = divergence_chart if chosen[0].is_divergence else retention_chart
    markup = chart(chosen, name="c", title="A title", confidence="95 %")
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", markup, re.DOTALL)]


def marks(svg: ET.Element, status: str) -> list[ET.Element]:
    """Return the points painted in the colour of a status."""
    colour = f"var(--tw-{status}, {LIGHT[status]})"
    return [node for node in svg.iter("path") if node.get("stroke") == colour]


def neutral_line(svg: ET.Element) -> float:
    ink = f"var(--tw-ink, {LIGHT['ink']})"
    (line,) = [node for node in svg.iter("line") if node.get("stroke") == ink]
    return place(line)


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
        texts = [node.text for node in svg.iter("text")]
        assert any(text and "÷" in text for text in texts)
        assert "[95 %]" in texts
        for reading in readings(metric):
            assert reading.written_retention.value in texts
            assert reading.written_retention.interval in texts


def test_small_numbers_keep_their_digits() -> None:
    changes = {"retention": 0.0042, "retention_low": 0.0013, "retention_high": 0.0091}

    for svg in draw(readings("mode_coverage", **changes)):
        texts = [node.text for node in svg.iter("text")]
        assert "0.0042" in texts
        assert "[0.0013, 0.0091]" in texts


def test_a_loss_stands_left_of_the_null_and_a_gain_right_of_it() -> None:
    for svg in draw(readings("recall") + readings("density")):
        (loss,), (gain,) = marks(svg, "worse"), marks(svg, "beyond")
        assert place(loss) < neutral_line(svg) < place(gain)


def test_a_divergence_that_grew_stands_right_of_the_null() -> None:
    for svg in draw(readings("energy_distance")):
        (further,) = marks(svg, "worse")
        assert place(further) > neutral_line(svg)


def test_a_retention_is_drawn_to_scale() -> None:
    changes = {"retention": 0.5, "retention_low": 0.4, "retention_high": 0.6}

    for svg in draw(readings("mode_coverage", **changes)):
        (point,) = marks(svg, "worse")
        assert place(point) == pytest.approx(neutral_line(svg) / 2, abs=0.5)


def test_the_null_band_is_drawn_to_scale() -> None:
    band = f"var(--tw-band, {LIGHT['band']})"

    for svg in draw(readings("mode_coverage", null=1.0, null_low=0.5, null_high=1.5)):
        (node,) = [node for node in svg.iter("path") if node.get("fill") == band]
        left, width = re.match(r"M([\d.]+),[\d.]+h([\d.]+)", node.get("d", "")).groups()
        assert float(width) == pytest.approx(neutral_line(svg), abs=1)
        assert float(left) == pytest.approx(neutral_line(svg) / 2, abs=1)


def test_an_interval_beyond_the_axis_ends_in_an_arrow() -> None:
    changes = {"retention": 30.0, "retention_low": 12.0, "retention_high": math.inf}

    for svg in draw(readings("mode_coverage", **changes)):
        # The point itself is off the axis, so the arrow is the only mark.
        (arrow,) = marks(svg, "beyond")
        assert place(arrow) == pytest.approx(3 * neutral_line(svg), abs=1)


def test_an_interval_is_drawn_no_further_than_the_axis() -> None:
    changes = {"retention": 1.5, "retention_low": 1.2, "retention_high": 40.0}
    blue = f"var(--tw-beyond, {LIGHT['beyond']})"

    for svg in draw(readings("mode_coverage", **changes)):
        (bar,) = [node for node in svg.iter("line") if node.get("stroke") == blue]
        assert place(bar) == pytest.approx(1.2 * neutral_line(svg), abs=1)
        end = place(bar) + float(bar.get("x2", "0"))
        assert end == pytest.approx(3 * neutral_line(svg), abs=1)


def test_every_colour_follows_the_theme() -> None:
    for svg in draw(readings("tail_mass") + readings("density")):
        for colour in colours(svg):
            assert re.fullmatch(r"var\(--tw-[a-z]+, #[0-9a-f]{6}\)", colour)


@pytest.mark.parametrize("exponent", [1, 2, 4, 9, 20])
def test_standard_errors_of_any_size_have_room_for_their_ticks(exponent: int) -> None:
    size = 10.0**exponent
    changes = {"retention": size, "retention_low": size / 2, "retention_high": 2 * size}

    for svg in draw(readings("energy_distance", **changes)):
        ticks = [n for n in svg.iter("text") if re.fullmatch(r"−?[\d.]+[a-zA-Z]?", n.text or "")]
        places = sorted(place(node) for node in ticks if node.get("text-anchor") == "middle")
        assert len(places) >= 2
        assert min(b - a for a, b in itertools.pairwise(places)) > 12


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_the_paper(palette: dict[str, str]) -> None:
    # WCAG 2.2: 4.5 for text, 3 for what carries meaning in a drawing.
    assert contrast(palette["ink"], palette["paper"]) >= 7
    for name, least in (("muted", 4.5), ("worse", 3.0), ("beyond", 3.0)):
        assert contrast(palette[name], palette["paper"]) >= least
        assert contrast(palette[name], palette["band"]) >= 3

"""Scales, ticks and marks: numbers come back from pixels and labels, and any text can be drawn."""

from __future__ import annotations

import itertools
import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tailwatch.report.html import LIGHT
from tailwatch.report.svg import LARGEST, Drawing, Scale, tick_labels, ticks
from tailwatch.text_form import visible
from tests.support.drawings import marks, number_of, paint

NUMBERS = st.floats(-LARGEST, LARGEST)
PAIRS = st.tuples(NUMBERS, NUMBERS).map(sorted).filter(lambda it: it[0] < it[1])
ORDINARY = st.tuples(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9)).map(lambda it: (it[0], sum(it)))


def drawing() -> Drawing:
    return Drawing(100, 50, left=10, right=5, top=3, bottom=2)


def inline(drawn: Drawing) -> ET.Element:
    return ET.fromstring(drawn.inline(name="n", title="t", description="d"))


@given(PAIRS, st.one_of(st.none(), st.floats(0.1, 10)), st.lists(st.floats(0, 1), max_size=9))
def test_a_scale_keeps_the_order_of_numbers_between_its_ends(
    ends: list[float], linear_to: float | None, shares: list[float]
) -> None:
    low, high = ends
    scale = Scale(low, high, 10, 210, linear_to)
    assert (scale(low), scale(high)) == (10, 210)
    numbers = sorted(min(max(low * (1 - share) + high * share, low), high) for share in shares)
    pixels = [scale(number) for number in numbers]
    assert pixels == sorted(pixels)
    assert all(10 <= pixel <= 210 for pixel in pixels)
    assert scale.clipped(-math.inf) == 10
    assert scale.clipped(math.inf) == 210


@given(ORDINARY, st.floats(0, 1))
def test_a_linear_scale_is_linear(ends: tuple[float, float], share: float) -> None:
    low, high = ends
    at = low + share * (high - low)
    expected = 200 - 200 * (at - low) / (high - low)
    assert Scale(low, high, 200, 0)(at) == pytest.approx(expected, abs=1e-3)


@given(st.floats(-1e9, 1e9), st.floats(0.1, 10))
def test_a_logarithmic_scale_is_that_of_its_definition(number: float, linear_to: float) -> None:
    # The inverse: sign(y)·c·(exp|y| − 1).
    reach = math.log1p(1e9 / linear_to)
    bent = Scale(-1e9, 1e9, -reach, reach, linear_to)(number)
    back = math.copysign(linear_to * math.expm1(abs(bent)), bent)
    assert back == pytest.approx(number, rel=1e-9, abs=1e-9)


def test_a_scale_of_one_number_has_it_in_the_middle() -> None:
    assert Scale(5e-324, 5e-324, 0, 200)(5e-324) == 100


@given(PAIRS, st.integers(2, 9))
@example([-LARGEST, LARGEST], 4)
@example([0.0, 5e-324], 4)
@example([1e16, 1e16 + 4], 9)
def test_ticks_lie_on_the_axis_and_are_not_too_many(ends: list[float], count: int) -> None:
    found = ticks(*ends, count)
    assert 1 <= len(found) <= 2 * count
    assert found == sorted(set(found))
    assert all(ends[0] <= tick <= ends[1] for tick in found)


@given(ORDINARY, st.integers(2, 9))
def test_ticks_are_multiples_of_one_two_or_five_times_a_power_of_ten(
    ends: tuple[float, float], count: int
) -> None:
    low, high = ends
    found = ticks(low, high, count)
    assert len(found) >= count / 2
    step = (found[-1] - found[0]) / (len(found) - 1) if len(found) > 1 else high - low
    if len(found) > 1 and step > 1e-9 * max(map(abs, found)):
        digits, exponent = f"{step:.6e}".split("e")
        assert float(digits) in {1, 2, 5}
        step = float(f"{digits}e{exponent}")
        for tick in found:
            assert tick / step == pytest.approx(round(tick / step), rel=1e-12, abs=1e-9)
        # None is left out at either end.
        assert found[0] - step < low + 1e-6 * step
        assert found[-1] + step > high - 1e-6 * step


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1.05, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-0.3, 0.3, [-0.2, 0, 0.2]),
        (0.1, 0.9, [0.2, 0.4, 0.6, 0.8]),
        (0, 100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (3, 3, [3]),
    ],
)
def test_ticks_are_the_nearest_numbers_that_floats_have(
    low: float, high: float, expected: list[float]
) -> None:
    assert ticks(low, high, 4) == expected


@given(PAIRS, st.integers(2, 9))
@example([0.0, 1e-4], 4)
@example([-3e12, 9e12], 4)
@example([0.0, 0.0001234], 4)
def test_labels_say_the_numbers_and_differ(ends: list[float], count: int) -> None:
    found = ticks(*ends, count)
    labels, factor = tick_labels(found)
    assert list(labels) == found
    unit = number_of(factor.removeprefix("× ")) if factor else 1.0
    largest = max(map(abs, found))
    if largest < 1e-290:
        return
    step = min((b - a for a, b in itertools.pairwise(found)), default=largest)
    if step > 1e-12 * largest:
        assert len(set(labels.values())) == len(found)
    for number, label in labels.items():
        assert number_of(label) * unit == pytest.approx(number, rel=1e-12, abs=step / 50)


@pytest.mark.parametrize(
    ("numbers", "texts", "factor"),
    [
        ([0, 0.5, 1], ["0", "0.5", "1.0"], ""),
        ([-0.25, 0, 0.25], ["−0.25", "0", "0.25"], ""),
        ([1000, 2000], ["1\u202f000", "2\u202f000"], ""),
        ([0, 5000, 10_000], ["0", "5k", "10k"], ""),
        ([0, 500_000, 1_000_000], ["0", "0.5M", "1.0M"], ""),
        ([0, 2e-5, 4e-5], ["0", "2", "4"], "× 10⁻⁵"),
        ([5e11, 1e12], ["0.5", "1.0"], "× 10¹²"),
        ([0], ["0"], ""),
    ],
)
def test_labels_of_an_axis(numbers: list[float], texts: list[str], factor: str) -> None:
    labels, found = tick_labels(numbers)
    assert list(labels.values()) == texts
    assert found == factor


@given(st.text())
@example("\0\x1b\ufffe\ud800\u202e")
@example("</text></svg><script>&amp;'\"")
def test_any_text_can_be_drawn(text: str) -> None:
    drawn = drawing()
    drawn.texts([(0, 0, f"<{text}")], "ink", 12)
    for markup in (
        drawn.inline(name="n", title=text, description=text),
        drawn.file(title=text, description=text),
    ):
        markup.encode()
        assert "<script" not in markup
        root = ET.fromstring(markup.replace(' xmlns="http://www.w3.org/2000/svg"', ""))
        shown = visible(text)
        assert (root[0].text or "") == (root[1].text or "") == shown
        assert next(root.iter("text")).text == f"<{shown}"


def test_marks_of_one_call_share_the_style_of_their_group() -> None:
    drawn = drawing()
    drawn.bars([(0, 1, 2, 3), (6, 9, 4, 5)], "band")
    drawn.segments([(0, 0.125, 100 / 3, -0.001)], "ink", 1.5, opacity="0.5")
    drawn.line([[(0, 0), (1, 2)], [(3, 4)]], "worse", 2)
    drawn.area([(0, 1, 2), (5, 3, 4)], "band", opacity="0.2")
    drawn.points([(1, 2)], "circle", 9, fill="paper", stroke="ink", width=2)
    root = inline(drawn)
    first, second = marks(root, tag="rect", fill="band")
    assert (first.places, second.places) == ([(0, 1), (2, 3)], [(4, 5), (6, 9)])
    (piece,) = marks(root, stroke="ink", stroke_width="1.5", opacity="0.5")
    # To a tenth of a pixel, and no zero has a sign.
    assert piece.given["x2"] == "33.3"
    assert piece.given["y2"] == "0"
    (line,) = marks(root, tag="path", stroke="worse", fill="none")
    assert line.pieces == [[(0, 0), (1, 2)], [(3, 4)]]
    (area,) = marks(root, tag="path", opacity="0.2")
    assert area.places == [(0, 1), (5, 3), (5, 4), (0, 2)]
    (point,) = marks(root, tag="circle", fill="paper")
    assert point.middle == (1, 2)
    assert len(list(root.iter("g"))) == 5


def test_nothing_is_drawn_of_nothing() -> None:
    drawn = drawing()
    drawn.bars([], "band")
    drawn.segments([], "ink", 1)
    drawn.line([[]], "ink", 1)
    drawn.area([], "band")
    drawn.texts([(0, 0, "")], "ink", 12)
    assert not list(inline(drawn).iter("g"))


@pytest.mark.parametrize(
    "shape",
    [
        *("circle", "square", "diamond"),
        *("triangle-up", "triangle-down", "triangle-left", "triangle-right"),
    ],
)
def test_a_shape_stands_about_its_place(shape: str) -> None:
    drawn = drawing()
    drawn.points([(50, 20)], shape, 8, fill="ink", stroke="ink", width=1)
    (mark,) = marks(inline(drawn))
    x, y = mark.middle
    assert abs(x - 50) <= 0.5
    assert abs(y - 20) <= 0.5
    assert all(abs(a - 50) <= 5 and abs(b - 20) <= 5 for a, b in mark.places)


def test_the_plot_begins_at_zero_and_the_margins_are_around_it() -> None:
    assert inline(drawing()).get("viewBox") == "-10 -3 115 55"


def test_a_page_has_variables_and_a_file_has_colours() -> None:
    drawn = drawing()
    drawn.bars([(0, 0, 1, 1)], "band")
    page = drawn.inline(name="n", title="t", description="d")
    assert paint("band") in page
    assert "xmlns" not in page
    file = drawn.file(title="t", description="d")
    assert "var(" not in file
    assert f'fill="{LIGHT["band"]}"' in file
    assert f'fill="{LIGHT["paper"]}"' in file
    assert re.match(r'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="115" ', file)

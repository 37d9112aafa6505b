"""The charts of a loop: what is drawn where, and in colours that anybody can tell apart."""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tailwatch.comparison.registry import LABELS
from tailwatch.report.html import DARK, LIGHT, LINES
from tailwatch.report.loop.drawing import LARGE, SMALL, draw, generation_ticks, is_cut
from tailwatch.report.loop.plots import MOST_ARMS, Plot, arms_of, plots_of, spread_out
from tests.support.drawings import colours, contrast, linear, marks, number_of, svgs, texts
from tests.support.recursion_sample import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET

    from tailwatch.report.loop.drawing import Size


def frame(
    generations: int = 3, runs: tuple[str, ...] = ("a",), **changes: float | None
) -> pl.DataFrame:
    """Rows whose value is 10 − generation, ± 0.5, under a null of 9 ± 1 and a theory of 8."""
    given = {"null": 9.0, "null_low": 8.0, "null_high": 10.0, "theory": 8.0, "group": "panel"}
    rows = [
        {"run": run, "generation": g, "metric": "total_variance", "value": 10.0 - g}
        | {"low": 9.5 - g, "high": 10.5 - g, "direction": "match", "method": "m"}
        | given
        | changes
        for run in runs
        for g in range(1, generations + 1)
    ]
    return pl.DataFrame([dict.fromkeys(SCHEMA) | row for row in rows], schema=SCHEMA)


def plot(table: pl.DataFrame) -> Plot:
    (only,) = plots_of(table, arms_of(table), LABELS)
    return only


def svg(table: pl.DataFrame, size: Size = LARGE, **options: bool) -> ET.Element:
    drawing = draw(plot(table), size, **options)
    (found,) = svgs(drawing.inline(name="c", title="A title", description="Words."))
    return found


def heights(path: list[tuple[float, float]]) -> list[float]:
    return [y for _, y in path]


def axes(drawing: ET.Element) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return the generation of a pixel across, and the number of one down."""
    titles = {mark.text for mark in marks(drawing, tag="text", text_anchor="start")}
    factor = next((text.split("× ")[1] for text in titles if "× " in text), "1")
    below = [m for m in marks(drawing, text_anchor="middle") if m.text != "generation"]
    across = linear([(mark.middle[0], number_of(mark.text)) for mark in below])
    beside = marks(drawing, tag="text", text_anchor="end")
    lines = marks(drawing, tag="line", stroke="line")
    numbers = [number_of(mark.text) * number_of(factor) for mark in beside]
    return across, linear([(i.middle[1], n) for i, n in zip(lines, numbers, strict=True)])


def test_it_has_titles_of_both_axes_with_the_unit_and_whole_generations() -> None:
    drawing = svg(frame(5))
    assert {"generation", "squared distance"} <= set(texts(drawing))
    below = [mark.text for mark in marks(drawing, text_anchor="middle")]
    assert below[:5] == list("12345")


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 12_345.0, 1e12])
def test_the_numbers_that_are_drawn_are_those_of_the_frame(scale: float, size: Size) -> None:
    rows = [(1, 9.3, 9.1, 9.9), (2, 7.7, 7.2, 8.0), (4, 5.1, 4.0, 6.5), (5, 4.9, 4.8, 5.3)]
    columns = ["generation", "value", "low", "high"]
    changes = pl.DataFrame(rows, schema=columns, orient="row").with_columns(
        theory=10.1 - pl.col("generation"), null=9.0 + 0.01 * pl.col("generation")
    )
    table = frame(5).drop("value", "low", "high", "theory", "null").join(changes, "generation")
    numbers = ["value", "low", "high", "null", "null_low", "null_high", "theory"]
    table = table.with_columns(pl.col(numbers) * scale).select(list(SCHEMA))
    drawing = svg(table, size)
    across, down = axes(drawing)

    def drawn(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(across(x), down(y) / scale) for x, y in places]

    def near(*columns: str) -> list[object]:
        wanted = table.with_columns(pl.col(numbers) / scale).select("generation", *columns)
        return [pytest.approx(row, abs=0.015) for row in wanted.rows()]

    (line,) = marks(drawing, tag="path", stroke="azure", stroke_width="1.75")
    assert drawn(line.places) == near("value")
    (theory,) = marks(drawing, stroke_dasharray="5,4")
    assert drawn(theory.places) == near("theory")
    markers = marks(drawing, tag="circle", fill="azure", stroke="paper")
    assert drawn([marker.middle for marker in markers]) == near("value")
    bars = marks(drawing, tag="line", stroke="azure", stroke_width="2")
    ends = [drawn(bar.places) for bar in bars]
    assert [(x, low, high) for (x, low), (_, high) in ends] == near("low", "high")
    (null,) = marks(drawing, tag="path", stroke="muted", stroke_width="1")
    # From edge to edge.
    assert drawn(null.places)[1:-1] == near("null")
    assert [x for x, _ in null.places][:: len(null.places) - 1] == [0, size.width]
    (band,) = marks(drawing, fill="band")
    lower, upper = band.places[: len(rows) + 2], band.places[len(rows) + 2 :]
    assert drawn(lower)[1:-1] == near("null_low")
    assert drawn(upper)[::-1][1:-1] == near("null_high")


def test_the_axis_starts_at_zero_where_it_is_told_to() -> None:
    assert "0" in texts(svg(frame(3), from_zero=True))
    assert "0" not in texts(svg(frame(3)))


def test_a_line_breaks_where_there_is_no_value() -> None:
    table = frame(5).with_columns(
        pl.when(pl.col("generation") != 3).then(pl.col("value")).otherwise(math.nan).alias("value")
    )
    (line,) = marks(svg(table), tag="path", stroke="azure", stroke_width="1.75")
    assert [len(piece) for piece in line.pieces] == [2, 2]


def test_many_generations_are_thinned_and_their_intervals_become_ribbons() -> None:
    drawing = svg(frame(500))
    (line,) = marks(drawing, tag="path", stroke="azure", stroke_width="1.75")
    assert len(line.places) == 60
    assert len(marks(drawing, fill="azure", opacity="0.22")) == 1
    assert len(marks(drawing, fill="azure", stroke="paper")) in {6, 7}


def test_many_generations_of_several_runs_have_bars_that_do_not_hide_each_other() -> None:
    drawing = svg(frame(500, ("a", "b", "c")))
    assert not marks(drawing, opacity="0.22")
    bars = [mark.middle[0] for mark in marks(drawing, tag="line", opacity="0.55")]
    assert len(bars) >= 18
    assert min(b - a for a, b in itertools.pairwise(sorted(bars))) > 5


@pytest.mark.parametrize(
    ("generations", "ticks"),
    [(1, [1]), (3, [1, 2, 3]), (12, [1, 2, 4, 6, 8, 10, 12]), (20, [1, 5, 10, 15, 20])],
)
def test_generations_have_round_numbers(generations: int, ticks: list[int]) -> None:
    assert generation_ticks(1, generations) == ticks


@pytest.mark.parametrize("most", [2, 7, 60])
def test_generations_are_spread_out_with_both_ends(most: int) -> None:
    chosen = spread_out(range(1, 101), most)
    assert len(set(chosen)) == min(most, 100)
    assert (chosen[0], chosen[-1]) == (1, 100)
    gaps = {b - a for a, b in itertools.pairwise(chosen)}
    assert max(gaps) - min(gaps) <= 1


def test_an_interval_that_reaches_far_is_cut_and_said_to_be() -> None:
    wide = frame(3, low=-1e6, high=1e6)
    assert is_cut(plot(wide))
    assert not is_cut(plot(frame(3)))
    (line,) = marks(svg(wide), tag="path", stroke="azure", stroke_width="1.75")
    # The values keep a fair part of the height.
    assert max(heights(line.places)) - min(heights(line.places)) > 0.1 * LARGE.height


def test_of_several_levels_the_nearest_to_five_per_cent_is_drawn() -> None:
    table = pl.concat(frame(2, level=level) for level in (0.1, 0.04, 0.01))
    assert plot(table).level == 0.04


def test_runs_differ_in_colour_and_in_shape() -> None:
    table = frame(2, tuple(f"run {i}" for i in range(40)))
    arms = arms_of(table)
    assert len(arms) == MOST_ARMS == 30
    assert len({(arm.colour, arm.shape) for arm in arms}) == MOST_ARMS
    for a, b in itertools.pairwise(arms):
        assert a.colour != b.colour
        assert a.shape != b.shape


def test_every_colour_follows_the_theme() -> None:
    table = frame(3, tuple("abcdef"))
    for colour in colours(svg(table)):
        assert re.fullmatch(r"var\(--tw-[a-z]+, #[0-9a-f]{6}\)", colour)


def test_runs_stand_aside_from_each_other() -> None:
    drawing = svg(frame(3, ("a", "b")))
    first = [mark.middle[0] for mark in marks(drawing, fill="azure", stroke="paper")]
    second = [mark.middle[0] for mark in marks(drawing, fill="rust", stroke="paper")]
    assert len(first) == len(second) == 3
    assert all(b - a > 5 for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("size", [LARGE, SMALL])
@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1.0, 1e5, 1e12])
def test_labels_of_any_size_have_room(size: Size, scale: float) -> None:
    numbers = ("value", "low", "high", "null", "null_low", "null_high", "theory")
    table = frame(3).with_columns(pl.col(numbers) * scale)
    labels = [mark.text for mark in marks(svg(table, size), tag="text", text_anchor="end")]
    assert len(labels) >= 2
    # A letter is some 0.6 of the font's height wide.
    assert max(map(len, labels)) * 0.6 * (size.font - 1) <= size.left - 7


# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
_SEEN = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Ottosson (2020): linear RGB to cone responses, and their cube roots to OKLab.
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def seen(colour: str, eye: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return _LAB @ np.cbrt(_CONES @ np.clip(_SEEN[eye] @ linear, 0, 1))


@pytest.mark.parametrize("eye", _SEEN)
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_any_two_lines_differ_for_any_eye(palette: dict[str, str], eye: str) -> None:
    # A just noticeable difference is 0.02.
    for a, b in itertools.combinations(LINES, 2):
        assert np.linalg.norm(seen(palette[a], eye) - seen(palette[b], eye)) >= 0.1, (a, b)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_lines_stand_out_from_paper_and_band(palette: dict[str, str]) -> None:
    for name in LINES:
        assert contrast(palette[name], palette["paper"]) >= 3
        assert contrast(palette[name], palette["band"]) >= 3

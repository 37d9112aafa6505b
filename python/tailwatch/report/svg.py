"""Drawings as SVG: scales, round numbers for their axes, and marks from back to front.

A mark stands at pixels of the plot, whose upper left corner is (0, 0); a :class:`Scale` gives the
pixel of a number. Everything is placed by hand, so that a drawing depends on no font and is the
same text on every machine. Marks of one call are of one kind and style, which their group carries.

A colour is a name of the palette. In a page it becomes a CSS variable, so that one drawing serves
light and dark paper; in a file of its own it is the colour of light paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from tailwatch.report.html import LIGHT, element, escape, paint
from tailwatch.report.words import MINUS, NARROW_SPACE, power_of_ten

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["LARGEST", "Drawing", "Scale", "Shape", "outline", "tick_labels", "ticks"]

Shape = Literal[
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "triangle-left",
    "triangle-right",
]

LARGEST = 1e300
"""Numbers up to it can be drawn: differences of two are still numbers."""

# Dividing by a smaller step would give infinity.
_LEAST_STEP = 1e-300
# From the middle of a line of text down to its base line, in heights of a letter.
_BASELINE = 0.34
_UNITS = ((1e9, None, ""), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (1e-3, 1.0, ""))

# The corners of each shape, in halves of its size.
_CORNERS: dict[Shape, tuple[tuple[float, float], ...]] = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "triangle-up": ((0, -1), (1.1, 0.9), (-1.1, 0.9)),
    "triangle-down": ((0, 1), (-1.1, -0.9), (1.1, -0.9)),
    "triangle-left": ((-1, 0), (0.8, -1), (0.8, 1)),
    "triangle-right": ((1, 0), (-0.8, 1), (-0.8, -1)),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """Places of numbers along an axis.

    Attributes
    ----------
    low, high
        The numbers at its ends, at most :data:`LARGEST` in size.
    start, end
        The pixels of `low` and `high`.
    linear_to
        On a logarithmic scale on both sides of 0, about where it stops to be linear: the place of
        x goes with sign(x)·log(1 + |x| ÷ `linear_to`). None for a linear scale.
    """

    low: float
    high: float
    start: float
    end: float
    linear_to: float | None = None

    def __call__(self, number: float) -> float:
        """Return the pixel of a number."""
        low, high, at = map(self._bent, (self.low, self.high, number))
        share = (at - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def clipped(self, number: float) -> float:
        """Return the pixel of a number, or that of the end beyond which it lies."""
        return self(min(max(number, self.low), self.high))

    def _bent(self, number: float) -> float:
        if self.linear_to is None:
            return number
        return math.copysign(math.log1p(abs(number) / self.linear_to), number)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return about `count` round numbers between two: multiples of 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    low, high
        Ends of the axis, at most :data:`LARGEST` in size.
    count
        How many are wanted; there are half as many to twice as many.

    Returns
    -------
    list of float
        In order; `low` alone if nothing lies between the two.
    """
    rough = (high - low) / count
    if rough < _LEAST_STEP:
        return [low]
    power = math.floor(math.log10(rough))
    # The nearest of the four, on a scale of ratios.
    factor = next(
        (f for f, most in ((1, 2**0.5), (2, 10**0.5), (5, 50**0.5)) if rough < most * 10.0**power),
        10,
    )

    def number(multiple: int) -> float:
        # A power of ten below 1 is no float, but dividing by its inverse rounds correctly.
        return multiple * factor * 10.0**power if power >= 0 else multiple * factor / 10.0**-power

    first, last = (math.floor(end / number(1)) for end in (low, high))
    found = dict.fromkeys(map(number, range(first, last + 2)))
    return [tick for tick in found if low <= tick <= high] or [low]


def tick_labels(numbers: Sequence[float]) -> tuple[dict[float, str], str]:
    """Write the numbers of an axis, all to the same place.

    Returns
    -------
    labels
        The text of each number.
    factor
        What all of them are multiplied by, such as ``× 10⁻⁵``, for the title of the axis; nothing
        where they are written as they are, or in thousands (k) or millions (M).
    """
    largest = max(map(abs, numbers))
    unit, mark = next(
        ((unit, mark) for least, unit, mark in _UNITS if largest >= least), (None, "")
    )
    factor = ""
    if largest == 0:
        unit = 1.0
    elif unit is None:
        exponent = max(math.floor(math.log10(largest)), -300)
        unit, factor = 10.0**exponent, f"× {power_of_ten(exponent)}"
    scaled = [number / unit for number in numbers]
    step = min((b - a for a, b in pairwise(scaled)), default=abs(scaled[0]))
    # As many places as tell a hundredth of a step.
    most = min(max(2 - math.floor(math.log10(step)), 0), 17) if step > 0 else 0
    places = next(
        (p for p in range(most) if all(abs(s - round(s, p)) < step / 100 for s in scaled)), most
    )
    texts = [f"{number:z,.{places}f}" for number in scaled]
    labels = {
        number: text.replace(",", NARROW_SPACE).replace("-", MINUS) + mark * (number != 0)
        for number, text in zip(numbers, texts, strict=True)
    }
    if 0 in labels:
        labels[0] = "0"
    return labels, factor


class Drawing:
    """Marks on a plot of `width` × `height` pixels with margins around it.

    Each method that draws puts its marks over those that are there.
    """

    def __init__(
        self, width: float, height: float, *, left: float, right: float, top: float, bottom: float
    ) -> None:
        self._corner = (-left, -top)
        self._size = (left + width + right, top + height + bottom)
        self._groups: list[tuple[dict[str, str | None], str]] = []

    def bars(self, boxes: Iterable[tuple[float, float, float, float]], colour: str) -> None:
        """Draw rectangles, each from one corner (x, y) to the opposite one (x, y)."""
        marks = (
            element(
                "rect",
                x=_at(min(x0, x1)),
                y=_at(min(y0, y1)),
                width=_at(abs(x1 - x0)),
                height=_at(abs(y1 - y0)),
            )
            for x0, y0, x1, y1 in boxes
        )
        self._add(marks, fill=colour)

    def segments(
        self,
        ends: Iterable[tuple[float, float, float, float]],
        colour: str,
        width: float,
        **style: str | None,
    ) -> None:
        """Draw straight pieces, each from (x, y) to (x, y)."""
        marks = (
            element("line", x1=_at(x0), y1=_at(y0), x2=_at(x1), y2=_at(y1))
            for x0, y0, x1, y1 in ends
        )
        self._add(marks, stroke=colour, stroke_width=f"{width:g}", **style)

    def line(
        self,
        pieces: Iterable[Sequence[tuple[float, float]]],
        colour: str,
        width: float,
        **style: str | None,
    ) -> None:
        """Draw a line through points, broken between its pieces."""
        path = "".join(_path(piece) for piece in pieces)
        marks = [element("path", d=path)] if path else []
        self._add(marks, stroke=colour, stroke_width=f"{width:g}", fill="none", **style)

    def area(
        self, edges: Sequence[tuple[float, float, float]], colour: str, **style: str | None
    ) -> None:
        """Fill what lies between two lines, given at each x by two y."""
        outward = [(x, y0) for x, y0, _ in edges]
        back = [(x, y1) for x, _, y1 in reversed(edges)]
        marks = [element("path", d=f"{_path([*outward, *back])}Z")] if edges else []
        self._add(marks, fill=colour, **style)

    def points(
        self,
        places: Iterable[tuple[float, float]],
        shape: Shape,
        size: float,
        *,
        fill: str,
        stroke: str,
        width: float,
    ) -> None:
        """Draw a shape at each place."""
        marks = (outline(shape, x, y, size) for x, y in places)
        self._add(marks, fill=fill, stroke=stroke, stroke_width=f"{width:g}")

    def texts(
        self,
        labels: Iterable[tuple[float, float, str]],
        colour: str,
        size: float,
        *,
        anchor: Literal["start", "middle", "end"] = "start",
        weight: int | None = None,
        halo: bool = False,
    ) -> None:
        """Write texts, each with its middle at a height; a halo sets them off from marks below."""
        marks = (
            element("text", escape(text), x=_at(x), y=_at(y + _BASELINE * size))
            for x, y, text in labels
            if text
        )
        style = {"fill": colour, "font_size": _at(size), "text_anchor": anchor}
        if weight is not None:
            style["font_weight"] = str(weight)
        if halo:
            style |= {"stroke": "paper", "stroke_width": "4", "stroke_linejoin": "round"}
            style["paint_order"] = "stroke"
        self._add(marks, **style)

    def axis_below(
        self,
        scale: Scale,
        labels: Mapping[float, str],
        y: float,
        size: float,
        *,
        title: str,
        far: int,
    ) -> None:
        """Write the numbers of a horizontal axis below `y`, and its title `far` below."""
        placed = ((scale(number), y + 12, text) for number, text in labels.items())
        self.texts(placed, "muted", size, anchor="middle")
        middle = (scale.start + scale.end) / 2
        self.texts([(middle, y + far, title)], "muted", size, anchor="middle")

    def axis_beside(self, scale: Scale, labels: Mapping[float, str], x: float, size: float) -> None:
        """Write the numbers of a vertical axis on the left of `x`."""
        placed = ((x - 7, scale(number), text) for number, text in labels.items())
        self.texts(placed, "muted", size, anchor="end")

    def inline(self, *, name: str, title: str, description: str) -> str:
        """Return the drawing as an element to stand in a page.

        Parameters
        ----------
        name
            Prefix of the two ids inside, unique in the page.
        title, description
            What a reader who does not see the drawing is told.
        """
        return element(
            "svg",
            element("title", escape(title), id=f"{name}-title")
            + element("desc", escape(description), id=f"{name}-desc")
            + self._drawn({colour: paint(colour) for colour in LIGHT}),
            class_="tw-svg",
            role="img",
            viewBox=self._box(),
            aria_labelledby=f"{name}-title",
            aria_describedby=f"{name}-desc",
        )

    def file(self, *, title: str, description: str) -> str:
        """Return the drawing as the text of an SVG file, on light paper."""
        (x, y), (width, height) = self._corner, self._size
        paper = element(
            "rect", x=_at(x), y=_at(y), width=_at(width), height=_at(height), fill=LIGHT["paper"]
        )
        return element(
            "svg",
            element("title", escape(title))
            + element("desc", escape(description))
            + paper
            + self._drawn(LIGHT),
            xmlns="http://www.w3.org/2000/svg",
            role="img",
            width=_at(width),
            height=_at(height),
            viewBox=self._box(),
            font_family="system-ui, sans-serif",
        )

    def _add(self, marks: Iterable[str], **style: str | None) -> None:
        content = "".join(marks)
        if content:
            self._groups.append((style, content))

    def _box(self) -> str:
        return " ".join(map(_at, (*self._corner, *self._size)))

    def _drawn(self, colours: Mapping[str, str]) -> str:
        def painted(name: str, text: str | None) -> str | None:
            if text is None or text == "none" or name not in {"fill", "stroke"}:
                return text
            return colours[text]

        return "".join(
            element("g", content, **{name: painted(name, text) for name, text in style.items()})
            for style, content in self._groups
        )


def outline(shape: Shape, x: float, y: float, size: float) -> str:
    """Return a shape as an element of SVG; a circle is `size` wide, others look as large."""
    half = size / 2
    if shape == "circle":
        return element("circle", cx=_at(x), cy=_at(y), r=_at(half))
    # A square as wide as a circle looks larger.
    corners = [(x + 0.88 * half * dx, y + 0.88 * half * dy) for dx, dy in _CORNERS[shape]]
    return element("path", d=f"{_path(corners)}Z")


def _path(points: Iterable[tuple[float, float]]) -> str:
    places = "L".join(f"{_at(x)},{_at(y)}" for x, y in points)
    return f"M{places}" if places else ""


def _at(pixel: float) -> str:
    """Write a pixel to a tenth."""
    return f"{pixel:z.1f}".removesuffix(".0")

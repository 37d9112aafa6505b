"""Drawings read back: each mark with the style of its group, and the numbers of an axis."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tailwatch.report.html import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
POWER = re.compile("(?P<sign>-?)10(?P<exponent>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)")
SMALL = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@dataclass(frozen=True)
class Mark:
    """An element with its own attributes and those of its group."""

    tag: str
    given: dict[str, str]
    text: str

    @property
    def places(self) -> list[tuple[float, float]]:
        """The points that it goes through; of a circle or a text, where it stands."""
        if self.tag == "path":
            numbers = [float(number) for number in NUMBER.findall(self.given["d"])]
            return list(zip(numbers[::2], numbers[1::2], strict=True))
        at = {name: float(self.given[name]) for name in self.given if name in _PLACES}
        if self.tag == "line":
            return [(at["x1"], at["y1"]), (at["x2"], at["y2"])]
        if self.tag == "rect":
            x, y = at["x"], at["y"]
            return [(x, y), (x + at["width"], y + at["height"])]
        return [(at["cx"], at["cy"])] if self.tag == "circle" else [(at["x"], at["y"])]

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its extent."""
        xs, ys = zip(*self.places, strict=True)
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2

    @property
    def pieces(self) -> list[list[tuple[float, float]]]:
        """The parts of a broken line."""
        return [
            Mark("path", {"d": f"M{part}"}, "").places for part in self.given["d"].split("M")[1:]
        ]


_PLACES = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"}


def svgs(markup: str) -> list[ET.Element]:
    """Return the drawings of a page that are told to readers who do not see them."""
    found = re.findall(r'<svg class="tw-svg".*?</svg>', markup, re.DOTALL)
    return [ET.fromstring(svg) for svg in found]


def marks(svg: ET.Element, *, tag: str | None = None, **style: str) -> list[Mark]:
    """Return the marks of a style, from back to front; the name of a colour stands for it."""
    wanted = {
        name.replace("_", "-"): {value, paint(value), LIGHT.get(value, value)}
        for name, value in style.items()
    }
    return [
        Mark(node.tag, {**group.attrib, **node.attrib}, node.text or "")
        for group in svg.iter("g")
        for node in group
        if tag in {None, node.tag}
        and all(group.get(name) in values for name, values in wanted.items())
    ]


def paint(text: str) -> str:
    return f"var(--tw-{text}, {LIGHT[text]})" if text in LIGHT else text


def texts(svg: ET.Element) -> list[str]:
    return [mark.text for mark in marks(svg, tag="text")]


def number_of(label: str) -> float:
    """Return the number that the label of a tick, or the factor of an axis, writes."""
    plain = label.replace("\N{MINUS SIGN}", "-").replace("\N{NARROW NO-BREAK SPACE}", "")
    if power := POWER.fullmatch(plain):
        return float(f"{power['sign']}1e{power['exponent'].translate(SMALL)}")
    unit = {"k": 1e3, "M": 1e6, "%": 0.01}.get(plain[-1], 1.0)
    return float(plain.rstrip("kM%")) * unit


def linear(ticks: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """Return the number of a pixel, from the pixels and numbers of ticks on a linear axis."""
    (pixel, number), (last_pixel, last_number) = ticks[0], ticks[-1]
    slope = (last_number - number) / (last_pixel - pixel)
    for other, written in ticks:
        assert math.isclose(number + slope * (other - pixel), written, abs_tol=abs(slope) * 0.11)
    return lambda at: number + slope * (at - pixel)


def colours(svg: ET.Element) -> set[str]:
    """Return all colours in which a drawing paints."""
    painted = [node.get(name, "none") for node in svg.iter() for name in ("fill", "stroke")]
    return set(painted) - {"none", "transparent"}


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)

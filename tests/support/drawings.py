"""What a drawing shows: its colours, their contrast, and where its marks stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

__all__ = ["colours", "contrast", "place"]


def colours(svg: ET.Element) -> set[str]:
    painted = [node.get(name, "none") for node in svg.iter() for name in ("fill", "stroke")]
    return set(painted) - {"none", "transparent"}


def place(node: ET.Element) -> float:
    """Return how far right of the plot's left edge a mark stands."""
    return float(re.findall(r"-?[\d.]+", node.get("transform", ""))[0])


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)

"""The arms of a page, one per run, told apart by a colour and by a shape of marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailwatch.report.html import element, escape
from tailwatch.report.palette import LINES
from tailwatch.report.svg import outline

if TYPE_CHECKING:
    import polars as pl

    from tailwatch.report.svg import Shape

__all__ = ["MOST_ARMS", "Arm", "arms_of", "swatch"]

_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle-up", "diamond", "triangle-down")

MOST_ARMS = len(LINES) * len(_SHAPES)
"""As many differ in colour or shape: the two lists have no common divisor."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A run among those that are drawn together; `colour` is a name of the palette."""

    name: str
    place: int
    colour: str
    shape: Shape


def arms_of(frame: pl.DataFrame) -> list[Arm]:
    """Return the arms of a frame, in the order in which its runs first appear."""
    names = frame["run"].unique(maintain_order=True).to_list()
    return [
        Arm(name, place, LINES[place % len(LINES)], _SHAPES[place % len(_SHAPES)])
        for place, name in enumerate(names[:MOST_ARMS])
    ]


def swatch(arm: Arm) -> str:
    """Return a short piece of the line of an arm, and its name."""
    line = element("path", d="M-8,6h28", stroke="currentColor", stroke_width="2")
    key = element(
        "svg",
        line + element("g", outline(arm.shape, 6, 6, 8), fill="currentColor"),
        class_="tw-key",
        viewBox="-8 0 28 12",
        aria_hidden="true",
        style=f"color:var(--tw-{arm.colour})",
    )
    return f"{key}{escape(arm.name)}"

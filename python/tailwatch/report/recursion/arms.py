"""The arms of a page, one per run, told apart by a colour and by a shape of marker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailwatch.report.escaping import escape
from tailwatch.report.palette import LINES

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_ARMS", "Arm", "Shape", "arms_of", "swatch"]

Shape = Literal["circle", "square", "triangle-up", "diamond", "triangle-down"]

_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle-up", "diamond", "triangle-down")

MOST_ARMS = len(LINES) * len(_SHAPES)
"""As many differ in colour or shape: the two lists have no common divisor."""

# What Vega draws for each shape, in a box of 12 × 12.
_PATHS: dict[Shape, str] = {
    "circle": "M6,2.5a3.5,3.5 0 1 0 0.01,0Z",
    "square": "M3,3h6v6h-6Z",
    "triangle-up": "M6,2L10,9.5H2Z",
    "diamond": "M6,1.5L10,6L6,10.5L2,6Z",
    "triangle-down": "M6,10L10,2.5H2Z",
}


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
    return (
        '<svg class="tw-key" viewBox="-8 0 28 12" aria-hidden="true" '
        f'style="color:var(--tw-{arm.colour})">'
        f'<path d="M-8,6h28" stroke="currentColor" stroke-width="2"></path>'
        f'<path d="{_PATHS[arm.shape]}" fill="currentColor"></path></svg>{escape(arm.name)}'
    )

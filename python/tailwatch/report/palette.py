"""The colours of a page, once for light and once for dark paper.

What is drawn names its colours, and :func:`paint` gives the CSS variable of a name, so that one
drawing serves both papers. ``worse`` and ``beyond`` are an orange and a blue that stay apart under
every common colour-vision deficiency, and no mark relies on colour alone.

The colours of :data:`LINES` tell lines in one chart apart. They were searched for so that any two
keep a distance of 0.1 in OKLab (Ottosson 2020) as they are and as dichromats see them (Machado,
Oliveira & Fernandes 2009, severity 1), and a contrast of 3 to paper and band.
"""

from __future__ import annotations

__all__ = ["DARK", "LIGHT", "LINES", "css_variables", "paint"]

LIGHT = {
    "paper": "#fdfdfb",
    "ink": "#1b1e22",
    "muted": "#5d636b",
    "line": "#e4e3de",
    "band": "#e2e4e6",
    "worse": "#b8430b",
    "beyond": "#1c62ab",
    "azure": "#167afa",
    "rust": "#b24b0a",
    "jade": "#1e7a64",
    "violet": "#8613b9",
    "wine": "#8d1a1c",
    "slate": "#444d5e",
}

DARK = {
    "paper": "#14171a",
    "ink": "#eceae5",
    "muted": "#a3a8ae",
    "line": "#2b3035",
    "band": "#343a41",
    "worse": "#ff9a5c",
    "beyond": "#82b9f5",
    "azure": "#5a84d4",
    "rust": "#f99603",
    "jade": "#84d39c",
    "violet": "#d9a5fb",
    "wine": "#f14442",
    "slate": "#95a0aa",
}

LINES = ("azure", "rust", "jade", "violet", "wine", "slate")
"""Colours for lines of one chart, in this order."""


def css_variables(palette: dict[str, str]) -> str:
    """Return the declarations ``--tw-name: colour;`` of a palette."""
    return " ".join(f"--tw-{name}: {colour};" for name, colour in palette.items())


def paint(name: str) -> str:
    """Return the variable of a colour, which is the light one where no style sheet sets it."""
    return f"var(--tw-{name}, {LIGHT[name]})"

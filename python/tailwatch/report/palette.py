"""The colours of a page, once for light and once for dark paper.

Charts are drawn in the light colours; :func:`themed` then replaces each of them by the CSS variable
of the same name, so that one drawing serves both. ``worse`` and ``beyond`` are an orange and a blue
that stay apart under every common colour-vision deficiency, and no mark relies on colour alone.
"""

from __future__ import annotations

__all__ = ["DARK", "LIGHT", "css_variables", "themed"]

LIGHT = {
    "paper": "#fdfdfb",
    "ink": "#1b1e22",
    "muted": "#5d636b",
    "line": "#e4e3de",
    "band": "#e2e4e6",
    "worse": "#b8430b",
    "beyond": "#1c62ab",
}

DARK = {
    "paper": "#14171a",
    "ink": "#eceae5",
    "muted": "#a3a8ae",
    "line": "#2b3035",
    "band": "#343a41",
    "worse": "#ff9a5c",
    "beyond": "#82b9f5",
}


def css_variables(palette: dict[str, str]) -> str:
    """Return the declarations ``--tw-name: colour;`` of a palette."""
    return " ".join(f"--tw-{name}: {colour};" for name, colour in palette.items())


def themed(svg: str) -> str:
    """Return `svg` with each light colour replaced by its variable, itself the fallback."""
    for name, colour in LIGHT.items():
        svg = svg.replace(f'"{colour}"', f'"var(--tw-{name}, {colour})"')
    return svg

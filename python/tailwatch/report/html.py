"""HTML as text, and its colours: the one place through which names come into a page.

What is passed as *text* is escaped here; what is passed as HTML was made here, or by a function
that made it here. A page holds no control character, no lone surrogate and no character that XML
lacks, nor one that would turn the direction of the text around it.

What is drawn names its colours, once for light and once for dark paper, and :func:`paint` gives the
CSS variable of a name, so that one drawing serves both. ``worse`` and ``beyond`` are an orange and
a blue that stay apart under every common colour-vision deficiency, and no mark relies on colour
alone. The colours of :data:`LINES` tell lines in one chart apart. They were searched for so that
any two keep a distance of 0.1 in OKLab (Ottosson 2020) as they are and as dichromats see them
(Machado, Oliveira & Fernandes 2009, severity 1), and a contrast of 3 to paper and band.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "DARK",
    "LIGHT",
    "LINES",
    "SWATCH",
    "css_variables",
    "data_table",
    "details",
    "element",
    "escape",
    "legend",
    "paint",
    "scrolling_table",
]

SWATCH = '<span class="tw-swatch" aria-hidden="true"></span>'
"""The sign of a band in a legend."""


def escape(text: str) -> str:
    """Return text as HTML, its hidden characters as visible escapes."""
    return html.escape(visible(text))


def element(tag: str, content: str | None = None, **attributes: str | None) -> str:
    """Return an element.

    Parameters
    ----------
    tag
        Its name.
    content
        HTML; None for an element that closes itself, as those of a drawing do.
    **attributes
        Text by name, an underscore for each hyphen; without those that are None.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given}/>" if content is None else f"<{tag}{given}>{content}</{tag}>"


def data_table(heads: str, groups: Iterable[str], *, kind: str, caption: str = "") -> str:
    """Return a table that stays one for screen readers where the style sheet makes cards of rows.

    Parameters
    ----------
    heads
        The cells of its head, as HTML.
    groups
        Its rows as HTML, group by group.
    kind
        Its class.
    caption
        Text above it.
    """
    above = element("caption", escape(caption)) if caption else ""
    head = element("thead", element("tr", heads, role="row"), role="rowgroup")
    bodies = "".join(element("tbody", rows, role="rowgroup") for rows in groups)
    return element("table", above + head + bodies, class_=kind, role="table")


def scrolling_table(
    heads: Sequence[str], rows: str, *, label: str, kind: str = "tw-classes", caption: str = ""
) -> str:
    """Return a table that scrolls sideways where it is wider than its page.

    Parameters
    ----------
    heads
        The content of each cell of its head, as HTML.
    rows
        Its rows, as HTML.
    label
        What it is, as text, for readers who do not see it.
    kind
        Its class.
    caption
        Text above it.
    """
    above = element("caption", escape(caption)) if caption else ""
    columns = "".join(element("th", head, scope="col") for head in heads)
    table = element(
        "table",
        f"{above}<thead><tr>{columns}</tr></thead><tbody>{rows}</tbody>",
        class_=kind,
    )
    return element("div", table, class_="tw-scroll", tabindex="0", role="region", aria_label=label)


def legend(items: Iterable[str]) -> str:
    """Return the signs of a drawing with their words; each of `items` is HTML."""
    return element("ul", "".join(element("li", item) for item in items), class_="tw-legend")


def details(summary: str, body: str) -> str:
    """Return HTML to unfold under `summary`, which is text."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


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

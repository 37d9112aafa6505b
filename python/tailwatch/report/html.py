"""HTML as text: the one place through which names and sentences come into a page.

What is passed as *text* is escaped here; what is passed as HTML was made here, or by a function
that made it here. A page holds no control character, no lone surrogate and no character that XML
lacks, nor one that would turn the direction of the text around it.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from tailwatch.text_form import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["SWATCH", "data_table", "details", "element", "escape", "legend", "scrolling_table"]

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

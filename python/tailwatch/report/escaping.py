"""Text as HTML: the one place through which names and sentences come into a page."""

from __future__ import annotations

import html

from tailwatch.text_form import visible

__all__ = ["escape"]


def escape(text: str) -> str:
    """Return text as HTML, hidden characters in it as visible escapes.

    Controls, lone surrogates and characters that XML lacks are in no page; nor is what would turn
    the direction of the text around it.
    """
    return html.escape(visible(text))

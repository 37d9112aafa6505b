"""Tables of shares: a page's own, plain form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tailwatch.report.html import escape
from tailwatch.report.numbers import ABSENT

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cell", "spaced", "table", "written", "written_interval"]

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


def table(heads: Sequence[str], body: str, caption: str, *, numbers: bool = True) -> str:
    """Return a table; `body` holds its rows as HTML, the others are text.

    With `numbers`, these stand in all columns but the first.
    """
    kinds = ["tw-text", *["tw-number" if numbers else "tw-text"] * (len(heads) - 1)]
    cells = "".join(
        f'<th role="columnheader" scope="col" class="{kind}">{escape(head)}</th>'
        for head, kind in zip(heads, kinds, strict=True)
    )
    # The roles keep it a table for screen readers where the style sheet turns its rows into cards.
    return (
        f'<table class="tw-table" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def cell(label: str, text: str) -> str:
    """Return a cell of a number under the head `label`."""
    return f'<td role="cell" data-label="{escape(label)}" class="tw-number">{text}</td>'


def spaced(text: str) -> str:
    """Write the numbers in a text as the page writes them: 12 345 for 12,345."""
    return _THOUSANDS.sub("\N{NARROW NO-BREAK SPACE}", text)


def written(share: float | None) -> str:
    """Write a share to a hundredth of a percent, from 10 % on to a tenth."""
    if share is None:
        return ABSENT
    return f"{100 * share:.{1 if share >= 0.1 else 2}f}\N{NARROW NO-BREAK SPACE}%"


def written_interval(low: float | None, high: float | None) -> str:
    """Write an interval of shares."""
    if low is None or high is None:
        return ABSENT
    return f"[{written(low)}, {written(high)}]"

"""Tables of shares: a page's own, plain form."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tailwatch.report.numbers import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["cell", "table", "written", "written_interval"]


def table(heads: Iterable[str], body: str, caption: str) -> str:
    """Return a table; `body` holds its rows as HTML, the others are text."""
    cells = "".join(f'<th role="columnheader" scope="col">{escape(head)}</th>' for head in heads)
    # The roles keep it a table for screen readers where the style sheet turns its rows into cards.
    return (
        f'<table class="tw-table" role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{cells}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def cell(label: str, text: str) -> str:
    """Return a cell of a number under the head `label`."""
    return f'<td role="cell" data-label="{escape(label)}" class="tw-number">{text}</td>'


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

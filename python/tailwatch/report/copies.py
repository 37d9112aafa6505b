"""The part of a contamination page about copies: of each other, and of given rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.html import escape
from tailwatch.report.numbers import count
from tailwatch.report.shares import cell, table, written

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["copies_section"]


def copies_section(copies: dict[str, Any]) -> str:
    """Return words and a table of counts.

    Parameters
    ----------
    copies
        The field ``copies`` of ``summary.json``.
    """
    body = "".join(
        f'<tr role="row"><th role="rowheader" scope="row">{escape(name)}'
        f'<span class="tw-small">{escape(what)}</span></th>'
        f"{cell('Rows', count(rows))}{cell('Share', written(rows / copies['rows']))}</tr>"
        for name, what, rows in _counts(copies)
    )
    caption = "Counts of all rows, so they have no interval."
    text = "".join(f"<p>{escape(sentence)}</p>" for sentence in _words(copies))
    return text + table(("Copies", "Rows", "Share"), body, caption)


def _counts(copies: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield name, description and number of rows."""
    yield "Repeated", "rows of which there is another copy in the target", copies["repeated"]
    yield "Redundant", "rows that go if each is kept once", copies["rows"] - copies["different"]
    yield "Largest group", "copies of one row", copies["most"]
    of = copies["of"]
    if of is not None:
        yield "Exact copies of the given rows", "at distance 0 from one of them", of["exact"]
        near = f"at a distance of up to {of['distance']:.3g}, but not 0"
        yield "Near copies of the given rows", near, of["near"]


def _words(copies: dict[str, Any]) -> Iterator[str]:
    yield (
        "Copies of each other are exact: rows of one type that are equal in every bit, told by a "
        "64-bit hash. Text from a template gives many."
    )
    of = copies["of"]
    if of is None:
        yield (
            "Copies of a reference were not looked for; copies_of, or --copies-of, names the rows."
        )
    else:
        yield (
            f"Copies of {count(of['rows'])} given rows were looked for, by the exact distance to "
            "the nearest of them."
        )

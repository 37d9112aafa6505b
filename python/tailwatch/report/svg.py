"""From an Altair chart to SVG that can stand inside a page: no network, both themes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tailwatch.exceptions import OutputError
from tailwatch.report.drawer import svg_of
from tailwatch.report.escaping import escape
from tailwatch.report.palette import themed
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from typing import Any

    import altair as alt

__all__ = ["inline_svg"]

_DRAWING = re.compile(r'<svg[^>]* viewBox="(?P<box>[^"]+)"[^>]*>(?P<body>.*)</svg>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
# Roles and classes inside an image are seen by nobody; the font is the page's.
_SURPLUS = re.compile(r' (?:font-family|class|role|pointer-events|aria-[a-z]+)="[^"]*"')
_LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}")


def inline_svg(
    chart: alt.LayerChart | dict[str, Any], *, name: str, title: str, description: str
) -> str:
    """Render `chart` as an ``<svg>`` element.

    Parameters
    ----------
    chart
        The chart, or its Vega-Lite specification, drawn in the colours of
        :data:`tailwatch.report.palette.LIGHT`.
    name
        Prefix of the two ids inside, unique in the page.
    title, description
        What a reader who does not see the chart is told.

    Returns
    -------
    str
        The element, without XML namespaces (HTML implies them) and without fonts (the page has
        its own).
    """
    # That our charts are valid is what a test checks: it takes a third of the time of a page.
    specification = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    svg = svg_of(specification)
    drawing = _DRAWING.search(svg)
    if drawing is None:
        problem = "vl-convert returned no SVG element with a viewBox"
        raise OutputError(problem, argument="report page", got=shown(svg))
    inner = _TAG.sub(lambda tag: _slim(tag[0]), drawing["body"])
    return (
        f'<svg class="tw-svg" role="img" viewBox="{drawing["box"]}" '
        f'aria-labelledby="{name}-title" aria-describedby="{name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(description)}</desc>'
        f"{themed(inner)}</svg>"
    )


def _slim(tag: str) -> str:
    """Return a tag without surplus attributes, its coordinates to a hundredth of a pixel."""
    return _LONG_DECIMAL.sub(lambda number: f"{float(number[0]):.2f}", _SURPLUS.sub("", tag))

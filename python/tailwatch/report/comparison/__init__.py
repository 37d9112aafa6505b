"""Pages of a comparison.

:mod:`.page` is that of all rows, :mod:`.classes` that by class; :mod:`.readings` makes a reading of
each row of a frame, which :mod:`.charts` draws, and the table of them.
"""

from __future__ import annotations

from tailwatch.report.comparison.classes import classes_fragment, classes_page
from tailwatch.report.comparison.page import comparison_fragment, comparison_page

__all__ = ["classes_fragment", "classes_page", "comparison_fragment", "comparison_page"]

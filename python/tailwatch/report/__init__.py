"""Pages and notebook views: pure functions of a frame and its metadata; no metric is imported."""

from __future__ import annotations

from tailwatch.report.classes import classes_fragment, classes_page
from tailwatch.report.comparison import comparison_fragment, comparison_page

__all__ = ["classes_fragment", "classes_page", "comparison_fragment", "comparison_page"]

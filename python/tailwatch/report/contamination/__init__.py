"""The page of a scoring job: :mod:`.page`; its charts, of scores and of groups: :mod:`.charts`."""

from __future__ import annotations

from tailwatch.report.contamination.page import contamination_fragment, contamination_page

__all__ = ["contamination_fragment", "contamination_page"]

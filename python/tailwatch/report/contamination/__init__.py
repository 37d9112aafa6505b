"""The page of a scoring job: :mod:`.page`; its chart of the scores: :mod:`.scores`."""

from __future__ import annotations

from tailwatch.report.contamination.page import contamination_fragment, contamination_page

__all__ = ["contamination_fragment", "contamination_page"]

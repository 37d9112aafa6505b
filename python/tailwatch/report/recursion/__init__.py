"""The page of a loop: pure functions of the frames of one run, or of several side by side."""

from __future__ import annotations

from tailwatch.report.recursion.page import run_fragment, run_page
from tailwatch.report.recursion.sentence import sentence_of_loop

__all__ = ["run_fragment", "run_page", "sentence_of_loop"]

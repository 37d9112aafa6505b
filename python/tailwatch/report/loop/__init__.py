"""The page of a loop: pure functions of the frames of one run, or of several side by side.

:mod:`.sentence` has the finding in words, :mod:`.verdicts` the tables, and
:mod:`.words` what metrics of a loop are called. :mod:`.plots` makes plots of a frame, which
:mod:`.drawing` draws and :mod:`.panels` sets side by side; :mod:`.page` puts all of it together.
"""

from __future__ import annotations

from tailwatch.report.loop.page import run_fragment, run_page
from tailwatch.report.loop.sentence import sentence_of_loop
from tailwatch.report.loop.words import stop_in_words

__all__ = ["run_fragment", "run_page", "sentence_of_loop", "stop_in_words"]

"""Pages and notebook views: pure functions of frames and metadata; no metric is imported.

=====================  ===========================================================================
:mod:`.html`           text as HTML, tables, legends, colours: the one place that escapes
:mod:`.words`          what each metric is called and means; numbers as text, with intervals
:mod:`.svg`            drawings: scales, ticks, marks
:mod:`.page`           the frame of a page, and of a part of it in a notebook
:mod:`.findings`       findings as a table of a page, as Markdown, and as a JUnit report
:mod:`.comparison`     pages of a comparison, of all rows or by class
:mod:`.contamination`  the page of a scoring job
:mod:`.loop`           the page of a loop, or of several side by side
:mod:`.detection`      the page of a study of detectors
:mod:`.observation`    the page of observed models: a training that is watched, models side by side
:mod:`.altair_charts`  results as Altair charts, which no page needs
=====================  ===========================================================================
"""

from __future__ import annotations

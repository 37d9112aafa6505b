"""The document of the metrics is what the registry says."""

from __future__ import annotations

import re

from benches.metrics_table import DOCUMENT, SECTIONS, document
from tailwatch.comparison.registry import METRICS


def test_the_document_is_the_one_made_from_the_registry() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


def test_every_section_has_a_row_for_each_metric_and_as_many_cells_as_its_head() -> None:
    sections = document().split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == list(SECTIONS)
    for section, columns in zip(sections, SECTIONS.values(), strict=True):
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(METRICS)
        assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {len(columns) + 2}

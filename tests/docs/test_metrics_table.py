"""The document of the metrics is what the registry says."""

from __future__ import annotations

import math
import re

from benches.metrics_table import DOCUMENT, SECTIONS, WITHOUT_ROWS, document
from tailwatch.comparison.metrics.directions import DirectionalTails
from tailwatch.comparison.metrics.moments import MomentMetrics, Vendi
from tailwatch.comparison.registry import METRICS


def test_the_document_is_the_one_made_from_the_registry() -> None:
    assert DOCUMENT.read_text("utf-8") == document()


def test_every_section_has_a_row_for_each_metric_and_as_many_cells_as_its_head() -> None:
    tables = document().removesuffix(WITHOUT_ROWS)
    sections = tables.split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == list(SECTIONS)
    for section, columns in zip(sections, SECTIONS.values(), strict=True):
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == list(METRICS)
        assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {len(columns) + 2}


def test_the_sizes_of_files_without_rows_are_those_of_their_shapes() -> None:
    def size(family: type[MomentMetrics | Vendi | DirectionalTails], *names: str) -> int:
        shapes = family.shapes(frozenset(names), d)
        return 8 * sum(math.prod(shape) for shape in shapes.values())

    d = 512
    # Besides means and covariances, the nulls of four metrics and three numbers of a tail.
    besides = 8 * (4 * 31 + 3)
    found = {
        "1,016": size(MomentMetrics, "total_variance"),
        "248": size(Vendi, "vendi_score"),
        "128·d² + 384·d": size(MomentMetrics, "frechet_distance") - besides,
        "248·d² + 744·d": size(MomentMetrics, "frechet_distance_extrapolated") - besides,
        "4,096·d + 262,392": size(DirectionalTails, "directional_tails"),
    }
    rows = [line for line in WITHOUT_ROWS.splitlines() if line.startswith("| ")][1:6]
    assert [row.split("|")[3].strip() for row in rows] == list(found)
    for text, bytes_found in found.items():
        formula = text.replace(",", "").replace("·d²", "*d*d").replace("·d", "*d")
        assert eval(formula, {"d": d}) == bytes_found, text
    assert f"{DirectionalTails.LEAST_ROWS:,} rows" in WITHOUT_ROWS

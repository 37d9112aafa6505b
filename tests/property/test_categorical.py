"""Laws of counts: symmetry, bounds, names that do not matter, merging that cannot add distance."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tailwatch.metrics import categorical

Table = dict[int, int]

counts = st.integers(0, 30) | st.integers(0, 2**40)
tables = st.dictionaries(st.integers(0, 12), counts, min_size=1, max_size=9).filter(
    lambda table: sum(table.values()) > 0
)
small = st.dictionaries(st.integers(0, 12), st.integers(0, 40), min_size=1, max_size=9).filter(
    lambda table: sum(table.values()) > 1
)
DISTANCES = {
    "total_variation": 1.0,
    "jensen_shannon": math.log(2.0),
    "hellinger": 1.0,
}
ROUNDING = 1e-12


def distances(x: Table, y: Table) -> list[float]:
    return [getattr(categorical, name)(x, y) for name in DISTANCES]


@given(tables, tables)
def test_bounds_and_symmetry(x: Table, y: Table) -> None:
    there, back = distances(x, y), distances(y, x)
    # The square root in Hellinger's distance makes 1e-8 of a rounding of 1e-16.
    assert there == pytest.approx(back, rel=1e-9, abs=1e-7)
    for value, most in zip(there, DISTANCES.values(), strict=True):
        assert 0.0 <= value <= most
    assert categorical.kl_divergence(x, y) >= 0.0
    assert 0.0 <= categorical.kl_divergence(x, y, smoothing=0.5) < math.inf


@given(tables, st.integers(1, 1000))
def test_a_table_is_at_0_from_its_multiples(x: Table, times: int) -> None:
    assert distances(x, x) == [0.0, 0.0, 0.0]
    more = {kind: times * count for kind, count in x.items()}
    assert distances(x, more) == pytest.approx([0.0, 0.0, 0.0], abs=1e-7)
    assert categorical.kl_divergence(x, x) == 0.0
    assert categorical.entropy(more) == pytest.approx(categorical.entropy(x), abs=ROUNDING)


@given(tables)
def test_tables_without_a_common_type_are_as_far_as_can_be(x: Table) -> None:
    moved = {kind + 100: count for kind, count in x.items()}
    assert distances(x, moved) == pytest.approx(list(DISTANCES.values()), rel=1e-14)
    assert categorical.kl_divergence(x, moved) == math.inf


@given(small, small, st.permutations(range(13)))
@settings(max_examples=40)
def test_names_do_not_matter(x: Table, y: Table, names: list[int]) -> None:
    renamed = [{f"type {names[kind]}": n for kind, n in table.items()} for table in (x, y)]
    assert distances(*renamed) == distances(x, y)
    assert categorical.kl_divergence(*renamed) == categorical.kl_divergence(x, y)
    assert categorical.type_coverage(*renamed).equals(categorical.type_coverage(x, y))
    assert categorical.chi_square(*renamed) == categorical.chi_square(x, y)
    assert categorical.compare_counts(*renamed, replicates=20).equals(
        categorical.compare_counts(x, y, replicates=20)
    )
    for measure in (categorical.entropy, categorical.gini_simpson, categorical.missing_mass):
        assert measure(renamed[0]) == measure(x)


@given(tables, tables, st.integers(1, 6))
def test_merging_types_adds_no_distance(x: Table, y: Table, kept: int) -> None:
    merged = []
    for table in (x, y):
        coarse: Table = {}
        for kind, count in table.items():
            coarse[kind % kept] = coarse.get(kind % kept, 0) + count
        merged.append(coarse)
    for fine, coarse in zip(distances(x, y), distances(*merged), strict=True):
        assert coarse <= fine + 1e-7
    assert categorical.entropy(merged[0]) <= categorical.entropy(x) + ROUNDING


@given(tables, tables)
def test_inequalities_between_distances(x: Table, y: Table) -> None:
    total, shannon, hellinger = distances(x, y)
    assert hellinger**2 <= total + ROUNDING
    assert total <= math.sqrt(2.0) * hellinger + ROUNDING
    # Lin 1991, and Pinsker's inequality for either half.
    assert shannon <= math.log(2.0) * total + ROUNDING
    assert shannon >= total**2 / 2.0 - ROUNDING


@given(tables)
def test_bounds_of_indices(x: Table) -> None:
    types = sum(count > 0 for count in x.values())
    entropy = categorical.entropy(x)
    assert 0.0 <= entropy <= math.log(types) + ROUNDING
    assert categorical.entropy(x, correction="miller-madow") >= entropy
    # Coverage takes from the shares what it adds to the types; both stay entropies of something.
    assert categorical.entropy(x, correction="chao-shen") >= 0.0
    assert 0.0 <= categorical.gini_simpson(x) <= 1.0 - 1.0 / types + ROUNDING
    for found in (entropy, categorical.gini_simpson(x), categorical.missing_mass(x)):
        assert found.low <= found <= found.high
        assert found.standard_error >= 0.0


@given(small, st.data())
def test_more_labels_show_no_fewer_types(x: Table, data: st.DataObject) -> None:
    n, types = sum(x.values()), sum(count > 0 for count in x.values())
    size = data.draw(st.integers(1, n))
    rarefied = categorical.rarefaction(x, size)
    assert 1.0 - ROUNDING <= rarefied <= min(types, size) + ROUNDING
    assert rarefied <= categorical.rarefaction(x, n) + ROUNDING == types + ROUNDING
    # Drawing with replacement repeats labels that drawing without does not.
    assert categorical.expected_types(x, size) <= rarefied + ROUNDING


@given(small, small)
def test_coverage_is_a_share(x: Table, y: Table) -> None:
    frame = categorical.type_coverage(x, y, levels=(0.5, 0.1))
    for column in ("coverage", "low", "high", "null", "null_low", "null_high"):
        assert frame[column].is_between(0.0, 1.0).all()
    assert (frame["low"] <= frame["coverage"]).all()
    assert (frame["coverage"] <= frame["high"]).all()
    same = categorical.type_coverage(x, x, levels=(0.5, 0.1))
    assert (same["coverage"] == 1.0).all()


@given(small, small)
def test_p_values(x: Table, y: Table) -> None:
    assume(sum(y.values()) < 60)
    found = categorical.chi_square(x, y)
    assert found.statistic >= 0.0
    assert 0.0 < found.p_value <= 1.0
    assert categorical.chi_square(x, x).p_value == 1.0

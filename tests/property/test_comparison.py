"""What holds of every comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch.comparison.estimates import Estimate, HalfSamples
from tailwatch.comparison.intervals import intervals_of
from tailwatch.comparison.metrics.neighbors import odds_ratio
from tests.support import samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
NEIGHBORS = ["precision", "recall", "density", "coverage", "tail_mass", "tail_odds_ratio"]


def numbers(frame: pl.DataFrame) -> list[Any]:
    return frame.select(pl.col(pl.Float64)).rows()


@FEW
@given(seed=st.integers(0, 2**63 - 1), power=st.integers(-30, 30), columns=st.integers(1, 6))
@example(seed=2**63 - 1, power=0, columns=1)
def test_the_unit_of_measurement_does_not_matter(seed: int, power: int, columns: int) -> None:
    # Powers of two are exact: neighbours, and shares that come of them, have the same bits.
    x, y = samples.gaussian(1, 160, columns), samples.gaussian(2, 90, columns)
    frames = [
        tw.compare(unit * x, unit * y, metrics=NEIGHBORS, seed=seed, threads=2).frame
        for unit in (1.0, 2.0**power)
    ]
    assert frames[0].equals(frames[1])


@FEW
@given(seed=st.integers(0, 1000), shift=st.integers(-1000, 1000))
def test_place_does_not_matter(seed: int, shift: int) -> None:
    # On a dyadic grid differences are exact, wherever the rows lie.
    x, y = samples.dyadic(seed, 160, 3), samples.dyadic(seed + 1, 90, 3)
    frames = [
        tw.compare(x + by, y + by, metrics=NEIGHBORS, threads=2).frame for by in (0.0, float(shift))
    ]
    assert frames[0].equals(frames[1])


@FEW
@given(
    order=st.permutations(range(4)),
    signs=st.tuples(*[st.sampled_from([-1.0, 1.0])] * 4),
)
def test_names_and_signs_of_columns_do_not_matter(
    order: list[int], signs: tuple[float, ...]
) -> None:
    x, y = samples.dyadic(1, 160, 4), samples.dyadic(2, 90, 4)
    plain = tw.compare(x, y, metrics=NEIGHBORS, threads=2).frame
    turned = [(z * signs)[:, order] for z in (x, y)]
    assert tw.compare(*turned, metrics=NEIGHBORS, threads=2).frame.equals(plain)


@FEW
@given(n=st.integers(128, 300), m=st.integers(64, 300), seed=st.integers(0, 100))
def test_all_three_samples_have_as_many_rows(n: int, m: int, seed: int) -> None:
    found = tw.compare(
        samples.gaussian(1, n, 2), samples.gaussian(2, m, 2), metrics=["recall"], seed=seed
    )
    (row,) = found.frame.to_dicts()
    assert row["n_reference"] == row["n_candidate"] == min(n // 2, m)
    assert (row["n_reference_all"], row["n_candidate_all"]) == (n, m)


@st.composite
def counts(draw: st.DrawFn, total: int) -> NDArray[np.float64]:
    """Shares of a whole of `total` rows and of 30 halves, as counts give them."""
    whole = draw(st.integers(0, total))
    halves = draw(
        st.lists(st.integers(0, total // 2), min_size=30, max_size=30) | st.just([whole // 2] * 30)
    )
    return np.array([whole / total, *(2 * np.array(halves) / total)])


@given(values=counts(120), nulls=counts(120), level=st.sampled_from([None, 0.01, 0.1, 0.25]))
def test_intervals_of_any_counts_hold_their_estimates(
    values: NDArray[np.float64], nulls: NDArray[np.float64], level: float | None
) -> None:
    def identity(counted: NDArray[np.float64]) -> NDArray[np.float64]:
        return counted

    def odds(counted: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = round(60 / (level or 0.5))
        return odds_ratio(counted, tail=120, reference=rows, candidate=rows)

    present = identity if level is None else odds
    error = HalfSamples(values, nulls, "share", 120, present=present)
    value, null = (float(present(counted[:1])[0]) for counted in (values, nulls))
    found = intervals_of(Estimate("any", level, value, null, error), "match", 0.95)
    for (low, high), middle in ((found.value, value), (found.null, null)):
        assert low is not None
        assert high is not None
        assert 0 <= low <= middle <= high
    if found.retention is not None and found.retained[0] is not None:
        assert found.retained[0] <= found.retention <= found.retained[1]  # type: ignore[operator]
    assert found.retention is None or not np.isnan(found.retention)


@FEW
@given(
    seed=st.integers(0, 1000),
    rows=st.integers(64, 80),
    power=st.integers(-40, 40),
    shift=st.sampled_from([0.0, 1.0, -1e6]),
    step=st.sampled_from([None, 0.5, 4.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_no_null_depends_on_the_candidate(
    seed: int, rows: int, power: int, shift: float, step: float | None, dtype: type
) -> None:
    # Of every metric: the null is that of the human data, the seed and the size alone.
    human = samples.gaussian(seed, 160, 3)
    other = samples.gaussian(seed + 1, rows, 3)
    if step is not None:
        human, other = (step * np.round(x / step) for x in (human, other))
    moved = (other * 2.0**power + shift).astype(dtype)
    nulls = [
        tw.compare(human, candidate, metrics="all", seed=seed).frame.select(
            "metric", "level", "null"
        )
        for candidate in (other, moved)
    ]
    assert nulls[0].equals(nulls[1])

"""How the error of a change is known: orders of common rows, influences, kernels, intervals."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch import _core
from tailwatch.comparison.change import Change, change_frame, changes_of
from tailwatch.comparison.findings import change_findings_of
from tailwatch.comparison.frame import rows_of
from tailwatch.comparison.halves import Candidate, common_rows, paired_orders
from tailwatch.comparison.intervals import difference_of
from tailwatch.comparison.metrics.family import Panel
from tailwatch.comparison.metrics.kernels import LEAST_ACROSS, Kernels
from tailwatch.comparison.metrics.moments import MomentMetrics
from tailwatch.comparison.metrics.neighbors import variance_of_change
from tailwatch.comparison.preparation import Preparation
from tests.support import samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.progress import Settings

SETTINGS: Settings = {"threads": 1, "progress": None}


def rows_from(array: np.ndarray) -> _core.Rows:
    return _core.Rows.from_numpy([array], "rows")


def test_equal_rows_are_paired_once_each() -> None:
    x = np.array([[1.0], [2.0], [2.0], [0.0], [5.0]])
    y = np.array([[2.0], [7.0], [-0.0], [2.0], [2.0]])
    in_x, in_y = common_rows(rows_from(x), rows_from(y), SETTINGS)
    assert (x[in_x] == y[in_y]).all()
    assert sorted(in_x) == [1, 2, 3]
    assert len(set(in_y)) == 3
    # Whatever the type.
    assert len(common_rows(rows_from(x.astype(np.float32)), rows_from(x), SETTINGS)[0]) == 5


def test_common_rows_stand_at_the_same_places_and_each_order_is_uniform() -> None:
    new = np.arange(60.0)[:, np.newaxis]
    old = np.arange(20.0, 100.0)[::-1, np.newaxis]
    size, count, alone = 30, 300, 0.0
    first, entered = np.zeros(80), np.zeros(80)
    for seed in range(count):
        of_new, of_old = paired_orders(rows_from(new), rows_from(old), size, seed, SETTINGS)
        assert sorted(of_new) == list(range(60))
        assert sorted(of_old) == list(range(80))
        c, c_old = new[of_new[:size], 0], old[of_old[:size], 0]
        both = set(c) & set(c_old)
        assert sum(c == c_old) == len(both)
        alone += len(both) / count
        first[of_old[0]] += 1
        entered[of_old[:size]] += 1
    assert (of_new == _core.sample(60, 60, count - 1, "candidate")).all()
    # 5 standard errors, for the largest of 80.
    assert abs(first - count / 80).max() < 5 * (count / 80) ** 0.5
    share = size / 80
    assert abs(entered / count - share).max() < 5 * (share * (1 - share) / count) ** 0.5
    # Of independent orders 40 · (30/60) · (30/80) = 7.5 would be common.
    assert alone > 14


def test_orders_are_those_of_each_alone_where_nothing_is_to_be_moved() -> None:
    x = np.arange(40.0)[:, np.newaxis]
    edited = x.copy()
    edited[5:9] += 0.5
    for other in (edited, x[:30] + 0.5):
        orders = paired_orders(rows_from(x), rows_from(other), 20, 3, SETTINGS)
        for order, rows in zip(orders, (x, other), strict=True):
            assert (order == _core.sample(len(rows), len(rows), 3, "candidate")).all()


def candidate(array: np.ndarray) -> Candidate:
    rows = rows_from(array)
    return Candidate(rows, rows, rows, rows)


def test_influences_are_the_slopes_by_the_weight_of_a_row() -> None:
    rows = samples.gaussian(3, 80, 4) * np.array([1.0, 2.0, 0.5, 1.5])
    family = MomentMetrics.__new__(MomentMetrics)
    found = family.influences(candidate(rows), SETTINGS)

    def metrics(weights: np.ndarray) -> list[float]:
        shares = weights / weights.sum()
        centred = rows - shares @ rows
        values = np.linalg.eigvalsh((centred.T * shares) @ centred * len(rows) / (len(rows) - 1))
        p = values / values.sum()
        return [values.sum(), np.exp(-(p * np.log(p)).sum()), 1 / (p**2).sum()]

    step = 1e-5
    for row in (0, 11, 79):
        up, down = np.ones(80), np.ones(80)
        up[row] += step
        down[row] -= step
        slopes = (np.array(metrics(up)) - metrics(down)) / (2 * step) * len(rows)
        assert [found[name][row] for name in ("total_variance", "effective_rank")] == (
            pytest.approx(slopes[:2], rel=0.02, abs=0.02)
        )
        assert found["participation_ratio"][row] == pytest.approx(slopes[2], rel=0.02, abs=0.02)


@pytest.mark.parametrize("common", [0, 20, 39])
def test_the_variance_of_a_kernel_follows_its_definition(common: int) -> None:
    human, old = samples.gaussian(1, 80, 3), samples.gaussian(2, 40, 3)
    new = np.concatenate([old[:common], 1.3 * samples.gaussian(3, 40 - common, 3)])
    panel = Panel(frozenset({"energy_distance", "energy_coefficient"}), 5, (0.1,), 0)
    preparation = Preparation(rows_from(human), panel, None)
    kernels = Kernels(preparation.halves(40), panel, SETTINGS)
    c, c_old = candidate(new), candidate(old)
    values = [
        {each.metric: each.value for each in kernels.estimates(one, SETTINGS)} for one in (c, c_old)
    ]
    found = {name: (change, variance) for name, change, variance in kernels.changes(c, c_old)}
    for name, (change, _) in found.items():
        assert change == pytest.approx(values[0][name] - values[1][name], rel=1e-9)
    a = preparation.halves(40).bounded[0].to_numpy()
    expected = variance_by_definition(a, new[common:], old[common:], old[:common])
    assert found["energy_distance"][1] == pytest.approx(expected, rel=1e-9)


def variance_by_definition(
    a: np.ndarray, new: np.ndarray, old: np.ndarray, common: np.ndarray
) -> float:
    """Return V₁ + V₂, V₂ at least: of each pair of rows what it adds to the difference."""
    h = len(a)
    parts = [a, new, old, common]
    within, across = 2 / (h * (h - 1)), -2 / h**2
    weights = {(1, 1): within, (1, 3): within, (2, 2): -within, (2, 3): -within}
    weights |= {(0, 1): across, (0, 2): -across}
    influences = [np.zeros(len(part)) for part in parts]
    second = 0.0
    for (i, j), weight in weights.items():
        x, y = parts[i], parts[j]
        kernel = -np.linalg.norm(x[:, np.newaxis] - y, axis=2)
        influences[i] += weight * kernel.sum(axis=1)
        n, m = len(x), len(y)
        if i != j:
            influences[j] += weight * kernel.sum(axis=0)
            if min(n, m) >= LEAST_ACROSS:
                centred = kernel - kernel.mean(axis=0) - kernel.mean(axis=1)[:, np.newaxis]
                squares = ((centred + kernel.mean()) ** 2).sum() / ((n - 1) * (m - 1))
                second += weight**2 * n * m * squares
        elif n > 3:
            total, sums = kernel.sum(), kernel.sum(axis=1)
            centred = kernel - (sums + sums[:, np.newaxis]) / (n - 2) + total / ((n - 1) * (n - 2))
            np.fill_diagonal(centred, 0.0)
            second += weight**2 * n * (n - 1) / 2 * (centred**2).sum() / (n * (n - 3))
    both = sum(
        len(each) * each.var(ddof=1) if len(each) > 1 else (each**2).sum() for each in influences
    )
    return float(max(both - second, second))


def test_a_difference_of_intervals() -> None:
    new, old = (0.6, 0.5, 0.8), (0.3, 0.1, 0.4)
    low, high = difference_of(new, old)
    assert (low, high) == pytest.approx((0.3 - 0.02**0.5, 0.3 + 0.08**0.5))
    # The more the two go together, the shorter.
    lengths = [np.ptp(difference_of(new, old, correlation)) for correlation in (0, 0.5, 1)]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[2] == pytest.approx(0)


def changed(**numbers: float | None) -> Change:
    made = {"metric": "total_variance", "level": None, "direction": "match", "p_value": 0.001}
    return Change(**{**made, "value": 1.0, "baseline": 1.0, **numbers})  # type: ignore[arg-type]


CASES = [
    # Retention of the new and of the old with its interval, the change; lost, gained.
    ((0.6, 0.5, 0.7), (0.8, 0.7, 0.9), -0.2, "worse", "not found"),
    ((0.8, 0.7, 0.9), (0.6, 0.5, 0.7), 0.2, "better", "not found"),
    ((1.4, 1.2, 1.6), (1.2, 1.1, 1.3), 0.2, "not found", "worse"),
    ((1.2, 1.1, 1.3), (1.4, 1.2, 1.6), -0.2, "not found", "better"),
    # From one side to the other: what is clear of 1 counts.
    ((0.95, 0.8, 1.1), (1.4, 1.2, 1.6), -0.45, "not found", "better"),
    ((0.6, 0.5, 0.7), (1.05, 0.9, 1.2), -0.45, "worse", "not found"),
    ((0.6, 0.5, 0.7), (1.4, 1.2, 1.6), -0.8, "worse", "better"),
    ((0.95, 0.8, 1.1), (1.05, 0.9, 1.2), -0.1, "not found", "not found"),
]


@pytest.mark.parametrize(("new", "old", "change", "lost", "gained"), CASES)
def test_the_side_of_a_change(
    new: tuple[float, ...], old: tuple[float, ...], change: float, lost: str, gained: str
) -> None:
    names = ("retention", "retention_low", "retention_high")
    names += ("baseline_retention", "baseline_low", "baseline_high")
    numbers = dict(zip(names, new + old, strict=True))
    made = changed(**numbers, change=change, low=change - 0.1, high=change + 0.1)
    found = {one.name: one for one in change_findings_of(change_frame([made]))}
    assert (found["spread_lost"].state, found["spread_gained"].state) == (lost, gained)
    assert found["moved"].state == "cannot tell"


def test_what_is_not_sure_is_no_change() -> None:
    numbers = {"retention": 0.6, "baseline_retention": 0.8, "change": -0.2, "p_value": 0.06}
    found = change_findings_of(change_frame([changed(**numbers)]))
    assert {one.state for one in found} == {"not found", "cannot tell"}


def test_intervals_hold_the_mean_change_as_often_as_they_say() -> None:
    """30 pairs with half of the rows in common; bounds of 4 standard errors of a share of 0.95."""
    names = frozenset({"precision", "total_variance", "energy_distance"})
    panel, found = Panel(names, 5, (0.1,), 0), []
    for seed in range(30):
        human, old, own = (samples.gaussian(1000 * i + seed, n, 4) for i, n in SIZES.items())
        new = np.concatenate([old[:64], 0.8 * own])
        pairing = Preparation(rows_from(human), panel, None).meet_both(
            rows_from(new), rows_from(old), SETTINGS
        )
        sides = [
            (estimates, rows_of(one, estimates, 0.95))
            for one in (pairing.new, pairing.old)
            for estimates in [one.estimates(SETTINGS)]
        ]
        found += changes_of(pairing, sides[0], sides[1], 0.95, SETTINGS)
    for name, changes in itertools.groupby(
        sorted(found, key=lambda one: one.metric), key=lambda one: one.metric
    ):
        made = list(changes)
        truth = np.mean([one.change for one in made if one.change is not None])
        held = [one.low <= truth <= one.high for one in made if one.low is not None and one.high]
        assert len(held) > 25, name
        assert np.mean(held) > 0.95 - 4 * (0.95 * 0.05 / 30) ** 0.5, name


SIZES = {1: 256, 2: 128, 3: 64}


def with_copies(rng: np.random.Generator, size: int) -> np.ndarray:
    """Hashes of 300 rows, of which groups of `size` equal ones are a tenth."""
    hashes = rng.integers(2**63, size=300).astype(np.uint64)
    for start in range(0, size * rng.binomial(300 // size, 0.1), size):
        hashes[start : start + size] = hashes[start]
    return hashes


def of_values(rng: np.random.Generator, values: int) -> np.ndarray:
    """Hashes of 300 draws of values of unequal shares."""
    shares = 1 / np.arange(1, values + 1)
    return rng.choice(values, size=300, p=shares / shares.sum()).astype(np.uint64)


@pytest.mark.parametrize(
    ("draw", "number"), [(with_copies, 2), (with_copies, 5), (of_values, 50), (of_values, 500)]
)
def test_the_variance_of_a_change_of_repeated_rows_is_that_of_the_change(
    draw: Callable[[np.random.Generator, int], np.ndarray], number: int
) -> None:
    # 1,000 pairs of 300 rows of one law; 4 standard errors of a variance.
    pairs, changes, variances = 1000, [], []
    for seed in range(pairs):
        rng = np.random.default_rng([seed, number])
        new, old = draw(rng, number), draw(rng, number)
        shares = [np.unique(of, return_inverse=True, return_counts=True)[1:] for of in (new, old)]
        new_share, old_share = ((counts[places] > 1).mean() for places, counts in shares)
        changes.append(new_share - old_share)
        variances.append(variance_of_change(new, old))
    ratio = np.mean(variances) / np.var(changes)
    assert abs(ratio - 1) < 4 * (2 / pairs) ** 0.5


def test_rows_that_both_have_do_not_change() -> None:
    rng = np.random.default_rng(1)
    old = with_copies(rng, 2)
    assert variance_of_change(old, rng.permutation(old)) == 0
    new = old.copy()
    new[200:] = with_copies(rng, 2)[:100]
    apart = variance_of_change(with_copies(rng, 2), old)
    assert 0 < variance_of_change(new, old) < apart

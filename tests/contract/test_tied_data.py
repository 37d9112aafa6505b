"""Data with ties: equal laws are no loss, whichever sample is which, and nothing breaks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import tailwatch as tw
from benches.tied_tails import LAWS, inversion

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 200
PAIRS = 16
DRAWN = (
    "continuous, 16 columns",
    "one-hot, 50 categories",
    "one-hot, 500 categories",
    "binary, 64 columns",
    "Poisson(3)",
    "integers 1–5, 4 columns",
    "ages in years",
    "digits, ink or paper",
)


def pair(law: str, seed: int, n: int = ROWS, m: int = ROWS) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng([seed, list(LAWS).index(law)])
    return LAWS[law](rng, n), LAWS[law](rng, m)


def test_equal_laws_are_rejected_no_more_often_than_said() -> None:
    # 8 laws, 16 pairs of 200 rows each, seeds 0 to 15; z ≤ 4 for all 128 pairs, and for a law.
    rejected = dict.fromkeys(DRAWN, 0)
    for law in DRAWN:
        for seed in range(PAIRS):
            p = tw.metrics.tail_test(*pair(law, seed), level=0.1, threads=1).p_value
            rejected[law] += p <= 0.05
    for count, pairs in ((max(rejected.values()), PAIRS), (sum(rejected.values()), 8 * PAIRS)):
        assert count <= 0.05 * pairs + 4 * math.sqrt(0.05 * 0.95 * pairs), rejected
    assert sum(rejected.values()) >= 1


@pytest.mark.parametrize("copies", [2, 4])
def test_copies_of_a_sample_s_own_rows_count_as_one(copies: int) -> None:
    # Equal laws, 40 pairs of samples in which each row is there 2 or 4 times, seed 0; z ≤ 4.
    rng = np.random.default_rng([0, copies])
    found = [
        tw.metrics.tail_test(*rng.normal(size=(2, 240 // copies, 3)).repeat(copies, axis=1))
        for _ in range(40)
    ]
    assert sum(test.p_value <= 0.05 for test in found) <= 2 + 4 * math.sqrt(40 * 0.05 * 0.95)
    # Groups of one sample have an intraclass correlation of 1, and all in the tail are as large.
    assert np.mean([test.design_effect for test in found]) == pytest.approx(copies, rel=1e-3)
    assert all(test.low <= test.odds_ratio <= test.high for test in found)


@pytest.mark.parametrize("spread", [4, pytest.param(1.5, marks=pytest.mark.slow)])
def test_copies_are_told_from_values_that_samples_share(spread: float) -> None:
    # Of 1,200 rows half are there twice, and half lie on a grid, of whose cells some hold many rows
    # and some one. In the tail the variance is twice that of independent rows for copies alone.
    rng = np.random.default_rng(7)
    twice = np.tile(np.arange(1200) >= 600, 2)
    found, expected = [], []
    for _ in range(10):
        grid = np.round(spread * rng.normal(size=(2, 600, 2))) / spread
        copies = rng.normal(size=(2, 300, 2)).repeat(2, axis=1)
        x, y = np.concatenate([grid, copies], axis=1)
        found.append(tw.metrics.tail_test(x, y, level=0.05, k=5).design_effect)
        pooled = np.concatenate([x, y])
        rarity = np.sort(cdist(pooled, pooled), axis=1)[:, 5]
        expected.append(1 + twice[rarity >= np.sort(rarity)[-120]].mean())
    # What the tail itself holds may not be looked at, so that this is an estimate.
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.25)


def test_copies_are_allowed_for_by_the_root_of_the_design_effect() -> None:
    # The deviation of T of m rows is that of m/2 rows that are there twice, but for their ranks.
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(400, 8)), 0.9 * rng.normal(size=(400, 8))
    twice = tw.metrics.tail_test(x.repeat(2, axis=0), y.repeat(2, axis=0), level=0.1, k=9)
    once = tw.metrics.tail_test(x, y, level=0.1, k=4)
    assert (once.design_effect, twice.design_effect) == (1.0, 2.0)
    assert twice.odds_ratio == pytest.approx(once.odds_ratio, rel=0.01)
    assert math.log(twice.p_value) == pytest.approx(math.log(once.p_value), rel=0.15)
    assert math.log(twice.high / twice.low) == pytest.approx(
        math.log(once.high / once.low), rel=0.1
    )


def test_a_lost_tail_is_not_taken_for_copies() -> None:
    # 500 categories, the rarest 300 of which the candidate never has: rows of each are of one
    # sample, but all are in the tail.
    shares = 1 / np.arange(1, 501)
    rng = np.random.default_rng(6)
    x = rng.choice(500, size=4000, p=shares / shares.sum())
    y = rng.choice(200, size=4000, p=shares[:200] / shares[:200].sum())
    found = tw.metrics.tail_test(np.eye(500)[x], np.eye(500)[y])
    assert found.p_value < 1e-6
    assert found.high < 0.8


@pytest.mark.parametrize("law", LAWS)
def test_swapped_samples_invert_the_odds(law: str) -> None:
    x, y = pair(law, 1, 230, 150)
    there, back = tw.metrics.tail_test(x, y), tw.metrics.tail_test(y, x)
    assert there.p_value == back.p_value
    assert inversion(there.odds_ratio, back.odds_ratio) <= 1e-12
    assert inversion(there.low, back.high) <= 1e-12
    assert inversion(there.high, back.low) <= 1e-12


@pytest.mark.parametrize("law", LAWS)
def test_a_sample_against_itself_has_odds_of_one(law: str) -> None:
    x, _ = pair(law, 2)
    for level in (0.05, 0.0973):
        found = tw.metrics.tail_test(x, x, level=level)
        assert (found.odds_ratio, found.p_value) == (1.0, 1.0)
        assert found.low <= 1 <= found.high


@pytest.mark.parametrize("law", LAWS)
def test_the_order_of_rows_decides_nothing(law: str) -> None:
    x, y = pair(law, 3)
    rng = np.random.default_rng(9)
    mixed = rng.permutation(x), rng.permutation(y)
    assert tw.metrics.tail_test(x, y) == tw.metrics.tail_test(*mixed)
    levels = [0.3, 0.1, 0.05]
    found, again = (
        tw.metrics.tail_coverage(*samples, levels=levels) for samples in ((x, y), mixed)
    )
    assert found.equals(again)
    copied = [tw.metrics.authenticity(*samples) for samples in ((x, y), mixed)]
    assert copied[0] == pytest.approx(copied[1], rel=1e-12)


@pytest.mark.parametrize("law", LAWS)
def test_the_mass_of_a_sample_in_its_own_tail_is_the_level(law: str) -> None:
    # Rows tied at the edge in proportion: of equal rarities, none more than the level.
    x = np.unique(pair(law, 4)[0], axis=0)
    ones = np.repeat(x[:1], ROWS, axis=0)
    found = tw.metrics.tail_coverage(ones, ones, levels=[0.1, 0.03])
    assert found["mass"].to_list() == pytest.approx([0.1, 0.03], rel=1e-12)
    assert found["coverage"].to_list() == found["recall"].to_list() == [1.0, 1.0]


@pytest.mark.parametrize("law", ["constant", "one-hot, 5 categories"])
def test_comparisons_of_few_different_rows_find_no_loss(law: str) -> None:
    x, y = pair(law, 5, 400, 200)
    found = tw.compare(x, y)
    assert found.sentence.startswith("Nothing was found")
    odds = found.frame.filter(found.frame["metric"] == "tail_odds_ratio")
    assert set(odds["value"]) == {1.0}


@pytest.mark.parametrize("law", ["Poisson(3)", "integers 1–5, 4 columns", "one-hot, 50 categories"])
def test_comparisons_of_counts_rarely_find_a_loss(law: str) -> None:
    # 6 comparisons, seeds 100 to 105: 5 % is 0.3, and four standard deviations 2.14.
    lost = 0
    for seed in range(100, 106):
        found = tw.compare(*pair(law, seed, 400, 200), metrics=["tail_odds_ratio"], threads=1)
        lost += found.sentence.startswith("Tails were lost")
    assert lost <= 2


def test_classes_of_counts_are_not_lost() -> None:
    # Twelve classes of one law, seed 8: at most 5 % of what is said to have changed by chance.
    rng = np.random.default_rng(8)
    x, y = (LAWS["one-hot, 500 categories"](rng, 12 * n) for n in (140, 70))
    labels = tuple(np.arange(12 * n) % 12 for n in (140, 70))
    found = tw.compare(x, y, per=labels, metrics=["tail_odds_ratio"])
    assert set(found.classes["verdict"]) == {"no change found"}


def test_a_loss_among_tied_rows_is_found() -> None:
    # Categories of one row each are equally rare; the candidate has a third of them only.
    rng = np.random.default_rng(6)
    eye = np.eye(600, dtype=np.float32)
    x = eye[np.concatenate([rng.integers(0, 10, 600), np.arange(100, 400)])]
    y = eye[np.concatenate([rng.integers(0, 10, 800), np.arange(400, 500)])]
    found = tw.metrics.tail_test(x, y, level=0.2)
    assert found.tied == 400
    assert found.high < 0.5
    assert found.p_value < 1e-12


def test_equally_near_training_rows_count_in_equal_parts() -> None:
    # Two training rows at distance 1 of the candidate; one of them has a copy, the other has none.
    training = np.array([[0.0], [2.0], [2.0], [-9.0]])
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        assert tw.metrics.authenticity(training[order], np.array([[1.0]])) == pytest.approx(2 / 3)
    copies = np.repeat(training, 40, axis=0)
    assert tw.metrics.authenticity(copies, np.array([[1.0]])) == 1.0
    assert tw.metrics.authenticity(copies, copies) == 0.0


def test_modes_of_equal_size_share_the_last_places() -> None:
    centres = 50.0 * np.eye(8)
    x = np.repeat(centres, 20, axis=0)
    y = np.repeat(centres[:4], 40, axis=0)
    found = tw.metrics.mode_coverage(x, y, clusters=8, level=0.2)
    # Two of eight equal modes are rare; half of all eight are lost.
    assert (found.rare_modes, found.lost_modes, found.lost_share) == (2, 1.0, 0.5)
    assert found.table["rare"].to_list() == [0.25] * 8

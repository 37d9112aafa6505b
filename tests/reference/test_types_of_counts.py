"""Types that survive, types not seen, and Zipf's law: enumeration, simulation, closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import polars as pl
import pytest
import scipy.special
import scipy.stats

import tailwatch as tw
from tailwatch.metrics import categorical
from tests.support.errors import refused
from tests.support.oracle import tail_size

COUNTS = {"a": 4, "b": 3, "c": 1, "d": 1}
LABELS = [kind for kind, count in COUNTS.items() for _ in range(count)]


def zipf_shares(types: int, power: float = 1.0) -> np.ndarray:
    p = np.arange(1.0, types + 1.0) ** -power
    return p / p.sum()


def as_table(counts: np.ndarray) -> dict[int, int]:
    return dict(enumerate(counts.tolist()))


# --- expected types


@pytest.mark.parametrize("draws", [1, 2, 5])
def test_expected_types_by_enumeration(draws: int) -> None:
    samples = itertools.product(LABELS, repeat=draws)
    expected = np.mean([len(set(sample)) for sample in samples])
    assert categorical.expected_types(COUNTS, draws) == pytest.approx(expected, rel=1e-12)


def test_expected_types_by_simulation() -> None:
    # 2,000 samples of 300 labels from 500 types, seed 0; z <= 4.
    counts = np.round(5000 * zipf_shares(500)).astype(int)
    rng = np.random.default_rng(0)
    types = (rng.multinomial(300, counts / counts.sum(), size=2000) > 0).sum(axis=1)
    z = (categorical.expected_types(as_table(counts), 300) - types.mean()) / (
        types.std(ddof=1) / math.sqrt(2000)
    )
    assert abs(z) <= 4.0


def test_expected_types_of_tiny_shares_keep_their_digits() -> None:
    # One label of a type of share 1e-12: M·p, less M²p²/2.
    counts = {"common": 10**12 - 1, "rare": 1}
    found = categorical.expected_types(counts, 1000) - 1.0
    assert found == pytest.approx(1e-9, rel=1e-6)
    assert categorical.expected_types(counts, 10**15) == 2.0


# --- rarefaction


@pytest.mark.parametrize("size", range(1, len(LABELS) + 1))
def test_rarefaction_by_enumeration(size: int) -> None:
    subsets = itertools.combinations(LABELS, size)
    expected = np.mean([len(set(subset)) for subset in subsets])
    assert categorical.rarefaction(COUNTS, size) == pytest.approx(expected, rel=1e-12)


def test_rarefaction_is_hypergeometric() -> None:
    counts = np.round(20_000 * zipf_shares(3000)).astype(int)
    n, size = int(counts.sum()), 700
    expected = (1.0 - scipy.stats.hypergeom(n, counts[counts > 0], size).pmf(0)).sum()
    assert categorical.rarefaction(as_table(counts), size) == pytest.approx(expected, rel=1e-9)


def test_rarefaction_by_simulation() -> None:
    # 500 subsets of 200 of 1,000 labels, seed 1; z <= 4.
    rng = np.random.default_rng(1)
    labels = rng.choice(400, size=1000, p=zipf_shares(400))
    types = [len(set(rng.choice(labels, 200, replace=False).tolist())) for _ in range(500)]
    error = np.std(types, ddof=1) / math.sqrt(500)
    assert categorical.rarefaction(labels, 200) == pytest.approx(np.mean(types), abs=4.0 * error)


def test_rarefaction_of_rare_types_keeps_its_digits() -> None:
    # A label drawn from 10⁹ is one of a million types that are alone with the chance 1e-9 each.
    counts = {"common": 10**9 - 10**6} | dict.fromkeys(range(10**6), 1)
    counts = pl.DataFrame({"type": range(10**6 + 1), "count": list(counts.values())})
    assert categorical.rarefaction(counts, 1) == pytest.approx(1.0, rel=1e-13)
    share = 1e-3
    few = categorical.rarefaction(counts, 2)
    assert few == pytest.approx(2.0 - (1.0 - share) ** 2, rel=1e-9)


def test_rarefaction_to_all_labels_counts_types() -> None:
    assert categorical.rarefaction(COUNTS, 9) == 4.0


@pytest.mark.parametrize("size", [1, 4, 7])
def test_error_of_rarefaction_leaves_out_each_label(size: int) -> None:
    left = []
    for place in range(len(LABELS)):
        rest = LABELS[:place] + LABELS[place + 1 :]
        left.append(float(categorical.rarefaction(rest, size)))
    jackknife = math.sqrt((len(LABELS) - 1) * np.var(left))
    found = categorical.rarefaction(COUNTS, size).standard_error
    assert found == pytest.approx(jackknife, rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("size", [200, 400])
def test_rarefaction_estimates_what_the_population_shows(size: int) -> None:
    # 400 samples of 400 labels of 2,000 types, seeds 0 to 399. The mean has z <= 4, and 95 %
    # intervals hold the truth at least as often, less four binomial errors.
    p = zipf_shares(2000)
    truth = (1.0 - (1.0 - p) ** size).sum()
    found = [
        categorical.rarefaction(as_table(np.random.default_rng(seed).multinomial(400, p)), size)
        for seed in range(400)
    ]
    error = np.std(found, ddof=1) / math.sqrt(400)
    assert np.mean(found) == pytest.approx(truth, abs=4.0 * error)
    held = np.mean([each.low <= truth <= each.high for each in found])
    assert held >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 400)


# --- missing mass


def test_missing_mass_is_the_share_of_singletons() -> None:
    found = categorical.missing_mass(COUNTS)
    assert found == pytest.approx(2 / 9, rel=1e-15)
    assert found.standard_error == pytest.approx(math.sqrt(2 * (1 - 2 / 9)) / 9, rel=1e-14)
    assert categorical.missing_mass(["a", "b", "c"]) == 1.0


def test_missing_mass_without_singletons_is_not_surely_0() -> None:
    found = categorical.missing_mass({"a": 60, "b": 40})
    assert (float(found), found.low) == (0.0, 0.0)
    # z²/(n + z²), Wilson's upper end for 0 of 100.
    assert found.high == pytest.approx(3.8415 / 103.8415, rel=1e-4)


def test_missing_mass_estimates_what_was_not_seen() -> None:
    # 500 samples of 1,000 labels of 2,000 types, seeds 0 to 499, each with a missing mass of its
    # own: z <= 4 on the mean difference, 95 % intervals less four binomial errors.
    p = zipf_shares(2000)
    differences, held = [], []
    for seed in range(500):
        counts = np.random.default_rng(seed).multinomial(1000, p)
        truth = p[counts == 0].sum()
        found = categorical.missing_mass(as_table(counts))
        differences.append(found - truth)
        held.append(found.low <= truth <= found.high)
    error = np.std(differences, ddof=1) / math.sqrt(500)
    # Good's estimate has a bias of E[f₁]/n² at most.
    assert abs(np.mean(differences)) <= 4.0 * error + 1.0 / 1000
    assert np.mean(held) >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 500)


# --- type coverage


def test_coverage_of_a_table_by_hand() -> None:
    # Of ten types, the rarest half are those of counts 1, 1, 1, and two of the four with count 2.
    reference = dict(zip("abcdefghij", (9, 8, 7, 2, 2, 2, 2, 1, 1, 1), strict=True))
    candidate = dict.fromkeys("abcdi", 7)
    found = categorical.type_coverage(reference, candidate, levels=(0.5, 0.2))
    assert found["types"].to_list() == [10, 5, 2]
    assert found["labels"].to_list() == [35, 35, 35]
    # One of three singletons; a quarter of the four at the edge, twice; two thirds of a singleton.
    expected = [5 / 10, (1 + 2 / 4) / 5, (2 / 3) / 2]
    assert found["coverage"].to_list() == pytest.approx(expected, rel=1e-14)


def test_coverage_of_a_larger_candidate_is_taken_at_equal_counts() -> None:
    reference = {"a": 3, "b": 1}
    candidate = {"a": 5, "b": 2, "c": 1}
    subsets = list(itertools.combinations("aaaaabbc", 4))
    expected = np.mean([len({"a", "b"} & set(subset)) / 2 for subset in subsets])
    found = categorical.type_coverage(reference, candidate, levels=(0.5,))
    assert found["labels"].to_list() == [4, 4]
    assert found["coverage"][0] == pytest.approx(expected, rel=1e-12)
    rare = np.mean(["b" in subset for subset in subsets])
    assert found["coverage"][1] == pytest.approx(rare, rel=1e-12)


def test_null_of_coverage_is_plain_resampling() -> None:
    # 3,000 samples of 400 labels from a table of 600, seed 2. Mean: z <= 4. Standard deviation,
    # read off the interval: known to 1/√6000, z <= 4.
    counts = np.random.default_rng(0).multinomial(600, zipf_shares(300))
    counts = counts[counts > 0]
    order = np.argsort(counts, kind="stable")
    rng = np.random.default_rng(2)
    draws = rng.multinomial(400, counts / counts.sum(), size=3000)
    frame = categorical.type_coverage(as_table(counts), as_table(draws[0]), levels=(0.5, 0.1))
    assert frame["null"][0] * len(counts) == pytest.approx(
        categorical.expected_types(as_table(counts), 400), rel=1e-12
    )
    z_95 = scipy.stats.norm.ppf(0.975)
    for level, types, null, low, high in frame.select(
        "level", "types", "null", "null_low", "null_high"
    ).iter_rows():
        size = tail_size(level, len(counts))
        assert types == size
        edge = counts[order[size - 1]]
        # Ties at the edge count in proportion, so that a share of them is in the tail.
        inside = (counts < edge) + (counts == edge) * (
            (size - (counts < edge).sum()) / (counts == edge).sum()
        )
        shares = (draws > 0) @ inside / size
        spread = shares.std(ddof=1)
        assert null == pytest.approx(shares.mean(), abs=4.0 * spread / math.sqrt(3000)), level
        assert (high - low) / (2 * z_95) == pytest.approx(spread, rel=4.0 / math.sqrt(6000)), level


def test_interval_of_coverage_holds() -> None:
    # 300 candidates of 500 labels, seeds 0 to 299, against one reference. Truth is the mean.
    p = zipf_shares(800)
    reference = as_table(np.random.default_rng(1000).multinomial(500, p))
    frames = [
        categorical.type_coverage(
            reference, as_table(np.random.default_rng(s).multinomial(500, p**1.2 / (p**1.2).sum()))
        )
        for s in range(300)
    ]
    for level in (1.0, 0.10):
        rows = pl.concat([frame.filter(level=level) for frame in frames])
        truth = rows["coverage"].mean()
        held = ((rows["low"] <= truth) & (truth <= rows["high"])).mean()
        assert held >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 300), level


def test_a_model_that_forgets_the_tail_is_seen_there() -> None:
    p = zipf_shares(2000)
    rng = np.random.default_rng(3)
    human, fresh = (as_table(rng.multinomial(20_000, p)) for _ in range(2))
    sharp = as_table(rng.multinomial(20_000, p**1.3 / (p**1.3).sum()))
    kept, lost = (
        categorical.type_coverage(human, other, levels=(0.5, 0.1)) for other in (fresh, sharp)
    )
    assert (lost["high"] < kept["low"]).all()
    assert (lost["retention"] < kept["retention"]).all()
    assert (lost["high"] < lost["null_low"]).all()


# --- Zipf


@pytest.mark.parametrize("power", [1.2, 1.5])
def test_zipf_exponent_is_recovered(power: float) -> None:
    # 100 samples of 50,000 labels, seeds 0 to 99, of infinitely many types. The estimator's own
    # bias is of the order of 1/types; with z <= 4 for the mean it is allowed 0.3 % of the exponent.
    found = [
        categorical.zipf_exponent(np.random.default_rng(seed).zipf(power, 50_000))
        for seed in range(100)
    ]
    error = np.std(found, ddof=1) / 10.0
    assert np.mean(found) == pytest.approx(power, abs=4.0 * error + 0.003 * power)
    held = np.mean([each.low <= power <= each.high for each in found])
    assert held >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 100)


def test_zipf_exponent_maximises_the_likelihood() -> None:
    counts = np.array([1] * 50 + [2] * 12 + [3] * 7 + [5] * 3 + [40])
    for smallest in (1, 2):
        kept = counts[counts >= smallest]

        def likelihood(power: float, kept: np.ndarray = kept, smallest: int = smallest) -> float:
            # Γ(c − β)/Γ(c + 1), normalised by its sum, which converges as c^(−β).
            beta = 1.0 / power
            c = np.arange(smallest, 4_000_000)
            terms = np.exp(scipy.special.gammaln(c - beta) - scipy.special.gammaln(c + 1))
            rest = c[-1] ** -beta / beta
            chances = terms[kept - smallest] / (terms.sum() + rest)
            return float(np.log(chances).sum())

        found = float(categorical.zipf_exponent(as_table(counts), smallest=smallest))
        best = likelihood(found)
        assert best > likelihood(found * 1.01)
        assert best > likelihood(found * 0.99)


def test_smallest_leaves_out_rare_types() -> None:
    counts = {"a": 100, "b": 50, "c": 20, "d": 10}
    noisy = counts | {f"typo {i}": 1 for i in range(500)}
    plain = categorical.zipf_exponent(counts, smallest=10)
    assert categorical.zipf_exponent(noisy, smallest=10) == plain
    assert categorical.zipf_exponent(noisy) < plain * 2


def test_zipf_exponent_without_a_maximum() -> None:
    with refused(tw.exceptions.InputError, "labels", "a type with more than 1 labels", "1 at most"):
        categorical.zipf_exponent(["a", "b", "c"])
    with refused(
        tw.exceptions.InputError, "labels", "at least two types with 3 labels or more", "1"
    ):
        categorical.zipf_exponent({"a": 5, "b": 1}, smallest=3)

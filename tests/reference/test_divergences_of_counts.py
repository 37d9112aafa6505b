"""Divergences, tests and indices of counts against SciPy and numbers known beforehand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import scipy.spatial.distance
import scipy.stats

from tailwatch.metrics import categorical

HUMAN = {"cat": 500, "dog": 300, "owl": 150, "eel": 40, "yak": 10}
MODEL = {"cat": 700, "dog": 250, "owl": 45, "eel": 5, "bot": 12}


def shares(smoothing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Both as shares of all six types."""
    kinds = list(dict.fromkeys([*HUMAN, *MODEL]))
    x, y = (
        np.array([counts.get(kind, 0) for kind in kinds]) + smoothing for counts in (HUMAN, MODEL)
    )
    return x / x.sum(), y / y.sum()


def drawn(seed: int, size: int, types: int = 40) -> np.ndarray:
    """Labels with shares that fall like 1/rank."""
    p = 1.0 / np.arange(1, types + 1)
    return np.random.default_rng(seed).choice(types, size=size, p=p / p.sum())


def test_total_variation() -> None:
    p, q = shares()
    expected = 0.5 * scipy.spatial.distance.cityblock(p, q)
    assert categorical.total_variation(HUMAN, MODEL) == pytest.approx(expected, rel=1e-14)


def test_hellinger() -> None:
    p, q = shares()
    expected = scipy.spatial.distance.euclidean(np.sqrt(p), np.sqrt(q)) / math.sqrt(2.0)
    assert categorical.hellinger(HUMAN, MODEL) == pytest.approx(expected, rel=1e-14)


def test_jensen_shannon_is_the_square_of_scipys_distance() -> None:
    p, q = shares()
    expected = scipy.spatial.distance.jensenshannon(p, q) ** 2
    assert categorical.jensen_shannon(HUMAN, MODEL) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("smoothing", [1e-3, 0.5, 1.0])
def test_smoothed_kl_divergence_both_ways(smoothing: float) -> None:
    p, q = shares(smoothing)
    found = categorical.kl_divergence(HUMAN, MODEL, smoothing=smoothing)
    assert found == pytest.approx(scipy.stats.entropy(p, q), rel=1e-13)
    found = categorical.kl_divergence(HUMAN, MODEL, smoothing=smoothing, reverse=True)
    assert found == pytest.approx(scipy.stats.entropy(q, p), rel=1e-13)


def test_kl_divergence_is_infinite_exactly_where_a_type_is_missing() -> None:
    kept = {kind: count for kind, count in MODEL.items() if kind in HUMAN}
    assert categorical.kl_divergence(HUMAN, kept) == math.inf
    assert 0.0 < categorical.kl_divergence(HUMAN, kept, reverse=True) < math.inf
    assert categorical.kl_divergence(kept, HUMAN) == pytest.approx(
        categorical.kl_divergence(HUMAN, kept, reverse=True), rel=1e-15
    )


def test_smoothing_sees_types_that_are_listed_with_no_count() -> None:
    listed = categorical.kl_divergence({"a": 3, "b": 0}, {"a": 1, "b": 0}, smoothing=1.0)
    assert listed == pytest.approx(scipy.stats.entropy([4, 1], [2, 1]), rel=1e-14)
    assert categorical.kl_divergence({"a": 3}, {"a": 1}, smoothing=1.0) == 0.0


def test_types_that_nobody_has_change_nothing_else() -> None:
    more = HUMAN | {"dodo": 0, "bot": 0}
    for measure in (
        categorical.total_variation,
        categorical.jensen_shannon,
        categorical.hellinger,
        categorical.kl_divergence,
        categorical.chi_square,
    ):
        assert measure(more, MODEL) == measure(HUMAN, MODEL)
    assert categorical.type_coverage(more, MODEL).equals(categorical.type_coverage(HUMAN, MODEL))
    for measure in (categorical.entropy, categorical.gini_simpson, categorical.missing_mass):
        assert measure(more) == measure(HUMAN)


# --- chi square


@pytest.mark.parametrize(("seed", "other", "sizes"), [(0, 1, (900, 700)), (2, 3, (5000, 900))])
def test_chi_square_with_large_counts_is_pearsons(
    seed: int, other: int, sizes: tuple[int, int]
) -> None:
    x, y = drawn(seed, sizes[0], 8), drawn(other, sizes[1], 8)
    table = np.array([np.bincount(labels, minlength=8) for labels in (x, y)])
    peer = scipy.stats.chi2_contingency(table, correction=False)
    assert peer.expected_freq.min() >= 5
    found = categorical.chi_square(x, y)
    assert found.statistic == pytest.approx(peer.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(peer.pvalue, rel=1e-9)
    assert (found.degrees_of_freedom, found.method) == (peer.dof, "asymptotic")


def hypergeometric_p_value(x: int, y: int, n: int, m: int) -> float:
    """P of a χ² at least as large as that of x of n against y of m, two types: all tables."""
    support = np.arange(max(0, x + y - m), min(n, x + y) + 1)
    tables = scipy.stats.hypergeom(n + m, x + y, n)
    deviation = np.abs(support - tables.mean())
    return float(tables.pmf(support)[deviation >= abs(x - tables.mean()) - 1e-9].sum())


@pytest.mark.parametrize(("x", "y"), [((8, 4), (2, 9)), ((1, 9), (3, 5)), ((0, 6), (4, 3))])
def test_chi_square_with_small_counts_is_exact(x: tuple[int, int], y: tuple[int, int]) -> None:
    # 10,000 permutations, seed 0, z <= 4.
    found = categorical.chi_square(*({"a": a, "b": b} for a, b in (x, y)))
    exact = hypergeometric_p_value(x[0], y[0], sum(x), sum(y))
    assert found.method == "permutation"
    error = math.sqrt(exact * (1.0 - exact) / 10_000)
    assert found.p_value == pytest.approx(exact, abs=4.0 * error + 1e-4)


def test_chi_square_of_many_rare_types_keeps_its_level() -> None:
    # 60 pairs of 30 labels of 40 types, seeds 0 to 119: p-values under equal shares are uniform.
    # Kolmogorov-Smirnov at 1e-4, and z <= 4 for the share under 0.1.
    p_values = [
        categorical.chi_square(
            drawn(2 * seed, 30, 40), drawn(2 * seed + 1, 30, 40), seed=seed
        ).p_value
        for seed in range(60)
    ]
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 1e-4
    assert np.mean(np.array(p_values) < 0.1) <= 0.1 + 4.0 * math.sqrt(0.1 * 0.9 / 60)


def test_chi_square_of_one_type_has_nothing_to_find() -> None:
    found = categorical.chi_square({"a": 3}, {"a": 9, "b": 0})
    assert (found.statistic, found.p_value, found.degrees_of_freedom) == (0.0, 1.0, 0)


# --- indices


@pytest.mark.parametrize("counts", [HUMAN, {"a": 1}, {"a": 7, "b": 7, "c": 7}])
def test_plug_in_entropy_is_scipys(counts: dict[str, int]) -> None:
    expected = scipy.stats.entropy(list(counts.values()))
    assert categorical.entropy(counts) == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_miller_madow_adds_half_a_type_per_label() -> None:
    plain, corrected = (categorical.entropy(HUMAN, correction=c) for c in (None, "miller-madow"))
    assert corrected - plain == pytest.approx(4 / 2000, rel=1e-10)


def test_chao_shen_of_a_table_by_hand() -> None:
    # 2 of 10 labels are alone: coverage 0.8.
    p = 0.8 * np.array([5, 3, 1, 1]) / 10
    expected = -(p * np.log(p) / (1.0 - (1.0 - p) ** 10)).sum()
    found = categorical.entropy({"a": 5, "b": 3, "c": 1, "d": 1}, correction="chao-shen")
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("correction", ["miller-madow", "chao-shen"])
def test_corrections_take_most_of_the_bias_of_entropy(correction: str) -> None:
    # 200 samples of 400 labels, seeds 0 to 199, of 200 types like 1/rank.
    p = 1.0 / np.arange(1, 201)
    truth = scipy.stats.entropy(p)
    samples = [drawn(seed, 400, 200) for seed in range(200)]
    plain = np.mean([categorical.entropy(x) for x in samples]) - truth
    corrected = np.mean([categorical.entropy(x, correction=correction) for x in samples]) - truth
    assert plain < 0.0
    assert abs(corrected) < abs(plain) / 2.0


def test_standard_error_of_entropy_is_its_spread() -> None:
    # 400 samples of 500 labels, seeds 0 to 399: their spread is known to 1/√800, z <= 4.
    for correction in (None, "miller-madow", "chao-shen"):
        found = [categorical.entropy(drawn(s, 500), correction=correction) for s in range(400)]
        ratio = np.mean([each.standard_error for each in found]) / np.std(found, ddof=1)
        assert ratio == pytest.approx(1.0, abs=4.0 / math.sqrt(800)), correction


def test_standard_error_by_leaving_out_each_label() -> None:
    counts = {"a": 9, "b": 4, "c": 2, "d": 2, "e": 1, "f": 1}
    n = sum(counts.values())
    for correction in (None, "miller-madow", "chao-shen"):
        left = np.array(
            [
                float(categorical.entropy(counts | {kind: counts[kind] - 1}, correction=correction))
                for kind in counts
                for _ in range(counts[kind])
            ]
        )
        jackknife = math.sqrt((n - 1) * left.var())
        found = categorical.entropy(counts, correction=correction).standard_error
        assert found == pytest.approx(jackknife, rel=1e-10), correction


def test_gini_simpson() -> None:
    assert categorical.gini_simpson({"a": 5, "b": 5}) == 0.5
    unbiased = categorical.gini_simpson({"a": 5, "b": 5}, unbiased=True)
    assert unbiased == pytest.approx(1.0 - 2 * 5 * 4 / (10 * 9), rel=1e-14)
    assert categorical.gini_simpson({"a": 1}) == 0.0


def test_gini_simpson_is_unbiased_and_knows_its_error() -> None:
    # 2,000 samples of 30 labels, seeds 0 to 1,999; z <= 4 for mean and standard deviation.
    p = 1.0 / np.arange(1, 41)
    p /= p.sum()
    found = [categorical.gini_simpson(drawn(seed, 30), unbiased=True) for seed in range(2000)]
    error = np.std(found, ddof=1)
    assert np.mean(found) == pytest.approx(1.0 - (p**2).sum(), abs=4.0 * error / math.sqrt(2000))
    held = np.mean([each.low <= 1.0 - (p**2).sum() <= each.high for each in found])
    assert held >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 2000) - 0.02


# --- comparison


def test_comparison_has_the_values_of_the_functions() -> None:
    found = categorical.compare_counts(HUMAN, MODEL)
    for metric, value in found.select("metric", "value").iter_rows():
        assert value == pytest.approx(getattr(categorical, metric)(HUMAN, MODEL), rel=1e-13)
    assert (found["p_value"] == 1 / 201).all()


def test_null_of_the_comparison_is_what_equal_sources_show() -> None:
    # 200 pairs of 400 and 300 labels of 40 types, seeds 0 to 399. The null of each is the mean over
    # 200 permutations; z <= 4 on the mean difference. p-values are uniform: KS at 1e-4.
    frames = [
        categorical.compare_counts(drawn(2 * s, 400), drawn(2 * s + 1, 300), seed=s)
        for s in range(200)
    ]
    for metric in frames[0]["metric"]:
        rows = pl.concat([frame.filter(metric=metric) for frame in frames])
        difference = (rows["value"] - rows["null"]).to_numpy()
        z = difference.mean() / (difference.std(ddof=1) / math.sqrt(len(difference)))
        assert abs(z) <= 4.0, metric
        assert scipy.stats.kstest(rows["p_value"].to_numpy(), "uniform").pvalue > 1e-4, metric


@pytest.mark.parametrize("types", [200, pytest.param(10, marks=pytest.mark.slow)])
def test_intervals_of_the_comparison_hold(types: int) -> None:
    # 120 pairs of 500 labels with shares like 1/rank and like 1/rank^1.3, seeds 0 to 119. Truth is
    # the mean value over these pairs; z <= 4 from below 95 %.
    p, q = (np.arange(1.0, types + 1.0) ** -power for power in (1.0, 1.3))
    frames = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x, y = (rng.multinomial(500, shares / shares.sum()) for shares in (p, q))
        counts = (dict(enumerate(each.tolist())) for each in (x, y))
        frames.append(categorical.compare_counts(*counts, replicates=30, seed=seed))
    for metric in frames[0]["metric"]:
        rows = pl.concat([frame.filter(metric=metric) for frame in frames])
        truth = rows["value"].mean()
        held = ((rows["low"] <= truth) & (rows["high"] >= truth)).mean()
        assert held >= 0.95 - 4.0 * math.sqrt(0.95 * 0.05 / 120), metric

"""Verdicts on frames made by hand: which status, on which number, against which bound."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailwatch.exceptions import InputError
from tailwatch.recursion.verdicts import (
    DEFINITIONS,
    ONSETS,
    SCHEMA,
    Onset,
    early_collapse,
    judge,
    late_collapse,
    onsets,
)
from tests.support.errors import refused
from tests.support.recursion_frames import frame, levels, risks

CATASTROPHE, INCREASE, DIVERGENCE, SCALING, VARIANCE, MODES, TAILS, HALLUCINATION = DEFINITIONS


def row(of: pl.DataFrame, definition: str, **options: object) -> dict[str, object]:
    found: dict[str, object] = judge(of, **options).row(DEFINITIONS.index(definition), named=True)
    return found


def noisy(values: np.ndarray, seed: int = 0, size: float = 0.01) -> list[float]:
    errors = np.random.default_rng(seed).normal(size=len(values))
    return [float(value) for value in values + size * errors]


def test_all_definitions_come_in_their_order() -> None:
    found = judge(frame(levels("total_variance", [1.0])))
    assert found["definition"].to_list() == list(DEFINITIONS)
    assert found.schema == pl.Schema(SCHEMA)


def test_what_is_missing_is_said() -> None:
    found = judge(frame(levels("coverage", [1.0])))
    assert set(found["status"]) == {"not measured"}
    assert found["evidence"].str.len_chars().min() > 20
    assert found["value"].null_count() == len(DEFINITIONS)


@pytest.mark.parametrize(
    ("metric", "definition", "level"),
    [
        ("total_variance", VARIANCE, None),
        ("effective_rank", VARIANCE, None),
        ("gini_simpson", VARIANCE, None),
        ("tail_coverage", TAILS, 0.1),
        ("directional_tails", TAILS, 0.01),
        ("types", TAILS, None),
        ("precision", HALLUCINATION, None),
    ],
)
def test_a_level_is_judged_against_its_threshold(
    metric: str, definition: str, level: float | None
) -> None:
    def status(value: float, reach: float = 0.05) -> object:
        values = [value] * 6
        return row(frame(levels(metric, values, level=level, reach=reach)), definition)["status"]

    assert status(0.3) == "holds"
    assert status(1.0) == "does not hold"
    assert status(0.85) == "undetermined"
    assert status(0.3, reach=0.9) == "undetermined"
    assert status(1.0, reach=0.9) == "undetermined"


def test_entanglement_is_judged_the_other_way_round() -> None:
    def status(value: float) -> object:
        return row(frame(levels("between_modes", [value] * 6, null=0.05)), MODES)["status"]

    assert status(0.3) == "holds"
    assert status(0.05) == "does not hold"
    assert status(0.1) == "undetermined"


def test_only_the_last_third_of_the_generations_speaks() -> None:
    found = row(frame(levels("total_variance", [0.2] * 6 + [1.0] * 3)), VARIANCE)
    assert found["status"] == "does not hold"
    assert found["generations"] == "7–9"


def test_more_generations_know_more_until_the_null_is_what_is_not_known() -> None:
    def width(count: int) -> float:
        found = row(frame(levels("total_variance", [0.5] * count)), VARIANCE)
        return math.log(float(str(found["high"])) / float(str(found["low"])))

    one, nine, many = width(1), width(27), width(3000)
    assert one > nine > many
    # Value and null err alike: without the error of the value √½ of the width is left.
    assert many / one == pytest.approx(math.sqrt(0.5), rel=0.01)


def test_a_definition_does_not_hold_only_if_all_of_its_metrics_say_so() -> None:
    kept = levels("total_variance", [1.0] * 3, reach=0.02)
    unsure = levels("effective_rank", [0.9] * 3, reach=0.02)
    assert row(frame(kept), VARIANCE)["status"] == "does not hold"
    found = row(frame(kept, unsure), VARIANCE)
    assert found["status"] == "undetermined"
    assert found["metric"] == "effective_rank"
    lost = levels("effective_rank", [0.3] * 3)
    assert row(frame(kept, lost), VARIANCE)["metric"] == "effective_rank"


def test_tails_of_few_rows_are_left_out() -> None:
    few = levels("tail_coverage", [0.1] * 3, level=0.01, rows=500)
    more = levels("tail_coverage", [1.0] * 3, level=0.1, rows=500)
    assert row(frame(few, more), TAILS)["metric"] == "tail_coverage at 0.1"


def test_without_an_interval_nothing_is_decided() -> None:
    bare = levels("precision", [0.1] * 3, low=None, high=None)
    found = row(frame(bare), HALLUCINATION)
    assert found["status"] == "undetermined"
    assert "no interval is claimed" in str(found["evidence"])


def test_odds_have_score_intervals() -> None:
    # 20 of 200 rows are the rarest: 1 of the candidate's 100 are, and 19 of the reference's.
    odds = (1 / 99) / (19 / 81)
    given = {"level": 0.1, "rows": 100, "low": 0.0, "high": 9.0}
    lost = levels("tail_odds_ratio", [odds] * 3, **given, tail_rows=1.0)
    found = row(frame(lost), TAILS)
    assert found["status"] == "holds"
    assert float(str(found["low"])) < odds < float(str(found["high"])) < 0.9


def test_parameters_of_the_model_are_not_its_samples() -> None:
    of_model = levels("gini_simpson", [0.1] * 3, group="parameter", null=None)
    of_samples = levels("gini_simpson", [1.0] * 3, reach=0.02, group="moments")
    assert row(frame(of_model, of_samples), VARIANCE)["status"] == "does not hold"


# Risk.


def test_a_risk_that_triples_is_a_catastrophe() -> None:
    rising = frame(risks(noisy(np.linspace(1, 4, 20))))
    found = row(rising, CATASTROPHE)
    assert found["status"] == "holds"
    assert float(str(found["low"])) > 2
    assert row(rising, INCREASE)["status"] == "holds"


def test_a_flat_risk_is_no_increase() -> None:
    flat = frame(risks(noisy(np.ones(20), size=0.005), reach=0.005))
    assert row(flat, CATASTROPHE)["status"] == "does not hold"
    assert row(flat, INCREASE)["status"] == "does not hold"


def test_noise_between_generations_is_no_increase() -> None:
    # The intervals are tiny, but models of neighbouring generations differ by more.
    noise = frame(risks(noisy(np.ones(20), seed=3, size=0.3), reach=0.001))
    assert row(noise, INCREASE)["status"] == "undetermined"


def test_a_log_loss_may_be_below_zero() -> None:
    below = frame(risks(noisy(np.linspace(-1.0, 3.0, 20))))
    found = row(below, CATASTROPHE)
    assert found["status"] == "holds"
    assert "first = 1" in str(found["evidence"])


def test_a_mean_risk_without_interval_is_judged_by_its_noise() -> None:
    bare = frame(risks(noisy(np.linspace(1, 4, 20)), reach=None))
    assert row(bare, INCREASE)["status"] == "holds"


def test_few_generations_show_no_change() -> None:
    found = row(frame(risks([1.0, 2.0, 3.0])), INCREASE)
    assert found["status"] == "undetermined"
    assert "4 are the fewest" in str(found["evidence"])


def test_a_risk_that_becomes_infinite() -> None:
    later = frame(risks([1.0] * 10 + [math.inf] * 5))
    assert row(later, CATASTROPHE)["status"] == "holds"
    assert row(frame(risks([math.inf] * 15)), CATASTROPHE)["status"] == "undetermined"
    # Two of two could be chance.
    assert row(frame(risks([1.0] * 3 + [math.inf] * 2)), CATASTROPHE)["status"] == "undetermined"


def test_without_a_risk_the_energy_score_is_one() -> None:
    variance = levels("total_variance", [1.0] * 12, null=2.0)
    distance = levels("energy_distance", noisy(np.linspace(0.0, 0.8, 12)), null=0.001)
    found = row(frame(variance, distance), INCREASE)
    assert found["status"] == "holds"
    assert found["metric"] == "energy_distance"
    # √(2 · 2) is the unit: 1 + 0.65/2 in the last third, over 1.
    assert float(str(found["value"])) == pytest.approx(1.33, abs=0.03)


@pytest.mark.parametrize(
    ("growth", "status"),
    [
        (lambda t: t, "holds"),
        (np.sqrt, "holds"),
        (lambda t: np.cumsum(1 / t**2), "does not hold"),
        (lambda t: 1 - np.exp(-t / 4), "does not hold"),
        (np.log, "undetermined"),
        (np.zeros_like, "does not hold"),
    ],
    ids=["t", "√t", "Σ 1/t²", "1 − exp(−t/4)", "ln t", "0"],
)
def test_divergence_is_growth_that_does_not_slow_down(growth: object, status: str) -> None:
    t = np.arange(1.0, 81)
    values = 1 + growth(t)  # type: ignore[operator]
    found = row(frame(risks(noisy(values, size=0.002), reach=0.002)), DIVERGENCE)
    assert found["status"] == status, found["evidence"]


def test_divergence_needs_two_octaves() -> None:
    found = row(frame(risks(noisy(np.arange(1.0, 9)))), DIVERGENCE)
    assert found["status"] == "undetermined"


def test_scaling_needs_three_sizes() -> None:
    one = frame(risks(noisy(np.ones(8))))
    assert row(one, SCALING)["status"] == "not measured"
    assert row(one, SCALING, sizes=[one, one])["status"] == "not measured"


@pytest.mark.parametrize(("slower", "status"), [(0.0, "does not hold"), (0.3, "holds")])
def test_scaling_law(slower: float, status: str) -> None:
    t = np.linspace(0, 1, 12)

    def of_size(rows: int, seed: int) -> pl.DataFrame:
        values = rows ** (slower * t - 0.5)
        return frame(risks(noisy(values, seed=seed, size=1e-6), reach=1e-6, rows=rows))

    first, *others = (of_size(rows, seed) for seed, rows in enumerate((100, 400, 1600, 6400)))
    found = row(first, SCALING, sizes=others)
    assert found["status"] == status, found["evidence"]
    # The last four of twelve generations have made 0.86 of the way on average.
    expected = slower * float(t[-4:].mean())
    assert float(str(found["value"])) == pytest.approx(expected, abs=0.01)


# What always holds.

VALUES = st.lists(st.floats(0.01, 3.0), min_size=1, max_size=15)


@given(variances=VALUES, precisions=VALUES, losses=VALUES, reach=st.floats(0.001, 0.5))
def test_a_decision_has_an_interval_that_clears_its_threshold(
    variances: list[float], precisions: list[float], losses: list[float], reach: float
) -> None:
    of = frame(
        levels("total_variance", variances, reach=reach),
        levels("precision", precisions, reach=reach),
        risks(losses, reach=reach * 0.01),
    )
    for found in judge(of).to_dicts():
        if found["definition"] == DIVERGENCE or found["status"] not in {"holds", "does not hold"}:
            continue
        low, high, threshold = found["low"], found["high"], found["threshold"]
        assert low <= found["value"] <= (math.inf if high is None else high)
        assert low > threshold or high < threshold


@given(confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]), value=st.floats(0.1, 2.0))
def test_intervals_are_longer_than_those_of_the_frame(confidence: float, value: float) -> None:
    of = frame(levels("total_variance", [value] * 2))
    found = judge(of, confidence=confidence).filter(definition=VARIANCE).row(0, named=True)
    assert found["low"] < value * 0.95
    assert found["high"] > value * 1.05


def test_not_the_frame_of_one_run() -> None:
    one, other = frame(levels("coverage", [1.0])), frame(levels("coverage", [1.0]), run="mix")
    with refused(InputError, "frame", "the frame of one run", "2: 'replace', 'mix'"):
        judge(pl.concat([one, other]))
    with refused(InputError, "frame", "the frame of a run", "list"):
        judge([])  # type: ignore[arg-type]
    with refused(InputError, "frame", "the frame of a run", "one without a column 'null'"):
        judge(one.drop("null"))
    with refused(InputError, "sizes[0]", "the frame of a run", "str"):
        judge(one, sizes=["a"])  # type: ignore[list-item]
    with refused(InputError, "confidence", "a number between 0 and 1", "1.0"):
        judge(one, confidence=1.0)
    twice = levels("total_variance", [1.0])
    with refused(InputError, "frame", "one value of total_variance in generation 1", "several"):
        judge(frame(twice, twice))


# Onsets.

ONSET_FIELDS = [field.name for field in dataclasses.fields(Onset)]


def test_onset_is_the_first_generation_that_is_seen_to_be_lost() -> None:
    tails = levels("tail_coverage", [1, 1, 1, 0.3, 0.2, 0.2, 0.2, 0.2], level=0.1)
    variance = levels("total_variance", [1, 1, 1, 1, 1, 0.95, 0.6, 0.3])
    early, late = (find(frame(tails, variance)) for find in (early_collapse, late_collapse))
    assert early is not None
    assert late is not None
    assert (early.generation, early.metric) == (4, "tail_coverage at 0.1")
    assert (late.generation, late.metric) == (7, "total_variance")
    assert early.high < early.threshold
    assert late.low < late.value < late.high < late.threshold
    both = onsets(frame(tails, variance))
    assert both.schema == ONSETS
    assert [Onset(*row) for row in both.select(*ONSET_FIELDS).iter_rows()] == [early, late]


def test_no_loss_has_no_onset() -> None:
    kept = frame(levels("tail_coverage", [1.0] * 5, level=0.1), levels("total_variance", [1.0] * 5))
    assert early_collapse(kept) is None
    assert late_collapse(kept) is None
    assert early_collapse(frame(levels("coverage", [1.0]))) is None
    assert onsets(kept).drop("collapse").null_count().row(0) == (2,) * (len(ONSETS) - 1)


def test_the_rank_alone_is_no_late_collapse() -> None:
    assert late_collapse(frame(levels("effective_rank", [0.1] * 5))) is None

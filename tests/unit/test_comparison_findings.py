"""Questions, their answers, and the gate on them."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.findings import GateRequest, findings_of
from tailwatch.comparison.metrics.moments import difference_of_place, direction_of_shift
from tailwatch.comparison.questions import (
    LIMITS,
    NAMES,
    READ,
    Finding,
    detectable_odds,
    nearest_rows,
)
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.tail_test import TailCounts
from tests.support import samples
from tests.support.errors import refused
from tests.support.finding_rows import FRESH, frame, odds, retained


def states(*rows: dict[str, object], **limits: float) -> dict[str, str]:
    return {one.name: one.state for one in findings_of(frame(*rows), limits=limits)}


def test_all_questions_are_answered_in_order() -> None:
    assert tuple(one.name for one in findings_of(frame(*FRESH))) == NAMES
    assert set(LIMITS) == set(NAMES)
    assert set(READ) <= set(METRICS)
    assert set(READ) <= set(PANELS["standard"])


def test_what_has_no_evidence_cannot_be_told() -> None:
    found = states(odds(1.0, 0.8, 1.25))
    assert found == dict.fromkeys(NAMES, "cannot tell") | {
        "tails_lost": "not found",
        "tails_widened": "not found",
    }


def test_a_test_of_both_sides_is_of_the_side_that_the_size_is_on() -> None:
    lost, widened = (
        {one.name: one for one in findings_of(frame(odds(value, 0.9 * value, 1.1 * value, p=1e-6)))}
        for value in (0.5, 2.0)
    )
    assert (lost["tails_lost"].state, lost["tails_widened"].state) == ("found", "not found")
    assert (widened["tails_lost"].state, widened["tails_widened"].state) == ("not found", "found")
    assert lost["tails_widened"].p_value is None


def test_many_questions_make_a_small_p_value_less_sure() -> None:
    alone = states(odds(0.5, 0.3, 0.9, p=0.02))
    among = states(
        odds(0.5, 0.3, 0.9, p=0.02),
        *FRESH[1:],
        {"metric": "mode_coverage", "level": 0.05, "value": 1.0, "p_value": 1.0},
    )
    assert (alone["tails_lost"], among["tails_lost"]) == ("found", "not found")


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    rows = [
        odds(0.5, 0.3, 0.9, p=0.004),
        retained("total_variance", 0.9, 0.85, 0.95, p=0.03),
        {"metric": "mode_coverage", "level": 0.05, "value": 1.0, "p_value": 0.9},
    ]
    found = {one.name: one.q_value for one in findings_of(frame(*rows))}
    assert found["tails_lost"] == pytest.approx(0.012)
    assert found["spread_lost"] == pytest.approx(0.045)
    assert found["modes_lost"] == pytest.approx(0.9)


def test_a_limit_of_ones_own_has_three_states() -> None:
    row = odds(0.7, 0.6, 0.82, p=1e-6)
    assert [states(row, tails_lost=limit)["tails_lost"] for limit in (0.9, 0.75, 0.5)] == [
        "found",
        "cannot tell",
        "not found",
    ]
    junk = retained("tail_mass", 10.0, 6.0, 14.0, level=0.01, p=1e-6)
    assert [states(junk, junk=limit)["junk"] for limit in (0.01, 0.09, 0.2)] == [
        "found",
        "cannot tell",
        "not found",
    ]


@pytest.mark.parametrize(
    ("rows", "state"),
    [(0, "passed"), (1, "failed"), (2, "inconclusive")],
)
def test_a_gate_has_three_states(rows: int, state: str) -> None:
    row = (odds(1.0, 0.9, 1.1), odds(0.5, 0.4, 0.6, p=1e-9), odds(0.8, 0.7, 0.9, p=1e-3))[rows]
    asked = GateRequest.of("tails-lost", keep=0.8)
    gate = asked.decide(findings_of(frame(row), limits=asked.limits))
    assert gate.state == state
    assert gate.decided_by == (() if state == "passed" else ("tails_lost",))
    assert str(gate).startswith(f"gate: {state}: ")


def test_a_gate_asks_for_what_there_is() -> None:
    assert GateRequest.of("any").names == set(NAMES)
    with refused(InputError, argument="fail_on", got="'tails_gone'"):
        GateRequest.of("copies,tails_gone")
    with refused(InputError, argument="fail_on", got="none"):
        GateRequest.of([])
    with refused(InputError, argument="limits", got="'rows'"):
        GateRequest.of("any", {"rows": 0.1})
    with refused(InputError, argument="limits", got="'junk'"):
        GateRequest.of("copies", {"junk": 0.1})
    with refused(InputError, argument="limits['junk']", expected="at least 0"):
        GateRequest.of("junk", {"junk": -0.1})
    with refused(InputError, argument="keep", got="both"):
        GateRequest.of("any", {"tails_lost": 0.5}, 0.8)


def test_the_detectable_loss_is_found_in_four_of_five_samples() -> None:
    # Fisher's noncentral law of tail rows at these odds, 4,000 draws, seed 0; z ≤ 4, and the law is
    # of whole rows.
    rows = nearest_rows(frame(odds(1.0, 0.8, 1.25)).to_dicts())
    value = detectable_odds(rows, 0.05 / 7)
    assert value is not None
    from scipy.stats import fisher_exact, nchypergeom_fisher

    counts = nchypergeom_fisher.rvs(2000, 1000, 100, value, size=4000, random_state=0)
    sure = {
        count: fisher_exact([[count, 1000 - count], [100 - count, 900 + count]]).pvalue <= 0.05 / 7
        for count in set(counts.tolist())
    }
    found = np.mean([sure[count] for count in counts.tolist()])
    assert 0.75 <= found <= 0.85


HUMAN = samples.gaussian(1, 1000, 8)


def changed(kind: str) -> np.ndarray:
    fresh = samples.gaussian(2, 1000, 8)
    if kind == "elsewhere":
        return fresh + 20
    if kind == "junk":
        fresh[:300] *= 12
    elif kind == "moved":
        fresh[:, 0] += 1
    elif kind == "copies":
        fresh[:500] = HUMAN[:500]
    elif kind == "tails_lost":
        fresh *= 0.8
    return fresh


@pytest.mark.parametrize("kind", ["elsewhere", "junk", "moved", "copies", "tails_lost", "nothing"])
def test_what_happened_is_what_is_found_and_said_first(kind: str) -> None:
    found = tw.compare(HUMAN, changed(kind), metrics=READ, threads=1)
    names = [one.name for one in found.findings if one.found]
    first = {
        "elsewhere": "The candidate is not in the same place",
        "junk": "About 3",
        "moved": "The candidate has moved",
        "copies": "50 % [47, 53] of the candidate rows are copies",
        "tails_lost": "Tails were lost",
        "nothing": "Nothing was found",
    }
    assert found.sentence.startswith(first[kind])
    assert (kind in names) == (kind != "nothing")
    assert found.gate().state == ("passed" if kind == "nothing" else "failed")


AXES = np.linalg.qr(samples.gaussian(9, 8, 8))[0]
DEVIATIONS = np.logspace(0, -1, 8)
PLACES = {
    "offset": (lambda rows: rows + 5, "Its mean lies 9.74 times the human spread away: an offset?"),
    "scale": (lambda rows: 9 * rows, "Its spread is 8.57 times the human one: another scale?"),
    "length": (
        lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True),
        (
            "Its rows have length 1.00 on average and human rows 4.46, and one of the two is "
            "normalised."
        ),
    ),
    "axes": (
        lambda rows: rows @ AXES,
        "Its variance has the same shares along other axes: rotated, or another encoder?",
    ),
    "spectrum": (
        lambda rows: 1.5 + ((rows - 1.5) * np.linspace(0.5, 20, 8)) @ AXES,
        "Its variance has other shares along its axes: another encoder?",
    ),
}


@pytest.mark.parametrize("kind", PLACES)
def test_what_sets_a_candidate_elsewhere_apart_is_said(kind: str) -> None:
    happens, said = PLACES[kind]
    human, fresh = (1.5 + samples.gaussian(seed, 600, 8) * DEVIATIONS for seed in (3, 4))
    found = tw.compare(human, happens(fresh), metrics=READ, threads=1)
    assert found.run["differs"]["kind"] == kind
    assert found.sentence.endswith(f" of its rows lie where human rows do. {said}")
    (elsewhere,) = (one for one in found.findings if one.name == "elsewhere")
    assert elsewhere.differs == found.run["differs"]


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (np.eye(8)[2], "most in column 2 by 1.02 standard deviations: "),
        (1.5 * AXES[5] * DEVIATIONS[5], "most along principal direction 6 by 1.52 standard "),
    ],
    ids=["column", "direction"],
)
def test_along_what_a_candidate_has_moved_is_said(shift: np.ndarray, said: str) -> None:
    # Human rows have the rows of AXES for their principal directions, or columns of one variance.
    turned = "direction" in said
    human, fresh = (
        (samples.gaussian(seed, 1000, 8) * DEVIATIONS) @ AXES
        if turned
        else samples.gaussian(seed, 1000, 8)
        for seed in (5, 6)
    )
    found = tw.compare(human, fresh + shift, metrics=READ, threads=1)
    assert found.sentence.startswith(f"The candidate has moved, {said}")


def test_what_has_not_moved_has_no_direction() -> None:
    a, b, c = (samples.gaussian(seed, 300, 8) for seed in (1, 2, 3))
    assert direction_of_shift(a, b, c, 0.95) is None
    assert difference_of_place(a, b, c) is None
    # A single point has no spread to measure in.
    assert difference_of_place(a, b, np.ones((300, 8))) is None


def test_markdown_and_junit_say_what_the_findings_do() -> None:
    human = tw.open(HUMAN)
    found = tw.compare(human, changed("copies"), metrics=READ, threads=1)
    markdown = found.to_markdown()
    assert "| copies | ✗ found | 50.0 % | [46.9 %, 53.1 %] |" in markdown.replace("\u202f", " ")
    assert markdown.count("\n| ") == len(NAMES) + 1
    gate = found.gate("copies,tails_lost", limits={"tails_lost": 1.0})
    suite = ET.fromstring(found.to_junit(gate)).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == ["copies", "tails_lost"]
    failure = cases["copies"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("50 % [47, 53] of the candidate rows")
    # Odds whose interval holds 1, the limit, cannot be told from it.
    assert cases["tails_lost"].find("skipped") is not None


def test_classes_share_one_rate_and_a_class_without_rows_is_a_lost_mode() -> None:
    labels = np.repeat(["cat", "dog", "newt"], 300)
    human = samples.gaussian(3, 900, 4)
    fresh = samples.gaussian(4, 600, 4)
    fresh[300:] *= 0.4
    found = tw.compare(human, fresh, per=(labels, labels[:600]), metrics=READ, threads=1)
    assert found.sentence.startswith("“newt” is gone: no candidate row is of it. Tails were lost ")
    named = {(one.name, one.of) for one in found.findings if one.found}
    assert {("modes_lost", "newt"), ("tails_lost", "dog")} <= named
    assert not {of for _, of in named} & {"cat"}
    assert str(found.gate("tails_lost")) == "gate: failed: tails_lost in “dog”"
    assert str(found.gate("copies")) == "gate: passed: none of copies"
    assert "tails lost of dog" in found.to_markdown()
    assert 'classname="tailwatch.compare, dog"' in found.to_junit(found.gate("tails_lost"))


def test_copied_classes_are_said_before_that_their_tails_are_whole() -> None:
    labels = np.repeat(["cat", "dog"], 300)
    human = samples.gaussian(5, 600, 4)
    found = tw.compare(human, human.copy(), per=(labels, labels), metrics=READ, threads=1)
    assert found.sentence.startswith("Copies of human rows are in “cat” and “dog”. No loss of ")


def test_the_interval_of_copies_is_of_the_confidence_that_was_asked_for() -> None:
    half = changed("copies")
    wide, narrow = (
        next(one for one in found.findings if one.name == "copies")
        for found in (
            tw.compare(HUMAN, half, metrics=["copies"], confidence=level, threads=1)
            for level in (0.99, 0.8)
        )
    )
    from scipy.stats import binomtest

    for one, level in ((wide, 0.99), (narrow, 0.8)):
        exact = binomtest(500, 1000).proportion_ci(level, method="exact")
        assert (one.low, one.high) == pytest.approx((exact.low, exact.high), rel=1e-9)


def test_lost_modes_are_those_of_the_surer_of_small_ones_and_all() -> None:
    def kept(level: float, value: float, p: float) -> dict[str, Any]:
        return {"metric": "mode_coverage", "level": level, "value": value, "p_value": p}

    def finding(*rows: dict[str, Any]) -> Finding:
        found = findings_of(frame(*rows))
        return next(one for one in found if one.name == "modes_lost")

    large = finding(kept(0.05, 1.0, 0.9), kept(1.0, 0.2, 1e-6))
    assert (large.state, large.size, large.p_value) == ("found", 0.2, pytest.approx(2e-6))
    assert large.evidence == (("mode_coverage", 1.0),)
    small = finding(kept(0.05, 0.5, 1e-6), kept(1.0, 0.9, 1e-5))
    assert (small.size, small.evidence) == (0.5, (("mode_coverage", 0.05),))
    # What differs most surely need not be lost.
    other = finding(kept(0.05, 0.5, 1e-3), kept(1.0, 1.0, 1e-9))
    assert (other.size, other.p_value) == (0.5, pytest.approx(2e-3))
    assert finding(kept(0.05, 0.5, 0.03)).p_value == 0.03


CENTRES = 6 * np.random.default_rng(0).normal(size=(20, 8))
EQUAL = {clusters: np.ones(clusters) for clusters in (5, 20)}
ONE_SMALL = {clusters: np.r_[0.5, np.ones(clusters - 1)] for clusters in (5, 20)}


def in_clusters(seed: int, rows: int, weights: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(weights), size=rows, p=weights / weights.sum())
    return CENTRES[chosen] + rng.normal(size=(rows, 8))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("human", "gone"),
    [
        (EQUAL[5], 1),
        (EQUAL[5], 4),
        (ONE_SMALL[5], 1),
        (EQUAL[20], 1),
        (EQUAL[20], 5),
        (ONE_SMALL[20], 1),
    ],
    ids=["1 of 5", "4 of 5", "small of 5", "1 of 20", "5 of 20", "small of 20"],
)
def test_modes_of_any_size_are_seen_to_be_lost(human: np.ndarray, gone: int, seed: int) -> None:
    # There have to be more k-means clusters, √(n/4) of them, than modes.
    left, n = np.where(np.arange(len(human)) < gone, 0, human), 200 * len(human)
    rows = in_clusters(seed, n, human), in_clusters(seed + 10, n, left)
    found = tw.compare(*rows, metrics=["mode_coverage"], threads=1)
    assert [one.name for one in found.findings if one.found] == ["modes_lost"]
    fresh = tw.compare(rows[0], in_clusters(seed + 20, n, human), metrics=["mode_coverage"])
    assert not any(one.found for one in fresh.findings)


@pytest.mark.parametrize("outlier_of", ["human", "candidate"])
@pytest.mark.parametrize(("columns", "shift"), [(1, 6.0), (8, 3.0), (64, 1.0)])
def test_outliers_amid_the_other_sample_do_not_hide_that_it_is_elsewhere(
    columns: int, shift: float, outlier_of: str
) -> None:
    for seed in range(3):
        rng = np.random.default_rng([seed, columns])
        human, fresh = rng.normal(size=(2, 600, columns))
        candidate = fresh + shift
        # As few as leave the k-th nearest neighbour of any row on its own side.
        if outlier_of == "human":
            human[:3] = shift
        else:
            candidate[:3], candidate[3] = fresh[:3], 0
        found = tw.compare(human, candidate, metrics=READ, threads=1)
        assert found.sentence.startswith("The candidate is not in the same place"), seed


def test_a_candidate_collapsed_amid_human_rows_is_not_elsewhere() -> None:
    rng = np.random.default_rng(3)
    human = rng.normal(size=(600, 8))
    collapsed = human.mean(axis=0) + 1e-3 * rng.normal(size=(600, 8))
    found = tw.compare(human, collapsed, metrics=READ, threads=1)
    assert "elsewhere" not in {one.name for one in found.findings if one.found}


def test_a_detectable_loss_is_smaller_where_rows_are_tied_and_larger_where_they_repeat() -> None:
    def detectable(ratio: float | None) -> float | None:
        row = odds(1.0, 0.9, 1.1) | {"level": 0.05, "variance_ratio_all": ratio}
        row |= {"n_reference_all": 1000, "n_candidate_all": 1000}
        return detectable_odds(nearest_rows([row]), 0.05 / 9)

    assert detectable(None) == detectable(1.0)
    # It does not jump where rows begin to be tied.
    assert detectable(1.0) == pytest.approx(detectable(1.0 - 1e-9), rel=0.02)
    ratios = [1.5, 1.2, 1.0 - 1e-9, 0.5, 0.25]
    found = [detectable(ratio) for ratio in ratios]
    assert found == sorted(found)
    # Where half of all rows are tied at its edge there is no tail.
    half = TailCounts(100, (0, 0), (500, 500), (1000, 1000)).variance_ratio
    assert (detectable(half), detectable(0.0)) == (None, None)
    assert detectable(1.01 * half) is not None


@pytest.mark.parametrize("n", [300, 1000])
def test_the_detectable_loss_of_tied_rows_is_found_in_four_of_five_samples(n: int) -> None:
    # A row in six is tied at the edge of the tail, as of whole numbers from 1 to 5 in four columns.
    places, share = n // 10, 1 / 6
    fresh = TailCounts(places, (0, 0), (round(n * share), round(n * share)), (n, n))
    row = {"metric": "tail_odds_ratio", "level": 0.05, "variance_ratio_all": fresh.variance_ratio}
    row |= {"n_reference_all": n, "n_candidate_all": n}
    odds = detectable_odds(nearest_rows([row]), 0.05 / 9)
    assert odds is not None
    rng, trials = np.random.default_rng(n), 1000
    tied = rng.binomial(n, [share, odds * share], size=(trials, 2))
    kinds, times = np.unique(tied, axis=0, return_counts=True)
    sure = [
        TailCounts(places, (0, 0), (human, kept), (n, n)).p_value() <= 0.05 / 9
        for human, kept in kinds.tolist()
    ]
    # Within 5 % and z = 4 of 1,000 trials.
    assert abs(times @ sure / trials - 0.8) < 0.05 + 4 * (0.8 * 0.2 / trials) ** 0.5

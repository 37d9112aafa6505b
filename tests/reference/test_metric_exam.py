"""The exam judges what it is given as it says; its results are in docs/calibration/metric-exam.md.

Curves here are made by hand, so that a metric passes or fails by construction.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benches.exam.checks import CHECKS, drawn, scored
from benches.exam.criteria import (
    either,
    falls,
    falls_by,
    flat,
    low_or_high,
    near,
    peak,
    rises,
    settles,
)
from benches.exam.page import REASONS, failures
from benches.exam.readings import answers_of, means, score_of
from benches.metric_exam import main

if TYPE_CHECKING:
    from pathlib import Path

    from benches.exam.checks import Check
    from benches.exam.criteria import Kind, Test

POINTS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])


@pytest.mark.parametrize(
    ("judge", "passes", "fails"),
    [
        (peak(0.0), [0.0, 0.5, 1.0, 0.5, 0.0], [1.0, 0.5, 0.0, 0.5, 1.0]),
        # The middle is 0.1 below the largest value, or more.
        (peak(0.0), [0.2, 0.9, 0.81, 0.5, 0.0], [0.2, 0.9, 0.79, 0.5, 0.0]),
        # One end has to be the smallest value, but for 0.1.
        (peak(0.0), [0.5, 0.2, 1.0, 0.5, 0.3], [0.5, 0.2, 1.0, 0.5, 0.4]),
        (rises, [0.0, 0.2, 0.1, 0.3, 0.21], [0.0, 0.2, 0.1, 0.3, 0.19]),
        (falls, [0.9, 1.0, 0.5, 0.0, 0.1], [0.89, 1.0, 0.5, 0.0, 0.1]),
        (falls_by(1.0), [1.0, 1.0, 1.0, 0.89, 0.0], [1.0, 1.0, 1.0, 0.91, 0.0]),
        (flat, [0.3, 0.34, 0.3, 0.3, 0.3], [0.3, 0.36, 0.3, 0.3, 0.3]),
        (settles, [0.0, 0.9, 0.3, 0.34, 0.3], [0.3, 0.3, 0.3, 0.36, 0.3]),
        (near("last", 0.2), [1.0, 1.0, 1.0, 1.0, 0.24], [0.2, 0.2, 0.2, 0.2, 0.26]),
        (near(-1.0, 1.0), [0.0, 1.04, 0.0, 0.0, 0.0], [1.0, math.nan, 1.0, 1.0, 1.0]),
    ],
)
def test_a_shape_is_told_from_what_is_nearly_it(
    judge: Test, passes: list[float], fails: list[float]
) -> None:
    assert judge(POINTS, np.array(passes)) is True
    assert judge(POINTS, np.array(fails)) is False
    assert judge(POINTS, np.full(5, math.nan)) is False


def test_a_wide_candidate_may_be_low_or_high() -> None:
    for value, answer in ((0.0, "low"), (1.0, "high"), (0.5, False)):
        assert low_or_high("last")(POINTS, np.full(5, value)) == answer
    low_or_flat = either(falls, flat)
    for values, said in (([1, 1, 1, 1, 0], "low"), ([1] * 5, "high"), ([0, 1, 0, 1, 0], False)):
        assert low_or_flat(POINTS, np.array(values, float)) == said


Shape = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def away(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - 2 * np.abs(x - x.mean()) / np.ptp(x)


IDEAL: dict[str, tuple[Shape, Shape]] = {
    "mean": (away, away),
    "sphere": (away, away),
    "deviation": (
        lambda x: np.minimum(1, (x.max() - x) / (x.max() - 1)),
        lambda x: np.minimum(1, (x - x.min()) / (1 - x.min())),
    ),
    "modes fade": (np.ones_like, lambda x: 1 - 0.9 * x),
    "modes drop": (lambda x: np.ones(len(x)), lambda x: 1 - x / 10),
    "mode invention": (lambda x: np.minimum(5 / x, 1), lambda x: np.minimum(x / 5, 1)),
    "cube": (lambda x: np.full(len(x), 0.2), lambda x: np.full(len(x), 0.2)),
    "mode collapse": (lambda x: 1 - x / 5, np.ones_like),
}
"""By the first words of a check: what metrics of fidelity and diversity without a flaw would show.
Diversity is high for candidates that are wider. All others are 0, but for rounding."""


def ideal(check: Check, kind: Kind) -> list[NDArray[np.float64]]:
    named = (shapes for name, shapes in IDEAL.items() if check.name.startswith(name))
    shape = next(named, (np.zeros_like, np.zeros_like))[kind == "diversity"]
    curves = [shape(np.array(curve.points, float)) for curve in check.curves]
    if check.name == "rounding":
        # Rounded rows lack diversity, and all others fidelity to them.
        full = "human rounded" if kind == "diversity" else "candidate rounded"
        return [values + (c.label == full) for c, values in zip(check.curves, curves, strict=True)]
    return curves


@pytest.mark.parametrize("kind", ["fidelity", "diversity"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_metric_without_a_flaw_passes(check: Check, kind: Kind) -> None:
    values = ideal(check, kind)
    score = scored(check, kind, values)
    assert score.passed
    assert score.asked >= 2
    # One that is wrong at the last point of one curve does not.
    values[-1][-1] = 2.0
    assert not scored(check, kind, values).passed


@pytest.mark.parametrize("kind", ["fidelity", "diversity"])
def test_a_constant_passes_nothing_but_where_nothing_is_common(kind: Kind) -> None:
    passed = {
        value: {
            check.name
            for check in CHECKS
            if scored(check, kind, [np.full(len(c.points), value) for c in check.curves]).passed
        }
        for value in (0.0, 0.2, 1.0)
    }
    disjoint = {"ball and torus", "scaling", "one disjoint column", "scaling, as it is"}
    flat_and_full = {"fidelity": {"modes fade", "modes drop"}, "diversity": {"mode collapse"}}
    # Of the diversity of wide candidates 0 is an answer too.
    assert passed[0.0] == disjoint | ({"rounding"} if kind == "diversity" else set())
    assert passed[0.2] == {"cube, size", "cube, candidate size"}
    assert passed[1.0] == flat_and_full[kind]


def test_low_here_and_high_there_is_not_passed() -> None:
    check = next(check for check in CHECKS if check.name == "deviation")
    high = ideal(check, "diversity")
    low = [np.maximum(1 - np.abs(np.log(curve.points)), 0) for curve in check.curves]
    assert scored(check, "diversity", low).passed
    mixed = scored(check, "diversity", [high[0], low[1], low[2]])
    assert mixed.met == mixed.asked
    assert not mixed.passed


def test_values_are_read_raw_and_against_the_null() -> None:
    triples = [[[0.4, 0.2, 0.4], [0.9, None, 0.9]], [[0.6, 0.3, 0.4], [0.7, None, 0.0]]]
    assert means(triples, "precision", "raw") == pytest.approx([0.5, 0.8])
    assert means(triples, "precision", "retention") == pytest.approx([0.625, math.nan], nan_ok=True)
    # A divergence is 1 − its share of the largest of the curve, above its null where it is a
    # retention; copies are 1 − share.
    apart = [[[1.0, 1.5, 0.5], [4.0, 4.5, 0.5]]]
    assert means(apart, "energy_distance", "raw") == pytest.approx([0.75, 0.0])
    assert means(apart, "energy_distance", "retention") == pytest.approx([0.75, 0.0])
    assert means([[[0.3, 0.4, 0.1]]], "copies", "retention") == pytest.approx([0.7])


def lines_of(check: Check, names: list[list[list[str]]]) -> dict[Any, Any]:
    return {
        (check.name, curve.label): [{"found": found} for found in names] for curve in check.curves
    }


def test_findings_are_asked_for_at_their_points() -> None:
    check = next(check for check in CHECKS if check.name == "mode invention")
    nothing: list[list[str]] = [[] for _ in range(5)]
    right = [["modes_lost"], *nothing[1:4], ["junk", "moved"]]
    answers = answers_of(check, lines_of(check, [right] * 10))
    assert all(answer.passed for answer in answers)
    # Nine of ten comparisons are enough, eight are not; three false ones are not too many.
    for missing, passes in ((1, True), (2, False)):
        found = answers_of(check, lines_of(check, [nothing] * missing + [right] * (10 - missing)))
        assert [answer.passed for answer in found if answer.question.expected] == [passes] * 2
    for false, passes in ((3, True), (4, False)):
        wrong = [["modes_lost"], [], ["moved"], [], ["junk"]]
        found = answers_of(check, lines_of(check, [wrong] * false + [right] * (10 - false)))
        assert found[0].passed is passes


def test_what_is_not_passed_has_a_reason_on_the_page() -> None:
    check = next(check for check in CHECKS if check.name == "rounding")
    nothing: list[list[str]] = [[] for _ in range(4)]
    assert failures([check], lines_of(check, [nothing])).startswith("- **rounding**: human rows")
    both = [["moved", "repeated"] for _ in range(4)]
    assert failures([check], lines_of(check, [both])) == ""
    assert set(REASONS) <= {check.name for check in CHECKS}


def test_human_rows_stay_and_are_what_rows_are_scaled_by() -> None:
    check = next(check for check in CHECKS if check.name == "mean")
    pairs = drawn(check, 1, 0, 150)
    assert all(human is pairs[0][0] for human, _ in pairs)
    human = pairs[0][0]
    np.testing.assert_allclose([human.mean(0), human.std(0)], [[0] * 8, [1] * 8], atol=1e-12)
    # 150 rows of 8 columns: means have a standard error of 0.08, z ≤ 4 beside that of the human.
    for x, (_, candidate) in zip(check.curves[1].points, pairs, strict=True):
        assert candidate.mean() == pytest.approx(x, rel=0.25, abs=0.33)
    anew = next(check for check in CHECKS if check.name == "scaling")
    assert len({id(human) for human, _ in drawn(anew, 0, 0, 150)}) == 5


def test_a_small_exam_goes_on_where_it_was_stopped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "exam.jsonl"
    asked = ["--small", "--checks", "scaling", "--results", str(results)]
    main([*asked, "--repeats", "1", "--seconds", "0"])
    assert results.read_text() == ""
    main([*asked, "--repeats", "1"])
    once = results.read_text()
    page = capsys.readouterr().out
    main([*asked, "--repeats", "1"])
    assert results.read_text() == once
    (line,) = map(json.loads, once.splitlines())
    assert (line["check"], line["n"], len(line["found"])) == ("scaling", 200, 5)
    assert all({"elsewhere", "moved"} <= set(found) for found in line["found"])
    check = next(check for check in CHECKS if check.name == "scaling")
    lines = {("scaling", "2 columns"): [line]}
    scores = [score_of(check, name, lines, "raw") for name in ("clipped_density", "vendi_score")]
    # The first sees that nothing is common; the second looks at the candidate alone.
    assert [score.met == score.asked == 3 for score in scores] == [True, False]
    assert "| scaling | 3 |" in page
    assert "| scaling | all | `elsewhere` | 1.00 | yes |" in page

"""The share by scores and answers of a detector: likelihood, coverage, order alone, errors."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.stats import binom, chi2

from benches import share_from_scores as share_from_scores_bench
from tailwatch.contamination import ErrorRates, share_from_scores
from tailwatch.exceptions import DimensionError, InputError
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.support.recursion_learners import Opaque

RATES = ErrorRates(30, 1000, 850, 1000)


def draw(seed: int, rows: int = 2000, share: float = 0.1) -> NDArray[np.float64]:
    """Human scores N(0, 1), the last ones N(2, 1)."""
    found = np.random.default_rng(seed).normal(size=rows)
    found[rows - round(share * rows) :] += 2
    return found


def answers(yes: int, rows: int) -> NDArray[np.bool_]:
    return np.arange(rows) < yes


@pytest.mark.parametrize(("yes", "rows"), [(115, 1000), (30, 1000), (4000, 20_000)])
def test_the_interval_is_that_of_three_binomials(yes: int, rows: int) -> None:
    """The likelihood at the bounds, its rates profiled by a general optimizer."""
    found = share_from_scores(answers(yes, rows), error_rates=RATES)

    def height(share: float) -> float:
        def minus(logits: NDArray[np.float64]) -> float:
            fpr, tpr = 1 / (1 + np.exp(-logits))
            q = (1 - share) * fpr + share * tpr
            terms = ((30, 1000, fpr), (850, 1000, tpr), (yes, rows, q))
            return -float(sum(binom.logpmf(*each) for each in terms))

        start = np.log([0.03 / 0.97, 0.85 / 0.15])
        options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
        return -float(minimize(minus, start, method="Nelder-Mead", options=options).fun)

    limit = chi2.ppf(0.95, 1) / 2
    top = height(found.value)
    assert found.value == pytest.approx(max((yes / rows - 0.03) / 0.82, 0), abs=1e-6)
    for bound in (found.low, found.high):
        if bound > 0:
            assert top - height(bound) == pytest.approx(limit, abs=1e-5)
    assert found.low <= found.value < found.high


def test_a_file_of_scores_is_asked_how_often_intervals_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A drawn file, 60 targets of each share, seed 1: at least 95 % less z = 4 standard errors."""
    human, synthetic = draw(21, 1500, 0.0), draw(22, 900, 1.0)
    label = np.repeat([0, 1], [len(human), len(synthetic)])
    table = pl.DataFrame({"score": np.concatenate([human, synthetic]), "label": label})
    table.sample(fraction=1, shuffle=True, seed=1).write_csv(tmp_path / "scores.csv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["", "--scores", "scores.csv", "--replications", "60"])
    share_from_scores_bench.main()
    head, rule, *lines = capsys.readouterr().out.splitlines()
    assert head == "| n | N | π | holds | length | usual holds | usual length |"
    assert rule.count("|") == head.count("|")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[2] for row in cells] == ["0.05", "0.2", "0.5"]
    for n, size, share, held, length, *_ in cells:
        assert n == "450"
        # No row is in the target and in a reference.
        assert float(size.replace(",", "")) * float(share) < 450
        assert float(held) >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 60)
        assert 0.05 < float(length) < 0.2
    assert not (tmp_path / "docs").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("score,origin\n1,0\n", "expected the columns score and label, got score, origin"),
        ("score,label\n1,0\n2,2\n", "expected finite scores and labels 0 and 1"),
        ("score,label\n1,0\n,1\n", "expected finite scores and labels 0 and 1"),
        ("score,label\n1,0\n2,1\n", "too few rows: 1 human and 1 synthetic ones"),
    ],
)
def test_files_of_scores_that_are_refused(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(SystemExit, match=says):
        share_from_scores_bench.table_of_file(path, 2, 1)


def holds(low: float, high: float, share: float) -> bool:
    return low <= share <= high


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_intervals_by_rates_hold_the_share(share: float) -> None:
    """Of 30 detectors and targets, seed 11: at least 95 % less z = 4 standard errors."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(30):
        rates = ErrorRates(rng.binomial(300, 0.05), 300, rng.binomial(300, 0.8), 300)
        yes = rng.binomial(100_000, (1 - share) * 0.05 + share * 0.8)
        found = share_from_scores(answers(yes, 100_000), error_rates=rates)
        held += holds(found.low, found.high, share)
    assert held / 30 >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 30)


def test_intervals_by_scores_hold_the_share() -> None:
    """Of 30 pairs of references and targets, seeds from 100: at least 95 % less z = 4."""
    held = 0
    for number in range(30):
        human, synthetic = draw(100 + number, 500, 0.0), draw(300 + number, 500, 1.0)
        found = share_from_scores(draw(500 + number, 20_000, 0.1), human, synthetic)
        held += holds(found.low, found.high, 0.1)
    assert held / 30 >= 0.95 - 4 * math.sqrt(0.95 * 0.05 / 30)


@pytest.mark.parametrize("with_synthetic", [True, False])
def test_only_the_order_of_scores_counts(with_synthetic: bool) -> None:
    given = [draw(1, 3000), draw(2, 600, 0.0), *([draw(3, 500, 1.0)] if with_synthetic else [])]
    plain = share_from_scores(*given)
    # Ranks of all: an increasing function that float32 would not have told apart.
    known = np.unique(np.concatenate(given))
    bent = [1 + 1e-12 * np.searchsorted(known, each) for each in given]
    assert share_from_scores(*bent) == plain
    assert plain.method == ("template fit" if with_synthetic else "lower bound")
    assert plain.low <= 0.1 <= plain.high


def test_strata_and_groups() -> None:
    human, synthetic = draw(2, 800, 0.0), draw(3, 500, 1.0)
    months = np.arange(800) // 100
    target, by = draw(4, 1200, 0.25), np.repeat(["a", "b", "c", "d"], 300)
    found = share_from_scores(target, human, synthetic, strata=months, by=by)
    assert found.method == "template fit, drift"
    assert found.null_floor.source == "strata"
    assert found.groups is not None
    assert found.groups.frame["above"].to_list() == [False, False, False, True]
    alone = share_from_scores(target[900:], human, synthetic, strata=months)
    assert found.groups.frame.row(3)[2:5] == (alone.value, alone.low, alone.high)


@pytest.mark.parametrize("make", [list, pl.Series, np.float32])
def test_any_column_of_numbers_is_taken(make: Opaque) -> None:
    given = [np.round(draw(seed, 300, share), 2) for seed, share in ((1, 0.3), (2, 0), (3, 1))]
    expected = share_from_scores(*(each.astype(np.float32) for each in given))
    assert share_from_scores(*map(make, given)) == expected


def test_a_detector_that_knows_nothing_says_nothing() -> None:
    found = share_from_scores(answers(50, 1000), error_rates=ErrorRates(50, 1000, 50, 1000))
    assert (found.low, found.high) == (0, 1)


def test_scores_that_are_refused() -> None:
    human, synthetic = draw(2, 100, 0.0), draw(3, 100, 1.0)
    with refused(InputError, "human_scores", "scores, or error_rates", "neither"):
        share_from_scores(human)
    with refused(InputError, "human_scores", "at least 20 scores", "19"):
        share_from_scores(human, human[:19], synthetic)
    with refused(InputError, "scores", "at least one number", "none"):
        share_from_scores([], human, synthetic)
    with refused(InputError, "synthetic_scores", "finite numbers…", "nan", "row 3"):
        share_from_scores(human, human, np.where(np.arange(100) == 3, np.nan, synthetic))
    with refused(InputError, "scores", "finite numbers that float64 holds", where="row 1"):
        share_from_scores([1, 2**53 + 1], human, synthetic)
    with refused(DimensionError, "scores", "a 1-D array"):
        share_from_scores(human[:, np.newaxis], human, synthetic)
    with refused(InputError, "human_scores", "scores that differ", "equal ones"):
        share_from_scores([1.0], np.ones(20), np.ones(20))
    with refused(InputError, "strata", "a name for each of the 100 rows of human"):
        share_from_scores(human, human, synthetic, strata=["a"])


def test_rates_that_are_refused() -> None:
    with refused(InputError, "error_rates", got="some"):
        share_from_scores([True], draw(1), error_rates=RATES)
    with refused(InputError, "scores", "true or false, 1 or 0, …", "0.5", "row 1"):
        share_from_scores([1.0, 0.5], error_rates=RATES)
    with refused(InputError, "scores", "an answer, true or false, …"):
        share_from_scores(["yes"], error_rates=RATES)
    for rates, name in (
        (ErrorRates(1, 19, 850, 1000), "error_rates.human"),
        (ErrorRates(1001, 1000, 850, 1000), "error_rates.false_positives"),
        (ErrorRates(-1, 1000, 850, 1000), "error_rates.false_positives"),
        (ErrorRates(0, 1000, 0.9, 1000), "error_rates.true_positives"),
        (ErrorRates(0, 1000, 9, 10**9), "error_rates.synthetic"),
    ):
        with refused(InputError, name):
            share_from_scores([True], error_rates=rates)

"""Bad arguments of `contamination`: one error that says which, what was expected, and what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import (
    DimensionError,
    InputError,
    NonFiniteError,
    TailwatchError,
    TailwatchWarning,
)
from tests.support import forms
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

fit = tw.contamination.fit
RNG = np.random.default_rng(5)
HUMAN = RNG.normal(size=(300, 4)).astype(np.float32)
SYNTHETIC = (1 + RNG.normal(size=(200, 4))).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> tw.contamination.ContaminationModel:
    return fit(HUMAN, SYNTHETIC)


def spoilt(value: float, row: int = 7) -> np.ndarray:
    rows = HUMAN.copy()
    rows[row, 2] = value
    return rows


FITS: dict[str, tuple[Callable[[], object], type[TailwatchError], dict[str, str]]] = {
    "nothing beside human": (
        lambda: fit(HUMAN),
        InputError,
        fields("synthetic", "embeddings, or without them a target", "neither"),
    ),
    "both": (
        lambda: fit(HUMAN, SYNTHETIC, target=HUMAN),
        InputError,
        fields("target", "none beside synthetic", "one", hint="prevalence() takes the target"),
    ),
    "few human rows": (
        lambda: fit(HUMAN[:19], SYNTHETIC),
        InputError,
        fields("human", "at least 20 rows", "19"),
    ),
    "few synthetic rows": (
        lambda: fit(HUMAN, SYNTHETIC[:19]),
        InputError,
        fields("synthetic", "at least 20 rows", "19"),
    ),
    "few target rows": (
        lambda: fit(HUMAN, target=SYNTHETIC[:19]),
        InputError,
        fields("target", "at least 20 rows", "19"),
    ),
    "columns": (
        lambda: fit(HUMAN, SYNTHETIC[:, :3]),
        DimensionError,
        fields("synthetic", "4 columns as in human", "3"),
    ),
    "NaN": (
        lambda: fit(spoilt(np.nan), SYNTHETIC),
        NonFiniteError,
        fields("human", "finite values of magnitudes up to 1e+150", "nan", "row 7, column 2"),
    ),
    "infinity": (
        lambda: fit(SYNTHETIC, spoilt(-np.inf, 299)),
        NonFiniteError,
        fields(
            "synthetic", "finite values of magnitudes up to 1e+150", "-inf", "row 299, column 2"
        ),
    ),
    "magnitude": (
        lambda: fit(HUMAN, SYNTHETIC.astype(np.float64) * 1e200),
        NonFiniteError,
        fields(
            "synthetic",
            "finite values of magnitudes up to 1e+150",
            "1.66382e+200",
            "row 0, column 0",
        ),
    ),
    "equal rows": (
        lambda: fit(np.ones((100, 4)), np.zeros((100, 4))),
        InputError,
        fields("human", "rows in at least two folds", "all 100 in one"),
    ),
    "no column that varies": (
        lambda: fit(HUMAN, HUMAN + 0, folds=2, strata=["a", "b"] * 149 + ["a"]),
        InputError,
        fields("strata", "a name for each of the 300 rows of human", "299"),
    ),
    "one stratum": (
        lambda: fit(HUMAN, SYNTHETIC, strata=["a"] * 300),
        InputError,
        fields("strata", "at least two", "only 'a'"),
    ),
    "a null stratum": (
        lambda: fit(HUMAN, SYNTHETIC, strata=["a"] * 299 + [None]),
        InputError,
        fields("strata", "a name", "null", "row 299"),
    ),
    "nested strata": (
        lambda: fit(HUMAN, SYNTHETIC, strata=[["a"]] * 300),
        InputError,
        fields("strata", "text, numbers or dates", "List(String)"),
    ),
    "strata of no kind": (
        lambda: fit(HUMAN, SYNTHETIC, strata=5),  # type: ignore[arg-type]
        InputError,
        fields("strata", "a name for each row of human", "int"),
    ),
    "no such hold-out": (
        lambda: fit(HUMAN, SYNTHETIC, hold_out="months"),  # type: ignore[arg-type]
        InputError,
        fields("hold_out", "'rows', or 'strata' where there are strata", "'months'"),
    ),
    "strata that are not there": (
        lambda: fit(HUMAN, SYNTHETIC, hold_out="strata"),
        InputError,
        fields("hold_out", "'rows', or 'strata' where there are strata", "'strata'"),
    ),
    "one fold": (
        lambda: fit(HUMAN, SYNTHETIC, folds=1),
        InputError,
        fields("folds", "an integer of at least 2", "1"),
    ),
    "many folds": (
        lambda: fit(HUMAN, SYNTHETIC, folds=51),
        InputError,
        fields("folds", "at most 50", "51"),
    ),
    "seed": (
        lambda: fit(HUMAN, SYNTHETIC, seed=-1),
        InputError,
        fields("seed", "an integer of at least 0", "-1"),
    ),
    "threads": (
        lambda: fit(HUMAN, SYNTHETIC, threads=0),
        InputError,
        fields("threads", "an integer of at least 1", "0"),
    ),
    "encoder": (
        lambda: fit(HUMAN, SYNTHETIC, encoder=7),  # type: ignore[arg-type]
        InputError,
        fields("encoder", "a name", "int"),
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_fit_refuses(name: str) -> None:
    call, error, said = FITS[name]
    with refused(TailwatchError, **said) as caught:
        call()
    assert type(caught.value) is error


USES: dict[str, tuple[Callable[[Any], object], type[TailwatchError], dict[str, str]]] = {
    "columns": (
        lambda model: model.score(HUMAN[:, :3]),
        DimensionError,
        fields("embeddings", "4 columns as the references have", "3"),
    ),
    "columns of the target": (
        lambda model: model.prevalence(HUMAN[:, :3]),
        DimensionError,
        fields("target", "4 columns as the references have", "3"),
    ),
    "NaN": (
        lambda model: model.rows(spoilt(np.nan)),
        NonFiniteError,
        fields("embeddings", "finite values of magnitudes up to 1e+150", "nan", "row 7, column 2"),
    ),
    "infinity far down": (
        lambda model: model.score(np.concatenate([np.zeros((70_000, 4)), spoilt(np.inf)])),
        NonFiniteError,
        fields(
            "embeddings", "finite values of magnitudes up to 1e+150", "inf", "row 70007, column 2"
        ),
    ),
    "scores that overflow": (
        lambda model: model.score(np.full((1, 4), 1e100)),
        NonFiniteError,
        fields("embeddings", "values whose score float32 can hold", "larger ones", "row 0"),
    ),
    "no rows": (
        lambda model: model.prevalence(model.empty_histogram()),
        InputError,
        fields("target", "a histogram of at least one row", "an empty one"),
    ),
    "confidence": (
        lambda model: model.prevalence(HUMAN, confidence=1),
        InputError,
        fields("confidence", "a number between 0 and 1", "1"),
    ),
    "a share above 1": (
        lambda model: model.rows(HUMAN, 1.5),
        InputError,
        fields("prevalence", "a number between 0 and 1", "1.5"),
    ),
    "labels": (
        lambda model: model.prevalence(HUMAN, audit=(HUMAN[:3], [0, 1])),
        InputError,
        fields("audit", "a label, 0 or 1, for each of 3 rows", "int64 of shape (2,)"),
    ),
    "a label of 2": (
        lambda model: model.prevalence(HUMAN, audit=(HUMAN[:3], [0, 1, 2])),
        InputError,
        fields("audit", "0 or 1", "2", "row 2"),
    ),
    "columns of the audit": (
        lambda model: model.prevalence(HUMAN, audit=(HUMAN[:3, :2], [0, 1, 1])),
        DimensionError,
        fields("audit", "4 columns as the references have", "2"),
    ),
    "scores of another type": (
        lambda model: model.empty_histogram().absorb(np.zeros(3)),
        InputError,
        fields("scores", "a 1-D float32 array as score() gives it", "float64 of shape (3,)"),
    ),
    "scores that are not finite": (
        lambda model: model.empty_histogram().absorb(np.float32([0, np.nan])),
        InputError,
        fields("scores", "finite scores", "nan", "row 1"),
    ),
    "counts of another length": (
        lambda model: model.empty_histogram((np.zeros(1, np.int64), np.zeros(301, np.int64))),
        InputError,
        fields("bins", "15 counts of int64", "int64 (1,)"),
    ),
    "counts that differ": (
        lambda model: model.empty_histogram((model.histogram(HUMAN).bins, np.zeros(301, np.int64))),
        InputError,
        fields("ranks", "300 rows as in bins", "0"),
    ),
    "threads": (
        lambda model: model.score(HUMAN, threads=0),
        InputError,
        fields("threads", "an integer of at least 1", "0"),
    ),
}


@pytest.mark.parametrize("name", USES)
def test_a_model_refuses(name: str, model: tw.contamination.ContaminationModel) -> None:
    call, error, said = USES[name]
    with refused(TailwatchError, **said) as caught:
        call(model)
    assert type(caught.value) is error


def test_counts_of_another_model_are_refused(model: tw.contamination.ContaminationModel) -> None:
    other = fit(HUMAN, SYNTHETIC, seed=1)
    assert other.fingerprint != model.fingerprint
    foreign = other.histogram(HUMAN)
    expected = f"counts of model {model.fingerprint[:12]}"
    got = f"those of {other.fingerprint[:12]}"
    for call in (
        lambda: model.histogram(HUMAN).merge(foreign),
        lambda: model.prevalence(foreign),
        lambda: model.row_table(other.prevalence(foreign)),
    ):
        with refused(InputError, "histogram", expected, got):
            call()


@pytest.mark.parametrize("form", forms.IN_MEMORY)
def test_every_form_gives_the_same_scores(form: str) -> None:
    rows = forms.sample(rows=60)
    made = fit(rows, rows + 1)
    shaped = forms.IN_MEMORY[form](rows)
    np.testing.assert_array_equal(made.score(shaped), made.score(rows))
    other = fit(forms.IN_MEMORY[form](rows), forms.IN_MEMORY[form](rows + 1))
    assert other.fingerprint == made.fingerprint


def test_files_give_the_same(tmp_path: Path, model: tw.contamination.ContaminationModel) -> None:
    for number, part in enumerate(np.split(HUMAN, [3, 50])):
        np.save(tmp_path / f"{number}.npy", part)
    found = model.prevalence(str(tmp_path / "*.npy"))
    assert found == model.prevalence(HUMAN)


def test_strata_may_be_text_numbers_or_dates() -> None:
    names = np.repeat([3, 1, 2], 100)
    dates = pl.Series(names).cast(pl.Date)
    made = [fit(HUMAN, SYNTHETIC, strata=each) for each in (names, names.tolist(), dates)]
    assert made[0].strata == ("1", "2", "3")
    assert made[0].fingerprint == made[1].fingerprint
    np.testing.assert_array_equal(made[0].score(HUMAN), made[2].score(HUMAN))


def test_references_that_do_not_explain_the_target_are_named(
    model: tw.contamination.ContaminationModel,
) -> None:
    # Rows between the two references, which no mixture of them gives.
    between = (0.5 + 0.1 * np.random.default_rng(1).normal(size=(20_000, 4))).astype(np.float32)
    with pytest.warns(TailwatchWarning, match="^target: the references do not explain it: "):
        found = model.prevalence(between)
    assert found.agreement is False


def test_too_few_human_rows_for_q_values_are_said() -> None:
    few = fit(HUMAN[:100], SYNTHETIC)
    target = np.concatenate([HUMAN, HUMAN, SYNTHETIC[:30]])
    with pytest.warns(TailwatchWarning, match=r"^q_value: no row can reach 0\.05: with a share of"):
        rows = few.rows(target, 0.05)
    assert rows["q_value"].min() > 0.05

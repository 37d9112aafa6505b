"""The diagnosis on frames made by hand: what names a run, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import polars as pl

from tailwatch.exceptions import InputError
from tailwatch.recursion.verdicts.diagnosis import FAILURES, SCHEMA, diagnose
from tests.support.errors import refused
from tests.support.recursion_frames import frame, levels, risks

FORGETTING, OVERFITTING, MODE_COLLAPSE, MODEL_COLLAPSE = FAILURES

HEALTHY = [
    *levels("coverage", [0.95] * 9, null=0.95, reach=0.01),
    *levels("tail_coverage", [0.9] * 9, null=0.9, level=0.1, reach=0.02),
    *levels("total_variance", [1.0] * 9, reach=0.02),
    *levels("authenticity", [0.45] * 9, null=0.45, reach=0.02),
    *risks([1.0] * 9, reach=0.01),
    *risks([1.0] * 9, reach=0.01, metric="training_risk"),
    *risks([1.0] * 9, reach=0.01, metric="earlier_risk:first"),
]


def without(*metrics: str) -> list[dict[str, object]]:
    return [row for row in HEALTHY if row["metric"] not in metrics]


def status(found: pl.DataFrame, mode: str) -> str:
    return str(found.filter(mode=mode)["status"][0])


def test_healthy() -> None:
    found = diagnose(frame(HEALTHY))
    assert found.mode == "none"
    assert found.frame.schema == pl.Schema(SCHEMA)
    assert found.frame["mode"].to_list() == list(FAILURES)
    assert set(found.frame["status"]) == {"does not hold"}
    assert found.sentence == "None of the four failures is seen."


def test_what_was_not_measured_is_not_ruled_out() -> None:
    found = diagnose(frame(levels("coverage", [1.0] * 3)))
    assert found.mode == "none"
    assert "not ruled out: catastrophic forgetting, overfitting, model collapse" in found.sentence


def test_model_collapse_is_gradual() -> None:
    falling = levels("tail_coverage", np.linspace(0.9, 0.2, 9).tolist(), null=0.9, level=0.1)
    found = diagnose(frame(without("tail_coverage"), falling))
    assert found.mode == MODEL_COLLAPSE
    assert found.sentence.startswith("This looks like model collapse: tail_coverage at 0.1, gener")
    at_once = levels("tail_coverage", [0.2] * 9, null=0.9, level=0.1)
    found = diagnose(frame(without("tail_coverage"), at_once))
    assert status(found.frame, MODEL_COLLAPSE) == "undetermined"
    assert "no gradual loss" in found.frame.filter(mode=MODEL_COLLAPSE)["evidence"][0]


def test_mode_collapse_is_there_at_the_first_generation() -> None:
    few = levels("coverage", [0.3] * 9, null=0.95, reach=0.02)
    assert diagnose(frame(without("coverage"), few)).mode == MODE_COLLAPSE
    later = levels("coverage", [0.95] + [0.3] * 8, null=0.95, reach=0.02)
    assert diagnose(frame(without("coverage"), later)).mode != MODE_COLLAPSE


def test_overfitting_copies() -> None:
    copies = levels("authenticity", [0.01] * 9, null=0.45, reach=0.05)
    gap = risks([0.2] * 9, reach=0.01, metric="training_risk")
    found = diagnose(frame(without("authenticity", "training_risk"), copies, gap))
    assert found.mode == OVERFITTING
    assert "held-out risk less training risk in the last generation: 0.8" in found.sentence


def test_forgetting_is_a_risk_that_rises_more_than_that_of_the_task() -> None:
    rising = np.linspace(1, 3, 9).tolist()
    jump = risks(rising, reach=0.01, metric="earlier_risk:first")
    assert diagnose(frame(without("earlier_risk:first"), jump)).mode == FORGETTING
    # If the risk of the present task rises as much, nothing was forgotten but everything.
    both = risks(rising, reach=0.01)
    found = diagnose(frame(without("earlier_risk:first", "risk"), jump, both))
    assert status(found.frame, FORGETTING) == "undetermined"


def test_one_of_several_tasks_is_enough() -> None:
    jump = risks(np.linspace(1, 3, 9).tolist(), reach=0.01, metric="earlier_risk:second")
    found = diagnose(frame(HEALTHY, jump))
    assert found.mode == FORGETTING
    assert "the risk of second became" in found.sentence


def test_what_comes_first_names_the_run() -> None:
    copies = levels("authenticity", [0.01] * 9, null=0.45)
    falling = levels("tail_coverage", np.linspace(0.9, 0.2, 9).tolist(), null=0.9, level=0.1)
    found = diagnose(frame(without("authenticity", "tail_coverage"), copies, falling))
    assert found.mode == OVERFITTING
    assert status(found.frame, MODEL_COLLAPSE) == "holds"


def test_bad_arguments() -> None:
    with refused(InputError, "confidence", "a number between 0 and 1", "2"):
        diagnose(frame(HEALTHY), confidence=2)
    with refused(InputError, "frame", "the frame of a run", "str"):
        diagnose("run")  # type: ignore[arg-type]

"""A study of loops of detectors: arms and seeds together, on a detector of NumPy alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tests.yolo.scenes import learner, three_sets

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.yolo import DetectionDataset


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DetectionDataset]:
    return three_sets(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def studied(
    sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, tw.yolo.Study]:
    folder = tmp_path_factory.mktemp("study")
    study = tw.yolo.study(
        tw.yolo.Experiment(sets["human"], sets["test"], learner(sets)),
        policies={"replace": tw.recursion.Replace(), "accumulate": tw.recursion.Accumulate()},
        generations=2,
        seeds=2,
        directory=folder,
    )
    return folder, study


def test_a_study_puts_arms_and_seeds_together(
    studied: tuple[Path, tw.yolo.Study], tmp_path: Path
) -> None:
    folder, found = studied
    runs = found.frame["run"].unique(maintain_order=True).to_list()
    assert runs == ["replace", "accumulate", "human only"]
    of_metric = found.seeds.filter(run="replace", generation=2, metric="map50")
    assert of_metric["seed"].to_list() == [0, 1]
    row = found.frame.filter(run="replace", generation=2, metric="map50").row(0, named=True)
    assert row["value"] == pytest.approx(of_metric["value"].mean())
    assert row["method"] == "mean of 2 seeds, t interval"
    assert row["reason"].startswith("the null is the arm 'human only'")
    control = found.frame.filter(run="human only", generation=2, metric="map50")["value"][0]
    assert row["null"] == control
    assert row["retention"] == pytest.approx(row["value"] / control)
    both = found.frame.filter(pl.col("null_low") < pl.col("null"), pl.col("retention_high") > 0)
    assert both.height
    # The errors of value and null are both in it, so it reaches further than either.
    assert (both["retention_high"] > both["high"] / both["null"]).all()
    assert pl.read_parquet(folder / "frame.parquet").equals(found.frame)
    page = (folder / "report.html").read_text()
    assert ">Share, blue<" in page
    assert page.count("data:image/jpeg;base64,") == 4 * 4
    assert len(page) < 1_000_000
    check_results(found, page, tmp_path)


def check_results(found: tw.yolo.Study, page: str, folder: Path) -> None:
    """Check a study as a result: what is saved is read again, equal, and drawn the same."""
    again = tw.yolo.Study.load(found.save(folder / "study.tailwatch"))
    assert again == found
    assert again.to_html() == page
    assert again._repr_html_() == found._repr_html_() != ""
    assert repr(again) == repr(found)
    run, kept = found.runs[1]["replace"], again.runs[1]["replace"]
    assert kept.frame.equals(run.frame)
    assert kept.sentence == run.sentence
    assert kept.directory == run.directory
    document = json.loads(found.to_json())
    assert document["sentence"] == found.sentence
    assert len(document["seeds"]) == found.seeds.height
    assert replace(found, remarks=("other",)) != found
    assert replace(found, pictures=found.pictures[:-1]) != found


def test_arms_of_a_study_have_the_same_budget(studied: tuple[Path, tw.yolo.Study]) -> None:
    records = (studied[0] / "seed-0" / "fits" / "fits").glob("*.json")
    budgets = {json.loads(record.read_text())["budget"] for record in records}
    assert budgets == {5 * 40}


def test_intervals_over_seeds_are_those_of_the_mean() -> None:
    from scipy.stats import t

    from tailwatch.recursion.frame import frame_of

    row = {"run": "replace", "generation": 1, "group": "model", "metric": "map", "n_sample": 9}
    values = (0.2, 0.5, 0.3)
    frames = {seed: frame_of([row | {"value": value}]) for seed, value in enumerate(values)}
    found = tw.yolo.over_seeds(frames, confidence=0.9).row(0, named=True)
    reach = t.ppf(0.95, 2) * np.std(values, ddof=1) / 3**0.5
    mean = np.mean(values)
    assert found["value"] == pytest.approx(mean)
    assert (found["low"], found["high"]) == pytest.approx((mean - reach, mean + reach))
    # At 95 % this interval would begin below 0, where no average precision is.
    assert mean - t.ppf(0.975, 2) * np.std(values, ddof=1) / 3**0.5 < 0
    assert tw.yolo.over_seeds(frames)["low"].item() == 0.0
    alone = tw.yolo.over_seeds({0: frames[0]}).row(0, named=True)
    assert alone["low"] is None
    assert (alone["method"], alone["reason"]) == (None, "1 of 1 seed measured it")

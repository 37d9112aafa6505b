"""The logic of a loop of detectors, on a detector of NumPy alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, TailwatchError
from tests.support.errors import fields, refused
from tests.yolo.scenes import BLIND_TO_BLUE, NAMES, NumpyDetector, learner, three_sets

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.yolo import DetectionDataset, YoloModel


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DetectionDataset]:
    return three_sets(tmp_path_factory.mktemp("scenes"))


def fitted(sets: dict[str, DetectionDataset], **given: object) -> YoloModel:
    return learner(sets, **given).fit(sets["human"], rng=np.random.default_rng(0))


def sampled(model: YoloModel, size: int, seed: int = 0) -> DetectionDataset:
    return model.sample(size, rng=np.random.default_rng(seed))


def run(
    sets: dict[str, DetectionDataset], folder: Path, *, arm: str = "run", **given: object
) -> tuple[tw.recursion.Run, NumpyDetector]:
    detector = NumpyDetector()
    chosen = learner(sets, directory=folder / "fits", detector=detector, arm=arm)
    given = {"policy": tw.recursion.Replace(), "generations": 3} | given
    start = given.pop("start", None)
    found = tw.recursion.run(
        replace(chosen, start=start),  # type: ignore[arg-type]
        sets["human"],
        holdout=sets["test"],
        directory=folder / arm,
        **given,  # type: ignore[arg-type]
    )
    return found, detector


@dataclass
class Done:
    """A run of three generations, its folder, and the detector that was trained for it."""

    folder: Path
    run: tw.recursion.Run
    detector: NumpyDetector

    def copy(self, folder: Path) -> Path:
        return shutil.copytree(self.folder, folder, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def replaced(sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Nothing but labels of the generation before; each training begins anew."""
    folder = tmp_path_factory.mktemp("replaced")
    return Done(folder, *run(sets, folder))


@pytest.fixture(scope="module")
def gone_on(sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The same, and each training goes on from the weights of the one before."""
    folder = tmp_path_factory.mktemp("gone-on")
    return Done(folder, *run(sets, folder, start="previous"))


def test_labels_are_those_that_reach_their_threshold(sets: dict[str, DetectionDataset]) -> None:
    found = sampled(fitted(sets), 50)
    counts = found.class_counts().sum(0)
    assert counts[2] == 0
    assert counts[:2].min() > 0
    assert found.boxes["confidence"].min() >= BLIND_TO_BLUE
    assert found.names == NAMES


def test_a_class_may_have_a_threshold_of_its_own(sets: dict[str, DetectionDataset]) -> None:
    found = sampled(fitted(sets, class_confidence={"blue": 0.2, "red": 1.0}), 50)
    counts = found.class_counts().sum(0)
    assert counts[2] == sets["pool"].class_counts().sum(0)[2]
    assert counts[0] == sets["pool"].class_counts().sum(0)[0]
    with refused(
        InputError, "class_confidence", "classes among ('red', 'green', 'blue')", "'purple'"
    ):
        learner(sets, class_confidence={"purple": 0.5})


def test_samples_know_their_teacher_and_not_the_pools_labels(
    sets: dict[str, DetectionDataset],
) -> None:
    model = fitted(sets)
    found = sampled(model, 50)
    assert found.images["origin"].unique().to_list() == ["pseudo"]
    assert found.images["teacher"].unique().to_list() == [model.fit.fingerprint]
    assert found.boxes["confidence"].null_count() == 0
    assert sorted(found.images["sha256"]) == sorted(sets["pool"].images["sha256"])


def test_an_uncertain_image_is_background(sets: dict[str, DetectionDataset]) -> None:
    found = sampled(fitted(sets), 50)
    only_blue = {
        sha
        for sha, boxes in zip(sets["pool"].images["sha256"], sets["pool"].boxes_of(), strict=True)
        if boxes and all(box[0] == 2 for box in boxes)
    }
    assert only_blue
    for sha, boxes in zip(found.images["sha256"], found.boxes_of(), strict=True):
        if sha in only_blue:
            assert boxes == []


def test_an_uncertain_image_is_dropped(sets: dict[str, DetectionDataset]) -> None:
    found = sampled(fitted(sets, uncertain="drop"), 50)
    assert len(found) == 50
    assert all(found.boxes_of())
    # Each image that is left is there before any is taken again.
    times = found.images["sha256"].value_counts()["count"]
    assert times.max() - times.min() <= 1


def test_dropping_every_image_is_an_error(sets: dict[str, DetectionDataset]) -> None:
    # No class has more than about 0.6 of the boxes; and a detector may be this unsure of all.
    blind = fitted(sets, uncertain="drop", class_confidence=dict.fromkeys(NAMES, 1.0))
    weights = json.loads(blind.weights.read_text()) | {"shares": [0.1, 0.1, 0.1]}
    blind.weights.write_text(json.dumps(weights))
    with refused(
        TailwatchError,
        "uncertain",
        "an image of the pool with a box of confidence 1",
        "none among 50, so that dropping uncertain images leaves none",
    ):
        sampled(blind, 10)


@pytest.mark.parametrize("size", [7, 50, 120])
def test_the_asked_number_of_images_comes_back(
    sets: dict[str, DetectionDataset], size: int
) -> None:
    found = sampled(fitted(sets), size)
    assert len(found) == size
    times = found.images["sha256"].value_counts()["count"]
    assert times.max() == -(-size // 50)
    assert sampled(fitted(sets), size).fingerprint() == found.fingerprint()
    assert sampled(fitted(sets), size, seed=1).fingerprint() != found.fingerprint()


def test_the_loop_loses_what_the_detector_does_not_see(replaced: Done) -> None:
    frame = replaced.run.frame.filter(generation=3)
    values = dict(frame.filter(pl.col("level").is_null()).select("metric", "value").iter_rows())
    assert values["classes_gone"] == 1
    assert values["class_share:blue"] == 0
    assert values["ap50:blue"] == 0
    assert values["ap50:red"] == 1
    assert values["crop_coverage:blue"] == 0
    assert values["crop_coverage:tail classes"] == 0
    assert values["map50"] == pytest.approx(2 / 3)
    assert values["risk"] == pytest.approx(1 / 3)
    # A detector that knows no blue takes it for another colour, in cells that nothing shares.
    assert {values["fusion"], values["fused_only"]} == {0}
    pairs = [values.get(f"confusion:blue→{other}") or 0.0 for other in ("red", "green")]
    assert sum(pairs) == pytest.approx(1)
    assert values["matched"] == pytest.approx(1)


def test_human_data_alone_lose_nothing(sets: dict[str, DetectionDataset], tmp_path: Path) -> None:
    found, detector = run(sets, tmp_path, policy=tw.yolo.HumanOnly())
    by_generation = found.frame.filter(metric="map50")["value"]
    assert by_generation.to_list() == [1, 1, 1]
    assert found.frame.filter(metric="human_fraction")["value"].to_list() == [1, 1, 1]
    assert [fit["images"] for fit in detector.fits] == [40, 40, 40]
    # Each generation is a training of its own.
    assert len({fit["seed"] for fit in detector.fits}) == 3


POLICIES = {
    "replace": (tw.recursion.Replace(), [40, 40, 40], [1, 0, 0]),
    "accumulate": (tw.recursion.Accumulate(), [40, 80, 120], [1, 1 / 2, 1 / 3]),
    "subsample": (tw.recursion.AccumulateSubsample(), [40, 40, 40], None),
    "augment": (tw.recursion.Augment(), [40, 80, 80], [1, 1 / 2, 1 / 2]),
    "mix": (tw.recursion.Mix(0.25), [40, 40, 40], [1, 0.25, 0.25]),
}


@pytest.mark.parametrize(
    "name",
    [
        *("replace", "subsample", "mix"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("accumulate", "augment")),
    ],
)
def test_every_policy_hands_over_what_it_promises(
    sets: dict[str, DetectionDataset], tmp_path: Path, name: str, replaced: Done
) -> None:
    policy, rows, human = POLICIES[name]
    if name == "replace":
        found, detector = replaced.run, replaced.detector
    else:
        found, detector = run(sets, tmp_path, policy=policy)
    assert [fit["images"] for fit in detector.fits] == rows
    if human is not None:
        values = found.frame.filter(metric="human_fraction")["value"].to_list()
        assert values == pytest.approx(human)


def test_fresh_human_labels_are_new_in_each_generation(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    found, detector = run(sets, tmp_path, policy=tw.recursion.Mix(0.5, fresh=True), size=20)
    assert [fit["images"] for fit in detector.fits] == [20, 20, 20]
    assert found.frame.filter(metric="human_fraction")["value"].to_list() == [1, 0.5, 0.5]


def test_a_training_starts_where_it_was_told(replaced: Done, gone_on: Done) -> None:
    assert [fit["start"] for fit in replaced.detector.fits] == [None] * 3
    fits = gone_on.folder / "fits"
    keys = [fit["key"] for fit in json.loads((fits / "arms" / "run.json").read_text())]
    starts = [fit["start"] for fit in gone_on.detector.fits]
    assert starts == [None, *(fits / "fits" / f"{key}.pt" for key in keys[:2])]


def test_a_run_that_was_cut_short_trains_only_what_is_missing(
    sets: dict[str, DetectionDataset], tmp_path: Path, gone_on: Done
) -> None:
    run(sets, tmp_path, start="previous", generations=2)
    cut, detector = run(sets, tmp_path, start="previous")
    assert len(detector.fits) == 1
    assert cut.frame.equals(gone_on.run.frame)


def test_a_training_that_was_done_is_not_done_again(
    sets: dict[str, DetectionDataset], tmp_path: Path, gone_on: Done
) -> None:
    gone_on.copy(tmp_path)
    # Killed after the training and before `done`.
    (tmp_path / "run" / "generations" / "0002" / "done").unlink()
    second, detector = run(sets, tmp_path, start="previous")
    assert detector.fits == []
    assert second.frame.equals(gone_on.run.frame)


def test_arms_share_their_first_generation(
    sets: dict[str, DetectionDataset], tmp_path: Path, gone_on: Done
) -> None:
    gone_on.copy(tmp_path)
    _, detector = run(sets, tmp_path, arm="mix", start="previous", policy=tw.recursion.Mix(0.25))
    assert len(detector.fits) == 2
    # And each goes on from its own weights.
    arms = [
        json.loads((tmp_path / "fits" / "arms" / f"{arm}.json").read_text())
        for arm in ("run", "mix")
    ]
    assert arms[0][0] == arms[1][0]
    assert detector.fits[1]["start"].stem == arms[1][1]["key"] != arms[0][1]["key"]


def test_the_encoder_does_not_move(replaced: Done) -> None:
    fits = replaced.folder / "fits"
    first = json.loads((fits / "arms" / "run.json").read_text())[0]["key"]
    weights = fits / "fits" / f"{first}.pt"
    assert (fits / "encoder.pt").read_bytes() == weights.read_bytes()


def test_a_run_directory_holds_each_generation(replaced: Done) -> None:
    for number in (1, 2, 3):
        folder = replaced.folder / "run" / "generations" / f"{number:04d}"
        data = tw.yolo.DetectionDataset.load(folder / "samples")
        weights = json.loads((folder / "model" / "model.json").read_text())["weights"]
        assert data.images["teacher"].unique().to_list() == [weights]
        assert (folder / "model" / "weights.pt").is_file()


def test_a_run_of_another_learner_is_refused(
    sets: dict[str, DetectionDataset], replaced: Done
) -> None:
    changed = replace(learner(sets, directory=replaced.folder / "fits"), confidence=0.3)
    with refused(
        InputError,
        "directory",
        "a directory of the same run, or a new one",
        "learner.confidence: 0.45 there, 0.3 here",
        "…/run",
    ):
        tw.recursion.run(
            changed,
            sets["human"],
            holdout=sets["test"],
            policy=tw.recursion.Replace(),
            generations=3,
            directory=replaced.folder / "run",
        )


def test_a_folder_without_the_first_generation_cannot_be_gone_on_with(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    labelled = sampled(fitted(sets), 40)
    with refused(
        InputError,
        "directory",
        "a directory with the human data of a first generation",
        "none, and 40 of 40 images here with labels of a detector",
        "…",
    ):
        learner(sets, directory=tmp_path).fit(labelled, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start": "sideways"}, fields("start", "one of scratch, base, previous", "'sideways'")),
        ({"confidence": 0}, fields("confidence", "above 0 and at most 1", "0")),
        (
            {"class_confidence": {"red": 2}},
            fields("class_confidence", "above 0 and at most 1", "2 for 'red'"),
        ),
        ({"uncertain": "keep"}, fields("uncertain", "'background' or 'drop'", "'keep'")),
        ({"budget": 0}, fields("budget", "an integer of at least 1", "0")),
    ],
)
def test_bad_arguments_are_named(
    sets: dict[str, DetectionDataset], given: dict[str, object], said: dict[str, str]
) -> None:
    with refused(InputError, **said):
        learner(sets, **given)


def test_other_classes_are_refused(sets: dict[str, DetectionDataset]) -> None:
    human = sets["human"]
    other = tw.yolo.DetectionDataset(("a", "b", "c"), human.images, human.boxes)
    with refused(
        InputError, "pool", "the classes of data, ('a', 'b', 'c')", "('red', 'green', 'blue')"
    ):
        learner(sets).fit(other, rng=np.random.default_rng(0))


def test_the_model_may_come_first(sets: dict[str, DetectionDataset]) -> None:
    given = {"pool": sets["pool"], "detector": NumpyDetector()}
    assert tw.yolo.YoloLearner("other.yaml", **given).model == "other.yaml"
    with pytest.raises(TypeError, match="positional"):
        tw.yolo.YoloLearner("other.yaml", sets["pool"])

"""Whose labels: what is known of them, and what becomes of a loop that does not know."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchWarning
from tailwatch.yolo import DetectionDataset
from tests.support.errors import refused
from tests.yolo.scenes import NumpyDetector, scenes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    return scenes(tmp_path_factory.mktemp("scenes"), 8, seed=3)


def pseudo(data: DetectionDataset) -> DetectionDataset:
    boxes = data.boxes.with_columns(confidence=pl.lit(0.5))
    return data.relabelled(boxes, teacher="ab" * 32)


def origins(path: Path, **given: str) -> dict[str, int]:
    return DetectionDataset.from_yaml(path, **given).origins()


def without_manifest(data: DetectionDataset, folder: Path) -> Path:
    """The set as a person would have it: images, labels, data.yaml."""
    data.save(folder)
    (folder / "manifest.parquet").unlink()
    return folder / "data.yaml"


def test_a_generations_own_folder_says_that_a_detector_made_the_labels(
    human: DetectionDataset, tmp_path: Path
) -> None:
    folder = pseudo(human).save(tmp_path / "samples")
    data = DetectionDataset.from_yaml(folder / "data.yaml")
    assert data.origins() == {"pseudo": 8}
    assert data.images["teacher"].unique().to_list() == ["ab" * 32]


def test_a_human_folder_of_ours_says_so(human: DetectionDataset, tmp_path: Path) -> None:
    folder = human.save(tmp_path / "human")
    assert origins(folder / "data.yaml") == {"human": 8}
    mixed = human.take([0, 1]).concat([pseudo(human)]).save(tmp_path / "mixed")
    assert origins(mixed / "data.yaml") == {"human": 2, "pseudo": 8}


def test_a_users_own_set_is_unknown_until_somebody_says(
    human: DetectionDataset, tmp_path: Path
) -> None:
    path = without_manifest(human, tmp_path / "own")
    assert origins(path) == {"unknown": 8}
    assert origins(path, origin="human") == {"human": 8}
    assert origins(path, origin="pseudo") == {"pseudo": 8}
    assert "unknown" in repr(DetectionDataset.from_yaml(path))
    with refused(InputError, "origin", "one of human, pseudo, unknown", "'mine'"):
        origins(path, origin="mine")


def launder_by_another_yaml(folder: Path, there: Path) -> None:
    there.write_text(f"path: {folder}\ntrain: images\nnames: [red, green, blue]\n")


def launder_by_a_list(folder: Path, there: Path) -> None:
    files = sorted((folder / "images").iterdir())
    (there.parent / "list.txt").write_text("".join(f"{file}\n" for file in files))
    there.write_text("train: list.txt\nnames: [red, green, blue]\n")


def launder_by_linked_folders(folder: Path, there: Path) -> None:
    for name in ("images", "labels"):
        (there.parent / name).symlink_to(folder / name)
    there.write_text("train: images\nnames: [red, green, blue]\n")


def launder_by_linked_images(folder: Path, there: Path) -> None:
    for name in ("images", "labels"):
        (there.parent / name).mkdir()
        for file in (folder / name).iterdir():
            (there.parent / name / file.name).symlink_to(file)
    there.write_text("train: images\nnames: [red, green, blue]\n")


def launder_by_linked_labels(folder: Path, there: Path) -> None:
    shutil.copytree(folder / "images", there.parent / "images")
    (there.parent / "labels").symlink_to(folder / "labels")
    there.write_text("train: images\nnames: [red, green, blue]\n")


LAUNDERS = {
    name.removeprefix("launder_by_"): function
    for name, function in list(globals().items())
    if name.startswith("launder_by_")
}


@pytest.mark.parametrize("way", LAUNDERS)
def test_labels_of_a_detector_stay_that(human: DetectionDataset, tmp_path: Path, way: str) -> None:
    folder = pseudo(human).save(tmp_path / "samples")
    other = tmp_path / "other"
    other.mkdir()
    LAUNDERS[way](folder, other / "data.yaml")
    assert origins(other / "data.yaml") == {"pseudo": 8}
    with refused(SourceError, "origin", "the origin that the manifest says, pseudo", "'human'"):
        origins(other / "data.yaml", origin="human")


def test_human_labels_that_were_changed_are_unknown(
    human: DetectionDataset, tmp_path: Path
) -> None:
    folder = human.save(tmp_path / "human")
    number = next(n for n, boxes in enumerate(human.boxes_of()) if boxes)
    (folder / "labels" / f"{number:06d}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    assert origins(folder / "data.yaml") == {"unknown": 8}
    assert origins(folder / "data.yaml", origin="human") == {"human": 8}


def test_labels_of_a_detector_that_were_changed_stay_pseudo(
    human: DetectionDataset, tmp_path: Path
) -> None:
    folder = pseudo(human).save(tmp_path / "samples")
    number = next(n for n, boxes in enumerate(human.boxes_of()) if boxes)
    (folder / "labels" / f"{number:06d}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    assert origins(folder / "data.yaml") == {"pseudo": 8}


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", None])
def test_a_manifest_of_someone_else_says_nothing(
    human: DetectionDataset, tmp_path: Path, content: bytes | None
) -> None:
    path = without_manifest(human, tmp_path / "own")
    manifest = path.parent / "manifest.parquet"
    if content is None:
        pl.DataFrame({"file": ["000000.png"], "origin": ["human"]}).write_parquet(manifest)
    else:
        manifest.write_bytes(content)
    assert origins(path) == {"unknown": 8}


def test_a_folder_keeps_every_origin(human: DetectionDataset, tmp_path: Path) -> None:
    unknown = DetectionDataset.from_yaml(without_manifest(human, tmp_path / "own"))
    found = DetectionDataset.load(unknown.save(tmp_path / "kept"))
    assert found.origins() == {"unknown": 8}
    assert origins(tmp_path / "kept" / "data.yaml") == {"unknown": 8}
    with refused(InputError, "images", "an origin among human, pseudo, unknown", "'robot'"):
        DetectionDataset(
            human.names, human.images.with_columns(origin=pl.lit("robot")), human.boxes
        )


def study(data: DetectionDataset, test: DetectionDataset, folder: Path) -> tw.yolo.Study:
    learner = tw.yolo.YoloLearner(pool=data, detector=NumpyDetector(), confidence=0.3)
    return tw.yolo.study(
        tw.yolo.Experiment(data, test, learner),
        policies={"replace": tw.recursion.Replace()},
        generations=2,
        seeds=1,
        directory=folder,
    )


def test_a_loop_of_unknown_labels_runs_and_says_so(human: DetectionDataset, tmp_path: Path) -> None:
    data = DetectionDataset.from_yaml(without_manifest(human, tmp_path / "own"))
    test = scenes(tmp_path / "test", 4, seed=7)
    with pytest.warns(TailwatchWarning, match="origin unknown: nobody has said"):
        found = study(data, test, tmp_path / "study")
    assert found.frame["run"].unique(maintain_order=True).to_list() == [
        "replace",
        "first data only",
    ]
    page = (tmp_path / "study" / "report.html").read_text()
    assert "origin unknown: nobody has said who made the labels of 8 of 8 first images" in page
    assert "On boxes of unknown origin" in page
    first = found.runs[0]["replace"].frame.filter(generation=1)
    assert first.filter(metric="human_fraction")["value"].to_list() == [None]
    assert "8 of 8 rows are of unknown origin" in first.filter(metric="human_fraction")["reason"][0]
    assert first.filter(metric="unknown_fraction")["value"].to_list() == [1.0]
    second = found.runs[0]["replace"].frame.filter(generation=2)
    assert second.filter(metric="human_fraction")["value"].to_list() == [0.0]
    null = found.frame.filter(run="replace", generation=2, metric="map50")["reason"][0]
    assert "the null is the arm 'first data only'" in null


@pytest.mark.parametrize("which", ["data", "test"])
def test_a_study_refuses_labels_of_a_detector_before_it_trains(
    human: DetectionDataset, tmp_path: Path, which: str
) -> None:
    other = scenes(tmp_path / "other", 4, seed=5)
    sets = {"data": human, "test": other}
    sets[which] = pseudo(sets[which])
    with refused(InputError, which, "labels that a person made", "…"):
        study(sets["data"], sets["test"], tmp_path / "study")
    assert not list((tmp_path).glob("study/**/*.pt"))


def test_precision_on_labels_of_a_detector_is_called_that(
    human: DetectionDataset, tmp_path: Path
) -> None:
    learner = tw.yolo.YoloLearner(pool=human, detector=NumpyDetector(), confidence=0.3)
    model = learner.fit(human, rng=np.random.default_rng(0))
    labelled = model.sample(4, rng=np.random.default_rng(0))
    reasons = model.measure(labelled, labelled).filter(metric="map50")["reason"]
    assert "labels of 4 test images are a detector's" in reasons[0]


@pytest.mark.filterwarnings("ignore:the model begins at random weights")
def test_a_commands_statement_reaches_the_sets(
    human: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailwatch.cli import run

    path = without_manifest(human, tmp_path / "own")
    seen: list[dict[str, int]] = []

    def stop(experiment: tw.yolo.Experiment, **_: object) -> None:
        seen.append(experiment.data.origins())
        raise InputError(argument="seen")

    monkeypatch.setattr(tw.yolo, "study", stop)
    monkeypatch.setattr(
        tw.yolo,
        "YoloLearner",
        lambda **given: tw.yolo.learner.YoloLearner(pool=given["pool"], detector=NumpyDetector()),
    )
    arguments = ["yolo-loop", str(path), "--out", str(tmp_path / "out")]
    assert run(arguments) == 2
    assert run([*arguments, "--origin", "human"]) == 2
    assert seen == [{"unknown": 8}, {"human": 8}]
    assert run([*arguments, "--origin", "pseudo"]) == 2
    assert len(seen) == 2


def test_the_manifest_is_text_that_json_takes(human: DetectionDataset, tmp_path: Path) -> None:
    named = DetectionDataset(("a\x00", "\u2028", "😀"), human.images, human.boxes)
    found = DetectionDataset.load(named.save(tmp_path / "set"))
    assert found.names == named.names
    metadata = pl.read_parquet_metadata(tmp_path / "set" / "manifest.parquet")
    assert tuple(json.loads(metadata["names"])) == named.names
    again = DetectionDataset.from_yaml(tmp_path / "set" / "data.yaml")
    assert again.names == named.names
    assert replace(again, images=human.images).fingerprint() == named.fingerprint()
    assert again.origins() == {"human": 8}

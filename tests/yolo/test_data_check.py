"""All that is wrong with a set, in one list: each problem with its place and one right sentence."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.exceptions import InputError, MissingDependencyError, SourceError
from tailwatch.yolo import DetectionDataset, check_data, environment
from tailwatch.yolo.pictures import draw
from tailwatch.yolo.problems import DataError
from tailwatch.yolo.reader import read_set
from tailwatch.yolo.tasks import Task
from tests.support.errors import refused
from tests.yolo.drawn_sets import BOX, OTHER, Drawn
from tests.yolo.scenes import scenes

if TYPE_CHECKING:
    from pathlib import Path

    from tailwatch.yolo import DataCheck

APART = "train: images/train\nval: images/val\nnames: [red, green, blue]\n"


@pytest.fixture
def at(tmp_path: Path) -> Drawn:
    """A set with which nothing is wrong."""
    at = Drawn(tmp_path / "set")
    at.text(APART)
    for name in ("a", "b"):
        at.pair(name, BOX * 13 if name == "a" else OTHER, "val")
    return at


def kinds(found: DataCheck) -> list[tuple[str, str]]:
    return [(each.severity, each.kind) for each in found.problems if each.severity != "note"]


def text_of(found: DataCheck, kind: str) -> str:
    (text,) = [each.text for each in found.problems if each.kind == kind]
    return text


def test_of_a_set_with_which_nothing_is_wrong_nothing_is_said(at: Drawn) -> None:
    found = check_data(at.file)
    assert found.fine
    assert kinds(found) == []
    assert "no errors, no warnings" in found.sentence
    assert found.counts.select("split", "images", "boxes").rows() == [
        ("train", 2, 2),
        ("val", 2, 2),
    ]
    found.require()


def test_everything_is_found_at_once_with_its_place(at: Drawn) -> None:
    at.pair("2", BOX + "0 0.5 0.5 0.1\n" + "9 0.5 0.5 0.1 0.1\n")
    at.pair("3", BOX.encode("utf-16"))
    at.image("images/train/4.png", size=(9, 30))
    at.text("no pixels", "images/val/5.jpg")
    at.text(BOX, "labels/train/gone.txt")
    at.text("red\n", "labels/train/classes.txt")
    at.image("images/train/background.png")
    found = check_data(at.file)
    labels, images = at.folder / "labels", at.folder / "images"
    errors = [
        (each.kind, each.file, each.line) for each in found.problems if each.severity == "error"
    ]
    assert errors == [
        ("row", labels / "train/2.txt", 2),
        ("row", labels / "train/2.txt", 3),
        ("label file", labels / "train/3.txt", None),
        ("image", images / "train/4.png", None),
        ("image", images / "val/5.jpg", None),
        ("labels without an image", labels / "train/gone.txt", None),
    ]
    assert "line 3: expected a class from 0 to 2, got 9" in repr(found)
    assert "9 × 30 pixels, under 10 on a side" in repr(found)
    assert "train: 1 image has no label file: background" in repr(found)
    assert found.counts["left_out"].to_list() == [3, 1]
    with pytest.raises(DataError, match="6 problems: ") as caught:
        found.require()
    assert len(caught.value.problems) == 6
    found.require("leave-out")


def test_bad_files_are_refused_together_or_left_out_named_and_counted(at: Drawn) -> None:
    at.pair("2", "0 0.5 0.5 0.1\n")
    at.image("images/train/3.png", size=(9, 30))
    with pytest.raises(DataError, match=r"2 problems: .*2\.txt: line 1: .*3\.png: .*leave-out"):
        DetectionDataset.from_yaml(at.file)
    found = DetectionDataset.from_yaml(at.file, bad_files="leave-out")
    assert len(found) == 2
    assert found.remarks[0].startswith("left out: 2 of 4 train images cannot be used: ")
    (at.folder / "images/train/3.png").unlink()
    # One problem is the error that it always was.
    with refused(SourceError, "…/2.txt: line 1", "five columns, class x y w h", "4"):
        DetectionDataset.from_yaml(at.file)
    with refused(InputError, "bad_files", "'refuse' or 'leave-out'", "'ignore'"):
        DetectionDataset.from_yaml(at.file, bad_files="ignore")


def test_of_a_set_of_bad_files_alone_nothing_is_left(at: Drawn) -> None:
    for name in ("0", "1"):
        at.text("0 0.5\n", f"labels/train/{name}.txt")
    expected = "images that can be used in the set 'train'"
    with refused(SourceError, str(at.file), expected, "none of 2", "…/0.txt: line 1: …"):
        DetectionDataset.from_yaml(at.file, bad_files="leave-out")


def test_a_picture_in_two_sets(at: Drawn) -> None:
    shutil.copy(at.folder / "images/train/1.png", at.folder / "images/val/again.png")
    found = check_data(at.file)
    assert ("warning", "picture in two sets") in kinds(found)
    assert "val: 1 of the 3 images of val is in train too (" in text_of(
        found, "picture in two sets"
    )
    # It is said, and no reason not to begin.
    found.require()


def test_one_set_for_two(at: Drawn) -> None:
    at.text(APART.replace("images/val", "images/train"))
    found = check_data(at.file)
    assert kinds(found) == [("warning", "one set for two")]
    assert "all of the 2 images of val are in train too" in text_of(found, "one set for two")


def test_two_classes_of_one_name(at: Drawn) -> None:
    at.text(APART.replace("blue", "red"))
    found = check_data(at.file)
    said = "classes 0 and 2 are both called 'red'; they are told apart by number"
    assert text_of(found, "one name for two classes") == said


def test_classes_that_cannot_be_measured(at: Drawn) -> None:
    at.pair("2", "1 0.5 0.5 0.2 0.1\n" * 2 + OTHER)
    found = check_data(at.file)
    assert text_of(found, "class without a test box") == (
        "val: 1 of 3 classes is learned and has no box in val, so no precision: green"
    )
    few = "train: 3 of 3 classes have fewer than 12 boxes, too few for crops to be measured: "
    assert text_of(found, "few boxes") == few + "red (1), green (1), blue (2)"


def test_a_test_set_without_a_box(at: Drawn) -> None:
    shutil.rmtree(at.folder / "labels/val")
    found = check_data(at.file)
    assert kinds(found) == [("error", "no boxes")]
    said = "val: no labels were found: 2 images, 0 boxes; the first were looked for in "
    assert text_of(found, "no boxes") == f"{said}{at.folder}/labels/val/a.txt"


def test_labels_of_a_detector(tmp_path: Path) -> None:
    human = scenes(tmp_path / "drawn", 6, seed=3)
    folder = human.relabelled(human.boxes, teacher="ab" * 32).save(tmp_path / "generation")
    found = check_data(folder / "data.yaml", splits=["train"])
    assert kinds(found) == [("error", "labels of a detector")]
    assert "6 of 6 images have labels of a detector" in text_of(found, "labels of a detector")
    with refused(SourceError, "…/data.yaml"):
        found.require("leave-out")


def test_the_disk_of_a_run(at: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check_data(at.file, directory=at.folder / "run", trainings=10)
    assert "a run of 10 trainings needs less than 1 MB in " in text_of(found, "disk")
    assert found.fine
    whole = shutil.disk_usage(at.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: whole._replace(free=1000))
    assert ("error", "disk") in kinds(check_data(at.file, directory=at.folder / "run"))


def test_places_that_were_tried_are_named(
    at: Drawn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "Ultralytics").mkdir()
    settings = json.dumps({"datasets_dir": str(tmp_path / "mine")})
    (tmp_path / "Ultralytics/settings.json").write_text(settings)
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    at.text(f"path: nowhere\n{APART}")
    places = (tmp_path / "nowhere", at.folder / "nowhere", tmp_path / "mine/nowhere")
    got = "no " + ", ".join(f"{place}/images/train" for place in places)
    with refused(SourceError, str(at.file), "folders and files that exist", got):
        DetectionDataset.from_yaml(at.file)
    with refused(SourceError, "…/coco8.yaml", "folders and files that exist"):
        DetectionDataset.from_yaml("coco8")


def test_a_turned_image_is_measured_and_drawn_as_it_is_seen(at: Drawn, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    picture = Image.new("RGB", (60, 30), "white")
    picture.paste("black", (0, 0, 30, 30))
    picture.save(at.folder / "images/train/2.png", exif=exif)
    data = DetectionDataset.from_yaml(at.file).take([2])
    assert data.images.select("width", "height").row(0) == (30, 60)
    (tmp_path / "a.jpg").write_bytes(draw(data, 0, pixels=40))
    with Image.open(tmp_path / "a.jpg") as seen:
        assert seen.getpixel((20, 5))[0] < 50
        assert seen.getpixel((20, 35))[0] > 200


def test_the_command_lists_and_leaves_its_code(
    at: Drawn, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["yolo-check", str(at.file)]
    assert run(arguments) == 0
    at.pair("2", "0 0.5 0.5 0.1\n")
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 2
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert not found["fine"]
    assert found["problems"][0]["line"] == 1
    assert found["problems"][0]["file"].endswith("labels/train/2.txt")
    assert "error: " in said.err
    assert "2.txt: line 1: expected five columns, class x y w h, got 4" in said.err
    assert run([*arguments, "--bad-files", "leave-out"]) == 4
    assert run([*arguments, "--split", "val"]) == 0
    assert run([*arguments, "--split", "train", "--split", "none"]) == 2
    assert run([*arguments, "--bad-files", "ignore"]) == 2


@pytest.mark.filterwarnings("ignore:the model begins at random weights")
def test_a_loop_looks_at_all_sets_before_it_begins(
    at: Drawn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at.pair("2", "0 0.5 0.5 0.1\n")
    at.image("images/val/3.png", size=(9, 30))
    out = at.folder / "run"
    arguments = ["yolo-loop", str(at.file), "--out", str(out)]
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert "2 problems: " in said
    assert "2.txt: line 1" in said
    assert "3.png: " in said
    seen: list[tw.yolo.Experiment] = []

    def stop(experiment: tw.yolo.Experiment, **_: object) -> None:
        seen.append(experiment)
        raise InputError(argument="seen")

    monkeypatch.setattr(tw.yolo, "study", stop)
    monkeypatch.setattr(tw.yolo, "YoloLearner", lambda **given: given["pool"])
    assert run([*arguments, "--bad-files", "leave-out"]) == 2
    assert [(len(each.data), len(each.test)) for each in seen] == [(2, 2)]
    assert seen[0].data.remarks[0].startswith("left out: 1 of 3 train images cannot be used")


def test_an_older_ultralytics_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "8.4.166")
    with refused(MissingDependencyError, "ultralytics", "version 8.4.167 or later", "8.4.166"):
        environment._require_floor()
    for fine in ("8.4.167", "8.5.0", "9.0"):
        monkeypatch.setattr("importlib.metadata.version", lambda _, found=fine: found)
        environment._require_floor()


def test_an_ndjson_line_that_names_a_teacher_is_no_human_label(at: Drawn) -> None:
    lines = [
        {"type": "dataset", "task": "detect", "path": ".", "class_names": {"0": "a"}},
        *(
            {
                "file": f"{number}.png",
                "split": "train",
                "annotations": {"boxes": [[0, 0.5, 0.5, 0.1, 0.1]]},
                "metadata": {"origin": origin, "teacher": "ab" * 32},
            }
            for number, origin in enumerate(("pseudo", "human"))
        ),
    ]
    # Without `val` a tenth, at least one, is held out, and both have to be there.
    lines.append({"file": "b.png", "split": "val", "annotations": {}})
    file = at.text("".join(json.dumps(line) + "\n" for line in lines), "set.ndjson")
    found = DetectionDataset.from_yaml(file)
    assert found.images["origin"].to_list() == ["pseudo", "unknown"]
    assert found.images["teacher"][0] == "ab" * 32
    with refused(SourceError, "origin", "the origin that the manifest says, pseudo", "'human'"):
        DetectionDataset.from_yaml(file, origin="human")


def test_a_bad_row_of_ndjson_is_named_by_line_and_row(at: Drawn) -> None:
    header = {"path": ".", "class_names": {"0": "a", "1": "b"}}
    bad = {
        "file": "0.png",
        "split": "train",
        "annotations": {"boxes": [[0, 0.5, 0.5, 0.1, 0.1], [1, 2]]},
    }
    good = {"file": "1.png", "split": "train", "annotations": {"boxes": [[1, 0.5, 0.5, 0.1, 0.1]]}}
    held = good | {"split": "val", "file": "b.png"}
    lines = [header, bad, good, held]
    file = at.text("".join(json.dumps(line) + "\n" for line in lines), "set.ndjson")
    found = check_data(file)
    (problem,) = [each for each in found.problems if each.severity == "error"]
    assert problem.text == f"{file}: line 2: row 2: expected five columns, class x y w h, got 2"


def test_folders_that_meet_again_and_again_are_refused(
    at: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = at.folder / "images/train"
    for _ in range(12):
        (place / "d").mkdir()
        (place / "e").symlink_to("d")
        place /= "d"
    monkeypatch.setattr("tailwatch.yolo.image_lists.MOST_FOLDERS", 1000)
    with refused(SourceError, str(at.folder / "images/train"), "at most 1,000 folders"):
        DetectionDataset.from_yaml(at.file)


def test_a_page_says_of_how_many_images_its_numbers_are() -> None:
    from tailwatch.recursion.frame import frame_of
    from tailwatch.report.detection import detection_page

    rows = [
        {"run": "replace", "generation": 1, "group": "model", "metric": metric, "value": 0.5}
        | {"n_reference": reference, "n_candidate": candidate}
        for metric, reference, candidate in (("map50", 29, None), ("class_share:red", 118, 1200))
    ]
    page = detection_page(tw.yolo.over_seeds({0: frame_of(rows)}), classes={"red": 3}, arguments={})
    assert "Each number is of 29 test images." in page
    assert "Each number is of 1,200 labelled images and 118 first ones." in page


def test_a_set_for_segmentation_has_polygons(at: Drawn) -> None:
    at.pair("2", "1 0.1 0.2 0.5 0.2 0.5 0.8\n0 0.3 0.3 0.6 0.3 0.6 0.9 0.3 0.9\n")
    at.image("images/train/3.png")
    found = read_set(at.file, "train", task=Task.SEGMENT)
    assert [image.polygons for image in found.images] == [
        ((1, 0.1, 0.2, 0.5, 0.2, 0.5, 0.8), (0, 0.3, 0.3, 0.6, 0.3, 0.6, 0.9, 0.3, 0.9)),
        (),
    ]
    assert [problem.file for problem in found.problems] == [
        at.folder / "labels/train/0.txt",
        at.folder / "labels/train/1.txt",
    ]
    with refused(DataError, str(at.file), "a data set without problems", "2 problems"):
        found.require("refuse")

"""A training of one's own, watched; and models that exist already, side by side."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import (
    InputError,
    MissingDependencyError,
    SourceError,
    TailwatchWarning,
)
from tailwatch.yolo import watch as watching
from tailwatch.yolo.environment import CONSTANTS, borrowed, ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.loggers import LOGGERS, check_loggers, log_rows, values_of
from tailwatch.yolo.observation import Observer, Sides
from tests.support.errors import refused
from tests.yolo.scenes import NAMES, scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.yolo import DetectionDataset, Watch

TINY = Path(__file__).with_name("yolo26_tiny.yaml")
EPOCHS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    scenes(folder / "human", 16, seed=3).save(folder / "set")
    return folder


@pytest.fixture(scope="module")
def holdout(folder: Path) -> DetectionDataset:
    return scenes(folder / "holdout", 24, seed=2)


def train(
    folder: Path, name: str, watch: Watch | None = None, also: Callable[[Any], None] | None = None
) -> None:
    """Train as a user does."""
    model = ultralytics().YOLO(str(TINY), verbose=False)
    if watch is not None:
        assert watch.attach(model) is model
    if also is not None:
        model.add_callback("on_train_batch_start", also)
    model.train(
        data=str(folder / "set" / "data.yaml"),
        project=str(folder / "runs"),
        name=name,
        epochs=EPOCHS,
        imgsz=64,
        batch=8,
        workers=0,
        amp=False,
        plots=False,
        verbose=False,
        exist_ok=True,
        seed=1,
        # Something is found after few steps.
        lr0=0.01,
        optimizer="AdamW",
    )


@pytest.fixture(scope="module")
def watched(folder: Path, holdout: DetectionDataset) -> Watch:
    """Two trainings that differ in that one is watched, after every epoch."""
    watch = tw.yolo.Watch(holdout, every=1, confidence=0.01, crop_imgsz=32)
    train(folder, "alone")
    train(folder, "watched", watch)
    return watch


def weights(file: Path) -> dict[str, Any]:
    content, _ = extra("ultralytics.nn.tasks").torch_safe_load(str(file), safe_only=True)
    return (content.get("ema") or content["model"]).state_dict()


def test_a_watched_training_is_the_same_training(folder: Path, watched: Watch) -> None:
    alone, other = (
        weights(folder / "runs" / name / "weights" / "last.pt") for name in ("alone", "watched")
    )
    torch = extra("torch")
    assert alone.keys() == other.keys()
    assert all(torch.equal(alone[name], other[name]) for name in alone)


def test_each_epoch_is_measured_against_human_data(folder: Path, watched: Watch) -> None:
    frame = watched.observation.frame
    assert frame["generation"].unique().sort().to_list() == [1, 2, 3]
    assert frame["run"].unique().to_list() == ["watched"]
    metrics = set(frame["metric"])
    assert {"fusion", "confusion", "class_kl", "classes_gone", "map50"} <= metrics
    assert {f"class_share:{name}" for name in NAMES} <= metrics
    assert "crop_coverage:red" in metrics
    written = folder / "runs" / "watched" / "tailwatch"
    assert pl.read_parquet(written / "frame.parquet").equals(frame)
    page = (written / "report.html").read_text()
    assert ">epoch<" in page
    assert "generation" not in page.partition("What was observed")[0].partition("<main")[2]
    assert watched.spent > 0 < watched.trained
    # Half of the held-out images are predicted, and the other half is compared with.
    kl = frame.filter(metric="class_kl").row(0, named=True)
    assert (kl["n_reference"], kl["n_candidate"]) == (12, 12)


def test_an_observation_is_kept_and_read_again(watched: Watch, tmp_path: Path) -> None:
    found = watched.observation
    again = tw.yolo.Observation.load(found.save(tmp_path / "a.tailwatch"))
    assert again == found
    assert again.to_html() == found.to_html()
    assert found.sentence in repr(found)
    assert "after epoch 3" in found.sentence
    assert found._repr_html_() == again._repr_html_() != ""
    assert '"sentence"' in found.to_json()


def test_an_interrupted_training_leaves_what_was_measured(
    folder: Path, holdout: DetectionDataset, tmp_path: Path
) -> None:
    watch = tw.yolo.Watch(holdout, confidence=0.01, crops=False, directory=tmp_path / "kept")

    def interrupt(trainer: SimpleNamespace) -> None:
        if trainer.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(folder, "interrupted", watch, interrupt)
    found = watch.observation
    assert found.frame["generation"].unique().to_list() == [1]
    assert f"the training ended in epoch 2 of {EPOCHS}" in found.remarks
    assert (tmp_path / "kept" / "frame.parquet").is_file()
    assert "ended in epoch 2" in (tmp_path / "kept" / "report.html").read_text()
    assert not [name for name in found.frame["metric"] if name.startswith("crop")]


def test_models_that_exist_are_compared(
    folder: Path, watched: Watch, holdout: DetectionDataset, tmp_path: Path
) -> None:
    threads = extra("torch").get_num_threads()
    given: dict[str, Any] = {"confidence": 0.01, "crop_imgsz": 32, "weights": "last"}
    found = tw.yolo.read_runs(folder / "runs", holdout, threads=threads, **given)
    runs = found.frame["run"].unique(maintain_order=True).to_list()
    assert runs[0] == "alone"
    assert runs[-1] == "watched"
    both = [found.frame.filter(run=name).drop("run") for name in ("alone", "watched")]
    # They are the same weights.
    assert both[0].equals(both[1])
    assert {"map50", "ap50:red", "fusion", "class_kl", "crop_coverage:red"} <= set(
        both[0]["metric"]
    )
    # As the training itself was measured at its end, but for the encoder.
    last = watched.observation.frame.filter(generation=EPOCHS, metric="class_kl")
    now = both[0].filter(metric="class_kl")
    assert now["value"].to_list() == last["value"].to_list()
    assert ">model<" in found.to_html()
    # All of them name the data that they were trained on as their validation set.
    own = tw.yolo.read_runs(folder / "runs" / "alone", **given)
    assert own.frame["run"].unique().to_list() == ["alone"]
    with refused(SourceError, "directory", "folders with weights/best.pt", "none", "…"):
        tw.yolo.read_runs(tmp_path)
    with refused(SourceError, "directory", "a folder of trainings", "…"):
        tw.yolo.read_runs(tmp_path / "none")
    with refused(InputError, "weights", "'best' or 'last'", "'first'"):
        tw.yolo.read_runs(folder / "runs", weights="first")
    other = tw.yolo.DetectionDataset(("a", "b", "c"), holdout.images, holdout.boxes)
    with refused(InputError, "holdout", "the classes of alone, …", "('a', 'b', 'c')"):
        tw.yolo.read_runs(folder / "runs", other, weights="last")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def trainer(tmp_path: Path, epochs: int) -> SimpleNamespace:
    """Return what the callbacks look at of a trainer."""
    return SimpleNamespace(
        args=SimpleNamespace(task="detect", imgsz=64, val=False, nms=None, iou=0.7, max_det=300),
        data={"names": dict(enumerate(NAMES))},
        device="cpu",
        epoch=0,
        epochs=epochs,
        metrics={},
        save_dir=tmp_path,
        train_loader=SimpleNamespace(dataset=SimpleNamespace(im_files=[])),
    )


@pytest.mark.parametrize("measuring", [2.0, 6.0])
def test_measurements_take_at_most_their_share(
    holdout: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measuring: float
) -> None:
    clock, epochs, of_epoch = Clock(), 200, 10.0
    monkeypatch.setattr(watching.time, "perf_counter", clock)
    watch = tw.yolo.Watch(holdout, crops=False)
    asked: list[int] = []

    def found(self: Watch, trainer: object, observer: Observer) -> list[dict[str, Any]]:
        images = len(observer.sides.seen)
        asked.append(images)
        clock.now += measuring * (0.5 + 0.5 * images / 12)
        return [{"group": "model", "metric": "fusion", "value": 0.5, "n_sample": images}]

    monkeypatch.setattr(watching.Watch, "_found", found)
    monkeypatch.setattr(watching, "TRIAL_IMAGES", 4)
    calls = watch.callbacks()
    at = trainer(tmp_path, epochs)
    calls["on_train_start"](at)
    for at.epoch in range(epochs):
        calls["on_train_epoch_start"](at)
        clock.now += of_epoch
        calls["on_fit_epoch_end"](at)
        if at.epoch > 20:
            assert watch.spent <= 0.05 * watch.trained
    calls["on_fit_epoch_end"](at)
    assert watch.trained == pytest.approx(epochs * of_epoch)
    before = len(asked)
    calls["on_train_end"](at)
    calls["teardown"](at)
    measured = watch.observation.frame["generation"].unique().sort().to_list()
    # The last epoch whatever it costs, and before it as often as there is time for.
    assert measured[-1] == epochs
    assert len(asked) == before + 1 == len(measured) + 1
    assert asked[0] == 4
    expected = 0.05 * epochs * of_epoch / measuring
    assert 0.8 * expected - 1 <= len(measured) <= expected + 1


def test_a_measurement_that_fails_ends_no_training(
    holdout: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = tw.yolo.Watch(holdout, crops=False, every=1)
    monkeypatch.setattr(watching.Watch, "_found", lambda *_: 1 / 0)
    calls, at = watch.callbacks(), trainer(tmp_path, 2)
    calls["on_train_start"](at)
    calls["on_train_epoch_start"](at)
    with pytest.warns(TailwatchWarning, match="nothing was measured after epoch 1: ZeroDivision"):
        calls["on_fit_epoch_end"](at)
    assert watch.observation.sentence == "Nothing was measured."
    assert len(watch.observation.remarks) == 1


def test_what_cannot_be_watched_is_refused_before_the_first_epoch(
    holdout: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = tw.yolo.Watch(holdout, crops=False)
    at = trainer(tmp_path, 2)
    at.data = {"names": {0: "cat"}}
    with refused(InputError, "holdout", "the classes of the training, ('cat',)", str(NAMES)):
        watch.callbacks()["on_train_start"](at)
    at.args.task = "pose"
    with refused(InputError, "model", "detect or segment", "'pose', which is not built"):
        watch.callbacks()["on_train_start"](at)
    at.args.task = "segment"
    with refused(InputError, "holdout", "instances with polygons…", "boxes"):
        watch.callbacks()["on_train_start"](at)
    # Images that are learnt from are known by the files that they are.
    at = trainer(tmp_path, 2)
    at.train_loader.dataset.im_files = [str(path) for path in holdout.paths()]
    watch.callbacks()["on_train_start"](at)
    assert watch.observation.remarks[0].startswith("not held out: 12 of 12 test images")
    pseudo = holdout.relabelled(holdout.boxes, teacher="x")
    with refused(InputError, "holdout", "labels that a person made"):
        tw.yolo.Watch(pseudo)
    with refused(InputError, "holdout", "images with boxes", "… without any"):
        tw.yolo.Watch(tw.yolo.DetectionDataset(NAMES, holdout.images, holdout.boxes.clear()))
    with refused(InputError, "holdout", "at least 2 images that can be measured on", "1"):
        tw.yolo.Watch(holdout.take([0]))
    for given in ({"every": 0}, {"share": 0}, {"share": 2}, {"images": 0}):
        with refused(InputError, next(iter(given))):
            tw.yolo.Watch(holdout, **given)
    monkeypatch.delitem(sys.modules, "ultralytics")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with refused(MissingDependencyError, None, "Ultralytics YOLO", "no module ultralytics"):
        tw.yolo.Watch(holdout)


def test_sides_are_other_images_and_bounded(holdout: DetectionDataset) -> None:
    sides = Sides.of(holdout, None, images=5)
    assert (len(sides.human), len(sides.seen)) == (12, 5)
    assert not set(sides.human.images["sha256"]) & set(sides.seen.images["sha256"])
    given = Sides.of(holdout, holdout, images=500)
    assert (len(given.human), len(given.seen)) == (24, 24)
    assert Sides.of(holdout, None, images=5).seen.fingerprint() == sides.seen.fingerprint()


def test_a_users_ultralytics_is_given_back() -> None:
    module = ultralytics()
    state = extra("ultralytics.utils")
    checks = extra("ultralytics.utils.checks")
    before = {name: getattr(state, name) for name in CONSTANTS}
    try:
        # As it is where a user has imported it.
        del module._tailwatch_offline
        dict.update(state.SETTINGS, {"wandb": True})
        state.ONLINE = checks.ONLINE = True
        with borrowed():
            ultralytics()
            assert state.SETTINGS["wandb"] is False
            assert checks.ONLINE is False
        assert state.SETTINGS["wandb"] is True
        assert state.ONLINE is checks.ONLINE is True
        assert not hasattr(module, "_tailwatch_offline")
    finally:
        ultralytics()
        for name, value in before.items():
            assert getattr(state, name) == value


ROWS = [
    {"metric": "class_share:réd", "value": 0.5},
    {"metric": "confusion:a→b", "value": 0.25},
    {"metric": "type_coverage", "level": 0.3, "value": 1.0},
    {"metric": "class_kl", "value": None},
    {"metric": "box_size", "value": float("nan")},
]
VALUES = {
    "tailwatch/class_share/réd": 0.5,
    "tailwatch/confusion/a-to-b": 0.25,
    "tailwatch/type_coverage/0.3": 1.0,
}


def test_loggers_get_values_where_they_are_installed_and_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert values_of(ROWS) == VALUES
    assert check_loggers([]) == ()
    with refused(InputError, "log_to", got="'mlfow'", hint="did you mean mlflow?"):
        check_loggers(["mlfow"])
    for name, package in LOGGERS.items():
        if importlib.util.find_spec(package) is None:
            with refused(MissingDependencyError, "log_to", name, hint=f"pip install {package}"):
                check_loggers([name])
    # What each package is called with; none of them is there.
    said: list[tuple[object, ...]] = []
    mlflow, wandb, board = (ModuleType(name) for name in ("mlflow", "wandb", "board"))
    mlflow.log_metrics = lambda values, step: said.append(("mlflow", values, step))
    wandb.run = SimpleNamespace(log=lambda values, step: said.append(("wandb", values, step)))

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            said.append(("folder", folder))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            said.append((name, value, step))

        def close(self) -> None:
            said.append(("closed",))

    board.SummaryWriter = SummaryWriter
    for name, module in zip(
        ("mlflow", "wandb", "torch.utils.tensorboard"), (mlflow, wandb, board), strict=True
    ):
        monkeypatch.setitem(sys.modules, name, module)
    log_rows(ROWS, 7, ("mlflow", "wandb", "tensorboard"), tmp_path)
    assert said[:2] == [("mlflow", VALUES, 7), ("wandb", VALUES, 7)]
    assert said[2:] == [
        ("folder", str(tmp_path / "tailwatch")),
        *((name, value, 7) for name, value in VALUES.items()),
        ("closed",),
    ]
    wandb.run = None
    log_rows(ROWS, 7, ("wandb",), tmp_path)
    assert len(said) == 2 + 2 + len(VALUES)

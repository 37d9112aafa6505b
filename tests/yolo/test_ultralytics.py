"""What Ultralytics really does with what we give it: the loop on real YOLO26.

Each of its pitfalls is shown to be there, where that is possible, and then shown not to matter.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.yolo.environment import SERVICES, ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.session import session
from tests.support.errors import fields, refused
from tests.yolo.scenes import NAMES, scenes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.yolo import DetectionDataset, UltralyticsDetector

TINY = Path(__file__).with_name("yolo26_tiny.yaml")


def silent(*_: object) -> None: ...


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DetectionDataset]:
    folder = tmp_path_factory.mktemp("scenes")
    return {
        "human": scenes(folder / "human", 24, seed=3),
        "test": scenes(folder / "test", 8, seed=2),
    }


def tiny(**given: object) -> UltralyticsDetector:
    settings = {"mosaic": 0.0, "optimizer": "AdamW", "lr0": 0.01} | given.pop("settings", {})
    chosen = {"model": str(TINY), "epochs": 2, "imgsz": 64, "batch": 8, "crop_imgsz": 32}
    return tw.yolo.UltralyticsDetector(**(chosen | given), settings=settings)


def fit(
    detector: UltralyticsDetector, data: DetectionDataset, folder: Path, **given: object
) -> Path:
    folder.mkdir(exist_ok=True)
    weights = folder / "weights.pt"
    chosen = {"seed": 1, "start": None, "budget": None, "report": silent} | given
    detector.fit(data, weights, **chosen)
    return weights


def paths(data: DetectionDataset) -> list[Path]:
    return [Path(path) for path in data.images["path"]]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def trained(sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights that find something: red squares are easy."""
    folder = tmp_path_factory.mktemp("trained")
    return fit(tiny(epochs=30, batch=4), sets["human"], folder)


def observe(patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the trainer is really called with, and what comes of it."""
    seen: dict[str, Any] = {}
    model = ultralytics().YOLO
    original = model.train

    def train(self: object, **arguments: object) -> object:
        seen["arguments"] = arguments
        result = original(self, **arguments)
        seen["trainer"] = self.trainer
        return result

    patch.setattr(model, "train", train)
    return seen


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The same, of the training of one test."""
    return observe(monkeypatch)


@pytest.fixture(scope="module")
def one_epoch(
    sets: dict[str, DetectionDataset], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a training of one epoch on the human data is, as it is observed."""
    with pytest.MonkeyPatch.context() as patch:
        seen = observe(patch)
        fit(tiny(epochs=1), sets["human"], tmp_path_factory.mktemp("one-epoch"))
    return seen


def test_the_environment_is_offline_before_the_import() -> None:
    module = ultralytics()
    state = extra("ultralytics.utils")
    assert state.ONLINE is False
    assert state.AUTOINSTALL is False
    assert state.SAFE_LOAD is True
    assert {name: state.SETTINGS[name] for name in SERVICES} == dict.fromkeys(SERVICES, False)
    folder = Path(state.USER_CONFIG_DIR)
    assert "tailwatch-ultralytics-" in str(folder)
    assert (folder / "Arial.ttf").stat().st_size > 100_000
    assert ultralytics() is module


def test_a_sixth_column_makes_the_trainer_drop_the_image(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    # Pitfall 1: what `save_txt` with `save_conf` writes cannot be trained on.
    folder = sets["human"].save(tmp_path / "set")
    utils = extra("ultralytics.data.utils")

    def verified(file: Path, image: Path) -> object:
        return utils.verify_image_label((str(image), str(file), "", False, 3, 0, 0, False))

    number = next(n for n, boxes in enumerate(sets["human"].boxes_of()) if boxes)
    image, label = folder / f"images/{number:06d}.png", folder / f"labels/{number:06d}.txt"
    boxes = sets["human"].boxes_of()[number]
    ours = verified(label, image)
    assert ours[0] == str(image)
    np.testing.assert_allclose(ours[1][np.lexsort(ours[1].T[::-1])], sorted(boxes), atol=1e-6)
    wide = tmp_path / "wide.txt"
    wide.write_text("".join(f"{line} 0.9\n" for line in label.read_text().splitlines()))
    assert verified(wide, image)[0] is None


def test_the_trainer_reads_exactly_our_labels(
    sets: dict[str, DetectionDataset], one_epoch: dict[str, Any]
) -> None:
    data = sets["human"]
    read = one_epoch["trainer"].train_loader.dataset.labels
    assert len(read) == len(data)
    for label, boxes in zip(read, data.boxes_of(), strict=True):
        found = np.hstack([label["cls"], label["bboxes"]]).reshape(-1, 5)
        expected = np.array(sorted(boxes)).reshape(-1, 5)
        np.testing.assert_allclose(found[np.lexsort(found.T[::-1])], expected, atol=1e-6)
    assert any(not boxes for boxes in data.boxes_of())


def test_an_image_that_is_left_out_is_an_error(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    shutil.copy(paths(sets["human"])[0], broken)
    data = sets["human"].concat([tw.yolo.DetectionDataset.from_images([broken], [[]], names=NAMES)])
    broken.write_bytes(broken.read_bytes()[:60])
    with refused(
        TailwatchError,
        "data",
        "25 images that Ultralytics trains on",
        "1 that it left out: …/broken.png",
    ):
        fit(tiny(epochs=1), data, tmp_path / "fit")


def test_all_images_are_used(one_epoch: dict[str, Any]) -> None:
    # Pitfall 2: `fraction` would take the first files by name.
    with refused(
        InputError,
        "settings",
        "training arguments that a run leaves open",
        "fraction",
    ):
        tiny(settings={"fraction": 0.5})
    assert one_epoch["trainer"].args.fraction == 1.0


def test_weights_of_one_class_for_all_do_not_make_one_of_all(
    sets: dict[str, DetectionDataset], trained: Path, tmp_path: Path, observed: dict[str, Any]
) -> None:
    # Ultralytics takes `single_cls` from a checkpoint: all classes but one would be gone.
    torch = extra("torch")
    content, _ = extra("ultralytics.nn.tasks").torch_safe_load(str(trained), safe_only=True)
    content["train_args"] = content["model"].args = content["train_args"] | {"single_cls": True}
    single = tmp_path / "single.pt"
    torch.save(content, single)
    weights = fit(tiny(epochs=1), sets["human"], tmp_path / "fit", start=single)
    assert observed["trainer"].data["nc"] == 3
    found = tiny().evaluate(weights, sets["test"])
    assert sum(value is not None for value in found.ap) > 1


def test_no_cache_of_labels_outlives_a_training(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    # Pitfall 3: a cache of labels goes stale, so each training has a folder of its own.
    folder = sets["human"].save(tmp_path / "set")
    before = sorted(folder.rglob("*"))
    data = tw.yolo.DetectionDataset.load(folder)
    fit(tiny(epochs=1), data, tmp_path / "fit")
    assert sorted(folder.rglob("*")) == before
    assert sorted((tmp_path / "fit").rglob("*")) == [tmp_path / "fit" / "weights.pt"]


def test_a_few_epochs_of_a_small_set_are_a_training(one_epoch: dict[str, Any]) -> None:
    # Pitfall 4: by default gradients would be gathered over 64 images, and 3 epochs be warm-up.
    trainer = one_epoch["trainer"]
    assert trainer.accumulate == 1
    assert trainer.args.warmup_epochs <= 1
    with refused(InputError, "warmup_epochs", "0 to 1", "3"):
        tiny(warmup_epochs=3)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_are_those_that_were_asked_for(threads: int) -> None:
    # Pitfall 5: choosing a device, as trainer, predictor and validator do, sets all cores but one.
    torch, devices = extra("torch"), extra("ultralytics.utils.torch_utils")
    before = (torch.get_num_threads(), devices.NUM_THREADS)
    with session(threads):
        devices.select_device("cpu", verbose=False)
        assert torch.get_num_threads() == threads
    assert (torch.get_num_threads(), devices.NUM_THREADS) == before


def test_a_session_gives_back_what_it_took() -> None:
    torch = extra("torch")
    rng = torch.random.get_rng_state()
    with session(1):
        torch.use_deterministic_algorithms(True)
        torch.manual_seed(0)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.random.get_rng_state(), rng)


def test_one_seed_gives_one_file_of_weights(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    # Pitfall 6, for one number of threads.
    first, second, other = (
        sha256(fit(tiny(), sets["human"], tmp_path / name, seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == second != other


def test_the_last_epoch_is_kept_and_nothing_is_chosen(
    sets: dict[str, DetectionDataset],
    tmp_path: Path,
    observed: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Pitfall 7: `best.pt` is chosen on the data that would then measure it.
    seen: list[Path] = []
    detector = extra("tailwatch.yolo.ultralytics_detector")
    original = detector.rewrite

    def rewrite(source: Path, target: Path) -> None:
        seen.append(source)
        original(source, target)

    monkeypatch.setattr(detector, "rewrite", rewrite)
    fit(tiny(), sets["human"], tmp_path)
    assert [path.name for path in seen] == ["last.pt"]
    assert observed["arguments"]["val"] is False
    with refused(InputError, "settings", "training arguments that a run leaves open", "val"):
        tiny(settings={"val": True})


def test_epochs_are_counted_once(
    sets: dict[str, DetectionDataset], tmp_path: Path, observed: dict[str, Any]
) -> None:
    # Pitfall 8: `on_fit_epoch_end` fires once more at the end.
    fired: list[int] = []
    seen: list[tuple[str, int, int]] = []
    model = ultralytics().YOLO
    original = model.__init__

    def init(self: object, *given: object, **named: object) -> None:
        original(self, *given, **named)
        self.add_callback("on_fit_epoch_end", lambda trainer: fired.append(trainer.epoch))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "__init__", init)
        fit(tiny(epochs=2), sets["human"], tmp_path, report=lambda *each: seen.append(each))
    assert len(fired) >= 2
    assert [done for _, done, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert {total for _, _, total in seen} == {6}
    assert [stage for stage, _, _ in seen] == ["epoch 1/2"] * 3 + ["epoch 2/2"] * 3


@pytest.mark.parametrize(
    ("budget", "epochs"),
    [
        (24 * 3, 3),
        (1, 1),
        pytest.param(None, 2, marks=pytest.mark.slow),
        pytest.param(12, 1, marks=pytest.mark.slow),
    ],
)
def test_a_budget_is_met_in_whole_epochs(
    sets: dict[str, DetectionDataset],
    tmp_path: Path,
    observed: dict[str, Any],
    budget: int | None,
    epochs: int,
) -> None:
    fit(tiny(), sets["human"], tmp_path, budget=budget)
    assert observed["arguments"]["epochs"] == epochs


@pytest.mark.parametrize("nms_free", [False, True])
def test_the_head_is_pinned(
    sets: dict[str, DetectionDataset],
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    nms_free: bool,
) -> None:
    model = ultralytics().YOLO
    seen = []
    for name in ("predict", "val"):
        original = getattr(model, name)

        def call(
            self: object, *given: object, original: object = original, **named: object
        ) -> object:
            seen.append(named["nms"])
            return original(self, *given, **named)

        monkeypatch.setattr(model, name, call)
    detector = tiny(nms_free=nms_free)
    detector.predict(trained, paths(sets["test"]), least=0.3, report=silent)
    detector.evaluate(trained, sets["test"])
    assert seen == [False if nms_free else None] * 2


def test_both_heads_are_there_and_differ(sets: dict[str, DetectionDataset], trained: Path) -> None:
    found = [
        tiny(nms_free=free).predict(trained, paths(sets["human"]), least=0.05, report=silent)
        for free in (False, True)
    ]
    assert not found[0].equals(found[1])


def test_it_finds_what_it_learnt(sets: dict[str, DetectionDataset], trained: Path) -> None:
    found = tiny().evaluate(trained, sets["human"])
    present = sets["human"].class_counts().sum(0) > 0
    assert [value is not None for value in found.ap50] == present.tolist()
    assert found.map50 == pytest.approx(np.mean([ap for ap in found.ap50 if ap is not None]))
    assert found.map == pytest.approx(np.mean([ap for ap in found.ap if ap is not None]))
    # Untrained weights find nothing.
    assert found.map50 > 0.5


def test_predictions_are_boxes_of_the_image(
    sets: dict[str, DetectionDataset], trained: Path
) -> None:
    data = sets["human"]
    found = tiny().predict(trained, paths(data), least=0.1, report=silent)
    assert found.height > 0
    assert found["image"].is_sorted()
    assert found["confidence"].min() >= 0.1
    inside = found.select(pl.col("x", "y", "w", "h").is_between(0, 1).all())
    assert all(inside.row(0))
    # Images are not mixed up: on empty ones there is less to find than where squares are.
    filled = [bool(boxes) for boxes in data.boxes_of()]
    counts = np.bincount(found["image"].to_numpy(), minlength=len(data))
    assert counts[filled].mean() > counts[~np.array(filled)].mean()


def test_a_label_goes_round_unchanged(
    sets: dict[str, DetectionDataset], trained: Path, tmp_path: Path, observed: dict[str, Any]
) -> None:
    # What a detector found, through our files, to what the next one is trained on.
    data = sets["human"]
    found = tiny().predict(trained, paths(data), least=0.1, report=silent)
    labelled = data.relabelled(found, teacher=sha256(trained))
    kept = tw.yolo.DetectionDataset.load(labelled.save(tmp_path / "set"))
    assert kept.boxes.equals(found)
    fit(tiny(epochs=1), kept, tmp_path / "fit")
    read = observed["trainer"].train_loader.dataset.labels
    for label, boxes in zip(read, kept.boxes_of(), strict=True):
        got = np.hstack([label["cls"], label["bboxes"]]).reshape(-1, 5)
        expected = np.unique(np.array(boxes, np.float32).reshape(-1, 5), axis=0)
        np.testing.assert_allclose(np.unique(got, axis=0), expected, atol=1e-6)
    assert any(not boxes for boxes in kept.boxes_of())


def test_training_goes_on_from_weights(
    sets: dict[str, DetectionDataset], trained: Path, tmp_path: Path
) -> None:
    data = sets["human"]
    on = tiny(settings={"lr0": 1e-6}).evaluate(
        fit(tiny(settings={"lr0": 1e-6}), data, tmp_path / "on", start=trained), data
    )
    anew = tiny().evaluate(fit(tiny(settings={"lr0": 1e-6}), data, tmp_path / "anew"), data)
    assert on.map50 > 0.5 > anew.map50


def test_a_checkpoint_tells_nothing_of_this_machine(trained: Path) -> None:
    content = trained.read_bytes()
    assert os.fsencode(Path.home()) not in content
    assert b"tailwatch-ultralytics" not in content
    assert b"work-" not in content


@pytest.mark.parametrize("crops", [False, True])
def test_embeddings_are_a_frame_for_compare(
    sets: dict[str, DetectionDataset], trained: Path, tmp_path: Path, crops: bool
) -> None:
    data = sets["human"]
    found = tw.yolo.embed(data, weights=trained, crops=crops, imgsz=64, crop_imgsz=32)
    assert found.height == (data.boxes.height if crops else len(data))
    assert found["embedding"].dtype == pl.Array(pl.Float32, 32)
    assert found["path"].to_list() == [
        data.images["path"][image] for image in (data.boxes["image"] if crops else range(len(data)))
    ]
    matrix = found["embedding"].to_numpy()
    assert np.isfinite(matrix).all()
    file = tmp_path / "embeddings.parquet"
    found.write_parquet(file)
    assert tw.open(file).shape == (found.height, 32)
    # A sample is at no distance from itself.
    assert tw.metrics.frechet_distance(found["embedding"], file) == pytest.approx(0, abs=1e-6)
    if crops:
        names = [NAMES[number] for number in data.boxes["class"]]
        assert found["class"].to_list() == names


def test_a_crop_is_embedded_alike_in_whatever_batch(
    sets: dict[str, DetectionDataset], trained: Path
) -> None:
    data = sets["human"]
    together = tiny().embed(trained, paths(data), data.boxes, report=silent)
    alone = np.concatenate(
        [tiny().embed(trained, paths(data), data.boxes[[n]], report=silent) for n in range(5)]
    )
    np.testing.assert_allclose(alone, together[:5], rtol=1e-4, atol=1e-5)


def test_images_may_be_a_folder_or_files(sets: dict[str, DetectionDataset], trained: Path) -> None:
    files = paths(sets["test"])
    of_folder = tw.yolo.embed(files[0].parent, weights=trained, imgsz=64)
    of_files = tw.yolo.embed(files, weights=trained, imgsz=64)
    assert of_folder.equals(of_files)
    with refused(SourceError, "source", "images and folders that exist", "no …/test/gone"):
        tw.yolo.embed(files[0].parent / "gone", weights=trained)
    with refused(InputError, expected="a DetectionDataset for crops"):
        tw.yolo.embed(files, weights=trained, crops=True)


@pytest.mark.slow
def test_yolo26n_itself_trains_predicts_evaluates_and_embeds(
    sets: dict[str, DetectionDataset], tmp_path: Path
) -> None:
    data = sets["human"].take(np.arange(8))
    detector = tw.yolo.UltralyticsDetector(
        model="yolo26n.yaml", epochs=1, imgsz=64, batch=8, settings={"mosaic": 0.0}
    )
    weights = fit(detector, data, tmp_path)
    module = ultralytics().YOLO(str(weights)).model
    assert 2.0e6 < sum(p.numel() for p in module.parameters()) < 3.0e6
    assert detector.predict(weights, paths(data), least=0.9, report=silent).height == 0
    assert 0 <= detector.evaluate(weights, data).map50 <= 1
    assert detector.embed(weights, paths(data), report=silent).shape == (8, 256)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "yolo26n.pt",
            fields("yolo26n.pt", "a file of weights", "no file", hint="nothing is downloaded…"),
        ),
        ("yolo99z.yaml", fields("yolo99z.yaml", "a file, or the name of an …", "neither")),
        (
            "https://example.org/yolo26n.pt",
            fields("model", "a .pt or .yaml file", "'https:…/example.org/yolo26n.pt'"),
        ),
        ("yolo26n", fields("model", "a .pt or .yaml file", "'yolo26n'")),
    ],
)
def test_what_is_not_on_disk_is_one_error(
    sets: dict[str, DetectionDataset],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    said: dict[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with refused(SourceError, **said):
        tw.yolo.YoloLearner(pool=sets["human"], model=model)
    with refused(SourceError, **said):
        tw.yolo.embed(paths(sets["test"]), weights=model)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"imgsz": 100}, fields("imgsz", "a multiple of 32", "100")),
        ({"epochs": 0}, fields("epochs", "an integer of at least 1", "0")),
        (
            {"settings": {"amp": True, "seed": 3}},
            fields("settings", "training arguments that a run leaves open", "amp, seed"),
        ),
    ],
)
def test_bad_arguments_are_named(given: dict[str, Any], said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tiny(**given)


def test_starts_must_fit_the_model(sets: dict[str, DetectionDataset], trained: Path) -> None:
    learner = tw.yolo.YoloLearner(pool=sets["human"], model=str(trained))
    assert learner.describe()["start"] == "base"
    assert replace(learner, model=str(TINY)).describe()["start"] == "scratch"
    with refused(InputError, "start", "a model with weights for 'base'", f"'{TINY}', …"):
        replace(learner, model=str(TINY), start="base")
    with refused(InputError, "start", "an architecture for 'scratch', …", f"'{trained}', …"):
        replace(learner, start="scratch")


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is printed by a library."""
    yield
    out, _ = capfd.readouterr()
    assert out == ""

"""Models, devices and settings that cannot train: one error each, before anything is trained."""

from __future__ import annotations

import contextlib
import os
import pickle
import random
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.yolo.checkpoints import check_device, check_model, model_task
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.tasks import Task
from tests.support.errors import refused
from tests.yolo.scenes import NAMES, scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailwatch.yolo import DetectionDataset, UltralyticsDetector

TINY = Path(__file__).with_name("yolo26_tiny.yaml")


def silent(*_: object) -> None: ...


def tiny(**given: object) -> UltralyticsDetector:
    settings = {"mosaic": 0.0, "optimizer": "AdamW", "lr0": 0.01} | given.pop("settings", {})
    chosen = {"model": str(TINY), "epochs": 1, "imgsz": 64, "batch": 4, "crop_imgsz": 32}
    return tw.yolo.UltralyticsDetector(**(chosen | given), settings=settings)


def fit(detector: UltralyticsDetector, data: DetectionDataset, folder: Path, seed: int = 1) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    weights = folder / "weights.pt"
    detector.fit(data, weights, seed=seed, start=None, budget=None, report=silent)
    return weights


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    return scenes(tmp_path_factory.mktemp("scenes"), 8, seed=3)


@pytest.fixture(scope="module")
def weights(human: DetectionDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(tiny(), human, tmp_path_factory.mktemp("weights"))


class Evil:
    """Writes a file as it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.system, (f"touch {self.path}",)


def evil_archive(path: Path, mark: Path) -> None:
    extra("torch").save({"model": Evil(mark)}, path)


def evil_pickle(path: Path, mark: Path) -> None:
    path.write_bytes(pickle.dumps({"model": Evil(mark)}))


def evil_old_form(path: Path, mark: Path) -> None:
    extra("torch").save({"model": Evil(mark)}, path, _use_new_zipfile_serialization=False)


def evil_beside_a_model(path: Path, mark: Path) -> None:
    torch = extra("torch")
    torch.save({"model": torch.nn.Linear(2, 2), "train_args": {"task": Evil(mark)}}, path)


def junk(path: Path, _: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def empty(path: Path, _: Path) -> None:
    path.write_bytes(b"")


def text(path: Path, _: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")


def other_archive(path: Path, _: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "no weights")


def tensor(path: Path, _: Path) -> None:
    extra("torch").save(extra("torch").zeros(3), path)


def state(path: Path, _: Path) -> None:
    extra("torch").save({"layer.weight": extra("torch").zeros(3)}, path)


def no_model(path: Path, _: Path) -> None:
    extra("torch").save({"model": None, "ema": None, "train_args": {}}, path)


def plain_layer(path: Path, _: Path) -> None:
    extra("torch").save({"model": extra("torch").nn.Linear(2, 2)}, path)


BAD = {
    function.__name__: function
    for function in (
        evil_archive,
        evil_pickle,
        evil_old_form,
        evil_beside_a_model,
        junk,
        empty,
        text,
        other_archive,
        tensor,
        state,
        no_model,
        plain_layer,
    )
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_weights_are_one_error_and_run_no_code(
    human: DetectionDataset, tmp_path: Path, kind: str
) -> None:
    path, mark = tmp_path / "bad.pt", tmp_path / "mark"
    ultralytics()
    BAD[kind](path, mark)
    uses: tuple[Callable[[], object], ...] = (
        lambda: tw.yolo.YoloLearner(str(path), pool=human),
        lambda: tw.yolo.YoloLearner(str(TINY), pool=human, encoder=path),
        lambda: tw.yolo.embed(human, weights=path, imgsz=64),
        lambda: tiny().predict(path, human.paths(), least=0.5, report=silent),
        lambda: tiny().evaluate(path, human),
    )
    for use in uses:
        with refused(TailwatchError, "…bad.pt", "…"):
            use()
    assert not mark.exists()


@pytest.mark.parametrize("cut", [1, 100, 5000, -1])
def test_cut_weights_are_one_error(weights: Path, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.pt"
    path.write_bytes(weights.read_bytes()[:cut])
    with refused(SourceError, str(path), "weights as Ultralytics saves them"):
        check_model(path)


def test_altered_weights_are_read_or_one_error(weights: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    content = weights.read_bytes()
    path = tmp_path / "altered.pt"
    for _ in range(15):
        changed = bytearray(content)
        # Where the pickle is, at the beginning of the archive.
        changed[int(rng.integers(20_000))] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        with contextlib.suppress(TailwatchError):
            tiny().predict(path, [], least=0.5, report=silent)


@pytest.mark.parametrize("task", ["classify", "pose", "obb"])
def test_models_for_tasks_that_are_not_built_are_refused(
    human: DetectionDataset, task: str
) -> None:
    model = f"yolo26n-{'cls' if task == 'classify' else task}.yaml"
    expected = "a model that detects boxes or segments instances"
    with refused(SourceError, model, expected, f"one for the task {task}"):
        tw.yolo.YoloLearner(model, pool=human)
    with refused(InputError, "task", "detect or segment", f"'{task}', which is not built"):
        tw.yolo.YoloLearner("nowhere.pt", pool=human, task=task)
    with refused(InputError, "task", "detect or segment", f"'{task}', which is not built"):
        tw.yolo.DetectionDataset.from_yaml("nowhere.yaml", task=task)


def test_the_task_is_that_of_the_model_whatever_its_file_is_called(tmp_path: Path) -> None:
    assert model_task(str(TINY)) is Task.DETECT
    path = tmp_path / "renamed.pt"
    ultralytics().YOLO("yolo26n-seg.yaml", verbose=False).save(path)
    assert model_task(path) is model_task("yolo26n-seg.yaml") is Task.SEGMENT
    with refused(
        SourceError, "…/renamed.pt", "a model that detects boxes", "one for the task segment"
    ):
        check_model(path, Task.DETECT)


@pytest.mark.parametrize(
    "content",
    ["", "- a\n", "a: [\n", "nc: 3\n", "nc: 3\nbackbone: []\nhead: [[-1, 1, Detect, [nc]]]\n",
     "backbone: [[-1, 1, Nothing, [8]]]\nhead: [[[0], 1, Detect, [nc]]]\nnc: 3\n",
     "[" * 500, "a: &a [1, 2]\nb: &b [*a, *a]\n"],
)  # fmt: skip
def test_bad_architectures_are_one_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(content)
    with pytest.raises(SourceError):
        check_model(path)


@pytest.mark.parametrize(
    "device", ["gpu", "cuda:0,1", "0,1", "99", "cuda:99", "", "mps:7", -1, True]
)
def test_a_device_that_is_not_there_is_refused(human: DetectionDataset, device: object) -> None:
    with refused(InputError, "device", "…"):
        tw.yolo.YoloLearner(str(TINY), pool=human, device=device)
    assert check_device("cpu") == "cpu"


@pytest.mark.parametrize(
    "settings",
    [
        {"mosiac": 1.0},
        {"mosaic": "much"},
        {"mosaic": 7},
        {"optimizer": "Newton"},
        {"lr0": float("nan")},
        {"lr0": None},
        {"lr0": object()},
        {1: 2},
        {"deterministic": False},
        {"single_cls": True},
        {"time": 0.001},
        {"distill_model": "https://example.org/x.pt"},
    ],
)
def test_settings_that_are_none_are_refused(
    human: DetectionDataset, settings: dict[Any, Any]
) -> None:
    with refused(InputError, "settings", "…", "…"):
        tw.yolo.YoloLearner(str(TINY), pool=human, settings=settings)


@pytest.mark.parametrize("name", ["epochs", "imgsz", "batch", "threads", "crop_imgsz", "max_det"])
@pytest.mark.parametrize("value", [0, -32, 32 * 10**9, 1.5, "64", True])
def test_numbers_of_a_detector_are_bounded(name: str, value: object) -> None:
    with refused(InputError, name, "an integer…"):
        tiny(**{name: value})


def states() -> tuple[Any, ...]:
    torch = extra("torch")
    return (
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        torch.random.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.backends.cudnn.deterministic,
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.is_grad_enabled(),
        {name: os.environ.get(name) for name in ("CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED")},
    )


def test_all_generators_are_as_they_were(
    human: DetectionDataset, weights: Path, tmp_path: Path
) -> None:
    before = states()
    fit(tiny(), human, tmp_path)
    assert states() == before
    tiny().predict(weights, human.paths(), least=0.5, report=silent)
    tiny().evaluate(weights, human)
    tiny().embed(weights, human.paths(), report=silent)
    assert states() == before
    with pytest.raises(TailwatchError):
        tiny().evaluate(tmp_path / "none.pt", human)
    assert states() == before


def test_weights_do_not_depend_on_the_callers_generators(
    human: DetectionDataset, weights: Path, tmp_path: Path
) -> None:
    torch = extra("torch")
    with torch.random.fork_rng([]):
        torch.manual_seed(12345)
        random.seed(6)
        np.random.seed(7)  # noqa: NPY002
        again = fit(tiny(), human, tmp_path)
    assert again.read_bytes() == weights.read_bytes()


def test_an_error_of_a_report_is_its_own(human: DetectionDataset, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tiny().fit(human, tmp_path / "w.pt", seed=1, start=None, budget=None, report=stop)
    assert not list(tmp_path.iterdir())


def test_an_evaluation_names_what_ultralytics_leaves_out(
    human: DetectionDataset, weights: Path, tmp_path: Path
) -> None:
    from PIL import Image

    small = tmp_path / "small.png"
    Image.fromarray(np.zeros((9, 40, 3), np.uint8)).save(small)
    bad = tw.yolo.DetectionDataset.from_images([small], [[]], names=NAMES)
    found = tiny().evaluate(weights, human.concat([bad]))
    assert found.images == 8
    assert found.left_out == (f"{small} (left out by Ultralytics)",)
    assert found.map == tiny().evaluate(weights, human).map


def test_a_jpeg_without_its_end_is_trained_on_and_stays_as_it_is(
    human: DetectionDataset, tmp_path: Path
) -> None:
    # Ultralytics before 8.4.167 wrote it again, through our links, in the user's folder.
    from PIL import Image

    path = tmp_path / "own.jpg"
    with Image.open(human.paths()[0]) as opened:
        opened.convert("RGB").save(path, "JPEG")
    path.write_bytes(path.read_bytes() + b"\x00\x00")
    before = path.read_bytes()
    data = human.concat([tw.yolo.DetectionDataset.from_images([path], [[]], names=NAMES)])
    fit(tiny(), data, tmp_path / "fit")
    assert path.read_bytes() == before


def test_folders_and_classes_of_any_name_are_trained_on(
    human: DetectionDataset, tmp_path: Path
) -> None:
    data = tw.yolo.DetectionDataset(
        ("a\x00\u2028", "😀: [x]", "a\x00\u2028"), human.images, human.boxes
    )
    folder = tmp_path / "a [1] é*"
    weights = fit(tiny(), data, folder)
    kept = ultralytics().YOLO(str(weights)).names
    assert tuple(kept.values()) == data.names
    assert tiny().evaluate(weights, data).images == 8

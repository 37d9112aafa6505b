"""Training arguments that a caller may give: read, checked beforehand, and what reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.train_arguments import FROZEN, check_settings, settings_from
from tests.support.errors import fields, refused
from tests.yolo.scenes import scenes

if TYPE_CHECKING:
    from tailwatch.yolo import DetectionDataset

TINY = Path(__file__).with_name("yolo26_tiny.yaml")


@pytest.fixture(scope="module")
def human(tmp_path_factory: pytest.TempPathFactory) -> DetectionDataset:
    return scenes(tmp_path_factory.mktemp("scenes") / "human", 24, seed=3)


def test_an_option_is_read_as_what_it_is() -> None:
    found = settings_from(
        ["mosaic=0", "lr0=1e-3", "cos_lr=true", "freeze=[0, 1]", "optimizer=AdamW", "dropout=.5"],
        "--set",
    )
    assert found == {
        "mosaic": 0,
        "lr0": 0.001,
        "cos_lr": True,
        "freeze": [0, 1],
        "optimizer": "AdamW",
        "dropout": 0.5,
    }
    assert settings_from(["freeze=None", "auto_augment=none"], "--set") == {
        "freeze": None,
        "auto_augment": None,
    }


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["mosaic"], fields("--set", "KEY=VALUE", "'mosaic'")),
        (["=1"], fields("--set", "KEY=VALUE", "'=1'")),
        (["box=1", "box=2"], fields("--set", "each key once", "box twice")),
        (
            ["mosaik=0"],
            fields(
                "--set",
                "training arguments of Ultralytics",
                "'mosaik'",
                hint="did you mean mosaic?",
            ),
        ),
        (["degrees=steep"], fields("--set", "a number for degrees", "'steep'")),
        (["cos_lr=1"], fields("--set", "true or false for cos_lr", "1")),
        (["copy_paste_mode=3"], fields("--set", "text for copy_paste_mode", "3")),
        (["fliplr=2"], fields("--set", "training arguments of Ultralytics", "…fliplr…")),
        (["lr0=NaN"], fields("--set", "training arguments of Ultralytics", "…")),
        (
            ["optimizer=adam"],
            fields("--set", "an optimizer among …", "'adam'", hint="did you mean Adam?"),
        ),
        (
            ["fraction=.5"],
            fields(
                "--set",
                "training arguments that a run leaves open",
                "fraction",
                hint="fraction: it takes the first files by name, which is no sample: …",
            ),
        ),
        (
            ["val=true", "epochs=3"],
            fields("--set", got="epochs, val", hint="epochs: …; val: the last epoch is kept; …"),
        ),
    ],
)
def test_what_cannot_be_set_is_refused_with_the_reason(
    texts: list[str], said: dict[str, str]
) -> None:
    with refused(InputError, **said):
        settings_from(texts, "--set")


def test_every_argument_of_training_can_be_set_or_has_a_reason() -> None:
    ultralytics()
    defaults: dict[str, Any] = dict(extra("ultralytics.utils").DEFAULT_CFG_DICT)
    # Those of earlier and of later versions may be in the list without being there.
    assert len(set(FROZEN) - set(defaults)) <= 4
    free = {name: value for name, value in defaults.items() if name not in FROZEN}
    assert {"mosaic", "lr0", "box", "cos_lr", "cache", "freeze", "multi_scale"} <= set(free)
    check_settings(free)
    for name in sorted(set(FROZEN) & set(defaults)):
        with refused(InputError, "settings", got=name, hint=f"{name}: …"):
            check_settings({name: defaults[name]})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"batch": 0}, fields("batch", "an integer of at least 1", "0")),
        ({"batch": -2}, fields("batch", "an integer of at least 1", "-2")),
        ({"workers": -1}, fields("workers", "an integer of at least 0", "-1")),
        ({"amp": True}, fields("amp", "a GPU for mixed precision", "device 'cpu'")),
        ({"amp": "bf16"}, fields("amp", "true or false", "'bf16'")),
    ],
)
def test_what_a_machine_cannot_do_is_refused(given: dict[str, Any], said: dict[str, str]) -> None:
    with refused(InputError, **said):
        tw.yolo.UltralyticsDetector(model=str(TINY), **given)


def test_what_is_given_reaches_the_training(
    human: DetectionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}
    model = ultralytics().YOLO
    original = model.train

    def train(self: object, **arguments: object) -> object:
        seen.update(arguments)
        result = original(self, **arguments)
        seen["trainer"] = self.trainer
        return result

    monkeypatch.setattr(model, "train", train)
    learner = tw.yolo.YoloLearner(
        str(TINY),
        pool=human,
        epochs=1,
        imgsz=64,
        crop_imgsz=32,
        batch=-1,
        workers=1,
        settings=settings_from(["mosaic=0", "lr0=0.02", "optimizer=SGD"], "--set"),
        directory=tmp_path,
    )
    # On a CPU nothing is estimated: Ultralytics' default is what a run then says that it has.
    assert learner.describe()["batch"] == 16
    assert (learner.describe()["workers"], learner.describe()["amp"]) == (1, False)
    learner.fit(human, rng=np.random.default_rng(0))
    assert (seen["batch"], seen["nbs"], seen["workers"], seen["amp"]) == (16, 16, 1, False)
    trainer = seen["trainer"]
    assert (trainer.args.mosaic, trainer.args.lr0, trainer.args.optimizer) == (0, 0.02, "SGD")
    # On a CPU Ultralytics loads images in its own process, whatever it is told.
    assert trainer.train_loader.num_workers == 0
    assert trainer.train_loader.batch_size == 16


def test_the_command_refuses_a_setting_before_it_reads_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tailwatch.cli import run

    arguments = ["yolo-loop", str(tmp_path / "none.yaml"), "--out", str(tmp_path / "out")]
    assert run([*arguments, "--set", "mosaik=0"]) == 2
    assert "did you mean mosaic?" in capsys.readouterr().err
    assert run([*arguments, "--set", "patience=3"]) == 2
    assert "the last epoch is kept" in " ".join(capsys.readouterr().err.split())
    assert run([*arguments, "--workers", "-1"]) == 2
    assert not list((tmp_path / "out").iterdir())

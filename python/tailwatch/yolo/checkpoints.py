"""Files of weights: looked for before Ultralytics hears of them, and written without their history.

A name that Ultralytics does not find on disk is one that it fetches; so what is not there is an
error here. A checkpoint of a training has its date, its paths and the seconds of its epochs in it;
written again without them, equal weights are equal bytes, and their SHA-256 is a fingerprint.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, SourceError
from tailwatch.io.settings_text import parse_yaml, read_text
from tailwatch.text_form import path_text, shown
from tailwatch.yolo.environment import ultralytics, unlogged
from tailwatch.yolo.extra import extra, require_extra
from tailwatch.yolo.session import said
from tailwatch.yolo.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "check_device",
    "check_model",
    "class_names",
    "digest",
    "model_task",
    "open_model",
    "rewrite",
    "write_model",
]

KEPT = ("imgsz", "single_cls", "task")
"""Training arguments that Ultralytics reads from a checkpoint."""

DEVICE = re.compile(r"cpu|mps|cuda|(cuda:)?[0-9]{1,3}|(npu|xpu)(:[0-9]{1,3})?")


def check_model(model: str | Path, task: Task | None = None) -> str:
    """Return the name of a model: of weights or a file of one's own with their SHA-256.

    Weights are opened, without any code in them being run, and an architecture is built: what
    cannot be a detector is an error here and not after a training.

    Parameters
    ----------
    model
        A file, or the name of an architecture.
    task
        What the model has to do; by default, either.

    Raises
    ------
    SourceError
        It is neither a file nor the name of an architecture, or no detector.
    MissingDependencyError
        The extra ``yolo`` is not installed.
    """
    name, found = _looked_at(model)
    if task is not None and found is not task:
        raise _other_task(str(model), str(found), f"a model that {task.does}")
    return name


def model_task(model: str | Path) -> Task:
    """Return what a model does; it is looked at as :func:`check_model` does."""
    return _looked_at(model)[1]


def _looked_at(model: str | Path) -> tuple[str, Task]:
    """Return name and task of a model."""
    require_extra()
    path = Path(model)
    # A path has lost one of the slashes of a URL.
    if path.suffix not in {".pt", ".yaml", ".yml"} or ":/" in str(model):
        raise SourceError(argument="model", expected="a .pt or .yaml file", got=shown(str(model)))
    try:
        is_file = path.is_file()
        stamp = path.stat() if is_file else None
    except (OSError, ValueError) as error:
        raise SourceError(
            argument="model", expected="a .pt or .yaml file", got=f"{shown(str(model))} ({error})"
        ) from error
    if stamp is not None:
        task = _check_file(
            path.absolute(), (stamp.st_ino, stamp.st_size, stamp.st_mtime_ns, stamp.st_ctime_ns)
        )
        return f"{path_text(path.name)} {digest(path)}", task
    if path.suffix == ".pt":
        raise SourceError(
            argument=path_text(path),
            problem="no such file of weights",
            expected="a file of weights",
            got="no file",
            hint="nothing is downloaded: put it there, or begin from an architecture, such as "
            "yolo26n.yaml",
        )
    return path.name, _check_architecture(str(path))


@functools.lru_cache(maxsize=64)
def _check_file(path: Path, stamp: tuple[int, ...]) -> Task:  # noqa: ARG001  (what the file was)
    """Return the task of a file of a detector; one that did not change is looked at once."""
    if path.suffix == ".pt":
        return _task_of_weights(path)
    content = parse_yaml(read_text(path, "model"), "model", path_text(path))
    if not isinstance(content, dict):
        raise SourceError(
            argument=path_text(path), expected="an architecture", got=type(content).__name__
        )
    return _build(str(path))


@functools.lru_cache(maxsize=64)
def _check_architecture(name: str) -> Task:
    """Return the task of the name of an architecture of a detector in Ultralytics."""
    ultralytics()
    tasks: Any = extra("ultralytics.nn.tasks")
    try:
        # Scales share a file: yolo26n.yaml is yolo26.yaml with the letter n.
        with unlogged():
            tasks.yaml_model_load(name)
    except Exception as error:
        raise SourceError(
            argument=path_text(name),
            problem="no such file, and no architecture of Ultralytics",
            expected="a file, or the name of an architecture of Ultralytics",
            got="neither",
        ) from error
    return _build(name)


def _build(name: str) -> Task:
    """Return the task of an architecture that Ultralytics can build."""
    ultralytics()
    tasks: Any = extra("ultralytics.nn.tasks")
    torch: Any = extra("torch")
    try:
        with unlogged(), torch.random.fork_rng(range(torch.cuda.device_count())):
            content = tasks.yaml_model_load(name)
            task = _known_task(tasks.guess_model_task(content), name)
            kind = tasks.SegmentationModel if task is Task.SEGMENT else tasks.DetectionModel
            kind(content, verbose=False)
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(
            argument=path_text(name),
            expected="an architecture that Ultralytics can build",
            got=said(error),
        ) from error
    return task


def _known_task(task: str | None, name: str) -> Task:
    """Return the task of this name; another than the two is refused."""
    if task in list(Task):
        return Task(task)
    raise _other_task(name, task, "a model that detects boxes or segments instances")


def _other_task(name: str, task: str | None, expected: str) -> SourceError:
    return SourceError(
        argument=path_text(name),
        expected=expected,
        got=f"one for the task {task}" if task else "one whose task is not known",
    )


def _task_of_weights(path: Path) -> Task:
    """Return the task of a checkpoint, read with the classes of known layers and nothing else."""
    ultralytics()
    tasks: Any = extra("ultralytics.nn.tasks")
    torch: Any = extra("torch")
    try:
        content = _content_of(path)
        model = content.get("ema") or content.get("model")
    except Exception as error:
        raise SourceError(
            argument=path_text(path),
            expected="weights as Ultralytics saves them",
            got=said(error),
        ) from error
    if not isinstance(model, torch.nn.Module) or content.get("modelopt"):
        raise SourceError(
            argument=path_text(path),
            expected="weights as Ultralytics saves them",
            got="a file without a model"
            if not content.get("modelopt")
            else "a model that was quantised",
        )
    task = getattr(model, "task", None)
    if not isinstance(task, str):
        with unlogged():
            task = tasks.guess_model_task(model)
    # Where it cannot guess it says that it is a detector.
    return _known_task(task if isinstance(model, tasks.BaseModel) else None, str(path))


def _content_of(path: Path) -> Any:  # noqa: ANN401  (what Ultralytics has saved)
    """Read a checkpoint with the classes of known layers and nothing else."""
    tasks: Any = extra("ultralytics.nn.tasks")
    with unlogged():
        return tasks.torch_safe_load(str(path), safe_only=True)[0]


def check_device(device: object) -> str:
    """Return the name of a device that is there; checked before anything is trained on it.

    Raises
    ------
    InputError
        It is no device that this machine has, or several.
    """
    if isinstance(device, bool) or not isinstance(device, str | int):
        raise InputError(argument="device", expected="a name or a number", got=shown(device))
    name = str(device).strip().lower()
    if not DEVICE.fullmatch(name):
        raise InputError(
            argument="device",
            expected="cpu, mps, cuda, or the number of one GPU",
            got=shown(device),
        )
    if name == "cpu":
        return name
    ultralytics()
    torch: Any = extra("torch")
    number = name.rpartition(":")[2]
    kind = "cuda" if number.isdigit() and ":" not in name else name.partition(":")[0]
    backend: Any = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    there = backend is not None and backend.is_available()
    count = backend.device_count() if there and hasattr(backend, "device_count") else int(there)
    if not there or (number.isdigit() and int(number) >= count):
        raise InputError(
            argument="device",
            expected="a device of this machine",
            got=f"{shown(device)}, and there are {count} of that kind",
            hint="cpu is always there",
        )
    return name


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_model(model: str, task: Task | None = None) -> Any:  # noqa: ANN401  (Ultralytics' own)
    """Open a model that is on this machine."""
    check_model(model, task)
    try:
        return ultralytics().YOLO(model, task=str(model_task(model)), verbose=False)
    except Exception as error:
        raise SourceError(
            argument=path_text(model),
            expected="a model that Ultralytics can open",
            got=said(error),
        ) from error


def rewrite(source: Path, target: Path) -> None:
    """Write a checkpoint again: weights and classes, without times and paths."""
    content = _content_of(source)
    model = content.get("ema") or content["model"]
    write_model(model, content.get("train_args") or {}, target, content.get("version"))


def class_names(weights: Path) -> tuple[str, ...]:
    """Return the classes of a file of weights, in the order of their numbers."""
    check_model(weights)
    content = _content_of(weights)
    names = (content.get("ema") or content["model"]).names
    return tuple(str(names[number]) for number in sorted(names)) if isinstance(names, dict) else ()


def write_model(
    model: Any,  # noqa: ANN401  (a module of torch, which is changed)
    arguments: Mapping[str, Any],
    target: Path,
    release: str | None,
) -> None:
    """Write a model as a checkpoint: weights and classes, without times and paths.

    Parameters
    ----------
    model
        The network.
    arguments
        Those that it was trained with, of which few are kept.
    target
        The file.
    release
        Version of Ultralytics that trained it.
    """
    torch: Any = extra("torch")
    kept = {name: arguments[name] for name in KEPT if name in arguments}
    model.args = kept
    model.pt_path = None
    model.yaml = {key: value for key, value in model.yaml.items() if key != "yaml_file"}
    with target.open("wb") as file:
        # Given a file and not a path, torch writes no name into the archive.
        torch.save(
            {"model": model, "ema": None, "train_args": kept, "version": release},
            file,
        )

"""Files of weights: looked for before Ultralytics hears of them, and written without their history.

A name that Ultralytics does not find on disk is one that it fetches; so what is not there is an
error here. A checkpoint of a training has its date, its paths and the seconds of its epochs in it;
written again without them, equal weights are equal bytes, and their SHA-256 is a fingerprint.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tailwatch.exceptions import SourceError
from tailwatch.yolo.environment import extra, require_extra, ultralytics

__all__ = ["check_model", "digest", "open_model", "rewrite"]

KEPT = ("imgsz", "single_cls", "task")
"""Training arguments that Ultralytics reads from a checkpoint."""


def check_model(model: str | Path) -> str:
    """Say what a model is: ``name`` for an architecture of Ultralytics, else name and SHA-256.

    Raises
    ------
    SourceError
        It is neither a file nor the name of an architecture.
    MissingDependencyError
        The extra ``yolo`` is not installed.
    """
    require_extra()
    path = Path(model)
    # A path has lost one of the slashes of a URL.
    if path.suffix not in {".pt", ".yaml", ".yml"} or ":/" in str(model):
        message = f"model: expected a .pt or .yaml file, got {str(model)!r}"
        raise SourceError(message)
    if path.is_file():
        return f"{path.name} {digest(path)}"
    if path.suffix == ".pt":
        message = (
            f"{model}: no such file of weights; nothing is downloaded: put it there, or begin from "
            "an architecture, such as yolo26n.yaml"
        )
        raise SourceError(message)
    ultralytics()
    tasks: Any = extra("ultralytics.nn.tasks")
    try:
        # Scales share a file: yolo26n.yaml is yolo26.yaml with the letter n.
        tasks.yaml_model_load(str(path))
    except FileNotFoundError as error:
        message = f"{model}: no such file, and no architecture of Ultralytics"
        raise SourceError(message) from error
    return path.name


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_model(model: str) -> Any:  # noqa: ANN401  (Ultralytics' own class)
    """Open a model that is on this machine."""
    check_model(model)
    return ultralytics().YOLO(model, task="detect", verbose=False)


def rewrite(source: Path, target: Path) -> None:
    """Write a checkpoint again: its weights, its classes, and nothing of when and where."""
    torch: Any = extra("torch")
    tasks: Any = extra("ultralytics.nn.tasks")
    content, _ = tasks.torch_safe_load(str(source))
    model = content.get("ema") or content["model"]
    arguments = content.get("train_args") or {}
    kept = {name: arguments[name] for name in KEPT if name in arguments}
    model.args = kept
    model.pt_path = None
    model.yaml = {key: value for key, value in model.yaml.items() if key != "yaml_file"}
    with target.open("wb") as file:
        # Given a file and not a path, torch writes no name into the archive.
        torch.save(
            {"model": model, "ema": None, "train_args": kept, "version": content.get("version")},
            file,
        )

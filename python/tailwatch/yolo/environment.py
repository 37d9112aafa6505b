"""The way to Ultralytics: imported where it is used, offline, and with a configuration of its own.

Ultralytics asks the network for fonts, weights, data sets, versions and statistics of use. Most of
that is decided once, by the environment at its first import:

======================================  ========================================================
variable                                what it stops
======================================  ========================================================
``YOLO_OFFLINE``                        the look whether there is a network, and all that hangs
                                        on the answer
``YOLO_AUTOINSTALL``                    pip being run for a missing package
``ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS``  the check that leads to it
``ULTRALYTICS_SAFE_LOAD``               code in a checkpoint being run as it is read
``YOLO_CONFIG_DIR``                     the user's settings being read or written: the folder is
                                        private to this process and goes with it
======================================  ========================================================

Its loggers to other services are settings instead and are switched off for this process alone: who
wants one calls ``ultralytics.settings.update`` afterwards. The font that it would fetch is
matplotlib's. Weights and data are looked for by the caller: a missing file is an error of ours
before Ultralytics sees its name.

Ultralytics is licensed under AGPL-3.0: it is imported in this file alone, and no code of it is part
of tailwatch.
"""

from __future__ import annotations

import atexit
import importlib.util
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailwatch.exceptions import MissingDependencyError
from tailwatch.yolo.extra import extra, mend_torchvision, require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

__all__ = [
    "OFFLINE",
    "borrowed",
    "data_sets_folder",
    "packaged_file",
    "remove_private_folder",
    "ultralytics",
    "unlogged",
]

OFFLINE = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
}

FLOOR = (8, 4, 167)
"""The first version that puts a restored image in the place of the link, and not into the file."""

SERVICES = (
    "sync",
    "clearml",
    "comet",
    "dvc",
    "mlflow",
    "raytune",
    "tensorboard",
    "wandb",
    "vscode_msg",
    "openvino_msg",
)
"""Settings of Ultralytics that send something somewhere, or print an invitation to do so."""

CONSTANTS = {"ONLINE": False, "AUTOINSTALL": False, "SAFE_LOAD": True}
"""What Ultralytics makes of the environment at its first import."""

FONTS = ("Arial.ttf", "Arial.Unicode.ttf")
"""What Ultralytics looks for, by the alphabet of the classes' names."""

PRIVATE = "tailwatch-ultralytics-"
"""How the name of the folder of settings begins."""

_private: list[tuple[str, int]] = []
"""The folder of settings, and the process that it belongs to."""

_own: list[str | None] = []
"""What the user's environment said of that folder before it was changed."""


def ultralytics() -> ModuleType:
    """Import Ultralytics, configured so that it never asks the network.

    Returns
    -------
    module
        ``ultralytics``.

    Raises
    ------
    MissingDependencyError
        The extra ``yolo`` is not installed, or a library of the system is missing.
    """
    loaded = sys.modules.get("ultralytics")
    if loaded is not None and getattr(loaded, "_tailwatch_offline", False):
        folder = Path(extra("ultralytics.utils").USER_CONFIG_DIR)
        if not folder.exists() and folder.parent.name.startswith(PRIVATE):
            # An interrupted command removed it, and this process goes on.
            _lay_out_fonts(folder)
            _private.append((str(folder.parent), os.getpid()))
        return loaded
    require_extra()
    _require_floor()
    os.environ.update(OFFLINE)
    if loaded is None:
        _use_private_folder()
    extra("torch")
    mend_torchvision()
    extra("cv2")
    with unlogged(), _elsewhere_unchanged():
        module = extra("ultralytics")
        state: Any = extra("ultralytics.utils")
    # Around the settings' own `update`, which would write them to the user's file where Ultralytics
    # was imported before.
    dict.update(state.SETTINGS, dict.fromkeys(SERVICES, False))
    # Corrects what an earlier import may have found out.
    _tell_all(CONSTANTS)
    _lay_out_fonts(Path(state.USER_CONFIG_DIR))
    module._tailwatch_offline = True  # type: ignore[attr-defined]  # noqa: SLF001
    return module


def _require_floor() -> None:
    """Refuse a version that writes JPEGs anew in place, through links, in a user's own folder."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("ultralytics")
    except PackageNotFoundError:
        # A copy on the path, of which nobody knows the version.
        return
    numbers = tuple(int(each) for each in re.findall(r"\d+", found)[:3])
    if numbers < FLOOR:
        raise MissingDependencyError(
            argument="ultralytics",
            expected=f"version {'.'.join(map(str, FLOOR))} or later",
            got=found,
            hint="earlier ones write over images that they find damaged, in your own folder",
        )


@contextmanager
def borrowed() -> Iterator[None]:
    """Use an Ultralytics that its user has imported, offline, and leave it as the user has it.

    Settings, what it knows of the network, and the folder of its fonts are as before after the
    block. Where tailwatch itself imported it there is nothing to give back.
    """
    loaded = sys.modules.get("ultralytics")
    if loaded is None or getattr(loaded, "_tailwatch_offline", False):
        yield
        return
    state: Any = extra("ultralytics.utils")
    settings = dict(state.SETTINGS)
    constants = {name: getattr(state, name) for name in CONSTANTS}
    folder = Path(state.USER_CONFIG_DIR)
    fonts = [folder / name for name in FONTS if not (folder / name).exists()]
    variables = {name: os.environ.get(name) for name in OFFLINE}
    try:
        yield
    finally:
        dict.update(state.SETTINGS, settings)
        _tell_all(constants)
        for font in fonts:
            font.unlink(missing_ok=True)
        for name, value in variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        loaded.__dict__.pop("_tailwatch_offline", None)


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep loggers silent: a new folder of settings is announced on standard output."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _elsewhere_unchanged() -> Iterator[None]:
    """Put back what the import of Ultralytics changes for the whole process.

    That is how NumPy prints, what Pillow does with a file that is no image (it would look for a
    package), and the threads that other libraries are told to use.
    """
    image: Any = extra("PIL.Image")
    opens, variables = image.open, dict(os.environ)
    try:
        with np.printoptions():
            yield
    finally:
        image.open = opens
        for name in set(os.environ) - set(variables):
            del os.environ[name]
        os.environ.update(variables)


def _use_private_folder() -> None:
    """Return Ultralytics a folder for its settings that ends with this process."""
    folder = tempfile.mkdtemp(prefix=PRIVATE)
    _own.append(os.environ.get("YOLO_CONFIG_DIR"))
    _private.append((folder, os.getpid()))
    atexit.register(remove_private_folder)
    os.environ["YOLO_CONFIG_DIR"] = folder


def remove_private_folder() -> None:
    """Remove the folder of Ultralytics' settings, which only its import needs."""
    while _private:
        folder, owner = _private.pop()
        # A forked child must not take the folder from its parent.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _tell_all(constants: Mapping[str, object]) -> None:
    """Set constants in all modules of Ultralytics, which hold copies of them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "ultralytics":
            for constant, value in constants.items():
                if hasattr(module, constant):
                    setattr(module, constant, value)


def _lay_out_fonts(folder: Path) -> None:
    """Put matplotlib's font where Ultralytics looks before it would fetch one."""
    # Naming the back end keeps matplotlib from looking for a display.
    os.environ.setdefault("MPLBACKEND", "Agg")
    matplotlib: Any = extra("matplotlib")
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    folder.mkdir(parents=True, exist_ok=True)
    for name in FONTS:
        if not (folder / name).exists():
            shutil.copyfile(font, folder / name)


def packaged_file(name: str) -> Path | None:
    """Return a file that comes with Ultralytics, without importing it; None where there is none."""
    try:
        spec = importlib.util.find_spec("ultralytics")
    except ValueError:
        spec = None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / name
        if file.is_file():
            return file
    return None


def data_sets_folder() -> Path:
    """Return the folder of data sets of the user's own settings of Ultralytics.

    Settings that were never written are what Ultralytics would write: beside the repository that
    it lies in, or where the command runs.
    """
    try:
        settings = json.loads((_user_settings() / "settings.json").read_text(encoding="utf-8"))
        return Path(settings["datasets_dir"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    package = packaged_file("__init__.py")
    around = () if package is None else package.parents
    root = next((folder for folder in around if (folder / ".git").exists()), None)
    if root is None:
        return Path.cwd() / "datasets"
    return (root.parent if os.access(root.parent, os.W_OK) else root).resolve() / "datasets"


def _user_settings() -> Path:
    """Return the folder of the user's settings of Ultralytics, which this process leaves alone."""
    given = os.environ.get("YOLO_CONFIG_DIR")
    if given and Path(given).name.startswith(PRIVATE):
        given = _own[-1] if _own else None
    if given:
        return Path(given).expanduser() / "Ultralytics"
    if sys.platform == "win32":
        return Path.home() / "AppData" / "Roaming" / "Ultralytics"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Ultralytics"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "Ultralytics"

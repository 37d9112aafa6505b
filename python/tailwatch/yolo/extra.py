"""The packages of the extra ``yolo``, imported when they are first needed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING

from tailwatch.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["extra", "require_extra"]

INSTALL = (
    "tailwatch.yolo needs Ultralytics YOLO: pip install 'tailwatch[yolo]' "
    "(Ultralytics is licensed under AGPL-3.0, tailwatch under Apache-2.0)"
)

SYSTEM_LIBRARIES = (
    "OpenCV, which Ultralytics needs, lacks a library of the system: on Debian, apt-get install "
    "libgl1 libglib2.0-0; or, on a machine without a display, pip install --force-reinstall "
    "--no-deps opencv-python-headless"
)


def require_extra() -> None:
    """Refuse to go on without Ultralytics, before anything of it is looked for.

    Raises
    ------
    MissingDependencyError
        The extra ``yolo`` is not installed.
    """
    if "ultralytics" not in sys.modules and importlib.util.find_spec("ultralytics") is None:
        raise MissingDependencyError(_missing("ultralytics"))


def _missing(name: str | None) -> str:
    return f"{INSTALL}; missing: {name}"


def extra(name: str) -> ModuleType:
    """Import `name`, a module that the extra ``yolo`` brings.

    Raises
    ------
    MissingDependencyError
        It is not installed, or cannot be loaded on this machine.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(_missing(error.name)) from error
    except ImportError as error:
        # A wheel that is there, and a shared library that is not.
        if "cannot open shared object file" not in str(error):
            raise
        said = f"{SYSTEM_LIBRARIES}; the system says: {error}"
        raise MissingDependencyError(said) from error

"""The packages of the extra ``yolo``, imported when they are first needed; torchvision, mended.

PyPI's torchvision is built against PyPI's torch, which on Linux has CUDA. Beside a torch for the
CPU alone its native operators cannot be loaded, and its import ends with ``operator
torchvision::nms does not exist``. Ultralytics needs one of them, so on exactly this error
:func:`mend_torchvision` declares the schemas, with a kernel of torch operations for the CPU.

The kernel is greedy suppression: boxes in descending order of score; a box goes when its
intersection over union with a box that stays exceeds the threshold. O(n²) time, O(n) memory.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["extra", "mend_torchvision", "nms", "require_extra"]

INSTALL = (
    "tailwatch.yolo needs Ultralytics YOLO: pip install 'tailwatch[yolo]' "
    "(Ultralytics is licensed under AGPL-3.0, tailwatch under Apache-2.0)"
)

SYSTEM_LIBRARIES = (
    "on Debian, apt-get install libgl1 libglib2.0-0; or, on a machine without a display, "
    "pip install --force-reinstall --no-deps opencv-python-headless"
)
SYMPTOM = "operator torchvision::nms does not exist"

_libraries: list[Any] = []
"""Declarations last as long as the object that made them."""


def require_extra() -> None:
    """Refuse to go on without Ultralytics, before anything of it is looked for.

    Raises
    ------
    MissingDependencyError
        The extra ``yolo`` is not installed.
    """
    name = "ultralytics"
    if name not in sys.modules and importlib.util.find_spec(name) is None:
        raise _missing(name)


def _missing(name: str | None) -> MissingDependencyError:
    return MissingDependencyError(
        f"{INSTALL}; missing: {name}", expected="Ultralytics YOLO", got=f"no module {name}"
    )


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
        raise _missing(error.name) from error
    except ImportError as error:
        # A wheel that is there, and a shared library that is not.
        if "cannot open shared object file" not in str(error):
            raise
        raise MissingDependencyError(
            argument=name,
            expected="the system libraries of OpenCV, which Ultralytics needs",
            got=str(error),
            hint=SYSTEM_LIBRARIES,
        ) from error


def mend_torchvision() -> bool:
    """Import torchvision; on the one error above, declare its operators first.

    Returns
    -------
    bool
        Whether anything had to be mended.
    """
    return _mended(lambda: extra("torchvision"))


def _mended(load: Callable[[], object]) -> bool:
    try:
        load()
    except RuntimeError as error:
        if SYMPTOM not in str(error):
            raise
    else:
        return False
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare()
    load()
    return True


def _declare() -> None:
    """Declare the schemas of torchvision's suppression and give them the kernel below."""
    library: Any = importlib.import_module("torch.library").Library("torchvision", "FRAGMENT")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", nms, "CPU")
    _libraries.append(library)


def nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:  # noqa: ANN401  (torch ships no core types)
    """Return the indices of the boxes that stay, in descending order of score.

    Parameters
    ----------
    boxes
        Tensor of n × 4: left, top, right, bottom.
    scores
        Tensor of n.
    iou_threshold
        Intersection over union beyond which the lower score goes.
    """
    torch: Any = importlib.import_module("torch")
    order = torch.argsort(scores, descending=True, stable=True)
    left, top, right, bottom = boxes[order].unbind(dim=1)
    areas = (right - left) * (bottom - top)
    alive = torch.ones(len(order), dtype=torch.bool)
    for i in range(len(order)):
        if not alive[i]:
            continue
        rest = slice(i + 1, None)
        width = torch.minimum(right[i], right[rest]) - torch.maximum(left[i], left[rest])
        height = torch.minimum(bottom[i], bottom[rest]) - torch.maximum(top[i], top[rest])
        shared = width.clamp(min=0) * height.clamp(min=0)
        alive[rest] &= shared / (areas[i] + areas[rest] - shared) <= iou_threshold
    return order[alive]

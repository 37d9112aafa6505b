"""Non-maximum suppression where torchvision was built for another torch.

PyPI's torchvision is built against PyPI's torch, which on Linux has CUDA. Beside a torch for the
CPU alone its native operators cannot be loaded, and its import ends with ``operator
torchvision::nms does not exist``. Ultralytics needs one of them, so on exactly this error the
schemas are declared here, with a kernel of torch operations for the CPU.

Greedy suppression: boxes in descending order of score; a box goes when its intersection over union
with a box that stays exceeds the threshold. O(n²) time, O(n) memory.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from tailwatch.yolo.extra import extra

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["mend_torchvision", "nms"]

SYMPTOM = "operator torchvision::nms does not exist"

_libraries: list[Any] = []
"""Declarations last as long as the object that made them."""


def mend_torchvision() -> bool:
    """Import torchvision; on the one error that this module is for, declare its operators first.

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
    """Give the indices of the boxes that stay, in descending order of score.

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

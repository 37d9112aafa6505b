"""Suppression of our own, for a torchvision that lost its operators: the same boxes stay."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from tailwatch.yolo import extra as operators
from tailwatch.yolo.extra import extra


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("count", [0, 1, 100, pytest.param(200, marks=pytest.mark.slow)])
def test_the_same_boxes_stay_as_in_torchvision(threshold: float, count: int) -> None:
    torch, ops = extra("torch"), extra("torchvision.ops")
    rng = np.random.default_rng(count)
    corner, side = rng.uniform(0, 50, (count, 2)), rng.uniform(1, 30, (count, 2))
    boxes = torch.tensor(np.hstack([corner, corner + side]), dtype=torch.float32)
    scores = torch.tensor(rng.permutation(count) / max(count, 1), dtype=torch.float32)
    ours = operators.nms(boxes, scores, threshold)
    assert ours.tolist() == ops.nms(boxes, scores, threshold).tolist()


def test_torchvision_that_works_is_left_alone() -> None:
    assert operators.mend_torchvision() is False


def test_only_the_one_error_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    declared: list[bool] = []
    monkeypatch.setattr(operators, "_declare", lambda: declared.append(True))
    monkeypatch.setattr(sys, "modules", sys.modules | {"torchvision": ModuleType("torchvision")})
    errors = [RuntimeError(operators.SYMPTOM)]

    def load() -> None:
        if errors:
            raise errors.pop()

    assert operators._mended(load) is True
    assert declared == [True]
    assert "torchvision" not in sys.modules
    errors.append(RuntimeError("operator torchvision::roi_align does not exist"))
    with pytest.raises(RuntimeError, match="roi_align"):
        operators._mended(load)
    assert declared == [True]

"""Which training arguments of Ultralytics a caller may give, checked before anything is trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tailwatch.exceptions import InputError
from tailwatch.text_form import shown
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.session import said

__all__ = ["check_settings"]

OURS = frozenset(
    {
        "amp", "batch", "cfg", "data", "device", "epochs", "exist_ok", "fraction", "imgsz", "iou",
        "max_det", "mode", "model", "name", "nbs", "nms", "patience", "plots", "pretrained",
        "project", "resume", "save", "seed", "task", "val", "verbose", "warmup_epochs", "workers",
        # What would change the classes, the budget, or what is written and shown.
        "classes", "conf", "deterministic", "distill_model", "embed", "half", "int8", "profile",
        "quantize", "save_conf", "save_crop", "save_frames", "save_json", "save_period", "save_txt",
        "show", "single_cls", "source", "split", "time", "visualize",
    }
)  # fmt: skip
"""Arguments of Ultralytics that `settings` may not have."""

OPTIMIZERS = frozenset(
    {"SGD", "MuSGD", "Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSProp", "auto"}
)


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that Ultralytics does not have, or that are not the caller's to give.

    Raises
    ------
    InputError
        Before anything is trained.
    """
    if not isinstance(settings, Mapping):
        raise InputError(argument="settings", expected="a mapping", got=type(settings).__name__)
    if taken := sorted(OURS & {str(name) for name in settings}):
        raise InputError(
            argument="settings",
            problem=f"{', '.join(taken)}: set by tailwatch, or an argument of its own",
        )
    if not settings:
        return
    ultralytics()
    given = dict(settings)
    try:
        # What is written into the record of a run, and read back.
        json.dumps(given, allow_nan=False)
        extra("ultralytics.cfg").get_cfg(overrides=given)
    except (Exception, SystemExit) as error:
        # Its answer to a name that it does not know is a SyntaxError with a page of help.
        raise InputError(
            argument="settings",
            expected="training arguments of Ultralytics",
            got=f"{shown(dict(settings))} ({said(error)})",
        ) from error
    optimizer = given.get("optimizer", "auto")
    if optimizer not in OPTIMIZERS:
        raise InputError(
            argument="settings",
            expected=f"an optimizer among {', '.join(sorted(OPTIMIZERS))}",
            got=shown(optimizer),
        )

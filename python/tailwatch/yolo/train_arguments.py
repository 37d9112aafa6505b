"""Training arguments of Ultralytics that a caller may give, checked before anything is trained.

What there is, and of which type, the defaults of the Ultralytics that is installed say: a new
version's new argument needs no change here. `FROZEN` are those that a run has to hold still to
mean anything; each has its reason, and the argument of tailwatch to use instead where there is one.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tailwatch.exceptions import InputError, meant
from tailwatch.text_form import shown
from tailwatch.yolo.checkpoints import open_model
from tailwatch.yolo.detector import MOST
from tailwatch.yolo.environment import ultralytics
from tailwatch.yolo.extra import extra
from tailwatch.yolo.session import answering, said, session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ESTIMATED",
    "FROZEN",
    "check_amp",
    "check_settings",
    "estimated_batch",
    "settings_from",
]

ESTIMATED = -1
"""The batch that stands for as many images as fit into the device."""

OWN = "tailwatch has an argument of this name"
PLACE = "tailwatch chooses where a training is written, and keeps it"
PRINTED = "nothing is shown or written but what tailwatch keeps"
ONE_LABELLING = "it would change what the boxes of a set mean"
NO_TRAINING = "it has no part in a training"

_REASONS: dict[str, Iterable[str]] = {
    OWN: (
        "amp",
        "batch",
        "device",
        "epochs",
        "imgsz",
        "iou",
        "max_det",
        "model",
        "seed",
        "workers",
    ),
    "at most 1, or a few epochs of a small set are no training: warmup_epochs of "
    "UltralyticsDetector": ("warmup_epochs",),
    "the head is chosen by nms_free": ("nms",),
    "gradients of each batch are applied, or a small set has few steps: it is the batch": ("nbs",),
    "the last epoch is kept; the best one would be chosen on data that then measure it": (
        *("val", "patience", "split", "save_json", "conf"),
    ),
    "it takes the first files by name, which is no sample: give a smaller set": ("fraction",),
    "all arms are shown as many images: budget": ("time",),
    "weights do not replay without it": ("deterministic",),
    "where a training begins is chosen by start and model": (
        *("pretrained", "resume", "cfg", "distill_model", "mode", "task"),
    ),
    "the data are those that the loop composes": ("data", "source"),
    PLACE: ("project", "name", "exist_ok", "save", "save_period"),
    PRINTED: (
        *("plots", "profile", "verbose", "show", "visualize", "save_conf", "save_crop"),
        *("save_frames", "save_txt", "show_labels", "show_conf", "show_boxes", "line_width"),
    ),
    ONE_LABELLING: ("single_cls", "classes"),
    NO_TRAINING: (
        *("embed", "half", "int8", "quantize", "dnn", "vid_stride", "stream_buffer", "augment"),
        *("agnostic_nms", "retina_masks", "format", "keras", "optimize", "dynamic", "simplify"),
        *("opset", "workspace", "tracker"),
    ),
}

FROZEN = {name: reason for reason, names in _REASONS.items() for name in names}
"""Arguments of Ultralytics that `settings` may not have, and why."""

OPTIMIZERS = frozenset(
    {"SGD", "MuSGD", "Adam", "Adamax", "AdamW", "NAdam", "RAdam", "RMSProp", "auto"}
)

WORDS = {"true": True, "false": False, "none": None, "null": None}


def check_settings(settings: Mapping[str, Any], argument: str = "settings") -> None:
    """Refuse settings that Ultralytics does not have, or that are not the caller's to give.

    Parameters
    ----------
    settings
        Training arguments.
    argument
        What an error calls them.

    Raises
    ------
    InputError
        Before anything is trained.
    """
    if not isinstance(settings, Mapping):
        raise InputError(argument=argument, expected="a mapping", got=type(settings).__name__)
    given = {str(name): value for name, value in settings.items()}
    if frozen := sorted(set(given) & set(FROZEN)):
        raise InputError(
            argument=argument,
            expected="training arguments that a run leaves open",
            got=", ".join(frozen),
            hint="; ".join(f"{name}: {FROZEN[name]}" for name in frozen),
        )
    if not given:
        return
    ultralytics()
    defaults: dict[str, Any] = dict(extra("ultralytics.utils").DEFAULT_CFG_DICT)
    for name, value in given.items():
        if name not in defaults:
            raise InputError(
                argument=argument,
                expected="training arguments of Ultralytics",
                got=shown(name),
                hint=meant(name, sorted(set(defaults) - set(FROZEN))),
            )
        kind = _other_kind(value, defaults[name])
        if kind is not None:
            raise InputError(argument=argument, expected=f"{kind} for {name}", got=shown(value))
    try:
        # What is written into the record of a run, and read back.
        json.dumps(given, allow_nan=False)
        extra("ultralytics.cfg").get_cfg(overrides=given)
    except (Exception, SystemExit) as error:
        raise InputError(
            argument=argument,
            expected="training arguments of Ultralytics",
            got=f"{shown(given)} ({said(error)})",
        ) from error
    optimizer = given.get("optimizer", "auto")
    if optimizer not in OPTIMIZERS:
        raise InputError(
            argument=argument,
            expected=f"an optimizer among {', '.join(sorted(OPTIMIZERS))}",
            got=shown(optimizer),
            hint=meant(str(optimizer), sorted(OPTIMIZERS)),
        )


def check_amp(amp: object, device: object) -> None:
    """Refuse mixed precision where there is none."""
    if not isinstance(amp, bool):
        raise InputError(argument="amp", expected="true or false", got=shown(amp))
    if amp and str(device).lower() in {"cpu", "mps"}:
        raise InputError(
            argument="amp", expected="a GPU for mixed precision", got=f"device {str(device)!r}"
        )


@functools.lru_cache(maxsize=64)
def estimated_batch(model: str, imgsz: int, device: str, *, amp: bool) -> int:
    """Return how many images of a batch fit into a device, by Ultralytics' own estimate.

    On a CPU it is Ultralytics' default. One answer for a process: free memory changes, and the
    trainings of a study are to be alike.
    """
    with session(1), answering("estimate a batch"):
        places: Any = extra("ultralytics.utils.torch_utils")
        network = open_model(model).model.to(places.select_device(device, verbose=False))
        estimate: Any = extra("ultralytics.utils.autobatch").check_train_batch_size
        return min(int(estimate(network, imgsz=imgsz, amp=amp, batch=ESTIMATED)), MOST["batch"])


def settings_from(texts: Sequence[str], argument: str) -> dict[str, Any]:
    """Return the settings of an option that was given again and again as ``KEY=VALUE``.

    Parameters
    ----------
    texts
        What was given: numbers, ``true``, ``false``, ``none`` and JSON are those, all else is text.
    argument
        The option.

    Raises
    ------
    InputError
        One is no ``KEY=VALUE``, a key comes twice, or a setting cannot be given.

    Examples
    --------
    >>> from tailwatch.yolo.train_arguments import settings_from
    >>> settings_from([], "--set")
    {}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise InputError(argument=argument, expected="KEY=VALUE", got=shown(text))
        if name in found:
            raise InputError(argument=argument, expected="each key once", got=f"{name} twice")
        found[name] = _value(value.strip())
    check_settings(found, argument)
    return found


def _value(text: str) -> Any:  # noqa: ANN401  (any JSON)
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    for read in (json.loads, float):
        try:
            return read(text)
        except (ValueError, RecursionError):
            continue
    return text


def _other_kind(value: object, default: object) -> str | None:
    """Return what a value should be, by the default that it replaces; None where it is that.

    Where there is no default, and for flags that may be words, Ultralytics' own check decides.
    """
    if isinstance(default, bool):
        return None if isinstance(value, bool | str) else "true or false"
    if isinstance(default, int | float):
        # A tuple of two for a range, as of `scale`, is Ultralytics' to judge.
        number = isinstance(value, int | float | list | tuple) and not isinstance(value, bool)
        return None if number else "a number"
    if isinstance(default, str):
        return None if value is None or isinstance(value, str) else "text"
    return None

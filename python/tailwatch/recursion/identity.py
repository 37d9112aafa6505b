"""Who took part in a run, as JSON: a directory is resumed only by those who made it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from tailwatch.recursion import data as rows_of

__all__ = ["describe", "differences", "name_of", "parameters_of"]


def describe(value: Any) -> Any:  # noqa: ANN401  (anything a learner may hold)
    """Say what a learner, a policy or one of their parameters is.

    Plain values stand for themselves, functions and classes for their names, data for their
    fingerprint, and objects for their class and public attributes, or what their own ``describe()``
    returns.
    """
    for holds, described in _FORMS:
        if holds(value):
            return described(value)
    return {"class": _path_of(type(value))} | parameters_of(value)


def parameters_of(value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the public attributes of an object, described."""
    own = getattr(value, "describe", None)
    if callable(own):
        return dict(describe(own()))
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
    else:
        held = dict(getattr(value, "__dict__", {}))
    public = {name: each for name, each in held.items() if not name.startswith("_")}
    return {name: describe(each) for name, each in public.items()}


def _of_array(array: np.ndarray) -> Any:  # noqa: ANN401
    if array.dtype.kind == "O":
        return hashlib.sha256(json.dumps(array.tolist(), default=str).encode()).hexdigest()
    return rows_of.describe(array) if array.ndim else array.item()


def _path_of(value: Any) -> str:  # noqa: ANN401
    return f"{value.__module__}.{value.__qualname__}"


_FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Any]], ...] = (
    # JSON has no numbers that are not finite.
    (lambda value: isinstance(value, float) and not math.isfinite(value), str),
    (
        lambda value: value is None or isinstance(value, bool | int | float | str),
        lambda value: value,
    ),
    (lambda value: isinstance(value, np.floating), lambda value: describe(float(value))),
    (lambda value: isinstance(value, np.generic), lambda value: describe(value.item())),
    (lambda value: isinstance(value, complex | bytes), repr),
    (lambda value: isinstance(value, Path | Enum), str),
    (lambda value: isinstance(value, np.ndarray), _of_array),
    (
        lambda value: isinstance(value, Mapping),
        lambda value: {str(key): describe(each) for key, each in value.items()},
    ),
    (lambda value: isinstance(value, list | tuple), lambda value: list(map(describe, value))),
    (lambda value: isinstance(value, set | frozenset), lambda value: sorted(map(str, value))),
    (lambda value: isinstance(value, type) or hasattr(value, "__code__"), _path_of),
    (lambda value: any(kind.holds(value) for kind in rows_of.KINDS), rows_of.describe),
)
"""What a value may be, in the order in which it is asked, and what then stands for it."""


def name_of(value: Any) -> str:  # noqa: ANN401
    """Give the short name of a learner or a policy: ``mix(0.25)``."""
    words = "".join(
        f"_{letter.lower()}" if letter.isupper() else letter for letter in type(value).__name__
    )
    short = words.removeprefix("_").replace("_", " ")
    inner = getattr(value, "policy", None)
    if inner is not None:
        return f"{short} {name_of(inner)}"
    numbers = [
        f"{each:g}"
        for each in parameters_of(value).values()
        if isinstance(each, int | float) and not isinstance(each, bool)
    ]
    fresh = getattr(value, "fresh", False)
    return (f"{short}({', '.join(numbers)})" if numbers else short) + (
        " fresh" if fresh is True or callable(fresh) else ""
    )


def differences(there: Any, here: Any, where: str = "") -> list[str]:  # noqa: ANN401
    """Name what two documents differ in: ``policy.real_fraction: 0.25 there, 0.5 here``."""
    if isinstance(there, dict) and isinstance(here, dict):
        return [
            difference
            for key in [*there, *(key for key in here if key not in there)]
            for difference in differences(
                there.get(key, "nothing"), here.get(key, "nothing"), f"{where}.{key}".lstrip(".")
            )
        ]
    if there == here and type(there) is type(here):
        return []
    return [f"{where}: {there!r} there, {here!r} here"]

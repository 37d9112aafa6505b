"""Who took part in a run, as JSON: a directory is resumed only by those who made it."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from tailwatch.recursion import data as rows_of

__all__ = ["describe", "differences", "parameters_of", "text_of", "words_of"]


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


def text_of(policy: object) -> str:
    """Return the text of a policy, of a user's own too: its ``text``, or name and numbers.

    Examples
    --------
    >>> from tailwatch.recursion import Mix
    >>> from tailwatch.recursion.identity import text_of
    >>> text_of(Mix(0.25))
    'mix:0.25'
    """
    own = getattr(policy, "text", None)
    if isinstance(own, str) and own:
        return own
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z_]+", type(policy).__name__)
    name = "_".join(word.lower() for word in words)
    inner = getattr(policy, "policy", None)
    if callable(getattr(inner, "compose", None)):
        return f"{name}:{text_of(inner)}"
    fields = parameters_of(policy)
    parts = [
        field if value is True else str(value)
        for field, value in fields.items()
        if value is True or (isinstance(value, int | float) and not isinstance(value, bool))
    ]
    return f"{name}:{','.join(parts)}" if parts else name


def words_of(policy: object) -> str:
    """Return what a policy does, in words; nothing for one of a user's own that brings none."""
    own = getattr(policy, "words", None)
    return own if isinstance(own, str) else ""


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

"""What ``run.json`` has to say of a run, checked before a verdict, a plan or a page is made of it.

Learners and policies describe themselves with what they like; of the rest, each entry has a type
and a range.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tailwatch.arguments import LARGEST
from tailwatch.exceptions import SourceError
from tailwatch.recursion.bounds import MOST_GENERATIONS, MOST_ROWS
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["check_described"]

Check = tuple[str, "Callable[[Any], bool]"]


def check_described(document: Mapping[str, Any], where: str) -> None:
    """Refuse a description that is none of a run.

    Raises
    ------
    SourceError
        An entry is missing or of another type, by name.
    """
    for name, check in ENTRIES.items():
        _check(document, name, name, check, where)
    for entry, check in POLICY.items():
        _check(document["policy"], entry, f"policy.{entry}", check, where)
    numbers = document["policy"].get("closed_form")
    if numbers is not None:
        curve = _curve(document["generations"])
        _require(isinstance(numbers, dict), "policy.closed_form", "an object", numbers, where)
        _check(numbers, "variance_kept", "policy.closed_form.variance_kept", curve, where)
        _check(numbers, "variance_limit", "policy.closed_form.variance_limit", LIMIT, where)
    for name in ("data", "reference"):
        for entry, check in ROWS.items():
            _check(document[name], entry, f"{name}.{entry}", check, where)
    for task, rows in document["earlier"].items():
        _require(isinstance(rows, dict), f"earlier.{task}", "an object", rows, where)
        for entry, check in ROWS.items():
            _check(rows, entry, f"earlier.{task}.{entry}", check, where)
    for package, version in document["versions"].items():
        _require(isinstance(version, str), f"versions.{package}", "text", version, where)


def _check(document: Mapping[str, Any], name: str, path: str, check: Check, where: str) -> None:
    expected, holds = check
    if name not in document:
        raise SourceError(
            argument="directory", expected=f"{path}, {expected}", got="nothing", where=where
        )
    _require(holds(document[name]), path, expected, document[name], where)


def _require(right: bool, path: str, expected: str, got: object, where: str) -> None:  # noqa: FBT001
    if not right:
        raise SourceError(
            argument="directory", expected=f"{path}, {expected}", got=shown(got), where=where
        )


def _count(least: int, most: int) -> Check:
    return (
        f"an integer from {least} to {most:,}",
        lambda value: type(value) is int and least <= value <= most,
    )


def _object(*needed: str) -> Check:
    expected = f"an object with {', '.join(needed)}" if needed else "an object"
    return (
        expected,
        lambda value: (
            isinstance(value, dict) and all(isinstance(value.get(each), str) for each in needed)
        ),
    )


def _curve(generations: int) -> Check:
    return (
        f"{generations:,} numbers, one for each generation",
        lambda value: (
            isinstance(value, list) and len(value) == generations and all(map(_is_number, value))
        ),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and type(value) is not bool and math.isfinite(value)


def _is_share(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and 0 < value < 1


TEXT: Check = ("text", lambda value: isinstance(value, str))

LIMIT: Check = ("a number or null", lambda value: value is None or _is_number(value))
POLICY: dict[str, Check] = {"text": TEXT, "words": TEXT}

ENTRIES: dict[str, Check] = {
    "learner": _object("class"),
    "policy": _object("class"),
    "generations": _count(1, MOST_GENERATIONS),
    "size": _count(1, MOST_ROWS),
    "seed": _count(0, LARGEST),
    "label": TEXT,
    "metrics": ("an object or null", lambda value: value is None or isinstance(value, dict)),
    "confidence": ("a number between 0 and 1", _is_share),
    "data": _object("kind"),
    "reference": _object("kind"),
    "earlier": _object(),
    "versions": _object(),
}
ROWS: dict[str, Check] = {
    "kind": TEXT,
    "rows": _count(1, MOST_ROWS),
    "fingerprint": ("text or null", lambda value: value is None or isinstance(value, str)),
}

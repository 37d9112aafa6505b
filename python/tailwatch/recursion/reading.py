"""A run directory, read: what was asked, which generations are done, the frame they make.

The directory may be a stranger's. Links in it are not followed, its text is bounded and checked
before anything is made of it, and nothing in it is run: there is no code in what a run keeps.
Learners and policies describe themselves in ``run.json`` with what they like; of the rest, each
entry has a type and a range (:func:`check_described`).

The frame is put together from the generations that are done; ``frame.parquet`` is for others, and
is read only where there are no generations beside it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.arguments import LARGEST
from tailwatch.exceptions import SourceError, TailwatchError, TailwatchWarning
from tailwatch.recursion.data.kind import read_table
from tailwatch.recursion.frame import checked
from tailwatch.recursion.theory.fits import MOST_GENERATIONS, MOST_ROWS
from tailwatch.text_form import path_text, shown, visible
from tailwatch.writing import owned_directory, owned_file, read_owned

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

__all__ = [
    "DONE",
    "FRAME",
    "GENERATIONS",
    "METRICS",
    "RUN",
    "STOPPED",
    "STOPS",
    "check_described",
    "check_stopped",
    "folder_of",
    "generations_of",
    "is_file",
    "read_arguments",
    "read_done",
    "read_frame",
    "read_json",
    "read_metrics",
]

RUN, FRAME, GENERATIONS, DONE, METRICS = (
    "run.json",
    "frame.parquet",
    "generations",
    "done",
    "metrics.parquet",
)
STOPPED = "stopped"
"""Entry of ``run.json`` that says why a run has fewer generations than it was asked for."""

STOPS = ("alarm", "on_generation", "interrupted")
"""What ends a run before its last generation."""

NUMBER = re.compile(r"\d{4,9}")
LARGEST_JSON = 1 << 24
DEEPEST_JSON = 32


def read_arguments(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a run directory says of its run: its arguments, and why it was stopped if it was.

    Raises
    ------
    SourceError
        It is not there, or does not describe a run.
    """
    directory = Path(path)
    if not is_file(directory, RUN):
        raise SourceError(
            argument="directory",
            expected="the directory of a run",
            got=f"{path_text(directory)}, which holds no {RUN}",
        )
    found = read_json(directory, RUN)
    check_described(found, path_text(directory / RUN))
    check_stopped(found.get(STOPPED), path_text(directory / RUN))
    return found


def read_frame(path: str | os.PathLike[str]) -> pl.DataFrame:
    """Read the frame of a run directory, of a run that is not finished too.

    Raises
    ------
    SourceError
        No generation is done, one is missing or is not what its ``done`` says.
    """
    directory = Path(path)
    with_generations = owned_directory(directory, GENERATIONS).exists()
    if not with_generations and is_file(directory, FRAME):
        return checked(read_table(directory, FRAME), path_text(directory / FRAME))
    numbers = generations_of(directory) if with_generations else []
    done = [number for number in numbers if is_file(directory, f"{folder_of(number)}/{DONE}")]
    if not done:
        raise SourceError(
            argument="directory",
            expected="a run with at least one generation",
            got=path_text(directory),
        )
    missing = next((here for here, number in enumerate(done, 1) if here != number), None)
    if missing is not None:
        raise SourceError(
            argument="directory",
            expected="all generations up to the last one",
            got=f"{done[missing - 1]} without {missing}",
            where=path_text(directory / GENERATIONS),
            hint="the run, called again, computes what is missing",
        )
    frame = pl.concat([read_metrics(directory, number) for number in done])
    return checked(frame, path_text(directory))


def generations_of(directory: Path) -> list[int]:
    """List the numbers of the generations that have a folder, done or not.

    What else is there is left alone, and named in a warning.
    """
    place = owned_directory(directory, GENERATIONS)
    numbers, others = [], []
    for entry in sorted(place.iterdir()):
        if NUMBER.fullmatch(entry.name) and f"{int(entry.name):04d}" == entry.name != "0000":
            numbers.append(int(entry.name))
        elif not entry.name.startswith("."):
            others.append(entry.name)
    if others:
        warnings.warn(
            f"directory: {path_text(place)} holds what is no generation of this run, and is not "
            f"read: {', '.join(map(visible, others[:5]))}{', …' if len(others) > 5 else ''}",
            TailwatchWarning,
            stacklevel=2,
        )
    return sorted(numbers)


def folder_of(generation: int) -> str:
    """Name the folder of a generation, below the directory of its run."""
    return f"{GENERATIONS}/{generation:04d}"


def is_file(directory: Path, name: str) -> bool:
    """Return whether a file is there; what is no file in its place is refused."""
    try:
        return stat.S_ISREG(owned_file(directory, name).lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def read_done(directory: Path, generation: int) -> dict[str, str]:
    """Read the fingerprints of samples and metrics that a generation ended with."""
    name = f"{folder_of(generation)}/{DONE}"
    found = read_json(directory, name)
    if set(found) != {"samples", "metrics"} or not all(
        isinstance(each, str) for each in found.values()
    ):
        raise SourceError(
            argument="directory",
            expected="the fingerprints of samples and metrics",
            got=visible(", ".join(found))[:200] or "nothing",
            where=path_text(directory / name),
        )
    return found


def read_metrics(directory: Path, generation: int) -> pl.DataFrame:
    """Read the rows of the frame that a generation has, if they are those that it ended with."""
    name = f"{folder_of(generation)}/{METRICS}"
    expected = read_done(directory, generation)["metrics"]
    try:
        got = hashlib.sha256(read_owned(directory, name)).hexdigest()
    except OSError as error:
        raise _unreadable(directory / name, error.strerror or str(error)) from error
    if got != expected:
        raise SourceError(
            argument="directory",
            expected=f"metrics with the fingerprint {expected[:16]}… that {DONE} names",
            got=f"{got[:16]}…",
            where=path_text(directory / name),
            hint="the run, called again, computes that generation again",
        )
    frame = read_table(directory, name)
    frame = checked(frame, path_text(directory / name))
    if not (frame["generation"] == generation).all():
        raise SourceError(
            argument="directory",
            expected=f"rows of generation {generation}",
            got="rows of another",
            where=path_text(directory / name),
        )
    return frame


def read_json(directory: Path, name: str) -> dict[str, Any]:
    """Read a JSON object of bounded size and depth."""
    path = directory / name
    try:
        text = read_owned(directory, name, most=LARGEST_JSON).decode()
        document = json.loads(text, parse_constant=_refuse_constant)
        _check_depth(document, path)
    except TailwatchError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _unreadable(path, reason or type(error).__name__) from error
    if not isinstance(document, dict):
        raise SourceError(
            argument="directory",
            expected="a JSON object",
            got=type(document).__name__,
            where=path_text(path),
        )
    return document


def _refuse_constant(name: str) -> None:
    # Python reads and writes NaN and Infinity; JSON has no such numbers.
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _unreadable(path: Path, reason: str) -> SourceError:
    return SourceError(
        problem=f"cannot read {path_text(path)} ({visible(reason)[:200]})",
        argument="directory",
        expected="a file that can be read",
        got=visible(reason)[:200],
        where=path_text(path),
    )


def _check_depth(value: Any, path: Path, level: int = 0) -> None:  # noqa: ANN401
    if level > DEEPEST_JSON:
        raise SourceError(
            argument="directory",
            expected=f"JSON of at most {DEEPEST_JSON} levels",
            got="more",
            where=path_text(path),
        )
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            _check_depth(each, path, level + 1)


Check = tuple[str, "Callable[[Any], bool]"]


def check_stopped(given: object, where: str) -> None:
    """Refuse a reason to stop that no run has.

    Raises
    ------
    SourceError
        Something else than nothing, or one of :data:`STOPS`.
    """
    known = given is None or (isinstance(given, str) and given in STOPS)
    _require(known, "stopped", f"null, or one of {', '.join(STOPS)}", given, where)


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
    _require(
        document.get("stop_on") in (None, "alarm"),
        "stop_on",
        "null or alarm",
        document.get("stop_on"),
        where,
    )
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

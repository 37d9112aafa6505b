"""A run directory, read: what was asked, which generations are done, the frame they make.

The directory may be a stranger's. Links in it are not followed, its text is bounded and checked
before anything is made of it, and nothing in it is run: there is no code in what a run keeps.

The frame is put together from the generations that are done; ``frame.parquet`` is for others, and
is read only where there are no generations beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tailwatch.exceptions import SourceError, TailwatchError, TailwatchWarning
from tailwatch.recursion.data.stored import read_table
from tailwatch.recursion.described import check_described
from tailwatch.recursion.frame import checked
from tailwatch.text_form import path_text, visible
from tailwatch.writing import owned_directory, owned_file, read_owned

if TYPE_CHECKING:
    import os

__all__ = [
    "DONE",
    "FRAME",
    "GENERATIONS",
    "METRICS",
    "RUN",
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
NUMBER = re.compile(r"\d{4,9}")
LARGEST_JSON = 1 << 24
DEEPEST_JSON = 32


def read_arguments(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a run directory says of its run.

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
    """Say whether a file is there; what is no file in its place is refused."""
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

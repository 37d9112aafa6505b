"""A run directory of a stranger: whatever is in it, nothing outside of it changes and no code runs.

Each part of a run is replaced by something else: a link, a device, a pipe, a folder, other bytes.
Then it is read, and gone on with. ``python -m tests.contract.test_recursion_attacks 500`` draws so
many directories with several parts replaced.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, OutputError, TailwatchError, TailwatchWarning
from tailwatch.recursion import Replace
from tests.support.errors import refused
from tests.support.recursion_learners import Folder, Restless

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.recursion_learners import Opaque

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")

HUMAN = np.random.default_rng(1).normal(size=(60, 2))
GENERATIONS = 3
PARTS = (
    "run.json",
    "frame.parquet",
    "times.json",
    "report.html",
    ".lock",
    "generations",
    "generations/0002",
    "generations/0002/done",
    "generations/0002/samples.npy",
    "generations/0002/metrics.parquet",
    "generations/0002/model",
    "generations/0003/samples",
    "generations/0004",
)


class Kept(Restless):
    """A model that is kept."""

    def save(self, directory: Path) -> None:
        np.save(directory / "rows.npy", self._rows)


class Code:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self._path), "w")


def go_on(directory: Path, generations: int = GENERATIONS + 1) -> tw.recursion.Run:
    return tw.recursion.run(
        Kept(), HUMAN, policy=Replace(), generations=generations, metrics=(), directory=directory
    )


def link(part: Path, outside: Path) -> None:
    part.symlink_to(outside / "file")


def link_to_folder(part: Path, outside: Path) -> None:
    part.symlink_to(outside / "folder")


def link_to_nothing(part: Path, outside: Path) -> None:
    part.symlink_to(outside / "nothing")


def link_to_generation(part: Path, outside: Path) -> None:
    part.symlink_to(outside / "run" / "generations" / "0002")


def link_to_itself(part: Path, outside: Path) -> None:
    part.symlink_to(part.name)


def device(part: Path, outside: Path) -> None:
    part.symlink_to("/dev/zero")


def pipe(part: Path, outside: Path) -> None:
    os.mkfifo(part)


def folder(part: Path, outside: Path) -> None:
    part.mkdir()
    (part / "inner").symlink_to(outside / "folder")
    (part / "precious.txt").write_text("not of a run")


def empty(part: Path, outside: Path) -> None:
    part.write_bytes(b"")


def other(part: Path, outside: Path) -> None:
    part.write_bytes(os.urandom(300))


def code(part: Path, outside: Path) -> None:
    part.write_bytes(pickle.dumps(Code(outside.parent / "code ran")))


def objects(part: Path, outside: Path) -> None:
    with part.open("wb") as file:
        array = np.array([Code(outside.parent / "code ran")], dtype=object)
        np.lib.format.write_array(file, array, allow_pickle=True)


def lying(part: Path, outside: Path) -> None:
    with part.open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)}
        np.lib.format.write_array_header_1_0(file, header)


REPLACEMENTS = (
    link,
    link_to_folder,
    link_to_nothing,
    link_to_generation,
    link_to_itself,
    device,
    pipe,
    folder,
    empty,
    other,
    code,
    objects,
    lying,
)
LINKS = frozenset({link, link_to_folder, link_to_nothing, link_to_generation, link_to_itself})


def surroundings(root: Path) -> dict[str, object]:
    """Everything outside of the run: content, what links name, and modes."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(root.rglob("*"))
        if "stranger" not in path.relative_to(root).parts
    }


def remove(part: Path) -> None:
    if part.is_symlink() or part.is_file():
        part.unlink()
    elif part.exists():
        shutil.rmtree(part)


@pytest.fixture(name="finished", scope="module")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "run"
    go_on(path, GENERATIONS)
    return path


def staged(finished: Path, root: Path) -> tuple[Path, Path]:
    """Lay out a run of a stranger, and what lies beside it."""
    outside = root / "outside"
    (outside / "folder" / "deeper").mkdir(parents=True)
    (outside / "file").write_text("keep me")
    (outside / "folder" / "kept.npy").write_bytes(b"keep me too")
    (outside / "folder" / "deeper" / "kept").write_text("and me")
    shutil.copytree(finished, outside / "run")
    shutil.copytree(finished, root / "stranger")
    return root / "stranger", outside


def attempts(directory: Path) -> list[str]:
    """Read it and go on with it; all that may come of it is a result or an error of tailwatch.

    Returns
    -------
    list
        What each error says it is about and what came; empty for a result.
    """
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TailwatchWarning)
        for attempt in (tw.recursion.Run.load, go_on):
            try:
                attempt(directory)
            except TailwatchError as error:
                said.append(f"{error.argument}, {error.got}, {error.where}")
            except FileNotFoundError as error:
                said.append(f"{error.filename}")
            else:
                said.append("")
    return said


@pytest.mark.parametrize("replacement", REPLACEMENTS)
def test_nothing_outside_changes(
    finished: Path, tmp_path: Path, replacement: Callable[[Path, Path], None]
) -> None:
    for number, name in enumerate(PARTS):
        root = tmp_path / str(number)
        directory, outside = staged(finished, root)
        before = surroundings(root)
        remove(directory / name)
        replacement(directory / name, outside)
        precious = directory / name / "precious.txt"
        was_there = precious.exists()
        said = attempts(directory)
        assert surroundings(root) == before, name
        assert not (root / "code ran").exists(), name
        assert precious.exists() == was_there, name
        if replacement in LINKS:
            # Refused, by its name: a run is not gone on with through it.
            assert Path(name).name in said[1], (name, said)
            assert "a link" in said[1], (name, said)
            assert (directory / name).is_symlink()


def test_what_is_not_of_a_run_is_not_removed(finished: Path, tmp_path: Path) -> None:
    directory, _ = staged(finished, tmp_path)
    unfinished = directory / "generations" / "0003"
    (unfinished / "done").unlink()
    (unfinished / "notes.txt").write_text("mine")
    with refused(
        InputError,
        "directory",
        "nothing but what a run writes in a generation that is to be removed",
        "notes.txt",
        "…/stranger/generations/0003",
        "move it elsewhere",
    ):
        go_on(directory)
    assert (unfinished / "notes.txt").read_text() == "mine"
    assert (unfinished / "samples.npy").exists()


@pytest.mark.parametrize("name", [".0123456789abcdef.part", ".mine.part", "notes.txt"])
def test_a_directory_that_is_no_run_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    (tmp_path / "other").write_text("mine too")
    expected = "an empty directory or one of a run"
    with refused(InputError, "directory", expected, f"{tmp_path}, which holds …"):
        go_on(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "other"])


def test_the_directory_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    go_on(tmp_path / "link", 2)
    assert (tmp_path / "real" / "generations" / "0002" / "done").exists()
    assert tw.recursion.Run.load(tmp_path / "link").frame["generation"].max() == 2


class Greedy(Folder):
    """Rows whose loading would run what it finds."""

    @classmethod
    def load(cls, directory: Path) -> Greedy:
        names = (directory / "names.txt").read_text(encoding="utf-8").split("\n")
        return cls(names)


class Echo:
    """Gives back rows of what it was given."""

    def fit(self, data: Opaque, *, rng: np.random.Generator) -> Echo:
        self._data = data
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> Opaque:
        return self._data.take(np.arange(size))


def test_a_folder_of_samples_is_never_reached_by_a_link(tmp_path: Path) -> None:
    def go_on_with_folders() -> None:
        tw.recursion.run(
            Echo(),
            Greedy(["a", "b", "c"]),
            policy=Replace(),
            generations=2,
            metrics=(),
            directory=tmp_path / "run",
        )

    go_on_with_folders()
    samples = tmp_path / "run" / "generations" / "0002" / "samples"
    shutil.move(samples, tmp_path / "elsewhere")
    samples.symlink_to(tmp_path / "elsewhere")
    with refused(
        OutputError,
        "…/run/generations/0002/samples",
        "a directory of its own",
        "a link to …/elsewhere",
        "in …/run/generations/0002",
    ):
        go_on_with_folders()
    assert (tmp_path / "elsewhere" / "names.txt").read_text() == "a\nb\nc"


def soak(count: int, seed: int = 0) -> None:
    """Draw so many directories with one to four parts replaced."""
    rng = np.random.default_rng(seed)
    refused = 0
    with tempfile.TemporaryDirectory() as name:
        finished = Path(name) / "finished" / "run"
        go_on(finished, GENERATIONS)
        for number in range(count):
            root = Path(name) / str(number)
            directory, outside = staged(finished, root)
            before = surroundings(root)
            for part in rng.choice(PARTS, rng.integers(1, 5), replace=False):
                path = directory / str(part)
                if path.parent.is_dir() and not any(
                    each.is_symlink() for each in path.parents if root in each.parents
                ):
                    remove(path)
                    REPLACEMENTS[rng.integers(len(REPLACEMENTS))](path, outside)
            refused += bool(attempts(directory)[1])
            assert surroundings(root) == before, number
            assert not (root / "code ran").exists(), number
            shutil.rmtree(root)
    sys.stdout.write(f"{count} directories, {refused} refused, nothing outside changed\n")


if __name__ == "__main__":
    soak(int(sys.argv[1]))

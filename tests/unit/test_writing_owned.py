"""Files of a directory that may come from a stranger: no link is followed out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailwatch.exceptions import InputError, OutputError, SourceError, TailwatchError
from tailwatch.writing import (
    make_owned,
    open_owned,
    owned_directory,
    owned_file,
    read_owned,
    remove_owned,
    write_owned,
)
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and FIFOs of POSIX")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """What must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("theirs")
    return tmp_path / "outside"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A directory of our own."""
    (tmp_path / "run" / "generations").mkdir(parents=True)
    return tmp_path / "run"


def put_new(file: Path) -> None:
    file.write_text("new")


def snapshot(folder: Path) -> dict[str, tuple[int, str | None]]:
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_text() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


def test_files_are_written_read_and_removed(run: Path) -> None:
    assert write_owned(run, "page.html", put_new) == run / "page.html"
    assert read_owned(run, "page.html") == b"new"
    make_owned(run, "generations/1/samples")
    write_owned(run, Path("generations/1/samples/rows"), put_new)
    make_owned(run, "generations/1/samples")
    remove_owned(run, "generations/1")
    remove_owned(run, "generations/1")
    remove_owned(run, "page.html")
    assert list(run.rglob("*")) == [run / "generations"]


def test_the_directory_itself_may_be_a_link(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run)
    write_owned(tmp_path / "link", "generations/file", put_new)
    assert (run / "generations" / "file").read_text() == "new"


USES: list[Callable[[Path, str], object]] = [
    lambda run, name: write_owned(run, name, put_new),
    read_owned,
    open_owned,
    owned_file,
]
WAYS: list[Callable[[Path, str], object]] = [*USES, make_owned, owned_directory, remove_owned]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("to", ["outside/file", "outside/none", "outside", "run/here", "run/part"])
def test_a_link_in_place_of_a_file_is_refused_by_name(
    use: Callable[[Path, str], object], to: str, run: Path, outside: Path
) -> None:
    (run / "here").write_text("ours")
    (run / "part").symlink_to(run.parent / to)
    before = snapshot(run.parent)
    got = f"a link to {run.parent / to}"
    with refused(TailwatchError, f"{run}/part", "a regular file", got, f"in {run}"):
        use(run, "part")
    assert snapshot(run.parent) == before


@pytest.mark.parametrize("use", WAYS)
@pytest.mark.parametrize("name", ["steps/file", "steps/deeper/file", "steps/.part"])
def test_a_link_on_the_way_is_refused_by_name(
    use: Callable[[Path, str], object], name: str, run: Path, outside: Path
) -> None:
    (run / "steps").symlink_to(outside)
    before = snapshot(run.parent)
    with refused(
        TailwatchError, "…/run/steps", "a directory of its own", "a link to …/outside", "in …/run"
    ):
        use(run, name)
    assert snapshot(run.parent) == before


@pytest.mark.parametrize("use", WAYS)
@pytest.mark.parametrize("name", ["../outside/file", "/etc/hosts", "a/../../outside/file", "", "."])
def test_a_name_that_leads_out_is_refused(
    use: Callable[[Path, str], object], name: str, run: Path, outside: Path
) -> None:
    before = snapshot(run.parent)
    with refused(TailwatchError, str(run), "the name of a part of it", name or "…"):
        use(run, name)
    assert snapshot(run.parent) == before


def special(path: Path, kind: str) -> None:
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as end:
            here = Path.cwd()
            os.chdir(path.parent)
            try:
                end.bind(path.name)
            finally:
                os.chdir(here)
    else:
        try:
            os.mknod(path, 0o020666, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("only root makes devices")


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a directory", "a character device"])
def test_what_is_no_file_is_refused_at_once(
    use: Callable[[Path, str], object], kind: str, run: Path
) -> None:
    special(run / "part", kind)
    with refused(TailwatchError, f"{run}/part", "a regular file", kind, f"in {run}"):
        use(run, "part")
    assert snapshot(run)["part"][0] == (run / "part").lstat().st_mode


def test_a_file_is_no_directory(run: Path) -> None:
    (run / "part").write_text("ours")
    for name in ("part", "part/more"):
        with refused(OutputError, "…/run/part", "a directory of its own", "a file", "in …/run"):
            make_owned(run, name)


def test_the_class_of_an_error_says_what_was_tried(run: Path, outside: Path) -> None:
    (run / "part").symlink_to(outside / "file")
    with pytest.raises(OutputError):
        write_owned(run, "part", put_new)
    with pytest.raises(SourceError):
        read_owned(run, "part")
    with pytest.raises(InputError):
        owned_file(run, "part", error=InputError)


def test_links_are_removed_and_what_they_lead_to_stays(run: Path, outside: Path) -> None:
    (run / "part").symlink_to(outside)
    make_owned(run, "tree")
    (run / "tree" / "inner").symlink_to(outside)
    remove_owned(run, "part")
    remove_owned(run, "tree")
    assert list(run.iterdir()) == [run / "generations"]
    assert (outside / "file").read_text() == "theirs"


def test_a_file_larger_than_allowed_is_not_read(run: Path) -> None:
    write_owned(run, "text", lambda file: file.write_bytes(b"x" * 11))
    assert len(read_owned(run, "text", most=11)) == 11
    with refused(SourceError, "…/run/text", "a file of at most 10 bytes", "11"):
        read_owned(run, "text", most=10)


def test_a_missing_file_is_said_to_be_missing(run: Path) -> None:
    for name in ("none", "none/none"):
        with pytest.raises(FileNotFoundError):
            read_owned(run, name)


def test_a_failed_write_leaves_what_was_there(run: Path) -> None:
    write_owned(run, "page", lambda file: file.write_text("old"))

    def fail(file: Path) -> None:
        file.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_owned(run, "page", fail)
    assert read_owned(run, "page") == b"old"
    assert sorted(path.name for path in run.iterdir()) == ["generations", "page"]


def test_a_name_that_is_no_text(run: Path) -> None:
    (run / os.fsdecode(b"\xff\x1b")).symlink_to("/etc")
    with refused(SourceError, "…/run/\\xff\\x1b", "a regular file", "a link to /etc", "in …/run"):
        read_owned(run, os.fsdecode(b"\xff\x1b"))

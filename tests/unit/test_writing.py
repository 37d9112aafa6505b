"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from tailwatch.exceptions import OutputError
from tailwatch.writing import write_atomically
from tests.support.errors import refused

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert write_atomically(path, lambda file: file.write_text("new")) == path
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write(file: Path) -> None:
        assert file.parent == path.parent, "a rename is atomic within one file system"
        assert file != path
        file.write_text("new")
        assert path.read_text() == "old"

    write_atomically(path, write)
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("old", ["old", None])
def test_a_failure_leaves_what_was_there(
    error: type[BaseException], old: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)

    def write(file: Path) -> None:
        file.write_text("half of")
        raise error

    with pytest.raises(error):
        write_atomically(path, write)
    assert [file.read_text() for file in tmp_path.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("named", [False, True])
def test_a_full_disk_names_the_file_that_was_to_be_written(named: bool, tmp_path: Path) -> None:
    def write(file: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", *([str(file)] if named else []))

    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(tmp_path / "a.txt", write)
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_a_writer_that_removes_its_file_gets_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(FileNotFoundError):
        write_atomically(path, lambda file: file.unlink())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.mkdir()
    with refused(OutputError, str(path), got="a directory"):
        write_atomically(path, lambda file: file.write_text("new"))
    assert list(tmp_path.iterdir()) == [path]
    assert path.is_dir()


def test_a_missing_folder(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(path, lambda file: file.write_text("new"))
    assert caught.value.filename in {str(path), str(path.parent)}


def test_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / f"{'a' * 251}.txt"
    path.write_text("this system takes such a name")
    write_atomically(path, lambda file: file.write_text("new"))
    assert path.read_text() == "new"


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically(type(tmp_path)("a.txt"), lambda file: file.write_text("new"))
    assert (tmp_path / "a.txt").read_text() == "new"


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o755, 0o200])
def test_a_file_that_is_replaced_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)

    def write(file: Path) -> None:
        file.write_text("new")
        # What few may read is read by no more while it is written.
        assert stat.S_IMODE(file.stat().st_mode) & 0o044 & ~mode == 0

    write_atomically(path, write)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_text() == "new"


@POSIX
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    os.chown(path, 12345, 54321)
    write_atomically(path, lambda file: file.write_text("new"))
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


@POSIX
def test_a_file_that_is_read_only_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o444)
    with refused(
        OutputError, "…/a.txt", "a regular file, or a name for one", "a file that is read-only"
    ):
        write_atomically(path, lambda file: file.write_text("new"))
    assert path.read_text() == "old"


@POSIX
def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there/old.txt", "there/new.txt"):
        link = tmp_path / "link.txt"
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        write_atomically(link, lambda file: file.write_text("new"))
        assert link.is_symlink()
        assert (tmp_path / name).read_text() == "new"
        assert len(list((tmp_path / "there").iterdir())) == 1 + (name == "there/new.txt")


@POSIX
def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.symlink_to(second)
    second.symlink_to(first)
    with refused(
        OutputError, "…/a.txt", "a regular file, or a name for one", "links that lead in a circle"
    ):
        write_atomically(first, lambda file: file.write_text("new"))
    assert first.is_symlink()
    assert sorted(tmp_path.iterdir()) == [first, second]


@POSIX
@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a character device"])
@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_file_is_refused_and_stays(kind: str, linked: bool, tmp_path: Path) -> None:
    path = tmp_path / "end"
    if kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(os.path.relpath(path))
    elif linked:
        path = type(path)("/dev/full")
    else:
        pytest.skip("a device of the system is reached by a link alone")
    before = path.lstat()
    name = path
    if linked:
        name = tmp_path / "link.parquet"
        name.symlink_to(path)
    with refused(OutputError, str(name), "a regular file, or a name for one", kind):
        write_atomically(name, lambda file: file.write_text("new"))
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
    assert not list(tmp_path.glob(".*"))


@POSIX
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_is_as_readable_as_others(mask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        path = write_atomically(tmp_path / "a.txt", lambda file: file.write_text("new"))
        assert os.umask(mask) == mask, "the mask is as it was"
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode

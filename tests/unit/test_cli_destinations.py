"""Output files are checked before the work begins, and the message names the option."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tailwatch.cli.outputs import check_directory, check_file
from tailwatch.exceptions import InputError
from tests.support.errors import fields, refused

REGULAR = "a regular file, or a name for one"
INPUT = fields(expected="a file that is no input", got="one of the inputs")


def check(path: Path, *sources: Path) -> None:
    check_file("--html", path, suffix=".html", sources=[str(source) for source in sources])


def test_a_good_destination_is_left_untouched(tmp_path: Path) -> None:
    old = tmp_path / "old.html"
    old.write_text("yesterday's report")
    check_file("--html", old, suffix=".html")
    check_file("--html", tmp_path / "new.HTML", suffix=".html")
    assert old.read_text() == "yesterday's report"
    assert list(tmp_path.iterdir()) == [old]


def test_a_bare_name_means_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_file("--html", Path("report.html"), suffix=".html")
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    with refused(InputError, "--html", "a file name that ends in .html", str(path)):
        check(path)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    where, hint = str(tmp_path / "none"), "make it first"
    with refused(InputError, "--html", "a directory that exists", "nothing", where, hint):
        check(tmp_path / "none" / "report.html")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.mkdir()
    with refused(InputError, "--html", "a file name", "a directory", str(path)):
        check(path)


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.touch()
    path.chmod(0o444)
    got, hint = "a file that is read-only", "name another file"
    with refused(InputError, "--html", REGULAR, got, str(path), hint):
        check(path)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, from root either")
def test_a_read_only_directory_is_refused() -> None:
    expected = "a directory that can be written to"
    with refused(InputError, "--html", expected, "No such file or directory", "/proc"):
        check(Path("/proc/report.html"))


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "data.html"
    path.touch()
    link = tmp_path / "link.html"
    link.symlink_to(path)
    for sources in ([tmp_path / "other.npy", path], [link], [tmp_path / "d*.html"]):
        with refused(InputError, "--html", **INPUT, where=str(path)):
            check(path, *sources)


def test_a_name_with_brackets_is_itself_not_a_pattern_only(tmp_path: Path) -> None:
    path = tmp_path / "run[1].html"
    path.touch()
    with refused(InputError, "--html", **INPUT, where=str(path)):
        check(path, path)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_device_a_fifo_and_a_circle_of_links_are_refused(tmp_path: Path) -> None:
    device, fifo, circle = (tmp_path / f"{name}.html" for name in ("device", "fifo", "circle"))
    device.symlink_to("/dev/full")
    os.mkfifo(fifo)
    circle.symlink_to(circle)
    for path, got in (
        (device, "a character device"),
        (fifo, "a FIFO"),
        (circle, "links that lead in a circle"),
    ):
        with refused(InputError, "--html", REGULAR, got, str(path)):
            check(path)


def test_a_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    check_directory("--out", path)
    assert path.is_dir()
    assert list(path.iterdir()) == []


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    with refused(InputError, "--out", "a directory that can be created", "File exists", str(path)):
        check_directory("--out", path)

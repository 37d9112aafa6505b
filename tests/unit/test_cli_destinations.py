"""Output files are checked before the work begins, and the message names the option."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tailwatch.cli.outputs import check_directory, check_file
from tailwatch.exceptions import InputError


def refusal(path: Path, *sources: Path) -> str:
    with pytest.raises(InputError) as refused:
        check_file("--html", path, suffix=".html", sources=[str(source) for source in sources])
    return str(refused.value)


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
    assert refusal(path) == f"--html: expected a file name that ends in .html, got {path}"


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    expected = f"--html: the directory {tmp_path / 'none'} does not exist; make it first"
    assert refusal(tmp_path / "none" / "report.html") == expected


def test_a_directory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.mkdir()
    assert refusal(path) == f"--html: expected a file name, but {path} is a directory"


def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.touch()
    path.chmod(0o444)
    assert refusal(path) == (
        "--html: expected a regular file, or a name for one, got a file that is read-only "
        f"({path}); name another file"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="/proc takes no files, from root either")
def test_a_read_only_directory_is_refused() -> None:
    assert refusal(Path("/proc/report.html")).startswith(
        "--html: cannot write to the directory /proc ("
    )


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "data.html"
    path.touch()
    link = tmp_path / "link.html"
    link.symlink_to(path)
    expected = f"--html: {path} is one of the inputs and would be overwritten; name another file"
    assert refusal(path, tmp_path / "other.npy", path) == expected
    assert refusal(path, link) == expected
    assert refusal(path, tmp_path / "d*.html") == expected


def test_a_name_with_brackets_is_itself_not_a_pattern_only(tmp_path: Path) -> None:
    path = tmp_path / "run[1].html"
    path.touch()
    assert "would be overwritten" in refusal(path, path)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_device_a_fifo_and_a_circle_of_links_are_refused(tmp_path: Path) -> None:
    device, fifo, circle = (tmp_path / f"{name}.html" for name in ("device", "fifo", "circle"))
    device.symlink_to("/dev/full")
    os.mkfifo(fifo)
    circle.symlink_to(circle)
    assert "got a character device" in refusal(device)
    assert "got a FIFO" in refusal(fifo)
    assert "got links that lead in a circle" in refusal(circle)


def test_a_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    check_directory("--out", path)
    assert path.is_dir()
    assert list(path.iterdir()) == []


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    with pytest.raises(InputError, match=f"^--out: cannot create the directory {path} "):
        check_directory("--out", path)

"""Output folders that cannot be written, or are of something else: one clear message each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailwatch.exceptions import InputError, OutputError
from tests.support.datasets import contents, model, write_shards
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux mounts and limits")
KEPT = "the shards that are done are kept, and the same call goes on from there"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shards(tmp_path_factory.mktemp("data") / "source", 6, 3000)


def mounted(folder: Path, size: str) -> bool:
    """Mount a small disk in memory, where this process may."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    if not mounted(folder, "100k"):
        pytest.skip("this user may not mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@linux
def test_a_full_disk_loses_nothing_of_what_is_done(
    source: Path, small_disk: Path, tmp_path: Path
) -> None:
    out = small_disk / "out"
    with refused(
        OutputError,
        "out_dir",
        "files that can be written",
        "No space left on device",
        f"{out}/…",
        KEPT,
    ):
        model().score_dataset(source, out, id_column="url")
    scored = sorted(file.name for file in (out / "work").rglob("*.parquet"))
    assert 0 < len(scored) < 6
    assert not list(out.rglob("*.part"))
    # The disk is made larger: what was scored is not scored again, and the result is the same.
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    before = {name: (out / "work" / name).stat().st_mtime_ns for name in scored}
    seen = []
    model().score_dataset(
        source,
        out,
        id_column="url",
        progress=lambda *report: seen.append(
            {name: (out / "work" / name).stat().st_mtime_ns for name in scored}
            if report[0] == "scoring rows"
            else before
        ),
    )
    assert all(found == before for found in seen)
    model().score_dataset(source, tmp_path / "expected", id_column="url")
    assert contents(out) == contents(tmp_path / "expected")


LIMITED = """
import resource, signal, sys
from tests.support.datasets import model
from tailwatch.exceptions import OutputError
scorer = model()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    scorer.score_dataset(sys.argv[1], sys.argv[2], id_column="url")
except OutputError as error:
    print(error)
"""


@linux
def test_a_limit_on_the_size_of_files_is_told_as_such(source: Path, tmp_path: Path) -> None:
    """Where nothing can be mounted, this stands in for the full disk."""
    root = Path(__file__).parents[2]
    out = tmp_path / "out"
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), str(out)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.startswith(f"out_dir: cannot write {out}"), child.stderr
    assert child.stdout.endswith(f": File too large; {KEPT}\n")
    assert not list(out.rglob("*.part"))


@linux
def test_a_read_only_disk_is_refused(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    if not mounted(folder, "1m"):
        pytest.skip("this user may not mount")
    try:
        (folder / "out").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        with refused(
            OutputError,
            "out_dir",
            "a folder that can be written to",
            "Read-only file system",
            "…/disk/out",
        ):
            model().score_dataset(source, folder / "out")
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@linux
def test_a_folder_that_takes_no_files_is_refused(source: Path) -> None:
    # /proc takes no files, from root either.
    with refused(
        OutputError,
        "out_dir",
        "a folder that can be written to",
        "No such file or directory",
        "/proc/out",
    ):
        model().score_dataset(source, "/proc/out")


def test_a_file_in_place_of_the_folder_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with refused(OutputError, "out_dir", "a folder that can be written to", "File exists", "…/out"):
        model().score_dataset(source, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("name", ["shards", "work", "summary.json", "report.html"])
def test_a_folder_of_something_else_is_left_alone(
    name: str, resume: bool, source: Path, tmp_path: Path
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine").write_text("mine")
    expected = "a folder that is new, or of a run of score_dataset"
    with refused(OutputError, "out_dir", expected, f"one with …{name}…"):
        model().score_dataset(source, tmp_path, resume=resume)
    assert (tmp_path / name / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"id_column": "url"},
            fields("out_dir", "id_columns ['url']", "[]", "…/out/manifest.jsonl"),
        ),
        (
            {"column": "vector"},
            fields("out_dir", "column 'vector'", "'embedding'", "…/out/manifest.jsonl"),
        ),
    ],
)
def test_a_run_of_other_arguments_is_not_mixed_in(
    arguments: dict[str, str], said: dict[str, str], source: Path, tmp_path: Path
) -> None:
    model().score_dataset(source, tmp_path / "out")
    before = contents(tmp_path / "out")
    with refused(InputError, **said):
        model().score_dataset(source, tmp_path / "out", **arguments)
    assert contents(tmp_path / "out") == before


def test_a_line_that_was_being_written_is_written_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model().score_dataset(source, out)
    before = contents(out)
    with (out / "manifest.jsonl").open("a") as file:
        file.write('{"shard":"part-0')
    model().score_dataset(source, out)
    assert contents(out) == before


def test_a_damaged_manifest_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model().score_dataset(source, out)
    first, *others = (out / "manifest.jsonl").read_text().splitlines(keepends=True)
    (out / "manifest.jsonl").write_text(first + "no JSON\n" + "".join(others))
    with refused(
        InputError,
        "out_dir",
        "the lines that a run wrote",
        "JSONDecodeError",
        "…/out/manifest.jsonl",
        "resume=False starts anew",
    ):
        model().score_dataset(source, out)
    model().score_dataset(source, out, resume=False)
    model().score_dataset(source, tmp_path / "expected")
    assert contents(out) == contents(tmp_path / "expected")


@pytest.mark.parametrize("resume", [True, False])
def test_a_manifest_of_something_else_is_left_alone(
    resume: bool, source: Path, tmp_path: Path
) -> None:
    for name in ("manifest.jsonl", "shards/mine", "work/mine", "summary.json", ".x.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    with refused(OutputError, "out_dir", got="one with another manifest.jsonl, or a damaged one"):
        model().score_dataset(source, tmp_path, resume=resume)
    assert contents(tmp_path) == before


def test_a_table_that_was_damaged_is_told(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    model().score_dataset(source, out)
    (out / "shards" / "part-002.parquet").write_bytes(b"no Parquet")
    with refused(
        OutputError,
        "out_dir",
        "a table as it was written",
        "other bytes",
        "…/out/shards/part-002.parquet",
    ):
        model().score_dataset(source, out)
    (out / "shards" / "part-002.parquet").unlink()
    model().score_dataset(source, out)
    model().score_dataset(source, tmp_path / "expected")
    assert contents(out) == contents(tmp_path / "expected")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_two_jobs_do_not_share_a_folder(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    refusals = []

    def second(stage: str, done: int, total: int) -> None:
        if not refusals:
            expected = "a folder that no other job writes to"
            with refused(OutputError, "out_dir", expected, str(out)) as caught:
                model().score_dataset(source, out)
            refusals.append(caught.value)

    model().score_dataset(source, out, progress=second)
    assert len(refusals) == 1


def test_an_output_folder_inside_the_source_is_no_source(tmp_path: Path) -> None:
    folder = write_shards(tmp_path / "source", 2)
    model().score_dataset(folder, folder / "out")
    before = contents(folder / "out")
    model().score_dataset(folder, folder / "out")
    assert contents(folder / "out") == before
    assert [name for name in before if name.startswith("shards/")] == [
        "shards/part-000.parquet",
        "shards/part-001.parquet",
    ]

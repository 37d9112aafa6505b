"""What is not of a job stays as it is: foreign files, links, devices, edited files."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tailwatch.contamination import ContaminationModel
from tailwatch.exceptions import InputError, OutputError, TailwatchError
from tailwatch.io.pack import pack
from tests.support.datasets import contents, model, rows, write_shards
from tests.support.errors import refused
from tests.support.surroundings import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# More in a long run: TAILWATCH_DRAWN=500 pytest tests/contract/test_dataset_foreign.py
DRAWN = int(os.environ.get("TAILWATCH_DRAWN", "20"))

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="links and devices of POSIX"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source and a run of it."""
    at = tmp_path_factory.mktemp("finished")
    write_shards(at / "source", 3, 120)
    (at / "source" / "part-002.parquet").rename(at / "source" / "deep.parquet")
    (at / "source" / "d").mkdir()
    (at / "source" / "deep.parquet").rename(at / "source" / "d" / "part-002.parquet")
    model().score_dataset(at / "source", at / "out", id_column="url")
    return at


FOREIGN = {
    "a stranger's manifest": ("manifest.jsonl", True),
    "a stranger's tables": ("shards/mine.parquet", True),
    "a stranger's work": ("work/attempts/mine.part", True),
    "a stranger's summary": ("summary.json", True),
    "a stranger's times": ("times.json", True),
    "another file": ("notes.txt", False),
    "what looks like an attempt": (".0123456789abcdef.part", False),
    "another folder": ("sub/notes.txt", False),
}


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_first_run_leaves_what_is_there(
    kind: str, resume: bool, finished: Path, tmp_path: Path
) -> None:
    name, is_refused = FOREIGN[kind]
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text('{"format":"another"}\n')
    before = snapshot(tmp_path)
    if is_refused:
        expected = "a folder that is new, or of a run of score_dataset"
        got = f"one with …{name.partition('/')[0]}…"
        with refused(OutputError, "out_dir", expected, got):
            model().score_dataset(finished / "source", out, resume=resume)
        assert snapshot(tmp_path) == before
    else:
        model().score_dataset(finished / "source", out, resume=resume)
        assert before.items() <= snapshot(tmp_path).items()


@pytest.mark.parametrize("name", ["shards/mine.parquet", "shards/d/notes", "work/mine", "work/a/b"])
def test_restart_refuses_where_anything_else_is_among_its_files(
    name: str, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("mine")
    before = snapshot(tmp_path)
    expected = "a folder of a run of score_dataset and nothing else in its shards/"
    with refused(OutputError, "out_dir", expected, f"…{out / name}…"):
        model().score_dataset(finished / "source", out, resume=False)
    assert snapshot(tmp_path) == before
    # To go on touches it as little.
    model().score_dataset(finished / "source", out, id_column="url")
    assert (out / name).read_text() == "mine"
    assert contents(finished / "out").items() <= contents(out).items()


def test_restart_beside_other_files_leaves_them(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    for name in ("notes.txt", ".0123456789abcdef.part", "more/a.parquet"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine")
    before = snapshot(out)
    model().score_dataset(finished / "source", out, resume=False, id_column="url")
    found = snapshot(out)
    assert {name: found[name] for name in before if name != "times.json"} == {
        name: content for name, content in before.items() if name != "times.json"
    }


def a_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere)


def a_broken_link(path: Path, elsewhere: Path) -> None:
    path.symlink_to(elsewhere / "nowhere" / "at" / "all")


def a_circle(path: Path, elsewhere: Path) -> None:
    del elsewhere
    path.symlink_to(path.name)


def a_fifo(path: Path, elsewhere: Path) -> None:
    del elsewhere
    os.mkfifo(path)


def a_folder(path: Path, elsewhere: Path) -> None:
    del elsewhere
    path.mkdir()
    (path / "mine").write_text("mine")


def other_bytes(path: Path, elsewhere: Path) -> None:
    path.write_bytes((elsewhere / "mine").read_bytes())


def another_name(path: Path, elsewhere: Path) -> None:
    os.link(elsewhere / "mine", path)


PUT: list[Callable[[Path, Path], None]] = [
    a_link,
    a_broken_link,
    a_circle,
    a_fifo,
    a_folder,
    other_bytes,
    another_name,
]


def replaced(folder: Path, elsewhere: Path, rng: np.random.Generator) -> str:
    """Put something else in the place of a part of a folder."""
    parts = sorted(path for path in folder.rglob("*"))
    part = parts[rng.integers(len(parts))]
    put = PUT[rng.integers(len(PUT))]
    if part.is_dir():
        # What a link in its place leads to looks as it did.
        shutil.copytree(part, elsewhere / "copy", dirs_exist_ok=True)
        shutil.rmtree(part)
        if put is a_link:
            part.symlink_to(elsewhere / "copy")
            return f"{put.__name__} for {part}"
    else:
        shutil.copy(part, elsewhere / "copy-of-file")
        part.unlink()
        if put is a_link:
            part.symlink_to(elsewhere / "copy-of-file")
            return f"{put.__name__} for {part}"
    put(part, elsewhere)
    return f"{put.__name__} for {part}"


def test_a_job_with_any_part_replaced_changes_nothing_outside(
    finished: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(DRAWN):
        case = tmp_path / str(number)
        elsewhere = case / "elsewhere"
        elsewhere.mkdir(parents=True)
        (elsewhere / "mine").write_bytes(rng.bytes(200))
        out = case / "out"
        shutil.copytree(finished / "out", out)
        said = replaced(out, elsewhere, rng)
        if rng.integers(2) and not (out / "summary.json").is_dir():
            (out / "summary.json").unlink(missing_ok=True)
        before = snapshot(elsewhere)
        try:
            model().score_dataset(
                finished / "source", out, id_column="url", resume=bool(rng.integers(2))
            )
        except TailwatchError:
            refused += 1
        else:
            # Whatever was replaced was made anew, and is what it was.
            assert contents(finished / "out").items() <= contents(out).items(), said
        assert snapshot(elsewhere) == before, said
        shutil.rmtree(case)
    assert refused > DRAWN // 4


@pytest.mark.filterwarnings("ignore::tailwatch.exceptions.TailwatchWarning")
def test_a_pack_and_a_model_with_any_part_replaced_change_nothing_outside(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    first = pack(rows(60, 1), tmp_path / "first", rows_per_shard=20)
    saved = model().save(tmp_path / "first" / "m.tailwatch")
    expected = ContaminationModel.load(saved).fingerprint
    for number in range(DRAWN):
        case = tmp_path / str(number)
        (case / "elsewhere").mkdir(parents=True)
        (case / "elsewhere" / "mine").write_bytes(rng.bytes(200))
        shutil.copytree(first, case / "packed")
        said = replaced(case / "packed", case / "elsewhere", rng)
        before = snapshot(case)
        packed = case / "packed"
        for call in (
            partial(model().score_dataset, packed, tmp_path / "scores", resume=False),
            partial(pack, rows(3, 1), packed),
            partial(pack, packed, tmp_path / "again"),
        ):
            with suppress(TailwatchError):
                call()
        with suppress(TailwatchError):
            found = ContaminationModel.load(case / "packed" / "m.tailwatch")
            assert found.fingerprint == expected, said
        assert snapshot(case) == before, said
        shutil.rmtree(case)
        shutil.rmtree(tmp_path / "again", ignore_errors=True)


def error_of(call: Callable[[], object]) -> InputError | OutputError | None:
    """The error of a call, if it has one."""
    try:
        call()
    except (InputError, OutputError) as error:
        return error
    return None


def edited(text: bytes, rng: np.random.Generator) -> bytes:
    """Change some bytes, drop some, or put some twice."""
    data = bytearray(text)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(data)))
        kind = rng.integers(4)
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 2:
            data[at:at] = data[at : at + int(rng.integers(1, 40))]
        else:
            data[at] = int(rng.choice(list(b'0123456789{}[],":-e')))
    return bytes(data)


def test_an_edited_job_is_one_clear_error_or_the_same_result(
    finished: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    expected = contents(finished / "out")
    names = ["manifest.jsonl"] * 3 + [name for name in expected if name.endswith(".parquet")]
    errors = 0
    for number in range(2 * DRAWN):
        out = tmp_path / str(number)
        shutil.copytree(finished / "out", out)
        name = names[rng.integers(len(names))]
        (out / name).write_bytes(edited((out / name).read_bytes(), rng))
        error = error_of(partial(model().score_dataset, finished / "source", out, id_column="url"))
        if error is None:
            assert contents(out) == expected
        else:
            errors += 1
            assert error.argument is not None
            assert "\n" not in str(error)
        shutil.rmtree(out)
    assert errors > DRAWN // 2


def test_an_edited_table_is_told_though_it_can_be_read(finished: Path, tmp_path: Path) -> None:
    import polars as pl

    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    file = out / "shards" / "part-000.parquet"
    pl.read_parquet(file).with_columns(-pl.col("score")).write_parquet(file)
    with refused(
        OutputError,
        "out_dir",
        "a table as it was written",
        "other bytes",
        "…/out/shards/part-000.parquet",
        "without it, its shard is scored anew",
    ):
        model().score_dataset(finished / "source", out, id_column="url")
    file.unlink()
    model().score_dataset(finished / "source", out, id_column="url")
    assert contents(out) == contents(finished / "out")


def test_permissions_of_a_result_stay(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    (out / "summary.json").chmod(0o600)
    model().score_dataset(finished / "source", out, id_column="url", confidence=0.9)
    assert (out / "summary.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((out / "summary.json").read_text())["prevalence"]["confidence"] == 0.9

"""A code of 0 or 1 means: the verdict was reached, and every file that was asked for is there.

Whatever becomes of the standard streams. Ten moments of every command are in benches/exit_codes.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tests.support.datasets import model, write_shards

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full and shell redirections")

COMPARE = ["compare", "human.npy", "other.npy", "--metrics", "total_variance"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    output: str
    errors: str


def command(folder: Path, arguments: list[str], streams: str = "", *, limit: str = "true") -> Done:
    """Run a command in `folder`, its streams redirected as a shell does."""
    words = " ".join([sys.executable, "-m", "tailwatch", *arguments])
    done = subprocess.run(
        ["bash", "-c", f"{limit}\n{words} {streams}\nexit $?"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "TAILWATCH_NUM_THREADS": "1"},
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets, a model, and shards of which a tenth is synthetic, scored once."""
    at = tmp_path_factory.mktemp("streams")
    random = np.random.default_rng(0)
    np.save(at / "human.npy", random.standard_normal((200, 3)))
    np.save(at / "other.npy", random.standard_normal((200, 3)))
    model().save(at / "web.tailwatch")
    write_shards(at / "shards", 2, 2000)
    assert command(at, [*SCORE, "--fail-above", "0.01"]).code == 1
    return at


SCORE = ["score", "shards", "--model", "web.tailwatch", "--out", "scores"]


@pytest.mark.parametrize(
    ("limit", "code", "streams"),
    [
        ("0.01", 1, "2>&-"),
        ("0.5", 0, "2>/dev/full"),
        pytest.param("0.01", 1, "2> >(exec true)", marks=pytest.mark.slow),
    ],
)
def test_a_gate_is_heard_where_standard_error_is_lost(
    limit: str, code: int, streams: str, folder: Path
) -> None:
    done = command(folder, [*SCORE, "--fail-above", limit, "--json"], streams)
    assert done.code == code
    assert json.loads(done.output)["format"] == "tailwatch-contamination"


@pytest.mark.slow
@pytest.mark.parametrize("streams", [">&-", ">/dev/full 2>/dev/full"])
def test_nothing_asked_of_standard_output_is_nothing_lost(streams: str, folder: Path) -> None:
    (folder / "numbers.parquet").unlink(missing_ok=True)
    assert command(folder, [*COMPARE, "--parquet", "numbers.parquet"], streams).code == 0
    assert pl.read_parquet(folder / "numbers.parquet").height > 0
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("streams", "reason"),
    [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")],
)
def test_numbers_that_standard_output_did_not_take_are_bad_output(
    streams: str, reason: str, folder: Path
) -> None:
    done = command(folder, [*COMPARE, "--json"], streams)
    assert done.code == 2
    last = done.errors.splitlines()[-1]
    assert last == f"error: standard output: {reason}; what was to be written there is lost"


def test_a_failed_gate_is_no_answer_without_the_numbers_that_were_asked_for(folder: Path) -> None:
    assert command(folder, [*SCORE, "--fail-above", "0.01", "--json"], ">/dev/full").code == 2


def test_a_reader_that_leaves_keeps_the_verdict(folder: Path) -> None:
    asked = [*SCORE, "--fail-above", "0.01", "--json"]
    assert command(folder, asked, "| head --lines 0; exit ${PIPESTATUS[0]}").code == 1


def test_help_and_version(folder: Path) -> None:
    left = "| head --lines 0; exit ${PIPESTATUS[0]}"
    assert command(folder, ["--help"], left).code == 0
    assert command(folder, ["--version"], "2>&-").code == 0
    assert command(folder, ["compare", "--help"], ">/dev/full").code == 2
    assert command(folder, ["--version"], ">&-").code == 2


@pytest.mark.parametrize(
    ("asked", "streams"),
    [(["compare"], "2>&-"), (["nonsense"], "2>/dev/full"), (["score", "--fail-above", "x"], "")],
)
def test_bad_usage_is_bad_usage_whoever_listens(
    asked: list[str], streams: str, folder: Path
) -> None:
    assert command(folder, asked, streams).code == 2


@pytest.mark.slow
def test_a_closed_stream_is_no_place_for_a_file(folder: Path) -> None:
    # The number of a closed descriptor goes to the next file that is opened, and what is written to
    # standard error would go into it.
    assert command(folder, [*COMPARE, "--parquet", "closed.parquet"], "<&- >&- 2>&-").code == 0
    assert pl.read_parquet(folder / "closed.parquet").height > 0


LEARNER = """
import sys

class Learner:
    def fit(self, data, *, rng):
        {act}
"""


@pytest.mark.parametrize(
    ("act", "says"),
    [
        ("sys.exit(0)", "sys.exit(0)"),
        pytest.param(
            "raise BrokenPipeError(32, 'Broken pipe')", "Broken pipe", marks=pytest.mark.slow
        ),
        pytest.param("raise EOFError('no more rows')", "no more rows", marks=pytest.mark.slow),
    ],
)
def test_a_learner_that_leaves_is_no_success(act: str, says: str, tmp_path: Path) -> None:
    np.save(tmp_path / "human.npy", np.random.default_rng(0).standard_normal((200, 3)))
    (tmp_path / "leaves.py").write_text(LEARNER.format(act=act))
    asked = ["loop", "--data", "human.npy", "--learner", "leaves:Learner", "--out", "run"]
    done = command(tmp_path, [*asked, "--metrics", "none", "--json"])
    assert done.code == 2
    assert done.output == ""
    assert says in done.errors
    assert "defect" not in done.errors


@pytest.mark.slow
def test_a_page_that_cannot_be_written_does_not_hold_the_numbers_back(folder: Path) -> None:
    asked = [*COMPARE, "--parquet", "first.parquet", "--html", "page.html", "--json"]
    # Files of at most 20 kB, which a page is not.
    done = command(folder, asked, limit="ulimit -f 20")
    assert done.code == 2
    assert "page.html" in done.errors.splitlines()[-1]
    assert json.loads(done.output)["sentence"]
    assert pl.read_parquet(folder / "first.parquet").height > 0
    assert not (folder / "page.html").exists()


SIGNAL_AT_AN_IMPORT = """
import os, signal, sys

class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.{signal})

sys.argv = ["tailwatch", *{arguments!r}]
sys.meta_path.insert(0, Sender())
from tailwatch.cli import main
main()
"""


@pytest.mark.parametrize(
    ("name", "which"),
    [
        ("tailwatch.cli.compare", "SIGTERM"),
        pytest.param("typer", "SIGINT", marks=pytest.mark.slow),
        pytest.param("polars", "SIGINT", marks=pytest.mark.slow),
    ],
)
def test_a_signal_during_imports_shows_no_traceback(name: str, which: str, folder: Path) -> None:
    code = SIGNAL_AT_AN_IMPORT.format(name=name, signal=which, arguments=COMPARE)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")

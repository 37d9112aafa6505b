"""A killed run goes on and ends with the same bytes; a directory of another run is refused."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, TailwatchWarning
from tailwatch.recursion import Accumulate, Gaussian, Mix, Replace, Verified
from tests.support.errors import refused
from tests.support.killed_run import GENERATIONS, run_in
from tests.support.recursion_learners import Folder, Opaque, Restless, Tagging, tagged

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]


def content(directory: Path) -> dict[str, bytes]:
    """Every file but the one that may differ."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "times.json"
    }


def child(directory: Path, calls: int) -> subprocess.CompletedProcess[str]:
    # Not as a script: there the learner would be another class, of the module __main__.
    code = "from tests.support.killed_run import main; main()"
    command = [sys.executable, "-c", code, str(directory), str(calls)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_runs_end_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    finished = child(whole, 0)
    assert finished.returncode == 0, finished.stderr
    expected = content(whole)
    assert f"generations/{GENERATIONS:04d}/done" in expected
    last = int(finished.stdout)
    # The moments are random, but the same ones each time, and of all of the run.
    moments = np.random.default_rng(11).integers(1, last, size=3)
    unfinished = 0
    for moment in moments.tolist():
        directory = tmp_path / str(moment)
        killed = child(directory, moment)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        there = content(directory) if directory.exists() else {}
        unfinished += there != expected
        run_in(directory)
        assert content(directory) == expected
    assert unfinished == len(moments)


def test_more_generations_go_on_from_those_that_are_there(tmp_path: Path) -> None:
    run_in(tmp_path / "whole", 5)
    first = run_in(tmp_path / "grown", 2)
    assert first.frame["generation"].max() == 2
    run_in(tmp_path / "grown", 5)
    assert content(tmp_path / "grown") == content(tmp_path / "whole")
    with refused(
        InputError,
        "directory",
        "a directory of the same run, or a new one",
        "generations: 5 there, 2 here",
        "…/grown",
    ):
        run_in(tmp_path / "grown", 2)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "done").unlink(),
        lambda folder: (folder / "done").write_text("{"),
        lambda folder: (folder / "samples.npy").write_bytes(b""),
        lambda folder: np.save(folder / "samples.npy", np.zeros((70, 2))),
        lambda folder: (folder / "metrics.parquet").write_bytes(b"PAR1"),
        lambda folder: (folder / "metrics.parquet").unlink(),
    ],
    ids=["no done", "bad done", "no samples", "other samples", "bad metrics", "no metrics"],
)
def test_a_damaged_generation_is_computed_again(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    run_in(tmp_path, 3)
    expected = content(tmp_path)
    damage(tmp_path / "generations" / "0002")
    done = (tmp_path / "generations" / "0002" / "done").exists()
    with pytest.warns(TailwatchWarning, match="0002 is damaged") if done else nullcontext():
        run_in(tmp_path, 3)
    assert content(tmp_path) == expected


def small(directory: Path, **changes: Opaque) -> tw.recursion.Run:
    arguments: dict[str, Any] = {
        "learner": Gaussian(),
        "data": np.random.default_rng(0).normal(size=(50, 2)),
        "policy": Mix(0.25),
        "generations": 2,
        "metrics": (),
        "directory": directory,
    }
    arguments |= changes
    return tw.recursion.run(arguments.pop("learner"), arguments.pop("data"), **arguments)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "seed: 0 there, 1 here"),
        ({"policy": Mix(0.5)}, "policy.real_fraction: 0.25 there, 0.5 here; …"),
        ({"policy": Replace()}, "policy.class: '….Mix' there, '….Replace' here; …"),
        ({"learner": Gaussian(ddof=1)}, "learner.ddof: 0 there, 1 here"),
        ({"learner": Restless()}, "learner.class: '….Gaussian' there, …"),
        ({"size": 20}, "size: 50 there, 20 here"),
        ({"data": np.ones((50, 2))}, "data.fingerprint: '…' there, '…' here…"),
        ({"data": np.ones((51, 2))}, "size: 50 there, 51 here; data.rows: 50 there, 51 here; …"),
        ({"holdout": np.ones((3, 2))}, "reference.rows: 50 there, 3 here; …"),
        ({"label": "other"}, "label: 'mix:0.25' there, 'other' here"),
        ({"confidence": 0.9}, "confidence: 0.95 there, 0.9 here"),
        ({"earlier": {"first": np.ones((3, 2))}}, "earlier.first: 'nothing' there, …"),
    ],
)
def test_a_directory_of_another_run_is_refused(
    tmp_path: Path, changes: dict[str, Any], difference: str
) -> None:
    small(tmp_path)
    before = content(tmp_path)
    expected = "a directory of the same run, or a new one"
    with refused(InputError, "directory", expected, difference, str(tmp_path)):
        small(tmp_path, **changes)
    assert content(tmp_path) == before


def test_a_directory_of_a_run_is_refused_where_a_new_one_is_asked_for(tmp_path: Path) -> None:
    small(tmp_path)
    before = content(tmp_path)
    got = f"{tmp_path}, which holds a run already"
    with refused(InputError, "directory", "a new directory", got):
        small(tmp_path, resume=False)
    assert content(tmp_path) == before


def test_a_directory_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with refused(
        InputError, "directory", "an empty directory or one of a run", "…, which holds thesis.tex"
    ):
        small(tmp_path)
    with refused(
        InputError, "directory", "a directory that can be created", "File exists", "…/thesis.tex"
    ):
        small(tmp_path / "thesis.tex")


def test_a_resumed_run_fits_nothing_that_is_done(tmp_path: Path) -> None:
    learner = Tagging()
    told: list[int] = []
    for generations in (3, 5):
        tw.recursion.run(
            learner,
            tagged(0, 9),
            policy=Accumulate(),
            generations=generations,
            metrics=(),
            directory=tmp_path,
            on_generation=lambda generation: told.append(generation.number),
        )
    assert learner._calls == ["fit", "sample"] * 5
    assert told == [1, 2, 3, 4, 5]
    # What the fourth generation learnt from was read from the directory.
    assert [len(seen) for seen in learner._seen] == [9, 18, 27, 36, 45]


def test_every_generation_replays_from_the_directory(tmp_path: Path) -> None:
    # The learner draws from NumPy's and Python's global generators and from ones of its own.
    human = np.random.default_rng(0).normal(size=(40, 3))
    for name in ("first", "second"):
        tw.recursion.run(
            Restless(),
            human,
            policy=Verified(Mix(0.5), keep=lambda samples: samples[:, 0] < 1),
            generations=6,
            metrics=(),
            directory=tmp_path / name,
        )
    assert content(tmp_path / "first") == content(tmp_path / "second")
    stored = np.load(tmp_path / "first" / "generations" / "0004" / "samples.npy")
    memory = tw.recursion.run(
        Restless(),
        human,
        policy=Verified(Mix(0.5), keep=lambda samples: samples[:, 0] < 1),
        generations=4,
        metrics=(),
    )
    assert np.array_equal(memory.samples(4), stored)


def test_global_generators_are_left_as_they_were() -> None:
    np.random.seed(3)  # noqa: NPY002
    expected = np.random.uniform(size=4)  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    found = [np.random.uniform(size=2)]  # noqa: NPY002
    human = np.random.default_rng(0).normal(size=(10, 1))
    tw.recursion.run(Restless(), human, policy=Replace(), generations=3, metrics=())
    found.append(np.random.uniform(size=2))  # noqa: NPY002
    assert np.array_equal(np.concatenate(found), expected)


class Copying:
    """Gives back what it learnt from, whatever that is."""

    def fit(self, data: Opaque, *, rng: np.random.Generator) -> Copying:
        self._data = data
        return self

    def sample(self, size: int, *, rng: np.random.Generator) -> Opaque:
        return self._data[:size] if not isinstance(self._data, Folder) else self._data


@pytest.mark.parametrize(
    "data",
    [
        np.arange(12, dtype=np.int32).reshape(2, 2, 3),
        np.array(["ä", "bc"]),
        pl.DataFrame({"x": [1.5, 2.5], "y": ["a", None]}),
        pl.Series("words", [["a", "b"], []], dtype=pl.List(pl.String)),
        Folder(["one.png", "two.png"]),
    ],
    ids=["array", "strings", "frame", "series", "folder"],
)
def test_every_kind_of_data_is_kept(tmp_path: Path, data: Opaque) -> None:
    arguments: dict[str, Any] = {"policy": Replace(), "metrics": (), "directory": tmp_path}
    tw.recursion.run(Copying(), data, generations=1, **arguments)
    # The second generation learns from what was read.
    again = tw.recursion.run(Copying(), data, generations=2, **arguments)
    found = again.samples(2)
    assert type(found) is type(data)
    if isinstance(data, Folder):
        assert found.names == data.names
    elif isinstance(data, np.ndarray):
        assert found.dtype == data.dtype
        assert np.array_equal(found, data)
    else:
        assert found.equals(data)
    described = json.loads((tmp_path / "run.json").read_text())
    assert described["data"]["rows"] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is POSIX")
def test_an_interrupted_command_says_so_and_goes_on(tmp_path: Path) -> None:
    np.save(tmp_path / "human.npy", np.random.default_rng(0).normal(size=(400, 4)))
    command = [sys.executable, "-m", "tailwatch", "loop", "--data", "human.npy"]
    command += ["--learner", "Gaussian", "--metrics", "recall", "--out", "run"]
    running = subprocess.Popen(
        [*command, "--generations", "100000"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    third = tmp_path / "run" / "generations" / "0003" / "done"
    for _ in range(1200):
        if third.exists() or running.poll() is not None:
            break
        time.sleep(0.05)
    assert third.exists()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.rstrip().endswith("interrupted")
    done = sorted((tmp_path / "run" / "generations").glob("*/done"))
    samples = {path.parent: (path.parent / "samples.npy").stat().st_mtime_ns for path in done}
    goal = str(len(done) + 2)
    # That many generations are fewer than were asked for: another run, of the same arguments.
    shutil.copytree(tmp_path / "run", tmp_path / "again")
    document = json.loads((tmp_path / "again" / "run.json").read_text())
    document["generations"] = len(done)
    (tmp_path / "again" / "run.json").write_text(json.dumps(document))
    finished = subprocess.run(
        [*command[:-1], "again", "--generations", goal],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    kept = [tmp_path / "again" / "generations" / folder.name for folder in samples]
    assert [(path / "samples.npy").stat().st_mtime_ns for path in kept] == [*samples.values()]
    assert (tmp_path / "again" / "generations" / goal.zfill(4) / "done").exists()

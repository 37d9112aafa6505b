"""What a run directory may hold, one run at a time, and what is made of what it holds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.exceptions import InputError, SourceError, TailwatchWarning
from tailwatch.recursion import Gaussian, Replace, Run
from tests.support.errors import refused
from tests.support.recursion_learners import Restless

if TYPE_CHECKING:
    from collections.abc import Callable

HUMAN = np.random.default_rng(3).normal(size=(50, 2))


class Stopped(Exception):
    """The run ends here."""


def go_on(directory: Path, generations: int = 3, **changes: Any) -> Run:  # noqa: ANN401
    arguments = {"policy": Replace(), "generations": generations, "metrics": (), **changes}
    learner = arguments.pop("learner", Restless())
    return tw.recursion.run(learner, HUMAN, directory=directory, **arguments)


def content(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != "times.json"
    }


def stop_at(number: int) -> Callable[[tw.recursion.Generation], None]:
    def stop(generation: tw.recursion.Generation) -> None:
        if generation.number == number:
            raise Stopped

    return stop


def test_one_run_at_a_time(tmp_path: Path) -> None:
    waiting, free = threading.Event(), threading.Event()

    def wait(generation: tw.recursion.Generation) -> None:
        waiting.set()
        assert free.wait(60)

    first = threading.Thread(target=lambda: go_on(tmp_path, on_generation=wait))
    first.start()
    try:
        assert waiting.wait(60)
        with refused(
            InputError,
            "directory",
            "a directory that no other run is at work in",
            f"process {os.getpid()} on …",
            "…",
        ):
            go_on(tmp_path)
        # Reading is no work in it.
        assert Run.load(tmp_path).frame["generation"].max() == 1
    finally:
        free.set()
        first.join()
    assert not (tmp_path / ".lock").exists()
    go_on(tmp_path)


def test_a_process_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; "
        "from tests.contract.test_recursion_directory import go_on; "
        "go_on(Path(sys.argv[1]), on_generation=lambda _: os._exit(9))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cut")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 9
    assert (tmp_path / "cut" / ".lock").exists()
    go_on(tmp_path / "cut")
    go_on(tmp_path / "whole")
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


def test_a_run_that_failed_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        go_on(tmp_path, on_generation=stop_at(2))
    assert not (tmp_path / ".lock").exists()
    go_on(tmp_path)


def test_a_longer_run_that_was_cut_shows_all_that_is_done(tmp_path: Path) -> None:
    go_on(tmp_path, 3)
    assert (tmp_path / "frame.parquet").exists()
    with pytest.raises(Stopped):
        go_on(tmp_path, 7, on_generation=stop_at(5))
    assert Run.load(tmp_path).frame["generation"].max() == 5
    # There when the run is finished, and only then.
    assert not (tmp_path / "frame.parquet").exists()
    go_on(tmp_path, 7)
    assert pl.read_parquet(tmp_path / "frame.parquet").equals(Run.load(tmp_path).frame)


def test_a_generation_without_a_column_is_computed_again(tmp_path: Path) -> None:
    expected = go_on(tmp_path).frame
    for folder in (tmp_path / "generations").iterdir():
        pl.read_parquet(folder / "metrics.parquet").drop("tail_rows").write_parquet(
            folder / "metrics.parquet"
        )
        done = json.loads((folder / "done").read_text())
        done["metrics"] = hashlib.sha256((folder / "metrics.parquet").read_bytes()).hexdigest()
        (folder / "done").write_text(json.dumps(done))
    with pytest.warns(TailwatchWarning, match="columns of a run's frame, got none named tail_rows"):
        again = go_on(tmp_path).frame
    assert again.equals(expected)


def test_the_frame_alone_can_be_shown(tmp_path: Path) -> None:
    frame = go_on(tmp_path).frame
    shutil.rmtree(tmp_path / "generations")
    assert Run.load(tmp_path).frame.equals(frame)


@pytest.mark.parametrize("name", ["0003 (copy)", "3", "00003", "0003~", "notes", "0000"])
def test_what_is_no_generation_is_named_and_left(tmp_path: Path, name: str) -> None:
    expected = go_on(tmp_path).frame
    other = tmp_path / "generations" / name
    shutil.copytree(tmp_path / "generations" / "0003", other)
    (tmp_path / "generations" / ".DS_Store").write_text("")
    before = content(other)
    with pytest.warns(TailwatchWarning, match=r"no generation of this run") as caught:
        assert Run.load(tmp_path).frame.equals(expected)
    assert name in str(caught[0].message)
    with pytest.warns(TailwatchWarning, match=r"no generation of this run"):
        assert go_on(tmp_path).frame.equals(expected)
    assert content(other) == before


def test_a_generation_that_is_missing_is_named_or_computed_again(tmp_path: Path) -> None:
    go_on(tmp_path)
    before = content(tmp_path)
    shutil.rmtree(tmp_path / "generations" / "0002")
    with refused(
        SourceError,
        "directory",
        "all generations up to the last one",
        "3 without 2",
        "…/generations",
    ):
        Run.load(tmp_path)
    go_on(tmp_path)
    assert content(tmp_path) == before


def test_metrics_that_were_changed_are_not_taken_over(tmp_path: Path) -> None:
    go_on(tmp_path)
    before = content(tmp_path)
    path = tmp_path / "generations" / "0002" / "metrics.parquet"
    pl.read_parquet(path).with_columns(value=pl.col("value") * 2).write_parquet(path)
    with refused(
        SourceError,
        "directory",
        "metrics with the fingerprint … that done names",
        "…",
        "…/generations/0002/metrics.parquet",
    ):
        Run.load(tmp_path)
    # The frame beside them is not asked instead of them.
    shutil.copy(path, tmp_path / "frame.parquet")
    with refused(
        SourceError,
        "directory",
        "metrics with the fingerprint … that done names",
        "…",
        "…/generations/0002/metrics.parquet",
    ):
        Run.load(tmp_path)
    with pytest.warns(TailwatchWarning, match="0002 is damaged and computed again"):
        go_on(tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("text", ["", "[]", '{"0001": ', "[" * 9_000, "\xff"])
def test_times_are_not_worth_a_run(tmp_path: Path, text: str) -> None:
    go_on(tmp_path)
    before = content(tmp_path)
    (tmp_path / "times.json").write_text(text, encoding="latin-1")
    with pytest.warns(TailwatchWarning, match="times of the generations so far are lost"):
        go_on(tmp_path, 3)
    assert content(tmp_path) == before


def test_data_that_cannot_be_read_now_are_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on(tmp_path)
    before = content(tmp_path)

    def read(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "load", read)
    with pytest.raises(MemoryError):
        go_on(tmp_path)
    assert content(tmp_path) == before


def test_frames_with_nulls_are_found_again(tmp_path: Path) -> None:
    class Copying:
        def fit(self, data: pl.DataFrame, *, rng: np.random.Generator) -> Copying:
            self._rows = data
            return self

        def sample(self, size: int, *, rng: np.random.Generator) -> pl.DataFrame:
            return self._rows[rng.integers(len(self._rows), size=size)]

    human = pl.DataFrame(
        {
            "word": ["a", None, "a word that does not lie within its view", ""],
            "words": [["a", None], [], None, ["b"]],
            "pair": [{"x": 1, "y": None}, None, {"x": None, "y": "z"}, {"x": 2, "y": "w"}],
        }
    )
    arguments: dict[str, Any] = {"policy": Replace(), "metrics": (), "directory": tmp_path}
    tw.recursion.run(Copying(), human, generations=2, **arguments)
    # Rows that memory holds otherwise are the same rows.
    same = pl.concat([human[:1], human[1:]]).reverse().reverse()
    computed: list[int] = []
    tw.recursion.run(
        Copying(),
        same,
        generations=3,
        on_generation=lambda generation: computed.append(generation.number),
        **arguments,
    )
    assert computed == [3]


@pytest.mark.parametrize("label", ["a\x1b[31mred", "\udcff name", "\ufffe", "line\nbreak", "ä ✓"])
def test_a_run_of_any_name_is_kept(tmp_path: Path, label: str) -> None:
    named = go_on(tmp_path, label=label)
    loaded = Run.load(tmp_path)
    assert loaded.frame.equals(named.frame)
    assert loaded.arguments == json.loads(json.dumps(named.arguments))
    go_on(tmp_path, label=label)


def test_a_learner_with_numbers_that_json_lacks(tmp_path: Path) -> None:
    class Endless(Restless):
        def __init__(self) -> None:
            self.reach, self.rate = float("inf"), np.longdouble("nan")
            self.phase, self.mark = 1j, b"\xff"

    run = go_on(tmp_path, learner=Endless())
    described = json.loads(run.to_json())["arguments"]["learner"]
    assert (described["reach"], described["rate"], described["phase"]) == ("inf", "nan", "1j")
    go_on(tmp_path, 4, learner=Endless())


def test_a_learner_that_holds_itself(tmp_path: Path) -> None:
    learner: Any = Gaussian()
    holder: Any = Restless()
    holder.parent = holder
    deep: Any = Restless()
    deep.levels = []
    for _ in range(30):
        deep.levels = [deep.levels]
    with refused(
        InputError,
        "learner",
        "attributes of at most 24 levels",
        "Restless, whose attributes go deeper or lead back to it",
        hint="give it a method describe() that says what it is",
    ):
        tw.recursion.run(holder, HUMAN, policy=Replace(), generations=1, metrics=())
    with refused(
        InputError,
        "learner",
        "attributes of at most 24 levels",
        "Restless, whose attributes go deeper or lead back to it",
    ):
        tw.recursion.run(deep, HUMAN, policy=Replace(), generations=1, metrics=())
    tw.recursion.run(learner, HUMAN, policy=Replace(), generations=1, metrics=())

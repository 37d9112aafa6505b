"""``tailwatch loop`` with learners that fail, and with configurations and data of a stranger.

``python -m tests.unit.test_cli_loop_hostile 2000`` reads so many mutations of each kind of text.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tailwatch.cli import run
from tailwatch.cli.parts import data_from, part_from, settings_from
from tailwatch.exceptions import InputError, TailwatchError
from tests.support.errors import refused
from tests.support.mutations import mutated

LEARNERS = """
import sys
import numpy as np

class Learner:
    fails = None

    def fit(self, data, *, rng):
        if self.fails == "fit":
            raise KeyError("no such \\x1b[31m thing")
        if self.fails == "exit":
            sys.exit(0)
        if self.fails == "system":
            raise OSError(28, "No space left on device")
        self._columns = data.shape[1]
        return self

    def sample(self, size, *, rng):
        if self.fails == "sample":
            np.zeros(3)[7]
        return rng.normal(size=(size, self._columns))

    def parameters(self):
        if self.fails == "parameters":
            raise RuntimeError("nothing fitted")
        return {"a\\x00b\\udcff": 1.0}

    def save(self, directory):
        if self.fails == "save":
            raise ValueError("cannot keep this")

class Fit(Learner): fails = "fit"
class Exit(Learner): fails = "exit"
class System(Learner): fails = "system"
class Sample(Learner): fails = "sample"
class Parameters(Learner): fails = "parameters"
class Save(Learner): fails = "save"

class Never(Learner):
    def __init__(self):
        sys.exit(0)

class Broken(Learner):
    def __init__(self):
        raise RuntimeError("not today")

class Policy:
    def compose(self, history, *, rng):
        raise ZeroDivisionError("no rows")

def factory():
    open("made", "w").close()
    return Learner()
"""

TOML = b"""# a study
data = "human.npy"
learner = "GaussianMixture(k=10)"
policy = "mix:0.25"
generations = 8
holdout = 0.5
metrics = ["recall", "total_variance"]
seed = 3
[label]
"""
YAML = b"""# a study
data: human.npy
learner: &learner "GaussianMixture(k=10)"
policy: mix:0.25
generations: 8
holdout: 0.5
metrics: [recall, "total_variance"]
seed: 3
label: *learner
column: |
  text
  of two lines
"""


@pytest.fixture(autouse=True)
def _in_a_directory_with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    for name in ("learners_that_fail", "ends_at_import", "fails_at_import"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    np.save("human.npy", np.random.default_rng(0).normal(size=(40, 2)))
    Path("learners_that_fail.py").write_text(LEARNERS)
    Path("ends_at_import.py").write_text("import sys\nsys.exit(0)\n")
    Path("fails_at_import.py").write_text("def broken(:\n")


def loop(*arguments: str, learner: str = "Gaussian") -> int:
    common = ["--data", "human.npy", "--generations", "2", "--metrics", "none", "--out", "run"]
    return run(["loop", *common, "--learner", learner, *arguments])


@pytest.mark.parametrize(
    ("learner", "said"),
    [
        ("Fit", r"--learner: learner.fit, generation 1 raised KeyError: 'no such \x1b[31m thing'"),
        ("System", "--learner: learner.fit, generation 1 raised OSError: [Errno 28] No space"),
        ("Sample", "--learner: model.sample, generation 1 raised IndexError"),
        ("Parameters", "--learner: model.parameters raised RuntimeError: nothing fitted"),
        ("Save", "--learner: model.save, generation 1 raised ValueError: cannot keep this"),
        ("Broken", "--learner: Broken(…) raised RuntimeError: not today"),
    ],
)
def test_an_error_of_the_learner_is_the_learners(
    learner: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loop(learner=f"learners_that_fail:{learner}") == 2
    shown = capsys.readouterr().err
    assert f"error: {said}" in shown
    assert "learners_that_fail.py" in shown


def test_an_error_of_the_policy_is_the_policys(capsys: pytest.CaptureFixture[str]) -> None:
    assert loop("--policy", "learners_that_fail:Policy") == 2
    said = "--policy: policy.compose, generation 2 raised ZeroDivisionError: no rows"
    assert f"error: {said}" in capsys.readouterr().err
    # What was done is kept.
    assert Path("run/generations/0001/done").exists()


@pytest.mark.parametrize(
    "learner",
    [
        "learners_that_fail:Exit",
        "learners_that_fail:Never",
        "ends_at_import:Learner",
        "fails_at_import:Learner",
        "sys:exit",
        "os:_exit(0)",
        "builtins:quit",
        "builtins:print",
        "os:system('touch made')",
        "subprocess:Popen(['touch', 'made'])",
        "pathlib:Path.touch('made')",
        "learners_that_fail:factory",
        "learners_that_fail:factory()",
        "Gaussian().fit",
        "Gaussian(ddof=(lambda: 1)())",
        "GaussianMixture(__import__('os').system('touch made'))",
        "json:dumps:loads",
        "..:x",
        "a b:c",
        "Gaussian(" + "[" * 400,
        "Gaussian(" + "1+" * 3000 + "1)",
        "Gaussian(ddof=[])",
        "Gaussian(ddof={})",
        "NGram(10**9)",
        "NGram(1000000000)",
        "GaussianMixture(k=99999999999)",
        "KernelDensity(bandwidth=1e400)",
        "\x1b:x",
        "",
        ":",
    ],
)
def test_a_learner_that_is_none_ends_with_bad_input(
    learner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loop(learner=learner) == 2
    assert "error: " in (shown := capsys.readouterr().err)
    assert "\x1b" not in shown
    assert not Path("made").exists()
    assert not Path("run/frame.parquet").exists()


def test_names_with_any_character_come_through() -> None:
    assert loop("--label", "a\udcffb\x1b", learner="learners_that_fail:Learner") == 0
    assert run(["report", "run"]) == 0
    frame = pl.read_parquet("run/frame.parquet")
    assert json.loads(Path("run/run.json").read_text())["label"] == frame["run"][0]
    assert loop("--label", "a\udcffb\x1b", learner="learners_that_fail:Learner") == 0


def test_what_lies_beside_the_data_shadows_nothing() -> None:
    Path("string.py").write_text("raise RuntimeError('this is not yours')\n")
    assert part_from("learners_that_fail:Learner()", "--learner", ()).fails is None
    assert sys.path[0] != str(Path.cwd())
    assert sys.path[-1] == str(Path.cwd())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "generations = 0",
        "generations = -1",
        "generations = 100000000000000000000",
        "generations = 1000001",
        "generations = 2.5",
        "generations = true",
        "generations = 'three'",
        "size = 10000000000000",
        "size = 0",
        "seed = -1",
        "seed = 36893488147419103232",
        "confidence = 0",
        "confidence = 1",
        "confidence = nan",
        "confidence = 'high'",
        "holdout = 1.0",
        "holdout = inf",
        "holdout = [1]",
        "holdout = true",
        "holdout = 'nan'",
        "metrics = 7",
        "metrics = [7]",
        "metrics = [['recall']]",
        "metrics = 'no such metric'",
        "metrics = {a = 1}",
        "max_rows = 0",
        "max_rows = 'x'",
        "label = 3",
        "column = 3",
        "column = 'x'",
        "out = 3",
        "out = 'human.npy'",
        "learner = 3",
        "learner = []",
        "policy = 0.5",
        "policy = 'Mix'",
        "policy = 'mix:7'",
        "policy = 'Augment(10000000)'",
        "policy = 'mix:0.5,fresh=3'",
        "policy = 'AccumulateSubsample(0)'",
        "data = ''",
        "data = []",
        "data = '.'",
        "data = 'nothing*.parquet'",
        "data = '/dev/zero'",
        "threads = 3",
        "unknown = 1",
        "[data]\nx = 1",
        "[[learner]]\nx = 1",
    ],
)
def test_settings_that_nothing_can_be_made_of(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"data": "'human.npy'", "learner": "'Gaussian'", "metrics": "'none'"}
    given |= {"out": "'run'", "generations": "2"}
    named = text.split("=", maxsplit=1)[0].strip("[] \n").split("]")[0]
    lines = [f"{name} = {value}" for name, value in given.items() if name != named]
    Path("study.toml").write_text("\n".join([*lines, text]) if text.strip("# nothig\n") else text)
    assert run(["loop", "study.toml"]) == 2
    shown = capsys.readouterr().err
    assert shown.count("error: ") == 1
    assert "Traceback" not in shown
    assert not Path("run/frame.parquet").exists()


@pytest.mark.parametrize("name", ["pipe.npy", "pipe.csv", "pipe.toml"])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_at_once(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(name)
    code = run(["loop", name]) if name.endswith(".toml") else loop("--data", name)
    assert code == 2
    assert "expected a regular file" in capsys.readouterr().err


def read_settings(path: Path) -> None:
    settings_from(path)


def read_data(path: Path) -> None:
    data_from(str(path), "--data", None)


def texts(count: int, seed: int) -> int:
    """Read mutations of settings; give how many were refused."""
    rng, refused = random.Random(seed), 0
    for suffix, text in ((".toml", TOML), (".yaml", YAML)):
        path = Path(f"mutated{suffix}")
        for number in range(count):
            path.write_bytes(mutated(text, rng))
            started = time.perf_counter()
            try:
                settings_from(path)
            except TailwatchError:
                refused += 1
            assert time.perf_counter() - started < 10, number
    return refused


def tables(count: int, seed: int) -> int:
    """Read mutations of data that no native code decodes; give how many were refused."""
    rng, refused = random.Random(seed), 0
    Path("words.txt").write_text("the cat\nsat\n")
    pl.DataFrame({"x": [1.0, 2.0], "y": [3, 4]}).write_csv("numbers.csv")
    for name in ("human.npy", "words.txt", "numbers.csv"):
        whole = Path(name).read_bytes()
        path = Path(f"mutated{Path(name).suffix}")
        for _ in range(count):
            path.write_bytes(mutated(whole, rng))
            try:
                data_from(str(path), "--data", None)
            except TailwatchError:
                refused += 1
    return refused


def test_mutated_settings_are_read_or_refused() -> None:
    assert texts(150, 1) > 100


def test_mutated_data_are_read_or_refused() -> None:
    assert tables(100, 1) > 50


def test_a_module_that_is_none() -> None:
    with refused(
        InputError,
        "--learner",
        "a class or an object with the method fit",
        "'json:dumps', which is a function",
    ):
        part_from("json:dumps", "--learner", ())
    with refused(
        InputError,
        "--policy",
        "a class or an object with the method compose",
        "'tailwatch.recursion:Gaussian', which is the class Gaussian",
    ):
        part_from("tailwatch.recursion:Gaussian", "--policy", ())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        np.save("human.npy", np.random.default_rng(0).normal(size=(40, 2)))
        tried = int(sys.argv[1])
        sys.stdout.write(f"{texts(tried, 0)} of {2 * tried} settings refused\n")
        sys.stdout.write(f"{tables(tried, 0)} of {3 * tried} data refused\n")

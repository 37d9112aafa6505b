"""``tailwatch loop``: from flags, from files, with learners of the user's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
import tailwatch.embeddings
import tailwatch.io.pack
from tailwatch.cli import run
from tailwatch.cli.parts import data_from, part_from, policy_named, settings_from
from tailwatch.exceptions import InputError, MissingDependencyError, SourceError
from tailwatch.recursion import Accumulate, Gaussian, GaussianMixture, Mix, NGram
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from tests.support.recursion_learners import Opaque


MINE = """
class Learner:
    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, data, *, rng):
        self._mean, self._deviation = data.mean(0), data.std(0)
        return self

    def sample(self, size, *, rng):
        return rng.normal(self._mean, self.scale * self._deviation, size=(size, len(self._mean)))


ready = Learner(0.5)
"""


@pytest.fixture(autouse=True)
def _in_a_directory_with_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The command adds the directory it is called in.
    monkeypatch.setattr("sys.path", ["", *sys.path])
    np.save("human.npy", np.random.default_rng(0).normal(size=(300, 2)))
    Path("mine_of_loop.py").write_text(MINE)
    monkeypatch.delitem(sys.modules, "mine_of_loop", raising=False)


def loop(*arguments: str) -> int:
    return run(["loop", *arguments])


def test_flags_run_and_resume(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--data",
        "human.npy",
        "--learner",
        "Gaussian(ddof=1)",
        "--policy",
        "mix:0.25",
        "--generations",
        "2",
        "--metrics",
        "total_variance,recall",
        "--seed",
        "3",
        "--out",
        "runs/mix",
        "--threads",
        "1",
    ]
    assert loop(*arguments, "--json") == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert "no definition of collapse holds" in result["sentence"]
    assert result["arguments"]["learner"]["ddof"] == 1
    assert result["arguments"]["policy"]["real_fraction"] == 0.25
    assert result["arguments"]["seed"] == 3
    assert {row["metric"] for row in result["frame"] if row["group"] == "panel"} == {
        "total_variance",
        "recall",
    }
    assert "The run is in runs/mix" in shown.err
    assert Path("runs/mix/report.html").exists()
    before = Path("runs/mix/frame.parquet").read_bytes()
    assert loop(*arguments) == 0
    assert Path("runs/mix/frame.parquet").read_bytes() == before
    assert loop(*arguments, "--seed", "4") == 2
    assert "error: directory: runs/mix was made with other arguments: seed: 3 there, 4 here" in (
        capsys.readouterr().err
    )


def test_a_file_says_it_all_and_options_win() -> None:
    Path("study.toml").write_text(
        'data = "human.npy"\nlearner = "mine_of_loop:Learner(scale=0.5)"\ngenerations = 3\n'
        'metrics = "none"\nholdout = "human.npy"\nlabel = "half"\nout = "first"\n'
    )
    assert loop("study.toml") == 0
    assert loop("study.toml", "--generations", "2", "--out", "second") == 0
    first, second = (pl.read_parquet(f"{name}/frame.parquet") for name in ("first", "second"))
    assert (first["generation"].max(), second["generation"].max()) == (3, 2)
    assert first["run"].unique().to_list() == ["half"]
    described = json.loads(Path("first/run.json").read_text())
    assert described["learner"] == {"class": "mine_of_loop.Learner", "scale": 0.5}
    assert described["reference"]["rows"] == 300
    # Half of the spread in each generation: 0.5⁴ of the variance after two of them, within a third.
    samples = np.load("first/generations/0002/samples.npy")
    assert abs(samples.var(axis=0).mean() * 2**4 - 1) < 0.3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gaussian", Gaussian()),
        ("gaussian_mixture(3, least_variance=0.5)", GaussianMixture(3, 0.5)),
        (" NGram( order=2 ) ", NGram(2)),
        ("tailwatch.recursion:Gaussian(ddof=1)", Gaussian(1)),
    ],
)
def test_learners_by_name(text: str, expected: Opaque) -> None:
    assert part_from(text, "--learner", ("Gaussian", "GaussianMixture", "NGram")) == expected


def test_policies_by_name() -> None:
    assert policy_named("accumulate") == Accumulate()
    assert policy_named(" mix:0.5,fresh ") == Mix(0.5, fresh=True)
    assert policy_named("tailwatch.recursion:Mix(0.5)") == Mix(0.5)
    assert part_from("mine_of_loop:ready", "--learner", ()).scale == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Gausian",
            fields(
                "--learner",
                "one of Gaussian, or module:attribute",
                "'Gausian'",
                hint="did you mean Gaussian?",
            ),
        ),
        ("Gaussian(ddof=2)", fields("ddof", "0 or 1", "2")),
        (
            "Gaussian(dof=1)",
            fields(
                "--learner",
                "arguments that Gaussian takes",
                "'Gaussian(dof=1)'",
                "Gaussian.__init__() got an unexpected keyword argument 'dof'",
            ),
        ),
        ("Gaussian(ddof=open('x'))", fields("--learner", got="\"Gaussian(ddof=open('x'))\"")),
        ("1 + 1", fields("--learner", got="'1 + 1'")),
        ("Gaussian(", fields("--learner", got="'Gaussian('")),
        (
            "mine_of_loop:Absent",
            fields(
                "--learner",
                "what can be imported",
                "module 'mine_of_loop' has no attribute 'Absent'",
                "mine_of_loop:Absent",
            ),
        ),
        (
            "absent_module:Learner",
            fields(
                "--learner",
                "what can be imported",
                "No module named 'absent_module'",
                "absent_module:Learner",
            ),
        ),
    ],
)
def test_learners_that_cannot_be_made(text: str, said: dict[str, str]) -> None:
    with refused(InputError, **said):
        part_from(text, "--learner", ("Gaussian",))


def test_files_beside_the_data_take_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [each for each in sys.path if each])
    monkeypatch.delitem(sys.modules, "tabnanny", raising=False)
    # What a learner imports is what it imports everywhere, whatever lies in the folder.
    taken = ("tabnanny", "json", "sys", "polars")
    for name in taken:
        Path(f"{name}.py").write_text("raise RuntimeError('the wrong one')\n")
    Path("mine_of_path.py").write_text(f"import tabnanny\n{MINE}")
    assert part_from("mine_of_path:ready", "--learner", ()).scale == 0.5
    # The name of the learner's own module must be free.
    monkeypatch.setattr("sys.path", [each for each in sys.path if each != str(Path.cwd())])
    for name in taken:
        expected = "a module whose name is not taken"
        got = f"{name}, which is … too"
        with refused(InputError, "--learner", expected, got, str(Path.cwd() / f"{name}.py")):
            part_from(f"{name}:Learner", "--learner", ())


def test_data_come_in_many_forms() -> None:
    vectors = pl.Series([[1.0, 2.0], [3.0, 4.0]], dtype=pl.Array(pl.Float32, 2))
    pl.DataFrame({"embedding": vectors, "label": ["a", "b"]}).write_parquet("vectors.parquet")
    assert data_from("vectors.parquet", "--data", None).tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert data_from("vectors.parquet", "--data", "label").to_list() == ["a", "b"]
    pl.DataFrame({"x": [1, 2], "y": [3.5, 4.5]}).write_csv("numbers.csv")
    assert data_from("numbers.csv", "--data", None).tolist() == [[1.0, 3.5], [2.0, 4.5]]
    assert data_from("numbers.csv", "--data", "y").tolist() == [3.5, 4.5]
    pl.DataFrame({"tokens": [["a"], []]}, schema={"tokens": pl.List(pl.String)}).write_ipc(
        "tokens.arrow"
    )
    assert data_from("tokens.arrow", "--data", None).to_list() == [["a"], []]
    Path("corpus.txt").write_text("the cat\n\nsat\n", encoding="utf-8")
    assert data_from("corpus.txt", "--data", None).to_list() == [["the", "cat"], [], ["sat"]]


ROWS = np.random.default_rng(1).normal(size=(6, 2)).astype(np.float32)


def in_every_form() -> dict[str, tuple[str, ...]]:
    """Write the rows in every form that holds embeddings, each with the options that it needs."""
    np.save("rows.npy", ROWS)
    np.savez("rows.npz", embedding=ROWS)
    np.savez("named.npz", emb=ROWS, other=ROWS + 1)
    for part in range(2):
        np.save(f"part-{part}.npy", ROWS[3 * part : 3 * part + 3])
    vectors = pl.Series("vector", ROWS, dtype=pl.Array(pl.Float32, 2))
    table = pl.DataFrame({"id": range(6), "vector": vectors})
    table.write_parquet("named.parquet")
    table.rename({"vector": "emb"}).write_ipc("known.arrow")
    pl.DataFrame({"id": range(6), "raw": [row.tobytes() for row in ROWS]}).write_parquet(
        "raw.parquet"
    )
    tailwatch.io.pack.pack("rows.npy", "packed")
    return {
        "rows.npy": (),
        "rows.npz": (),
        "named.npz": ("--column", "emb"),
        "part-*.npy": (),
        "named.parquet": ("--column", "vector"),
        "known.arrow": (),
        "raw.parquet": ("--column", "raw", "--binary", "float32"),
        "packed": (),
    }


def test_what_compare_and_fit_open_a_loop_opens() -> None:
    for source, options in in_every_form().items():
        named = dict(zip(("column", "binary"), options[1::2], strict=False))
        opened = tailwatch.embeddings.open(source, **named)
        found = data_from(source, "--data", named.get("column"), named.get("binary"))
        assert found.dtype == np.float32
        assert np.array_equal(found, ROWS)
        assert np.array_equal(found, opened.to_numpy())
        if source in {"named.npz", "part-*.npy", "raw.parquet"}:
            out = f"runs/{source.replace('*', 'all')}"
            small = ("--generations", "1", "--metrics", "none", "--out", out)
            assert loop("--data", source, *options, "--learner", "Gaussian", *small) == 0
        # In Python too, where `tailwatch.open` names columns.
        if source in {"rows.npz", "named.npz"}:
            given = opened if options else source
            run_of = tw.recursion.run(
                Gaussian(), given, policy="replace", generations=1, metrics=()
            )
            assert run_of.arguments["data"]["fingerprint"] is not None


def test_errors_of_a_source_are_those_of_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    in_every_form()
    for source, options in {
        "absent.npz": (),
        "named.npz": ("--column", "absent"),
        "named.parquet": ("--column", "absent"),
        "raw.parquet": ("--column", "raw"),
        "rows.npy/more.parquet": (),
    }.items():
        said = []
        for command in (
            ["compare", source, source, *options],
            ["loop", "--data", source, "--learner", "Gaussian", *options],
        ):
            assert run(command) == 2
            said.append(capsys.readouterr().err.splitlines()[-1].split(": ", 2)[2])
        assert said[0] == said[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--learner", "Gaussian"], "--data: expected one"),
        (["--data", "human.npy"], "--learner: expected one"),
        (["--data", "none.npy", "--learner", "Gaussian"], "--data: no such file: none.npy"),
        (["--data", "mine_of_loop.py", "--learner", "Gaussian"], "--data: expected a folder or a"),
        (["absent.toml"], "CONFIG: cannot read absent.toml"),
        (["mine_of_loop.py"], "CONFIG: expected a .toml, .yaml or .yml file"),
        (["--data", "human.npy", "--learner", "Multinomial"], "data: expected a one-dimensional"),
        (
            ["--data", "human.npy", "--learner", "Gaussian", "--holdout", "none.npy"],
            "--holdout: no such file: none.npy",
        ),
    ],
)
def test_bad_usage_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loop(*arguments) == 2
    shown = capsys.readouterr().err
    assert f"error: {message}" in shown
    assert "Traceback" not in shown


def test_files_that_say_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    Path("typo.toml").write_text("learners = 'Gaussian'\n")
    assert loop("typo.toml") == 2
    assert "did you mean learner?" in capsys.readouterr().err
    Path("broken.toml").write_text("learner = \n")
    with refused(
        SourceError,
        "CONFIG",
        "a file that can be read",
        "Invalid value (at line 1, column 11)",
        "broken.toml",
    ):
        settings_from(Path("broken.toml"))
    pl.DataFrame({"a": ["x"], "b": ["y"]}).write_csv("words.csv")
    with refused(
        InputError,
        "--data",
        "a column of embeddings, numbers alone, or one column",
        "a, b",
        hint="--column NAME names one",
    ):
        data_from("words.csv", "--data", None)
    with refused(SourceError, "--data: words.csv", "a column 'c'", "a (String), b (String)"):
        data_from("words.csv", "--data", "c")


def test_yaml_is_read_where_pyyaml_is(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("study.yaml").write_text("learner: Gaussian\ngenerations: 3\nmetrics: [recall]\n")
    with monkeypatch.context() as without:
        without.setitem(__import__("sys").modules, "yaml", None)
        with refused(
            MissingDependencyError,
            "CONFIG",
            "PyYAML, which reads YAML",
            "none that can be imported",
            "study.yaml",
            "pip install 'tailwatch[yaml]'",
        ):
            settings_from(Path("study.yaml"))
    pytest.importorskip("yaml")
    expected = {"learner": "Gaussian", "generations": 3, "metrics": ["recall"]}
    assert settings_from(Path("study.yaml")) == expected
    Path("broken.yaml").write_text("learner: [\n")
    with refused(
        SourceError,
        "CONFIG",
        "a file that can be read",
        "while parsing a flow node did not find expected…",
        "broken.yaml",
    ):
        settings_from(Path("broken.yaml"))
    Path("list.yaml").write_text("- a\n")
    with refused(SourceError, "CONFIG", "names and values", "list", "in list.yaml"):
        settings_from(Path("list.yaml"))

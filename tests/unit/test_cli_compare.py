"""`tailwatch compare` from files to table, JSON and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.cli import run
from tailwatch.comparison.compare import compare
from tailwatch.comparison.registry import METRICS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> tuple[str, str]:
    random = np.random.default_rng(0)
    human, shrunk = tmp_path / "human.npy", tmp_path / "shrunk.npy"
    np.save(human, random.standard_normal((400, 4)))
    np.save(shrunk, 0.5 * random.standard_normal((300, 4)))
    return str(human), str(shrunk)


def test_people_read_standard_error_and_machines_get_nothing(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *data, "--metrics", "fast"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    comparison = compare(*data, metrics="fast")
    assert " ".join(comparison.sentence.split()) in " ".join(shown.err.split())
    table = shown.err[shown.err.index("metric ") :]
    assert table.index("Directional tails") < table.index("Total variance")
    (total_variance,) = (line for line in table.splitlines() if "Total variance" in line)
    assert total_variance.split()[-1] == "worse"


def test_json_is_one_object_equal_to_the_call(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--metrics", "recall,tail_mass", "-k", "3", "--tail-levels", "0.2, 0.1"]
    more = ["--confidence", "0.9", "--seed", "7", "--threads", "1", "--max-rows", "250", "--json"]
    assert run(["compare", *data, *options, *more]) == 0
    document = json.loads(capsys.readouterr().out)
    comparison = compare(
        *data,
        metrics=("recall", "tail_mass"),
        k=3,
        tail_levels=(0.2, 0.1),
        confidence=0.9,
        seed=7,
        threads=1,
        max_rows=250,
    )
    again = json.loads(comparison.to_json())
    assert list(document) == list(again)
    for name in document.keys() - {"run"}:
        assert document[name] == again[name]
    assert document["run"]["arguments"] == again["run"]["arguments"]
    assert document["run"]["threads"] == 1


def test_a_saved_reference_says_how_it_is_compared(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    human, candidate = data
    saved = tw.Reference(human, metrics="fast", seed=3).save(tmp_path / "human.tailwatch")
    assert run(["compare", str(saved), candidate, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    expected = compare(human, candidate, metrics="fast", seed=3)
    assert document["frame"] == json.loads(expected.to_json())["frame"]
    assert document["run"]["reference"] == expected.run["reference"]
    assert run(["compare", str(saved), candidate, "--seed", "4"]) == 2
    assert "seed: expected 3, which the reference was made with" in capsys.readouterr().err
    saved.write_bytes(saved.read_bytes()[:-1])
    assert run(["compare", str(saved), candidate]) == 2
    assert "damaged" in capsys.readouterr().err


def test_a_reference_without_rows_is_compared_and_says_what_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(1)
    human, new = random.standard_normal((400, 4)), 0.5 * random.standard_normal((300, 4))
    names = ["total_variance", "effective_rank"]
    for name, rows in (("new", new), ("few", new[:150])):
        np.save(tmp_path / f"{name}.npy", rows)
    saved = tw.Reference(human, metrics=names).save(tmp_path / "human.tailwatch", rows=False)
    assert run(["compare", str(saved), str(tmp_path / "new.npy"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["frame"] == json.loads(compare(human, new, metrics=names).to_json())["frame"]
    assert run(["compare", str(saved), str(tmp_path / "few.npy")]) == 2
    assert "candidate: expected at least 200 rows" in capsys.readouterr().err
    assert run(["compare", str(saved), str(tmp_path / "new.npy"), "--per", "label"]) == 2
    assert "per: expected a reference that holds its rows" in capsys.readouterr().err


def test_files_are_written_where_asked(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html, parquet = tmp_path / "report.html", tmp_path / "numbers.parquet"
    before = set(tmp_path.iterdir())
    outputs = ["--html", str(html), "--parquet", str(parquet)]
    assert run(["compare", *data, "--metrics", "fast", *outputs]) == 0
    assert set(tmp_path.iterdir()) - before == {html, parquet}
    assert pl.read_parquet(parquet).equals(compare(*data, metrics="fast").frame)
    assert html.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    shown = capsys.readouterr().err
    assert shown.endswith(f"wrote {parquet}\nwrote {html}\n")


def test_the_column_is_chosen(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = []
    for name, path in zip(("one", "two"), data, strict=True):
        values = np.load(path)
        table = pl.DataFrame({"embedding": np.zeros_like(values), "vector": values})
        table.write_parquet(tmp_path / f"{name}.parquet")
        sources.append(str(tmp_path / f"{name}.parquet"))
    arguments = ["--metrics", "total_variance", "--json"]
    run(["compare", *data, *arguments])
    expected = json.loads(capsys.readouterr().out)["frame"]
    assert run(["compare", *sources, "--column", "vector", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["frame"] == expected


def test_the_help_lists_panels_and_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "--help"]) == 0
    shown = capsys.readouterr().out
    # Lines are broken by the width of the terminal, and a frame stands around them.
    told = "".join(shown.replace("│", " ").split())
    assert "Apanel(standard,fast,all)" in told
    assert all(f"{name}" in told for name in METRICS)
    assert "--per" in told


def test_classes_are_compared_by_a_column(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = []
    for name, path in zip(("one", "two"), data, strict=True):
        values = np.load(path)
        label = np.where(np.arange(len(values)) % 2, "odd", "even")
        table = pl.DataFrame({"vector": values, "label": label})
        table.write_parquet(tmp_path / f"{name}.parquet")
        sources.append(str(tmp_path / f"{name}.parquet"))
    html, parquet = tmp_path / "classes.html", tmp_path / "classes-out.parquet"
    options = ["--column", "vector", "--per", "label", "--metrics", "tail_odds_ratio,recall"]
    files = ["--html", str(html), "--parquet", str(parquet)]
    assert run(["compare", *sources, *options, *files, "--json"]) == 0
    shown = capsys.readouterr()
    found = compare(
        *(tw.open(source, column="vector") for source in sources),
        per="label",
        metrics=("tail_odds_ratio", "recall"),
    )
    document = json.loads(shown.out)
    assert document["classes"] == json.loads(found.to_json())["classes"]
    assert pl.read_parquet(parquet).equals(found.frame)
    assert "tailwatch comparison by class" in html.read_text("utf-8")
    assert " ".join(found.sentence.split()) in " ".join(shown.err.split())
    (line,) = (line for line in shown.err.splitlines() if line.startswith("odd"))
    assert line.split()[1:4] == ["200", "+", "150"]
    assert line.rstrip().endswith("lost")


def test_a_missing_column_of_classes_is_one_line(
    data: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *data, "--per", "label"]) == 2
    assert capsys.readouterr().err == (
        f"error: reference: {data[0]}: no column 'label'; the embeddings are an array, not a "
        "table\n"
    )


def test_outputs_are_checked_before_the_inputs_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none" / "report.html"
    assert run(["compare", "missing.npy", "missing.npy", "--html", str(path)]) == 2
    expected = f"error: --html: the directory {path.parent} does not exist; make it first\n"
    assert capsys.readouterr().err == expected


def test_a_failure_writes_no_file(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.load(data[1])
    values[120, 3] = np.nan
    np.save(data[1], values)
    before = set(tmp_path.iterdir())
    assert run(["compare", *data, "--parquet", str(tmp_path / "numbers.parquet")]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: candidate: row 120, column 3 holds NaN")
    assert shown.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["{tmp}/missing.npy", "{candidate}"], ["missing.npy"]),
        (["{reference}", "{tmp}/none-*.npy"], ["none-*.npy"]),
        (["{reference}", "{candidate}", "--metrics", "beauty"], ["metrics", "beauty"]),
        (["{reference}", "{candidate}", "--metrics", ","], ["metrics"]),
        (["{reference}", "{candidate}", "--confidence", "1.5"], ["confidence", "1.5"]),
        (["{reference}", "{candidate}", "--tail-levels", "2"], ["tail_levels", "2"]),
        (["{reference}", "{candidate}", "--k", "5000"], ["k", "5000"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    parts: list[str],
    data: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reference, candidate = data
    filled = [
        text.format(tmp=tmp_path, reference=reference, candidate=candidate) for text in arguments
    ]
    assert run(["compare", *filled]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert all(part in shown.err for part in parts)


GATED = ["--metrics", "tail_odds_ratio,copies,normalised_copies", "--threads", "1"]


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--fail-on", "copies"], 0, "gate: passed: none of copies"),
        (["--fail-on", "tails_lost,copies"], 1, "gate: failed: tails_lost"),
        (["--fail-on", "tails-lost", "--keep", "0.001"], 3, "gate: inconclusive: tails_lost"),
        (["--fail-on", "junk"], 3, "gate: inconclusive: junk cannot be told"),
        (["--keep", "0.8"], 1, "gate: failed: tails_lost"),
    ],
)
def test_the_gate_decides_the_exit_code(
    data: tuple[str, str],
    options: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["compare", *data, *GATED, *options]) == code
    assert capsys.readouterr().err.splitlines()[-1].startswith(said)


def test_findings_are_written_whatever_the_gate_says(
    data: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"--markdown": tmp_path / "f.md", "--junit": tmp_path / "f.xml"}
    options = [text for option, path in files.items() for text in (option, str(path))]
    assert run(["compare", *data, *GATED, "--fail-on", "tails_lost", *options, "--json"]) == 1
    found = compare(*data, metrics=("tail_odds_ratio", "copies", "normalised_copies"), threads=1)
    document = json.loads(capsys.readouterr().out)
    assert document["findings"] == json.loads(found.to_json())["findings"]
    assert files["--markdown"].read_text().count("✗ found") == 1
    assert 'failures="1"' in files["--junit"].read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fail-on", "tails"], "--fail-on: expected names of findings"),
        (["--limit", "junk"], "--limit: expected NAME=X, X a number, got 'junk'"),
        (["--fail-on", "copies", "--limit", "junk=0.1"], "--limit: expected limits of findings"),
        (["--fail-on", "copies", "--keep", "2"], "--keep: expected"),
        (["--markdown", "a.txt"], "--markdown: expected a file name that ends in .md"),
        (["--junit", "a.md"], "--junit: expected a file name that ends in .xml"),
    ],
)
def test_a_gate_that_cannot_be_is_refused_before_the_work(
    data: tuple[str, str], options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *data, *options]) == 2
    assert f"error: {said}" in capsys.readouterr().err

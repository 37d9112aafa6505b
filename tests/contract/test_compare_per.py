"""A comparison class by class: each class as if it were alone, and all classes told of."""

from __future__ import annotations

import json
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import tailwatch as tw
from tailwatch.comparison.by_class.classes import class_seed
from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA, FRAME_SCHEMA
from tailwatch.comparison.frame import SCHEMA
from tailwatch.exceptions import InputError, SourceError
from tests.support import samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

METRICS = ["tail_odds_ratio", "tail_mass", "directional_tails", "total_variance"]
SIZES = {"kept": (300, 200), "shrunk": (400, 130), "few": (127, 90), "gone": (200, 0)}
SIZES |= {"small": (150, 63), "new": (0, 80)}


def drawn(side: int) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Rows of all classes in random order, and their labels."""
    names = np.repeat(list(SIZES), [sizes[side] for sizes in SIZES.values()])
    x = samples.gaussian(10 + side, len(names), 6).astype(np.float32)
    if side:
        x[names == "shrunk"] *= 0.4
    order = np.random.default_rng(side).permutation(len(names))
    return x[order], names[order]


(X, OF_X), (Y, OF_Y) = drawn(0), drawn(1)


def compare(per: object = (OF_X, OF_Y), **given: object) -> tw.ClassComparison:
    asked: dict[str, Any] = {"metrics": METRICS, "tail_levels": (0.1, 0.05), "threads": 2}
    return tw.compare(X, Y, per=per, **asked | given)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def found() -> tw.ClassComparison:
    return compare()


def same(one: tw.ClassComparison, other: tw.ClassComparison) -> bool:
    return one.frame.equals(other.frame) and one.classes.equals(other.classes)


def test_schemas_are_promises(found: tw.ClassComparison) -> None:
    leading = {
        "class": pl.String(),
        "reference_rows": pl.Int64(),
        "candidate_rows": pl.Int64(),
        "verdict": pl.String(),
        "p_value": pl.Float64(),
        "q_value": pl.Float64(),
    }
    assert list(found.frame.schema.items())[:6] == list(leading.items())
    assert list(found.frame.schema)[6:] == list(SCHEMA)
    assert list(found.classes.schema.items())[:6] == list(leading.items())
    assert list(found.classes.schema)[6:] == [
        "metric",
        "level",
        "value",
        "low",
        "high",
        "seed",
        "note",
    ]
    assert found.frame.schema == pl.Schema(FRAME_SCHEMA)
    assert found.classes.schema == pl.Schema(CLASSES_SCHEMA)


def test_every_class_of_either_side_is_told_of_by_the_evidence_of_loss(
    found: tw.ClassComparison,
) -> None:
    verdicts = dict(found.classes.select("class", "verdict").iter_rows())
    assert verdicts == {
        "shrunk": "lost",
        "kept": "no change found",
        "gone": "absent",
        "few": "not compared",
        "small": "not compared",
        "new": "new",
    }
    assert found.classes["class"].to_list() == ["shrunk", "kept", "gone", "small", "few", "new"]
    assert found.frame["class"].unique(maintain_order=True).to_list() == list(verdicts)
    sizes = found.classes.select("class", "reference_rows", "candidate_rows").iter_rows()
    assert {name: counts for name, *counts in sizes} == {
        name: list(counts) for name, counts in SIZES.items()
    }


def test_why_a_class_was_not_compared_is_said_in_both_frames(found: tw.ClassComparison) -> None:
    share = len(Y) / len(X)
    notes = {
        "gone": f"no candidate rows, where {200 * share:.3g} were to be expected",
        "few": "127 reference rows, of 128 at least",
        "small": "63 candidate rows, of 64 at least",
        "new": "no reference rows",
    }
    missing = found.classes.filter(pl.col("note").is_not_null())
    assert dict(missing.select("class", "note").iter_rows()) == notes
    for name, note in notes.items():
        (row,) = found.frame.filter(pl.col("class") == name).select(*SCHEMA).to_dicts()
        expected = {"n_reference": SIZES[name][0], "n_candidate": SIZES[name][1]}
        expected |= {"reason": note}
        assert {key: value for key, value in row.items() if value is not None} == expected


@pytest.mark.parametrize("name", ["kept", "shrunk"])
def test_a_class_is_compared_as_if_it_were_alone(name: str, found: tw.ClassComparison) -> None:
    seed = class_seed(0, name)
    x, y = X[name == OF_X], Y[name == OF_Y]
    alone = tw.compare(x, y, metrics=METRICS, tail_levels=(0.1, 0.05), seed=seed)
    (row,) = found.classes.filter(pl.col("class") == name).to_dicts()
    assert row["seed"] == seed
    assert (row["reference_rows"], row["candidate_rows"]) == SIZES[name]
    assert found.of(name).frame.equals(alone.frame)
    assert found.of(name).sentence == alone.sentence
    for key in ("rows_used", "arguments"):
        expected = alone.run[key]
        assert {part: found.of(name).run[key][part] for part in expected} == expected
    test = tw.metrics.tail_test(x, y, level=0.05)
    decided = [row[key] for key in ("metric", "level", "value", "low", "high", "p_value")]
    expected = ["tail_odds_ratio", 0.05, test.odds_ratio, test.low, test.high, test.p_value]
    assert decided == expected


def test_q_values_are_over_the_classes_that_were_compared(found: tw.ClassComparison) -> None:
    least, other = (found.classes["p_value"][row] for row in (0, 1))
    assert found.classes["q_value"].to_list() == [2 * least, other, None, None, None, None]
    assert least < 1e-3


def test_other_classes_make_no_difference_to_the_numbers_of_one(found: tw.ClassComparison) -> None:
    of_x, of_y = OF_X == "kept", OF_Y == "kept"
    others = (np.where(of_x, "kept", "rest"), np.where(of_y, "kept", "rest"))
    again = compare(others)
    assert again.of("kept").frame.equals(found.of("kept").frame)
    assert again.of("kept").run["arguments"] == found.of("kept").run["arguments"]


def test_rows_of_a_class_may_lie_anywhere_among_those_of_others(found: tw.ClassComparison) -> None:
    order = np.argsort(OF_X, kind="stable")
    again = tw.compare(
        X[order],
        Y,
        per=(OF_X[order], OF_Y),
        metrics=METRICS,
        tail_levels=(0.1, 0.05),
        threads=1,
    )
    assert same(again, found)


@pytest.mark.parametrize("threads", [1, 3, None])
def test_threads(threads: int | None, found: tw.ClassComparison) -> None:
    assert same(compare(threads=threads), found)


def test_another_seed_is_another_split(found: tw.ClassComparison) -> None:
    again = compare(seed=1)
    assert not again.frame["null"].equals(found.frame["null"])
    assert again.classes["p_value"].equals(found.classes["p_value"]), "all rows are not drawn"


LABELS: dict[str, Callable[[NDArray[np.str_]], object]] = {
    "list": lambda names: names.tolist(),
    "tuple": lambda names: tuple(names.tolist()),
    "object array": lambda names: names.astype(object),
    "series": pl.Series,
    "categorical": lambda names: pl.Series(names).cast(pl.Categorical),
    "enum": lambda names: pl.Series(names, dtype=pl.Enum(list(SIZES))),
    "arrow": pa.array,
    "arrow chunks": lambda names: pa.chunked_array([names[:7], names[7:]]),
}


@pytest.mark.parametrize("form", LABELS)
def test_labels_come_in_many_forms(form: str, found: tw.ClassComparison) -> None:
    shape = LABELS[form]
    assert same(compare((shape(OF_X), shape(OF_Y))), found)


def table(x: NDArray[np.float32], names: NDArray[np.str_], label: str = "label") -> pl.DataFrame:
    vectors = pl.Series(x, dtype=pl.Array(pl.Float32, x.shape[1]))
    return pl.DataFrame({"embedding": vectors, label: names})


def test_a_column_of_frames(found: tw.ClassComparison) -> None:
    frames = table(X, OF_X), table(Y, OF_Y)
    given: dict[str, Any] = {"metrics": METRICS, "tail_levels": (0.1, 0.05), "threads": 2}
    assert same(tw.compare(*frames, per="label", **given), found)
    named = frames[0], table(Y, OF_Y, "kind")
    assert same(tw.compare(*named, per=("label", "kind"), **given), found)
    assert same(tw.compare(frames[0], Y, per=("label", OF_Y), **given), found)
    assert same(tw.compare(frames[0].to_arrow(), Y, per=("label", OF_Y), **given), found)


def test_a_column_of_files(found: tw.ClassComparison, tmp_path: Path) -> None:
    frame = table(X, OF_X)
    frame[:500].write_parquet(tmp_path / "x-1.parquet")
    frame[500:500].write_parquet(tmp_path / "x-2.parquet")
    frame[500:].with_columns(pl.col("label").cast(pl.Categorical)).write_ipc(tmp_path / "x-3.arrow")
    table(Y, OF_Y).rename({"embedding": "vector"}).write_parquet(tmp_path / "y.parquet")
    again = tw.compare(
        [tmp_path / "x-1.parquet", tmp_path / "x-2.parquet", tmp_path / "x-3.arrow"],
        tw.open(tmp_path / "y.parquet", column="vector"),
        per="label",
        metrics=METRICS,
        tail_levels=(0.1, 0.05),
    )
    assert same(again, found)
    assert again.run["arguments"]["per"] == ["label", "label"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int64])
def test_whole_numbers_keep_their_order_and_are_found_by_themselves(dtype: type) -> None:
    numbers = np.repeat(np.array([10, 9, 2], dtype), [130, 130, 20])
    x, y = samples.gaussian(1, 280, 3), samples.gaussian(2, 280, 3)
    found = tw.compare(x, y, per=(numbers, numbers.tolist()), metrics=["total_variance"])
    assert found.classes["class"].to_list() == ["9", "10", "2"]
    assert found.of(9).frame.equals(found.of("9").frame)


def test_booleans() -> None:
    yes = np.repeat([True, False], 140)
    x, y = samples.gaussian(1, 280, 3), samples.gaussian(2, 280, 3)
    found = tw.compare(x, y, per=(yes, pl.Series(yes)), metrics=["total_variance"])
    assert sorted(found.classes["class"]) == ["false", "true"]
    assert found.of(True).frame.equals(found.of("true").frame)


BAD: dict[str, tuple[object, str]] = {
    "one array": (
        OF_X,
        (
            "per: expected the name of a column, or a tuple of two: the labels of reference and of "
            "candidate, got ndarray"
        ),
    ),
    "three": (
        (OF_X, OF_Y, OF_Y),
        (
            "per: expected the name of a column, or a tuple of two: the labels of reference and of "
            "candidate, got a tuple of 3"
        ),
    ),
    "no table": (
        "label",
        "reference: no column 'label'; the embeddings are an array, not a table",
    ),
    "too few labels": (
        (OF_X, OF_Y[:-1]),
        f"per: labels of candidate: expected one for each of {len(Y)} rows, got {len(Y) - 1}",
    ),
    "a missing label": (
        ([None, *OF_X[1:].tolist()], OF_Y),
        "per: labels of reference: row 0 holds none",
    ),
    "NaN among texts": (
        ([*OF_X[:7].tolist(), math.nan, *OF_X[8:].tolist()], OF_Y),
        "per: labels of reference: row 7 holds none (NaN)",
    ),
    "NaN among texts of an array": (
        (OF_X, np.array([*OF_Y[:-1].tolist(), math.nan], dtype=object)),
        f"per: labels of candidate: row {len(Y) - 1} holds none (NaN)",
    ),
    "whole numbers that NaN made floats": (
        (np.where(np.arange(len(X)) == 5, np.nan, 1.0), OF_Y),
        "per: labels of reference: row 5 holds none (NaN)",
    ),
    "a series of floats": (
        (OF_X, pl.Series([1.0, math.nan, *[2.0] * (len(Y) - 2)])),
        "per: labels of candidate: row 1 holds none (NaN)",
    ),
    "numbers with fractions": (
        (np.zeros(len(X)), OF_Y),
        "per: labels of reference: expected strings, integers or booleans, got Float64",
    ),
    "two dimensions": (
        (OF_X[:, np.newaxis], OF_Y),
        f"per: labels of reference: expected one dimension, got shape ({len(X)}, 1)",
    ),
    "mixed": (
        ([1, *OF_X[1:].tolist()], OF_Y),
        "per: labels of reference: expected strings, integers or booleans of one type",
    ),
    "other types": (
        (np.arange(len(X)), OF_Y),
        "per: expected labels of one type, got integers for reference and strings for candidate",
    ),
    "no labels": (
        (3, OF_Y),
        (
            "per: labels of reference: expected the name of a column, an array, a series or a "
            "list, got int"
        ),
    ),
    "a class for every row": (
        (np.arange(len(X)), np.arange(len(Y))),
        (
            "per: expected a class with at least 128 reference and 64 candidate rows, got "
            f"{len(X)} smaller ones; '0' has 1 and 1"
        ),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_labels(case: str) -> None:
    per, text = BAD[case]
    with pytest.raises(InputError) as caught:
        compare(per)
    # What to do about it may follow.
    assert str(caught.value).startswith(text)
    assert case == "no table" or (caught.value.argument and caught.value.got)


def test_a_column_that_is_missing_or_holds_nulls(tmp_path: Path) -> None:
    frame = table(X, OF_X)
    with pytest.raises(SourceError, match=r"^candidate: no column 'label'; it has embedding \(Ar"):
        tw.compare(frame, frame.rename({"label": "kind"}), per="label")
    path = tmp_path / "y.parquet"
    nulls = frame.with_columns(
        pl.when(pl.arange(pl.len()) != 7).then(pl.col("label")).alias("label")
    )
    nulls.write_parquet(path)
    with pytest.raises(InputError, match=r"^candidate: column 'label': row 7 holds none; "):
        tw.compare(frame, path, per="label")


def test_categories_may_differ_between_files_of_a_side(tmp_path: Path) -> None:
    texts = np.repeat(["cat", "dog"], 140)
    x = samples.gaussian(1, 280, 3)
    given = [pl.Enum(["cat", "dog"]), pl.Enum(["dog", "eel", "cat"]), pl.Categorical(), pl.String()]
    for number, kind in enumerate(given):
        frame = table(x, texts).with_columns(pl.col("label").cast(kind))
        frame.write_parquet(tmp_path / f"{number}.parquet")
    for chosen in ("[01].parquet", "[02].parquet", "[13].parquet", "*.parquet"):
        source = str(tmp_path / chosen)
        found = tw.compare(source, source, per="label", metrics=["total_variance"])
        assert sorted(found.classes["class"]) == ["cat", "dog"]
        files = found.classes["reference_rows"].sum() // 280
        assert files == (4 if chosen[0] == "*" else 2)


def test_labels_are_looked_at_before_the_data_are_read() -> None:
    with pytest.raises(InputError, match=r"^per: "):
        tw.compare("missing.npy", "missing.npy", per=3)  # type: ignore[call-overload]


def test_what_fails_in_one_class_is_said_there_and_in_all_is_raised() -> None:
    # Half-samples have 75 rows in the one class, 65 in the other.
    found = compare(k=70, metrics=["recall"])
    (row,) = found.classes.filter(pl.col("class") == "kept").to_dicts()
    assert row["verdict"] == "undetermined"
    (row,) = found.classes.filter(pl.col("class") == "shrunk").to_dicts()
    assert row["verdict"] == "not compared"
    assert row["note"].startswith("k: expected 1 to ")
    with pytest.raises(InputError, match=r"^k: expected 1 to "):
        compare(k=5000, metrics=["recall"])


def test_rows_are_bounded_in_each_class() -> None:
    found = compare(max_rows=130)
    quadratic = found.frame.filter(pl.col("metric") == "tail_mass")
    assert set(quadratic["n_reference"]) == {65}
    assert quadratic.select("n_reference_all", "n_candidate_all").unique().rows() == [(130, 130)]
    assert found.of("kept").run["rows_used"]["quadratic_half"] == 65


def test_without_tails_nothing_is_judged() -> None:
    found = compare(metrics=["total_variance"])
    assert set(found.classes["verdict"]) == {"undetermined", "absent", "new", "not compared"}
    assert found.classes["p_value"].null_count() == len(SIZES)
    assert found.sentence.startswith("No tail metric was asked for")


def test_the_fast_panel_judges_by_directional_tails() -> None:
    x, y = samples.gaussian(5, 3000, 6), samples.gaussian(6, 2000, 6)
    of_x, of_y = (np.repeat(["kept", "shrunk"], len(rows) // 2) for rows in (x, y))
    y[1000:] *= 0.7
    found = tw.compare(x, y, per=(of_x, of_y), metrics="fast")
    first, second = found.classes.to_dicts()
    assert (first["class"], first["verdict"], second["verdict"]) == (
        "shrunk",
        "lost",
        "no change found",
    )
    assert (first["metric"], first["level"]) == ("directional_tails", 0.01)
    alone = found.of("shrunk").frame.row(0, named=True)
    assert [first[name] for name in ("value", "low", "high")] == [
        alone[name] for name in ("retention", "retention_low", "retention_high")
    ]


def test_progress_tells_of_each_class_and_of_what_takes_long() -> None:
    seen: list[tuple[str, int, int]] = []
    threads = set()

    def report(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        threads.add(threading.get_ident())

    x, y = samples.gaussian(3, 8000, 64), samples.gaussian(4, 8000, 64)
    halves = np.repeat(["a", "b"], 4000)
    tw.compare(x, y, per=(halves, halves), metrics=["recall"], threads=1, progress=report)
    assert [row for row in seen if row[0] == "classes"] == [("classes", 1, 2), ("classes", 2, 2)]
    assert {stage for stage, _, _ in seen} == {
        "class 1 of 2, neighbours",
        "class 2 of 2, neighbours",
        "classes",
    }
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("stage", ["classes", "class 1 of 2, neighbours"])
def test_an_interruption_ends_it_at_once(stage: str, tmp_path: Path) -> None:
    calls: list[str] = []

    def report(now: str, done: int, total: int) -> None:
        calls.append(now)
        if now == stage:
            raise KeyboardInterrupt

    x, y = samples.gaussian(3, 8000, 64), samples.gaussian(4, 8000, 64)
    halves = np.repeat(["a", "b"], 4000)
    with pytest.raises(KeyboardInterrupt):
        tw.compare(x, y, per=(halves, halves), metrics=["recall"], threads=1, progress=report).save(
            tmp_path / "a.json"
        )
    assert calls[-1] == stage
    assert calls.count(stage) == 1
    assert list(tmp_path.iterdir()) == []


def test_files_hold_all(found: tw.ClassComparison, tmp_path: Path) -> None:
    assert pl.read_parquet(found.save(tmp_path / "a.parquet")).equals(found.frame)
    read = pl.read_csv(found.save(tmp_path / "a.csv"), schema=FRAME_SCHEMA)
    assert read.equals(found.frame)
    document = json.loads(found.save(tmp_path / "a.json").read_text("utf-8"))
    assert list(document) == ["sentence", "run", "classes", "frame"]
    assert document["sentence"] == found.sentence
    assert document["run"] == found.run
    assert [row["class"] for row in document["classes"]] == found.classes["class"].to_list()
    assert len(document["frame"]) == found.frame.height
    page = found.save(tmp_path / "a.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    with pytest.raises(InputError, match=r"^path: expected a name ending in \.html"):
        found.save(tmp_path / "a.txt")


def test_a_comparison_of_classes_is_read_again(found: tw.ClassComparison, tmp_path: Path) -> None:
    again = tw.ClassComparison.load(found.save(tmp_path / "a.tailwatch"))
    assert again == found
    assert again.classes.equals(found.classes)
    assert (again.run, again.sentence) == (found.run, found.sentence)
    compared = found.classes.filter(pl.col("note").is_null())["class"][0]
    assert again.of(compared) == found.of(compared)
    with pytest.raises(SourceError, match="kind comparison of classes"):
        tw.Comparison.load(tmp_path / "a.tailwatch")


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone", "no candidate rows, where "), ("x", "there is none")],
)
def test_a_class_without_a_comparison(name: str, why: str, found: tw.ClassComparison) -> None:
    with pytest.raises(InputError) as caught:
        found.of(name)
    assert str(caught.value).startswith(
        f"name: expected a class that was compared, got {name!r} ({why}"
    )


def test_repr_says_the_finding_and_shows_the_classes(found: tw.ClassComparison) -> None:
    assert repr(found) == f"{found.sentence}\n{found.classes!r}"
    assert "tw-fragment" in found._repr_html_()

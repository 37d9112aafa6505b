"""The demo: its data and model, its chart, and the command from end to end."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

from tailwatch.cli import run
from tailwatch.comparison.frame import SCHEMA
from tailwatch.demo.generations import WATCHED, DrawingLearner, generations_svg, human_halves
from tailwatch.recursion import Replace
from tailwatch.recursion import run as run_loop
from tests.support.drawings import linear, marks, number_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def rows_of(pictures: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(map(tuple, pictures.tolist()))


def draw(training: np.ndarray, seed: int) -> np.ndarray:
    """One generation: learn, and draw as many pictures."""
    rng = np.random.default_rng(seed)
    return DrawingLearner().fit(training, rng=rng).sample(len(training), rng=rng)


def test_the_halves_are_all_digits_and_share_none() -> None:
    training, reference = human_halves(0)
    assert (len(training), len(reference)) == (898, 899)
    assert rows_of(np.concatenate([training, reference])) == rows_of(load_digits().data)


def test_another_seed_splits_otherwise() -> None:
    assert rows_of(human_halves(0)[0]) == rows_of(human_halves(0)[0])
    assert rows_of(human_halves(0)[0]) != rows_of(human_halves(1)[0])


def test_drawn_pictures_are_stored_like_human_ones() -> None:
    training, _ = human_halves(0)
    drawn = draw(training, seed=0)
    assert drawn.shape == training.shape
    assert drawn.min() == 0
    assert drawn.max() == 16
    assert np.array_equal(drawn, np.rint(drawn))
    # A model that copied would make everything that follows meaningless.
    assert not set(rows_of(drawn)) & set(rows_of(training))


def test_seed_and_generation_choose_the_pictures() -> None:
    training, _ = human_halves(0)
    first = draw(training, seed=0)
    assert np.array_equal(first, draw(training, seed=0))
    assert not np.array_equal(first, draw(training, seed=1))
    # The loop has a generator for each generation: the same pictures are never drawn twice.
    loop = run_loop(DrawingLearner(), training, policy=Replace(), generations=2, metrics=())
    assert not set(rows_of(loop.samples(1))) & set(rows_of(loop.samples(2)))


def watched(generations: int, high: float | None = 0.9) -> pl.DataFrame:
    """Rows as `watch` makes them, each value different."""
    rows = [
        {
            "generation": generation,
            "metric": metric,
            "level": 0.1 if metric == "tail_mass" else None,
            "retention": 0.8 - 0.1 * position - 0.01 * generation,
            "retention_low": None if high is None else 0.2,
            "retention_high": high,
        }
        for generation in range(1, generations + 1)
        for position, metric in enumerate(WATCHED)
    ]
    return pl.DataFrame(rows)


def picture(frame: pl.DataFrame) -> ET.Element:
    """Return the picture, its elements without their namespace."""
    return ET.fromstring(generations_svg(frame).replace(' xmlns="http://www.w3.org/2000/svg"', ""))


def retention(drawn: ET.Element) -> Callable[[float], float]:
    """Return the retention of a pixel."""
    labels = marks(drawn, tag="text", text_anchor="end", font_size="12")
    lines = marks(drawn, tag="line", stroke="line")[: len(labels)]
    ends = [(i.middle[1], number_of(m.text)) for i, m in zip(lines, labels, strict=True)]
    return linear(ends)


def test_the_chart_draws_each_metric_of_each_generation() -> None:
    frame = watched(3)
    drawn = picture(frame)
    titles = [mark.text.split(",")[0] for mark in marks(drawn, font_size="14")]
    assert titles == ["Coverage", "Recall", "Total variance", "Tail mass"]
    number = retention(drawn)
    points = [mark.middle for mark in marks(drawn, tag="circle")]
    assert points == sorted(points)
    expected = [
        value for metric in WATCHED for value in frame.filter(metric=metric)["retention"].to_list()
    ]
    assert [number(y) for _, y in points] == pytest.approx(expected, abs=0.001)
    bars = [mark.places for mark in marks(drawn, tag="line", opacity="0.4")]
    assert len(bars) == len(points)
    for bar in bars:
        assert [number(y) for _, y in bar] == pytest.approx([0.2, 0.9], abs=0.001)
    nulls = [mark.middle[1] for mark in marks(drawn, stroke_dasharray="4,3")]
    assert [number(y) for y in nulls] == pytest.approx([1] * 4, abs=0.001)


@pytest.mark.parametrize(("high", "top"), [(0.9, 1.1), (1.4, 1.4), (50.0, 2.0), (None, 1.1)])
def test_the_scale_holds_the_null_and_no_wide_interval_flattens_it(
    high: float | None, top: float
) -> None:
    number = retention(picture(watched(2, high)))
    assert number(0) == pytest.approx(top, abs=0.002)
    assert number(200) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("generations", [1, 5, 50])
def test_the_picture_is_svg(generations: int) -> None:
    root = ET.fromstring(generations_svg(watched(generations)))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = " ".join(root.itertext())
    assert "a fresh human sample" in text
    assert "retention" in text


def test_the_demo_runs_and_writes_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--generations", "2", "--seed", "3", "--open"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert opened == [(out / "report.html").as_uri()]
    assert f"wrote {out / 'report.html'}" in shown.err
    assert "898 handwritten digits" in shown.err
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "comparison.parquet",
        "generations.parquet",
        "generations.svg",
        "loop.html",
    }
    generations = pl.read_parquet(out / "generations.parquet")
    of_all = [name for name in SCHEMA if name.endswith("_all") or name == "p_value"]
    last = pl.read_parquet(out / "comparison.parquet").drop(of_all)
    assert generations.select("generation", "metric").rows() == [
        (generation, metric) for generation in (1, 2) for metric in WATCHED
    ]
    # The same comparison, once with the watched metrics only and once with the whole panel.
    of_last = generations.filter(pl.col("generation") == 2).drop("generation")
    assert of_last.join(last, on=last.columns, how="semi", nulls_equal=True).equals(of_last)
    recall = generations.filter(pl.col("metric") == "recall")["retention"]
    assert recall[1] < recall[0] < 1


def test_a_file_in_the_way_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "demo"
    path.touch()
    assert run(["demo", "--out", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --out: cannot create the directory {path}")

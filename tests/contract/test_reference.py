"""A reference is prepared once: the same numbers for less work, and no null knows a candidate."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch import _core
from tailwatch.comparison import human as human_side
from tailwatch.comparison.reference import side_of
from tailwatch.exceptions import InputError, SourceError, TailwatchError
from tailwatch.recursion import Replace
from tailwatch.recursion.learners import Gaussian
from tests.support import samples
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUMAN = samples.gaussian(1, 301, 4)
SMALL, LARGE = samples.gaussian(2, 100, 4, scale=0.8), samples.gaussian(3, 225, 4, scale=0.9)
PREPARATIONS = [name for name in dir(_core) if name.startswith("prepare_")]


def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what the core prepares; it is prepared all the same."""
    calls: Counter[str] = Counter()

    def counting(name: str) -> Callable[..., object]:
        real = getattr(_core, name)

        def call(*arguments: object) -> object:
            calls[name] += 1
            return real(*arguments)

        return call

    for name in (*PREPARATIONS, "k_means", "mauve", "knn_jensen_shannon"):
        monkeypatch.setattr(_core, name, counting(name))
    return calls


def work_of(reference: tw.Reference, candidate: np.ndarray) -> Counter[str]:
    """Pairs of rows in each stage of a comparison, as the core counts them."""
    done: dict[tuple[str, int], int] = {}

    def note(stage: str, _: int, total: int) -> None:
        done[stage, total] = total

    tw.compare(reference, candidate, progress=note)
    pairs: Counter[str] = Counter()
    for (stage, _), total in done.items():
        pairs[stage] += total
    return pairs


@pytest.mark.parametrize("metrics", ["standard", "all"])
def test_a_reference_gives_the_numbers_of_its_rows(metrics: str) -> None:
    reference = tw.Reference(HUMAN, metrics=metrics, k=3, tail_levels=(0.1,), seed=4)
    # The first size again after another.
    for candidate in (LARGE, SMALL, LARGE[::-1].copy()):
        expected = tw.compare(HUMAN, candidate, metrics=metrics, k=3, tail_levels=(0.1,), seed=4)
        found = tw.compare(reference, candidate)
        assert found.frame.equals(expected.frame)
        assert found.run["arguments"] == expected.run["arguments"]
        assert found.sentence == expected.sentence


def test_bounded_rows_and_float16() -> None:
    human, other = HUMAN.astype(np.float16), LARGE.astype(np.float32)
    reference = tw.Reference(human, max_rows=140)
    expected = tw.compare(human, other, max_rows=140)
    assert tw.compare(reference, other).frame.equals(expected.frame)


def test_classes_of_a_reference() -> None:
    labels = np.arange(301) % 2, np.arange(225) % 2
    reference = tw.Reference(HUMAN, metrics="fast")
    found = tw.compare(reference, LARGE, per=labels)
    expected = tw.compare(HUMAN, LARGE, per=labels, metrics="fast")
    assert found.frame.equals(expected.frame)
    assert found.classes.equals(expected.classes)


def test_classes_are_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(301) % 2, np.arange(225) % 2
    reference = tw.Reference(HUMAN, metrics="standard")
    calls = counted(monkeypatch)
    first = tw.compare(reference, LARGE, per=labels)
    assert calls["prepare_neighbors"] == calls["prepare_kernels"] == 2
    assert calls["k_means"] == 4
    again = tw.compare(reference, LARGE, per=labels)
    assert again.frame.equals(first.frame)
    prepared = {name: count for name, count in calls.items() if name.startswith("prepare_")}
    assert set(prepared.values()) == {2}
    # Modes of all rows are found each time, those of A once.
    assert calls["k_means"] == 6
    # Other rows of a class, and other classes, are others.
    shifted = (np.roll(labels[0], 1), labels[1])
    tw.compare(reference, LARGE, per=shifted)
    assert calls["prepare_neighbors"] == 4


def test_what_is_kept_of_classes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.arange(301) % 2, np.arange(225) % 2
    reference = tw.Reference(HUMAN, metrics="total_variance")
    of_class = side_of(reference).require_rows("per").of_class
    zeros, ones = (np.flatnonzero(labels[0] == label) for label in (0, 1))
    first, second = of_class(zeros, 0), of_class(ones, 0)
    assert of_class(zeros, 0) is first
    assert of_class(zeros, 1) is not first
    # About 1 KB a row; the least recently used goes first.
    monkeypatch.setattr(human_side, "MOST_BYTES", int(2.5 * first.bytes))
    assert 150 * 1024 < first.bytes < 200 * 1024
    third = of_class(zeros, 2)
    assert of_class(zeros, 2) is third
    assert of_class(ones, 0) is not second
    expected = tw.compare(HUMAN, LARGE, per=labels, metrics="total_variance")
    for _ in range(2):
        found = tw.compare(reference, LARGE, per=labels)
        assert found.frame.equals(expected.frame)


CANDIDATES = {
    "fresh": samples.gaussian(5, 150, 4),
    "shrunk": samples.gaussian(6, 150, 4, scale=0.1),
    "far": samples.gaussian(7, 150, 4) + 1e6,
    "near": samples.gaussian(8, 150, 4).astype(np.float16),
    "copies": np.tile(HUMAN[:15], (10, 1)),
    "one point": np.ones((150, 4)),
    "zeros": np.zeros((150, 4)),
    "heavy": np.random.default_rng(9).standard_cauchy((150, 4)),
    "vast": samples.gaussian(10, 150, 4) * 1e100,
}
NULLS = ("metric", "level", "null", "n_reference")


@pytest.mark.parametrize("human", ["continuous", "tied", "repeating"])
def test_no_null_knows_the_candidate(human: str) -> None:
    rows = {
        "continuous": HUMAN,
        "tied": np.round(HUMAN),
        "repeating": np.concatenate([HUMAN[:150], np.repeat(HUMAN[:1], 151, axis=0)]),
    }[human]
    names = CANDIDATES if human == "continuous" else ("fresh", "far", "copies", "one point")
    nulls = {
        name: tw.compare(rows, CANDIDATES[name], metrics="all").frame.select(NULLS)
        for name in names
    }
    for name, found in nulls.items():
        assert found.equals(nulls["fresh"]), name


def test_the_null_of_wide_rows_knows_no_candidate_either() -> None:
    # Rows of 64 float32 columns are multiplied in single precision, in a frame of their own.
    human = samples.gaussian(11, 1040, 64).astype(np.float32)
    candidates = (
        samples.gaussian(12, 520, 64),
        samples.gaussian(13, 520, 64).astype(np.float32) * np.float32(1e10),
    )
    names = ["coverage", "energy_distance", "mmd_polynomial", "mmd_gaussian", "knn_divergence"]
    first, second = (
        tw.compare(human, candidate, metrics=names).frame.select(NULLS) for candidate in candidates
    )
    assert first.equals(second)


def test_the_second_candidate_costs_two_of_five_searches_and_two_of_five_kernel_squares() -> None:
    reference = tw.Reference(HUMAN, metrics=["coverage", "energy_distance"])
    first, second = (work_of(reference, LARGE) for _ in range(2))
    n, m = len(HUMAN), len(LARGE)
    h = n // 2
    assert second["neighbours"] == 2 * h * h + n * n + m * m + n * m
    assert first["neighbours"] - second["neighbours"] == 3 * h * h
    assert first["kernels"] - second["kernels"] == 3 * h * h
    assert second["kernels"] >= 2 * h * h


def test_a_loop_prepares_its_human_side_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    human, held_out = samples.gaussian(14, 200, 3), samples.gaussian(15, 200, 3)
    run = tw.recursion.run(
        Gaussian(), human, holdout=held_out, policy=Replace(), generations=10, size=100
    )
    measured = run.frame.filter(metric="energy_distance")
    assert measured.height == 10
    assert measured["null"].n_unique() == 1
    standard = {"prepare_neighbors", "prepare_directions", "prepare_moments", "prepare_kernels"}
    assert {name for name in calls if name.startswith("prepare_")} == standard
    assert all(calls[name] == 1 for name in standard)
    # Modes of A for mode_coverage once, and a few clusterings of a part of it for between_modes.
    once = calls["k_means"]
    calls.clear()
    tw.recursion.run(Gaussian(), human, holdout=held_out, policy=Replace(), generations=2, size=100)
    assert calls["k_means"] == once


def test_a_loop_measures_what_compare_does() -> None:
    human, held_out = samples.gaussian(14, 200, 3), samples.gaussian(15, 200, 3)
    run = tw.recursion.run(
        Gaussian(), human, holdout=held_out, policy=Replace(), generations=2, size=100, seed=3
    )
    shared = ["metric", "level", "value", "null", "retention", "low", "null_high"]
    reference = tw.Reference(held_out, seed=3)
    for generation in (1, 2):
        expected = tw.compare(reference, run.samples(generation)).frame.select(shared)
        of_loop = run.frame.filter(
            (pl.col("generation") == generation)
            & (pl.col("group") == "panel")
            & pl.col("metric").is_in(expected["metric"].unique().to_list())
        )
        assert of_loop.select(shared).equals(expected)


def test_threads_share_a_reference() -> None:
    reference = tw.Reference(HUMAN, metrics="all")
    expected = tw.compare(HUMAN, LARGE, metrics="all").frame
    found: list[pl.DataFrame] = []
    threads = [
        threading.Thread(target=lambda: found.append(tw.compare(reference, LARGE).frame))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(frame.equals(expected) for frame in found)


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"seed": 1}, "seed"),
        ({"k": 4}, "k"),
        ({"metrics": "all"}, "metrics"),
        ({"tail_levels": (0.2,)}, "tail_levels"),
        ({"max_rows": 200}, "max_rows"),
    ],
)
def test_other_arguments_than_the_reference_has_are_refused(
    given: dict[str, Any], argument: str
) -> None:
    reference = tw.Reference(HUMAN, metrics="fast")
    with pytest.raises(InputError) as caught:
        tw.compare(reference, LARGE, **given)
    assert caught.value.argument == argument
    assert caught.value.expected is not None
    assert "the reference was made with" in caught.value.expected


def test_the_same_arguments_and_another_confidence_are_not() -> None:
    reference = tw.Reference(HUMAN, metrics="fast", seed=2)
    found = tw.compare(reference, LARGE, metrics="fast", seed=2, k=5, confidence=0.8)
    expected = tw.compare(HUMAN, LARGE, metrics="fast", seed=2, confidence=0.8)
    assert found.frame.equals(expected.frame)


def test_what_a_reference_cannot_be_made_of_is_refused() -> None:
    with refused(InputError, "reference", "a file", "nothing", "no file"):
        tw.Reference("no file")
    with refused(InputError, "k", "an integer of at least 1", "0"):
        tw.Reference(HUMAN, k=0)
    with refused(InputError, "reference", "at least 128 rows to compare", "100"):
        tw.compare(tw.Reference(HUMAN[:100]), LARGE)


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_loaded_reference_gives_the_same_numbers(tmp_path: Path, dtype: type) -> None:
    human = HUMAN.astype(dtype)
    made = tw.Reference(human, metrics="all", k=3, max_rows=200, seed=5)
    path = made.save(tmp_path / "human.tailwatch")
    expected = tw.compare(human, LARGE, metrics="all", k=3, max_rows=200, seed=5)
    for reference in (tw.Reference.load(path), path, str(path)):
        found = tw.compare(reference, LARGE)
        assert found.frame.equals(expected.frame)
        assert found.run["reference"] == expected.run["reference"]
        assert found.run["arguments"] == expected.run["arguments"]
    loaded = tw.Reference.load(path)
    assert loaded.fingerprint == made.fingerprint
    assert loaded.fingerprint == path.read_bytes()[16:48].hex()
    assert loaded.save(tmp_path / "again.tailwatch").read_bytes() == path.read_bytes()
    assert path.stat().st_size < human.nbytes + 1200


def test_rows_of_several_types_and_files(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", HUMAN[:150].astype(np.float32))
    np.save(tmp_path / "1.npy", HUMAN[150:])
    source = str(tmp_path / "*.npy")
    path = tw.Reference(source, metrics="fast").save(tmp_path / "human.tailwatch")
    found, expected = (tw.compare(each, LARGE, metrics="fast") for each in (path, source))
    assert found.frame.equals(expected.frame)


def test_a_fingerprint_is_of_rows_and_arguments() -> None:
    made = [
        tw.Reference(HUMAN),
        tw.Reference(HUMAN.astype(np.float32)),
        tw.Reference(HUMAN, seed=1),
        tw.Reference(HUMAN, metrics="fast"),
        tw.Reference(HUMAN[:-1]),
    ]
    assert len({reference.fingerprint for reference in made}) == len(made)
    assert tw.Reference(HUMAN[::1]).fingerprint == made[0].fingerprint


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    path = tw.Reference(HUMAN[:130], metrics="fast").save(tmp_path / "human.tailwatch")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    bad = tmp_path / "bad.tailwatch"
    places = [*range(60), *rng.integers(len(whole), size=100).tolist(), len(whole) - 1]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        bad.write_bytes(damaged)
        with pytest.raises(SourceError) as caught:
            tw.Reference.load(bad)
        assert caught.value.argument == "reference"
    for length in (0, 1, 15, 16, 50, 60, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(SourceError):
            tw.Reference.load(bad)
    bad.write_bytes(whole + b"\0")
    with pytest.raises(SourceError):
        tw.Reference.load(bad)


def test_other_files_and_names_are_refused(tmp_path: Path) -> None:
    reference = tw.Reference(HUMAN, metrics="fast")
    with refused(InputError, "path", "a name ending in .tailwatch", "'human.npz'"):
        reference.save(tmp_path / "human.npz")
    other = tw.compare(reference, LARGE).save(tmp_path / "result.json")
    (tmp_path / "other.tailwatch").write_bytes(other.read_bytes())
    for path in (tmp_path / "other.tailwatch", tmp_path / "none.tailwatch", tmp_path):
        with refused(TailwatchError, "reference…"):
            tw.Reference.load(path)

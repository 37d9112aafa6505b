"""A reference that a file keeps without its rows: the same bits, and no row in it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import tailwatch as tw
from tailwatch.comparison.registry import METRICS
from tailwatch.exceptions import DimensionError, InputError, SourceError, TailwatchError
from tests.support import samples
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPECTRA = ["total_variance", "effective_rank", "participation_ratio", "vendi_score"]
MOMENTS = ["frechet_distance", "frechet_distance_extrapolated", *SPECTRA]
SMALL = samples.gaussian(1, 257, 3)
MEDIUM = samples.gaussian(2, 1101, 4)


def kept(human: np.ndarray, folder: Path, **arguments: Any) -> Path:  # noqa: ANN401
    return tw.Reference(human, **arguments).save(folder / "human.tailwatch", rows=False)


def assert_same(found: tw.Comparison, expected: tw.Comparison) -> None:
    assert found.frame.equals(expected.frame)
    assert found.sentence == expected.sentence
    for part in ("reference", "candidate", "arguments", "rows_used"):
        assert found.run[part] == expected.run[part]


CASES = {
    "spectra": (SMALL, SPECTRA),
    "one of them": (SMALL, ["vendi_score"]),
    "moments": (MEDIUM, MOMENTS),
    "a distance": (MEDIUM, ["frechet_distance"]),
    "the extrapolated alone": (MEDIUM, ["frechet_distance_extrapolated"]),
}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("case", CASES)
def test_the_same_bits_without_rows(case: str, dtype: type, tmp_path: Path) -> None:
    human, metrics = CASES[case][0].astype(dtype), CASES[case][1]
    half, columns = len(human) // 2, human.shape[1]
    path = kept(human, tmp_path, metrics=metrics, seed=3)
    loaded = tw.Reference.load(path)
    # As many rows as a half, one more, and more than all human ones; of any type.
    for rows, other in ((half, dtype), (half + 1, np.float32), (2 * half + 9, np.float64)):
        new = samples.gaussian(rows, rows, columns, scale=0.9).astype(other)
        expected = tw.compare(human, new, metrics=metrics, seed=3, confidence=0.9)
        assert_same(tw.compare(loaded, new, confidence=0.9), expected)
    assert_same(tw.compare(str(path), new, confidence=0.9), expected)


@pytest.mark.parametrize(("rows", "columns", "dtype"), [(4201, 9, "f8"), (4401, 20, "f4")])
def test_directional_tails_have_the_same_bits(
    rows: int, columns: int, dtype: str, tmp_path: Path
) -> None:
    human = samples.gaussian(3, rows, columns).astype(dtype)
    # Rows that lie on each other have thresholds on which there are rows.
    human[: rows // 2] = np.round(human[: rows // 2])
    new = samples.gaussian(4, rows, columns, scale=0.9)
    path = kept(human, tmp_path, metrics="directional_tails")
    assert_same(tw.compare(path, new), tw.compare(human, new, metrics="directional_tails"))


def test_the_whole_fast_panel_needs_no_rows(tmp_path: Path) -> None:
    human, new = samples.gaussian(5, 4700, 12), samples.gaussian(6, 2350, 12)
    path = kept(human, tmp_path, metrics="fast", max_rows=500, tail_levels=(0.2,), k=7)
    arguments: dict[str, Any] = {"max_rows": 500, "tail_levels": (0.2,), "k": 7}
    assert_same(tw.compare(path, new), tw.compare(human, new, metrics="fast", **arguments))


HUMAN = {
    "heavy": np.random.default_rng(7).standard_cauchy((701, 3)),
    "constant": np.full((701, 3), 2.5),
    "a row of zeros": np.concatenate([np.zeros((1, 3)), samples.gaussian(8, 700, 3)]),
    "flat": np.pad(samples.gaussian(9, 701, 2), ((0, 0), (0, 1))),
    "far": samples.gaussian(10, 701, 3) + 1e7,
}


@pytest.mark.parametrize("name", HUMAN)
def test_data_of_every_kind(name: str, tmp_path: Path) -> None:
    human, new = HUMAN[name], samples.gaussian(11, 400, 3)
    path = kept(human, tmp_path, metrics=["frechet_distance", *SPECTRA])
    for candidate in (new, np.zeros((400, 3)), human[:350] * 2):
        expected = tw.compare(human, candidate, metrics=["frechet_distance", *SPECTRA])
        assert_same(tw.compare(path, candidate), expected)


def test_another_process_finds_the_same_bits(tmp_path: Path) -> None:
    path, new = kept(MEDIUM, tmp_path, metrics=MOMENTS), samples.gaussian(12, 600, 4)
    np.save(tmp_path / "new.npy", new)
    code = "import sys, tailwatch as tw; tw.compare(*sys.argv[1:3]).save(sys.argv[3])"
    files = [str(path), str(tmp_path / "new.npy"), str(tmp_path / "found.parquet")]
    subprocess.run([sys.executable, "-c", code, *files], check=True)
    expected = tw.compare(MEDIUM, new, metrics=MOMENTS).frame
    assert pl.read_parquet(tmp_path / "found.parquet").equals(expected)


# --- what is in the file --------------------------------------------------------------------------


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    end = 52 + int.from_bytes(data[48:52], "little")
    return json.loads(data[52:end]), data[end:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_row_is_in_the_file(dtype: type, tmp_path: Path) -> None:
    human = samples.gaussian(13, 9001, 25).astype(dtype)
    metrics = [name for name, metric in METRICS.items() if not metric.needs_rows]
    data = kept(human, tmp_path, metrics=metrics).read_bytes()
    numbers = np.frombuffer(parts(data)[1], "<f8")
    assert not np.isin(human.astype(np.float64), numbers).any()
    for row in human[::97]:
        assert row.tobytes() not in data
        assert row.astype(np.float16).tobytes() not in data
    # Nor is any threshold the projection of a row, which has five rows beyond it.
    directions = np.reshape(numbers[: 256 * 25], (256, 25))
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(256))
    thresholds = np.reshape(numbers[256 * 25 + 31 :][: 256 * 31 * 4], (256, 31, 2, 2))
    along = human.astype(np.float64) @ directions.T
    for direction in range(0, 256, 16):
        lower = thresholds[direction, :, 0, 0]
        assert (lower > np.partition(along[:, direction], 5)[5]).all()


def test_the_size_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    sizes = {
        kept(samples.gaussian(14, rows, 4), tmp_path, metrics=MOMENTS).stat().st_size
        for rows in (1100, 2200, 9900)
    }
    (size,) = sizes
    assert size < 1100 * 4 * 8


def test_what_a_loaded_reference_says(tmp_path: Path) -> None:
    path = kept(SMALL, tmp_path, metrics=SPECTRA)
    loaded = tw.Reference.load(path)
    assert repr(loaded) == ("Reference(257 rows of 3 columns, which it does not hold, 4 metrics)")
    assert (len(loaded), loaded.columns) == (257, 3)
    assert loaded.fingerprint == path.read_bytes()[16:48].hex()
    assert loaded.fingerprint != tw.Reference(SMALL, metrics=SPECTRA).fingerprint
    again = loaded.save(tmp_path / "again.tailwatch", rows=False)
    assert again.read_bytes() == path.read_bytes()


# --- damage ---------------------------------------------------------------------------------------


def assert_refused(data: bytes, path: Path, got: str) -> None:
    path.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        tw.Reference.load(path)
    assert caught.value.argument == "reference"
    assert got in (caught.value.got or "")


def test_every_byte_that_changes_is_noticed(tmp_path: Path) -> None:
    whole = kept(SMALL, tmp_path, metrics=SPECTRA).read_bytes()
    bad = tmp_path / "bad.tailwatch"
    for place in (*range(300), *range(300, len(whole), 29), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        assert_refused(damaged, bad, "")
    for length in (0, 1, 15, 16, 47, 48, 51, 52, 60, len(whole) - 1):
        assert_refused(whole[:length], bad, "file")
    assert_refused(whole + b"\0", bad, "a file that is damaged")
    assert_refused(b"tailwatch-human9" + whole[16:], bad, "another version")
    assert_refused(b"tailwatch-model1" + whole[16:], bad, "another file")


def sealed(header: dict[str, Any], arrays: bytes) -> bytes:
    """A file with the right hash, as someone hostile would make it."""
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    content = len(text).to_bytes(4, "little") + text + arrays
    return b"tailwatch-human1" + hashlib.sha256(content).digest() + content


def arguments(**changed: object) -> Callable[[dict[str, Any]], None]:
    return lambda header: header["arguments"].update(changed)


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "rows that are not there": (lambda header: header.update(rows=True), "more than there is"),
    "metrics that need rows": (arguments(metrics=["recall", "total_variance"]), "need the rows"),
    "more metrics": (arguments(metrics=["frechet_distance", *SPECTRA]), "more than there is"),
    "too many metrics": (arguments(metrics=["directional_tails", *SPECTRA]), "need the rows"),
    "metrics in disorder": (arguments(metrics=SPECTRA[::-1]), "arguments"),
    "no metrics": (arguments(metrics=[]), "arguments"),
    "an unknown metric": (arguments(metrics=["spam"]), "arguments"),
    "an unknown argument": (arguments(more=1), "arguments"),
    "a seed below 0": (arguments(seed=-1), "arguments"),
    "no arguments": (lambda header: header.update(arguments=None), "arguments"),
    "one more field": (lambda header: header.update(more=1), "fields"),
    "too few rows": (lambda header: header.update(shape=[127, 3]), "128"),
    "no rows": (lambda header: header.update(shape=[0, 3]), "shape"),
    "rows of text": (lambda header: header.update(shape=["257", 3]), "shape"),
    "a cube": (lambda header: header.update(shape=[257, 3, 3]), "shape"),
    "another type": (lambda header: header.update(dtype="int8"), "type"),
    "a name of 1": (lambda header: header.update(name=1), "name"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_is_refused(name: str, tmp_path: Path) -> None:
    header, arrays = parts(kept(SMALL, tmp_path, metrics=SPECTRA).read_bytes())
    bad = tmp_path / "bad.tailwatch"
    bad.write_bytes(sealed(header, arrays))
    assert len(tw.Reference.load(bad)) == 257
    change, got = FORGED[name]
    change(header)
    assert_refused(sealed(header, arrays), bad, got)


def test_no_claim_takes_memory_that_the_file_has_not(tmp_path: Path) -> None:
    header, arrays = parts(kept(MEDIUM, tmp_path, metrics=MOMENTS).read_bytes())
    header["shape"] = [1 << 50, 1 << 30]
    assert_refused(sealed(header, arrays), tmp_path / "bad.tailwatch", "more than there is")


def test_forged_numbers_end_no_process(tmp_path: Path) -> None:
    path = kept(MEDIUM, tmp_path, metrics=MOMENTS)
    header, arrays = parts(path.read_bytes())
    for value in (np.nan, np.inf, -1e300, 0.0):
        path.write_bytes(sealed(header, np.full(len(arrays) // 8, value).tobytes()))
        with suppress(TailwatchError), np.errstate(all="ignore"):
            tw.compare(path, samples.gaussian(15, 600, 4))


# --- refusals -------------------------------------------------------------------------------------


@pytest.fixture
def loaded(tmp_path: Path) -> tw.Reference:
    return tw.Reference.load(kept(SMALL, tmp_path, metrics=SPECTRA))


def test_a_smaller_candidate_is_refused(loaded: tw.Reference) -> None:
    with refused(InputError, "candidate", "at least 128 rows, …", "100", hint="…with its rows…"):
        tw.compare(loaded, samples.gaussian(16, 100, 3))


def test_what_needs_the_rows_is_refused(loaded: tw.Reference, tmp_path: Path) -> None:
    labels = (np.arange(257) % 2, np.arange(150) % 2)
    calls: dict[str, Callable[[], object]] = {
        "per": lambda: tw.compare(loaded, SMALL[:150], per=labels),
        "rows": lambda: loaded.save(tmp_path / "again.tailwatch"),
        "embeddings": lambda: loaded.embeddings,
    }
    for argument, call in calls.items():
        with refused(InputError, argument, "a reference that holds its rows"):
            call()
    assert not (tmp_path / "again.tailwatch").exists()
    with refused(DimensionError, "candidate", "3 columns as in reference", "4"):
        tw.compare(loaded, samples.gaussian(17, 200, 4))
    with refused(InputError, "seed", "0, which the reference was made with", "1"):
        tw.compare(loaded, SMALL, seed=1)


NEEDED = "True for metrics that need the rows: "


def test_metrics_that_need_rows_are_named(tmp_path: Path) -> None:
    reference = tw.Reference(MEDIUM, metrics=["recall", "total_variance", "energy_distance"])
    hint = "prepare the reference with metrics=['total_variance'], or save it with rows=True"
    with refused(InputError, "rows", f"{NEEDED}recall, energy_distance", "False", hint=hint):
        reference.save(tmp_path / "human.tailwatch", rows=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_is_kept_or_refused(name: str, tmp_path: Path) -> None:
    reference = tw.Reference(samples.gaussian(18, 4201, 9), metrics=name)
    path = tmp_path / "human.tailwatch"
    if METRICS[name].needs_rows:
        with refused(InputError, "rows", f"{NEEDED}{name}"):
            reference.save(path, rows=False)
        assert not path.exists()
    else:
        assert reference.save(path, rows=False).stat().st_size < 4201 * 9 * 8


def test_a_file_that_would_be_no_smaller_is_refused(tmp_path: Path) -> None:
    # 32 means and covariances of 4 columns and 127 other numbers, of 8 bytes each; a row has 32.
    numbers = 32 * (4 + 10) + 4 * 31 + 3
    least = numbers // 4 + 1
    path = tmp_path / "human.tailwatch"
    few, enough = (
        tw.Reference(MEDIUM[:rows], metrics="frechet_distance") for rows in (least - 1, least)
    )
    with refused(InputError, "rows", f"{NEEDED}frechet_distance (of fewer than {least} rows)"):
        few.save(path, rows=False)
    assert enough.save(path, rows=False).exists()
    both = tw.Reference(samples.gaussian(19, 4300, 9), metrics=["directional_tails", *MOMENTS])
    with refused(InputError, "rows", "True where the rows are fewer bytes: 309600 for …", "False"):
        both.save(path, rows=False)
    with refused(InputError, "reference", "at least 128 rows to compare", "127"):
        tw.Reference(SMALL[:127], metrics=SPECTRA).save(path, rows=False)

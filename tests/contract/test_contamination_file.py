"""A model's file: the same bits back, every change noticed, nothing hostile gets in."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.contamination.model_file import MAGIC
from tailwatch.exceptions import SourceError, TailwatchError
from tests.support.errors import fields, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

load = tw.contamination.ContaminationModel.load
RNG = np.random.default_rng(6)
HUMAN, SYNTHETIC = RNG.normal(size=(200, 3)), 1.5 + RNG.normal(size=(150, 3))
TARGET = np.concatenate([RNG.normal(size=(900, 3)), 1.5 + RNG.normal(size=(100, 3))])
MODELS = {
    "both references": lambda: tw.contamination.fit(HUMAN, SYNTHETIC, encoder="encoder/é"),
    "strata": lambda: tw.contamination.fit(HUMAN, SYNTHETIC, strata=np.arange(200) % 4),
    "human only": lambda: tw.contamination.fit(HUMAN, target=TARGET),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "m.tailwatch"
    return MODELS["strata"]().save(path).read_bytes()


@pytest.mark.parametrize("name", MODELS)
def test_what_is_loaded_is_what_was_saved(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    again = load(model.save(tmp_path / "m"))
    assert again.fingerprint == model.fingerprint
    assert again.encoder == model.encoder
    assert again.save(tmp_path / "n").read_bytes() == (tmp_path / "m").read_bytes()
    assert again.score(TARGET).tobytes() == model.score(TARGET).tobytes()
    found = model.prevalence(TARGET)
    assert again.prevalence(TARGET) == found
    scores = model.score(TARGET)
    assert again.rows_from(scores, again.prevalence(TARGET)).equals(model.rows_from(scores, found))
    # Counts of the one may go on in the other.
    assert again.prevalence(model.histogram(TARGET)) == found


def test_a_fit_is_the_same_bytes_again(tmp_path: Path) -> None:
    first, second = (MODELS["strata"]().save(tmp_path / name) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_any_byte_that_changes_is_noticed(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m"
    positions = {*range(120), *range(0, len(data), 37), len(data) - 1}
    for position in positions:
        spoilt = bytearray(data)
        spoilt[position] ^= 1 << position % 8
        path.write_bytes(spoilt)
        with pytest.raises(SourceError):
            load(path)


@pytest.mark.parametrize("change", [-1, -1000, 1])
def test_a_file_that_is_cut_or_longer_is_noticed(data: bytes, tmp_path: Path, change: int) -> None:
    path = tmp_path / "m"
    path.write_bytes(data[:change] if change < 0 else data + bytes(change))
    with refused(SourceError, "model", "the bytes that were written", "other bytes", "…/m"):
        load(path)


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(data[48:52], "little")
    return json.loads(data[52 : 52 + length]), data[52 + length :]


def sealed(header: bytes, arrays: bytes, length: int | None = None) -> bytes:
    """A file with the right hash, as someone hostile would make it."""
    size = len(header) if length is None else length
    content = size.to_bytes(4, "little") + header + arrays
    return MAGIC + hashlib.sha256(content).digest() + content


def written(header: object) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def changed(data: bytes, **fields: object) -> bytes:
    header, arrays = parts(data)
    return sealed(written(header | fields), arrays)


def reshaped(data: bytes, **shapes: object) -> bytes:
    header, arrays = parts(data)
    return sealed(written(header | {"shapes": header["shapes"] | shapes}), arrays)


def with_array(data: bytes, name: str, change: Callable[[np.ndarray], None]) -> bytes:
    """The file with one array changed in place."""
    types = {"weights": "<f8", "intercepts": "<f8", "bounds": "<u8", "edges": "<f4"}
    types |= {"thresholds": "<f4", "human": "<i8", "synthetic": "<i8", "calibration": "<f4"}
    header, arrays = parts(data)
    start = 0
    for each, kind in types.items():
        size = int(np.prod(header["shapes"][each])) * np.dtype(kind).itemsize
        if each == name:
            array = np.frombuffer(arrays[start : start + size], kind).copy()
            change(array)
            return sealed(
                written(header), arrays[:start] + array.tobytes() + arrays[start + size :]
            )
        start += size
    raise AssertionError(name)


class Trap:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("a pickle was executed",)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("data.pkl", pickle.dumps(Trap()))
    return buffer.getvalue()


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.array([Trap()], object))
    return buffer.getvalue()


def setting(index: int, value: float) -> Callable[[np.ndarray], None]:
    def change(array: np.ndarray) -> None:
        array[index] = value

    return change


ATTACKS: dict[str, tuple[Callable[[bytes], bytes], dict[str, str]]] = {
    "nothing": (lambda _: b"", fields("model", "a file that save() wrote", "another file", "…/m")),
    "text": (
        lambda _: b"hello" * 100,
        fields("model", "a file that save() wrote", "another file", "…/m"),
    ),
    "a pickle": (
        lambda _: pickle.dumps(Trap()),
        fields("model", "a file that save() wrote", "another file", "…/m"),
    ),
    "a zip with a pickle": (
        lambda _: archive(),
        fields("model", "a file that save() wrote", "another file", "…/m"),
    ),
    "an npz with a pickle": (
        lambda _: npz(),
        fields("model", "a file that save() wrote", "another file", "…/m"),
    ),
    "a pickle behind the magic": (
        lambda _: MAGIC + pickle.dumps(Trap()),
        fields("model", "the bytes that were written", "other bytes", "…/m"),
    ),
    "a pickle for a header": (
        lambda data: sealed(pickle.dumps(Trap()), parts(data)[1]),
        fields("model", "what fit() gives", "'ascii' codec can't decode byte 0x80 in …", "…/m"),
    ),
    "a header beyond the file": (
        lambda data: sealed(written(parts(data)[0]), b"", 2**32 - 1),
        fields(
            "model",
            "what fit() gives",
            "header: expected at most 16777216 bytes within the file, got 4294967295",
            "…/m",
        ),
    ),
    "no header": (
        lambda _: sealed(b"", b""),
        fields("model", "what fit() gives", "Expecting value: line 1 column 1 (char 0)", "…/m"),
    ),
    "a deep header": (
        lambda _: sealed(b"[" * 100_000, b""),
        fields(
            "model", "what fit() gives", "maximum recursion depth exceeded while decoding…", "…/m"
        ),
    ),
    "a list": (
        lambda _: sealed(b"[]", b""),
        fields(
            "model", "what fit() gives", "header: expected the fields encoder, fitted_on,…", "…/m"
        ),
    ),
    "another field": (
        lambda data: changed(data, more=1),
        fields(
            "model", "what fit() gives", "header: expected the fields encoder, fitted_on,…", "…/m"
        ),
    ),
    "spaces": (
        lambda data: sealed(json.dumps(parts(data)[0], sort_keys=True).encode(), parts(data)[1]),
        fields(
            "model", "what fit() gives", "header: expected the form in which it is written", "…/m"
        ),
    ),
    "a number of 5,000 digits": (
        lambda data: sealed(
            written(parts(data)[0]).replace(b'"seed":0', b'"seed":' + b"9" * 5000), parts(data)[1]
        ),
        fields("model", "what fit() gives", "Exceeds the limit (4300 digits) for integer …", "…/m"),
    ),
    "strata of numbers": (
        lambda data: changed(data, strata=[1, 2, 3, 4]),
        fields(
            "model",
            "what fit() gives",
            "header: expected text for the encoder and each of the strata",
            "…/m",
        ),
    ),
    "no strata": (
        lambda data: changed(data, strata=None),
        fields(
            "model", "what fit() gives", "Value after * must be an iterable, not NoneType", "…/m"
        ),
    ),
    "too few strata": (
        lambda data: changed(data, strata=["a"]),
        fields("model", "what fit() gives", "strata: expected a name for each part", "…/m"),
    ),
    "an encoder of lists": (
        lambda data: changed(data, encoder=["x"]),
        fields(
            "model",
            "what fit() gives",
            "header: expected text for the encoder and each of the strata",
            "…/m",
        ),
    ),
    "rows of text": (
        lambda data: changed(data, rows=["1", "2"]),
        fields(
            "model",
            "what fit() gives",
            "header: rows: expected 2 integers of at least 0, got ['1', '2']",
            "…/m",
        ),
    ),
    "negative rows": (
        lambda data: changed(data, rows=[-1, 2]),
        fields(
            "model",
            "what fit() gives",
            "header: rows: expected 2 integers of at least 0, got [-1, 2]",
            "…/m",
        ),
    ),
    "other rows": (
        lambda data: changed(data, rows=[7, 150]),
        fields("model", "what fit() gives", "human: expected rows in each of two parts", "…/m"),
    ),
    "a seed of true": (
        lambda data: changed(data, seed=True),
        fields(
            "model",
            "what fit() gives",
            "header: seed: expected 1 integers of at least 0, got [True]",
            "…/m",
        ),
    ),
    "a huge shape": (
        lambda data: reshaped(data, weights=[2**40, 2**20]),
        fields(
            "model", "what fit() gives", "weights: expected shape [1099511627776, 1048576]…", "…/m"
        ),
    ),
    "a negative shape": (
        lambda data: reshaped(data, edges=[-1]),
        fields(
            "model",
            "what fit() gives",
            "header: edges: expected 1 integers of at least 0, got [-1]",
            "…/m",
        ),
    ),
    "a shape of another rank": (
        lambda data: reshaped(data, weights=[15]),
        fields(
            "model",
            "what fit() gives",
            "header: weights: expected 2 integers of at least 0, got [15]",
            "…/m",
        ),
    ),
    "no weights": (
        lambda data: reshaped(data, weights=[0, 3]),
        fields("model", "what fit() gives", "arrays: expected 1228 bytes, got 1348", "…/m"),
    ),
    "turned weights": (
        lambda data: reshaped(data, weights=parts(data)[0]["shapes"]["weights"][::-1]),
        fields("model", "what fit() gives", "intercepts: expected one for each fold", "…/m"),
    ),
    "NaN": (
        lambda data: with_array(data, "weights", setting(0, np.nan)),
        fields("model", "what fit() gives", "weights: expected finite numbers", "…/m"),
    ),
    "an infinite edge": (
        lambda data: with_array(data, "edges", setting(-1, np.inf)),
        fields("model", "what fit() gives", "edges: expected finite numbers", "…/m"),
    ),
    "edges that descend": (
        lambda data: with_array(data, "edges", setting(0, 1e6)),
        fields("model", "what fit() gives", "edges: expected ascending", "…/m"),
    ),
    "calibration that descends": (
        lambda data: with_array(data, "calibration", setting(0, 1e6)),
        fields("model", "what fit() gives", "calibration: expected ascending", "…/m"),
    ),
    "negative counts": (
        lambda data: with_array(data, "human", setting(0, -1)),
        fields("model", "what fit() gives", "human: expected rows in each of two parts", "…/m"),
    ),
    "bounds that end early": (
        lambda data: with_array(data, "bounds", setting(-1, 2**31)),
        fields("model", "what fit() gives", "bounds: expected ascending, up to all hashes", "…/m"),
    ),
    "counts of other rows": (
        lambda data: with_array(data, "synthetic", setting(0, 10**6)),
        fields("model", "what fit() gives", "synthetic: expected the counts of its rows", "…/m"),
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_file_gives_one_clear_error(name: str, data: bytes, tmp_path: Path) -> None:
    make, said = ATTACKS[name]
    path = tmp_path / "m"
    path.write_bytes(make(data))
    with refused(TailwatchError, **said) as caught:
        load(path)
    assert type(caught.value) is SourceError
    assert caught.value.where == str(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for path, reason in ((missing, "No such file or directory"), (tmp_path, "Is a directory")):
        with refused(SourceError, "model", "a file that can be read", reason, str(path)):
            load(path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MODELS["both references"]().save(tmp_path / "missing" / "m")
    assert not list(tmp_path.iterdir())

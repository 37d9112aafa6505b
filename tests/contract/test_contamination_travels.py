"""Models and histograms travel between processes as checked bytes: the same ones, or an error."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.contamination import ContaminationModel, Histogram
from tailwatch.exceptions import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(8)
HUMAN, SYNTHETIC = RNG.normal(size=(120, 3)), 1.5 + RNG.normal(size=(90, 3))
TARGET = np.concatenate([RNG.normal(size=(300, 3)), 1.5 + RNG.normal(size=(60, 3))])
MODELS = {
    "both references": lambda: tw.contamination.fit(HUMAN, SYNTHETIC, encoder="encoder/é"),
    "strata": lambda: tw.contamination.fit(HUMAN, SYNTHETIC, strata=np.arange(120) % 4),
    "human only": lambda: tw.contamination.fit(HUMAN, target=TARGET),
}
WAYS: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda it: type(it).from_bytes(it.to_bytes()),
    "a view of bytes": lambda it: type(it).from_bytes(memoryview(it.to_bytes())),
    "copy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda it, protocol=protocol: pickle.loads(
            pickle.dumps(it, protocol=protocol)
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.fixture(scope="module")
def models() -> dict[str, ContaminationModel]:
    return {name: make() for name, make in MODELS.items()}


@pytest.fixture(scope="module")
def model(models: dict[str, ContaminationModel]) -> ContaminationModel:
    return models["strata"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_the_same_one(
    name: str, way: str, models: dict[str, ContaminationModel]
) -> None:
    model = models[name]
    again = WAYS[way](model)
    assert type(again) is type(model)
    assert again.to_bytes() == model.to_bytes()
    assert again.fingerprint == model.fingerprint
    assert again.encoder == model.encoder
    assert again.score(TARGET).tobytes() == model.score(TARGET).tobytes()
    assert again.prevalence(TARGET) == model.prevalence(TARGET)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", MODELS)
def test_a_histogram_is_the_same_one(
    name: str, way: str, models: dict[str, ContaminationModel]
) -> None:
    model = models[name]
    counts = model.histogram(TARGET[:200])
    again = WAYS[way](counts)
    assert type(again) is Histogram
    assert again.to_bytes() == counts.to_bytes()
    assert (again.fingerprint, again.rows) == (model.fingerprint, 200)
    assert again.bins.tolist() == counts.bins.tolist()
    assert again.ranks.tolist() == counts.ranks.tolist()
    # It goes on where the other stood, and the other does not see it.
    again.absorb(model.score(TARGET[200:]))
    assert again.to_bytes() == model.histogram(TARGET).to_bytes()
    assert model.prevalence(again) == model.prevalence(TARGET)
    assert counts.rows == 200
    assert counts.merge(model.histogram(TARGET[200:])).to_bytes() == again.to_bytes()


def test_an_empty_histogram_travels(model: ContaminationModel) -> None:
    again = pickle.loads(pickle.dumps(model.empty_histogram()))
    assert again.rows == 0
    assert again.merge(model.histogram(TARGET)).to_bytes() == model.histogram(TARGET).to_bytes()


def travellers(model: ContaminationModel) -> list[ContaminationModel | Histogram]:
    return [model, model.histogram(TARGET)]


def test_any_byte_that_changes_is_refused(model: ContaminationModel) -> None:
    for it in travellers(model):
        data = it.to_bytes()
        for position in {*range(120), *range(0, len(data), 41), len(data) - 1}:
            spoilt = bytearray(data)
            spoilt[position] ^= 1 << position % 8
            with pytest.raises(SourceError):
                type(it).from_bytes(bytes(spoilt))


def test_any_cut_and_anything_behind_is_refused(model: ContaminationModel) -> None:
    for it in travellers(model):
        data = it.to_bytes()
        for cut in (0, 1, 16, 17, 48, 49, 53, len(data) // 2, len(data) - 1):
            with pytest.raises(SourceError):
                type(it).from_bytes(data[:cut])
        with pytest.raises(SourceError):
            type(it).from_bytes(data + b"\0")


def test_one_is_not_taken_for_the_other(model: ContaminationModel) -> None:
    counts = model.histogram(TARGET)
    with pytest.raises(SourceError):
        ContaminationModel.from_bytes(counts.to_bytes())
    with pytest.raises(SourceError):
        Histogram.from_bytes(model.to_bytes())
    with pytest.raises(SourceError):
        Histogram.from_bytes(pickle.dumps(counts))


def sealed(data: bytes, change: Callable[[dict[str, Any]], object], *, more: bytes = b"") -> bytes:
    """A histogram with another header, and a checksum that is right."""
    content = data[49:]
    end = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:end])
    change(header)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")
    content = len(text).to_bytes(4, "little") + text + content[end:] + more
    return data[:17] + hashlib.sha256(content).digest() + content


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "one bin more": lambda header: header.update(bins=header["bins"] + 1),
    "one more for one less": lambda header: header.update(
        bins=header["bins"] + 1, ranks=header["ranks"] - 1
    ),
    "none": lambda header: header.update(bins=0),
    "fewer than none": lambda header: header.update(bins=-1),
    "more than memory": lambda header: header.update(bins=10**12),
    "a word": lambda header: header.update(bins="many"),
    "nothing": lambda header: header.update(bins=None),
    "without ranks": lambda header: header.pop("ranks"),
    "of no model": lambda header: header.pop("fingerprint"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_header_is_refused(name: str, model: ContaminationModel) -> None:
    data = model.histogram(TARGET).to_bytes()
    assert Histogram.from_bytes(sealed(data, lambda _: None)).rows == len(TARGET)
    with pytest.raises(SourceError) as caught:
        Histogram.from_bytes(sealed(data, FORGED[name]))
    assert caught.value.argument == "histogram"


def test_forged_counts_are_refused(model: ContaminationModel) -> None:
    counts = model.histogram(TARGET)
    data = counts.to_bytes()
    # The counts of the bins lie behind the header: one row less than in the ranks, or below 0.
    end = 53 + int.from_bytes(data[49:53], "little")
    for value in (int(counts.bins[0]) - 1, -1):
        content = data[49:end] + value.to_bytes(8, "little", signed=True) + data[end + 8 :]
        forged = data[:17] + hashlib.sha256(content).digest() + content
        with pytest.raises(SourceError):
            Histogram.from_bytes(forged)

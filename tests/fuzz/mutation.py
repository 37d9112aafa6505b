"""One altered file for each number: bits, bytes, lengths, blocks, cuts and splices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["mutated"]

_NUMBERS = (0, 1, 2, -1, 127, 128, 255, 1 << 15, (1 << 31) - 1, -(1 << 31), (1 << 63) - 1, 1 << 40)


def mutated(files: Sequence[bytes], seed: int, number: int) -> bytes:
    """Alter one of the files, the same one in the same way for the same numbers."""
    rng = np.random.default_rng([seed, number])
    data = bytearray(files[number % len(files)])
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        alter = _WAYS[int(rng.integers(len(_WAYS)))]
        data = alter(data, rng, files)
    return bytes(data)


def _at(data: bytearray, rng: np.random.Generator) -> int:
    """Choose a place; headers and footers, which say how to read the rest, more often."""
    size = max(len(data), 1)
    edge = min(1024, size)
    where = rng.integers(3)
    if where == 0:
        return int(rng.integers(edge))
    return int(rng.integers(size - edge, size)) if where == 1 else int(rng.integers(size))


def _bit(data: bytearray, rng: np.random.Generator, _: Sequence[bytes]) -> bytearray:
    if data:
        data[_at(data, rng)] ^= 1 << int(rng.integers(8))
    return data


def _byte(data: bytearray, rng: np.random.Generator, _: Sequence[bytes]) -> bytearray:
    if data:
        data[_at(data, rng)] = int(rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))]))
    return data


def _number(data: bytearray, rng: np.random.Generator, _: Sequence[bytes]) -> bytearray:
    width = int(rng.choice([2, 4, 8]))
    value = int(rng.choice(_NUMBERS)) & ((1 << 8 * width) - 1)
    at = _at(data, rng)
    data[at : at + width] = value.to_bytes(width, "little")
    return data


def _block(data: bytearray, rng: np.random.Generator, _: Sequence[bytes]) -> bytearray:
    at, size = _at(data, rng), int(rng.integers(1, 64))
    other = _at(data, rng)
    way = rng.integers(4)
    block = data[other : other + size]
    if way == 0:
        data[at : at + size] = bytes(size)
    elif way == 1:
        data[at : at + size] = block
    elif way == 2:
        data[at:at] = block
    else:
        del data[at : at + size]
    return data


def _cut(data: bytearray, rng: np.random.Generator, _: Sequence[bytes]) -> bytearray:
    return data[: _at(data, rng)]


def _splice(data: bytearray, rng: np.random.Generator, files: Sequence[bytes]) -> bytearray:
    other = bytearray(files[int(rng.integers(len(files)))])
    return data[: _at(data, rng)] + other[_at(other, rng) :]


_WAYS: tuple[Callable[[bytearray, np.random.Generator, Sequence[bytes]], bytearray], ...] = (
    _bit,
    _bit,
    _byte,
    _byte,
    _number,
    _number,
    _block,
    _block,
    _cut,
    _splice,
)

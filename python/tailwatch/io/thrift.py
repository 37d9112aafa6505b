"""The compact protocol of Thrift, in which Parquet writes its footer and the headers of its pages.

A struct becomes a dictionary by the numbers of its fields. Lengths are checked against the bytes
that there are before anything is made of them, and depth is bounded.

References
----------
Apache Thrift, "Thrift compact protocol encoding" (doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["read_struct"]

_DEPTH: Final = 32
_VARINT_BYTES: Final = 10


def read_struct(data: bytes | memoryview, start: int = 0) -> tuple[dict[int, Any], int]:
    """Read a struct.

    Parameters
    ----------
    data
        Bytes that hold one.
    start
        Where it begins.

    Returns
    -------
    dict
        Its fields by their numbers: int, bool, bytes, float, list or dict.
    int
        Where it ends.

    Raises
    ------
    ValueError
        The bytes hold no whole struct.
    """
    reader = _Reader(data, start)
    try:
        return reader.struct(0), reader.at
    except IndexError:
        message = "the bytes end within a struct"
        raise ValueError(message) from None


class _Reader:
    """A place in some bytes."""

    def __init__(self, data: bytes | memoryview, at: int) -> None:
        self._data = data
        self.at = at

    def struct(self, depth: int) -> dict[int, Any]:
        if depth > _DEPTH:
            message = f"structs are more than {_DEPTH} deep"
            raise ValueError(message)
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._zigzag()
            # A bool as a field is told by its type alone.
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401, PLR0911  (by type)
        if kind in (1, 2):
            return self._byte() == 1
        if kind == 3:
            return (self._byte() ^ 128) - 128
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            return self._bytes(8)
        if kind == 8:
            return self._bytes(self._varint())
        if kind in (9, 10):
            return self._list(depth)
        if kind == 11:
            return self._map(depth)
        if kind == 12:
            return self.struct(depth + 1)
        message = f"no type has the number {kind}"
        raise ValueError(message)

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count = head >> 4
        if count == 15:
            count = self._varint()
        self._check(count)
        return [self._value(head & 15, depth + 1) for _ in range(count)]

    def _map(self, depth: int) -> dict[Any, Any]:
        count = self._varint()
        if not count:
            return {}
        self._check(count)
        kinds = self._byte()
        return {
            repr(self._value(kinds >> 4, depth + 1)): self._value(kinds & 15, depth + 1)
            for _ in range(count)
        }

    def _check(self, count: int) -> None:
        if count > len(self._data) - self.at:
            message = f"{count} items are more than the bytes that are left"
            raise ValueError(message)

    def _bytes(self, count: int) -> bytes:
        self._check(count)
        self.at += count
        return bytes(self._data[self.at - count : self.at])

    def _byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 7 * _VARINT_BYTES, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        message = "a number is longer than 64 bits"
        raise ValueError(message)

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

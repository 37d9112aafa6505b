"""Bytes that are nearly those of a file: the damage of disks, transfers, editors and strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

__all__ = ["mutated"]

TOKENS = (b"\0", b"\xff", b"[", b"{", b'"', b"'", b"\n", b":", b"&a", b"*a", b"- ", b"=", b"9" * 99)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Change one to eight places of `content`: bits, bytes, pieces, and signs that mean something.

    Parameters
    ----------
    content
        Of a valid file.
    rng
        What draws.
    """
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place, width = rng.randrange(len(changed) + 1), rng.randrange(1, 40)
        match rng.randrange(7):
            case 0 if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
            case 1 if place < len(changed):
                changed[place] = rng.randrange(256)
            case 2:
                del changed[place : place + width]
            case 3:
                changed[place:place] = rng.randbytes(width)
            case 4:
                changed[place:place] = rng.choice(TOKENS) * rng.choice((1, 1, 3, 50))
            case 5:
                changed[place:place] = changed[rng.randrange(len(changed) + 1) :][:width]
            case _:
                del changed[place:]
    return bytes(changed)

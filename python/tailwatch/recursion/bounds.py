"""How much may be asked of a run: beyond these, time or memory is all that would come of it."""

from __future__ import annotations

__all__ = ["LONGEST_CURVE", "MOST_GENERATIONS", "MOST_ORDER", "MOST_ROWS"]

MOST_GENERATIONS = 100_000
"""Each is fitted, kept in a folder of its own, and a row of every curve."""

MOST_ROWS = 10**15
"""No machine holds more, and closed forms still tell what they lose."""

MOST_ORDER = 64
"""Of n-grams: each token is counted after so many lengths of what came before it."""

LONGEST_CURVE = 1_000_000
"""Generations of a closed form that goes through all of them, a second or so."""

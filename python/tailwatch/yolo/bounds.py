"""The largest numbers that a detector, a learner and a study take; an error names the argument.

Beyond them lies nothing that anyone trains: a slip of the keyboard would end in no memory, or
never.
"""

from __future__ import annotations

__all__ = ["MOST"]

MOST = {
    "epochs": 100_000,
    "imgsz": 8_192,
    "batch": 4_096,
    "max_det": 100_000,
    "crop_imgsz": 2_048,
    "threads": 1_024,
    "budget": 10**12,
    "seeds": 1_000,
    "size": 10**9,
    "generations": 10_000,
}

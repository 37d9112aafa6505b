"""The main job on real data: handwritten digits against models trained on their own output.

:mod:`~tailwatch.demo.generations` holds the data and the model, runs the loop, compares each
generation, and draws what was retained.
"""

from __future__ import annotations

from tailwatch.demo.generations import Generations, watch

__all__ = ["Generations", "watch"]

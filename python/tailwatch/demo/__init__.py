"""The main job on real data: handwritten digits against models trained on their own output.

:mod:`~tailwatch.demo.generations` holds the data and the model, runs the loop and compares each
generation; :mod:`~tailwatch.demo.chart` draws what was retained.
"""

from __future__ import annotations

from tailwatch.demo.generations import Generations, watch

__all__ = ["Generations", "watch"]

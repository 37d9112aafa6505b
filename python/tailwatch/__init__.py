"""Measure, study and prevent model collapse.

Start with :func:`tailwatch.compare`: how far has a data set moved from the human one, and what
became of its tails? Names are loaded when they are first used, so that ``import tailwatch`` and
the command line start at once.

=================  =================================================================================
``embeddings``     rows of numbers, from arrays and files; ``io`` reads them
``metrics``        single numbers of one or two sets
``comparison``     the main job
``contamination``  which rows of a target are synthetic, and what share
``recursion``      loops in which models learn from earlier models; ``yolo`` has detectors
``report``         pages and charts; ``results`` what all results share
``cli``            the command line; ``demo`` its first job
``pytest_plugin``  a fixture of pytest
``exceptions``     the errors
``arguments``      checks of plain arguments
``progress``       threads of a call, and where its progress goes
``background``     work in threads of its own
``distributions``  quantiles, intervals of shares, false-discovery rates
``writing``        files that appear whole or not at all
``text_form``      text that may hold anything
=================  =================================================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailwatch import contamination, exceptions, metrics, recursion, yolo
    from tailwatch.comparison.by_class.result import ClassComparison
    from tailwatch.comparison.compare import compare
    from tailwatch.comparison.reference import Reference
    from tailwatch.comparison.result import Comparison, PairedComparison
    from tailwatch.embeddings import Embeddings, open

    __version__: str

__all__ = [
    "ClassComparison",
    "Comparison",
    "Embeddings",
    "PairedComparison",
    "Reference",
    "__version__",
    "compare",
    "contamination",
    "exceptions",
    "metrics",
    "open",
    "recursion",
    "yolo",
]

_HOMES = {
    "ClassComparison": "tailwatch.comparison.by_class.result",
    "Comparison": "tailwatch.comparison.result",
    "Embeddings": "tailwatch.embeddings",
    "PairedComparison": "tailwatch.comparison.result",
    "Reference": "tailwatch.comparison.reference",
    "compare": "tailwatch.comparison.compare",
    "open": "tailwatch.embeddings",
}
_MODULES = {"contamination", "exceptions", "metrics", "recursion", "yolo"}


def __getattr__(name: str) -> object:
    """Load the public name ``name`` on first use."""
    if name == "__version__":
        # Reading it takes longer than all else here.
        from importlib.metadata import version

        globals()[name] = version("tailwatch")
        return globals()[name]
    if name in _MODULES:
        return importlib.import_module(f"tailwatch.{name}")
    if name not in _HOMES:
        from tailwatch.exceptions import no_such_name

        raise no_such_name(__name__, name, __all__)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

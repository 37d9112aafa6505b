"""The errors of tailwatch: a small tree under :class:`TailwatchError`.

Every message names the argument, what was expected, what came, and where.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "DimensionError",
    "InputError",
    "MissingDependencyError",
    "NonFiniteError",
    "OutputError",
    "ShardError",
    "SourceError",
    "TailwatchError",
    "TailwatchWarning",
]


class TailwatchError(Exception):
    """Base of every error that tailwatch raises on purpose."""


class InputError(TailwatchError, ValueError):
    """An argument is not what the function takes."""


class DimensionError(InputError):
    """Shapes do not fit: not two-dimensional, ragged, or different numbers of columns."""


class NonFiniteError(InputError):
    """The data hold NaN, an infinity, or a magnitude whose square overflows."""


class SourceError(InputError):
    """A file, column or pattern that was asked for cannot be read."""


class ShardError(SourceError):
    """Shards of a data set could not be scored; the others were.

    Attributes
    ----------
    report
        What was found in the others; None where no shard could be scored, or at the first failure
        in strict mode.
    """

    def __init__(self, message: str, report: Any = None) -> None:  # noqa: ANN401  (of a layer above)
        super().__init__(message)
        self.report = report


class OutputError(TailwatchError, OSError):
    """Results cannot be written where they were to go."""


class MissingDependencyError(TailwatchError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class TailwatchWarning(UserWarning):
    """A number may mislead, and the message says why."""

"""What the loop has to know of a kind of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Data", "Kind"]

Data: TypeAlias = Any
"""Rows: a NumPy array whose first axis counts them, a Polars frame or series, or a
:class:`~tailwatch.recursion.RowSet`.

Opaque to the loop, which counts, takes and joins rows and hands them to the learner.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of data, as functions of such data.

    Attributes
    ----------
    name
        In the text of errors.
    holds
        Whether something is of this kind.
    check
        Raises an error that starts with the argument's name if rows cannot be handled.
    check_joins
        Raises such an error if rows cannot be joined with the human ones.
    length, take, concat
        Count, select and join rows.
    describe
        Type and shape in a few words.
    can_write
        Whether a run directory can hold such data.
    fingerprint
        Tells rows apart.
    write, read
        Samples in the directory of a generation; the same bytes for the same rows.
    """

    name: str
    holds: Callable[[Any], bool]
    check: Callable[[Any, str], None]
    check_joins: Callable[[Any, Any, str], None]
    length: Callable[[Any], int]
    take: Callable[[Any, NDArray[np.int64]], Any]
    concat: Callable[[Sequence[Any]], Any]
    describe: Callable[[Any], str]
    can_write: Callable[[Any], bool]
    fingerprint: Callable[[Any], str]
    write: Callable[[Any, Path], None]
    read: Callable[[Any, Path], Any]

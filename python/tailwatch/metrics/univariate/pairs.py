"""Two samples of numbers, ready for the compiled code."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tailwatch.metrics.univariate.values import Values, as_values, common_type
from tailwatch.running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailwatch.metrics.univariate.values import ValuesLike
    from tailwatch.progress import ProgressOption
    from tailwatch.running import Settings

__all__ = ["Pair", "pair_of"]


class Pair(NamedTuple):
    """Reference and candidate, the type that holds both, and how the core runs."""

    reference: Values
    candidate: Values
    dtype: str
    settings: Settings


@contextmanager
def pair_of(
    reference: ValuesLike,
    candidate: ValuesLike,
    threads: int | None,
    progress: ProgressOption,
    *,
    counts: str | None = None,
) -> Iterator[Pair]:
    """Check both samples and yield them with the settings of the core."""
    x = as_values(reference, "reference", counts=counts)
    y = as_values(candidate, "candidate", counts=counts)
    dtype = common_type(x, y)
    with running(threads, progress) as settings:
        yield Pair(x, y, dtype, settings)

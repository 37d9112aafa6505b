"""Parts of the human reference: strata that were named, or random ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tailwatch import _core
from tailwatch.arguments import NO_SERIES, refuse_surrogates
from tailwatch.exceptions import InputError
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Parts", "named_parts", "random_parts"]

RANDOM_PARTS = 5
"""Held out one at a time for the null floor, where there are no strata."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part each human row is in.

    Attributes
    ----------
    names
        Of the strata, ascending; empty for random parts.
    index
        Part of each row.
    sizes
        Rows of each part.
    """

    names: tuple[str, ...]
    index: NDArray[np.int64]
    sizes: NDArray[np.int64]


def named_parts(strata: Sequence[object] | NDArray[np.generic] | pl.Series, rows: int) -> Parts:
    """Return each stratum a number.

    Parameters
    ----------
    strata
        Name of each row's stratum: text, integers, dates.
    rows
        Rows that need one.

    Raises
    ------
    InputError
        If there is not one for each row, one is null, or there are fewer than two.
    """
    try:
        series = pl.Series("strata", strata)
    except NO_SERIES as error:
        if isinstance(strata, Iterable):
            refuse_surrogates(strata, "strata")
        raise InputError(
            argument="strata",
            expected="a name for each row of human",
            got=type(strata).__name__,
        ) from error
    if len(series) != rows:
        raise InputError(
            argument="strata",
            expected=f"a name for each of the {rows} rows of human",
            got=f"{len(series)}",
        )
    if series.dtype.is_nested() or series.dtype == pl.Object:
        raise InputError(
            argument="strata", expected="text, numbers or dates", got=f"{series.dtype}"
        )
    if series.null_count():
        row = series.is_null().arg_max()
        message = f"row {row} is null"
        raise InputError(
            message, argument="strata", expected="a name", got="null", where=f"row {row}"
        )
    texts = series.cast(pl.String)
    names = texts.unique().sort()
    if len(names) < 2:
        raise InputError(argument="strata", expected="at least two", got=f"only {shown(names[0])}")
    index = names.search_sorted(texts).to_numpy().astype(np.int64)
    return Parts(tuple(names), index, np.bincount(index, minlength=len(names)))


def random_parts(rows: int, seed: int) -> Parts:
    """Deal rows to `RANDOM_PARTS` parts at random."""
    index = np.empty(rows, np.int64)
    index[_core.sample(rows, rows, seed, "parts")] = np.arange(rows) % RANDOM_PARTS
    return Parts((), index, np.bincount(index, minlength=RANDOM_PARTS))

"""The result in a sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailwatch.contamination.prevalence import Prevalence

__all__ = ["sentence"]


def sentence(found: Prevalence) -> str:
    """Say what share of the rows is synthetic, and what human rows alone would give."""
    sure = f"{100 * found.confidence:g} % confidence"
    if found.method == "lower bound":
        if found.low <= 0:
            return f"With {sure} nothing shows that any of the {found.n:,} rows is synthetic."
        return f"At least {_percent(found.low)} of the {found.n:,} rows are not human, with {sure}."
    if math.isnan(found.value):
        return f"What share of the {found.n:,} rows is synthetic cannot be told."
    said = (
        f"{_percent(found.value)} of the {found.n:,} rows are synthetic: between "
        f"{_percent(found.low)} and {_percent(found.high)}, with {sure}"
    )
    if found.audit is not None:
        return f"{said}, by {found.audit.rows:,} verified labels."
    floor = found.null_floor
    if found.value <= floor.high:
        return (
            f"{said}. That is no more than human rows alone can give: up to {_percent(floor.high)}."
        )
    return f"{said}. Human rows alone give at most {_percent(floor.high)}."


def _percent(share: float) -> str:
    """Write a share to a hundredth of a percent, from 10 % on to a tenth."""
    return f"{100 * share:.{1 if share >= 0.1 else 2}f} %"

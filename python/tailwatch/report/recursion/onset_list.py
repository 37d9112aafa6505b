"""When collapse began, in a sentence each for tails and variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tailwatch.report.html import escape
from tailwatch.report.numbers import Estimate, write
from tailwatch.report.recursion.verdict_table import by_run, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

__all__ = ["onset_list"]

_OF = {"early": "Early collapse, of the tails", "late": "Late collapse, of the variance"}


def onset_list(onsets: pl.DataFrame) -> str:
    """Return the onsets of one run, or of several under their names."""
    parts = list(by_run(onsets))
    lines = [
        f"<li>{escape(f'{run}: ' if len(parts) > 1 else '')}{in_words(_onset(row))}</li>"
        for run, part in parts
        for row in part.to_dicts()
    ]
    return f"<ul>{''.join(lines)}</ul>"


def _onset(row: Mapping[str, Any]) -> str:
    of, at, since = _OF[row["collapse"]], row["generation"], row["since"]
    if at is None:
        return f"{of}: not seen, or not measured."
    kept = write(Estimate(row["value"], row["low"], row["high"]))
    over = f"generation {at}" if since == at else f"generations {since} to {at}"
    return (
        f"{of}: seen at generation {at}. Over {over}, {row['metric']} retains "
        f"{kept.value} {kept.interval}, below {row['threshold']:g}."
    )

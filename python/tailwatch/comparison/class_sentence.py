"""A comparison by class in words, read from the summary of its classes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailwatch.comparison.sentence import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["sentence_of_classes"]

NAMED = 3
"""So many classes of a kind are named; the others are counted."""

LONGEST_NAME = 40


def sentence_of_classes(classes: pl.DataFrame, confidence: float) -> str:
    """Say which classes lost their tails.

    Parameters
    ----------
    classes
        :attr:`tailwatch.ClassComparison.classes`.
    confidence
        Of the intervals; 1 − confidence bounds the share of classes that are named by chance.

    Returns
    -------
    str
        One to six sentences: the classes that lost tails, surest first, those that widened, those
        without candidate rows, and those that could not be compared.
    """
    names = {
        verdict: rows["class"].to_list()
        for (verdict,), rows in classes.group_by("verdict", maintain_order=True)
    }
    judged = [*names.get("lost", []), *names.get("no change found", []), *names.get("widened", [])]
    parts = [*_tails(classes, names, len(judged)), *_others(names)]
    if "lost" in names or "widened" in names:
        parts.append(
            f"Of the classes said to have changed, {100 * (1 - confidence):.3g} % at most are "
            "expected to be among them by chance."
        )
    return " ".join(parts)


def _tails(classes: pl.DataFrame, names: dict[str, list[str]], judged: int) -> list[str]:
    if not judged:
        return [
            (
                "No tail metric was asked for, or none has an interval: the frame has the values "
                "beside their nulls."
            )
        ]
    widened = [f"Tails widened in {_listed(names['widened'])}."] if "widened" in names else []
    if "lost" not in names:
        return [f"No loss of tails was found in any of {judged} classes.", *widened]
    first, *others = names["lost"]
    row = classes.row(0, named=True)
    finding = said(*(row[name] for name in ("metric", "level", "value", "low", "high")))
    surest = "most surely in " if others else ""
    lost = (
        f"Tails were lost in {len(others) + 1} of {judged} classes, {surest}{_quoted(first)}: "
        f"{finding} (q = {row['q_value']:.1g})."
    )
    then = [f"Then in {_listed(others)}."] if others else []
    return [lost, *then, *widened]


def _others(names: dict[str, list[str]]) -> list[str]:
    """Say what was not judged, and why."""
    said_of = {
        "absent": "No candidate row at all is of {}.",
        "new": "No reference row at all is of {}.",
        "not compared": "Not compared, for the reason given beside the class: {}.",
    }
    return [text.format(_listed(names[key])) for key, text in said_of.items() if key in names]


def _listed(names: Sequence[str]) -> str:
    quoted = [_quoted(name) for name in names[:NAMED]]
    if len(names) > NAMED:
        quoted.append(f"{len(names) - NAMED} more")
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _quoted(name: str) -> str:
    shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"“{shown}”"

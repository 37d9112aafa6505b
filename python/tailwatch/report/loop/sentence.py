"""The finding of a loop in a sentence or two: which senses of collapse hold, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from tailwatch.report.loop.plots import NEAREST_LEVEL
from tailwatch.report.loop.verdicts import alarm_in_words, by_run, named
from tailwatch.report.loop.words import SPREAD, TAILS, describe_loop
from tailwatch.report.words import counted, in_sentence, percent, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailwatch.report.words import Label

__all__ = ["Findings", "sentence_of_loop"]

Findings: TypeAlias = "Mapping[str, Sequence[Mapping[str, Any]]]"
"""Of each run, by its name."""

MOST_RUNS = 6
"""Runs that the sentence names one by one."""


def sentence_of_loop(
    frame: pl.DataFrame,
    verdicts: pl.DataFrame,
    labels: Mapping[str, Label],
    *,
    findings: Findings | None = None,
    alarms: pl.DataFrame | None = None,
    stops: Mapping[str, str] | None = None,
) -> str:
    """Say which definitions of collapse hold, and what the last generation retains.

    Parameters
    ----------
    frame
        The frame of one run or several.
    verdicts
        The verdicts on it, under a column ``run`` if there are several.
    labels
        What each metric of a comparison is called.
    findings
        Those of each run, by its name, as JSON has them.
    alarms
        The alarm of the run, null if none rang; under a column ``run`` if there are several.
    stops
        Why runs have fewer generations than they were asked for, in words, by name.

    Returns
    -------
    str
        For one run, its verdicts by name, what is left of tails and variance and what was found in
        the last generation; for several, how many verdicts hold in each. Then which alarms rang,
        and what was stopped.
    """
    runs = frame["run"].unique(maintain_order=True).to_list()
    if len(runs) > 1:
        found = _of_several(frame, verdicts, runs, labels)
    else:
        name = runs[0] if runs else "this run"
        found = f"{_of_one(name, _last(frame), verdicts)}{_left(frame, labels)}"
        found += _found_last((findings or {}).get(name, ()), _last(frame))
    return f"{found}{_rang(alarms, labels)}{_stopped(stops or {}, several=len(runs) > 1)}"


def _found_last(findings: Sequence[Mapping[str, Any]], last: int) -> str:
    """Say what was found in the last generation, if it was asked."""
    asked = [one for one in findings if one["of"] == str(last)]
    found = [one["name"].replace("_", " ") for one in asked if one["state"] == "found"]
    if not asked:
        return ""
    return f" Found in generation {last}: {_listed(found) if found else 'nothing'}."


def _rang(alarms: pl.DataFrame | None, labels: Mapping[str, Label]) -> str:
    """Say which alarms rang, if any did."""
    rang = [] if alarms is None else alarms.filter(pl.col("generation").is_not_null()).to_dicts()
    if not rang:
        return ""
    if "run" not in rang[0]:
        return f" Its alarm {named(alarm_in_words(rang[0]), labels)}."
    told = [f"at generation {row['generation']} under {row['run']}" for row in rang[:MOST_RUNS]]
    more = len(rang) - len(told)
    if more:
        told.append(f"under {counted(more, 'more run')}")
    return f" Alarms rang {_listed(told)}."


def _stopped(stops: Mapping[str, str], *, several: bool) -> str:
    if not several:
        return "".join(f" The run was {words}." for words in stops.values())
    told = [f"{name} was {words}" for name, words in list(stops.items())[:MOST_RUNS]]
    return f" Of the runs, {_listed(told)}." if told else ""


def _last(frame: pl.DataFrame) -> int:
    return max(frame["generation"].to_list(), default=0)


def _of_one(name: str, last: int, verdicts: pl.DataFrame) -> str:
    holds = _with_status(verdicts, "holds")
    span = _span(last)
    if holds:
        senses = _listed([definition.replace("_", " ") for definition in holds])
        several = f"{_count(len(holds))} of {_count(verdicts.height)} definitions of collapse"
        return f"Under {name}, {several} {'holds' if len(holds) == 1 else 'hold'} {span}: {senses}."
    excluded = len(_with_status(verdicts, "does not hold"))
    open_ones = len(_with_status(verdicts, "undetermined"))
    missing = len(_with_status(verdicts, "not measured"))
    parts = [
        f"{_count(number)} {words}"
        for number, words in (
            (excluded, "excluded"),
            (open_ones, "undetermined"),
            (missing, "not measured"),
        )
        if number
    ]
    return (
        f"Under {name}, no definition of collapse holds {span}"
        f"{f' ({_listed(parts)})' if parts else ''}."
    )


def _span(last: int) -> str:
    return f"within {last} generations" if last != 1 else "in the only generation"


def _of_several(
    frame: pl.DataFrame,
    verdicts: pl.DataFrame,
    runs: Sequence[str],
    labels: Mapping[str, Label],
) -> str:
    holding = {name: len(_with_status(part, "holds")) for name, part in by_run(verdicts)}
    named = runs[:MOST_RUNS]
    definitions = verdicts["definition"].n_unique()
    told = [f"{_count(holding.get(name, 0))} under {name}" for name in named]
    rest = len(runs) - len(named)
    if rest:
        told.append(f"others under {counted(rest, 'more run')}")
    words = (
        f"Definitions of collapse that hold {_span(_last(frame))}, of "
        f"{_count(definitions)}: {_listed(told)}."
    )
    # Text has no variance; what it keeps of its types says as much.
    telling = (*SPREAD, *TAILS)
    parts = {name: _kept(frame.filter(pl.col("run") == name), telling, labels) for name in named}
    left = [f"{part[0]} under {name}" for name, part in parts.items() if part is not None]
    if left:
        what = next(part[1] for part in parts.values() if part is not None)
        words += (
            f" Of the {what} of a fresh human sample, the last generation keeps {_listed(left)}."
        )
    return words


def _left(frame: pl.DataFrame, labels: Mapping[str, Label]) -> str:
    """Say what the last generation retains of the tails and of the variance."""
    kept = [_kept(frame, metrics, labels) for metrics in (TAILS, SPREAD)]
    parts = [f"{part[0]} in {part[1]}" for part in kept if part is not None]
    if not parts:
        return ""
    return f" Of what a fresh human sample scores, the last generation keeps {_listed(parts)}."


def _kept(
    frame: pl.DataFrame, metrics: Sequence[str], labels: Mapping[str, Label]
) -> tuple[str, str] | None:
    """Return what the last generation retains by the first of `metrics` there is, and its name."""
    # Divergences count their retention in standard errors.
    last = frame.filter(
        pl.col("generation") == pl.col("generation").max(),
        pl.col("retention").is_not_null(),
        pl.col("direction") != "lower",
    ).sort((pl.col("level").fill_null(NEAREST_LEVEL) - NEAREST_LEVEL).abs(), maintain_order=True)
    found = next((metric for metric in metrics if (last["metric"] == metric).any()), None)
    if found is None:
        return None
    row = last.filter(pl.col("metric") == found).row(0, named=True)
    ends = (row[f"retention{end}"] for end in ("", "_low", "_high"))
    name = in_sentence(describe_loop(found, labels).name)
    level = "" if row["level"] is None else f" (rarest {percent(row['level'])})"
    return with_interval(*ends, places=2), name + level


def _with_status(verdicts: pl.DataFrame, status: str) -> list[str]:
    return verdicts.filter(pl.col("status") == status)["definition"].to_list()


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _count(number: int) -> str:
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")
    return words[number] if number < len(words) else str(number)

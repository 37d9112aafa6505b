"""The findings of a comparison in words: what matters most comes first.

Words are those of people who are to act: shares of rows, odds, and what was left, each with its
interval. What was found is named in the order of :data:`~tailwatch.comparison.findings.NAMES`;
where nothing was, the loss that would have been found is. The file is long because every finding
has its words here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from tailwatch.background import uses_polars
from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.questions import DECIDING, Finding, detectable_odds, nearest_rows
from tailwatch.comparison.registry import LABELS
from tailwatch.report.words import NARROW_SPACE, Number, in_sentence, write
from tailwatch.results import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import polars as pl

    from tailwatch.comparison.findings import ChangeFinding
    from tailwatch.comparison.metrics.moments import Difference

__all__ = [
    "MOST_NAMED",
    "listed",
    "named",
    "said",
    "sentence_of",
    "sentence_of_change",
    "told",
    "told_of_change",
    "words_of",
    "words_of_change",
]

Row: TypeAlias = "Mapping[str, Any]"
Rows: TypeAlias = "Mapping[tuple[str, float | None], Row]"

NOUNS = {
    "tail_mass": "tail mass",
    "tail_recall": "tail recall",
    "tail_coverage": "tail coverage",
    "total_variance": "total variance",
    "effective_rank": "effective rank",
    "precision": "precision",
    "coverage": "coverage",
}
LEFT = frozenset({"tail_mass", "tail_recall", "tail_coverage"})
"""What is left by these is said besides what decided."""
APART = 0.75
"""Of the share beyond the largest level, what lies beyond the smallest where it is apart."""
MOST_ROUNDED = 0.995
"""Shares from here on are 100 % to a whole percent."""
MOST_NAMED = 3
"""Findings that a sentence names; the others are in the table."""


def sentence_of(
    frame: pl.DataFrame, confidence: float = 0.95, findings: Sequence[Finding] | None = None
) -> str:
    """Say what a comparison found.

    Parameters
    ----------
    frame
        The frame of a :class:`tailwatch.Comparison`.
    confidence
        Of the intervals; 1 − confidence is the rate of false findings.
    findings
        Those of the frame, where they are known.

    Returns
    -------
    str
        One to five sentences, the most important finding first.
    """
    uses_polars("the sentence of a comparison")
    rows = nearest_rows(frame.to_dicts())
    findings = findings or findings_of(frame, confidence=confidence)
    found = named([one for one in findings if one.found], rows)
    if found:
        parts = []
        for one in found[:MOST_NAMED]:
            parts += [words_of(one), *(_distinct(rows) if one.name == "repeated" else ())]
        if found[0].name == "tails_lost":
            decided, _ = found[0].evidence[0]
            others = (name for name in DECIDING if name in LEFT and name != decided)
            parts += _left(rows, tuple(others))
            parts += _looks_better(rows)
        if len(found) > MOST_NAMED:
            parts.append(f"Also found: {listed([one.name for one in found[MOST_NAMED:]])}.")
        return " ".join(parts)
    return " ".join(_nothing(findings, rows, confidence))


TITLES: dict[str, tuple[str, str]] = {
    "elsewhere": (
        "fewer rows lie where human rows do",
        "more rows lie where human rows do",
    ),
    "copies": ("more rows are copies of human rows", "fewer rows are copies of human rows"),
    "repeated": ("more rows are repeated", "fewer rows are repeated"),
    "junk": (
        "more rows lie where next to no human row does",
        "fewer rows lie where next to no human row does",
    ),
    "tails_lost": ("tails were lost", "tails came back"),
    "modes_lost": ("modes were lost", "modes came back"),
    "tails_widened": ("tails widened", "tails are less wide"),
    "moved": ("it has moved away from the human data", "it has moved towards the human data"),
    "spread_lost": ("spread was lost", "spread came back"),
    "spread_gained": ("spread was gained", "spread is less wide"),
}
"""What a change for the worse is called, and one for the better."""


def sentence_of_change(findings: Sequence[ChangeFinding]) -> str:
    """Say in a sentence or two what a change is: worse, better, or none that can be told.

    Parameters
    ----------
    findings
        About the change, what matters most first.
    """
    worse = [one for one in findings if one.state == "worse"]
    better = [one for one in findings if one.state == "better"]
    if not worse and not better:
        if all(one.state == "cannot tell" for one in findings):
            return "Whether anything changed from the baseline cannot be told."
        return "No change from the baseline can be told."
    parts: list[str] = []
    for direction, found in (("Worse", worse), ("Better", better)):
        if found:
            opening = f"{direction} than the baseline" if not parts else f"{direction}"
            also = ", ".join(words_of_change(one, short=True) for one in found[1:])
            rest = f"; also {also}" if also else ""
            parts.append(f"{opening}: {words_of_change(found[0])}{rest}.")
    return " ".join(parts)


def words_of_change(one: ChangeFinding, *, short: bool = False) -> str:
    """Say one change that was found."""
    title = TITLES[one.name][one.state == "better"]
    if short or not one.evidence:
        return title
    metric, level = one.evidence[0]
    of = "" if level is None else f" {100 * level:g} %"
    change = write(Number(one.change, one.low, one.high), signed=True)
    ends = f" {change.interval}" if change.interval else ""
    was, now = (write(Number(number)).value for number in (one.baseline, one.value))
    name = in_sentence(LABELS[metric].name)
    return _spaced(f"{title} ({name}{of} {was} to {now}, change {change.value}{ends})")


def told_of_change(findings: Iterable[ChangeFinding]) -> list[dict[str, Any]]:
    """Return findings about a change as JSON has them, in words where there is one."""
    return [
        plain(one) | {"words": words_of_change(one) if one.state in {"worse", "better"} else None}
        for one in findings
    ]


def told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as JSON has them, in words where they are there."""
    return [plain(one) | {"words": words_of(one) if one.found else None} for one in findings]


def words_of(one: Finding) -> str:
    """Say one finding that is there."""
    return WORDS[one.name](one)


def named(found: Sequence[Finding], rows: Rows) -> list[Finding]:
    """Return what is to be named, the most important first.

    What another finding says already is left out: of a candidate elsewhere all that follows from
    it, of changed tails that the distribution has moved. Junk spreads the candidate, and is as
    large a share beyond every level; what has widened spreads it and thins out; what has moved
    spreads it no more than before, though it reaches beyond the human rows on one side.
    """
    by_name = {one.name: one for one in found}
    names = set(by_name)
    implied: set[str] = set()
    if "elsewhere" in names:
        implied |= {"junk", "modes_lost", "tails_lost", "tails_widened", "moved"}
        implied |= {"spread_lost", "spread_gained"}
    elif "moved" in names and "spread_gained" not in names and "tails_lost" not in names:
        implied |= {"junk", "tails_widened"}
        modes = by_name.get("modes_lost")
        if modes is not None and _is_surer(by_name["moved"], modes):
            found = [by_name["moved"], *(one for one in found if one.name != "moved")]
    elif "junk" in names:
        far = names & {"tails_widened", "spread_gained"}
        implied |= far if _is_apart(rows) else {"junk"} if far else set()
    if (names - implied) & {"junk", "tails_lost", "tails_widened"}:
        implied.add("moved")
    return [one for one in found if one.name not in implied]


def _is_surer(one: Finding, other: Finding) -> bool:
    return (one.p_value or 0.0) < (other.p_value or 0.0)


def _is_apart(rows: Rows) -> bool:
    """Return whether what lies beyond the outermost tail level lies apart from the rest."""
    beyond = {
        level: (level * row["value"] - level) / (1 - level)
        for (metric, level), row in rows.items()
        if metric == "tail_mass" and level is not None and row["value"] is not None
    }
    if len(beyond) < 2:
        return True
    return bool(beyond[min(beyond)] >= APART * beyond[max(beyond)])


def _elsewhere(one: Finding) -> str:
    return (
        "The candidate is not in the same place as the human data: at most "
        f"{_percent(one.high)} of its rows lie where human rows do. {_apart(one.differs)}"
    )


def _apart(differs: Difference | None) -> str:
    """Say what sets a candidate elsewhere apart."""
    if differs is None:
        return "Another encoder, scale or normalisation?"
    size, beside = _number(differs["size"]), _number(differs["beside"])
    return {
        "length": f"Its rows have length {size} on average and human rows {beside}, and one of the "
        "two is normalised.",
        "offset": f"Its mean lies {size} times the human spread away: an offset?",
        "spectrum": "Its variance has other shares along its axes: another encoder?",
        "axes": "Its variance has the same shares along other axes: rotated, or another encoder?",
        "scale": f"Its spread is {size} times the human one: another scale?",
    }[differs["kind"]]


def _copies(one: Finding) -> str:
    metric, _ = one.evidence[0]
    scaled = " once both have length 1" if metric == "normalised_copies" else ""
    if one.size is not None and one.size >= 1:
        return f"All candidate rows are copies of human rows{scaled}."
    return f"{_share(one)} of the candidate rows are copies of human rows{scaled}."


def _repeated(one: Finding) -> str:
    return (
        f"Rows are repeated: {_share(one)} of the candidate rows equal another of them, beyond the "
        "share of human rows that do."
    )


def _junk(one: Finding) -> str:
    return f"About {_share(one)} of the candidate rows lie where next to no human row does."


def _modes_lost(one: Finding) -> str:
    gone = 1 - (one.size or 0.0)
    modes = "small modes" if any(level != 1 for _, level in one.evidence) else "modes"
    return f"Modes were lost: {_percent(gone)} of the {modes} of the human data are empty."


def _tails_lost(one: Finding) -> str:
    return f"Tails were lost: {_of_tails(one)}."


def _tails_widened(one: Finding) -> str:
    return f"Tails widened: {_of_tails(one)}."


def _moved(one: Finding) -> str:
    return (
        f"The candidate has moved{_along(one.differs)}: its energy distance from the human data is "
        f"{_share(one)} of the largest possible.{_told_apart(one)}"
    )


def _told_apart(one: Finding) -> str:
    """Say how well a classifier tells the candidate from the human data, where it was asked for."""
    if one.auc is None:
        return ""
    return f" A classifier tells them apart with AUC {_with_interval(*one.auc)}."


def _along(differs: Difference | None) -> str:
    """Say along what a candidate has moved most."""
    if differs is None:
        return ""
    number = int(differs["beside"])
    along = {
        "column": f"in column {number}",
        "direction": f"along principal direction {number}",
    }[differs["kind"]]
    return f", most {along} by {_number(differs['size'])} standard deviations"


def _spread_lost(one: Finding) -> str:
    return f"Spread was lost: {_of_spread(one)}."


def _spread_gained(one: Finding) -> str:
    return f"Spread was gained: {_of_spread(one)}."


WORDS: dict[str, Callable[[Finding], str]] = {
    "elsewhere": _elsewhere,
    "copies": _copies,
    "repeated": _repeated,
    "junk": _junk,
    "modes_lost": _modes_lost,
    "tails_lost": _tails_lost,
    "tails_widened": _tails_widened,
    "moved": _moved,
    "spread_lost": _spread_lost,
    "spread_gained": _spread_gained,
}


def _nothing(findings: Sequence[Finding], rows: Rows, confidence: float) -> list[str]:
    tails = next(one for one in findings if one.name == "tails_lost")
    tested = [one for one in findings if one.evidence]
    if not tested:
        return ["Nothing that was asked for can be told: the frame has the values."]
    if not tails.evidence:
        asked = any((name, None) in rows for name in DECIDING)
        told = "Whether tails were lost cannot be told" if asked else "No tail metric was asked for"
        variance = rows.get(("total_variance", None))
        kept = "" if variance is None else f" What is left of total variance: {_kept(variance)}."
        return [f"{told}; nothing else was found.{kept}"]
    parts = [f"Nothing was found: {_of_tails(tails)}."]
    count = sum(one.p_value is not None for one in findings)
    odds = detectable_odds(rows, (1 - confidence) / max(count, 1))
    # Where all rows are tied any odds are as likely, and no loss would have been found.
    if odds is not None and (tails.low, tails.high) != (0.0, math.inf):
        parts.append(f"A loss of {_percent(1 - odds)} of the tail would have been found.")
    return parts


def _of_tails(one: Finding) -> str:
    metric, level = one.evidence[0]
    return said(metric, level, one.size, one.low, one.high)


def said(
    metric: str, level: float | None, number: float | None, low: float | None, high: float | None
) -> str:
    """Say the metric that decides about tails, and its number with its interval."""
    times = _with_interval(number, low, high)
    rarest = "" if level is None else f"{100 * level:g} %"
    if metric == "tail_odds_ratio":
        return (
            f"the odds of finding a candidate row among the rarest {rarest} are {times} times "
            "those of a human row"
        )
    if metric == "directional_tails":
        return (
            f"beyond the outermost {rarest} along directions lies {times} times the mass of a "
            "fresh human sample"
        )
    noun = NOUNS[metric]
    return f"{noun} at level {rarest} is {times} times that of a fresh human sample"


def _of_spread(one: Finding) -> str:
    metric, _ = one.evidence[0]
    return (
        f"{NOUNS[metric]} is {_with_interval(one.size, one.low, one.high)} times that of a fresh "
        "human sample"
    )


def _left(rows: Rows, names: Sequence[str]) -> list[str]:
    """Quote those of the metrics whose intervals lie below the null."""
    below = [
        f"{NOUNS[name]} {_kept(rows[name, None])}"
        for name in names
        if (name, None) in rows and _below(rows[name, None])
    ]
    return [f"What is left: {', '.join(below)}."] if below else []


def _distinct(rows: Rows) -> list[str]:
    """Say how many distinct rows a candidate amounts to, where that is less than of human rows."""
    row = rows.get(("vendi_score", None))
    if row is None or not _below(row):
        return []
    own, human = _number(row["value"]), _number(row["null"])
    words = f"By the Vendi score it amounts to {own} distinct rows, as many human rows to {human}."
    return [words] if own != human else []


def _below(row: Row) -> bool:
    return row["retention_high"] is not None and row["retention_high"] < 1


def _looks_better(rows: Rows) -> list[str]:
    """Warn where the usual metrics hide the loss."""
    fine = [
        f"{NOUNS[name]} ({_kept(row)} of its null)"
        for name in ("precision", "coverage")
        if (row := rows.get((name, None)))
        and row["retention"] is not None
        and row["retention"] >= 1
    ]
    if not fine:
        return []
    names = " and ".join(fine)
    verb = "do" if len(fine) > 1 else "does"
    return [f"{names[0].upper()}{names[1:]} {verb} not see this."]


def listed(names: Sequence[str]) -> str:
    """Return names of findings in words."""
    return ", ".join(name.replace("_", " ") for name in names)


def _kept(row: Row) -> str:
    return _with_interval(row["retention"], row["retention_low"], row["retention_high"])


def _with_interval(number: float | None, low: float | None, high: float | None) -> str:
    written = write(Number(number, low, high), places=2)
    return _spaced(f"{written.value} {written.interval or ''}".rstrip())


def _number(value: float | None) -> str:
    """Write a number that has no interval."""
    if value is None:
        return "unknown"
    if value >= 10:
        return f"{value:,.0f}"
    # Two decimals where they say something; else two significant digits.
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"


def _spaced(text: str) -> str:
    """Return text with commas between thousands, which a page sets apart by spaces."""
    return text.replace(NARROW_SPACE, ",")


def _percent(share: float | None) -> str:
    if share is None:
        return "an unknown share"
    return f"{100 * share:.2g} %" if share < MOST_ROUNDED else f"{100 * share:.0f} %"


def _share(one: Finding) -> str:
    if one.size is None or one.low is None or one.high is None:
        return _percent(one.size)
    size, low, high = _percents(one.size, one.low, one.high)
    return f"{size} % [{low}, {high}]"


def _percents(*shares: float) -> list[str]:
    """Write shares in percent to the place at which the largest has two digits; 0 is exact."""
    largest = 100 * max(map(abs, shares))
    places = max(1 - math.floor(math.log10(largest)), 0) if largest > 0 else 0
    # What rounds to all and is not has one more.
    places = max(places, 1 if any(MOST_ROUNDED <= share < 1 for share in shares) else 0)
    return [f"{100 * share:.{places}f}" if share else "0" for share in shares]

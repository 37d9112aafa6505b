"""The questions that findings answer: how much, how sure, and by which rows of the frame.

Each is read from the frame alone. What counts as an answer is in
:mod:`~tailwatch.comparison.findings`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from tailwatch.arguments import tail_size
from tailwatch.distributions import normal_quantile
from tailwatch.metrics.embeddings.tail_law import TailLaw
from tailwatch.metrics.embeddings.tail_test import as_independent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tailwatch.comparison.metrics.moments import Difference

__all__ = [
    "BELOW",
    "DECIDING",
    "LEVEL",
    "LIMITS",
    "NAMES",
    "READ",
    "Finding",
    "Name",
    "Row",
    "Rows",
    "State",
    "asked_of",
    "detectable_odds",
    "modes_of",
    "nearest_rows",
    "outermost_level",
]

Name: TypeAlias = Literal[
    "elsewhere",
    "copies",
    "repeated",
    "junk",
    "tails_lost",
    "modes_lost",
    "tails_widened",
    "moved",
    "spread_lost",
    "spread_gained",
]
NAMES: Final[tuple[Name, ...]] = get_args(Name)
"""All findings, what matters most first."""

State: TypeAlias = Literal["found", "not found", "cannot tell"]

Row: TypeAlias = "Mapping[str, Any]"

LEVEL: Final = 0.05
"""The tail level that is read, or the nearest to it."""

LIMITS: Final[dict[Name, float]] = {
    "elsewhere": 0.25,
    "copies": 0.0,
    "repeated": 0.0,
    "junk": 0.02,
    "modes_lost": 1.0,
    "tails_lost": 1.0,
    "tails_widened": 1.0,
    "moved": 0.0,
    "spread_lost": 1.0,
    "spread_gained": 1.0,
}
"""What the bound of a size has to be beyond; a user's own decides in three states."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question.

    Attributes
    ----------
    name
        The question.
    state
        ``"found"``, ``"not found"``, or ``"cannot tell"`` where a number is missing or a limit that
        was asked for lies within the interval.
    size, low, high
        How much, with its interval: a share of rows (`copies`, `junk`; of `repeated` that beyond
        the share of human rows), what is left of a share
        (`elsewhere`, `modes_lost`), an odds ratio (tails), a ratio (spread), or the energy distance
        in units of the largest possible (`moved`).
    limit
        What the bound has to be beyond.
    p_value, q_value
        Of the question alone, and among those of the comparison.
    evidence
        The rows of the frame that were read, as (metric, level).
    of
        The class that it is about, in a comparison by class.
    auc
        Of `moved`, where `probe_auc` was asked for: with what area under the ROC curve a classifier
        tells candidate rows from human ones, with its interval. It decides nothing.
    differs
        What differs most, of `elsewhere` and `moved`, where it is known: see
        :class:`~.metrics.moments.Difference`.
    """

    name: Name
    state: State
    size: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float = 0.0
    p_value: float | None = None
    q_value: float | None = None
    evidence: tuple[tuple[str, float | None], ...] = ()
    of: str | None = None
    auc: tuple[float, float, float] | None = None
    differs: Difference | None = None

    @property
    def found(self) -> bool:
        """Whether it is there."""
        return self.state == "found"


def nearest_rows(rows: Iterable[Row]) -> dict[tuple[str, float | None], Row]:
    """Return rows by metric, at the level nearest to 5 %, and by metric and level."""
    found: dict[tuple[str, float | None], Row] = {}
    for row in rows:
        metric, level = row["metric"], row["level"]
        found[metric, level] = row
        kept = found.get((metric, None))
        if level is not None and (kept is None or _far(level) < _far(kept["level"])):
            found[metric, None] = row
    return found


def _far(level: float) -> float:
    return abs(level - LEVEL)


Rows: TypeAlias = "Mapping[tuple[str, float | None], Row]"
Size: TypeAlias = tuple[float, float | None, float | None]


def asked_of(name: Name, rows: Rows) -> Finding:
    """Return size and p-value of a question, or one without evidence."""
    return READERS[name](name, rows) or Finding(name, "cannot tell", limit=LIMITS[name])


def _elsewhere(name: Name, rows: Rows) -> Finding | None:
    ways = [way for way in (_by_balls(name, rows), _by_rarity(name, rows)) if way is not None]
    if not ways:
        return None
    # Human rows far out hide it from one, and human rows where the candidate is from the other.
    nearest = min(ways, key=lambda way: math.inf if way.high is None else way.high)
    return replace(nearest, p_value=min(len(ways) * (nearest.p_value or 0.0), 1.0))


def _by_balls(name: Name, rows: Rows) -> Finding | None:
    """Ask whether human balls hold next to no candidate row, nor enough of them."""
    both = [rows.get((metric, None)) for metric in ("clipped_density", "clipped_coverage")]
    found = [row for row in both if row is not None and row["p_value"] is not None]
    if len(found) < len(both):
        return None
    # Both have to be low: the larger one, and the larger p-value, decide.
    size = _size(min(max(row[end] for row in found), 1.0) for end in RETAINED)
    return _measured(name, size, max(_below(row) for row in found), found)


def _by_rarity(name: Name, rows: Rows) -> Finding | None:
    """Ask whether nearly all candidate rows are rarer than human ones, and few balls hold any.

    A human row amid the candidate may hold all of it in its ball; but its k-th human neighbours are
    no nearer for that, and it is one ball.
    """
    level = outermost_level(rows)
    both = [rows.get(("tail_mass", level)), rows.get(("coverage", None))]
    found = [row for row in both if row is not None and row["p_value"] is not None]
    if level is None or len(found) < len(both):
        return None
    mass, coverage = found
    if mass["low"] is None or coverage["retention_low"] is None:
        return None
    # Of fresh rows the share 1 − α is no rarer, and of those elsewhere none.
    near = ((1 - level * mass[end]) / (1 - level) for end in ("value", "high", "low"))
    held = (coverage[end] for end in RETAINED)
    size = _size(min(max(*each, 0.0), 1.0) for each in zip(near, held, strict=True))
    return _measured(name, size, max(_above(mass), _below(coverage)), found)


def _copies(name: Name, rows: Rows) -> Finding | None:
    both = [rows.get((metric, None)) for metric in ("copies", "normalised_copies")]
    found = [row for row in both if row is not None and row["p_value"] is not None]
    if not found:
        return None
    row = min(found, key=lambda each: each["p_value"])
    p = min(len(found) * row["p_value"], 1.0)
    return _measured(name, _on_all(row), p, [row])


def _repeated(name: Name, rows: Rows) -> Finding | None:
    row = rows.get(("duplicates", None))
    if row is None or row["p_value"] is None:
        return None
    # Of the difference of two shares (Zou & Donner 2008).
    (share, low, high), human = _on_all(row), row["null"]
    if low is None or high is None:
        return None
    down = math.hypot(share - low, row["null_high"] - human)
    up = math.hypot(high - share, human - row["null_low"])
    more = share - human
    size = _size(max(end, 0.0) for end in (more, more - down, more + up))
    return _measured(name, size, row["p_value"], [row])


def _junk(name: Name, rows: Rows) -> Finding | None:
    level = outermost_level(rows)
    row = rows.get(("tail_mass", level))
    if level is None or row is None or row["p_value"] is None:
        return None
    # Of fresh rows the share α lies beyond, and of junk all.
    beyond = (level * (row[end] - 1) / (1 - level) for end in RETAINED)
    return _measured(name, _size(min(max(each, 0.0), 1.0) for each in beyond), _above(row), [row])


def outermost_level(rows: Rows) -> float | None:
    """Return the smallest level whose tail has rows enough for its mass to be of use."""
    levels = sorted(level for metric, level in rows if metric == "tail_mass" and level is not None)
    if not levels:
        return None
    enough = (each for each in levels if each * rows["tail_mass", each]["n_candidate"] >= FEWEST)
    return next(enough, levels[-1])


def modes_of(rows: Rows) -> list[tuple[str, float | None]]:
    """Return where rows have the modes that are kept: of the small ones, and of all."""
    return [key for key in rows if key[0] == "mode_coverage" and key[1] is not None]


def _modes(name: Name, rows: Rows) -> Finding | None:
    known = [rows[key] for key in modes_of(rows) if rows[key]["p_value"] is not None]
    if not known:
        return None
    # Of the small modes and of all of them, those of which any is lost, and most surely so.
    kept = [row["value"] if row.get("value_all") is None else row["value_all"] for row in known]
    lost = [number for number, share in enumerate(kept) if share < 1] or range(len(known))
    place = min(lost, key=lambda number: known[number]["p_value"])
    p = min(len(known) * known[place]["p_value"], 1.0)
    return _measured(name, (kept[place], None, None), p, [known[place]])


def _tails(name: Name, rows: Rows) -> Finding | None:
    row = next((rows[metric, None] for metric in DECIDING if (metric, None) in rows), None)
    if row is None or row["p_value"] is None:
        return None
    on_all = row["metric"] == "tail_odds_ratio" and row.get("value_all") is not None
    size = _on_all(row) if on_all else _size(row[end] for end in RETAINED)
    return _of_side(name, size, row["p_value"], [row])


def _moved(name: Name, rows: Rows) -> Finding | None:
    row, size = rows.get(("energy_distance", None)), rows.get(("energy_coefficient", None))
    if row is None or size is None or row["p_value"] is None:
        return None
    # An unbiased estimate of 0 is below it as often as not; a share is not.
    ends = _size(None if end is None else max(end, 0.0) for end in _on_all(size))
    found = _measured(name, ends, row["p_value"], [row, size])
    probe = rows.get(("probe_auc", None))
    if probe is None or probe["low"] is None:
        return found
    area, low, high = _on_all(probe)
    if low is None or high is None:
        return found
    return replace(found, auc=(area, low, high))


def _spread(name: Name, rows: Rows) -> Finding | None:
    both = [rows.get((metric, None)) for metric in ("total_variance", "effective_rank")]
    known = [row for row in both if row is not None and row["p_value"] is not None]
    if not known:
        return None
    first = known[0]
    if _clear_of_1(first, below=name not in BELOW):
        # What varies more in all has not lost spread, however few directions hold it, nor gained
        # any where it varies less.
        return _of_side(name, _size(first[end] for end in RETAINED), first["p_value"], [first])
    surest = min(known, key=lambda each: each["p_value"])
    p = min(len(known) * surest["p_value"], 1.0)
    row = first if _clear_of_1(first, below=name in BELOW) else surest
    return _of_side(name, _size(row[end] for end in RETAINED), p, [row])


def _clear_of_1(row: Row, *, below: bool) -> bool:
    """Return whether the interval of what is retained lies on one side of 1."""
    _, low, high = (row[end] for end in RETAINED)
    if low is None or high is None:
        return False
    return bool(high < 1 if below else low > 1)


def _on_all(row: Row) -> Size:
    """Return the value on all rows, or on halves where a loop measured no more, and its ends."""
    suffix = "" if row.get("value_all") is None else "_all"
    return _size(row[f"{end}{suffix}"] for end in ("value", "low", "high"))


def _size(ends: Iterable[Any]) -> Size:
    """Return a size and the ends of its interval."""
    size, low, high = ends
    return size, low, high


def _of_side(name: Name, size: Size, p: float, rows: Sequence[Row]) -> Finding:
    """Return a finding of a test of both sides, which is made on the side that the size is on."""
    on_this_side = size[0] < 1 if name in BELOW else size[0] > 1
    return _measured(name, size, p if on_this_side else None, rows)


def _measured(name: Name, size: Size, p: float | None, rows: Sequence[Row]) -> Finding:
    evidence = tuple((row["metric"], row["level"]) for row in rows)
    return Finding(name, "not found", *size, LIMITS[name], p, None, evidence)


def _below(row: Row) -> float:
    """Return the one-sided p-value of what is retained being less than 1."""
    half = row["p_value"] / 2
    return float(half if row["retention"] < 1 else 1 - half)


def _above(row: Row) -> float:
    half = row["p_value"] / 2
    return float(half if row["retention"] > 1 else 1 - half)


READ: Final = (
    "coverage",
    "clipped_density",
    "clipped_coverage",
    "copies",
    "normalised_copies",
    "duplicates",
    "tail_mass",
    "tail_odds_ratio",
    "mode_coverage",
    "energy_distance",
    "energy_coefficient",
    "total_variance",
    "effective_rank",
)
"""The metrics of the standard panel that findings are read from."""

MOST_STEPS: Final = 50
SAME_ODDS: Final = 1e-3
"""Odds that are as near as that are the same to all digits that are said."""
POWER: Final = 0.8
"""Share of samples in which what is said to be found is."""
RETAINED: Final = ("retention", "retention_low", "retention_high")
FEWEST: Final = 10
"""Rows that a tail has to hold for its mass to be of use."""

DECIDING: Final = (
    "tail_odds_ratio",
    "directional_tails",
    "tail_mass",
    "tail_recall",
    "tail_coverage",
)
"""Metrics that tell of tails, the first of which decides."""

BELOW: Final[frozenset[Name]] = frozenset({"elsewhere", "modes_lost", "tails_lost", "spread_lost"})
"""Findings of what is less than it was; all others are of what is more."""

READERS: Final[dict[Name, Callable[[Name, Rows], Finding | None]]] = {
    "elsewhere": _elsewhere,
    "copies": _copies,
    "repeated": _repeated,
    "junk": _junk,
    "modes_lost": _modes,
    "tails_lost": _tails,
    "tails_widened": _tails,
    "moved": _moved,
    "spread_lost": _spread,
    "spread_gained": _spread,
}


def detectable_odds(rows: Rows, rate: float) -> float | None:
    """Return the odds of tail rows that would be found to be less than 1 in 80 % of samples.

    Parameters
    ----------
    rows
        Rows of a frame, as :func:`nearest_rows` has them.
    rate
        The largest two-sided p-value that counts.

    Returns
    -------
    float or None
        None where no odds were asked for, the tail is too small for any loss to be found, or most
        rows are as rare as its edge.
    """
    row = rows.get(("tail_odds_ratio", None))
    if row is None or row["n_reference_all"] is None:
        return None
    n, m, ratio = row["n_reference_all"], row["n_candidate_all"], row.get("variance_ratio_all")
    places = tail_size(row["level"], n + m)
    law = TailLaw.of(beyond=places, tied=0, places=0, rows=n + m, candidate=m)
    ratio, share = 1.0 if ratio is None else ratio, places / (n + m)
    if ratio <= share / (1 - share):
        # At least half of all rows are tied for the places: that is no tail.
        return None
    found = _detectable(law, rate, ratio)
    # A candidate that has lost some leaves fewer rows that are tied for the places, which are told
    # apart the more by chance.
    for _ in range(MOST_STEPS if ratio < 1 else 0):
        if found is None:
            return None
        before, tied = found, (n + m * found) / (n + m)
        found = _detectable(law, rate, min(ratio / tied, 1.0))
        if found is not None and abs(found - before) < SAME_ODDS:
            break
    return found


def _detectable(law: TailLaw, rate: float, ratio: float) -> float | None:
    """Return those odds where the variance of the rows in the tail has a ratio to that of a law."""
    # Deviations of tied rows are smaller, and of repeated rows larger, than those of others.
    rate, power = 2 * as_independent(rate / 2, ratio), as_independent(POWER, ratio)
    least, _ = law.support
    # The largest count that is found, by bisection: p-values rise up to the mean.
    low, high = least, math.floor(law.tail * law.candidate / law.rows)
    if low >= high or law.p_value(low) > rate:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if law.p_value(middle) <= rate else (low, middle)
    if ratio == 1:
        return math.exp(law.limit(low, power, upper=True))
    # Such rows count in parts: what is found ends between two whole numbers.
    ends = [normal_quantile(1 - law.p_value(units) / 2) for units in (low, high)]
    part = (ends[0] - normal_quantile(1 - rate / 2)) / (ends[0] - ends[1])
    limits = [law.limit(units, power, upper=True) for units in (low, high)]
    return math.exp(limits[0] + part * (limits[1] - limits[0]))

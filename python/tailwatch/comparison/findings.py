"""What a comparison finds: questions, each with an answer, its size and what it rests on.

A comparison has some forty numbers; a finding is what a person would do something about. Each is
read from the frame alone, so that a saved frame finds the same, and the sentence, the tables, the
page, JSON and the gate show these and nothing else.

==================  ==============================================================================
finding             is there when
==================  ==============================================================================
``elsewhere``       next to no candidate row lies where human rows do, and next to none covers
                    them: by balls of human rows, or by rarity where a few human rows lie amid the
                    candidate
``copies``          more candidate rows are human rows, value by value, than human rows are of
                    each other; or are so once both have length 1
``repeated``        more candidate rows equal another candidate row than human rows one of theirs
``junk``            more candidate rows lie beyond nearly all human ones than `limit` allows
``tails_lost``      candidate rows are too seldom among the rarest rows of both samples
``modes_lost``      some of the modes of the human data are left with next to no rows: of the small
                    ones, or of all
``tails_widened``   tail rows are so too often
``moved``           the energy distance is clear of 0
``spread_lost``     total variance or effective rank is below that of human rows
``spread_gained``   total variance is above it
==================  ==============================================================================

**False findings.** Each question has one p-value: exact for tails, copies,
repeated rows and modes, from the closed variance for the energy distance, from half-samples for the
rest. Over the questions of one
comparison the false-discovery rate is held at 1 − confidence (Benjamini & Hochberg 1995), so that
of comparisons of equal laws that share at most has any finding. A limit that was asked for decides
by the interval of the size instead, question by question.

**Gate.** What may not be found decides: failed where any of it is, inconclusive where any cannot be
told, passed else.

**What would have been found.** Where nothing was, the size that would have been found in 80 % of
samples is said: from Fisher's noncentral law of the rows in the tail, at the first of the levels of
Benjamini & Hochberg, which one finding alone has to pass.

**Change.** Against a baseline each question is asked of the change: whether more of it is there
than before (worse) or less (better). Its p-value is that of the metric's change, two-sided; where a
metric may be off on either side of its null, the change is read on the side that the candidate is
on, if it leads there, or on the side that the baseline was on, if it leads away, and of a change
from one side to the other only what lies clear of the null counts. The false-discovery rate is held
over them too.

The file is long because all decisions are made in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import polars as pl

from tailwatch.arguments import real, share
from tailwatch.comparison.questions import (
    BELOW,
    DECIDING,
    NAMES,
    Finding,
    asked_of,
    modes_of,
    nearest_rows,
    outermost_level,
)
from tailwatch.distributions import false_discovery_rates
from tailwatch.exceptions import InputError, meant
from tailwatch.text_form import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tailwatch.comparison.metrics.moments import Difference
    from tailwatch.comparison.questions import Name, Row, Rows

__all__ = [
    "FAIL_ON",
    "WORSE",
    "ChangeFinding",
    "Gate",
    "GateRequest",
    "GateState",
    "change_findings_of",
    "findings_of",
    "findings_of_classes",
    "findings_of_generations",
    "quoted",
]


def findings_of(
    frame: pl.DataFrame,
    *,
    confidence: float = 0.95,
    limits: Mapping[str, float] | None = None,
    differs: Difference | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of a comparison, in the order of :data:`NAMES`.

    Parameters
    ----------
    frame
        The frame of a :class:`tailwatch.Comparison`.
    confidence
        The false-discovery rate over the findings is 1 − confidence.
    limits
        Limits by name of a finding, of :data:`LIMITS` where there is none. One that is given
        decides by the interval in three states.
    differs
        What differs where the candidate is elsewhere, or else has moved.

    Raises
    ------
    InputError
        A limit of no finding, or that is no number.
    """
    rows = nearest_rows(frame.to_dicts())
    asked = [asked_of(name, rows) for name in NAMES]
    decided = _decided(asked, confidence, checked_limits(limits or {}))
    first = next((one for one in decided if one.found and one.name in PLACES), None)
    return tuple(replace(one, differs=differs) if one is first else one for one in decided)


PLACES: Final = frozenset({"elsewhere", "moved"})
"""Findings of which is said what differs."""


def findings_of_classes(
    frame: pl.DataFrame,
    *,
    confidence: float = 0.95,
    limits: Mapping[str, float] | None = None,
) -> tuple[Finding, ...]:
    """Return the findings of a comparison by class, class by class.

    The rate of false discoveries is that over the findings of all classes. A class of which the
    candidate has no row is a mode that is lost.

    Parameters
    ----------
    frame
        The frame of a :class:`tailwatch.ClassComparison`.
    confidence, limits
        As for :func:`findings_of`.
    """
    asked, gone = list[Finding](), list[Finding]()
    for (name,), rows_of_class in frame.group_by("class", maintain_order=True):
        compared = rows_of_class.filter(pl.col("metric").is_not_null())
        if compared.height:
            rows = nearest_rows(compared.to_dicts())
            asked += [replace(asked_of(question, rows), of=str(name)) for question in NAMES]
        elif rows_of_class["verdict"].item() == "absent":
            gone.append(Finding("modes_lost", "found", 0.0, limit=1.0, of=str(name)))
    return (*gone, *_decided(asked, confidence, checked_limits(limits or {})))


def findings_of_generations(
    frame: pl.DataFrame, *, confidence: float = 0.95
) -> tuple[Finding, ...]:
    """Return the findings of a loop, generation by generation, those that were asked for.

    The rate of false discoveries is that over the findings of all generations, which are measured
    on halves alone.

    Parameters
    ----------
    frame
        The frame of a run.
    confidence
        As for :func:`findings_of`.
    """
    asked = list[Finding]()
    panel = frame.filter(pl.col("group") == "panel")
    for (generation,), rows_of_generation in panel.group_by("generation", maintain_order=True):
        rows = nearest_rows(rows_of_generation.to_dicts())
        found = (asked_of(question, rows) for question in NAMES)
        asked += [replace(one, of=str(generation)) for one in found if one.evidence]
    return _decided(asked, confidence, {})


def _decided(
    asked: Sequence[Finding], confidence: float, own: Mapping[str, float]
) -> tuple[Finding, ...]:
    """Decide questions under one rate of false discoveries."""
    tested = [one for one in asked if one.p_value is not None]
    known = np.array([one.p_value for one in tested], np.float64)
    rates = iter(false_discovery_rates(known).tolist())
    return tuple(
        _judged(
            one,
            None if one.p_value is None else next(rates),
            own.get(one.name),
            1 - confidence,
        )
        for one in asked
    )


def checked_limits(limits: Mapping[str, float]) -> dict[str, float]:
    """Return limits by name of a finding."""
    checked: dict[str, float] = {}
    for name, limit in limits.items():
        if name not in NAMES:
            expected = f"names of findings ({', '.join(NAMES)})"
            raise InputError(argument="limits", expected=expected, got=shown(name))
        argument = f"limits[{name!r}]"
        checked[name] = real(limit, argument)
        if checked[name] < 0:
            raise InputError(argument=argument, expected="at least 0", got=shown(limit))
    return checked


def _judged(one: Finding, q: float | None, own: float | None, rate: float) -> Finding:
    """Decide: by the rate of false discoveries and the limit, or by an own limit alone."""
    one = replace(one, q_value=q, limit=one.limit if own is None else own)
    if not one.evidence:
        return one
    # The end of the interval that is nearest to nothing having happened, and the farthest.
    near, far = (one.high, one.low) if one.name in BELOW else (one.low, one.high)
    beyond = _is_beyond(one.name, one.size if near is None else near, one.limit)
    if own is None:
        is_sure = q is not None and q <= rate
        return replace(one, state="found" if is_sure and beyond else "not found")
    if beyond:
        return replace(one, state="found")
    may_be = _is_beyond(one.name, one.size if far is None else far, own)
    return replace(one, state="cannot tell" if may_be else "not found")


def _is_beyond(name: Name, size: float | None, limit: float) -> bool:
    if size is None:
        return False
    return size < limit if name in BELOW else size > limit


ChangeState: TypeAlias = Literal["worse", "better", "not found", "cannot tell"]


@dataclass(frozen=True, slots=True)
class ChangeFinding:
    """Whether more of one finding is there than with the baseline, or less.

    Attributes
    ----------
    name
        The question.
    state
        ``"worse"``, ``"better"``, ``"not found"`` where no change can be told from none, or
        ``"cannot tell"`` where a number is missing.
    change, low, high
        Of the metric that is read, new less old, with its interval.
    value, baseline
        That metric of the candidate, and of its baseline.
    p_value, q_value
        Of no change, alone and among those of the comparison.
    evidence
        The rows of the frame of changes that were read, as (metric, level).
    """

    name: Name
    state: ChangeState
    change: float | None = None
    low: float | None = None
    high: float | None = None
    value: float | None = None
    baseline: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    evidence: tuple[tuple[str, float | None], ...] = ()


def change_findings_of(
    changes: pl.DataFrame, *, confidence: float = 0.95
) -> tuple[ChangeFinding, ...]:
    """Return the findings about a change, in the order of :data:`NAMES`.

    Parameters
    ----------
    changes
        The frame of changes of a :class:`tailwatch.PairedComparison`.
    confidence
        The false-discovery rate over the findings is 1 − confidence.
    """
    rows = nearest_rows(changes.to_dicts())
    asked = [_asked_of_change(name, rows) for name in NAMES]
    known = np.array([one.p_value for one in asked if one.p_value is not None], np.float64)
    rates = iter(false_discovery_rates(known).tolist())
    decided = []
    for one in asked:
        rate = None if one.p_value is None else next(rates)
        is_sure = rate is not None and rate <= 1 - confidence
        state = one.state if is_sure or one.state == "cannot tell" else "not found"
        decided.append(replace(one, state=state, q_value=rate))
    return tuple(decided)


def _asked_of_change(name: Name, rows: Rows) -> ChangeFinding:
    """Return the change that answers a question, worse or better if it is sure."""
    tails = [(metric, None) for metric in DECIDING if (metric, None) in rows][:1]
    spread: list[tuple[str, float | None]] = [("total_variance", None), ("effective_rank", None)]
    read: dict[str, list[tuple[str, float | None]]] = {
        "elsewhere": [("clipped_density", None), ("clipped_coverage", None)],
        "copies": [("copies", None), ("normalised_copies", None)],
        "repeated": [("duplicates", None)],
        "junk": [("tail_mass", outermost_level(rows))],
        "tails_lost": list(tails),
        "modes_lost": modes_of(rows),
        "tails_widened": list(tails),
        "moved": [("energy_distance", None)],
        "spread_lost": spread,
        "spread_gained": spread,
    }
    found = [rows[key] for key in read[name] if key in rows]
    known = [row for row in found if row["p_value"] is not None]
    together = name == "elsewhere"
    if together and len(known) < len(read[name]):
        known = []
    if not known:
        # Without an interval no change has a p-value; equal numbers have none to tell either.
        told = any(row["change"] == 0 and row["low"] == row["high"] == 0 for row in found)
        return ChangeFinding(name, "not found" if told else "cannot tell")
    # Of what has to change together the least sure decides; of alternatives the surest.
    if together:
        row = max(known, key=lambda each: float(each["p_value"]))
        p_value = row["p_value"]
        if len({np.sign(each["change"]) for each in known}) > 1:
            p_value = 1.0
    else:
        # Modes may differ surely without one more of them, or one less, being lost.
        changed = [each for each in known if each["change"]]
        row = min(changed or known, key=lambda each: float(each["p_value"]))
        p_value = min(len(known) * row["p_value"], 1.0)
    state = _direction(name, row)
    return ChangeFinding(
        name,
        state,
        row["change"],
        row["low"],
        row["high"],
        row["value"],
        row["baseline"],
        None if state == "not found" else p_value,
        None,
        tuple(
            (each["metric"], each["level"]) for each in ([row] if name != "elsewhere" else known)
        ),
    )


ENDS: Final = 3
"""A number and both ends of its interval."""

TWO_SIDED: Final[frozenset[str]] = frozenset(
    {"junk", "tails_lost", "tails_widened", "spread_lost", "spread_gained"}
)
"""Findings of metrics that may lie on either side of their null."""


def _direction(name: Name, row: Row) -> ChangeState:
    """Return whether a change makes a finding worse or better, or is about another side."""
    side = -1 if name in BELOW else 1
    toward = side * row["change"]
    if toward == 0:
        return "not found"
    if name not in TWO_SIDED:
        return "worse" if toward > 0 else "better"
    new, old = (
        [side * (row[name] - 1) for name in names if row[name] is not None]
        for names in (
            ("retention", "retention_low", "retention_high"),
            ("baseline_retention", "baseline_low", "baseline_high"),
        )
    )
    # On the side in question: by the number itself, or, of a change from one side to the other, by
    # all of its interval.
    there, was = (bool(ends) and ends[0] > 0 for ends in (new, old))
    clear, was_clear = (len(ends) == ENDS and min(ends) > 0 for ends in (new, old))
    if toward > 0 and there and (was or clear):
        return "worse"
    if toward < 0 and was and (there or was_clear):
        return "better"
    return "not found"


NAMED: Final = 3
"""So many classes of a kind are named; the others are counted."""
LONGEST_NAME: Final = 40


def quoted(classes: Sequence[str]) -> str:
    """Return names of classes in quotes, those beyond :data:`NAMED` as a number."""
    short = (
        name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
        for name in classes[:NAMED]
    )
    names = [f"“{name}”" for name in short]
    if len(classes) > NAMED:
        names.append(f"{len(classes) - NAMED} more")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


FAIL_ON: Final = (
    "elsewhere",
    "copies",
    "repeated",
    "junk",
    "tails_lost",
    "modes_lost",
    "moved",
)
"""What a gate asks for by default."""

WORSE: Final = "worse"
"""What a gate asks for where nothing may have become worse than with the baseline."""

GateState: TypeAlias = Literal["passed", "failed", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a candidate may pass.

    Attributes
    ----------
    state
        ``"failed"`` where any of the findings is there, ``"inconclusive"`` where any cannot be
        told, else ``"passed"``.
    findings
        Those that decide.
    changes
        Those about the change that do, if it was asked whether anything is worse.
    """

    state: GateState
    findings: tuple[Finding, ...]
    changes: tuple[ChangeFinding, ...] = ()

    @property
    def decided_by(self) -> tuple[Name, ...]:
        """Names of the findings that made it fail, or that cannot be told."""
        state = {"failed": "found", "inconclusive": "cannot tell", "passed": None}[self.state]
        return tuple(dict.fromkeys(one.name for one in self.findings if one.state == state))

    def __str__(self) -> str:
        """Say it in a line."""
        changed = {"failed": WORSE, "inconclusive": "cannot tell", "passed": None}[self.state]
        worse = [f"{one.name} ({WORSE})" for one in self.changes if one.state == changed]
        if self.state == "inconclusive":
            # Where no change can be told; one that cannot be told among others decides nothing.
            worse = [WORSE] if len(worse) == len(self.changes) > 0 else []
        names = ", ".join([*map(self._named, self.decided_by), *worse])
        asked = ", ".join(
            [*dict.fromkeys(one.name for one in self.findings), *([WORSE] if self.changes else [])]
        )
        said = {
            "failed": f"failed: {names}",
            "inconclusive": f"inconclusive: {names} cannot be told",
            "passed": f"passed: none of {asked}",
        }
        return f"gate: {said[self.state]}"

    def _named(self, name: Name) -> str:
        """Return the name of a finding that decides, with the classes that it is of."""
        state = "found" if self.state == "failed" else "cannot tell"
        deciding = (one for one in self.findings if (one.name, one.state) == (name, state))
        classes = [one.of for one in deciding if one.of is not None]
        return f"{name} in {quoted(classes)}" if classes else name


@dataclass(frozen=True, slots=True)
class GateRequest:
    """What a gate asks.

    Attributes
    ----------
    names
        Findings that may not be there.
    limits
        What their sizes may reach.
    worse
        Whether nothing may be worse than with the baseline.
    """

    names: frozenset[Name]
    limits: dict[str, float]
    worse: bool = False

    @classmethod
    def of(
        cls,
        fail_on: Sequence[str] | str,
        limits: Mapping[str, float] | None = None,
        keep: float | None = None,
        *,
        has_baseline: bool = False,
    ) -> GateRequest:
        """Check what is asked.

        Parameters
        ----------
        fail_on
            Names of findings, joined by commas or in a sequence; ``"any"`` for all of them.
        limits
            What the size of a finding may reach, by its name.
        keep
            Limit of ``tails_lost``, the odds of tail rows that have to be kept.
        has_baseline
            Whether ``"worse"`` may be among the names.
        """
        asked = fail_on.split(",") if isinstance(fail_on, str) else list(fail_on)
        others = [name for name in asked if name.strip() != WORSE]
        worse = len(others) < len(asked)
        if worse and not has_baseline:
            raise InputError(
                argument="fail_on",
                expected="worse only against a baseline",
                got=WORSE,
                hint="compare with a baseline",
            )
        names = checked_names(others) if others or not worse else frozenset()
        given = checked_limits(limits or {})
        if keep is not None:
            if "tails_lost" in given:
                raise InputError(
                    argument="keep", expected="keep or a limit of tails_lost", got="both"
                )
            given["tails_lost"] = share(keep, "keep")
        unasked = [name for name in given if name not in names]
        if unasked:
            raise InputError(
                argument="limits",
                expected="limits of findings that the gate asks for",
                got=shown(unasked[0]),
                hint=f"add {unasked[0]} to fail_on",
            )
        return cls(names, given, worse)

    def decide(self, findings: Iterable[Finding], changes: Sequence[ChangeFinding] = ()) -> Gate:
        """Decide by findings under these limits, and by changes if they were asked for.

        A change that cannot be told decides nothing as long as another can be.
        """
        deciding = tuple(one for one in findings if one.name in self.names)
        states: set[str] = {one.state for one in deciding}
        asked = tuple(changes) if self.worse else ()
        changed = {one.state for one in asked}
        if WORSE in changed:
            states.add("found")
        elif changed == {"cannot tell"}:
            states.add("cannot tell")
        state: GateState = "passed"
        if "found" in states:
            state = "failed"
        elif "cannot tell" in states:
            state = "inconclusive"
        return Gate(state, deciding, asked)


def checked_names(fail_on: Sequence[str] | str) -> frozenset[Name]:
    """Return names of findings."""
    names = fail_on.split(",") if isinstance(fail_on, str) else list(fail_on)
    names = [name.strip().replace("-", "_") for name in names]
    if names == ["any"]:
        return frozenset(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise InputError(
            argument="fail_on",
            expected=f"names of findings ({', '.join(NAMES)}), or any",
            got=shown(unknown[0]) if unknown else "none",
            hint=meant(unknown[0], NAMES) if unknown else None,
        )
    return frozenset(name for name in NAMES if name in names)

"""What was asked of a run, checked before anything is learnt."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tailwatch.arguments import integer, share
from tailwatch.comparison.request import Request
from tailwatch.exceptions import InputError
from tailwatch.recursion import data as rows_of
from tailwatch.recursion.participants import describe, text_of, words_of
from tailwatch.recursion.policy_text import as_policy, is_shipped
from tailwatch.recursion.randomness import generator
from tailwatch.recursion.theory.fits import MOST_GENERATIONS, MOST_ROWS
from tailwatch.recursion.theory.plan import closed_form
from tailwatch.text_form import shown, storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.recursion.data.kind import Data
    from tailwatch.recursion.participants import Learner
    from tailwatch.recursion.policies import Policy

__all__ = ["LoopRequest", "set_aside"]

DEEPEST = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class LoopRequest:
    """The arguments of a run.

    Attributes
    ----------
    learner, policy
        What learns, and from which rows.
    human
        Rows that the first generation may learn from.
    reference
        Human rows that generations are compared with.
    held_out
        Whether these are rows that no generation trains on.
    earlier
        Human data of earlier tasks, by name.
    generations, size, seed
        How many generations, rows of each sample, and the seed.
    comparison
        What samples are compared by; None for no measurement.
    names
        Metrics of the panel.
    confidence
        Of the intervals.
    label
        Name of the run in the frame.
    stop_on
        What ends the run before its last generation; None if nothing does.
    described
        All of it, as JSON takes it.
    """

    learner: Learner
    policy: Policy
    human: Data
    reference: Data
    held_out: bool
    earlier: Mapping[str, Data]
    generations: int
    size: int
    seed: int
    comparison: Request | None
    names: frozenset[str]
    confidence: float
    label: str
    stop_on: str | None
    described: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        learner: Learner,
        data: Any,  # noqa: ANN401
        *,
        policy: Policy | str,
        generations: int,
        size: int | None,
        holdout: Any,  # noqa: ANN401
        earlier: Mapping[str, Any] | None,
        metrics: str | Sequence[str],
        k: int,
        tail_levels: Sequence[float],
        confidence: float,
        max_rows: int | None,
        seed: int,
        label: str | None,
        stop_on: str | None,
    ) -> LoopRequest:
        """Check the arguments."""
        _check_has(learner, "learner", "fit")
        policy = as_policy(policy)
        generations = integer(generations, "generations", most=MOST_GENERATIONS)
        seed = integer(seed, "seed", least=0)
        confidence = share(confidence, "confidence")
        human, reference, held_out = set_aside(rows_of.as_data(data, "data"), holdout, seed)
        size = rows_of.length(human) if size is None else integer(size, "size", most=MOST_ROWS)
        if max_rows is not None:
            max_rows = integer(max_rows, "max_rows")
        comparison = None
        if isinstance(metrics, str) or len(metrics):
            comparison = Request.of(
                metrics=metrics,
                k=k,
                tail_levels=tail_levels,
                confidence=confidence,
                max_rows=max_rows,
                seed=seed,
            )
        # Copies are looked for in what a generation learnt from, not in the human reference: a
        # panel that has tails is also told of copies, one that avoids quadratic cost is not.
        names = frozenset() if comparison is None else comparison.panel.names
        if metrics == "standard":
            names |= {"authenticity"}
        if label is not None and not isinstance(label, str):
            raise InputError(argument="label", expected="a string", got=type(label).__name__)
        _check_stop(stop_on, comparison)
        tasks = _tasks(earlier)
        described = {
            "learner": _described(learner, "learner"),
            "policy": _described_policy(policy, size, generations, learner),
            "generations": generations,
            "size": size,
            "seed": seed,
            "label": storable(label or text_of(policy)),
            "stop_on": stop_on,
            "metrics": None if comparison is None else comparison.arguments(),
            "confidence": confidence,
            "data": rows_of.describe(human),
            "reference": rows_of.describe(reference) | {"held_out": held_out},
            "earlier": {name: rows_of.describe(rows) for name, rows in tasks.items()},
            "versions": dict(_versions()),
        }
        return cls(
            learner=learner,
            policy=policy,
            human=human,
            reference=reference,
            held_out=held_out,
            earlier=tasks,
            generations=generations,
            size=size,
            seed=seed,
            comparison=comparison,
            names=names,
            confidence=confidence,
            label=described["label"],
            stop_on=stop_on,
            described=described,
        )


def set_aside(data: Data, holdout: Any, seed: int) -> tuple[Data, Data, bool]:  # noqa: ANN401
    """Return training rows, rows to compare with, and whether the latter are held out.

    A share of `data` is drawn without replacement; both parts keep the order of `data`.
    """
    if holdout is None:
        return data, data, False
    if isinstance(holdout, bool | int | float):
        part = share(holdout, "holdout")
        rows = rows_of.length(data)
        aside = int(np.floor(part * rows + 0.5))
        if not 0 < aside < rows:
            raise InputError(
                argument="holdout",
                expected="a share that leaves rows on both sides",
                got=f"{holdout} of {rows}",
            )
        chosen = np.zeros(rows, dtype=bool)
        chosen[generator(seed, 0, "holdout").choice(rows, aside, replace=False)] = True
        parts = (rows_of.take(data, np.flatnonzero(which)) for which in (~chosen, chosen))
        return (*parts, True)
    held_out = rows_of.as_data(holdout, "holdout")
    return data, rows_of.check_like(held_out, data, "holdout"), True


def _described(given: object, argument: str) -> Any:  # noqa: ANN401  (as JSON takes it)
    """Describe a learner or a policy, unless that has no end."""
    try:
        found = describe(given)
        deep = _levels(found) > DEEPEST
    except RecursionError:
        deep = True
    if deep:
        raise InputError(
            argument=argument,
            expected=f"attributes of at most {DEEPEST} levels",
            got=f"{type(given).__name__}, whose attributes go deeper or lead back to it",
            hint="give it a method describe() that says what it is",
        )
    return found


def _described_policy(
    policy: Policy, size: int, generations: int, learner: Learner
) -> dict[str, Any]:
    """Describe a policy: its text, its words, what it holds, and numbers that only it knows."""
    described = _described(policy, "policy")
    held = described if isinstance(described, dict) else {"class": described}
    held.pop("closed_form", None)
    known: dict[str, Any] = {"text": storable(text_of(policy)), "words": storable(words_of(policy))}
    if not is_shipped(policy) and size > 1:
        ddof = getattr(learner, "ddof", 0)
        found = closed_form(policy, size, generations, 1 if ddof == 1 else 0)
        known |= {} if found is None else {"closed_form": found}
    return held | known


def _levels(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_levels, inner), default=0)


def _check_has(given: object, argument: str, method: str) -> None:
    if isinstance(given, type) or not callable(getattr(given, method, None)):
        what = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise InputError(
            argument=argument, expected=f"an object with the method {method}", got=what
        )


def _check_stop(stop_on: object, comparison: Request | None) -> None:
    if stop_on not in (None, "alarm"):
        raise InputError(argument="stop_on", expected="'alarm' or None", got=shown(stop_on))
    if stop_on is not None and comparison is None:
        raise InputError(
            argument="stop_on",
            expected="metrics, of which one may ring",
            got="metrics=()",
            hint="tail_odds_ratio and total_variance are enough",
        )


def _tasks(earlier: Any) -> dict[str, Data]:  # noqa: ANN401
    if earlier is None:
        return {}
    if not isinstance(earlier, Mapping) or not all(isinstance(name, str) for name in earlier):
        got = type(earlier).__name__
        raise InputError(argument="earlier", expected="data by name of task", got=got)
    return {name: rows_of.as_data(rows, f"earlier[{name!r}]") for name, rows in earlier.items()}


@cache
def _versions() -> dict[str, str]:
    return {
        "tailwatch": version("tailwatch"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "polars": pl.__version__,
    }

"""A comparison class by class: each class is compared as if it were alone.

A class has a seed of its own, made from the seed of the call and its label, so that its numbers do
not depend on which other classes there are, nor on their order.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tailwatch.comparison.by_class.judgement import (
    Found,
    deciding,
    evidence_of_interval,
    evidence_of_odds,
    why_not,
)
from tailwatch.comparison.frame import rows_of
from tailwatch.comparison.halves import LEAST_ROWS
from tailwatch.exceptions import InputError
from tailwatch.metrics.embeddings.tail_test import TailCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch._core import Rows
    from tailwatch.comparison.by_class.judgement import Evidence
    from tailwatch.comparison.by_class.partition import Class
    from tailwatch.comparison.estimates import Estimate
    from tailwatch.comparison.human import HumanRows
    from tailwatch.comparison.metrics.family import Whole
    from tailwatch.comparison.request import Request
    from tailwatch.progress import Settings

__all__ = ["class_seed", "compare_classes"]


def class_seed(seed: int, name: str) -> int:
    """Return the seed of a class: 63 bits of the SHA-256 of ``"{seed} {name}"``."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def compare_classes(
    reference: HumanRows,
    candidate: Rows,
    classes: Sequence[Class],
    request: Request,
    settings: Settings,
) -> list[Found]:
    """Compare class by class.

    Parameters
    ----------
    reference
        The human side.
    candidate
        All candidate rows.
    classes
        Which of them are whose.
    request
        What was asked.
    settings
        Of the core; progress is told of each class, and of the stages of those that take long.

    Returns
    -------
    list of Found
        One per class, in the order of `classes`.

    Raises
    ------
    InputError
        No class can be compared.
    """
    share = candidate.shape[0] / reference.source.rows
    found = [
        Found(one, class_seed(request.panel.seed, one.name), note=why_not(one, share))
        for one in classes
    ]
    enough = [one for one in found if one.note is None]
    if not enough:
        raise _too_small(classes)
    report = settings["progress"]
    errors: list[InputError] = []
    for number, one in enumerate(enough, 1):
        try:
            _compare(one, reference, candidate, request, _within(settings, number, len(enough)))
        except InputError as error:
            errors.append(error)
            one.note = str(error)
        if report is not None:
            report("classes", number, len(enough))
    if len(errors) == len(enough):
        raise errors[0]
    return found


def _compare(
    one: Found, reference: HumanRows, candidate: Rows, request: Request, settings: Settings
) -> None:
    """Compare one class, and find what decides about its tails."""
    human = reference.of_class(one.of.reference, one.seed)
    meeting = human.meet(candidate.take(one.of.candidate))
    estimates = meeting.estimates(settings)
    wholes = meeting.wholes(settings)
    one.evidence = _evidence(estimates, wholes, request)
    one.rows = rows_of(meeting, estimates, request.confidence, wholes)


def _evidence(
    estimates: dict[str, list[Estimate]], wholes: list[Whole], request: Request
) -> Evidence | None:
    chosen = deciding(request.panel)
    if chosen is None:
        return None
    name, level = chosen
    if name == "tail_odds_ratio":
        tail = next(tail for metric, level, _, tail in wholes if (metric, level) == chosen)
        if not isinstance(tail, TailCounts):
            return None
        return evidence_of_odds(tail, level, request.confidence)
    estimate = next(one for one in estimates[name] if level is None or one.level == level)
    return evidence_of_interval(estimate, request.confidence)


def _within(settings: Settings, number: int, count: int) -> Settings:
    """Let the stages of a class say which class they are of."""
    report = settings["progress"]
    if report is None:
        return settings
    return {
        "threads": settings["threads"],
        "progress": lambda stage, done, total: report(
            f"class {number} of {count}, {stage}", done, total
        ),
    }


def _too_small(classes: Sequence[Class]) -> InputError:
    largest = max(classes, key=lambda one: min(len(one.reference) // 2, len(one.candidate)))
    return InputError(
        argument="per",
        expected=f"a class with at least {2 * LEAST_ROWS} reference and {LEAST_ROWS} candidate "
        "rows",
        got=f"{len(classes)} smaller ones",
        hint=f"the largest, {largest.name!r}, has {len(largest.reference)} reference and "
        f"{len(largest.candidate)} candidate rows",
    )

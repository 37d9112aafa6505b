"""A comparison by class in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tailwatch.comparison.by_class.judgement import CLASSES_SCHEMA
from tailwatch.comparison.by_class.result import sentence_of_classes
from tailwatch.comparison.questions import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailwatch.comparison.questions import Name


def row(name: str, verdict: str, **given: object) -> dict[str, Any]:
    return dict.fromkeys(CLASSES_SCHEMA) | {"class": name, "verdict": verdict} | given


def odds(name: str, verdict: str) -> dict[str, Any]:
    given = {"value": 0.05, "low": 0.01, "high": 0.123, "level": 0.05, "q_value": 3.2e-8}
    return row(name, verdict, metric="tail_odds_ratio", **given)


def sentence(
    *rows: dict[str, Any], findings: Sequence[Finding] = (), confidence: float = 0.95
) -> str:
    classes = pl.DataFrame(list(rows), schema=CLASSES_SCHEMA)
    return sentence_of_classes(classes, findings, confidence)


BY_CHANCE = (
    "Of the classes said to have changed, {} % at most are expected to be among them by chance."
)


def test_one_class_lost_its_tails() -> None:
    assert sentence(odds("dog", "lost"), odds("cat", "no change found"), confidence=0.9) == (
        "Tails were lost in 1 of 2 classes, “dog”: the odds of finding a candidate row among the "
        "rarest 5 % are 0.05 [0.01, 0.12] times those of a human row (q < 0.0001). "
        + BY_CHANCE.format(10)
    )


def test_many_classes_of_every_kind() -> None:
    lost = [odds(f"l{i}", "lost") for i in range(6)]
    found = sentence(
        *lost,
        odds("n", "no change found"),
        odds("w", "widened"),
        row("a", "absent"),
        *(row(name, "not compared") for name in "xy"),
        row("b", "new"),
    )
    assert found.startswith(
        "“a” is gone: no candidate row is of it. "
        "Tails were lost in 6 of 8 classes, most surely in “l0”: the odds of "
    )
    assert found.endswith(
        "Then in “l1”, “l2”, “l3” and 2 more. Tails widened in “w”. "
        "No reference row at all is of “b”. "
        "Not compared, for the reason given beside the class: “x” and “y”. " + BY_CHANCE.format(5)
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [odds("a", "no change found"), odds("b", "no change found")],
            "No loss of tails was found in any of 2 classes.",
        ),
        (
            [odds("a", "no change found"), odds("b", "widened")],
            "Tails widened in “b”. No loss of tails was found in any of 2 classes. "
            + BY_CHANCE.format(5),
        ),
        (
            [row("a", "undetermined"), row("b", "not compared", note="too few")],
            (
                "No tail metric was asked for, or none has an interval: the frame has the values "
                "beside their nulls. Not compared, for the reason given beside the class: “b”."
            ),
        ),
    ],
)
def test_nothing_was_lost(rows: list[dict[str, Any]], expected: str) -> None:
    assert sentence(*rows) == expected


def test_long_names_are_cut() -> None:
    found = sentence(odds("x" * 100, "lost"))
    assert f"“{'x' * 39}…”" in found
    assert "x" * 40 not in found


def test_findings_come_in_their_order_and_classes_by_how_sure_they_are() -> None:
    def found(name: Name, of: str, p: float) -> Finding:
        return Finding(name, "found", 0.5, p_value=p, evidence=(("m", None),), of=of)

    findings = [
        found("spread_lost", "d", 1e-9),
        found("moved", "b", 1e-3),
        found("moved", "c", 1e-6),
        found("copies", "d", 1e-5),
        found("modes_lost", "d", 1e-4),
    ]
    rows = row("a", "absent"), *(odds(name, "no change found") for name in "bcd")
    assert sentence(*rows, findings=findings) == (
        "“a” is gone: no candidate row is of it. Copies of human rows are in “d”. Modes were lost "
        "in “d”. Moved away from the human rows: “c” and “b”. Also found: spread lost. No loss of "
        "tails was found in any of 3 classes. " + BY_CHANCE.format(5)
    )

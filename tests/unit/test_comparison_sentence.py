"""A finding in words: what each kind of frame is said to show."""

from __future__ import annotations

from typing import TypeAlias

import polars as pl
import pytest

from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.sentence import sentence_of

Numbers: TypeAlias = tuple[float | None, float | None, float | None]


def frame(**retained: Numbers) -> pl.DataFrame:
    """One row per metric; ``name__10`` is the metric at level 0.10."""
    rows = []
    for key, (retention, low, high) in retained.items():
        name, _, level = key.partition("__")
        row = dict.fromkeys(SCHEMA) | {
            "metric": name,
            "level": int(level) / 100 if level else None,
            # Of odds, whose null is 1, the value decides; of all others, what is retained.
            "value": retention,
            "low": low,
            "high": high,
            "null": 1.0,
            "retention": retention,
            "retention_low": low,
            "retention_high": high,
            "method": "half-sampling",
        }
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


LOST, KEPT, MORE = (0.5, 0.4, 0.6), (1.01, 0.9, 1.1), (2.0, 1.5, 2.5)


def test_a_loss() -> None:
    found = sentence_of(frame(tail_odds_ratio__5=LOST))
    assert found.startswith("Tails were lost: ")
    assert "5 %" in found
    assert "0.50 [0.40, 0.60]" in found
    assert found.count(".") == 4, "one sentence of three decimals"


def test_a_loss_with_what_else_was_lost_and_what_hides_it() -> None:
    found = sentence_of(
        frame(
            precision=(1.2, 1.1, 1.3),
            coverage=KEPT,
            tail_mass__5=(0.3, 0.2, 0.4),
            tail_recall__5=KEPT,
            tail_odds_ratio__5=LOST,
            total_variance=(0.64, 0.62, 0.66),
        )
    )
    assert found.startswith("Tails were lost: ")
    for fragment in (
        "tail mass 0.30 [0.20, 0.40]",
        "total variance 0.64 [0.62, 0.66]",
        "Precision (1.20 [1.10, 1.30] of its null)",
        "coverage (1.01 [0.90, 1.10] of its null) do not see this.",
    ):
        assert fragment in found
    assert "recall" not in found


def test_one_metric_that_hides_it() -> None:
    found = sentence_of(frame(precision=KEPT, coverage=LOST, tail_odds_ratio__5=LOST))
    assert "Precision (1.01 [0.90, 1.10] of its null) does not see this." in found
    assert "overage" not in found


def test_no_loss() -> None:
    found = sentence_of(frame(tail_odds_ratio__5=KEPT, tail_mass__5=KEPT))
    assert found.startswith("No loss of tails was found: ")
    assert "1.01 [0.90, 1.10]" in found
    assert "mass" not in found


def test_no_loss_by_the_deciding_metric_but_by_another() -> None:
    found = sentence_of(frame(tail_odds_ratio__5=KEPT, tail_recall__5=LOST))
    assert "tail recall 0.50 [0.40, 0.60]" in found


def test_widening() -> None:
    found = sentence_of(frame(tail_odds_ratio__5=MORE))
    assert found.startswith("Tails widened: ")
    assert "2.00 [1.50, 2.50]" in found


def test_the_level_nearest_to_five_per_cent_decides() -> None:
    found = sentence_of(frame(tail_odds_ratio__10=LOST, tail_odds_ratio__1=KEPT))
    assert "rarest 1 %" in found
    assert found.startswith("No loss")
    both = sentence_of(frame(tail_odds_ratio__10=KEPT, tail_odds_ratio__4=LOST))
    assert both.startswith("Tails were lost: ")
    assert "rarest 4 %" in both


def test_directional_tails_decide_where_no_odds_were_asked_for() -> None:
    assert sentence_of(frame(directional_tails__1=LOST)).startswith("Tails were lost: ")
    overruled = frame(directional_tails__1=LOST, tail_odds_ratio__5=KEPT)
    assert sentence_of(overruled).startswith("No loss")


def test_an_interval_that_touches_the_null_is_no_loss() -> None:
    assert sentence_of(frame(tail_odds_ratio__5=(0.7, 0.5, 1.0))).startswith("No loss")


def test_what_is_not_known_is_not_called_unharmed() -> None:
    # No retention: every row of the null's tail came from one side, or there is no interval.
    for numbers in ((None, None, None), (0.0, None, None)):
        found = sentence_of(frame(tail_odds_ratio__5=numbers))
        assert not found.startswith(("No loss", "Tails were")), found


@pytest.mark.parametrize("metric", ["tail_recall", "tail_mass", "tail_coverage"])
def test_a_frame_of_other_tail_metrics_does_not_claim_that_none_was_asked_for(metric: str) -> None:
    assert "No tail metric" not in sentence_of(frame(**{f"{metric}__5": LOST}))


def test_without_any_tail_metric() -> None:
    found = sentence_of(frame(total_variance=(0.64, 0.62, 0.66), recall=KEPT))
    assert found.startswith("No tail metric was asked for")
    assert "total variance: 0.64 [0.62, 0.66]" in found
    assert sentence_of(frame(recall=KEPT)).startswith("No tail metric was asked for")


def test_numbers_are_rounded_and_never_written_with_an_exponent() -> None:
    found = sentence_of(frame(tail_odds_ratio__5=(123.456, 12.34, 1234.5)))
    assert "e+" not in found
    assert "12" in found
    assert "123.456" not in found
    small = sentence_of(frame(tail_odds_ratio__5=(0.0123, 0.0, 0.0234)))
    assert "0.012 [0.00, 0.023]" in small

"""Findings in words: what each kind of frame is said to show."""

from __future__ import annotations

import polars as pl
import pytest

from tailwatch.comparison.findings import findings_of
from tailwatch.comparison.frame import SCHEMA
from tailwatch.comparison.sentence import sentence_of
from tests.support.finding_rows import FRESH, frame, odds, retained


def said(*rows: dict[str, object]) -> str:
    return sentence_of(frame(*rows))


def test_a_loss() -> None:
    found = said(*FRESH, odds(0.5, 0.4, 0.6, p=1e-9))
    assert found == (
        "Tails were lost: the odds of finding a candidate row among the rarest 5 % are "
        "0.50 [0.40, 0.60] times those of a human row."
    )


def test_a_loss_with_what_else_was_lost_and_what_hides_it() -> None:
    found = said(
        odds(0.5, 0.4, 0.6, p=1e-9),
        retained("precision", 1.2, 1.1, 1.3),
        retained("coverage", 1.01, 0.9, 1.1),
        retained("tail_mass", 0.3, 0.2, 0.4, level=0.05, p=1e-3),
        retained("tail_recall", 1.01, 0.9, 1.1, level=0.05),
        retained("total_variance", 0.64, 0.62, 0.66, p=1e-9),
    )
    assert found.startswith("Tails were lost: ")
    for fragment in (
        "Spread was lost: total variance is 0.64 [0.62, 0.66] times that of a fresh human sample.",
        "What is left: tail mass 0.30 [0.20, 0.40].",
        "Precision (1.20 [1.10, 1.30] of its null)",
        "coverage (1.01 [0.90, 1.10] of its null) do not see this.",
    ):
        assert fragment in found
    assert "recall" not in found


def test_one_metric_that_hides_it() -> None:
    found = said(
        odds(0.5, 0.4, 0.6, p=1e-9),
        retained("precision", 1.01, 0.9, 1.1),
        retained("coverage", 0.5, 0.4, 0.6),
    )
    assert "Precision (1.01 [0.90, 1.10] of its null) does not see this." in found
    assert "overage" not in found


def test_nothing() -> None:
    found = said(*FRESH)
    assert found.startswith("Nothing was found: the odds of finding a candidate row among the ")
    assert "1.00 [0.80, 1.25]" in found
    assert found.endswith(" % of the tail would have been found.")


def test_widening() -> None:
    found = said(*FRESH, odds(2.0, 1.5, 2.5, p=1e-9))
    assert found.startswith("Tails widened: ")
    assert "2.00 [1.50, 2.50]" in found


@pytest.mark.parametrize(
    ("row", "start"),
    [
        (
            {
                "metric": "copies",
                "value_all": 1.0,
                "low_all": 0.996,
                "high_all": 1.0,
                "p_value": 0.0,
            },
            "All candidate rows are copies of human rows.",
        ),
        (
            {
                "metric": "copies",
                "value_all": 0.5,
                "low_all": 0.469,
                "high_all": 0.531,
                "p_value": 0.0,
            },
            "50 % [47, 53] of the candidate rows are copies of human rows.",
        ),
        (
            {"metric": "normalised_copies", "value_all": 0.5, "low_all": 0.469}
            | {"high_all": 0.531, "p_value": 0.0}
            | {"p_value": 0.0},
            "50 % [47, 53] of the candidate rows are copies of human rows once both have length 1.",
        ),
        (
            {"metric": "duplicates", "value_all": 0.12, "low_all": 0.1, "high_all": 0.14}
            | {"null": 0.02, "null_low": 0.02, "null_high": 0.02, "p_value": 1e-9},
            (
                "Rows are repeated: 10 % [8, 12] of the candidate rows equal another of them, "
                "beyond the share of human rows that do."
            ),
        ),
        (
            retained("tail_mass", 20.0, 15.0, 25.0, level=0.01, p=1e-9),
            "About 19 % [14, 24] of the candidate rows lie where next to no human row does.",
        ),
        (
            {"metric": "mode_coverage", "level": 0.05, "value": 0.25, "p_value": 1e-9},
            "Modes were lost: 75 % of the small modes of the human data are empty.",
        ),
        (
            {"metric": "energy_coefficient", "value_all": 0.01, "low_all": 0.008}
            | {"high_all": 0.012},
            (
                "The candidate has moved: its energy distance from the human data is 1.0 % "
                "[0.8, 1.2] of the largest possible."
            ),
        ),
        (
            retained("effective_rank", 0.5, 0.4, 0.6, p=1e-9),
            "Spread was lost: effective rank is 0.50 [0.40, 0.60] times that of a fresh human",
        ),
        (
            retained("total_variance", 2.0, 1.9, 2.1, p=1e-9),
            "Spread was gained: total variance is 2.00 [1.90, 2.10] times that of a fresh human",
        ),
    ],
    ids=["all", "half", "normalised", "repeated", "junk", "modes", "moved", "rank", "variance"],
)
def test_each_finding_is_what_is_said_first(row: dict[str, object], start: str) -> None:
    moved = [{"metric": "energy_distance", "p_value": 1e-9}]
    besides = moved if row["metric"] == "energy_coefficient" else []
    assert said(*FRESH, *besides, row).startswith(start)


def test_repeated_rows_are_said_with_what_they_amount_to() -> None:
    repeats = {"metric": "duplicates", "value_all": 0.5, "low_all": 0.45, "high_all": 0.55}
    repeats |= {"null": 0.0, "null_low": 0.0, "null_high": 0.0, "p_value": 1e-9}
    vendi = retained("vendi_score", 0.5, 0.4, 0.6) | {"value": 8.1, "null": 16.2}
    assert said(*FRESH, repeats, vendi) == (
        "Rows are repeated: 50 % [45, 55] of the candidate rows equal another of them, beyond the "
        "share of human rows that do. By the Vendi score it amounts to 8.10 distinct rows, as many "
        "human rows to 16."
    )
    assert "Vendi" not in said(*FRESH, repeats, retained("vendi_score", 1.0, 0.9, 1.1))


def test_a_candidate_elsewhere_is_said_to_be_so_and_nothing_that_this_implies() -> None:
    found = said(
        odds(0.3, 0.2, 0.4, p=1e-9),
        retained("clipped_density", 0.0, 0.0, 0.05, p=1e-9),
        retained("clipped_coverage", 0.0, 0.0, 0.02, p=1e-9),
        retained("tail_mass", 100.0, 50.0, 200.0, level=0.01, p=1e-9),
    )
    assert found == (
        "The candidate is not in the same place as the human data: at most 5 % of its rows lie "
        "where human rows do. Another encoder, scale or normalisation?"
    )


def test_the_level_nearest_to_five_per_cent_decides() -> None:
    found = said(odds(0.5, 0.4, 0.6, level=0.1, p=1e-9), odds(1.0, 0.8, 1.25, level=0.01))
    assert "rarest 1 %" in found
    assert found.startswith("Nothing was found")
    both = said(odds(1.0, 0.8, 1.25, level=0.1), odds(0.5, 0.4, 0.6, level=0.04, p=1e-9))
    assert both.startswith("Tails were lost: ")
    assert "rarest 4 %" in both


def test_directional_tails_decide_where_no_odds_were_asked_for() -> None:
    directional = retained("directional_tails", 0.5, 0.4, 0.6, level=0.01, p=1e-9)
    assert said(directional).startswith("Tails were lost: beyond the outermost 1 % along ")
    assert said(directional, odds(1.0, 0.8, 1.25)).startswith("Nothing was found: the odds")


def test_what_is_not_known_is_not_called_unharmed() -> None:
    # No interval, so no test.
    found = said(retained("directional_tails", 0.5, None, None, level=0.01))
    assert not found.startswith(("Nothing was found", "Tails were")), found


@pytest.mark.parametrize("metric", ["tail_recall", "tail_mass", "tail_coverage"])
def test_a_frame_of_other_tail_metrics_does_not_claim_that_none_was_asked_for(metric: str) -> None:
    assert "No tail metric" not in said(retained(metric, 0.5, 0.4, 0.6, level=0.05, p=1e-9))


def test_without_any_tail_metric() -> None:
    found = said(retained("total_variance", 0.99, 0.9, 1.1))
    assert found.startswith("No tail metric was asked for; nothing else was found.")
    assert "total variance: 0.99 [0.90, 1.10]" in found
    assert said(retained("recall", 1.0, 0.9, 1.1)) == (
        "Nothing that was asked for can be told: the frame has the values."
    )


def test_numbers_are_rounded_and_never_written_with_an_exponent() -> None:
    found = said(odds(123.456, 12.34, 1234.5, p=1e-9))
    assert "123 [12, 1,234]" in found
    assert "0.012 [0, 0.023]" in said(odds(0.0123, 0.0, 0.0234, p=1e-9))


def test_a_frame_without_rows_is_said_to_tell_nothing() -> None:
    assert "can be told" in sentence_of(pl.DataFrame(schema=SCHEMA))


@pytest.mark.parametrize(
    ("variance", "rank", "start"),
    [
        # Far rows hold all of a variance that is a hundred times as large: nothing was lost.
        ((100.0, 90.0, 110.0), (0.07, 0.06, 0.08), "Spread was gained: total variance is 100 [90"),
        ((0.5, 0.4, 0.6), (0.3, 0.2, 0.4), "Spread was lost: total variance is 0.50 [0.40, 0.60]"),
        ((1.0, 0.9, 1.1), (0.3, 0.2, 0.4), "Spread was lost: effective rank is 0.30 [0.20, 0.40]"),
    ],
)
def test_of_spread_total_variance_is_asked_first(
    variance: tuple[float, float, float], rank: tuple[float, float, float], start: str
) -> None:
    found = said(
        *FRESH,
        retained("total_variance", *variance, p=1e-6),
        retained("effective_rank", *rank, p=1e-12),
    )
    assert found.startswith(start)
    assert "Spread was" not in found.removeprefix(start)


def test_far_rows_that_move_a_candidate_are_named_and_not_the_spread_they_bring() -> None:
    found = said(
        *FRESH,
        retained("tail_mass", 2.5, 2.0, 3.0, level=0.05, p=1e-9),
        retained("tail_mass", 10.8, 5.0, 24.0, level=0.01, p=1e-9),
        {"metric": "energy_distance", "p_value": 1e-9},
        {"metric": "energy_coefficient", "value_all": 0.07, "low_all": 0.05, "high_all": 0.09},
        retained("total_variance", 100.0, 90.0, 110.0, p=1e-9),
        retained("effective_rank", 0.07, 0.06, 0.08, p=1e-12),
    )
    assert found.startswith("About 10 % [4, 23] of the candidate rows lie where next to no human")
    assert "rank" not in found


def test_what_decided_is_not_said_again_to_be_left() -> None:
    found = said(retained("tail_mass", 0.0, 0.0, 0.4, level=0.05, p=1e-9))
    assert found == (
        "Tails were lost: tail mass at level 5 % is 0 [0, 0.40] times that of a fresh human sample."
    )


def test_where_any_odds_are_as_likely_no_loss_would_have_been_found() -> None:
    assert "would have been found" not in said(odds(1.0, 0.0, float("inf")))


def test_sizes_that_are_shares_stay_from_0_to_1() -> None:
    rows = frame(
        retained("clipped_density", 1.08, 0.93, 1.26),
        retained("clipped_coverage", 1.0, 0.9, 1.1),
        {
            "metric": "duplicates",
            "value_all": 0.0,
            "low_all": 0.0,
            "high_all": 0.004,
            "null": 0.0,
            "null_low": 0.0,
            "null_high": 0.003,
            "p_value": 1.0,
        },
        {"metric": "energy_distance", "p_value": 0.9},
        {"metric": "energy_coefficient", "value_all": -0.01, "low_all": -0.02, "high_all": 0.01},
    )
    for one in findings_of(rows):
        if one.name in {"elsewhere", "repeated", "moved"}:
            assert one.size is not None
            assert 0 <= (one.low or 0) <= one.size <= (one.high or 0) <= 1

"""What a comparison by class finds where it is known what happened."""

from __future__ import annotations

import numpy as np
import pytest

import tailwatch as tw
from tailwatch.comparison.questions import READ
from tests.support import samples

CLASSES, REFERENCE, CANDIDATE = 80, 128, 64


def labelled(rows: int) -> np.ndarray:
    return np.repeat(np.arange(CLASSES), rows)


@pytest.fixture(scope="module")
def unchanged() -> tw.ClassComparison:
    """80 classes of the smallest size, seeds 21 and 22, in which nothing happened."""
    return tw.compare(
        samples.gaussian(21, CLASSES * REFERENCE, 4),
        samples.gaussian(22, CLASSES * CANDIDATE, 4),
        per=(labelled(REFERENCE), labelled(CANDIDATE)),
        metrics=["tail_odds_ratio", "directional_tails"],
        tail_levels=[0.05],
        threads=2,
    )


@pytest.mark.parametrize("level", [0.05, 0.2, 0.5])
def test_p_values_of_unchanged_classes_are_no_smaller_than_chance_makes_them(
    level: float, unchanged: tw.ClassComparison
) -> None:
    # An exact test of counts is at most as often as it says below a level; z ≤ 4.
    found = int((unchanged.classes["p_value"] <= level).sum())
    assert found <= CLASSES * level + 4 * (CLASSES * level * (1 - level)) ** 0.5


def test_of_unchanged_classes_none_is_named(unchanged: tw.ClassComparison) -> None:
    # With probability 0.95 at least, whatever the seed.
    assert unchanged.classes["verdict"].unique().to_list() == ["no change found"]
    assert unchanged.sentence == f"No loss of tails was found in any of {CLASSES} classes."


def test_classes_that_changed_are_found_and_come_first() -> None:
    x, y = samples.gaussian(23, CLASSES * REFERENCE, 8), samples.gaussian(24, CLASSES * 128, 8)
    of_y = labelled(128)
    shrunk, widened = of_y % 20 == 3, of_y % 20 == 7
    y[shrunk] *= 0.5
    y[widened] *= 2.0
    found = tw.compare(
        x,
        y,
        per=(labelled(REFERENCE), of_y),
        metrics=["tail_odds_ratio"],
        tail_levels=[0.1],
        threads=2,
    ).classes
    lost, more = (set(map(str, np.unique(of_y[changed]))) for changed in (shrunk, widened))
    assert set(found["class"][: CLASSES // 20]) == lost
    assert set(found["class"][-(CLASSES // 20) :]) == more
    judged = dict(found.select("class", "verdict").iter_rows())
    # Half the deviation leaves next to nothing of 26 rows, twice that takes nearly all of them.
    assert {judged[name] for name in lost} == {"lost"}
    assert {judged[name] for name in more} == {"widened"}
    false = [name for name, verdict in judged.items() if verdict in {"lost", "widened"}]
    # 5 % of those named at most, in expectation; one in ten has changed.
    assert len(set(false) - lost - more) <= 3


def three_classes(kind: str) -> tw.ClassComparison:
    """Three classes of 600 rows, to the second of which something happens."""
    human, fresh = samples.gaussian(31, 1800, 8), samples.gaussian(32, 1800, 8)
    labels = np.repeat(["ant", "bee", "cat"], 600)
    if kind == "modes_lost":
        # Three modes of equal size, of which the last is lost.
        human[600:1200, 0] += 12 * np.repeat([0, 1, 2], 200)
        fresh[600:1200, 0] += 12 * np.repeat([0, 1], 300)
    bee = fresh[600:1200]
    if kind == "elsewhere":
        bee += 20
    elif kind == "copies":
        bee[:200] = human[600:800]
    elif kind == "repeated":
        bee[:200] = bee[200:400]
    elif kind == "junk":
        bee[:200] *= 12
    elif kind == "tails_lost":
        bee *= 0.6
    elif kind == "tails_widened":
        bee *= 1.2
    elif kind == "moved":
        bee[:, 0] += 1
    elif kind == "spread_lost":
        bee[:, 4:] *= 0.9
    elif kind == "spread_gained":
        bee[:, 4:] *= 1.2
    # Losses of modes and of spread are losses of tails too, which are said first.
    spread = ("total_variance", "effective_rank")
    alone = {"modes_lost": ("mode_coverage",), "spread_lost": spread, "spread_gained": spread}
    metrics = alone.get(kind, READ)
    return tw.compare(human, fresh, per=(labels, labels), metrics=metrics, threads=2)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("elsewhere", "Not in the place of the human rows: “bee”."),
        ("copies", "Copies of human rows are in “bee”."),
        ("repeated", "Rows are repeated in “bee”."),
        ("junk", "Rows lie where next to no human row does in “bee”."),
        ("tails_lost", "Tails were lost in 1 of 3 classes, “bee”: "),
        ("modes_lost", "Modes were lost in “bee”."),
        ("tails_widened", "Tails widened in “bee”."),
        ("moved", "Moved away from the human rows: “bee”."),
        ("spread_lost", "Spread was lost in “bee”."),
        ("spread_gained", "Spread was gained in “bee”."),
        ("nothing", "No loss of tails was found in any of 3 classes."),
    ],
)
def test_what_happened_to_a_class_is_said_first(kind: str, said: str) -> None:
    found = three_classes(kind)
    assert found.sentence.startswith(said)
    assert "ant" not in found.sentence
    if kind != "nothing":
        assert (kind, "bee") in {(one.name, one.of) for one in found.findings if one.found}

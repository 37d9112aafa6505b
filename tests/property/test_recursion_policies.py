"""Policies hand over exactly the rows they promise, for whatever sizes hypothesis thinks of.

Human rows are [0, i], those that generation t samples [t, i]: a training set says where it is from.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tailwatch as tw
from tailwatch.recursion import (
    Accumulate,
    AccumulateSubsample,
    Augment,
    Mix,
    Replace,
    Verified,
)
from tests.support.errors import refused
from tests.support.recursion_learners import Opaque, Tagging, tagged

GENERATIONS = 5
seeds = st.integers(0, 2**32)
sizes = st.integers(1, 40)


def training_sets(policy: Opaque, rows: int, size: int, seed: int) -> list[list[tuple[int, ...]]]:
    """What each generation learnt from, as tuples (origin, number)."""
    learner = Tagging()
    tw.recursion.run(
        learner,
        tagged(0, rows),
        policy=policy,
        generations=GENERATIONS,
        size=size,
        metrics=(),
        seed=seed,
    )
    assert learner._calls == ["fit", "sample"] * GENERATIONS
    return [[tuple(row) for row in seen.tolist()] for seen in learner._seen]


def rows_of(origin: int, count: int) -> list[tuple[int, ...]]:
    return [tuple(row) for row in tagged(origin, count).tolist()]


def parts(seen: list[tuple[int, ...]]) -> dict[int, list[int]]:
    """Numbers of the rows by origin, in order; origins must not be mixed up."""
    origins = [origin for origin, _ in seen]
    assert origins == sorted(origins)
    return {origin: [n for o, n in seen if o == origin] for origin in dict.fromkeys(origins)}


@given(rows=sizes, size=sizes, seed=seeds)
def test_replace_hands_over_the_last_samples(rows: int, size: int, seed: int) -> None:
    first, *later = training_sets(Replace(), rows, size, seed)
    assert first == rows_of(0, rows)
    assert later == [rows_of(t, size) for t in range(1, GENERATIONS)]


@given(rows=sizes, size=sizes, seed=seeds)
def test_accumulate_hands_over_everything_in_order(rows: int, size: int, seed: int) -> None:
    sets = training_sets(Accumulate(), rows, size, seed)
    pool = rows_of(0, rows)
    for t, seen in enumerate(sets, 1):
        assert seen == pool
        pool = pool + rows_of(t, size)


@given(rows=sizes, size=sizes, drawn=st.none() | st.integers(1, 120), seed=seeds)
def test_subsamples_hold_no_row_twice(rows: int, size: int, drawn: int | None, seed: int) -> None:
    first, *later = training_sets(AccumulateSubsample(drawn), rows, size, seed)
    assert first == rows_of(0, rows)
    for t, seen in enumerate(later, 1):
        pool = rows + t * size
        assert len(seen) == min(drawn or size, pool)
        assert len(set(seen)) == len(seen)
        # In the order of the pool, and nothing from outside of it.
        assert seen == sorted(seen)
        assert set(seen) <= {
            *rows_of(0, rows),
            *(x for g in range(1, t + 1) for x in rows_of(g, size)),
        }


@given(size=sizes, fraction=st.floats(0.01, 0.99), seed=seeds, extra=st.integers(0, 20))
def test_mix_keeps_the_same_human_rows(size: int, fraction: float, seed: int, extra: int) -> None:
    human = min(max(1, int(np.floor(fraction * size + 0.5))), size)
    _, *later = training_sets(Mix(fraction), size + extra, size, seed)
    kept = None
    for t, seen in enumerate(later, 1):
        found = parts(seen)
        assert len(found[0]) == human == len(set(found[0]))
        assert len(found.get(t, [])) == size - human == len(set(found.get(t, [])))
        assert set(found) <= {0, t}
        kept = kept or found[0]
        assert found[0] == kept
        assert all(numbers == sorted(numbers) for numbers in found.values())


@given(size=st.integers(2, 30), fraction=st.floats(0.01, 0.99), seed=seeds)
def test_fresh_human_rows_are_never_seen_twice(size: int, fraction: float, seed: int) -> None:
    human = min(max(1, int(np.floor(fraction * size + 0.5))), size)
    rows = size + human * (GENERATIONS - 1)
    sets = training_sets(Mix(fraction, fresh=True), rows, size, seed)
    assert len(sets[0]) == size
    spent = [number for seen in sets for number in parts(seen)[0]]
    # As many human rows as there are, each one once.
    assert sorted(spent) == list(range(rows))
    assert [len(parts(seen)[0]) for seen in sets[1:]] == [human] * (GENERATIONS - 1)
    with refused(tw.exceptions.InputError, "data", f"at least {rows} rows …", str(rows - 1)):
        training_sets(Mix(fraction, fresh=True), rows - 1, size, seed)


@given(size=sizes, fraction=st.floats(0.01, 0.99), seed=seeds)
def test_fresh_rows_come_from_the_callable(size: int, fraction: float, seed: int) -> None:
    asked: list[int] = []

    def fresh(count: int, rng: np.random.Generator) -> np.ndarray:
        asked.append(count)
        return tagged(0, count) + np.array([0, 1000 * len(asked)])

    _, *later = training_sets(Mix(fraction, fresh=fresh), 3, size, seed)
    human = min(max(1, int(np.floor(fraction * size + 0.5))), size)
    assert asked == [human] * (GENERATIONS - 1)
    for call, seen in enumerate(later, 1):
        assert parts(seen)[0] == [1000 * call + number for number in range(human)]


@given(rows=sizes, size=sizes, real=st.none() | st.integers(1, 40), seed=seeds)
def test_augment_keeps_a_human_set(rows: int, size: int, real: int | None, seed: int) -> None:
    real = None if real is None else min(real, rows)
    _, *later = training_sets(Augment(real), rows, size, seed)
    kept = parts(later[0])[0]
    assert len(set(kept)) == len(kept) == (rows if real is None else real)
    for t, seen in enumerate(later, 1):
        assert parts(seen) == {0: kept, t: list(range(size))}


@given(rows=sizes, size=sizes, other=sizes, seed=seeds)
def test_augment_takes_a_set_of_its_own(rows: int, size: int, other: int, seed: int) -> None:
    own = tagged(0, other) + np.array([0, 500])
    _, *later = training_sets(Augment(own), rows, size, seed)
    for t, seen in enumerate(later, 1):
        assert parts(seen) == {0: own[:, 1].tolist(), t: list(range(size))}


@given(size=st.integers(4, 40), modulus=st.integers(1, 4), seed=seeds)
@pytest.mark.parametrize(
    "policy", [Replace(), Accumulate(), AccumulateSubsample(1000), Augment(), Mix(0.5)]
)
def test_no_row_passes_a_filter_that_refuses_it(
    policy: Opaque, size: int, modulus: int, seed: int
) -> None:
    def keep(samples: np.ndarray) -> np.ndarray:
        # Human rows are never asked about.
        assert (samples[:, 0] > 0).all()
        return samples[:, 1] % modulus == 0

    plain = training_sets(policy, size, size, seed)
    kept = training_sets(Verified(policy, keep), size, size, seed)
    for t, (all_rows, seen) in enumerate(zip(plain, kept, strict=True)):
        assert all(origin == 0 or number % modulus == 0 for origin, number in seen)
        if not isinstance(policy, Mix):
            passing = [row for row in all_rows if row[0] == 0 or row[1] % modulus == 0]
            assert seen == passing
        elif t:
            left = -(-size // modulus)
            human, synthetic = (
                sum((o == 0) == is_human for o, _ in seen) for is_human in (True, False)
            )
            assert synthetic == min(left, size - int(size / 2 + 0.5))
            # The share of human rows remains, as near as whole rows allow.
            assert abs(human - synthetic) <= 1


@given(size=sizes, seed=seeds)
def test_filters_may_be_put_one_behind_the_other(size: int, seed: int) -> None:
    even = Verified(Replace(), lambda samples: samples[:, 1] % 2 == 0)
    both = Verified(even, lambda samples: samples[:, 1] % 3 == 0)
    _, *later = training_sets(both, size, size, seed)
    expected = [number for number in range(size) if number % 6 == 0]
    assert later == [[(t, n) for n in expected] for t in range(1, GENERATIONS)]

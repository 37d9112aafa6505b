"""Errors of the Rust core: the kind and each field."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tailwatch as tw
from tailwatch import _core, progress
from tailwatch.exceptions import DimensionError, InputError, NonFiniteError, TailwatchError
from tests.support.errors import refused

if TYPE_CHECKING:
    from collections.abc import Callable

X = np.arange(20.0).reshape(5, 4)
SETTINGS: Any = {"threads": 1, "progress": None}


def handle(rows: Any) -> _core.Rows:  # noqa: ANN401  (what is refused is tried too)
    """Hand rows to the core as they are."""
    return _core.Rows.from_numpy([rows], "x")


CASES: list[tuple[Callable[[], object], type[TailwatchError], dict[str, str]]] = [
    (
        lambda: tw.metrics.nearest_neighbors(X, X, k=9),
        InputError,
        {"argument": "k", "expected": "at most the 5 rows of base", "got": "k = 9 with 5 rows"},
    ),
    (
        lambda: tw.metrics.nearest_neighbors(X[:, :2], X, k=1),
        DimensionError,
        {"argument": "queries", "expected": "4 columns as in base", "got": "2"},
    ),
    (
        lambda: tw.metrics.nearest_neighbors(X + 1, X, k=1, exclude_self=True),
        InputError,
        {
            "argument": "exclude_self",
            "expected": "queries and base to be the same rows",
            "got": "rows that differ",
            "where": "row 0",
        },
    ),
    (
        lambda: tw.metrics.nearest_neighbors(X, np.where(X == 6, np.nan, X), k=1),
        NonFiniteError,
        {
            "argument": "base",
            "expected": "finite numbers",
            "got": "NaN",
            "where": "row 1, column 2",
        },
    ),
    (
        lambda: handle(X).take(np.array([0, 5])),
        InputError,
        {"argument": "indices", "expected": "0 to 5 (excluded)", "got": "5", "where": "position 1"},
    ),
    (
        lambda: handle(X.astype(int)),
        InputError,
        {"argument": "x", "expected": "float16, float32 or float64", "got": "int64"},
    ),
    (
        lambda: handle(X[0]),
        DimensionError,
        {"argument": "x", "expected": "two dimensions", "got": "1"},
    ),
    (
        lambda: _core.Rows.concat([handle(X), handle(X[:, :3])]),
        DimensionError,
        {
            "argument": "parts",
            "expected": "4 columns as in part 0",
            "got": "3",
            "where": "part 1",
        },
    ),
    (
        lambda: _core.sample(3, 4, 0, "test"),
        InputError,
        {"argument": "size", "expected": "at most 3", "got": "4"},
    ),
    (
        lambda: tw.metrics.nearest_neighbors(X, X, k=1, threads=10**6),
        InputError,
        {"argument": "threads", "expected": "an integer of at most 1,024", "got": "1000000"},
    ),
    (
        lambda: _core.thread_count({"threads": 10**6, "progress": None}),
        InputError,
        {
            "argument": "threads",
            "expected": "a whole number from 1 to 1024",
            "got": "1000000",
        },
    ),
]


@pytest.mark.parametrize(("call", "kind", "said"), CASES)
def test_an_error_has_its_kind_and_these_fields_alone(
    call: Callable[[], object], kind: type[TailwatchError], said: dict[str, str]
) -> None:
    with refused(kind, **said) as caught:
        call()
    assert type(caught.value) is kind
    assert {name for name, text in caught.value.fields.items() if text is not None} == set(said)


def test_both_sides_bound_threads_alike() -> None:
    assert progress.MOST_THREADS == _core.MOST_THREADS


@pytest.mark.parametrize("text", ["", "0", "-1", "two", "1e3", "4.0", "1025", "9" * 30])
def test_a_number_of_threads_in_the_environment_is_a_number(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAILWATCH_NUM_THREADS", text)
    expected = "a whole number from 1 to 1024"
    with refused(InputError, "TAILWATCH_NUM_THREADS", expected, f"'{text}'"):
        tw.metrics.nearest_neighbors(X, X, k=1)


def test_bytes_that_are_no_text_are_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAILWATCH_NUM_THREADS", "TAILWATCH_ISA"):
        with monkeypatch.context() as patch:
            patch.setenv(name, os.fsdecode(b"\xff2"))
            with refused(InputError, name, "…", "'\ufffd2'"):
                tw.metrics.nearest_neighbors(X, X, k=1)


def limited(limits: str, call: str) -> subprocess.CompletedProcess[str]:
    """Run a call in a process with less of something."""
    code = (
        "import resource, numpy as np, tailwatch as tw\n"
        "rows = np.random.default_rng(0).standard_normal((20000, 4)).astype(np.float32)\n"
        f"{limits}\n"
        f"try: {call}\n"
        "except tw.exceptions.TailwatchError as error: print(type(error).__name__, error)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read as Linux shows them")
def test_what_memory_cannot_hold_is_an_error_and_no_end_of_the_process() -> None:
    done = limited(
        "resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))",
        "tw.metrics.nearest_neighbors(rows, rows, k=19999, exclude_self=True, threads=1)",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("InputError k: expected at most the "), done.stdout
    assert "got what takes " in done.stdout


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() == 0, reason="the superuser may start any number"
)
def test_threads_that_do_not_start_are_an_error() -> None:
    done = limited(
        "resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))",
        "tw.metrics.nearest_neighbors(rows, rows, k=1, threads=64)",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("TailwatchError threads: expected the system to start ")

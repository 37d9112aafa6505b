"""The size ladder of the benchmarks.

``pytest benches`` runs small sizes, enough to see that every benchmark works and to notice a
factor; ``pytest benches --sizes full`` climbs to 200,000 rows and 2,048 columns, but to no size at
which one call would take more than ``--work`` operations: those are named at the end. Times are
shown and never asserted: they belong to the machine.

A module says what a call costs: ``pytestmark = pytest.mark.work(operations=work.moments)``.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from benches.samples import Pair, Size, draw

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

COLUMNS = (64, 384, 768, 2048)

LADDERS = {
    "smoke": (Size(500, 256), Size(1_000, 64)),
    "medium": tuple(Size(*cell) for cell in product((1_000, 10_000), COLUMNS)),
    "full": tuple(
        Size(*cell) for cell in product((1_000, 10_000, 20_000, 50_000, 200_000), COLUMNS)
    ),
}

ROUNDS = {"smoke": 1, "medium": 3, "full": 3}
"""Measurements of what takes longer than `SECONDS`; shorter calls are repeated until it is over."""

SECONDS = {"smoke": 0.2, "medium": 0.5, "full": 0.5}

WORK = 1e12
"""Operations: 50,000 × 50,000 pairs of 384 columns, some seconds on two cores if all goes well."""

SKIPPED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sizes", choices=tuple(LADDERS), default="smoke", help="size ladder of the benchmarks"
    )
    parser.addoption(
        "--work",
        type=float,
        default=WORK,
        metavar="OPERATIONS",
        help=f"largest work of one call that is climbed to (default {WORK:.0e})",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "work(operations): what a call costs, as a function of Size")
    config.stash[SKIPPED] = []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("work")
    assert marker is not None, f"{metafunc.definition.nodeid} does not say what it costs"
    operations = marker.kwargs["operations"]
    climbed = []
    for size in LADDERS[metafunc.config.getoption("--sizes")]:
        if operations(size) <= metafunc.config.getoption("--work"):
            climbed.append(size)
        else:
            metafunc.config.stash[SKIPPED].append(
                f"{metafunc.function.__name__}[{size}]: {operations(size):.1e} operations"
            )
    # An empty ladder is an error of collection, and so it should be.
    metafunc.parametrize("pair", climbed, ids=map(str, climbed), indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sizes = config.getoption("--sizes")
    for item in items:
        if isinstance(item, pytest.Function) and "benchmark" in item.fixturenames:
            # One table per benchmark.
            item.add_marker(
                pytest.mark.benchmark(
                    group=item.originalname, min_rounds=ROUNDS[sizes], max_time=SECONDS[sizes]
                )
            )


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if skipped := config.stash[SKIPPED]:
        terminalreporter.section(f"not climbed to: over --work {config.getoption('--work'):.1e}")
        for line in skipped:
            terminalreporter.write_line(line)


@pytest.fixture
def pair(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Pair:
    """Both samples at one size of the ladder."""
    size = request.param
    benchmark.extra_info.update(rows=size.rows, columns=size.columns)
    return draw(size)

"""The size ladder of the benchmarks, and their data.

``pytest benches`` runs small sizes, enough to see that every benchmark works and to notice a
factor; ``pytest benches --sizes full`` climbs to where the quadratic metrics take minutes. Times
are shown and never asserted: they belong to the machine.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

LADDERS = {
    "smoke": ((1_000, 256), (5_000, 64)),
    "full": tuple(product((1_000, 10_000, 20_000), (64, 256, 768))),
}
"""Rows of each sample, and columns."""

ROUNDS = {"smoke": 1, "full": 3}
"""Measurements of what takes longer than `SECONDS`; shorter calls are repeated until it is over."""

SECONDS = 0.5

CLUSTERS = 20


class Pair(NamedTuple):
    """A reference and a candidate that lost some variance, equally many rows."""

    reference: NDArray[np.float32]
    candidate: NDArray[np.float32]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sizes", choices=sorted(LADDERS), default="smoke", help="size ladder of the benchmarks"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pair" in metafunc.fixturenames:
        sizes = LADDERS[metafunc.config.getoption("--sizes")]
        ids = [f"{rows}x{columns}" for rows, columns in sizes]
        metafunc.parametrize("pair", sizes, ids=ids, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    rounds = ROUNDS[config.getoption("--sizes")]
    for item in items:
        if isinstance(item, pytest.Function) and "benchmark" in item.fixturenames:
            # One table per benchmark.
            item.add_marker(
                pytest.mark.benchmark(group=item.originalname, min_rounds=rounds, max_time=SECONDS)
            )


@pytest.fixture
def pair(request: pytest.FixtureRequest, benchmark: BenchmarkFixture) -> Pair:
    """Both samples at one size of the ladder."""
    rows, columns = request.param
    benchmark.extra_info.update(rows=rows, columns=columns)
    return _draw(rows, columns)


@lru_cache(maxsize=2)
def _draw(rows: int, columns: int) -> Pair:
    """Clusters whose columns differ in variance, as those of an encoder do."""
    rng = np.random.default_rng([rows, columns])
    centres = rng.standard_normal((CLUSTERS, columns), dtype=np.float32)
    scales = (1.0 / np.sqrt(np.arange(1, columns + 1))).astype(np.float32)

    def sample(spread: float) -> NDArray[np.float32]:
        noise = rng.standard_normal((rows, columns), dtype=np.float32)
        return (centres[rng.integers(CLUSTERS, size=rows)] + np.float32(spread) * noise) * scales

    return Pair(sample(1.0), sample(0.9))

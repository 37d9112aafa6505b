"""Progress, and interruption from within it: at once, with nothing left behind."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

import tailwatch as tw
from tests.support import samples

if TYPE_CHECKING:
    from pathlib import Path

SMALL = samples.gaussian(1, 400, 8), samples.gaussian(2, 200, 8)
LONG = samples.gaussian(3, 16_000, 128), samples.gaussian(4, 8_000, 128)
"""Some ten seconds of work in one stage."""


def test_stages_are_reported_in_the_calling_thread_and_never_beyond_their_end() -> None:
    seen: list[tuple[str, int, int]] = []
    threads = set()

    def report(stage: str, done: int, total: int) -> None:
        seen.append((stage, done, total))
        threads.add(threading.get_ident())

    tw.compare(*LONG, metrics=["precision"], max_rows=4000, threads=2, progress=report)
    assert threads == {threading.get_ident()}
    assert {stage for stage, _, _ in seen} == {"neighbours"}
    assert all(0 <= done <= total for _, done, total in seen)
    assert all(isinstance(number, int) for row in seen for number in row[1:])
    assert len({done for _, done, _ in seen}) > 1


def test_each_family_names_its_stage() -> None:
    stages: list[str] = []
    # Enough work in each stage for a report every 100 ms.
    tw.compare(
        samples.gaussian(5, 3000, 256),
        samples.gaussian(6, 1500, 256),
        metrics=["recall", "directional_tails", "energy_distance"],
        threads=1,
        progress=lambda stage, done, total: stages.append(stage),
    )
    order = list(dict.fromkeys(stages))
    assert {"neighbours", "directional tails", "kernels"} <= set(order)
    assert order.index("neighbours") < order.index("directional tails") < order.index("kernels")


class OwnError(Exception):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, OwnError, SystemExit])
def test_what_progress_raises_stops_the_work_at_once(
    error: type[BaseException], tmp_path: Path
) -> None:
    raised: list[float] = []

    def report(stage: str, done: int, total: int) -> None:
        raised.append(time.monotonic())
        raise error

    with pytest.raises(error):
        tw.compare(*LONG, threads=2, progress=report).save(tmp_path / "page.html")
    # The promise is 0.2 s; a busy machine may take longer to run this thread at all.
    assert time.monotonic() - raised[0] < 2.0
    assert len(raised) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_next_comparison_is_as_if_nothing_had_happened() -> None:
    before = tw.compare(*SMALL, threads=2).frame

    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tw.compare(*LONG, threads=2, progress=stop)
    assert tw.compare(*SMALL, threads=2).frame.equals(before)

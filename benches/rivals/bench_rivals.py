"""Every contender at smoke size: that it runs, and that it agrees with ours.

Which is faster is for ``python -m benches.rivals`` to say, at sizes where it matters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from benches.recording import installed
from benches.rivals.registry import TASKS
from benches.rivals.session import Conditions, Session
from benches.samples import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

    from benches.rivals.task import Answer, Contender, Task

THREADS = 2


def conditions_of(task: Task) -> Conditions:
    return Conditions(size=task.smoke[0], kind="clusters", seed=0, threads=THREADS)


@lru_cache
def answer_of_ours(name: str) -> Answer:
    task = TASKS[name]
    with Session(task, task.ours, conditions_of(task), {}) as session:
        session.run()
        return session.answer()


def races() -> Iterator[object]:
    for task in TASKS.values():
        for peer in task.peers:
            absent = pytest.mark.skipif(
                installed(peer.package) is None, reason=f"{peer.package} is not installed"
            )
            name = f"{task.name}-{peer.name}".replace(" ", "-").replace(",", "")
            yield pytest.param(task, peer, id=name, marks=absent)


@pytest.mark.parametrize(("task", "peer"), list(races()))
def bench_rival(benchmark: BenchmarkFixture, task: Task, peer: Contender) -> None:
    conditions = conditions_of(task)
    with Session(task, peer, conditions, peer.environments[0]) as session:
        benchmark.pedantic(session.run, rounds=3)
        theirs = session.answer()
    pair = draw(conditions.size, conditions.kind, conditions.seed)
    apart, meaning = task.difference(pair, answer_of_ours(task.name), theirs)
    assert apart <= peer.tolerance, meaning

"""Threads whose results come in order, with errors in their turn."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tailwatch.background import in_order, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    def work(item: int) -> int:
        # Later ones would overtake.
        time.sleep(0.002 * (5 - item % 5))
        return item * item

    assert list(in_order(range(40), work, threads)) == [item * item for item in range(40)]


def test_no_items_no_results() -> None:
    assert list(in_order([], abs, 3)) == []


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_comes_in_its_turn(threads: int) -> None:
    def work(item: int) -> int:
        if item == 5:
            raise ZeroDivisionError
        return item

    results = in_order(range(10), work, threads)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_in_taking_items_comes_after_those_that_were_taken(threads: int) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError

    results = in_order(items(), abs, threads)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match=r"^$"):
        next(results)


def test_items_are_not_taken_far_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    for number, _ in enumerate(in_order(items(), abs, 2)):
        time.sleep(0.002)
        assert len(taken) <= number + 1 + 4


def test_threads_end_where_nobody_asks_on() -> None:
    before = threading.active_count()
    results = in_order(iter(int, 1), abs, 3)
    next(results)
    results.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_work_apart_gives_its_result_or_its_error() -> None:
    assert wait_for(threading.get_ident) != threading.get_ident()
    error = ValueError("as it is")

    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="as it is") as caught:
        wait_for(fail)
    assert caught.value is error


@pytest.mark.skipif(os.name == "nt", reason="a process of Windows cannot send itself Ctrl-C")
def test_an_interrupt_does_not_wait_for_the_work() -> None:
    release = threading.Event()
    began = time.monotonic()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        wait_for(lambda: release.wait(20))
    release.set()
    assert time.monotonic() - began < 10

"""Waiting for work in another thread: its result, its errors, and signals meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from tailwatch.cli.signals import wait_for

pytestmark = pytest.mark.alone


def test_the_result_comes_back() -> None:
    assert wait_for(lambda: threading.current_thread() is threading.main_thread()) is False


def test_an_error_comes_back_as_it_is() -> None:
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

"""Drawing in a process of its own: what comes back, and what becomes of a process that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tailwatch.exceptions import OutputError
from tailwatch.report import drawer
from tailwatch.report.drawer import svg_of

if TYPE_CHECKING:
    from pathlib import Path


def chart(text: str = "a") -> dict[str, Any]:
    return {
        "data": {"values": [{"text": text}]},
        "mark": "text",
        "encoding": {"text": {"field": "text"}},
    }


def process() -> subprocess.Popen[bytes]:
    running = drawer._drawer()._running
    assert running is not None
    return running.process


def test_one_process_draws_one_after_the_other() -> None:
    first = svg_of(chart("first"))
    drawn_by = process().pid
    assert ">first</text>" in first
    assert ">second</text>" in svg_of(chart("second"))
    assert process().pid == drawn_by != os.getpid()


@pytest.mark.parametrize("text", ["\0", "\x1b", "\ufffe", "\ud800", "\u202e"])
def test_no_character_ends_it(text: str) -> None:
    assert "\\" in svg_of(chart(f"<{text}>"))


def test_one_that_ended_is_started_again() -> None:
    svg_of(chart())
    process().send_signal(signal.SIGKILL)
    process().wait()
    assert ">again</text>" in svg_of(chart("again"))


def test_one_that_had_nothing_to_do_is_started_again() -> None:
    svg_of(chart())
    running = drawer._drawer()._running
    assert running is not None
    # As at the end of its idle time: it ends while a request is on its way.
    running.process.stdin.close()  # type: ignore[union-attr]
    running.process.wait()
    assert ">again</text>" in svg_of(chart("again"))


def test_a_specification_that_is_none_is_an_error() -> None:
    with pytest.raises(
        OutputError, match=r"^report page: the charts could not be drawn: ValueError"
    ):
        svg_of({"mark": "nonsense"})
    assert svg_of(chart())


def test_one_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    svg_of(chart())
    monkeypatch.setattr(drawer, "_LONGEST_SECONDS", 0)
    with pytest.raises(OutputError, match="the process that draws ended by SIGKILL"):
        svg_of(chart("x" * 100_000))
    monkeypatch.undo()
    assert svg_of(chart())


def test_an_interruption_does_not_mix_up_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    svg_of(chart())

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drawer.select, "select", interrupt)
    with pytest.raises(KeyboardInterrupt):
        svg_of(chart("before"))
    monkeypatch.undo()
    assert ">after</text>" in svg_of(chart("after"))


def test_an_interpreter_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    drawer._drawer().end()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OutputError, match="No such file"):
        svg_of(chart())


def test_it_leaves_with_its_parent_and_without_a_word(tmp_path: Path) -> None:
    code = (
        "from tailwatch.report.drawer import _drawer, svg_of\n"
        "svg_of({'data': {'values': [{'a': 1}]}, 'mark': 'point'})\n"
        "print(_drawer()._running.process.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)

"""What `progress=` shows, where, and that nothing of it stays behind."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr

import pytest

from tailwatch import progress
from tailwatch.exceptions import InputError
from tailwatch.progress import reporting
from tests.support.errors import refused


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    return clock


@pytest.mark.parametrize("silent", [None, False])
def test_without_progress_nothing_is_shown(silent: bool | None, clock: Clock) -> None:
    terminal = Terminal()
    with redirect_stderr(terminal), reporting(silent) as report:
        clock.now += 60
        report("neighbours", 1, 10)
    assert terminal.getvalue() == ""


def test_the_callers_own_function_gets_every_report() -> None:
    seen = []
    with reporting(lambda *report: seen.append(report)) as report:
        report("neighbours", 1, 10)
        report("moments", 3, 3)
    assert seen == [("neighbours", 1, 10), ("moments", 3, 3)]


def test_what_the_callers_function_raises_stops_the_work() -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), reporting(stop) as report:
        report("neighbours", 1, 10)


def test_anything_else_is_refused() -> None:
    with refused(InputError, "progress", "None, True or a callable", "str"), reporting("yes"):  # type: ignore[arg-type]
        pass


def test_a_stage_that_counts_rows_shows_its_rate_and_what_is_left(clock: Clock) -> None:
    log = io.StringIO()
    with redirect_stderr(log), reporting(True) as report:
        report("scoring rows", 1_000_000, 10_000_000)
        clock.now += 4
        report("scoring rows", 6_000_000, 10_000_000)
    # What was there at the first report was not done meanwhile.
    assert log.getvalue() == "scoring rows: 60 % after 4 s, 1.25 M rows/s, 3 s left\n"


@pytest.mark.parametrize(
    ("speed", "written"),
    [
        (7.4, "7.4 rows/s"),
        (999, "999 rows/s"),
        (1000, "1 k rows/s"),
        (2.5e6, "2.5 M rows/s"),
        (3e9, "3 G rows/s"),
    ],
)
def test_rates_have_three_digits(speed: float, written: str) -> None:
    assert progress._rate(speed) == written


def test_a_log_gets_one_line_for_a_stage_that_lasts(clock: Clock) -> None:
    log = io.StringIO()
    with redirect_stderr(log), reporting(True) as report:
        for stage in ("neighbours", "spectra", "moments"):
            for done in range(25 if stage != "spectra" else 5):
                report(stage, done, 25)
                clock.now += 0.125
    assert log.getvalue().splitlines() == [
        "neighbours: 64 % after 2 s, 1 s left",
        "moments: 8 % after 4 s, 3 s left",
    ]


def test_a_log_hears_every_half_minute_of_a_long_stage(clock: Clock) -> None:
    log = io.StringIO()
    with redirect_stderr(log), reporting(True) as report:
        for done in range(100):
            clock.now += 1
            report("neighbours", done, 100)
    assert log.getvalue().splitlines() == [
        "neighbours: 1 % after 2 s, 99 s left",
        "neighbours: 31 % after 32 s, 69 s left",
        "neighbours: 61 % after 62 s, 39 s left",
        "neighbours: 91 % after 92 s, 9 s left",
    ]


def test_a_stage_of_unknown_length_shows_no_share(clock: Clock) -> None:
    log = io.StringIO()
    with redirect_stderr(log), reporting(True) as report:
        clock.now += 2
        report("reading", 0, 0)
    assert log.getvalue() == "reading: … after 2 s\n"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_short_work_shows_nothing(stream: type[io.StringIO], clock: Clock) -> None:
    shown = stream()
    with redirect_stderr(shown), reporting(True) as report:
        for _ in range(4):
            report("neighbours", 1, 10)
            clock.now += 0.1
    assert shown.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_reports_after_the_end_are_dropped(stream: type[io.StringIO], clock: Clock) -> None:
    shown = stream()
    with redirect_stderr(shown):
        with reporting(True) as report:
            pass
        clock.now += 60
        report("neighbours", 1, 10)
    assert shown.getvalue() == ""


def test_a_terminal_gets_a_bar_that_leaves_no_trace(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()

    def interrupted_work() -> None:
        with reporting(True) as report:
            clock.now += 1
            report("neighbours [1/2]", 3, 4)
            clock.now += 1
            report("moments", 1, 4)
            raise KeyboardInterrupt

    with redirect_stderr(terminal), pytest.raises(KeyboardInterrupt):
        interrupted_work()
    shown = terminal.getvalue()
    assert "neighbours [1/2]" in shown
    assert "moments" in shown
    assert "75%" in shown
    hide, show, clear_line = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"
    assert shown.count(hide) == shown.count(show) == 1
    assert shown.index(hide) < shown.index(show)
    assert shown.endswith(clear_line)


class Gone(io.StringIO):
    """A log that takes nothing any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_log_that_is_gone_stops_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "STAGE_SECONDS", 0.0)
    for stream in (Gone(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with reporting(progress=True) as report:
            report("rows", 1, 2)
            report("more rows", 2, 2)


def test_a_stage_of_any_name_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "STAGE_SECONDS", 0.0)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with reporting(progress=True) as report:
        report("\x1b[2J\n\0", 1, 2)
    assert stream.getvalue().startswith(r"\x1b[2J\x0a\x00: 50 %")
    assert stream.getvalue().count("\n") == 1

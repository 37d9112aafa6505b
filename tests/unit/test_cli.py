"""Usage of the command line: help, version, errors, exit codes, and a quick start."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import warnings

import pytest

import tailwatch.cli.app
from tailwatch.cli import options, run
from tailwatch.comparison.registry import METRICS
from tailwatch.comparison.request import PANELS
from tailwatch.exceptions import SourceError, TailwatchWarning

COMMANDS = [
    "compare",
    "demo",
    "fit",
    "loop",
    "pack",
    "plan",
    "report",
    "score",
    "yolo-loop",
]
EXIT_CODES = (
    "Exit codes: 0 fine, 1 a gate failed, 2 bad usage, input or output, 3 inconclusive, "
    "4 finished without some of the input, which is named, 70 a defect in tailwatch, "
    "130 interrupted"
)


def words(text: str) -> str:
    """The text without its line breaks and frames."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_examples_and_exit_codes(
    command: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, option]) == 0
    shown = words(capsys.readouterr().out)
    assert f"Examples tailwatch {command}" in shown
    assert EXIT_CODES in shown


def test_the_help_names_the_metrics_that_there_are() -> None:
    # The help is there before the registry is imported, and with it what computes metrics.
    assert options.METRICS.split(", ") == [*METRICS]
    assert tuple(PANELS) == options.PANELS


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_fit_a_terminal_of_80_columns(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run([command, "--help"])
    example_lines = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("   tailwatch")
    ]
    source = [
        line.strip()
        for line in (
            getattr(tailwatch.cli.app, command.replace("-", "_")).__doc__ or ""
        ).splitlines()
        if line.strip().startswith("tailwatch ")
    ]
    assert [line.strip() for line in example_lines] == source


def test_general_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = words(capsys.readouterr().out)
    assert all(command in shown for command in COMMANDS)
    assert EXIT_CODES in shown


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"tailwatch {importlib.metadata.version('tailwatch')}\n"


def test_no_command_shows_the_help_and_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare"], "Missing argument 'REF'. (see tailwatch compare --help)"),
        (["compare", "a.npy"], "Missing argument 'CAND'. (see tailwatch compare --help)"),
        (["compare", "a", "b", "--nonsense"], "No such option: --nonsense"),
        (["compare", "a", "b", "--k", "0"], "Invalid value for '--k' / '-k'"),
        (["compare", "a", "b", "--seed", "x"], "Invalid value for '--seed'"),
        (["compare", "a", "b", "--tail-levels", "0.1;0.2"], "--tail-levels: expected numbers"),
        (["forecast"], "No such command 'forecast'."),
        (["demo", "--generations", "0"], "Invalid value for '--generations'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"error: {message}")
    assert shown.err.count("\n") == 1


def fail_with(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(work: object) -> None:
        raise error

    patch.setattr("tailwatch.cli.compare.wait_for", fail)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SourceError("reference: no file a.npy"), "reference: no file a.npy"),
        (OSError(28, "No space left on device", "r.html"), "r.html: No space left on device"),
        (MemoryError("8 GiB"), "not enough memory: 8 GiB (--max-rows bounds what is compared)"),
        (SourceError("two\nlines"), "two lines"),
    ],
)
def test_errors_are_one_line_without_traceback(
    error: Exception,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fail_with(monkeypatch, error)
    assert run(["compare", "a.npy", "b.npy"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", f"error: {line}\n")


def test_traceback_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAILWATCH_TRACEBACK", "1")
    fail_with(monkeypatch, SourceError("reference: no file a.npy"))
    assert run(["compare", "a.npy", "b.npy"]) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("error: reference: no file a.npy\n")


def test_interruption_is_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    assert run(["compare", "a.npy", "b.npy"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_our_warnings_are_one_line_and_others_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warn(work: object) -> None:
        warnings.warn("recall rests on 9 rows", TailwatchWarning, stacklevel=1)
        warnings.warn("old", FutureWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr("tailwatch.cli.compare.wait_for", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        before = warnings.showwarning
        run(["compare", "a.npy", "b.npy"])
        assert warnings.showwarning is before
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == "warning: recall rests on 9 rows"
    assert "FutureWarning: old" in shown[1]


def start(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_nothing_heavy_is_imported_before_a_command_runs(option: str) -> None:
    code = f"""
import sys
from tailwatch.cli import run
assert run([{option!r}]) == 0
heavy = {{"altair", "numpy", "polars", "scipy", "sklearn", "tailwatch._core"}}
print(sorted(heavy & sys.modules.keys()), file=sys.stderr)
"""
    assert start(code).stderr == "[]\n"


def test_a_defect_is_not_mistaken_for_a_failed_gate() -> None:
    code = """
import sys
import tailwatch.cli.entry as entry
def broken(arguments):
    raise RuntimeError("unforeseen")
entry.run = broken
entry.main()
"""
    done = start(code)
    assert done.returncode == 70
    assert "RuntimeError: unforeseen" in done.stderr


def test_a_closed_pipe_is_no_error() -> None:
    code = "import sys; sys.argv = ['tailwatch', '--help']; from tailwatch.cli import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.close()
    _, errors = child.communicate()
    assert (child.returncode, errors) == (0, b"")


def test_module_runs_like_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tailwatch", "--version"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tailwatch ")

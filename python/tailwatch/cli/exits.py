"""The exit codes of every command: a promise to scripts."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EPILOG", "ExitCode"]


class ExitCode(IntEnum):
    """What the number that a command leaves behind means."""

    FINE = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    # Python leaves 1 behind on an unexpected error, which a script would take for a failed gate.
    DEFECT = 70
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.FINE: "fine",
    ExitCode.GATE_FAILED: "a gate failed",
    ExitCode.BAD_INPUT: "bad usage or input",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.DEFECT: "a defect in tailwatch",
    ExitCode.INTERRUPTED: "interrupted",
}

EPILOG = "Exit codes: " + ", ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items())

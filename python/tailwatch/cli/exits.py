"""The exit codes of every command: a promise to scripts.

0, 1 and 3 are left behind only after the verdict was reached and every file that was asked for is
there, what goes to standard output included: where that cannot be written the code is 2. A reader
that leaves a pipe early has seen enough, and what becomes of standard error changes nothing. What a
learner, a policy or a callback of the user raises, `SystemExit` among it, is bad input: 70 is for
tailwatch's own defects.
"""

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
    ExitCode.BAD_INPUT: "bad usage, input or output",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.DEFECT: "a defect in tailwatch",
    ExitCode.INTERRUPTED: "interrupted",
}

EPILOG = "Exit codes: " + ", ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items())

"""What a command says: its errors in the words of options, and the code that it leaves behind.

Exit codes are a promise to scripts. 0, 1, 3 and 4 are left behind only after the verdict was
reached and every file that was asked for is there, what goes to standard output included: where
that cannot be written the code is 2. Parts of the input that could not be used are named, and make
4 of 0 and 3: what was decided is decided without them. They do not hide a gate that failed, so 1
stays 1. A reader that leaves a pipe early has seen enough, and what becomes of
standard error changes nothing. What a learner, a policy or a callback of the user raises,
`SystemExit` among it, is bad input: 70 is for tailwatch's own defects.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from tailwatch.exceptions import TailwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EPILOG", "ExitCode", "in_options", "option_words"]


class ExitCode(IntEnum):
    """What the number that a command leaves behind means."""

    FINE = 0
    GATE_FAILED = 1
    BAD_INPUT = 2
    INCONCLUSIVE = 3
    INCOMPLETE = 4
    # Python leaves 1 behind on an unexpected error, which a script would take for a failed gate.
    DEFECT = 70
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.FINE: "fine",
    ExitCode.GATE_FAILED: "a gate failed",
    ExitCode.BAD_INPUT: "bad usage, input or output",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.INCOMPLETE: "finished without some of the input, which is named",
    ExitCode.DEFECT: "a defect in tailwatch",
    ExitCode.INTERRUPTED: "interrupted",
}

EPILOG = "Exit codes: " + ", ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items())

_ARGUMENTS: Final = {
    "out_dir": "--out",
    "id_column": "--id-column",
    "copies_of": "--copies-of",
    "copy_distance": "--copy-distance",
    "rows_per_shard": "--rows-per-shard",
    "audit": "--audit",
    "binary": "--binary",
    "by": "--by",
    "column": "--column",
    "confidence": "--confidence",
    "dtype": "--dtype",
    "fail_on": "--fail-on",
    "keep": "--keep",
    "limits": "--limit",
    "encoder": "--encoder",
    "folds": "--folds",
    "seed": "--seed",
    "stop_on": "--stop-on",
    "strata": "--strata",
    "threads": "--threads",
}
_WORDS: Final = (
    (re.compile(r"resume=False"), "--restart"),
    (re.compile(r"tailwatch\.open\(\.\.\., (\w+)=NAME\)"), r"--\1 NAME"),
    (re.compile(r"tailwatch\.open\(\.\.\., binary='float16'\) or 'float32'"), "--binary float16"),
    (re.compile(r"\bid_column="), "--id-column "),
    (re.compile(r"\bby=(?='|\")"), "--by "),
    (re.compile(r"\bgive copy_distance\b"), "give --copy-distance"),
    (re.compile(r"\bprevalence\(\) takes the target"), "`tailwatch score` takes the target"),
    (re.compile(r"\bgiven without copies_of\b"), "given without --copies-of"),
    (re.compile(r"--(\w+)_(\w+)"), r"--\1-\2"),
)


def option_words(text: str) -> str:
    """Put a text that was written for callers into words for the command line.

    Examples
    --------
    >>> option_words("give another folder, or resume=False to replace it")
    'give another folder, or --restart to replace it'
    """
    lead, colon, rest = text.partition(": ")
    if colon and lead in _ARGUMENTS:
        text = f"{_ARGUMENTS[lead]}: {rest}"
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text


@contextmanager
def in_options() -> Iterator[None]:
    """Let errors within the block name options instead of arguments."""
    try:
        yield
    except TailwatchError as error:
        for name, value in error.fields.items():
            if value is not None:
                setattr(error, name, option_words(value))
        error.argument = _ARGUMENTS.get(f"{error.argument}", error.argument)
        error.args = (option_words(str(error)), *error.args[1:])
        raise

"""The command line: thin commands over the public calls.

Nothing heavy is imported before a command runs, so that ``--help`` and ``--version`` answer at
once; and nothing at all before signals are heard.

===========  =======================================================================================
``entry``    the way in and the way out; ``app`` is the list of commands
``signals``  Ctrl-C, from the first moment; ``streams``: output that never ends a command
``options``  what several commands take; ``parts``: what a loop is made of
``outputs``  where results go; ``table``: comparisons for a terminal; ``wording``
``compare``  commands, a file each: ``demo``, ``fit``, ``loop``, ``pack``, ``plan``, ``report``,
             ``score``, ``yolo_check``, ``yolo_loop``
===========  =======================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "run"]


def main() -> NoReturn:
    """Run the command line of this process and end the process."""
    from tailwatch.cli.signals import listen

    listen()
    from tailwatch.cli.entry import main as enter

    enter()


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: see :func:`tailwatch.cli.entry.run`."""
    from tailwatch.cli.entry import run as run_command

    return run_command(arguments)

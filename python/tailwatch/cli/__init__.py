"""The command line: thin commands over the public calls.

Nothing heavy is imported before a command runs, so that ``--help`` and ``--version`` answer at
once.
"""

from __future__ import annotations

from tailwatch.cli.entry import main, run

__all__ = ["main", "run"]
